/// The two places where text is kept for pasting.
public enum ClipboardSelection: Hashable, Sendable {
  /// What Ctrl+C and Ctrl+V use.
  case clipboard
  /// What is selected anywhere, pasted by the middle button.
  case primary
}

/// The desktop's clipboard, as far as controls need it.
@MainActor public protocol ClipboardAccess: AnyObject {
  /// Offers `text` to other programs; `time` is that of the event that caused it.
  func setText(_ text: String, in selection: ClipboardSelection, time: UInt32)
  /// Asks for the text; `completion` gets nil when there is none or its owner does not answer.
  func requestText(from selection: ClipboardSelection, completion: @escaping @MainActor (String?) -> Void)
}
