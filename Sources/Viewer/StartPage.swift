import Controls
import Drawing
import Geometry

/// What is shown before anything is opened: what can be typed, the locations of before, the samples.
@MainActor final class StartPage {
  /// A location was chosen.
  var onOpen: ((String) -> Void)?
  /// The sample images were chosen.
  var onOpenSamples: (() -> Void)?
  /// Its controls, in Tab order.
  var controls: [any Control] { recents.map { $0 as any Control } + [samples] }

  /// Whether it is shown.
  var isShown = true { didSet { applyVisibility() } }

  private static let mostRecents = 6
  private static let examples = [
    ("bucket/folder", "a bucket, with the keys of your AWS profile or environment"),
    ("https://minio.example:9000/bucket/folder", "MinIO, Ceph, R2 or any other S3 store"),
    ("/home/me/pictures", "a folder on this machine; it can be dropped here too"),
  ]

  private let recents: [Button] = (0..<mostRecents).map { _ in Button("", kind: .quiet) }
  private let samples = Button("Show the sample images")
  private var recentCount = 0
  private let hasSamples: Bool
  private var frame: Rect = .zero
  private var recentsTop = 0.0
  private var top = 0.0
  private var showsRecents = false

  init(hasSamples: Bool) {
    self.hasSamples = hasSamples
    samples.onPress = { [weak self] in self?.onOpenSamples?() }
    applyVisibility()
  }

  /// The locations to offer, newest first.
  func setRecents(_ locations: [String]) {
    recentCount = min(locations.count, Self.mostRecents)
    for (button, location) in zip(recents, locations) {
      button.title = location
      button.onPress = { [weak self] in self?.onOpen?(location) }
    }
    applyVisibility()
  }

  private func applyVisibility() {
    for (index, button) in recents.enumerated() { button.isVisible = isShown && showsRecents && index < recentCount }
    samples.isVisible = isShown && hasSamples
  }

  /// Lays it out in the middle of `frame`.
  func place(in frame: Rect, style: Style) {
    self.frame = frame
    let line = style.px(24)
    let heading = style.px(44)
    let examplesHeight = line * 2 * Double(Self.examples.count)
    let samplesHeight = style.fieldHeight + style.px(20)
    let recentsHeight = recentCount > 0 ? style.px(36) + style.rowHeight * Double(recentCount) : 0
    // In a low window the locations of before give way: they are also a press of Down away in the field.
    showsRecents =
      recentCount > 0 && heading + examplesHeight + samplesHeight + recentsHeight < frame.height - style.px(24)
    let height = heading + examplesHeight + samplesHeight + (showsRecents ? recentsHeight : 0)
    top = max(frame.y + style.px(12), (frame.center.y - height / 2).rounded())
    var y = top + heading + examplesHeight + style.px(8)
    samples.frame = Rect(x: column(style).x, y: y, width: samples.preferredWidth, height: style.fieldHeight)
    y += style.fieldHeight + style.px(12)
    recentsTop = y
    y += style.px(36)
    for button in recents.prefix(recentCount) {
      button.frame = Rect(
        x: column(style).x - style.px(8), y: y, width: min(button.preferredWidth, column(style).width + style.px(16)),
        height: style.rowHeight)
      y += style.rowHeight
    }
    applyVisibility()
  }

  func draw(on canvas: Canvas, style: Style) {
    guard isShown else { return }
    let column = column(style)
    let theme = style.theme
    canvas.clip(frame) {
      let title = TextLayout(
        "Type a location to see its images as a map", font: style.font.withSize(style.font.size * 1.4),
        maximumWidth: column.width, ellipsis: .end)
      canvas.text(title, at: Point(x: column.x, y: top), theme.text)
      var y = top + style.px(44)
      for (example, meaning) in Self.examples {
        let name = TextLayout(
          example, font: style.font.withWeight(.medium), maximumWidth: column.width, ellipsis: .middle)
        canvas.text(name, at: Point(x: column.x, y: y), theme.text)
        let note = TextLayout(meaning, font: style.smallFont, maximumWidth: column.width, ellipsis: .end)
        canvas.text(note, at: Point(x: column.x, y: y + style.px(20)), theme.secondaryText)
        y += style.px(48)
      }
      if !hasSamples {
        let note = TextLayout(
          "The sample images did not come along with this copy of the program.", font: style.smallFont,
          maximumWidth: column.width, ellipsis: .end)
        canvas.text(note, at: Point(x: column.x, y: samples.frame.y + style.px(4)), theme.secondaryText)
      }
      if showsRecents {
        let caption = TextLayout("Opened before", font: style.smallFont)
        canvas.text(caption, at: Point(x: column.x, y: recentsTop + style.px(14)), theme.secondaryText)
      }
    }
  }

  private func column(_ style: Style) -> Rect {
    let width = min(style.px(440), max(style.px(100), frame.width - style.px(32)))
    return Rect(x: (frame.center.x - width / 2).rounded(), y: frame.y, width: width, height: frame.height)
  }
}
