public import Arrangements
public import Collection
public import Mapping
import ObjectStorage

/// A finished map: the images of a collection and where they lie.
public struct MapContents: Sendable {
  /// One image of the map.
  public struct Image: Sendable, Hashable {
    /// Its key as `escapedKey(_:)` writes it.
    public var key: String
    /// Where it lies, in units of the layout or, in an arrangement, of the longest side of a picture with its gap; x to the right and y downwards.
    public var x, y: Float
    /// Pixels of the original after orientation.
    public var width, height: Int
  }

  /// The images, and what is known of each.
  public let collection: ImageCollection
  /// Where they lie.
  public let layout: LayoutSnapshot

  /// How they are put on the map instead; nil where they lie as the layout has them.
  public private(set) var arrangement: (mode: ArrangementMode, places: Arrangement)?

  /// A map of a collection.
  public init(collection: ImageCollection, layout: LayoutSnapshot) {
    self.collection = collection
    self.layout = layout
  }

  /// The same map in an arrangement. Takes seconds for many images.
  /// - Parameter shape: Width over height of a grid.
  /// - Throws: `ArrangementCancelled` when `isCancelled` says so.
  public func arranged(
    _ mode: ArrangementMode, shape: Double, isCancelled: @Sendable () -> Bool = { false }
  ) throws(ArrangementCancelled) -> MapContents {
    var contents = self
    contents.arrangement = nil
    switch mode {
    case .free: break
    case .grid:
      contents.arrangement = (mode, try Arrangement.grid(layout.positions, shape: shape, isCancelled: isCancelled))
    case .spread:
      let aspects = layout.slots.map { slot -> Float in
        guard let entry = collection.entry(Int(slot)), entry.width > 0, entry.height > 0 else { return 1 }
        return Float(entry.width) / Float(entry.height)
      }
      contents.arrangement = (
        mode, try Arrangement.spread(layout.positions, aspects: aspects, isCancelled: isCancelled)
      )
    }
    return contents
  }

  /// x and y of each image of the layout, interleaved.
  var positions: [Float] { arrangement?.places.positions ?? layout.positions }

  /// The images in the order of the layout, which is that of their keys.
  public var images: [Image] {
    let positions = positions
    return layout.slots.enumerated().compactMap { index, slot in
      guard let entry = collection.entry(Int(slot)) else { return nil }
      return Image(
        key: escapedKey(entry.object.key.bytes), x: positions[2 * index], y: positions[2 * index + 1],
        width: entry.width, height: entry.height)
    }
  }
}
