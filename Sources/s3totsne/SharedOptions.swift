import ArgumentParser
import Collection
import Foundation
import Imaging
import Mapping
import Neighbors
import ObjectStorage
import Replica
import TSNE

/// The parameters of the map. Numbers take whatever follows them, so that `--perplexity -3` is answered with a reason.
struct LayoutOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "About how many neighbours an image attends to.")
  var perplexity = 30.0

  @Option(
    name: [.customLong("early-exaggeration"), .customLong("exaggeration")], parsing: .unconditional,
    help: "How much stronger attraction is in the first 250 iterations.")
  var earlyExaggeration = 12.0

  @Option(parsing: .unconditional, help: "How much stronger attraction is afterwards.")
  var lateExaggeration = 1.0

  @Option(parsing: .unconditional, help: ArgumentHelp("The step size: auto, or a number.", valueName: "rate"))
  var learningRate = TSNEParameters.LearningRate.automatic

  @Option(help: ArgumentHelp("The distance between images.", valueName: "name"))
  var metric = Metric.cosine

  @Option(parsing: .unconditional, help: "Iterations in all, the first 250 exaggerated.")
  var iterations = 1000

  @Option(help: "Decides everything random.")
  var seed: UInt64 = 0

  @Option(help: "What images are compared by.")
  var features = FeatureKind.pixels

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images are compared as squares of this many pixels a side.", valueName: "pixels"))
  var featureSide = 50

  @Option(
    parsing: .unconditional, help: ArgumentHelp("Threads that compute (default: one a core).", valueName: "count"))
  var threads: Int?

  @Option(parsing: .unconditional, help: ArgumentHelp("Larger images are left out.", valueName: "megapixels"))
  var maxMegapixels = 300.0

  /// The number of threads to use.
  var effectiveThreads: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  /// The parameters as the job takes them.
  var parameters: MapParameters {
    var tsne = TSNEParameters(threads: effectiveThreads)
    tsne.perplexity = perplexity
    tsne.earlyExaggeration = earlyExaggeration
    tsne.lateExaggeration = lateExaggeration
    tsne.learningRate = learningRate
    tsne.iterations = iterations
    tsne.seed = seed
    return MapParameters(metric: metric, tsne: tsne, featureSide: featureSide)
  }

  /// Whether a parameter was given that differs from what the program starts with.
  var isExplicit: Bool {
    var plain = MapParameters(tsne: TSNEParameters(threads: effectiveThreads))
    plain.tsne.threads = parameters.tsne.threads
    return parameters != plain
  }

  /// The decoder's limits.
  var limits: DecodingLimits {
    var limits = DecodingLimits()
    limits.maximumMegapixels = maxMegapixels
    return limits
  }

  func validate() throws {
    guard metric.isSupported else {
      throw ValidationError(
        "The distance \(metric) cannot be used yet; these can: \(Metric.allValueStrings.joined(separator: ", ")).")
    }
    guard (1...10_000).contains(effectiveThreads) else {
      throw ValidationError("The number of threads is \(effectiveThreads); it must be at least 1.")
    }
    guard (1...512).contains(featureSide) else {
      throw ValidationError("The feature side is \(featureSide); it must be from 1 to 512 pixels.")
    }
    guard maxMegapixels.isFinite, maxMegapixels > 0 else {
      throw ValidationError("The limit for images is \(maxMegapixels) megapixels; it must be above 0.")
    }
    if let problem = parameters.tsne.problem { throw ValidationError(problem.description) }
  }
}

/// How to reach a bucket, and where to keep what came from it.
struct StorageArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The S3 server, when it is not AWS.", valueName: "url"))
  var endpointURL: String?

  @Option(help: ArgumentHelp("A profile of the AWS configuration files.", valueName: "name"))
  var profile: String?

  @Option(help: ArgumentHelp("The region of the bucket.", valueName: "name"))
  var region: String?

  @Flag(help: "Ask anonymously, for public buckets.")
  var noSignRequest = false

  @Option(help: ArgumentHelp("Where the bucket's name goes in a request.", valueName: "style"))
  var addressingStyle = StorageOptions.AddressingStyle.auto

  @Option(
    help: ArgumentHelp(
      "Share thumbnails, features and layouts in this bucket of the same server; “none” shares nothing.",
      discussion: "Default: tsnetooldata, where it is certainly yours.", valueName: "bucket"))
  var replica = ReplicaChoice.automatic

  @Option(help: ArgumentHelp("What all that is kept on this computer may take, such as 5GB.", valueName: "size"))
  var cacheSize = ByteSize(bytes: StoreLimits().bytes)

  @Option(parsing: .unconditional, help: ArgumentHelp("Map a seeded sample of so many images.", valueName: "count"))
  var sample: Int?

  @Flag(help: "Fetch any number of objects without asking.")
  var yes = false

  @OptionGroup var cache: CacheLocation

  func validate() throws {
    if let sample, sample < 1 { throw ValidationError("The sample is \(sample); it must be at least 1.") }
  }

  /// Gives a request what these options say of the store, the replica and the sample.
  func apply(to request: inout MappingRequest) {
    request.replica = replica
    request.storeLimits = StoreLimits(bytes: cacheSize.bytes)
    request.sample = sample
    if yes { request.allowance = nil }
  }

  /// The options as stores take them.
  var options: StorageOptions {
    var options = StorageOptions()
    options.endpointURL = endpointURL
    options.profile = profile
    options.region = region
    options.noSignRequest = noSignRequest
    options.addressingStyle = addressingStyle
    return options
  }
}

/// Where the local store lies.
struct CacheLocation: ParsableArguments {
  @Option(
    name: .customLong("cache-dir"),
    help: ArgumentHelp("Where thumbnails and layouts are kept (default: ~/.cache/s3totsne).", valueName: "directory"))
  var directory: String?
}

/// Reads a location as it was typed on the command line.
func parseLocation(_ text: String) throws -> Location {
  do {
    return try Location(parsing: text, currentDirectory: FileManager.default.currentDirectoryPath)
  } catch {
    throw ValidationError(error.message)
  }
}
