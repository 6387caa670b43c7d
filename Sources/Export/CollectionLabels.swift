public import Collection
import ObjectStorage
public import Scene

extension LabelledImage {
  /// What is known of the images of a collection, fetched or not, in the order of their keys. Takes a moment for many.
  public static func all(of collection: ImageCollection) -> [LabelledImage] {
    // What all keys of a bucket's folder begin with tells nothing.
    var prefix = 0
    if case .bucket(_, _, let folder) = collection.location.kind { prefix = folder.count }
    return collection.entries.compactMap { entry in
      switch entry.state {
      case .leftOut, .notAnImage: return nil
      case .listed: if !collection.isListedByName(entry) { return nil }
      case .ready: break
      }
      return LabelledImage(
        slot: entry.slot, path: entry.object.key.bytes.dropFirst(prefix), modified: entry.object.modified,
        size: entry.object.size, width: entry.width, height: entry.height)
    }
  }
}
