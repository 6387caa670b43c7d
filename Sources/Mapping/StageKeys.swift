import Collection
import Foundation
import Neighbors
import ObjectStorage
import TSNE

/// The names of derived stages: hashes of everything that went into them, so that a stage is found again exactly when it
/// would come out the same.
struct StageKeys {
  /// Raised when the engine gives other bits than before for the same input.
  private static let engine = "engine-3"
  /// Enough for the usual perplexity, 30; the next steps are twice as large each.
  private static let firstStep = 90

  /// Neighbours that the layout attends to.
  let k: Int
  /// Neighbours that are searched: the next step of a ladder. Every perplexity of a step shares one search, and a layout
  /// comes out the same whether the search was made for it or for another perplexity (of two neighbours at the same
  /// distance, searches of different size may prefer different ones).
  let searchedK: Int
  /// The neighbours.
  let neighbours: String
  /// The complete layout.
  let layout: String

  /// The keys for these images (ready, in the order of keys) and parameters.
  init(images: [CollectionEntry], featureIdentifier: String, parameters: MapParameters) {
    let base = DerivedKey { hash in
      hash.field(Self.engine)
      hash.field(featureIdentifier)
      hash.field(parameters.metric.canonical.rawValue)
      let own = parameters.metricParameters.relevant(to: parameters.metric)
      hash.field(own.minkowskiP.bitPattern)
      for weight in own.weights ?? [] { hash.field(weight.bitPattern) }
      hash.field(UInt64(parameters.reducedDimension ?? 0))
      hash.field(parameters.tsne.seed)
      for image in images {
        hash.field(image.object.key.bytes)
        hash.field(image.object.etag)
        hash.field(UInt64(bitPattern: image.object.size))
      }
    }.text
    let k = TSNEParameters.neighborCount(perplexity: parameters.tsne.perplexity, count: images.count)
    var step = Self.firstStep
    while step < k { step *= 2 }
    let searched = min(step, images.count - 1)
    self.k = k
    searchedK = searched
    neighbours =
      DerivedKey { hash in
        hash.field("neighbours")
        hash.field(base)
        hash.field(UInt64(searched))
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
