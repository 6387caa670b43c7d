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
  /// Whether it is the complete layout of its parameters, and not one that was stopped or continued, or into which images
  /// were placed.
  public let isComplete: Bool
  /// How many images were placed into it after it was made; nil for a layout of all its images.
  public let placed: Int?
  /// Whether it was made by others and came with the replica; it is one's own once it has been shown.
  public let isShared: Bool
  let record: StageRecord
}

extension ImageCollection {
  /// The layouts that are kept, last used first: ten complete ones and a few others at most; behind them ten at most that
  /// others have made. Quick.
  public func keptLayouts() -> [KeptLayout] {
    let own = stages { ["layout", "stopped", "placed"].contains($0.kind) }
    let others = stages { $0.kind == "shared" }
    return (own + others).compactMap { record in
      guard let description = LayoutFile.description(of: record) else { return nil }
      let isShared = record.kind == "shared"
      return KeptLayout(
        id: record.key, parameters: description.parameters, date: record.created, iteration: description.iteration,
        klDivergence: description.klDivergence, isComplete: record.kind == "layout" || isShared,
        placed: description.placed, isShared: isShared, record: record)
    }
  }

  /// The positions of a kept layout for those of its images that are still there; nil when it is damaged. Blocking: two
  /// files are read.
  /// - Parameter isUse: Whether it counts as used now, and so as the one shown last; one that others made becomes one's own.
  public func snapshot(of layout: KeptLayout, isUse: Bool = true) -> LayoutSnapshot? {
    let snapshot = LayoutFile.read(
      layout.record, from: self, images: entries.filter { $0.state == .ready }, isUse: isUse)
    if snapshot != nil, isUse, layout.isShared { takeOver(layout.record, as: "layout") }
    return snapshot
  }

  /// A picture of a layout, so small that each image is a dot of its average colour; transparent where there is none.
  /// - Parameters:
  ///   - slots: Images.
  ///   - positions: x and y of each, interleaved, in any unit.
  ///   - width: Pixels.
  ///   - height: Pixels.
  public func preview(of slots: [Int32], at positions: [Float], width: Int, height: Int) -> PixelImage {
    precondition(width > 0 && height > 0 && positions.count == 2 * slots.count)
    var (low, high) = (SIMD2<Float>(repeating: .infinity), SIMD2<Float>(repeating: -.infinity))
    let points = slots.indices.map { SIMD2(positions[2 * $0], positions[2 * $0 + 1]) }
    for point in points {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    // Few images are larger dots: together they cover a third of the picture, if none lay on another.
    let fitting = (Float(width * height) / 3 / Float(max(1, slots.count))).squareRoot()
    let side = max(1, min(Int(fitting), min(width, height) / 8))
    let size = high - low
    let room = SIMD2(Float(width - side), Float(height - side))
    // Layout units a pixel: nothing to scale where all images lie in one place.
    let unit = max(size.x / max(room.x, 1), size.y / max(room.y, 1))
    let scale = unit > .leastNormalMagnitude ? 1 / unit : 0
    let margin = (room - size * scale) / 2
    var sums = [SIMD4<UInt32>](repeating: .zero, count: width * height)
    var counts = [UInt32](repeating: 0, count: width * height)
    let atlas = atlas
    for (slot, point) in zip(slots, points) {
      guard let color = atlas.info(Int(slot))?.averageColor else { continue }
      let place = margin + (point - low) * scale
      let left = min(width - side, max(0, Int(place.x.rounded())))
      let top = min(height - side, max(0, Int(place.y.rounded())))
      let channels = SIMD4(color & 255, color >> 8 & 255, color >> 16 & 255, color >> 24)
      for row in top..<top + side {
        for pixel in row * width + left..<row * width + left + side {
          sums[pixel] &+= channels
          counts[pixel] += 1
        }
      }
    }
    let pixels = zip(sums, counts).map { sum, count -> UInt32 in
      guard count > 0 else { return 0 }
      let mean = sum / count
      return mean[3] << 24 | mean[2] << 16 | mean[1] << 8 | mean[0]
    }
    return PixelImage(width: width, height: height, pixels: pixels, isOpaque: false)
  }
}
