public import Foundation

/// What a person can choose about a layout. The defaults are those of openTSNE (Poličar, Stražar & Zupan 2024), which follow
/// Belkina et al. 2019 and Kobak & Berens 2019.
public struct TSNEParameters: Hashable, Codable, Sendable {
  /// How far a point moves for a given force.
  public enum LearningRate: Hashable, Codable, Sendable {
    /// n / exaggeration of the phase: n/12 while exaggerated by 12, then n (Belkina et al. 2019, as openTSNE counts it).
    case automatic
    /// A fixed rate, counted as openTSNE counts it (scikit-learn's rate is 4 times smaller for the same step).
    case value(Double)
  }

  /// Where the points begin.
  public enum Start: Hashable, Codable, Sendable {
    /// Along the first two principal components, the first of standard deviation 1e-4: the places of clusters on the map then
    /// say something about their places in the data (Kobak & Berens 2019).
    case principalComponents
    /// Normally distributed, standard deviation 1e-4 (van der Maaten & Hinton 2008), from the seed.
    case random
    /// Here: 2 × n, x and y of each point. A warm start from a layout wants `earlyIterations` 0.
    case positions([Float])
  }

  /// About how many neighbours each point attends to (van der Maaten & Hinton 2008).
  public var perplexity = 30.0
  /// The factor on attraction in the first iterations, which lets clusters find together (van der Maaten & Hinton 2008).
  public var earlyExaggeration = 12.0
  /// How many iterations are exaggerated. A million points want 500 (Linderman et al. 2019).
  public var earlyIterations = 250
  /// The factor on attraction in the other iterations: 1 is t-SNE, 4 resembles UMAP, 30 a spectral layout (Böhm, Berens &
  /// Kobak 2022). Very many points gain clarity from 4.
  public var lateExaggeration = 1.0
  /// The step size.
  public var learningRate = LearningRate.automatic
  /// The share of the previous step that is kept, in all iterations.
  public var momentum = 0.8
  /// Where the points begin.
  public var start = Start.principalComponents
  /// Iterations in all, the exaggerated ones included.
  public var iterations = 1000
  /// Decides everything random.
  public var seed: UInt64 = 0
  /// How many threads compute. The result does not depend on it.
  public var threads: Int

  /// The defaults, on all cores.
  public init(threads: Int = ProcessInfo.processInfo.activeProcessorCount) { self.threads = threads }

  /// Reads parameters as they were stored, also by a version that knew fewer: what is missing has its default.
  public init(from decoder: any Decoder) throws {
    let stored = try decoder.container(keyedBy: CodingKeys.self)
    self.init()
    func read<Value: Decodable>(_ key: CodingKeys, _ path: WritableKeyPath<TSNEParameters, Value>) throws {
      if let value = try stored.decodeIfPresent(Value.self, forKey: key) { self[keyPath: path] = value }
    }
    try read(.perplexity, \.perplexity)
    try read(.earlyExaggeration, \.earlyExaggeration)
    try read(.earlyIterations, \.earlyIterations)
    try read(.lateExaggeration, \.lateExaggeration)
    try read(.learningRate, \.learningRate)
    try read(.momentum, \.momentum)
    try read(.start, \.start)
    try read(.iterations, \.iterations)
    try read(.seed, \.seed)
    try read(.threads, \.threads)
  }

  /// The perplexity that `count` points allow: at most (n − 1)/3, because each point attends to 3 × perplexity others; at
  /// least 1, which is one neighbour.
  public static func effectivePerplexity(requested: Double, count: Int) -> Double {
    max(1, min(requested, Double(count - 1) / 3))
  }

  /// The neighbours a search must find for a layout of `count` points: 3 × perplexity, all others if there are fewer.
  public static func neighborCount(perplexity: Double, count: Int) -> Int {
    guard count > 1 else { return 0 }
    let effective = effectivePerplexity(requested: perplexity, count: count)
    return min(count - 1, max(1, Int((3 * effective).rounded(.down))))
  }

  /// A sentence for a person if `count` points allow only a lower perplexity than this one, or nil.
  public func perplexityNote(count: Int) -> String? {
    let effective = Self.effectivePerplexity(requested: perplexity, count: count)
    guard effective < perplexity, count > 1 else { return nil }
    func text(_ value: Double) -> String { String(format: "%.4g", value) }
    return "The perplexity is lowered from \(text(perplexity)) to \(text(effective)): \(count) points allow no more."
  }

  /// What keeps these parameters from being used, or nil.
  public var problem: TSNEError? {
    func bad(_ name: String, _ value: some CustomStringConvertible, _ allowed: String) -> TSNEError {
      .badParameter("The \(name) is \(value); it must be \(allowed).")
    }
    if !(perplexity.isFinite && perplexity >= 1) { return bad("perplexity", perplexity, "a number of at least 1") }
    if !(earlyExaggeration.isFinite && earlyExaggeration > 0) {
      return bad("early exaggeration", earlyExaggeration, "a number above 0")
    }
    if !(lateExaggeration.isFinite && lateExaggeration > 0) {
      return bad("late exaggeration", lateExaggeration, "a number above 0")
    }
    if case .value(let rate) = learningRate, !(rate.isFinite && rate > 0) {
      return bad("learning rate", rate, "`auto` or a number above 0")
    }
    if !(momentum >= 0 && momentum < 1) { return bad("momentum", momentum, "at least 0 and below 1") }
    if iterations < 0 { return bad("number of iterations", iterations, "0 or more") }
    if earlyIterations < 0 { return bad("number of exaggerated iterations", earlyIterations, "0 or more") }
    if threads < 1 { return bad("number of threads", threads, "1 or more") }
    if case .positions(let start) = start, let bad = start.firstIndex(where: { !$0.isFinite }) {
      return .badStart("The start of point \(bad / 2) is \(start[bad]); every coordinate must be finite.")
    }
    return nil
  }
}

/// Why a layout cannot be computed.
public enum TSNEError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A parameter is out of its range.
  case badParameter(String)
  /// The start does not fit the affinities.
  case badStart(String)
  /// The rows to place do not fit those of the layout.
  case badRows(String)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .badParameter(let message), .badStart(let message), .badRows(let message): message
    }
  }
}
