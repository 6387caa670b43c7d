import Controls
import Geometry
import Scene

// Selecting: by typing, and what is said of it.
extension Application {
  /// `12 of 2,102 selected`, or nothing.
  var selectionWords: String? {
    let count = map.scene.selection.count
    guard count > 0 else { return nil }
    return "\(Wording.count(count)) of \(Wording.count(map.scene.imageCount)) selected"
  }

  /// `/`: what is typed selects the images whose keys contain it.
  func askWhatToSelect() {
    guard let collection = jobs.collection else { return }
    let before = map.scene.selection.slots
    search.begin(collection)
    search.onFound = { [weak self] slots, text in
      guard let self else { return }
      map.send(.select(slots: text.isEmpty ? before : slots))
      if !text.isEmpty { prompt.answer = slots.isEmpty ? "no image" : Wording.count(slots.count, "image") }
    }
    prompt.ask(
      Prompt.Question(
        title: "Select by name", placeholder: "a part of the path, such as cat or 2019/",
        onChange: { [weak self] text in
          if text.isEmpty { self?.prompt.answer = "" }
          self?.search.look(for: text)
        },
        onAccept: { [weak self] text in
          guard let self else { return nil }
          if !text.isEmpty, map.scene.selection.isEmpty { return "No image has this in its path." }
          search.onFound = { [weak self] slots, text in if !text.isEmpty { self?.map.send(.select(slots: slots)) } }
          return nil
        },
        onCancel: { [weak self] in
          self?.search.end()
          self?.map.send(.select(slots: before))
        }, isKeptByClick: true))
  }

  /// The prompt has been opened or closed.
  func promptChanged() {
    prompt.place(in: pictureArea, style: style)
    if prompt.isShown {
      group.dismissAll()
      map.send(.pointerLeft)
      group.focus(prompt.field, reason: .keyboard)
    } else if group.focused == nil || prompt.controls.contains(where: { $0 === group.focused }) {
      group.focus(nil)
    }
    redrawMap()
    updateStatus()
  }
}
