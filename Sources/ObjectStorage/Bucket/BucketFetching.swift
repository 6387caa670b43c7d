import Synchronization

// Objects, whole or in parts.
extension BucketStore {
  /// Larger objects come in parts of this size, several at one time.
  static let partBytes: Int64 = 8 << 20
  /// Parts of one object at one time.
  private static let partsAtOnce = 4
  /// The beginning that is asked for first of what may not be accepted.
  private static let probeBytes: Int64 = 4096
  /// Smaller objects are asked for whole.
  private static let openBytes: Int64 = 128 << 10
  private static let unlikelyBytes: Int64 = 8 << 10
  /// What an object may have grown since it was listed, besides having become twice as large.
  private static let growthBytes: Int64 = 1 << 20
  /// Memory that is asked for at once for an object in parts; for more when it has come.
  private static let reservedBytes: Int64 = 1 << 30
  /// How often reading begins anew because the object changed meanwhile.
  private static let maximumChanges = 3

  func get(_ key: ObjectKey, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?) async throws -> FetchResult {
    try await fetch(key, listed: nil, first: nil, accept: accept)
  }

  func fetch(
    _ object: StoredObject, expected: Acceptance, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  ) async throws -> FetchResult {
    var first: Range<Int64>?
    let whole: Int64 =
      switch expected {
      case .likely: .max
      case .open: Self.openBytes
      case .unlikely: Self.unlikelyBytes
      }
    if accept != nil, object.size > whole {
      first = 0..<Self.probeBytes
    } else if object.size > Self.partBytes {
      first = 0..<Self.partBytes
    }
    return try await fetch(object.key, listed: object, first: first, accept: accept)
  }

  private func fetch(
    _ key: ObjectKey, listed: StoredObject?, first: Range<Int64>?,
    accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  ) async throws -> FetchResult {
    // A server that lists small objects and sends large ones must not fill the memory.
    let grown = listed.map { 2 * min($0.size, ListingRules.maximumSize) + Self.growthBytes }
    let limit = [maximumBytes, grown].compactMap { $0 }.filter { $0 > 0 }.min()
    var first = first
    var listed = listed
    for _ in 0..<Self.maximumChanges {
      switch try await part(key, PartDownload(range: first, listed: listed), limit: limit, accept: accept) {
      case .rejected(let head): return .rejected(head: head)
      case .changed:
        first = nil
        listed = nil
      case .bytes(let bytes, let tag, let total):
        guard let total, total > bytes.count else { return .bytes(bytes, etag: tag) }
        if let limit, total > limit { throw tooLarge(key, size: total) }
        if let whole = try await rest(of: key, after: bytes, total: total, tag: tag) {
          return .bytes(whole, etag: tag)
        }
        first = nil
        listed = nil
      }
    }
    throw StorageError(
      .interrupted, "“\(key)” changed again and again while it was read from bucket “\(bucket)”.",
      remedy: "Try again when nobody writes to it.")
  }

  private enum PartResult: Sendable {
    case bytes([UInt8], tag: String, total: Int64?)
    case rejected(head: [UInt8])
    case changed
  }

  /// Fetches one part, carried on where it breaks off.
  private func part(
    _ key: ObjectKey, _ start: PartDownload, limit: Int64?, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  ) async throws -> PartResult {
    let counters = counters
    var download = start
    var template = HTTPRequest(url: "")
    template.isUrgent = Task.currentPriority >= .userInitiated
    template.maximumBodyBytes = limit
    template.received = { counters.bytesFetched.wrappingAdd(Int64($0), ordering: .relaxed) }
    var request = StorageRequest(template, .get(key))
    // Who waits in front of the screen is told at once.
    request.waitsOut = !template.isUrgent
    request.isForeign = { Self.isWebPage($0, insteadOf: start.listed) }
    var attempts = StorageAttempts()
    // How many bytes were refused that are too few to be judged.
    var shortHead: Int?
    while true {
      request.template.accept = download.bytes.isEmpty ? accept : nil
      request.headers = download.headers
      request.isEnough = { [download] in
        var whole = download
        return whole.take($0, isComplete: false) == .complete
      }
      request.statuses = request.headers.isEmpty ? [] : [412, 416]
      let verdict: PartDownload.Verdict
      let before = download.bytes.count
      switch try await attempt(request, &attempts) {
      case .success(.rejected(let head)):
        // Twice the same: then the listing is wrong.
        guard download.isTooShort(head), shortHead != head.count else { return .rejected(head: head) }
        shortHead = head.count
        try await wait(after: contradiction(key, "it ends after \(head.count) bytes"), request, .free, &attempts)
        continue
      case .success(.tooLarge(let size)):
        throw tooLarge(key, size: size)
      case .success(.response(let response)):
        verdict = download.take(response, isComplete: true)
        if verdict == .incomplete {
          try await wait(
            after: contradiction(key, "it ends after \(download.bytes.count) bytes"), request, .free, &attempts)
        }
      case .again(let partial):
        guard let partial else { continue }
        verdict = download.take(partial, isComplete: false)
      }
      switch verdict {
      case .complete: return .bytes(download.bytes, tag: download.tag ?? "", total: download.total)
      case .changed: return .changed
      case .broken(let why): try await wait(after: contradiction(key, why), request, .free, &attempts)
      case .incomplete:
        // What comes closer to its end is no failure.
        if download.bytes.count - before > 64 << 10 { attempts = StorageAttempts() }
      }
    }
  }

  /// Whether an answer is a page that somebody on the way sends instead of the object: every server names an ETag.
  static func isWebPage(_ response: HTTPResponse, insteadOf listed: StoredObject?) -> Bool {
    guard response.status == 200, response[header: "etag"] == nil,
      response[header: "content-type"]?.lowercased().hasPrefix("text/html") == true
    else { return false }
    return listed.map { response.contentLength != $0.size } ?? true
  }

  /// - Parameter size: As far as known.
  private func tooLarge(_ key: ObjectKey, size: Int64) -> StorageError {
    if let maximumBytes, size > maximumBytes { return .tooLarge(key, size: size, limit: maximumBytes) }
    return StorageError(
      .tooLarge, "“\(key)” in bucket “\(bucket)” has \(size) bytes or more, and was listed as much smaller.",
      remedy: "List the bucket again; if it stays like this, it is a fault of the server.")
  }

  private func contradiction(_ key: ObjectKey, _ why: String) -> FailureReading {
    FailureReading(
      error: StorageError(
        .interrupted, "“\(key)” could not be read from bucket “\(bucket)”: \(serverText) answers wrongly (\(why)).",
        remedy: "Try again; this is a fault of the server."),
      retry: .transient(retryAfter: nil))
  }

  /// The rest of an object whose beginning is known, in parts, some of them at one time.
  /// - Returns: The whole; nil where it is another object by now.
  private func rest(of key: ObjectKey, after beginning: [UInt8], total: Int64, tag: String) async throws -> [UInt8]? {
    // Nothing is taken in advance for a length that may be a lie.
    let first = Int64(beginning.count)
    let count = Int((total - first - 1) / Self.partBytes) + 1
    func range(_ index: Int) -> Range<Int64> {
      let start = first + Int64(index) * Self.partBytes
      return start..<(start + min(Self.partBytes, total - start))
    }
    return try await withThrowingTaskGroup(of: (Int, PartResult).self) { group in
      var whole = beginning
      whole.reserveCapacity(Int(min(total, Self.reservedBytes)))
      var early: [Int: [UInt8]] = [:]
      var begun = 0
      var joined = 0
      while joined < count {
        while begun < min(count, joined + Self.partsAtOnce) {
          let (index, range) = (begun, range(begun))
          group.addTask {
            let start = PartDownload(range: range, tag: tag)
            return (index, try await self.part(key, start, limit: range.upperBound - range.lowerBound, accept: nil))
          }
          begun += 1
        }
        guard let (index, result) = try await group.next() else { break }
        guard case .bytes(let bytes, _, _) = result else {
          group.cancelAll()
          return nil
        }
        early[index] = bytes
        while let next = early.removeValue(forKey: joined) {
          whole += next
          joined += 1
        }
      }
      return whole
    }
  }
}

extension FailureReading {
  /// A failure that no single answer tells.
  init(error: StorageError, retry: RetryClass) {
    self.error = error
    self.retry = retry
  }
}
