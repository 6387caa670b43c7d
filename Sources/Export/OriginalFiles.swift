public import Collection
import Dispatch
import Foundation
import ObjectStorage
import Synchronization

/// The originals of some images as files below a folder, in the sub-folders that their keys name.
public struct OriginalFiles: Sendable {
  /// What became of it.
  public struct Outcome: Sendable, Hashable {
    /// Files that were written.
    public var written = 0
    /// What could not be fetched or written: the key, and why.
    public var failures: [(key: String, reason: String)] { problems.map { ($0.key, $0.reason) } }
    var problems: [Problem] = []

    struct Problem: Hashable {
      var key: String
      var reason: String
    }
  }

  /// Fetches at the same time.
  private static let width = 8
  /// Names longer than this, in bytes, are cut; file systems take 255.
  private static let longestName = 200

  private let images: [(entry: CollectionEntry, path: String)]
  private let collection: ImageCollection
  private let folder: String
  private static let queue = DispatchQueue(label: "original files", qos: .utility, attributes: .concurrent)

  /// How many there are.
  public var count: Int { images.count }
  /// How many bytes they have, as far as the listing tells.
  public var bytes: Int64 {
    // Files with holes may name any size.
    images.reduce(0) { sum, image in
      let (next, isTooMuch) = sum.addingReportingOverflow(max(0, image.entry.object.size))
      return isTooMuch ? .max : next
    }
  }

  /// The images in `slots`, to be written below `folder`, which need not exist.
  public init(_ slots: [Int], of collection: ImageCollection, in folder: String) {
    self.collection = collection
    self.folder = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    var prefix = 0
    if case .bucket(_, _, let common) = collection.location.kind { prefix = common.count }
    var used: Set<String> = []
    images = slots.compactMap { collection.entry($0) }.sorted { $0.object.key < $1.object.key }.map { entry in
      (entry, Self.free(Self.relativePath(Array(entry.object.key.bytes.dropFirst(prefix))), &used))
    }
  }

  /// The path that a key names, made harmless: it stays below the folder, and has neither control characters nor bytes that
  /// are no UTF-8 in it.
  static func relativePath(_ key: [UInt8]) -> String {
    let parts = key.split(separator: UInt8(ascii: "/")).compactMap { part -> String? in
      if part.elementsEqual(".".utf8) { return nil }
      if part.elementsEqual("..".utf8) { return "_" }
      let name = escapedKey(Array(part)).replacing("\\", with: "_")
      return name.utf8.count <= longestName ? name : shortened(name)
    }
    return parts.isEmpty ? "image" : parts.joined(separator: "/")
  }

  /// The beginning of a name and its ending.
  private static func shortened(_ name: String) -> String {
    let suffix = fileExtension(name)
    let ending = suffix.isEmpty || suffix.utf8.count > 10 ? "" : "." + suffix
    var start = ""
    for character in name {
      if start.utf8.count + String(character).utf8.count + ending.utf8.count > longestName { break }
      start.append(character)
    }
    return start + ending
  }

  /// A path that no other image of this export has.
  private static func free(_ path: String, _ used: inout Set<String>) -> String {
    var candidate = path
    var number = 2
    while !used.insert(candidate).inserted {
      candidate = numbered(path, number)
      number += 1
    }
    return candidate
  }

  private static func numbered(_ path: String, _ number: Int) -> String {
    let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
    guard let dot = path[slash...].lastIndex(of: "."), dot > slash else { return "\(path) (\(number))" }
    return "\(path[..<dot]) (\(number))\(path[dot...])"
  }

  /// Fetches and writes them. Files that are there already stay as they are, and the new ones get another name. Ends early
  /// when its task is cancelled.
  /// - Parameter progress: Called after every file, with how many are done.
  public func write(progress: @escaping @Sendable (Int) -> Void) async -> Outcome {
    let tally = Tally()
    await withTaskGroup(of: Void.self) { group in
      var next = images.makeIterator()
      for _ in 0..<Self.width {
        guard let (entry, path) = next.next() else { break }
        group.addTask { await copy(entry, to: path, tally, progress) }
      }
      while await group.next() != nil {
        guard !Task.isCancelled, let (entry, path) = next.next() else { continue }
        group.addTask { await copy(entry, to: path, tally, progress) }
      }
    }
    return tally.outcome.withLock { $0 }
  }

  /// What became of the files so far.
  private final class Tally: Sendable {
    let outcome = Mutex(Outcome())
  }

  private func copy(
    _ entry: CollectionEntry, to path: String, _ tally: Tally, _ progress: @Sendable (Int) -> Void
  ) async {
    do {
      guard case .bytes(let bytes, _) = try await collection.store.get(entry.object) else {
        throw ExportError("It could not be read.")
      }
      try await save(bytes, at: path)
      tally.outcome.withLock { $0.written += 1 }
    } catch is CancellationError {
      return
    } catch {
      tally.outcome.withLock {
        $0.problems.append(Outcome.Problem(key: entry.object.key.displayName, reason: "\(error)"))
      }
    }
    progress(tally.outcome.withLock { $0.written + $0.problems.count })
  }

  private func save(_ bytes: [UInt8], at path: String) async throws {
    let target = folder + "/" + path
    try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
      Self.queue.async { continuation.resume(with: Result { try Self.create(target, bytes) }) }
    }
  }

  /// Writes a new file, the folders above it included.
  private static func create(_ path: String, _ bytes: [UInt8]) throws {
    let slash = path.lastIndex(of: "/") ?? path.startIndex
    try FileManager.default.createDirectory(
      atPath: String(path[..<slash]), withIntermediateDirectories: true)
    var candidate = path
    var number = 2
    // Exclusive: neither a file of this name nor what a link of this name points to is written over.
    var descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    while descriptor < 0, errno == EEXIST, number < 10_000 {
      candidate = numbered(path, number)
      number += 1
      descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    }
    guard descriptor >= 0 else { throw ExportError("\(path) cannot be written: \(String(cString: strerror(errno))).") }
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0 {
        if errno == EINTR { continue }
        let code = errno
        unlink(candidate)
        throw ExportError("\(path) cannot be written: \(String(cString: strerror(code))).")
      }
      rest = rest.dropFirst(count)
    }
  }
}
