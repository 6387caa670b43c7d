public import Drawing

/// How controls look: colours, scale, fonts and the lengths that follow from them (device pixels).
public struct Style: Hashable, Sendable {
  /// The colours.
  public var theme: Theme
  /// Device pixels per logical pixel.
  public let grid: PixelGrid
  /// The text of fields, buttons and lists.
  public let font: Font
  /// Labels above fields, secondary columns, tooltips.
  public let smallFont: Font
  /// Whether things may move by themselves.
  public var animates: Bool

  /// A style for a desktop font such as "Cantarell 11" ("sans 10" without one) at a scale.
  public init(theme: Theme = .dark, scale: Double = 1, fontName: String? = nil, animates: Bool = true) {
    self.theme = theme
    self.animates = animates
    grid = PixelGrid(scale: scale)
    font = Font.parse(fontName ?? "sans 10", scale: grid.scale)
    smallFont = font.withSize((font.size * 0.85 * 2).rounded() / 2)
  }

  /// Device pixels per logical pixel.
  public var scale: Double { grid.scale }
  /// `length` logical pixels in whole device pixels.
  public func px(_ length: Double) -> Double { grid.length(length) }
  /// The thinnest line.
  public var hairline: Double { grid.hairline }
  /// The radius of corners.
  public var cornerRadius: Double { px(6) }
  /// The width of the focus ring.
  public var focusWidth: Double { max(hairline + 1, px(1.5)) }
  /// The space between a control and what opens beside it: enough to clear the bar's lower edge and the progress line.
  public var popupGap: Double { px(8) }
  /// The space between a field's edge and its text.
  public var padding: Double { px(8) }
  /// The height of fields, buttons and drop-downs: 24 logical pixels unless the font needs more.
  public var fieldHeight: Double { max(px(24), (font.metrics.lineHeight + px(4)).rounded(.up)) }
  /// The height of a row in lists and popups.
  public var rowHeight: Double { max(px(28), (font.metrics.lineHeight + px(8)).rounded(.up)) }
  /// The height of a label above a field.
  public var captionHeight: Double { max(px(12), smallFont.metrics.capHeight + px(4)).rounded(.up) }
  /// The height of the top bar: 48 logical pixels unless the font needs more.
  public var barHeight: Double {
    max(px(48), px(4) + captionHeight + px(4) + fieldHeight + px(4))
  }
}
