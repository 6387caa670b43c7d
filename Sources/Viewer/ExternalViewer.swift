import Collection
import Foundation
import Imaging
import ObjectStorage

/// Opens an image in the desktop's own viewer.
enum ExternalViewer {
  /// Private copies of objects: not on the cooperative pool, for writing waits for the disk.
  private static let queue = DispatchQueue(label: "external viewer", qos: .userInitiated)
  private static let prefix = "s3totsne-\(getpid())-"

  /// Opens the image of `entry`: a local file as it is, an object of a bucket as a private copy in the user's runtime
  /// directory. Answers a sentence when it could not.
  static func open(_ entry: CollectionEntry, of collection: ImageCollection) async -> String? {
    let address = collection.location.address(of: entry.object.key)
    if case .folder = collection.location.kind, FileManager.default.fileExists(atPath: address) {
      return await start(address)
    }
    do {
      guard case .bytes(let bytes, _) = try await collection.store.get(entry.object) else {
        return "The original could not be read."
      }
      let path = try await withCheckedThrowingContinuation { continuation in
        queue.async { continuation.resume(with: Result { try copy(bytes) }) }
      }
      return await start(path)
    } catch {
      return "The original could not be fetched: \(error)"
    }
  }

  /// Removes the copies that this program made.
  static func removeCopies() {
    let directory = parent
    for name in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [] where name.hasPrefix(prefix) {
      try? FileManager.default.removeItem(atPath: directory + "/" + name)
    }
  }

  private static func start(_ path: String) async -> String? {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["xdg-open", path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let status: Int32? = await withCheckedContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch {
        process.terminationHandler = nil
        continuation.resume(returning: nil)
      }
    }
    switch status {
    case 0: return nil
    case 127, nil: return "Install xdg-utils to open images in another program: there is no xdg-open."
    default: return "The desktop has no program that opens this image."
    }
  }

  private static var parent: String {
    let directory = ProcessInfo.processInfo.environment["XDG_RUNTIME_DIR"] ?? ""
    return directory.hasPrefix("/") ? directory : NSTemporaryDirectory()
  }

  /// The name says what the bytes are: the ending of a key must not choose the program that opens a stranger's file.
  private static func copy(_ bytes: [UInt8]) throws -> String {
    guard let format = bytes.withUnsafeBytes({ sniffFormat($0) }) else { throw CocoaError(.fileReadCorruptFile) }
    let directory = URL(fileURLWithPath: parent).appendingPathComponent(prefix + UUID().uuidString)
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let file = directory.appendingPathComponent("image.\(format.rawValue)")
    try Data(bytes).write(to: file)
    return file.path
  }
}
