import ArgumentParser
import Dispatch
import Foundation
import ObjectStorage
import Replica
import Synchronization

/// `s3totsne replica`: for the owner of a bucket that holds what others share.
struct ReplicaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replica", abstract: "Check or remove what is shared of a location in a bucket.",
    subcommands: [Check.self, Drop.self])

  /// Reads all of it.
  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Read everything that is shared of a location, and say what is damaged.")

    @Argument(help: "The location whose pictures are shared.") var location: String
    @OptionGroup(title: "Storage") var storage: StorageArguments
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
      let place = try storage.replicaPlace(of: location)
      let options = storage.options
      let summary = try waiting { try await ReplicaInspection.check(place, options: options) }
      if json {
        try writeJSON(summary)
      } else {
        try writeToStandardOutput(
          "\(printable(summary.place)): \(summary.images) images, \(summary.layouts) layouts, \(summary.objects) objects, "
            + "\(bytesText(summary.bytes))" + (summary.unused > 0 ? ", \(summary.unused) of them unused" : "") + ".\n")
      }
      for problem in summary.problems { writeToStandardError(printable(problem)) }
      if !summary.problems.isEmpty { throw ExitCode(ExitStatus.failed.rawValue) }
    }
  }

  /// Removes all of it.
  struct Drop: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove everything that is shared of a location. The pictures themselves are not touched.")

    @Argument(help: "The location whose pictures are shared.") var location: String
    @OptionGroup(title: "Storage") var storage: StorageArguments

    func run() throws {
      let place = try storage.replicaPlace(of: location)
      let options = storage.options
      let count = try waiting { try await ReplicaInspection.drop(place, options: options) }
      try writeToStandardOutput("Removed \(count) objects from \(printable(place.location.text)).\n")
    }
  }
}

extension StorageArguments {
  /// The place that a location's replica has, by `--replica` or its default.
  fileprivate func replicaPlace(of text: String) throws -> ReplicaPlace {
    let bucket =
      switch replica {
      case .bucket(let name): name
      case .automatic: ReplicaPlace.defaultBucket
      case .none: throw ValidationError("--replica none: there is nothing to look at.")
      }
    guard let place = ReplicaPlace(for: try parseLocation(text), in: bucket) else {
      throw ValidationError("“\(text)” is a folder; only what lies in a bucket is shared in one.")
    }
    return place
  }
}

/// Runs a task to its end from the main thread, which has nothing else to do.
private func waiting<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
  let outcome = Mutex<Result<Value, any Error>?>(nil)
  let done = DispatchSemaphore(value: 0)
  let task = Task.detached {
    let result: Result<Value, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    outcome.withLock { $0 = result }
    done.signal()
  }
  let interruption = Interruption()
  interruption.onSignal { task.cancel() }
  done.wait()
  try interruption.check()
  switch outcome.withLock({ $0 }) {
  case .success(let value): return value
  case .failure(let error as StorageError):
    throw CommandFailure(.failed, kind: error.kind.rawValue, printable("\(error)"))
  case .failure(let error): throw error
  case nil: throw CancellationError()
  }
}
