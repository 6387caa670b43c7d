import Drawing
import Foundation
import TestSupport
import Testing

@Suite("The colours of labels", .computing)
struct LabelPaletteTests {
  /// What eyes with three kinds of cones see, and those that lack one of them: on linear sRGB, after Machado, Oliveira and
  /// Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency", 2009, severity 1.
  enum Eyes: CaseIterable {
    case trichromat, protanope, deuteranope, tritanope

    var matrix: [[Double]] {
      switch self {
      case .trichromat: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
      case .protanope:
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
      case .deuteranope:
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
      case .tritanope:
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
      }
    }
  }

  /// In Oklab, where equal distances look about equally large.
  func seen(_ color: Color, by eyes: Eyes) -> SIMD3<Double> {
    func linear(_ value: Double) -> Double { value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4) }
    let rgb = [linear(color.red), linear(color.green), linear(color.blue)]
    func product(_ rows: [[Double]], _ vector: [Double]) -> [Double] {
      rows.map { row in zip(row, vector).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    let lms = product(
      [
        [0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
      ], product(eyes.matrix, rgb).map { max(0, min(1, $0)) }
    ).map { cbrt($0) }
    let lab = product(
      [
        [0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
      ], lms)
    return SIMD3(lab[0], lab[1], lab[2])
  }

  func distance(_ one: Color, _ other: Color, _ eyes: Eyes) -> Double {
    let way = seen(one, by: eyes) - seen(other, by: eyes)
    return (way * way).sum().squareRoot()
  }

  @Test("any two of the twelve, and the colour of the others, are told apart by all eyes", arguments: [true, false])
  func distinct(onDark: Bool) {
    let palette = LabelPalette(onDark: onDark)
    let colors = palette.distinct(12) + [palette.others]
    #expect(colors.count == 13 && palette.distinct(3) == Array(colors.prefix(3)))
    for eyes in Eyes.allCases {
      for (index, one) in colors.enumerated() {
        for other in colors[..<index] { #expect(distance(one, other, eyes) > 0.055, "\(index) by \(eyes)") }
      }
      // Few classes are far apart.
      for (index, one) in colors.prefix(4).enumerated() {
        for other in colors[..<index] { #expect(distance(one, other, eyes) > 0.14) }
      }
    }
  }

  @Test("every colour stands out from the canvas and from a panel", arguments: [true, false])
  func contrast(onDark: Bool) {
    let theme = onDark ? Theme.dark : Theme.light
    let palette = LabelPalette(onDark: onDark)
    for color in palette.distinct(12) + palette.ordered(9) + [palette.others] {
      #expect(color.contrast(with: theme.canvas) >= 3)
      #expect(color.contrast(with: theme.panel) >= 2.8)
    }
  }

  @Test("colours in a row go one way in lightness for all eyes, step by step", arguments: [true, false], 2...9)
  func ordered(onDark: Bool, count: Int) {
    let colors = LabelPalette(onDark: onDark).ordered(count)
    #expect(colors.count == count)
    for eyes in Eyes.allCases {
      for (one, next) in zip(colors, colors.dropFirst()) {
        #expect(distance(one, next, eyes) > 0.03)
        let step = seen(next, by: eyes).x - seen(one, by: eyes).x
        #expect(onDark ? step > 0.02 : step < -0.02)
      }
    }
    #expect(LabelPalette(onDark: onDark).ordered(0).isEmpty)
    #expect(LabelPalette(onDark: onDark).ordered(1).count == 1)
  }
}
