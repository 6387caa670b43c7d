#if canImport(Glibc)
  internal import Glibc
#endif

/// The colours that classes of pictures are told apart by, on a dark canvas or on a light one: at least 3:1 against it, and
/// apart from one another also for eyes that see two kinds of cones.
public struct LabelPalette: Hashable, Sendable {
  private let isOnDark: Bool

  /// The palette for a dark canvas or a light one.
  public init(onDark isOnDark: Bool) { self.isOnDark = isOnDark }

  /// Of everything that has no class of its own.
  public var others: Color { isOnDark ? Color(hex: 0x8a8c90) : Color(hex: 0x77797d) }

  /// So many colours that follow no order, at most as many as there are. The first ones are the farthest apart.
  public func distinct(_ count: Int) -> [Color] {
    (isOnDark ? Self.distinctOnDark : Self.distinctOnLight).prefix(count).map { Color(hex: $0) }
  }

  // Of all sets of twelve colours that were looked at, these have the largest least distance in Oklab between any two, for
  // eyes of three kinds of cones and of any two (Machado, Oliveira and Fernandes 2009).
  private static let distinctOnDark: [UInt32] = [
    0x7860FF, 0xC4FF00, 0xFF0000, 0x44AAC4, 0xFFC4AA, 0x9060AA, 0x22DE00, 0xAADEFF, 0xFF78FF, 0xC44460, 0x90AA78,
    0xFFFFFF,
  ]
  private static let distinctOnLight: [UInt32] = [
    0x0000AA, 0x789060, 0x600000, 0xC444FF, 0x904460, 0x442260, 0x4422DE, 0x0090AA, 0x447800, 0x604400, 0xFF22AA,
    0x604490,
  ]

  /// So many colours in a row, from the first to the last ever lighter (darker on a light canvas) and warmer.
  public func ordered(_ count: Int) -> [Color] {
    (0..<max(0, count)).map { index in
      let share = count == 1 ? 0.5 : Double(index) / Double(count - 1)
      return isOnDark
        ? Self.oklch(lightness: 0.53 + 0.41 * share, chroma: 0.14, hue: 290 - 190 * share)
        : Self.oklch(lightness: 0.66 - 0.40 * share, chroma: 0.14, hue: 100 + 190 * share)
    }
  }

  /// A colour by its lightness, its chroma (reduced until sRGB has it) and its hue in degrees in Oklab.
  private static func oklch(lightness: Double, chroma: Double, hue: Double) -> Color {
    var chroma = chroma
    while true {
      let a = chroma * cos(hue * .pi / 180)
      let b = chroma * sin(hue * .pi / 180)
      let l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b)
      let m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b)
      let s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b)
      let linear = [
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
      ]
      if chroma <= 0 || linear.allSatisfy({ (-0.0005...1.0005).contains($0) }) {
        let encoded = linear.map { value -> Double in
          let value = max(0, min(1, value))
          return value <= 0.0031308 ? 12.92 * value : 1.055 * pow(value, 1 / 2.4) - 0.055
        }
        return Color(red: encoded[0], green: encoded[1], blue: encoded[2])
      }
      chroma -= 0.005
    }
  }

  private static func cube(_ value: Double) -> Double { value * value * value }
}
