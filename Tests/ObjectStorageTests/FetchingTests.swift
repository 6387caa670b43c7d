import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Objects in parts, and objects of which only the beginning is wanted.
@Suite(.timeLimit(.minutes(10))) struct FetchingTests {
  private let content: [UInt8]

  init() {
    var random = SplitMix64(seed: 9)
    // Three parts, the last one short.
    content = (0..<(20_000_003 / 8 + 1)).flatMap { _ in
      withUnsafeBytes(of: UInt64.random(in: .min ... .max, using: &random)) { Array($0) }
    }
  }

  private func open(_ endpoint: String) throws -> any ObjectStore {
    var options = StorageOptions(environment: [
      "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    ])
    options.noSignRequest = true
    return try openStore(Location(.bucket(endpoint: endpoint, name: "photos", prefix: [])), options: options)
  }

  /// As S3 answers, ranges and conditions included.
  private func answer(_ request: FaultServer.Request, _ content: [UInt8], tag: String) -> FaultServer.Reply {
    if let wanted = request.headers["if-match"], wanted != "\"\(tag)\"" { return .answer(412) }
    guard let text = request.headers["range"]?.dropFirst("bytes=".count) else {
      return .content(200, headers: ["ETag": "\"\(tag)\""], body: content)
    }
    let ends = text.split(separator: "-").compactMap { Int($0) }
    guard let first = ends.first, first < content.count else {
      return .answer(416, headers: ["Content-Range": "bytes */\(content.count)"])
    }
    let last = min(ends.count > 1 ? ends[1] : .max, content.count - 1)
    return .content(
      206,
      headers: ["ETag": "\"\(tag)\"", "Content-Range": "bytes \(first)-\(last)/\(content.count)"],
      body: Array(content[first...last]))
  }

  private func object(_ count: Int, tag: String = "one") -> StoredObject {
    StoredObject(key: ObjectKey("x"), size: Int64(count), etag: tag)
  }

  @Test("a large object comes in parts, several at one time, all of the same object")
  func parts() async throws {
    let server = try FaultServer { answer($0, content, tag: "one") }
    guard case .bytes(let bytes, let tag) = try await open(server.endpoint).get(object(content.count)) else {
      Issue.record("refused")
      return
    }
    #expect(bytes == content && tag == "one")
    let ranges = server.requests.compactMap { $0.headers["range"] }
    #expect(Set(ranges) == ["bytes=0-8388607", "bytes=8388608-16777215", "bytes=16777216-\(content.count - 1)"])
    #expect(server.requests.dropFirst().allSatisfy { $0.headers["if-match"] == "\"one\"" })
  }

  @Test("a large object that is replaced while it is read comes whole and new")
  func replaced() async throws {
    let other = Array(content.reversed())
    let server = try FaultServer { request in
      request.number == 0 ? answer(request, content, tag: "one") : answer(request, other, tag: "two")
    }
    guard case .bytes(let bytes, let tag) = try await open(server.endpoint).get(object(content.count)) else {
      Issue.record("refused")
      return
    }
    #expect(bytes == other && tag == "two")
  }

  @Test("a server without ranges gives a large object at once")
  func withoutRanges() async throws {
    let server = try FaultServer { _ in .content(200, headers: ["ETag": "one"], body: content) }
    guard case .bytes(let bytes, _) = try await open(server.endpoint).get(object(content.count)) else {
      Issue.record("refused")
      return
    }
    #expect(bytes == content)
    #expect(server.requests.count == 1)
  }

  @Test("of what turns out to be no image, only the first bytes come; of what does, all")
  func doubtful() async throws {
    let server = try FaultServer { answer($0, content, tag: "one") }
    let store = try open(server.endpoint)
    for _ in 0..<10 {
      guard
        case .rejected(let head) = try await store.get(object(content.count), expected: .open, accept: { _ in false })
      else {
        Issue.record("accepted")
        return
      }
      #expect(head.starts(with: content.prefix(32)))
    }
    #expect(store.counts.bytesFetched <= 10 * 4096 && server.connectionCount == 1)
    guard
      case .bytes(let bytes, _) = try await store.get(object(content.count), expected: .open, accept: { _ in true })
    else {
      Issue.record("refused")
      return
    }
    #expect(bytes == content)
  }

  @Test("what broke off is carried on by a range of the same object, or fetched anew where it changed")
  func resumed() async throws {
    let small = Array(content.prefix(200_000))
    let changed = Array(content.suffix(150_000))
    for (later, tag) in [(small, "one"), (changed, "two")] {
      let server = try FaultServer { request in
        guard request.number == 0 else { return answer(request, later, tag: tag) }
        return .raw(
          Array("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nETag: \"one\"\r\n\r\n".utf8) + small.prefix(70_000))
      }
      guard case .bytes(let bytes, let found) = try await open(server.endpoint).get(object(small.count)) else {
        Issue.record("refused")
        return
      }
      #expect(bytes == later && found == tag)
      #expect(server.requests[1].headers["range"]?.hasPrefix("bytes=") == true)
      #expect(server.requests[1].headers["if-match"] == "\"one\"")
    }
  }

  @Test("an archived copy of intelligent tiering says that it lies in an archive")
  func archived() async throws {
    let server = try FaultServer { _ in
      .answer(403, body: "<Error><Code>InvalidObjectState</Code><Message>archived</Message></Error>")
    }
    let error = await #expect(throws: StorageError.self) {
      _ = try await open(server.endpoint).get(
        StoredObject(key: ObjectKey("x"), size: 5, etag: "e", storageClass: "INTELLIGENT_TIERING"))
    }
    #expect(error?.kind == .archived && error?.remedy != nil)
    #expect(server.requests.count == 1)
  }
}
