#if canImport(Glibc)
  internal import Glibc
#endif

/// A colour in sRGB with straight (not premultiplied) alpha; every component from 0 to 1.
public struct Color: Hashable, Sendable {
  /// Red, as stored in sRGB (not linear).
  public var red: Double
  /// Green, as stored in sRGB (not linear).
  public var green: Double
  /// Blue, as stored in sRGB (not linear).
  public var blue: Double
  /// Opacity: 0 invisible, 1 opaque.
  public var alpha: Double

  /// A colour by its components, each from 0 to 1.
  public init(red: Double, green: Double, blue: Double, alpha: Double = 1) {
    self.red = red
    self.green = green
    self.blue = blue
    self.alpha = alpha
  }

  /// An opaque colour written as in a style sheet: `Color(hex: 0x00afd7)`.
  public init(hex: UInt32) {
    self.init(
      red: Double(hex >> 16 & 0xff) / 255, green: Double(hex >> 8 & 0xff) / 255, blue: Double(hex & 0xff) / 255)
  }

  /// Opaque black.
  public static let black = Color(hex: 0x000000)
  /// Opaque white.
  public static let white = Color(hex: 0xffffff)
  /// Nothing at all.
  public static let clear = Color(red: 0, green: 0, blue: 0, alpha: 0)

  /// The colour `amount` (0 to 1) of the way to `other`.
  public func mixed(with other: Color, amount: Double) -> Color {
    func mix(_ from: Double, _ to: Double) -> Double { from + (to - from) * amount }
    return Color(
      red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue),
      alpha: mix(alpha, other.alpha))
  }

  /// The same colour with its opacity replaced.
  public func withAlpha(_ alpha: Double) -> Color { Color(red: red, green: green, blue: blue, alpha: alpha) }

  /// The premultiplied ARGB32 pixel, as Cairo and the atlas store it.
  public var argb: UInt32 {
    func byte(_ value: Double) -> UInt32 { UInt32((max(0, min(1, value)) * 255).rounded()) }
    return byte(alpha) << 24 | byte(red * alpha) << 16 | byte(green * alpha) << 8 | byte(blue * alpha)
  }

  /// Relative luminance of the opaque colour by WCAG 2.1, 0 (black) to 1 (white).
  public var luminance: Double {
    func linear(_ value: Double) -> Double { value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4) }
    return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
  }

  /// Contrast ratio of two opaque colours by WCAG 2.1, 1 (none) to 21.
  public func contrast(with other: Color) -> Double {
    let (light, dark) = (max(luminance, other.luminance), min(luminance, other.luminance))
    return (light + 0.05) / (dark + 0.05)
  }
}
