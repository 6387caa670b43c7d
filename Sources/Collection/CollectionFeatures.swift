public import Features
import Synchronization

extension ImageCollection {
  /// The features of one kind. Blocking when they are asked for the first time.
  /// - Throws: when their files cannot be opened.
  public func features(of extractor: some FeatureExtractor) throws -> FeatureMatrix {
    try state.withLock { state in
      if let matrix = state.features[extractor.identifier] { return matrix }
      // What cannot be written can still be read.
      let matrix = try FeatureMatrix(
        directory: directory, identifier: extractor.identifier, dimension: extractor.dimension,
        isBorrowed: state.catalogue == nil)
      state.features[extractor.identifier] = matrix
      return matrix
    }
  }
}
