public import Collection
public import Mapping
import ObjectStorage

/// A finished map: the images of a collection and where they lie.
public struct MapContents: Sendable {
  /// One image of the map.
  public struct Image: Sendable, Hashable {
    /// Its key as `escapedKey(_:)` writes it.
    public var key: String
    /// Where it lies, in layout units, x to the right and y downwards.
    public var x, y: Float
    /// Pixels of the original after orientation.
    public var width, height: Int
  }

  /// The images, and what is known of each.
  public let collection: ImageCollection
  /// Where they lie.
  public let layout: LayoutSnapshot

  /// A map of a collection.
  public init(collection: ImageCollection, layout: LayoutSnapshot) {
    self.collection = collection
    self.layout = layout
  }

  /// The images in the order of the layout, which is that of their keys.
  public var images: [Image] {
    layout.slots.enumerated().compactMap { index, slot in
      guard let entry = collection.entry(Int(slot)) else { return nil }
      return Image(
        key: escapedKey(entry.object.key.bytes), x: layout.positions[2 * index], y: layout.positions[2 * index + 1],
        width: entry.width, height: entry.height)
    }
  }
}
