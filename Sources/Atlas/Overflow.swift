/// Files without names for thumbnails that cannot go where the others are: the disk is full, or the files are another
/// process's.
final class Overflow: Sendable {
  let levels: [LevelFile]
  let index: AtlasIndex

  private init(in directory: String) throws(AtlasError) {
    var levels: [LevelFile] = []
    for side in thumbnailLevels {
      levels.append(try LevelFile(try FileDescriptor(unnamedIn: directory), side: side))
    }
    self.levels = levels
    index = AtlasIndex(file: try FileDescriptor(unnamedIn: directory))
    _ = try index.prepare()
  }

  /// In the first of `places` where files can be made.
  static func make(in places: [String]) throws(AtlasError) -> Overflow {
    var failure: AtlasError?
    for place in places {
      do throws(AtlasError) { return try Overflow(in: place) } catch { failure = failure ?? error }
    }
    throw failure ?? AtlasError("There is no directory for temporary files.")
  }
}
