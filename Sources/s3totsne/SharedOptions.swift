import ArgumentParser
import Collection
import Features
import Foundation
import Imaging
import Mapping
import Neighbors
import ObjectStorage
import Replica
import TSNE

/// The parameters of t-SNE, for images and for any matrix. Numbers take whatever follows them, so that `--perplexity -3` is
/// answered with a reason.
struct TSNEOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "About how many neighbours a point attends to.")
  var perplexity = Given(default: 30.0)

  @Option(
    name: [.customLong("early-exaggeration"), .customLong("exaggeration")], parsing: .unconditional,
    help: "How much stronger attraction is in the first iterations.")
  var earlyExaggeration = Given(default: 12.0)

  @Option(parsing: .unconditional, help: "How many iterations are exaggerated so.")
  var earlyIterations = Given(default: 250)

  @Option(parsing: .unconditional, help: "How much stronger attraction is afterwards.")
  var lateExaggeration = Given(default: 1.0)

  @Option(parsing: .unconditional, help: ArgumentHelp("The step size: auto, or a number.", valueName: "rate"))
  var learningRate = Given(default: TSNEParameters.LearningRate.automatic)

  @Option(parsing: .unconditional, help: "The share of the previous step that is kept, from 0 to below 1.")
  var momentum = Given(default: 0.8)

  @Option(help: ArgumentHelp("The distance between points.", valueName: "name"))
  var metric = Given(default: Metric.cosine)

  @Option(parsing: .unconditional, help: "Iterations in all, the exaggerated ones included.")
  var iterations = Given(default: 1000)

  @Option(help: "Decides everything random.")
  var seed = Given<UInt64>(default: 0)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Threads that compute (default: one a core). The result does not depend on it.", valueName: "count"))
  var threads: Int?

  /// The number of threads to use.
  var effectiveThreads: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  /// Whether a parameter of the layout was given, also one with the value that the program starts with.
  var isExplicit: Bool {
    perplexity.isGiven || earlyExaggeration.isGiven || earlyIterations.isGiven || lateExaggeration.isGiven
      || learningRate.isGiven || momentum.isGiven || metric.isGiven || iterations.isGiven || seed.isGiven
  }

  /// The parameters as the engine takes them.
  var parameters: TSNEParameters {
    var parameters = TSNEParameters(threads: effectiveThreads)
    parameters.perplexity = perplexity.value
    parameters.earlyExaggeration = earlyExaggeration.value
    parameters.earlyIterations = earlyIterations.value
    parameters.lateExaggeration = lateExaggeration.value
    parameters.learningRate = learningRate.value
    parameters.momentum = momentum.value
    parameters.iterations = iterations.value
    parameters.seed = seed.value
    return parameters
  }

  func validate() throws {
    guard (1...10_000).contains(effectiveThreads) else {
      throw ValidationError("The number of threads is \(effectiveThreads); it must be at least 1.")
    }
    if let problem = parameters.problem { throw ValidationError(problem.description) }
  }
}

/// The parameters of a map of images.
struct LayoutOptions: ParsableArguments {
  @OptionGroup var tsne: TSNEOptions

  @Option(help: "What images are compared by.")
  var features = Given(default: FeatureKind.pixels)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images are compared as squares of this many pixels a side.", valueName: "pixels"))
  var featureSide = Given(default: 50)

  @Option(
    help: ArgumentHelp(
      "To how many principal components an image's pixels are reduced (for cosine, correlation, euclidean and their kin), "
        + "2 to 100, or off.", valueName: "count"))
  var pca = Given(default: ReductionChoice.components(50))

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The exponent of the distances minkowski and wminkowski, above 0, or inf.", valueName: "p"))
  var minkowskiP = Given(default: 2.0)

  @Option(parsing: .unconditional, help: ArgumentHelp("Larger images are left out.", valueName: "megapixels"))
  var maxMegapixels = 300.0

  /// The number of threads to use.
  var effectiveThreads: Int { tsne.effectiveThreads }

  /// The parameters as the job takes them.
  var parameters: MapParameters {
    MapParameters(
      metric: tsne.metric.value, tsne: tsne.parameters, features: features.value,
      featureSide: featureSide.value, metricParameters: MetricParameters(minkowskiP: minkowskiP.value),
      reducedDimension: pca.value.count)
  }

  /// Whether a parameter of the map was given, also one with the value that the program starts with.
  var isExplicit: Bool {
    tsne.isExplicit || features.isGiven || featureSide.isGiven || pca.isGiven || minkowskiP.isGiven
  }

  /// The decoder's limits.
  var limits: DecodingLimits {
    var limits = DecodingLimits()
    limits.maximumMegapixels = maxMegapixels
    return limits
  }

  func validate() throws {
    let metric = tsne.metric.value
    if minkowskiP.isGiven, !metric.hasParameters {
      throw ValidationError("--minkowski-p is for the distances minkowski and wminkowski, not \(metric).")
    }
    if let problem = parameters.metricParameters.problem(for: metric) { throw ValidationError(problem) }
    guard (1...512).contains(featureSide.value) else {
      throw ValidationError("The feature side is \(featureSide.value); it must be from 1 to 512 pixels.")
    }
    guard maxMegapixels.isFinite, maxMegapixels > 0 else {
      throw ValidationError("The limit for images is \(maxMegapixels) megapixels; it must be above 0.")
    }
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

  @Option(help: ArgumentHelp("Offer to pay for the requests, where the bucket's owner wants that.", valueName: "payer"))
  var requestPayer: RequestPayer?

  @Option(
    name: .customLong("ca-bundle"),
    help: ArgumentHelp("A file of trusted certificate authorities, in PEM form.", valueName: "file"))
  var certificateAuthorities: String?

  @Option(help: ArgumentHelp("Where the bucket's name goes in a request.", valueName: "style"))
  var addressingStyle = StorageOptions.AddressingStyle.auto

  @Option(
    help: ArgumentHelp("Larger files are left out: 500MB, 2GB, or none.", valueName: "size"))
  var maxBytes = ByteSize(bytes: 1_000_000_000)

  @Option(
    help: ArgumentHelp(
      "Share thumbnails, features and layouts in this bucket of the same server; “none” shares nothing.",
      discussion: "Default: tsnetooldata, where it is certainly yours.", valueName: "bucket"))
  var replica = ReplicaChoice.automatic

  @Option(help: ArgumentHelp("What is kept on this computer may take: 5GB, or none.", valueName: "size"))
  var cacheSize = ByteSize(bytes: StoreLimits().bytes)

  @Option(parsing: .unconditional, help: ArgumentHelp("Map a seeded sample of so many images.", valueName: "count"))
  var sample: Int?

  @Flag(help: "Fetch any number of objects without asking.")
  var yes = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Ask before more objects of a bucket than these are fetched.", valueName: "count"))
  var askAbove = 50_000

  @OptionGroup var cache: CacheLocation

  func validate() throws {
    if let sample, sample < 1 { throw ValidationError("The sample is \(sample); it must be at least 1.") }
    if askAbove < 0 {
      throw ValidationError("The number of objects to ask above is \(askAbove); it must not be negative.")
    }
  }

  /// Gives a request what these options say of the store, the replica and the sample.
  func apply(to request: inout MappingRequest) {
    request.replica = replica
    request.storeLimits = StoreLimits(bytes: cacheSize.bytes ?? .max)
    request.sample = sample
    request.allowance?.objects = askAbove
    if yes { request.allowance = nil }
  }

  /// The options as stores take them.
  var options: StorageOptions {
    var options = StorageOptions()
    options.endpointURL = endpointURL
    options.profile = profile
    options.region = region
    options.noSignRequest = noSignRequest
    // Beside the history.
    let history = RecentLocations(environment: options.environment).path
    options.regionFile = (history as NSString).deletingLastPathComponent + "/regions"
    options.requesterPays = requestPayer == .requester
    options.certificateAuthorities = certificateAuthorities
    options.addressingStyle = addressingStyle
    options.maximumBytes = maxBytes.bytes
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
