import Collection
import Foundation
import ObjectStorage

/// Opens an image in the desktop's own viewer.
enum ExternalViewer {
  /// Opens the image of `entry`: a local file as it is, an object of a bucket as a private copy in the user's runtime
  /// directory. Answers a sentence when it could not.
  static func open(_ entry: CollectionEntry, of collection: ImageCollection) async -> String? {
    let path: String
    switch collection.location.kind {
    case .folder:
      path = collection.location.address(of: entry.object.key)
    case .bucket:
      do {
        guard case .bytes(let bytes, _) = try await collection.store.get(entry.object) else {
          return "The original could not be read."
        }
        path = try copy(bytes, name: entry.object.key.lastComponent)
      } catch {
        return "The original could not be fetched: \(error)"
      }
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = ["xdg-open", path]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
      return nil
    } catch {
      return "xdg-open could not be started: install xdg-utils to open images in another program."
    }
  }

  private static func copy(_ bytes: [UInt8], name: String) throws -> String {
    let environment = ProcessInfo.processInfo.environment
    let parent = environment["XDG_RUNTIME_DIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSTemporaryDirectory()
    let directory = URL(fileURLWithPath: parent).appendingPathComponent("s3totsne-\(UUID().uuidString)")
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    // A key may end in anything; the file gets only what every viewer takes.
    let safe = String(name.map { $0 == "/" || $0 == "\0" || $0.isNewline ? "_" : $0 }.suffix(120))
    let file = directory.appendingPathComponent(safe.isEmpty || safe.hasPrefix(".") ? "image" + safe : safe)
    try Data(bytes).write(to: file)
    return file.path
  }
}
