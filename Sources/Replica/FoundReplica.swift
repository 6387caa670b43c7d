public import Collection
public import Features
import NPY
public import ObjectStorage

/// A replica that is there: its indexes are known, and nothing else of it has been read yet.
public struct FoundReplica: Sendable {
  private let contents: ReplicaContents

  /// Looks for a replica.
  /// - Returns: nil when there is nothing.
  /// - Throws: `StorageError`, `CancellationError`.
  public init?(at place: ReplicaPlace, options: StorageOptions) async throws {
    let contents = try await ReplicaContents(at: place, options: options)
    guard !contents.allIndexes.isEmpty else { return nil }
    self.contents = contents
  }

  /// Indexes that were refused, with the reason: a sentence each.
  public var problems: [String] { contents.problems }

  /// The names of objects that were refused until now, for the writer.
  public var refusedFiles: Set<String> { contents.refused.names }

  /// What was asked of the server until now.
  public var requests: RequestCounts { contents.store.counts }

  /// Reads what it has of which image.
  /// - Parameter decoder: The name of the decoder at work; what another one left out is not believed.
  /// - Throws: `StorageError`, `CancellationError`.
  public func reader(extractor: any FeatureExtractor, decoder: String) async throws -> ReplicaReader {
    try await ReplicaReader(contents, extractor: extractor, decoder: decoder)
  }

  /// Keeps the layouts that the collection does not have, as others' (kind “shared”): its own stay.
  /// - Returns: Kept layouts, and what was refused.
  public func takeLayouts(
    into writer: CollectionWriter, known: Set<String>
  ) async throws -> (taken: Int, problems: [String]) {
    var taken = 0
    var problems: [String] = []
    for layout in contents.layouts.prefix(ReplicaLimits.layouts).reversed() where !known.contains(layout.key) {
      do {
        guard let positions = NPYArray(fileBytes: try await contents.read(layout.positions)),
          let images = NPYArray(fileBytes: try await contents.read(layout.images)),
          positions.shape == [layout.count, 2], images.shape == [layout.count], images.unsignedIntegers != nil,
          positions.floats?.allSatisfy(\.isFinite) == true
        else { throw ReplicaRefusal(reason: "it is no layout") }
        try await blocking {
          writer.saveStage(
            kind: "shared", key: layout.key, base: layout.key, parameters: layout.parameters,
            arrays: ["positions": positions, "images": images])
        }
        taken += 1
      } catch let refusal as ReplicaRefusal {
        contents.refused.add([layout.positions.name])
        problems.append("\(layout.positions.name): \(refusal.reason)")
      }
    }
    return (taken, problems)
  }
}
