/// What can be done with buckets beside reading and writing one's objects: for what the program itself keeps in one.
public protocol ObjectRemoval: ObjectStore {
  /// Removes the object; nothing happens where there is none.
  /// - Throws: `StorageError`, `CancellationError`.
  func remove(_ key: ObjectKey) async throws
}

extension BucketStore: ObjectRemoval {
  func remove(_ key: ObjectKey) async throws {
    do {
      _ = try await send(StorageRequest(HTTPRequest(method: .delete, url: ""), .put(key)))
    } catch let error as StorageError where error.kind == .noSuchKey {
      // Some servers say so.
    }
  }

  /// ListBuckets.
  fileprivate func bucketNames() async throws -> [String] {
    var template = HTTPRequest(url: "")
    template.maximumBodyBytes = 16 << 20
    var request = StorageRequest(template, .list)
    // Nobody waits for this answer through an outage: the bucket itself will say that there is one.
    request.waitsOut = false
    guard case .response(let response) = try await send(request) else { return [] }
    var names: [String] = []
    var scanner = XMLScanner(response.body)
    var path: [String] = []
    do {
      while let token = try scanner.next() {
        switch token {
        case .start(let name):
          path.append(name)
          if path.suffix(2) == ["Bucket", "Name"] { names.append("") }
        case .end: _ = path.popLast()
        case .text(let bytes):
          if path.suffix(2) == ["Bucket", "Name"] { names[names.count - 1] += String(decoding: bytes, as: UTF8.self) }
        }
      }
    } catch { return [] }
    return names
  }
}

/// The buckets that belong to whoever the credentials are of (ListBuckets).
/// - Parameter endpoint: The server that the location names, if it names one.
/// - Throws: `StorageError`: many keys may not ask this. `CancellationError`.
public func ownBuckets(endpoint: String?, options: StorageOptions) async throws -> [String] {
  var options = options
  // The server itself is asked, which is a bucket without a name.
  options.addressingStyle = .path
  options.maximumConnections = 1
  let server = try BucketStore(
    location: Location(.bucket(endpoint: endpoint, name: "", prefix: [])), endpoint: endpoint, bucket: "", prefix: [],
    options: options)
  return try await server.bucketNames()
}

/// SHA-256 of bytes, as 64 hexadecimal digits.
public func sha256(_ bytes: [UInt8]) -> String { Digest.hexadecimal(Digest.sha256(bytes)) }
