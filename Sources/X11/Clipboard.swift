/// The selections of the desktop.
public enum Selection: Hashable, Sendable, CaseIterable {
  /// What Ctrl+C and Ctrl+V use.
  case clipboard
  /// What is selected, pasted by the middle button.
  case primary
}

@MainActor public final class Clipboard {
  /// Takes the selection and answers other programs with the text. `time` is that of the key or button event.
  @discardableResult public func own(_ text: String, selection: Selection = .clipboard, time: Timestamp) -> Bool { false }
  /// Asks for the text of the selection.
  public func request(_ selection: Selection = .clipboard, completion: @escaping @MainActor (String?) -> Void) {}
}
