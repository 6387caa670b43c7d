internal import CPango

/// A typeface at a size, in device pixels.
public struct Font: Hashable, Sendable {
  /// How heavy the strokes are.
  public enum Weight: Int, Hashable, Sendable, CaseIterable {
    /// 400: text.
    case regular = 400
    /// 500: what is a little more important.
    case medium = 500
    /// 700: headings.
    case bold = 700
  }

  /// The family's name as fontconfig knows it, or several parted by commas.
  public var family: String
  /// The em, in device pixels.
  public var size: Double
  /// How heavy the strokes are.
  public var weight: Weight
  /// Whether all digits are equally wide (OpenType `tnum`), so that changing numbers do not dance.
  public var tabularFigures: Bool

  /// A font of `family` whose em is `size` device pixels.
  public init(family: String, size: Double, weight: Weight = .regular, tabularFigures: Bool = false) {
    self.family = family
    self.size = size
    self.weight = weight
    self.tabularFigures = tabularFigures
  }

  /// Reads a desktop's font name such as "Cantarell 11" or "Noto Sans Bold 10": family, style, size in points. At
  /// `scale` 1 there are 96 device pixels to the inch. A missing or senseless size counts as 10 points, a missing name
  /// as "sans".
  public static func parse(_ name: String, scale: Double = 1) -> Font {
    let description = pango_font_description_from_string(name.isEmpty ? "sans 10" : name)
    defer { pango_font_description_free(description) }
    let family = pango_font_description_get_family(description).map { String(cString: $0) } ?? "sans"
    let size = Double(pango_font_description_get_size(description)) / Double(PANGO_SCALE)
    let isAbsolute = pango_font_description_get_size_is_absolute(description) != 0
    var pixels = isAbsolute ? size : size * 96 / 72
    if !(4...96).contains(pixels) { pixels = 10 * 96 / 72 }
    let weight = Int(pango_font_description_get_weight(description).rawValue)
    return Font(
      family: family.isEmpty ? "sans" : family, size: pixels * scale,
      weight: weight >= 600 ? .bold : weight >= 450 ? .medium : .regular)
  }

  /// The same font at `size` device pixels.
  public func withSize(_ size: Double) -> Font {
    var font = self
    font.size = size
    return font
  }

  /// The same font at another weight.
  public func withWeight(_ weight: Weight) -> Font {
    var font = self
    font.weight = weight
    return font
  }

  /// The same font with digits of equal width.
  public var tabular: Font {
    var font = self
    font.tabularFigures = true
    return font
  }

  /// The measures by which lines are laid out. Cached by thread.
  public var metrics: FontMetrics { TextContext.current.metrics(of: self) }
}

/// The measures of a font, in device pixels.
public struct FontMetrics: Hashable, Sendable {
  /// From the baseline to the top of a line.
  public var ascent: Double
  /// From the baseline to the bottom of a line.
  public var descent: Double
  /// From the baseline to the top of a capital: what is centred so that a line looks centred.
  public var capHeight: Double
  /// The width of a digit.
  public var digitWidth: Double

  /// Top to bottom of a line.
  public var lineHeight: Double { ascent + descent }
}
