public import Dispatch
public import Numerics

/// A finished layout: what `TSNERun` comes to.
public struct TSNELayout: Sendable {
  /// Where the points are: 2 × n, x and y of each in the order of the rows, centred on the origin.
  public let positions: [Float]
  /// Completed iterations.
  public let iteration: Int
  /// The KL divergence between affinities and layout, in nats.
  public let klDivergence: Double
  /// The perplexity that was used: lowered to (n − 1)/3 where there were too few points.
  public let perplexity: Double
  /// The share of true nearest neighbours that the search found: 1 for an exact one.
  public let neighborRecall: Double
  /// Sentences for a person about what was special: a lowered perplexity, rows without direction, no spread at all.
  public let notes: [String]
  /// As they stood at the end.
  public let parameters: TSNEParameters

  /// Where the rows are.
  let source: any RunSource

  /// The number of points.
  public var count: Int { positions.count / 2 }

  /// The place of point `index`.
  public subscript(index: Int) -> SIMD2<Float> { SIMD2(positions[2 * index], positions[2 * index + 1]) }

  /// Places new rows into this layout without moving it, each by itself: see `TSNEPlacement`. The rows of the layout are read
  /// again for it.
  /// - Parameters:
  ///   - rows: As many columns as the layout's rows.
  ///   - parameters: How they are placed.
  ///   - threads: How many threads compute. The result does not depend on it.
  ///   - qos: The priority of the work.
  /// - Returns: 2 × rows, x and y of each.
  /// - Throws: `TSNEError` if the rows do not fit or the layout was made from affinities; `CancellationError`.
  public func transform(
    _ rows: some FeatureRows, parameters: TSNEPlacement.Parameters = TSNEPlacement.Parameters(), threads: Int? = nil,
    qos: DispatchQoS = .userInitiated
  ) async throws -> [Float] {
    let token = CancellationToken()
    let threads = threads ?? self.parameters.threads
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        DispatchQueue(label: "tsne.transform", qos: qos).async {
          continuation.resume(
            with: Result {
              let placement = try TSNEPlacement(
                reference: positions, parameters: parameters, threads: threads, token: token)
              let graph = try source.neighbors(of: rows, k: placement.neighborCount, threads: threads, token: token)
              return try placement.place(neighbors: graph, token: token)
            })
        }
      }
    } onCancel: {
      token.cancel()
    }
  }
}
