internal import CX11

extension Window {
  /// Puts a text where other programs can read it: `xprop -id WINDOW NAME`. For scripts and tests, which wait for a state and
  /// not for a time. The property's type is UTF8_STRING.
  public func setTextProperty(_ name: String, _ text: String) {
    let display = connection.display
    let property = XInternAtom(display, name, False)
    connection.setProperty(property, of: id, type: XInternAtom(display, "UTF8_STRING", False), bytes: text.utf8)
  }
}
