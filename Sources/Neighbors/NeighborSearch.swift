public import Numerics

public struct NeighborSearch: Sendable {
  public init(metric: Metric, k: Int, threads: Int, seed: UInt64) {}
  public func run(
    _ rows: some FeatureRows, token: CancellationToken, progress: (@Sendable (Double) -> Void)?
  ) throws -> (graph: NeighborGraph, start: [Float], notes: [String]) {
    fatalError()
  }
}
