import Foundation
import ObjectStorage

extension MappingFailure {
  /// The failure that lies in a location or the way to it.
  init(_ error: StorageError, location: Location) {
    let kind: Kind =
      switch error.kind {
      case .noSuchBucket, .noSuchFolder, .noSuchKey: .notFound
      case .accessDenied, .wrongSecret, .unknownAccessKey, .expiredCredentials, .noCredentials: .accessDenied
      case .unreachable, .insecure, .notS3, .throttled, .serverFailure, .interrupted, .invalidAnswer: .network
      case .configuration: .invalidRequest
      case .archived, .tooLarge, .fileSystem, .badDigest, .refused, .wrongRegion, .clockSkew: .other
      }
    self.init(
      kind: kind, what: "\(location.text) could not be read.",
      why: error.requestID.map { "\(error.message) (request \($0))" } ?? error.message,
      remedy: error.remedy ?? Self.remedy(for: kind), requestID: error.requestID)
  }

  /// Any error as a failure.
  init(_ error: any Error, location: Location) {
    switch error {
    case let failure as MappingFailure: self = failure
    case let error as StorageError: self.init(error, location: location)
    default:
      self.init(
        kind: .other, what: "The map of \(location.text) could not be finished.", why: "\(error)",
        remedy: "What was done is kept; try again.")
    }
    if let hint = Self.folderHint(location) { remedy = [remedy, hint].filter { !$0.isEmpty }.joined(separator: " ") }
  }

  /// A bucket's name typed for a folder beside it is an easy slip.
  private static func folderHint(_ location: Location) -> String? {
    guard case .bucket(nil, let bucket, let prefix) = location.kind else { return nil }
    let path = prefix.isEmpty ? bucket : "\(bucket)/\(String(decoding: prefix.dropLast(), as: UTF8.self))"
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return "There is a folder of that name here: type ./\(path) for it."
  }

  private static func remedy(for kind: Kind) -> String {
    switch kind {
    case .notFound: "Check the name."
    case .accessDenied: "Check the keys, the profile and what they allow, or ask the owner."
    case .network: "Check the network and the endpoint, then try again; what was fetched is kept."
    default: ""
    }
  }

  /// There is nothing at the location.
  static func empty(_ location: Location, similar: String?) -> MappingFailure {
    var remedy = "Check the name, or put images there."
    var why = ""
    if let similar, case .bucket(_, let bucket, let prefix) = location.kind {
      let name = String(decoding: prefix.dropLast(), as: UTF8.self)
      why = "No key begins with “\(name)/”, but keys begin with “\(name)”: “\(similar)”, for instance."
      // The folder in which the names begin to differ.
      if let slash = similar.dropFirst(name.count).firstIndex(of: "/") {
        remedy = "Type \(bucket)/\(similar[..<slash]) to open that folder."
      } else {
        remedy = "Type \(bucket) to open all of the bucket."
      }
    }
    return MappingFailure(kind: .empty, what: "There is nothing in \(location.text).", why: why, remedy: remedy)
  }

  /// There are objects, and none can be shown.
  static func noImages(_ location: Location, otherFiles: Int, leftOut: [MappingReport.LeftOut]) -> MappingFailure {
    var parts: [String] = []
    if otherFiles > 0 { parts.append(otherFiles == 1 ? "1 file, no image" : "\(otherFiles) files, none an image") }
    if !leftOut.isEmpty {
      parts.append(
        leftOut.count == 1 ? "1 image that cannot be shown" : "\(leftOut.count) images that cannot be shown")
    }
    let why = leftOut.first.map { "\($0.key): \($0.reason)" } ?? ""
    return MappingFailure(
      kind: .noImages, what: "\(location.text) holds \(parts.joined(separator: " and ")).", why: why,
      remedy: "JPEG, PNG, WebP, GIF, TIFF and BMP images can be shown, in this folder and all below it.")
  }
}
