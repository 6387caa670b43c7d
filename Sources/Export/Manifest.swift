import Collection
import Features
import Foundation
public import Mapping
import Neighbors
import ObjectStorage
import TSNE

/// What a map was made from: every object with its ETag, the parameters, the version, and what was left out. Tells whether
/// two maps are of the same images, and makes a map again.
public struct Manifest: Sendable {
  private let document: Document

  private struct Document: Encodable, Sendable {
    struct Object: Encodable, Sendable {
      var key: String
      var size: Int64
      var etag: String
      var modified: Date?
      var storageClass: String?
      var width, height: Int?

      enum CodingKeys: String, CodingKey {
        case key, size, etag, modified, width, height
        case storageClass = "storage_class"
      }
    }
    struct Problem: Encodable, Sendable {
      var key: String
      var reason: String
    }
    struct Parameters: Encodable, Sendable {
      var metric: String
      var features: String
      var perplexity, earlyExaggeration, lateExaggeration: Double
      var learningRate: String
      var iterations: Int
      var seed: UInt64
      var minkowskiP: String?
      var principalComponents: Int?

      enum CodingKeys: String, CodingKey {
        case minkowskiP = "minkowski_p"
        case principalComponents = "principal_components"
        case metric, features, perplexity, iterations, seed
        case earlyExaggeration = "early_exaggeration"
        case lateExaggeration = "late_exaggeration"
        case learningRate = "learning_rate"
      }
    }
    var version: String
    var location: String
    var parameters: Parameters
    var iterations: Int
    var klDivergence: Double?
    var objects: [Object]
    var problems: [Problem]

    enum CodingKeys: String, CodingKey {
      case version, location, parameters, iterations, objects, problems
      case klDivergence = "kl_divergence"
    }
  }

  /// The manifest of a map that was made with these parameters.
  public init(_ contents: MapContents, parameters: MapParameters) {
    let tsne = parameters.tsne
    let entries = contents.collection.entries.sorted { $0.object.key < $1.object.key }
    document = Document(
      version: s3totsneVersion, location: contents.collection.location.text,
      parameters: Document.Parameters(
        metric: parameters.metric.rawValue, features: parameters.extractor.identifier, perplexity: tsne.perplexity,
        earlyExaggeration: tsne.earlyExaggeration, lateExaggeration: tsne.lateExaggeration,
        learningRate: tsne.learningRate.text, iterations: tsne.iterations, seed: tsne.seed,
        minkowskiP: parameters.metric.hasParameters ? "\(parameters.metricParameters.minkowskiP)" : nil,
        principalComponents: parameters.reducedDimension),
      iterations: contents.layout.iteration, klDivergence: contents.layout.klDivergence,
      objects: entries.compactMap { entry in
        guard entry.state == .ready else { return nil }
        return Document.Object(
          key: escapedKey(entry.object.key.bytes), size: entry.object.size, etag: entry.object.etag,
          modified: entry.object.modified, storageClass: entry.object.storageClass, width: entry.width,
          height: entry.height)
      },
      problems: entries.compactMap { entry in
        guard case .leftOut(let reason) = entry.state else { return nil }
        return Document.Problem(key: escapedKey(entry.object.key.bytes), reason: reason)
      })
  }

  /// The bytes of the file.
  public func encoded() throws(ExportError) -> [UInt8] { try encodeJSON(document) }
}

extension TSNEParameters.LearningRate {
  fileprivate var text: String {
    switch self {
    case .automatic: "auto"
    case .value(let rate): "\(rate)"
    }
  }
}
