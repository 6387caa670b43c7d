/// Positions of images at one moment of the layout.
public struct LayoutSnapshot: Sendable, Equatable {
  /// The slots of the images, in the order of their keys.
  public let slots: [Int32]
  /// x and y of each, interleaved, in layout units.
  public let positions: [Float]
  /// Iterations done.
  public let iteration: Int
  /// Iterations in all.
  public let iterations: Int
  /// The Kullback–Leibler divergence, where it was counted: always in a final snapshot of more than one image.
  public let klDivergence: Double?
  /// Whether this is the layout that the job ends with.
  public let isFinal: Bool
  /// What it is kept as, as `KeptLayout.id`; nil for one that is not kept.
  public var layoutID: String?
  /// Those of the slots whose images were placed into a layout made without them, in the order of their keys; none in a
  /// layout of all images.
  public let placed: [Int32]

  /// A snapshot; `positions` holds two numbers a slot.
  public init(
    slots: [Int32], positions: [Float], iteration: Int, iterations: Int, klDivergence: Double?, isFinal: Bool,
    placed: [Int32] = [], layoutID: String? = nil
  ) {
    precondition(positions.count == 2 * slots.count)
    self.slots = slots
    self.positions = positions
    self.iteration = iteration
    self.iterations = iterations
    self.klDivergence = klDivergence
    self.isFinal = isFinal
    self.layoutID = layoutID
    self.placed = placed
  }
}
