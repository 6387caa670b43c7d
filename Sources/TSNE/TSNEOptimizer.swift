public import Numerics

public final class TSNEOptimizer {
  public init(affinities: Affinities, start: [Float], parameters: TSNEParameters, token: CancellationToken) throws {}
  public var iteration: Int { 0 }
  public var isFinished: Bool { true }
  public func step() throws(CancellationError) {}
  public var positions: [Float] { [] }
  public func klDivergence() -> Double { 0 }
}
