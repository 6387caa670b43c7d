internal import Atlas
public import Collection
public import Foundation
public import Imaging
import ObjectStorage

/// A layout of a collection that is kept, and opens at once: for a strip to leap between them.
public struct KeptLayout: Sendable, Identifiable {
  /// What it is known by.
  public let id: String
  /// What it was made with.
  public let parameters: MapParameters
  /// When it was made.
  public let date: Date
  /// Iterations that lie behind it.
  public let iteration: Int
  /// The Kullback–Leibler divergence; nil for fewer than two images.
  public let klDivergence: Double?
  /// Whether it is the complete layout of its parameters, and not one that was stopped or continued.
  public let isComplete: Bool
  /// Whether it was made by others and came with the replica; it is one's own once it has been shown.
  public let isShared: Bool
  let record: StageRecord
}

extension ImageCollection {
  /// The layouts that are kept, last used first: ten complete ones and three others at most; behind them ten at most
  /// that others have made. Quick.
  public func keptLayouts() -> [KeptLayout] {
    let own = stages { $0.kind == "layout" || $0.kind == "stopped" }
    let others = stages { $0.kind == "shared" }
    return (own + others).compactMap { record in
      guard let description = LayoutFile.description(of: record) else { return nil }
      return KeptLayout(
        id: record.key, parameters: description.parameters, date: record.created, iteration: description.iteration,
        klDivergence: description.klDivergence, isComplete: record.kind != "stopped",
        isShared: record.kind == "shared", record: record)
    }
  }

  /// The positions of a kept layout for those of its images that are still there; nil when it is damaged. It counts as
  /// used now. Blocking: two files are read.
  public func snapshot(of layout: KeptLayout) -> LayoutSnapshot? {
    let snapshot = LayoutFile.read(layout.record, from: self, images: entries.filter { $0.state == .ready })
    if snapshot != nil, layout.isShared { takeOver(layout.record, as: "layout") }
    return snapshot
  }

  /// A picture of a kept layout, so small that each image is a dot of its average colour; transparent where there is
  /// none. Blocking.
  /// - Parameters:
  ///   - width: Pixels.
  ///   - height: Pixels.
  public func preview(of layout: KeptLayout, width: Int, height: Int) -> PixelImage? {
    precondition(width > 0 && height > 0)
    guard
      let snapshot = LayoutFile.read(layout.record, from: self, images: entries.filter({ $0.state == .ready }))
    else { return nil }
    var (low, high) = (SIMD2<Float>(repeating: .infinity), SIMD2<Float>(repeating: -.infinity))
    let points = snapshot.slots.indices.map { SIMD2(snapshot.positions[2 * $0], snapshot.positions[2 * $0 + 1]) }
    for point in points {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    let size = high - low
    let room = SIMD2(Float(width - 1), Float(height - 1))
    // Layout units a pixel: nothing to scale where all images lie in one place.
    let unit = max(size.x / max(room.x, 1), size.y / max(room.y, 1))
    let scale = unit > .leastNormalMagnitude ? 1 / unit : 0
    let margin = (room - size * scale) / 2
    var sums = [SIMD4<UInt32>](repeating: .zero, count: width * height)
    var counts = [UInt32](repeating: 0, count: width * height)
    let atlas = atlas
    for (slot, point) in zip(snapshot.slots, points) {
      guard let color = atlas.info(Int(slot))?.averageColor else { continue }
      let place = margin + (point - low) * scale
      let column = min(width - 1, max(0, Int(place.x.rounded())))
      let row = min(height - 1, max(0, Int(place.y.rounded())))
      let pixel = row * width + column
      sums[pixel] &+= SIMD4(color & 255, color >> 8 & 255, color >> 16 & 255, color >> 24)
      counts[pixel] += 1
    }
    let pixels = zip(sums, counts).map { sum, count -> UInt32 in
      guard count > 0 else { return 0 }
      let mean = sum / count
      return mean[3] << 24 | mean[2] << 16 | mean[1] << 8 | mean[0]
    }
    return PixelImage(width: width, height: height, pixels: pixels, isOpaque: false)
  }
}
