import ArgumentParser
import Foundation
import Mapping
import ObjectStorage
import Replica

/// `s3totsne check LOCATION`: why images do not come.
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Say what is resolved for a location, what its server answers, and how to mend what fails.",
    discussion: """
      Looks up credentials, region and endpoint as the AWS command line does, then lists the location and reads one \
      byte of one object. Nothing is written without --test-writing or --replica, and no secret is printed.

      EXAMPLES
        s3totsne check my-bucket/photos
        s3totsne check my-bucket --profile work --offline
        s3totsne check s3://my-bucket/photos --json | jq .error
        s3totsne check my-bucket --test-writing thumbnails

      EXIT CODES
        0 all is well, 1 something fails, 2 wrong usage
      """)

  @Argument(help: "A bucket, a part of one, an access point, or a folder.")
  var location: String

  @Flag(help: "Only resolve: ask nobody.")
  var offline = false

  @Option(
    help: ArgumentHelp(
      "Try whether this bucket of the same server can be written to, and so keep a replica.",
      discussion: "The object for that has a wrong digest, so that no server keeps it.", valueName: "bucket"))
  var testWriting: String?

  @Flag(help: "Print one JSON object: endpoint, url, region, addressing, credentials, error, steps.")
  var json = false

  @OptionGroup(title: "Storage") var storage: StorageArguments

  func validate() throws {
    _ = try parseLocation(location)
    if testWriting != nil, offline { throw ValidationError("--test-writing and --offline exclude each other.") }
  }

  func run() throws {
    let interruption = Interruption()
    let place = try parseLocation(location)
    let (options, choice) = (storage.options, storage.replica)
    let task = Task { [offline, testWriting] in
      let replica: StorageCheck.Replica =
        if let testWriting { .mustBeWritable(testWriting) } else if offline {
          .none("not looked for", remedy: nil)
        } else {
          try await Self.replica(choice, place, options)
        }
      return try await StorageCheck(place, options: options, isOffline: offline, replica: replica).run()
    }
    interruption.onSignal { task.cancel() }
    let result = waitFor { await task.result }
    try interruption.check()
    let report = try result.get()
    if json {
      try writeJSON(Output(report))
    } else {
      for step in report.steps { try writeToStandardOutput(Self.lines(step)) }
    }
    if report.error != nil { throw ExitCode(ExitStatus.failed.rawValue) }
  }

  /// What a job would do.
  private static func replica(
    _ choice: ReplicaChoice, _ location: Location, _ options: StorageOptions
  ) async throws -> StorageCheck.Replica {
    if case .bucket(let name) = choice { return .writing(name) }
    if choice == .none { return .none("none is wanted (--replica none)", remedy: nil) }
    if options.noSignRequest { return .none("none is used anonymously", remedy: nil) }
    let toShare = "To share what is fetched, name a bucket with --replica."
    do {
      let identity = try openStore(location, options: options).identity
      switch try await ReplicaPlace.decide(choice, location: location, storeIdentity: identity, options: options) {
      case .use(let place): return .listing(place.bucket)
      case .ask(let place):
        return .none(
          "“\(place.bucket)” answers, but it may be somebody else's: it is not used without being asked for",
          remedy: "If it is yours: --replica \(place.bucket)")
      case .nothing:
        return .none("none is used: there is no bucket “\(ReplicaPlace.defaultBucket)” of yours", remedy: toShare)
      }
    } catch is StorageError {
      // The check itself says what is wrong.
      return .none("not looked for", remedy: nil)
    }
  }

  private static func lines(_ step: StorageCheck.Step) -> String {
    let mark =
      switch step.outcome {
      case .passed: "ok     "
      case .failed: "FAILED "
      case .noted: "note   "
      case .skipped: "-      "
      }
    var text = "\(mark) \(step.name): \(printable(step.text))\n"
    if let remedy = step.remedy { text += "          \(printable(remedy))\n" }
    return text
  }

  /// The object of `--json`. What is not known is null.
  private struct Output: Encodable {
    let report: StorageCheck.Report

    init(_ report: StorageCheck.Report) { self.report = report }

    enum CodingKeys: String, CodingKey {
      case endpoint, url, region, addressing, credentials, error, steps, version
      case clockOffset = "clock_offset"
      case errorKind = "error_kind"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(report.endpoint, forKey: .endpoint)
      try container.encode(report.url, forKey: .url)
      try container.encode(report.region, forKey: .region)
      try container.encode(report.addressing, forKey: .addressing)
      try container.encode(report.credentials, forKey: .credentials)
      try container.encode(report.clockOffset, forKey: .clockOffset)
      try container.encode(report.error?.description, forKey: .error)
      try container.encode(report.error?.kind.rawValue, forKey: .errorKind)
      try container.encode(
        report.steps.map {
          Step(name: $0.name, outcome: $0.outcome.rawValue, text: $0.text, remedy: $0.remedy)
        }, forKey: .steps)
      try container.encode(s3totsneVersion, forKey: .version)
    }

    private struct Step: Encodable {
      var name: String
      var outcome: String
      var text: String
      var remedy: String?
    }
  }
}

/// Waits on the main thread for something asynchronous, in a command that has nothing else to do.
private func waitFor<Value: Sendable>(_ work: @escaping @Sendable () async -> Value) -> Value {
  let done = DispatchSemaphore(value: 0)
  // Written before the signal and read after it.
  nonisolated(unsafe) var value: Value?
  Task.detached {
    value = await work()
    done.signal()
  }
  done.wait()
  return value!
}
