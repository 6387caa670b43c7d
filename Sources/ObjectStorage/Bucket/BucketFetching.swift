import Synchronization

// Objects, whole or in parts.
extension BucketStore {
  /// Larger objects come in parts of this size, several at one time.
  static let partBytes: Int64 = 8 << 20
  /// Parts of one object at one time.
  private static let partsAtOnce = 4
  /// What probably is no image is asked for its beginning first, where it has more bytes than `doubtfulBytes`.
  private static let probeBytes: Int64 = 4096
  private static let doubtfulBytes: Int64 = 128 << 10
  /// What an object may have grown since it was listed, besides having become twice as large.
  private static let growthBytes: Int64 = 1 << 20
  /// How often reading begins anew because the object changed meanwhile.
  private static let maximumChanges = 3

  func get(_ key: ObjectKey, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?) async throws -> FetchResult {
    try await fetch(key, listed: nil, first: nil, accept: accept)
  }

  func fetch(
    _ object: StoredObject, isDoubtful: Bool, accept: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  ) async throws -> FetchResult {
    var first: Range<Int64>?
    if isDoubtful, accept != nil, object.size > Self.doubtfulBytes {
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
    let grown = listed.map { $0.size.multipliedReportingOverflow(by: 2).partialValue &+ Self.growthBytes }
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
        if let limit, total > limit { throw StorageError.tooLarge(key, size: total, limit: limit) }
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
        throw StorageError.tooLarge(key, size: size, limit: limit ?? size)
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
    let ranges = stride(from: Int64(beginning.count), to: total, by: Int(Self.partBytes)).map {
      $0..<min($0 + Self.partBytes, total)
    }
    return try await withThrowingTaskGroup(of: (Int, PartResult).self) { group in
      var whole = beginning
      whole.reserveCapacity(Int(total))
      var early: [Int: [UInt8]] = [:]
      var begun = 0
      var joined = 0
      while joined < ranges.count {
        while begun < min(ranges.count, joined + Self.partsAtOnce) {
          let (index, range) = (begun, ranges[begun])
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
