import Controls
import X11

/// The window's clipboard, as the controls want it.
@MainActor final class WindowClipboard: ClipboardAccess {
  private let clipboard: Clipboard

  init(_ clipboard: Clipboard) { self.clipboard = clipboard }

  func setText(_ text: String, in selection: ClipboardSelection, time: UInt32) {
    clipboard.own(text, selection: selection == .primary ? .primary : .clipboard, time: time)
  }

  func requestText(from selection: ClipboardSelection, completion: @escaping @MainActor (String?) -> Void) {
    clipboard.request(selection == .primary ? .primary : .clipboard, completion: completion)
  }
}
