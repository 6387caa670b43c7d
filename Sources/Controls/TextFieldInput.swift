import Drawing
import Geometry

extension TextField {
  // MARK: Pointer

  func pressed(_ pointer: PointerEvent) -> ControlResponse {
    commitPreedit()
    let offset = offset(at: pointer.position)
    switch pointer.button {
    case .left:
      switch pointer.clickCount {
      case 2:
        let word = editor.boundaries.word(at: characterOffset(at: pointer.position))
        editor.select(word)
        dragOrigin = word
        dragsWords = true
      case 3...:
        editor.selectAll()
        dragOrigin = nil
      default:
        editor.moveCaret(to: offset, extending: pointer.modifiers.contains(.shift))
        dragOrigin = editor.anchor..<editor.anchor
        dragsWords = false
      }
      isPressed = true
      caretMoved()
    case .middle:
      editor.moveCaret(to: offset)
      caretMoved()
      paste(from: .primary)
    case .right, .other: return .ignored
    }
    return .handled
  }

  func dragged(_ pointer: PointerEvent) -> ControlResponse {
    guard isPressed, let origin = dragOrigin else { return .ignored }
    if dragsWords {
      let word = editor.boundaries.word(at: characterOffset(at: pointer.position))
      let forward = word.lowerBound >= origin.lowerBound
      editor.moveCaret(to: forward ? origin.lowerBound : origin.upperBound)
      editor.moveCaret(
        to: forward ? max(word.upperBound, origin.upperBound) : word.lowerBound, extending: true)
    } else {
      editor.moveCaret(to: offset(at: pointer.position), extending: true)
    }
    caretMoved()
    return .handled
  }

  func released(_ pointer: PointerEvent) -> ControlResponse {
    guard isPressed, pointer.button == .left else { return .ignored }
    isPressed = false
    dragOrigin = nil
    ownPrimary(time: pointer.time)
    return .handled
  }

  /// The place of the caret nearest to a point of the window.
  private func offset(at point: Point) -> Int {
    editor.boundaries.caret(atOrBefore: layout.offset(atX: point.x - textArea.x + scroll))
  }

  /// The character that a point of the window lies on.
  private func characterOffset(at point: Point) -> Int {
    let nearest = offset(at: point)
    let x = point.x - textArea.x + scroll
    return layout.caretX(at: nearest) > x ? editor.boundaries.caret(before: nearest) : nearest
  }

  // MARK: Keys

  func key(_ press: KeyPress) -> ControlResponse {
    let control = press.modifiers.contains(.control)
    let shift = press.modifiers.contains(.shift)
    if press.modifiers.contains(.alt) || press.modifiers.contains(.logo) { return .ignored }
    switch press.key {
    case .left, .right: moveSideways(toRight: press.key == .right, byWord: control, extending: shift, press.time)
    case .home: move(to: 0, extending: shift, press.time)
    case .end: move(to: editor.length, extending: shift, press.time)
    case .backspace: edit { $0.deleteBackward(byWord: control) }
    case .delete:
      if shift, !control { cut(press.time) } else { edit { $0.deleteForward(byWord: control) } }
    case .insert:
      if shift {
        paste(from: .clipboard)
      } else if control {
        copy(press.time)
      } else {
        return .ignored
      }
    case .up, .down:
      guard !control, !shift else { return .ignored }
      return stepped(up: press.key == .up, press) ? .handled : .ignored
    case .return:
      onSubmit?(editor.text)
      return onSubmit == nil ? .ignored : .handled
    case .escape:
      onCancel?()
      return onCancel == nil ? .ignored : .handled
    case .copy: copy(press.time)
    case .cut: cut(press.time)
    case .paste: paste(from: .clipboard)
    case .undo: edit { $0.undo() }
    case .redo: edit { $0.redo() }
    case .character(let character): return control ? command(character, press) : .ignored
    case .tab, .pageUp, .pageDown, .menu, .function, .other: return .ignored
    }
    return .handled
  }

  private func command(_ character: Character, _ press: KeyPress) -> ControlResponse {
    switch character {
    case "a":
      editor.selectAll()
      caretMoved()
      ownPrimary(time: press.time)
    case "c": copy(press.time)
    case "x": cut(press.time)
    case "v": paste(from: .clipboard)
    case "z": edit { if press.modifiers.contains(.shift) { $0.redo() } else { $0.undo() } }
    case "y": edit { $0.redo() }
    default: return .ignored
    }
    return .handled
  }

  /// Left and Right go by the screen, also where directions of writing meet; words go by the text's direction.
  private func moveSideways(toRight: Bool, byWord: Bool, extending: Bool, _ time: UInt32) {
    let target: Int
    if byWord {
      let forward = toRight != layout.isRightToLeft
      target =
        forward
        ? editor.boundaries.wordEnd(after: editor.caret) : editor.boundaries.wordStart(before: editor.caret)
    } else if !editor.selection.isEmpty, !extending {
      // Without Shift the caret goes to that edge of the selection.
      let edges = [editor.selection.lowerBound, editor.selection.upperBound]
      let sorted = edges.sorted { layout.caretX(at: $0) < layout.caretX(at: $1) }
      target = toRight ? sorted[1] : sorted[0]
    } else {
      let visual = layout.caretMovedVisually(from: editor.caret, toRight: toRight)
      // Pango's and our places of the caret are the same ones; this keeps the promise should a font's ligature differ.
      target =
        visual > editor.caret && !editor.boundaries.isCaret(visual)
        ? editor.boundaries.caret(after: visual) : visual
    }
    move(to: target, extending: extending, time)
  }

  private func move(to offset: Int, extending: Bool, _ time: UInt32) {
    editor.moveCaret(to: offset, extending: extending)
    caretMoved()
    if extending { ownPrimary(time: time) }
  }

  // MARK: Clipboard

  private func copy(_ time: UInt32) {
    guard !editor.selection.isEmpty else { return }
    host?.clipboard?.setText(editor.selectedText, in: .clipboard, time: time)
  }

  private func cut(_ time: UInt32) {
    guard !editor.selection.isEmpty else { return }
    copy(time)
    edit { $0.deleteBackward() }
  }

  private func ownPrimary(time: UInt32) {
    guard !editor.selection.isEmpty else { return }
    host?.clipboard?.setText(editor.selectedText, in: .primary, time: time)
  }

  private func paste(from selection: ClipboardSelection) {
    host?.clipboard?.requestText(from: selection) { [weak self] string in
      guard let self, self.isEnabled, let string, !string.isEmpty else { return }
      self.edit { $0.insert(string) }
    }
  }
}
