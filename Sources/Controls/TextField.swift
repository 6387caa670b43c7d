public import Drawing
public import Geometry

/// A field for one line of text: selection by pointer and keys, clipboard and PRIMARY, undo, history, both directions of
/// writing. The caret does not blink, so that a resting field costs nothing.
@MainActor public class TextField: ControlBase {
  /// The text changed, by the hand.
  public var onChange: ((String) -> Void)?
  /// Return was pressed.
  public var onSubmit: ((String) -> Void)?
  /// Escape was pressed; the window decides where the focus goes.
  public var onCancel: (() -> Void)?
  /// The panel that it is a part of, where there is no room below: what is wrong is said above that.
  public var panel: Rect?
  /// Earlier texts, the newest first, for Up and Down. What was typed and not sent waits below them.
  public var history: [String] = [] { didSet { historyPlace = nil } }
  /// What is shown while the field is empty.
  public var placeholder: String { didSet { invalidate() } }
  /// What is wrong with the text, as a sentence: the field shows it and the group says it.
  public var errorMessage: String? {
    didSet {
      guard errorMessage != oldValue else { return }
      invalidate()
      host?.noteChanged(self)
    }
  }

  /// The line and its caret.
  public internal(set) var editor: TextEditor
  /// How far the text is scrolled to the left, in device pixels.
  var scroll = 0.0
  /// What a drag extends by: graphemes, words, or nothing after a triple click.
  var dragOrigin: Range<Int>?
  var dragsWords = false
  /// The history entry shown, and what was typed before.
  private var historyPlace: Int?
  private var draft = ""
  private var cachedLayout: TextLayout?
  /// What an input method has in the making, shown at the caret in place of the selection.
  private(set) var preedit: (text: String, caret: Int, selection: Range<Int>)? {
    didSet {
      cachedLayout = nil
      caretMoved()
    }
  }

  /// A field that holds `text`.
  public init(_ text: String = "", placeholder: String = "") {
    editor = TextEditor(text)
    self.placeholder = placeholder
    super.init()
  }

  /// The text. Setting it forgets what could be undone, moves the caret to the end and calls nothing.
  public var text: String {
    get { editor.text }
    set {
      guard !newValue.utf8.elementsEqual(editor.text.utf8) else { return }
      editor = TextEditor(newValue)
      historyPlace = nil
      textChanged(byHand: false)
    }
  }

  /// Selects the whole text.
  public func selectAll() {
    editor.selectAll()
    caretMoved()
  }

  // MARK: Control

  public override var acceptsFocus: Bool { true }
  public override var message: String? { errorMessage }
  public override var messageAnchor: Rect? { panel }
  public override func pointerShape(at point: Point) -> PointerShape { isEnabled ? .text : .arrow }

  public override func draw(on canvas: Canvas) { drawField(on: canvas) }

  /// Says the whole text where it does not fit.
  public override func tip(at point: Point) -> String? {
    if let toolTip { return toolTip }
    return !isFocused && layout.size.width > textArea.width ? editor.text : nil
  }

  public override func focusGained(_ reason: FocusReason) {
    super.focusGained(reason)
    if reason == .keyboard { editor.selectAll() }
    caretMoved()
  }

  public override func focusLost() {
    super.focusLost()
    dragOrigin = nil
    if preedit != nil { preedit = nil }
    editor.moveCaret(to: editor.caret)
    // At rest the beginning is shown: it says where one is.
    scroll = 0
  }

  public override func frameChanged() {
    cachedLayout = nil
    keepCaretVisible()
  }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    guard isEnabled else { return .ignored }
    switch event {
    case .pointerPressed(let pointer): return pressed(pointer)
    case .pointerMoved(let pointer): return dragged(pointer)
    case .pointerReleased(let pointer): return released(pointer)
    case .key(let press): return key(press)
    case .text(let string, _):
      edit { $0.insert(string, isTyping: true) }
      return .handled
    case .preedit(let text, let caret, let selection):
      preedit = text.isEmpty ? nil : (text, caret, selection)
      return .handled
    case .pointerLeft, .scrolled: return .ignored
    }
  }

  /// Takes what an input method has in the making as typed: the caret is about to go elsewhere.
  func commitPreedit() {
    guard preedit != nil else { return }
    let text = host?.resetTextInput() ?? ""
    preedit = nil
    if !text.isEmpty { edit { $0.insert(text, isTyping: true) } }
  }

  // MARK: Text

  /// The room for the text.
  var textArea: Rect {
    Rect(
      x: frame.x + style.padding, y: frame.y, width: max(0, frame.width - 2 * style.padding), height: frame.height)
  }

  /// The font of the text.
  var textFont: Font { style.font }

  /// The text with what is in the making.
  var shownText: String {
    guard let preedit else { return editor.text }
    let bytes = Array(editor.text.utf8)
    return String(
      decoding: bytes[..<editor.selection.lowerBound] + Array(preedit.text.utf8)
        + bytes[editor.selection.upperBound...], as: UTF8.self)
  }

  /// Where the caret stands in `shownText`.
  private var shownCaret: Int {
    preedit.map { editor.selection.lowerBound + min($0.caret, $0.text.utf8.count) } ?? editor.caret
  }

  /// What is in the making, as a part of `shownText`, and the part of it that is being converted.
  var shownPreedit: (whole: Range<Int>, selection: Range<Int>)? {
    preedit.map { preedit in
      let start = editor.selection.lowerBound
      let count = preedit.text.utf8.count
      let selection = preedit.selection.clamped(to: 0..<count)
      return (start..<start + count, start + selection.lowerBound..<start + selection.upperBound)
    }
  }

  /// The text in its font.
  var layout: TextLayout {
    if let cachedLayout { return cachedLayout }
    let layout = TextLayout(shownText, font: textFont)
    cachedLayout = layout
    return layout
  }

  /// The caret in the window.
  public var caretRect: Rect {
    let metrics = style.font.metrics
    let baseline = self.baseline(of: style.font, in: frame)
    let x = textArea.x + layout.caretX(at: shownCaret) - scroll
    return Rect(
      x: x.rounded(), y: (baseline - metrics.ascent).rounded(), width: max(style.hairline, style.px(1.25)),
      height: metrics.lineHeight.rounded())
  }

  /// Changes the editor and tells who wants to know if the text is another one.
  func edit(_ change: (inout TextEditor) -> Void) {
    let before = editor.text
    change(&editor)
    if before.utf8.elementsEqual(editor.text.utf8) {
      caretMoved()
    } else {
      historyPlace = nil
      textChanged(byHand: true)
    }
  }

  /// Called after every change of the text; `byHand` when the user made it.
  func textChanged(byHand: Bool) {
    cachedLayout = nil
    caretMoved()
    if byHand { onChange?(editor.text) }
  }

  func caretMoved() {
    keepCaretVisible()
    invalidate()
    if isFocused { host?.textInputSpotChanged(caretRect) }
  }

  private func keepCaretVisible() {
    let room = textArea.width
    let width = layout.size.width + style.px(2)
    guard isFocused, width > room else {
      scroll = 0
      return
    }
    let caret = layout.caretX(at: shownCaret)
    // A little of what lies ahead stays in sight.
    let margin = min(room / 4, style.px(24))
    if caret - scroll < margin { scroll = caret - margin }
    if caret - scroll > room - margin { scroll = caret - room + margin }
    scroll = max(0, min(scroll, width - room)).rounded()
  }

  // MARK: Up and Down

  /// Up or Down was pressed. Answers whether it meant something.
  func stepped(up: Bool, _ press: KeyPress) -> Bool { recall(older: up) }

  /// Shows the next older (or newer) entry. The text not yet sent waits below the newest.
  func recall(older: Bool) -> Bool {
    guard !history.isEmpty else { return false }
    let place: Int?
    switch (historyPlace, older) {
    case (nil, true):
      draft = editor.text
      // What stands in the field already need not be offered first.
      let first = history.first.map { $0.utf8.elementsEqual(draft.utf8) } == true && history.count > 1 ? 1 : 0
      place = first
    case (nil, false): return false
    case (let current?, true): place = min(current + 1, history.count - 1)
    case (let current?, false): place = current == 0 || (current == 1 && history[0] == draft) ? nil : current - 1
    }
    editor.replaceAll(with: place.map { history[$0] } ?? draft)
    textChanged(byHand: true)
    historyPlace = place
    return true
  }
}
