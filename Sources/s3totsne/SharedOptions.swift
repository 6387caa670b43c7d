import ArgumentParser
import Foundation
import Imaging
import Mapping
import Neighbors
import ObjectStorage
import TSNE

/// The parameters of the map. Numbers take whatever follows them, so that `--perplexity -3` is answered with a reason.
struct LayoutOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "About how many neighbours an image attends to.")
  var perplexity = Given(default: 30.0)

  @Option(
    name: [.customLong("early-exaggeration"), .customLong("exaggeration")], parsing: .unconditional,
    help: "How much stronger attraction is in the first 250 iterations.")
  var earlyExaggeration = Given(default: 12.0)

  @Option(parsing: .unconditional, help: "How much stronger attraction is afterwards.")
  var lateExaggeration = Given(default: 1.0)

  @Option(parsing: .unconditional, help: ArgumentHelp("The step size: auto, or a number.", valueName: "rate"))
  var learningRate = Given(default: TSNEParameters.LearningRate.automatic)

  @Option(help: ArgumentHelp("The distance between images.", valueName: "name"))
  var metric = Given(default: Metric.cosine)

  @Option(parsing: .unconditional, help: "Iterations in all, the first 250 exaggerated.")
  var iterations = Given(default: 1000)

  @Option(help: "Decides everything random.")
  var seed = Given<UInt64>(default: 0)

  @Option(help: "What images are compared by.")
  var features = Given(default: FeatureKind.pixels)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Images are compared as squares of this many pixels a side.", valueName: "pixels"))
  var featureSide = Given(default: 50)

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
    tsne.perplexity = perplexity.value
    tsne.earlyExaggeration = earlyExaggeration.value
    tsne.lateExaggeration = lateExaggeration.value
    tsne.learningRate = learningRate.value
    tsne.iterations = iterations.value
    tsne.seed = seed.value
    return MapParameters(metric: metric.value, tsne: tsne, featureSide: featureSide.value)
  }

  /// Whether a parameter of the map was given, also one with the value that the program starts with.
  var isExplicit: Bool {
    perplexity.isGiven || earlyExaggeration.isGiven || lateExaggeration.isGiven || learningRate.isGiven
      || metric.isGiven || iterations.isGiven || seed.isGiven || features.isGiven || featureSide.isGiven
  }

  /// The decoder's limits.
  var limits: DecodingLimits {
    var limits = DecodingLimits()
    limits.maximumMegapixels = maxMegapixels
    return limits
  }

  func validate() throws {
    guard metric.value.isSupported else {
      throw ValidationError(
        "The distance \(metric.value) cannot be used yet; these can: \(Metric.allValueStrings.joined(separator: ", "))."
      )
    }
    guard (1...10_000).contains(effectiveThreads) else {
      throw ValidationError("The number of threads is \(effectiveThreads); it must be at least 1.")
    }
    guard (1...512).contains(featureSide.value) else {
      throw ValidationError("The feature side is \(featureSide.value); it must be from 1 to 512 pixels.")
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
    help: ArgumentHelp("Larger files are left out: 500MB, 2GB, none (default: 1GB).", valueName: "size"))
  var maxBytes = ByteSize(bytes: 1_000_000_000)

  @OptionGroup var cache: CacheLocation

  /// The options as stores take them.
  var options: StorageOptions {
    var options = StorageOptions()
    options.endpointURL = endpointURL
    options.profile = profile
    options.region = region
    options.noSignRequest = noSignRequest
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
