/// A layout on its way, as `TSNERun` shows it.
public struct TSNESnapshot: Sendable, Equatable {
  /// Where the points are: 2 × n, x and y of each in the order of the rows, centred on the origin.
  public var positions: [Float]
  /// Completed iterations.
  public var iteration: Int
  /// Iterations in all, as the parameters stood when the snapshot was taken.
  public var iterations: Int
  /// The KL divergence between affinities and layout in nats, of the iteration at which it was last computed: every 50th and the
  /// last. Nil before the first.
  public var klDivergence: Double?
  /// Whether the run ends with this one.
  public var isFinal: Bool
}

/// What a run does before and while points move.
public enum TSNEStage: String, Sendable, CaseIterable {
  /// Looks for the nearest neighbours of every row.
  case neighbours
  /// Turns distances into affinities.
  case affinities
  /// Moves the points.
  case layout
}
