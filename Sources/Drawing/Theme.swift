/// Every colour of the program. Text colours reach a contrast of at least 4.5:1 on every surface they are drawn on.
public struct Theme: Hashable, Sendable {
  /// `dark` or `light`: what `--theme` calls it.
  public var name: String
  /// The map's background.
  public var canvas: Color
  /// The top bar and the status line.
  public var bar: Color
  /// Popups, tooltips and lists: what lies above the map.
  public var panel: Color
  /// Lines that part surfaces and outline fields and popups.
  public var hairline: Color
  /// Text.
  public var text: Color
  /// Text that matters less: labels above fields, placeholders, aliases, key hints.
  public var secondaryText: Color
  /// Text of what cannot be used now. Legible (3:1), deliberately below the contrast of text that can.
  public var disabledText: Color
  /// The one accent: focus, progress, the Refresh button.
  public var accent: Color
  /// The accent button under the pointer.
  public var accentHover: Color
  /// The accent button held down.
  public var accentPressed: Color
  /// Text on the accent, in all its states.
  public var onAccent: Color
  /// The accent as a thin line (focus ring, progress): at least 3:1 on every surface.
  public var focus: Color
  /// What is wrong: text and outline.
  public var error: Color
  /// A field or plain button at rest.
  public var field: Color
  /// A field or plain button under the pointer.
  public var fieldHover: Color
  /// A plain button held down, a field while its list is open.
  public var fieldPressed: Color
  /// A field that cannot be used now.
  public var fieldDisabled: Color
  /// The outline of a field or plain button.
  public var fieldOutline: Color
  /// Behind selected text.
  public var textSelection: Color
  /// The current row of a list.
  public var rowSelection: Color
  /// The row under the pointer.
  public var rowHover: Color
  /// The bar of a scrolling list.
  public var scrollThumb: Color

  /// Light text on near-black: the default.
  public static let dark = Theme(
    name: "dark",
    canvas: Color(hex: 0x17181a),
    bar: Color(hex: 0x1f2023),
    panel: Color(hex: 0x242629),
    hairline: Color(hex: 0x35373b),
    text: Color(hex: 0xe8e8e6),
    secondaryText: Color(hex: 0xa6a8ab),
    disabledText: Color(hex: 0x7d8084),
    accent: Color(hex: 0x00afd7),
    accentHover: Color(hex: 0x1fc0e6),
    accentPressed: Color(hex: 0x009cc0),
    onAccent: Color(hex: 0x04161b),
    focus: Color(hex: 0x00afd7),
    error: Color(hex: 0xff8f80),
    field: Color(hex: 0x292b2f),
    fieldHover: Color(hex: 0x303337),
    fieldPressed: Color(hex: 0x232529),
    fieldDisabled: Color(hex: 0x222326),
    fieldOutline: Color(hex: 0x3d4045),
    textSelection: Color(hex: 0x125a6c),
    rowSelection: Color(hex: 0x383b40),
    rowHover: Color(hex: 0x2e3034),
    scrollThumb: Color(hex: 0x5b5e63))

  /// Dark text on near-white.
  public static let light = Theme(
    name: "light",
    canvas: Color(hex: 0xf2f2f0),
    bar: Color(hex: 0xf9f9f8),
    panel: Color(hex: 0xfefefd),
    hairline: Color(hex: 0xd9d9d6),
    text: Color(hex: 0x1d1e20),
    secondaryText: Color(hex: 0x5e6165),
    disabledText: Color(hex: 0x8a8c90),
    accent: Color(hex: 0x00afd7),
    accentHover: Color(hex: 0x17bee5),
    accentPressed: Color(hex: 0x00a1c6),
    onAccent: Color(hex: 0x04161b),
    focus: Color(hex: 0x0089aa),
    error: Color(hex: 0xb4281c),
    field: Color(hex: 0xffffff),
    fieldHover: Color(hex: 0xf4f4f2),
    fieldPressed: Color(hex: 0xebebe8),
    fieldDisabled: Color(hex: 0xf4f4f2),
    fieldOutline: Color(hex: 0xc6c6c2),
    textSelection: Color(hex: 0xb4e5f2),
    rowSelection: Color(hex: 0xe4e4e1),
    rowHover: Color(hex: 0xf1f1ef),
    scrollThumb: Color(hex: 0xa5a6a3))

  /// The theme of that name, as `--theme` and the settings spell it; nil for any other.
  public static func named(_ name: String) -> Theme? { [dark, light].first { $0.name == name } }
}
