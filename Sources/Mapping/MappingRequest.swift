public import Collection
public import Features
public import Imaging
public import Neighbors
public import ObjectStorage
public import Replica
public import TSNE

/// What decides a layout, beside the images themselves.
public struct MapParameters: Hashable, Codable, Sendable {
  /// The distance between two images' features.
  public var metric: Metric
  /// The parameters of t-SNE, the seed among them.
  public var tsne: TSNEParameters
  /// What images are compared by.
  public var features: FeatureKind
  /// The side of the square that a picture is reduced to for its features, in pixels.
  public var featureSide: Int
  /// What some distances need beside: Minkowski's p, and weights.
  public var metricParameters: MetricParameters
  /// To how many principal components features are reduced first, for distances kin to the euclidean; nil for not at all.
  public var reducedDimension: Int?

  /// The parameters the program starts with.
  public init(
    metric: Metric = .cosine, tsne: TSNEParameters, features: FeatureKind = .pixels, featureSide: Int = 50,
    metricParameters: MetricParameters = MetricParameters(), reducedDimension: Int? = 50
  ) {
    self.metric = metric
    self.tsne = tsne
    self.features = features
    self.featureSide = featureSide
    self.metricParameters = metricParameters
    self.reducedDimension = reducedDimension
  }

  /// What makes an image's features.
  public var extractor: any FeatureExtractor { features.extractor(side: featureSide) }

  /// Writes an absent reduction as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(metric, forKey: .metric)
    try container.encode(tsne, forKey: .tsne)
    try container.encode(features, forKey: .features)
    try container.encode(featureSide, forKey: .featureSide)
    try container.encode(metricParameters, forKey: .metricParameters)
    try container.encode(reducedDimension, forKey: .reducedDimension)
  }

  enum CodingKeys: String, CodingKey {
    case metric, tsne, features, featureSide, metricParameters, reducedDimension
  }

  /// Reads what an earlier version wrote, too.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    metric = try container.decode(Metric.self, forKey: .metric)
    tsne = try container.decode(TSNEParameters.self, forKey: .tsne)
    features = try container.decodeIfPresent(FeatureKind.self, forKey: .features) ?? .pixels
    featureSide = try container.decode(Int.self, forKey: .featureSide)
    metricParameters =
      try container.decodeIfPresent(MetricParameters.self, forKey: .metricParameters) ?? MetricParameters()
    reducedDimension =
      try container.contains(.reducedDimension)
      ? container.decode(Int?.self, forKey: .reducedDimension) : 50
  }
}

/// What one job is to do.
public struct MappingRequest: Sendable {
  /// The kinds of job.
  public enum Mode: Sendable {
    /// Show what the local store knows, renew the listing, and end at the layout that was last shown if it still fits
    /// the images and the parameters, even if it was stopped early or continued. For opening a location.
    case open
    /// List, fetch, decode, lay out; every stage that the local store holds is taken from there. The layout is the
    /// complete one, a function of features, parameters and seed alone. For `map` and for Refresh.
    case map
    /// More iterations from these positions. Nothing is listed or fetched.
    case continueFrom(LayoutSnapshot, moreIterations: Int)
    /// Fetch and decode these once more (slots of the collection that is open), and lay out if one of them was gained.
    case retry(slots: [Int])
  }

  /// Where the images are.
  public var location: Location
  /// How they are fetched.
  public var storage: StorageOptions
  /// What decides the layout.
  public var parameters: MapParameters
  /// Where the local store lies; nil for `$XDG_CACHE_HOME/s3totsne`.
  public var cacheDirectory: String?
  /// What the local store may take of the disk.
  public var storeLimits = StoreLimits()
  /// Whether pictures, features and layouts are shared with others, and in which bucket.
  public var replica = ReplicaChoice.none
  /// Objects and bytes that a bucket may send before the job asks (`MappingQuestion.fetch`); only told with
  /// `asksNothing`. Nil for no limit.
  public var allowance: (objects: Int, bytes: Int64)? = (50_000, 5_000_000_000)
  /// Nobody is there to answer.
  public var asksNothing = false
  /// A seeded sample of this many images is mapped; nil for all.
  public var sample: Int?
  /// Every thumbnail is compared with its checksum before the map is made, for a picture of all of them.
  public var checksThumbnails = false
  /// Pictures beyond these are left out.
  public var limits: DecodingLimits
  /// Decoders at work at the same time, and threads of the layout.
  public var threads: Int
  /// The kind of job.
  public var mode: Mode
  /// Whether anything is read from or written to the local store. Without it, everything is kept in memory.
  public var usesStore: Bool
  /// Whether the present layout stays when few images have come or gone: new ones are placed into it. Otherwise, and
  /// when more have changed, it is made anew.
  public var keepsLayout = false
  /// Whether the layout of the images that are known already is shown, or made, while the listing is renewed, instead of
  /// after that. Positions do not depend on it.
  public var laysOutEarly = false
  /// Whether layouts are reported while they unfold; the final one always is.
  public var publishesSnapshots: Bool
  /// Whether the layout of a small collection is slowed down to a few seconds, so that it can be watched. Positions do
  /// not depend on it.
  public var isPaced: Bool

  /// A request for `location`.
  public init(
    location: Location, storage: StorageOptions, parameters: MapParameters, cacheDirectory: String? = nil,
    limits: DecodingLimits, threads: Int, mode: Mode = .map, usesStore: Bool = true, publishesSnapshots: Bool = true,
    isPaced: Bool = false
  ) {
    self.location = location
    self.storage = storage
    self.parameters = parameters
    self.cacheDirectory = cacheDirectory
    self.limits = limits
    self.threads = max(1, threads)
    self.mode = mode
    self.usesStore = usesStore
    self.publishesSnapshots = publishesSnapshots
    self.isPaced = isPaced
  }
}
