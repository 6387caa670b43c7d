/// What a finished job did: the object that `map --json` prints.
public struct MappingReport: Codable, Sendable, Equatable {
  /// An image that cannot be shown.
  public struct LeftOut: Codable, Sendable, Equatable {
    /// Its key, repaired where it is no UTF-8.
    public var key: String
    /// Why, in one sentence.
    public var reason: String
  }

  /// Seconds in which a stage was at work. Stages overlap, so that they add up to more than `total`, which is the wall
  /// time of the whole.
  public struct Seconds: Codable, Sendable, Equatable {
    /// Asking for the objects.
    public var list = 0.0
    /// At least one object was on its way.
    public var fetch = 0.0
    /// At least one picture was being decoded and made thumbnails of.
    public var decode = 0.0
    /// At least one picture was being made features of.
    public var features = 0.0
    /// The search for neighbours.
    public var neighbours = 0.0
    /// Distances to probabilities.
    public var affinities = 0.0
    /// t-SNE's iterations.
    public var layout = 0.0
    /// From the start to the end.
    public var total = 0.0
  }

  /// Requests sent, retries included.
  public struct Requests: Codable, Sendable, Equatable {
    /// Pages of listings.
    public var list = 0
    /// Objects asked for.
    public var get = 0
    /// Objects written.
    public var put = 0
    /// Objects asked after.
    public var head = 0
    /// Those of all these that were sent once more after a failure; not part of the JSON.
    public var retries = 0

    enum CodingKeys: String, CodingKey { case list, get, put, head }
  }

  /// Which stages came from the local store as a whole: true when nothing of it had to be made.
  public struct Reused: Codable, Sendable, Equatable {
    /// All thumbnails.
    public var thumbnails = false
    /// All features.
    public var features = false
    /// The neighbours (also when the layout made them unnecessary).
    public var neighbours = false
    /// The layout.
    public var layout = false
  }

  /// A sample of the images.
  public struct Sample: Codable, Sendable, Equatable {
    /// Images chosen.
    public var size: Int
    /// Images there are.
    public var of: Int
  }

  /// What was written to a replica.
  public struct Shared: Codable, Sendable, Equatable {
    /// Images that it lacked.
    public var images: Int
    /// Layouts that it lacked.
    public var layouts: Int
    /// Objects written.
    public var objects: Int
    /// Their bytes.
    public var bytes: Int
  }

  /// Images on the map.
  public var images = 0
  /// Objects that neither their bytes nor their name call an image.
  public var otherFiles = 0
  /// What claims to be an image and cannot be shown, in the order of keys.
  public var leftOut: [LeftOut] = []
  /// Seconds by stage.
  public var seconds = Seconds()
  /// Requests by kind.
  public var requests = Requests()
  /// Bytes of objects fetched.
  public var bytesFetched: Int64 = 0
  /// What came from the local store.
  public var reused = Reused()
  /// The Kullback–Leibler divergence of the layout; nil for fewer than two images.
  public var klDivergence: Double?
  /// The share of true neighbours that the layout's were, measured on a sample of images and 1 for an exact search; nil
  /// where the layout came from the store.
  public var neighbourRecall: Double?
  /// Iterations that lie behind the layout.
  public var iterations = 0
  /// The seed.
  public var seed: UInt64 = 0
  /// The sample that was mapped; nil for all images.
  public var sample: Sample?
  /// What was written to the replica; nil where nothing was.
  public var replica: Shared?
  /// The program's version.
  public var version = s3totsneVersion
  /// What the user was told on the way.
  public var notes: [String] = []

  /// Requests for the replica, which those above do not count; nil where there is none. Not part of the JSON.
  public var replicaRequests: Requests?

  /// How many images were put into a layout made without them, where the request asks for that; nil for a layout of all.
  /// Not part of the JSON: `map` always makes the layout of all.
  public var placed: Int?
  /// The slots of those that this job put there. Not part of the JSON.
  public var newlyPlaced: [Int] = []

  enum CodingKeys: String, CodingKey {
    case images, seconds, requests, reused, iterations, seed, version, notes, sample, replica
    case otherFiles = "other_files"
    case leftOut = "left_out"
    case bytesFetched = "bytes_fetched"
    case klDivergence = "kl_divergence"
    case neighbourRecall = "neighbour_recall"
  }

  /// Writes every key, an unknown number as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(images, forKey: .images)
    try container.encode(otherFiles, forKey: .otherFiles)
    try container.encode(leftOut, forKey: .leftOut)
    try container.encode(seconds, forKey: .seconds)
    try container.encode(requests, forKey: .requests)
    try container.encode(bytesFetched, forKey: .bytesFetched)
    try container.encode(reused, forKey: .reused)
    try container.encode(klDivergence, forKey: .klDivergence)
    try container.encode(neighbourRecall, forKey: .neighbourRecall)
    try container.encode(iterations, forKey: .iterations)
    try container.encode(seed, forKey: .seed)
    try container.encode(sample, forKey: .sample)
    try container.encode(replica, forKey: .replica)
    try container.encode(version, forKey: .version)
    try container.encode(notes, forKey: .notes)
  }
}

/// The version of the program, as `--version` and the reports say it.
public let s3totsneVersion = "0.1.0"
