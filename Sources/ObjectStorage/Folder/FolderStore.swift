import Foundation
import Synchronization

/// A local folder, read as if it were a bucket.
final class FolderStore: ObjectStore {
  let location: Location
  let identity: String
  let maximumBytes: Int64?

  /// The path without links.
  private let root: [UInt8]
  private let counters = RequestCounters()
  private let lane = BlockingLane(label: "folder", width: 4)
  private let problems = Mutex<[ListingProblem]>([])

  /// What `accept` sees at least, as far as the file has it.
  private static let headBytes = 4096
  private static let chunkBytes = 1 << 20
  private static let reservedBytes = 1 << 30
  /// The first page is small, so that it comes at once.
  private static let pageSizes = (first: 64, later: 1000)

  init(location: Location, path: [UInt8], options: StorageOptions) throws(StorageError) {
    self.location = location
    maximumBytes = options.maximumBytes
    let shown = String(decoding: path, as: UTF8.self)
    guard let root = realPath(path) else {
      let failure = SystemFailure(code: errno)
      if failure.code == EACCES {
        throw StorageError(
          .accessDenied, "The folder \(shown) cannot be reached: \(failure.reason).", remedy: "Check its permissions.")
      }
      throw StorageError(.noSuchFolder, "There is no folder \(shown).", remedy: "Check the path.")
    }
    guard let status = try? FileStatus(root, in: AT_FDCWD), status.isDirectory else {
      throw StorageError(.noSuchFolder, "\(shown) is no folder.", remedy: "Name the folder it lies in.")
    }
    self.root = root
    identity = "folder|" + String(decoding: PercentEncoding.encode(root, safe: PercentEncoding.keySafe), as: UTF8.self)
  }

  var counts: RequestCounts { counters.counts }

  var listingProblems: [ListingProblem] { problems.withLock { $0 } }

  // MARK: - Listing

  func list() -> AsyncThrowingStream<[StoredObject], any Error> {
    AsyncThrowingStream { continuation in
      let ended = Flag()
      continuation.onTermination = { _ in ended.raise() }
      DispatchQueue(label: "folder listing", qos: .utility).async {
        do {
          try self.walk(isEnded: { ended.isRaised }, deliver: { continuation.yield($0) })
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
    }
  }

  private func walk(isEnded: () -> Bool, deliver: ([StoredObject]) -> Void) throws(StorageError) {
    do {
      var walk = try DirectoryWalk(root: root)
      var page: [StoredObject] = []
      var counted = 0
      var pageSize = Self.pageSizes.first
      while !isEnded() {
        let object = walk.next()
        counters.list.wrappingAdd(walk.directoryCount - counted, ordering: .relaxed)
        counted = walk.directoryCount
        if let object { page.append(object) }
        if object == nil || page.count == pageSize {
          if !page.isEmpty { deliver(page) }
          page = []
          pageSize = Self.pageSizes.later
        }
        guard object != nil else {
          let found = walk.problems
          problems.withLock { $0 = found }
          return
        }
      }
    } catch {
      throw StorageError(
        error.code == EACCES ? .accessDenied : .fileSystem,
        "The folder \(location.text) cannot be read: \(error.reason).",
        remedy: error.code == EACCES ? "Check its permissions." : nil)
    }
  }

  // MARK: - Objects

  func get(_ key: ObjectKey, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?) async throws -> FetchResult {
    counters.get.increment()
    return try await lane.run(isUrgent: Task.currentPriority >= .userInitiated) { isCancelled in
      try self.read(key, accept: accept, isCancelled: isCancelled)
    }
  }

  private func read(
    _ key: ObjectKey, accept: ((UnsafeRawBufferPointer) -> Bool)?, isCancelled: () -> Bool
  ) throws -> FetchResult {
    let path = try path(of: key)
    do {
      // Without waiting, should the file have become a pipe.
      let file = try FileDescriptor(path, flags: O_RDONLY | O_NONBLOCK)
      let status = try FileStatus(of: file.number)
      guard status.isRegularFile else { throw StorageError(.noSuchKey, "\(location.address(of: key)) is no file.") }
      if let limit = maximumBytes, status.size > limit {
        throw StorageError.tooLarge(key, size: status.size, limit: limit)
      }
      var bytes: [UInt8] = []
      // One more than the size says, to see the end without growing.
      let expected = Int(clamping: min(status.size, .max - 1)) + 1
      // A file with holes may name any size.
      bytes.reserveCapacity(min(expected, Self.reservedBytes))
      var isJudged = accept == nil
      while true {
        if isCancelled() { throw CancellationError() }
        let wanted = min(isJudged ? Self.chunkBytes : Self.headBytes - bytes.count, max(expected - bytes.count, 1))
        let count = try file.append(to: &bytes, atMost: wanted)
        counters.bytesFetched.wrappingAdd(Int64(count), ordering: .relaxed)
        if let limit = maximumBytes, bytes.count > limit {
          throw StorageError.tooLarge(key, size: Int64(bytes.count), limit: limit)
        }
        if !isJudged, count == 0 || bytes.count >= Self.headBytes {
          isJudged = true
          if let accept, !bytes.withUnsafeBytes(accept) { return .rejected(head: bytes) }
        }
        if count == 0 { return .bytes(bytes, etag: status.tag) }
      }
    } catch let failure as SystemFailure {
      throw error(failure, key, "read")
    }
  }

  func link(to key: ObjectKey, validFor seconds: Int) async throws -> String {
    "file://"
      + String(decoding: PercentEncoding.encode(try path(of: key), safe: PercentEncoding.keySafe), as: UTF8.self)
  }

  func put(_ key: ObjectKey, _ body: [UInt8], contentType: String) async throws {
    counters.put.increment()
    try await lane.run { _ in try self.write(key, body) }
  }

  /// Beside its place and then renamed: nobody ever sees half a file.
  private func write(_ key: ObjectKey, _ body: [UInt8]) throws {
    let path = try path(of: key)
    do {
      try makeFolders(above: path)
      let temporary = path + Array(".\(UInt64.random(in: 0...UInt64.max)).part".utf8)
      do {
        let file = try FileDescriptor(temporary, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o666)
        var written = 0
        while written < body.count {
          written += try body.withUnsafeBytes { buffer in
            try SystemFailure.retrying {
              Foundation.write(file.number, buffer.baseAddress! + written, body.count - written)
            }
          }
        }
        try SystemFailure.retrying { fsync(file.number) }
        try SystemFailure.retrying { temporary.withCString { from in path.withCString { rename(from, $0) } } }
      } catch {
        _ = temporary.withCString { unlink($0) }
        throw error
      }
    } catch let failure as SystemFailure {
      throw error(failure, key, "written")
    }
  }

  private func makeFolders(above path: [UInt8]) throws(SystemFailure) {
    for index in path.indices where index > root.count && path[index] == UInt8(ascii: "/") {
      do {
        try SystemFailure.retrying { Array(path[..<index]).withCString { mkdir($0, 0o777) } }
      } catch  where error.code == EEXIST {}
    }
  }

  /// - Throws: `StorageError` for keys that lead out of the folder.
  private func path(of key: ObjectKey) throws(StorageError) -> [UInt8] {
    let parts = key.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isInside = parts.allSatisfy { !$0.isEmpty && $0 != Array(".".utf8)[...] && $0 != Array("..".utf8)[...] }
    guard isInside, !key.bytes.contains(0) else {
      throw StorageError(.noSuchKey, "“\(key)” is no file below \(location.text).")
    }
    return (root == [UInt8(ascii: "/")] ? root : root + [UInt8(ascii: "/")]) + key.bytes
  }

  private func error(_ failure: SystemFailure, _ key: ObjectKey, _ attempt: String) -> StorageError {
    let file = location.address(of: key)
    return switch failure.code {
    case ENOENT, ENOTDIR: StorageError(.noSuchKey, "\(file) does not exist (any more).")
    case EACCES, EPERM, EROFS:
      StorageError(.accessDenied, "\(file) cannot be \(attempt): \(failure.reason).", remedy: "Check its permissions.")
    default: StorageError(.fileSystem, "\(file) cannot be \(attempt): \(failure.reason).")
    }
  }
}

/// Something that happens once, told to another thread.
private final class Flag: Sendable {
  private let value = Atomic(false)
  var isRaised: Bool { value.load(ordering: .relaxed) }
  func raise() { value.store(true, ordering: .relaxed) }
}
