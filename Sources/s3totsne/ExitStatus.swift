import Foundation
import Mapping

/// What the program answers to the shell.
enum ExitStatus {
  /// Everything was done.
  case done
  /// The job failed.
  case failed
  /// The command line makes no sense.
  case wrongUsage
  /// Done, but some images were left out.
  case someLeftOut
  /// A signal ended it: 130 for SIGINT.
  case interrupted(by: Int32)

  var rawValue: Int32 {
    switch self {
    case .done: 0
    case .failed: 1
    case .wrongUsage: 2
    case .someLeftOut: 3
    case .interrupted(let signal): 128 + signal
    }
  }
}

/// Why a command ended without its result.
struct CommandFailure: Error {
  var exitStatus: ExitStatus
  /// One word for programs.
  var kind: String
  /// Sentences for people.
  var message: String
  /// The server's name of the request that failed.
  var requestID: String?

  init(_ exitStatus: ExitStatus, kind: String, _ message: String, requestID: String? = nil) {
    self.exitStatus = exitStatus
    self.kind = kind
    self.message = message
    self.requestID = requestID
  }

  /// Says it as an object on standard output, for programs.
  func reportAsJSON() {
    // A second failure, to write about the first, leaves nothing to be done.
    try? writeJSON(Report(error: message, errorKind: kind, requestID: requestID, version: s3totsneVersion))
  }

  private struct Report: Encodable {
    var error: String
    var errorKind: String
    var requestID: String?
    var version: String

    enum CodingKeys: String, CodingKey {
      case error, version
      case errorKind = "error_kind"
      case requestID = "request_id"
    }
  }
}
