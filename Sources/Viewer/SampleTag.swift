import Controls
import Drawing
import Geometry
import Mapping

/// Says on the map, as long as it is there, that it shows a sample of the images.
@MainActor enum SampleTag {
  /// What it says.
  static func text(of sample: MappingReport.Sample) -> String {
    "Sample: \(Wording.count(sample.size)) of \(Wording.count(sample.of, "image"))"
  }

  /// Draws it in the upper right corner of the map.
  static func draw(_ sample: MappingReport.Sample, on canvas: Canvas, in area: Rect, style: Style) {
    let margin = style.px(12)
    let padding = style.px(8)
    let layout = TextLayout(
      text(of: sample), font: style.smallFont.tabular.withWeight(.medium),
      maximumWidth: max(1, area.width - 2 * (margin + padding)), ellipsis: .end)
    let size = Size(
      width: layout.size.width.rounded(.up) + 2 * padding, height: layout.size.height.rounded(.up) + style.px(8))
    guard size.height + 2 * margin < area.height else { return }
    let frame = PixelGrid.snap(
      Rect(x: area.maxX - margin - size.width, y: area.y + margin, width: size.width, height: size.height))
    canvas.fill(frame, style.theme.panel, cornerRadius: style.px(4))
    canvas.stroke(
      frame.insetBy(style.hairline / 2), style.theme.hairline, lineWidth: style.hairline, cornerRadius: style.px(4))
    canvas.text(
      layout, at: Point(x: frame.x + padding, y: (frame.center.y - layout.size.height / 2).rounded()), style.theme.text)
  }
}
