import Collection
import Foundation
import Neighbors
import ObjectStorage
import TSNE

/// The names of derived stages: hashes of everything that went into them, so that a stage is found again exactly when it
/// would come out the same.
struct StageKeys {
  /// Raised when the engine gives other bits than before for the same input.
  private static let engine = "engine-1"

  /// Everything that decides neighbours but how many of them there are.
  let neighboursBase: String
  /// The neighbours themselves.
  let neighbours: String
  /// The complete layout.
  let layout: String

  /// The keys for these images (ready, in the order of keys) and parameters.
  init(images: [CollectionEntry], featureIdentifier: String, parameters: MapParameters) {
    let base = DerivedKey { hash in
      hash.field(Self.engine)
      hash.field(featureIdentifier)
      hash.field(parameters.metric.canonical.rawValue)
      hash.field(parameters.tsne.seed)
      for image in images {
        hash.field(image.object.key.bytes)
        hash.field(image.object.etag)
        hash.field(UInt64(bitPattern: image.object.size))
      }
    }.text
    let k = TSNEParameters.neighborCount(perplexity: parameters.tsne.perplexity, count: images.count)
    neighboursBase = base
    neighbours =
      DerivedKey { hash in
        hash.field("neighbours")
        hash.field(base)
        hash.field(UInt64(k))
      }.text
    layout =
      DerivedKey { hash in
        hash.field("layout")
        hash.field(base)
        let tsne = parameters.tsne
        let perplexity = TSNEParameters.effectivePerplexity(requested: tsne.perplexity, count: images.count)
        for number in [perplexity, tsne.earlyExaggeration, tsne.lateExaggeration, tsne.momentum] {
          hash.field(number.bitPattern)
        }
        switch tsne.learningRate {
        case .automatic: hash.field("automatic")
        case .value(let rate): hash.field(rate.bitPattern)
        }
        hash.field(UInt64(tsne.earlyIterations))
        hash.field(UInt64(tsne.iterations))
      }.text
  }

  /// The name of a layout that is not the complete one: it was stopped, or continued.
  static func partial(of layout: String, positions: [Float], iteration: Int) -> String {
    DerivedKey { hash in
      hash.field("partial")
      hash.field(layout)
      hash.field(UInt64(iteration))
      hash.field(positions.withUnsafeBytes { Array($0) })
    }.text
  }
}
