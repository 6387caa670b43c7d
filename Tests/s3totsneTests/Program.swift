import Foundation
import TestSupport

/// The built program, run with a store and a home of its own, and with no display.
struct Program {
  let home: TemporaryDirectory
  var environment: [String: String?]

  init() throws {
    home = try TemporaryDirectory("home")
    environment = [
      "HOME": home.path, "XDG_CACHE_HOME": nil, "XDG_STATE_HOME": nil, "DISPLAY": nil, "WAYLAND_DISPLAY": nil,
      "AWS_ACCESS_KEY_ID": nil, "AWS_SECRET_ACCESS_KEY": nil, "AWS_SESSION_TOKEN": nil, "AWS_PROFILE": nil,
      "AWS_ENDPOINT_URL": nil, "AWS_REGION": nil, "AWS_EC2_METADATA_DISABLED": "true",
    ]
  }

  /// Runs it to its end.
  func callAsFunction(_ arguments: String..., directory: String? = nil) async throws -> ProcessResult {
    try await run(try builtExecutable("s3totsne"), arguments, environment: environment, directory: directory)
  }

  /// Starts it.
  func start(_ arguments: String...) throws -> ChildProcess {
    try ChildProcess(try builtExecutable("s3totsne"), arguments, environment: environment)
  }
}

extension ProcessResult {
  /// Standard output as one JSON object.
  var json: [String: Any] {
    get throws {
      guard let object = try JSONSerialization.jsonObject(with: Data(output)) as? [String: Any] else {
        throw TestSupportError("No JSON object on standard output: \(outputText)")
      }
      return object
    }
  }
}

/// Some of the sample pictures, copied: 26 images in two folders.
func someSamples() throws -> TemporaryDirectory {
  let folder = try TemporaryDirectory("pictures")
  for subject in ["balloons", "signs"] { try folder.copy(sampleImages + "/" + subject, to: subject) }
  return folder
}
