import Drawing
import Foundation
import Geometry
import Rendering
import Scene

/// What the colours of a map's frames mean, beside the map in a picture of it.
struct MapLegend {
  private let labelling: Labelling
  private let theme: Theme
  /// Pixels per logical pixel.
  private let scale: Double
  private let font: Font

  /// More of the picture's width than this is the map's in any case.
  private static let mostShare = 0.4

  /// The legend of a scene; nil where its pictures have no frames, or it is hidden.
  init?(of scene: Scene, background: UInt32, scale: Double) {
    guard let labelling = scene.labelling, !labelling.labels.isEmpty, scene.showsLegend else { return nil }
    self.labelling = labelling
    self.scale = scale
    theme = Color(hex: background & 0xff_ffff).luminance < 0.18 ? .dark : .light
    font = Font.parse("sans 11", scale: scale)
  }

  private var margin: Double { 24 * scale }
  private var swatch: Double { (12 * scale).rounded() }
  private var rowHeight: Double { (font.metrics.lineHeight + 6 * scale).rounded(.up) }
  private var textLeft: Double { margin + swatch + 8 * scale }

  private func count(_ label: Labelling.Label) -> TextLayout {
    TextLayout(
      label.count.formatted(.number.locale(Locale(identifier: "en_US"))), font: font.withSize(font.size * 0.85).tabular)
  }

  /// How many columns of a picture it takes at the left; nil where it does not fit.
  func width(in size: PictureSize) -> Int? {
    let rows = Double(labelling.labels.count)
    guard rows * rowHeight + 2 * margin <= Double(size.height) else { return nil }
    let widest = labelling.labels.map { label in
      TextLayout(label.name, font: font).size.width + 12 * scale + count(label).size.width
    }
    let wanted = textLeft + (widest.max() ?? 0)
    return Int(min(wanted, Self.mostShare * Double(size.width)).rounded(.up))
  }

  /// Draws it into the columns at the left.
  func draw(on canvas: Canvas, width: Int) {
    let colors = LabelPalette(onDark: theme.name == Theme.dark.name).colors(of: labelling)
    for (index, label) in labelling.labels.enumerated() {
      let top = (margin + Double(index) * rowHeight).rounded()
      let middle = top + rowHeight / 2
      canvas.fill(
        Rect(x: margin.rounded(), y: (middle - swatch / 2).rounded(), width: swatch, height: swatch), colors[index],
        cornerRadius: 2 * scale)
      let count = count(label)
      let room = Double(width) - textLeft - 12 * scale - count.size.width
      let name = TextLayout(label.name, font: font, maximumWidth: max(1, room), ellipsis: .middle)
      let baseline = (middle + font.metrics.capHeight / 2).rounded()
      canvas.text(name, x: textLeft.rounded(), baseline: baseline, theme.text)
      canvas.text(
        count, x: (Double(width) - count.size.width).rounded(), baseline: baseline, theme.secondaryText)
    }
  }
}
