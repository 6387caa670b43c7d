public import Neighbors
public import Numerics

public struct Affinities: Sendable {
  public init(graph: NeighborGraph, perplexity: Double, threads: Int, token: CancellationToken) throws {}
}
