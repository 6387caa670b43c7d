public import Atlas
public import Drawing
import Geometry
public import Scene

/// The picture of the overview: each picture of the map is a dot of its average colour.
public struct OverviewPicture: Sendable {
  /// What it was made for.
  public let key: OverviewRequest.Key
  /// Premultiplied ARGB, row by row; transparent where there is no picture.
  let pixels: [UInt32]

  /// What is left of the colour of pictures that are not selected while others are, of 256.
  private static let faded: UInt32 = 90

  /// Makes it; of very many pictures that takes a moment.
  public init(_ request: OverviewRequest, atlas: Atlas) {
    key = request.key
    let (width, height, layout) = (key.width, key.height, key.layout)
    let fitting = (Double(width * height) / 3 / Double(max(1, request.slots.count))).squareRoot()
    let side = max(1, min(Int(fitting), min(width, height) / 14))
    let scale = (
      x: Float(width) / Float(max(layout.width, .leastNormalMagnitude)),
      y: Float(height) / Float(max(layout.height, .leastNormalMagnitude))
    )
    let origin = (x: Float(layout.x), y: Float(layout.y))
    var sums = [SIMD4<UInt32>](repeating: .zero, count: width * height)
    var counts = [UInt32](repeating: 0, count: width * height)
    let dims = !request.selection.isEmpty
    // The selected ones are seen wherever they lie, as on the map: they are drawn over the others.
    for pass in dims ? [false, true] : [false] {
      var isFresh = [Bool](repeating: true, count: pass ? width * height : 0)
      for slot in request.slots {
        let index = Int(slot)
        if dims, request.selection.contains(index) != pass { continue }
        let color = atlas.info(index)?.averageColor ?? 0xFF80_8080
        let place = request.places[index]
        let left = Int((place.x - origin.x) * scale.x) - side / 2
        let top = Int((place.y - origin.y) * scale.y) - side / 2
        let share: UInt32 = dims && !pass ? Self.faded : 256
        let channels = SIMD4(color & 255, color >> 8 & 255, color >> 16 & 255, color >> 24) &* share
        for row in max(0, top)..<max(0, min(height, top + side)) {
          for column in max(0, left)..<max(0, min(width, left + side)) {
            let pixel = row * width + column
            if pass, isFresh[pixel] {
              isFresh[pixel] = false
              sums[pixel] = .zero
              counts[pixel] = 0
            }
            sums[pixel] &+= channels &>> 8
            counts[pixel] += 1
          }
        }
      }
    }
    pixels = zip(sums, counts).map { sum, count in
      guard count > 0 else { return 0 }
      let mean = sum / count
      return mean[3] << 24 | mean[2] << 16 | mean[1] << 8 | mean[0]
    }
  }

  /// Draws the overview over the map, with or without its picture, and what of it is in view.
  /// - Parameter canvas: From the window's pixel 0, 0.
  public static func draw(
    _ overview: Overview, _ picture: OverviewPicture?, on canvas: Canvas, theme: Theme, unit: Double
  ) {
    let rect = Rect(overview.rect)
    let line = max(1, unit.rounded(.down))
    let radius = 6 * unit
    canvas.fill(rect.insetBy(-4 * unit), theme.panel, cornerRadius: radius)
    canvas.stroke(rect.insetBy(-4 * unit + line / 2), theme.hairline, lineWidth: line, cornerRadius: radius)
    canvas.clip(rect) {
      if let picture {
        canvas.image(
          picture.pixels, width: picture.key.width, height: picture.key.height, stride: picture.key.width, in: rect,
          filter: .bilinear)
      }
      // What is not in view is fainter.
      let view = overview.view
      let shade = theme.panel.withAlpha(0.45)
      for part in [
        Rect(x: rect.x, y: rect.y, width: rect.width, height: max(0, view.minY - rect.y)),
        Rect(x: rect.x, y: view.maxY, width: rect.width, height: max(0, rect.maxY - view.maxY)),
        Rect(x: rect.x, y: view.minY, width: max(0, view.minX - rect.x), height: view.height),
        Rect(x: view.maxX, y: view.minY, width: max(0, rect.maxX - view.maxX), height: view.height),
      ] where !part.isEmpty {
        canvas.fill(part, shade)
      }
      canvas.stroke(view.insetBy(line / 2), theme.text, lineWidth: line)
    }
  }
}
