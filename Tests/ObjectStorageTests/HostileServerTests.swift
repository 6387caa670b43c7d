import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Servers that mean no good: bounded, refused, said.
@Suite(.timeLimit(.minutes(10))) struct HostileServerTests {
  private func open(_ endpoint: String, maximumBytes: Int64? = nil) throws -> any ObjectStore {
    var options = StorageOptions(environment: [
      "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    ])
    options.noSignRequest = true
    options.maximumBytes = maximumBytes
    return try openStore(Location(.bucket(endpoint: endpoint, name: "photos", prefix: [])), options: options)
  }

  private func page(_ keys: [String], token: String) -> FaultServer.Reply {
    .answer(
      200,
      body: "<ListBucketResult>"
        + keys.map { "<Contents><Key>\($0)</Key><Size>1</Size><ETag>e</ETag></Contents>" }.joined()
        + "<IsTruncated>true</IsTruncated><NextContinuationToken>\(token)</NextContinuationToken></ListBucketResult>")
  }

  @Test("a listing that repeats its keys for ever under new tokens ends")
  func repeatedKeys() async throws {
    let server = try FaultServer { page(["a", "b", "c"], token: "\($0.number)") }
    let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).allObjects() }
    #expect(error?.kind == .invalidAnswer && error?.message.contains("repeats") == true)
    #expect(server.requests.count <= ListingRules.maximumRepetitions + 2)
  }

  @Test("a listing of ever new keys ends where no collection could hold more")
  func tooMany() {
    var rules = ListingRules()
    var page = ListingPage.empty
    page.entryCount = 1000
    var count = 0
    var violation: ListingRules.Violation?
    while violation == nil, count < 20_000 {
      page.objects = Array(
        repeating: StoredObject(key: ObjectKey("\(count)"), size: 1, etag: "e"), count: 1000)
      do throws(ListingRules.Violation) { try rules.check(page) } catch { violation = error }
      count += 1
    }
    #expect(violation == .tooMany(ListingRules.maximumObjects))
  }

  @Test("ten gigabytes for an object listed as small are refused at once, announced or not")
  func hugeBody() async throws {
    let chunk = [UInt8](repeating: 7, count: 1 << 20)
    let server = try FaultServer { request in
      request.path.hasSuffix("announced")
        ? .endless(Array("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n".utf8), chunk)
        : .endless(Array("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".utf8), chunk)
    }
    let store = try open(server.endpoint, maximumBytes: 1 << 30)
    for name in ["announced", "secret"] {
      let error = await #expect(throws: StorageError.self) {
        _ = try await store.get(StoredObject(key: ObjectKey(name), size: 50_000, etag: "e"))
      }
      #expect(error?.kind == .tooLarge)
    }
    #expect(store.counts.bytesFetched < 4 << 20)
    #expect(server.requests.count == 2)
  }

  @Test("a flood of headers ends the transfer")
  func headerFlood() async throws {
    let line = Array(("X-Flood: " + String(repeating: "x", count: 4000) + "\r\n").utf8)
    let server = try FaultServer { _ in .endless(Array("HTTP/1.1 200 OK\r\n".utf8), line) }
    let error = await #expect(throws: StorageError.self) {
      _ = try await open(server.endpoint).bytes(ObjectKey("x"))
    }
    #expect(error?.kind == .notS3, "\(String(describing: error))")
    #expect(server.requests.count == 1)
  }

  @Test("answers before the answer, without end, end the transfer")
  func preliminaryFlood() async throws {
    for answer in ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"] {
      let server = try FaultServer { _ in .endless([], Array(answer.utf8)) }
      let error = await #expect(throws: StorageError.self) {
        _ = try await open(server.endpoint).bytes(ObjectKey("x"))
      }
      #expect(error?.kind == .notS3, "\(String(describing: error))")
      #expect(server.requests.count == 1)
    }
  }

  @Test("a body that trickles has stalled: another connection carries it on")
  func trickle() async throws {
    let content = (0..<5000).map { UInt8($0 & 255) }
    let server = try FaultServer { request in
      guard request.number > 0 else {
        return .trickle(
          Array("HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nETag: \"e\"\r\n\r\n".utf8) + content.prefix(100),
          content.dropFirst(100) + [])
      }
      let first = request.headers["range"].flatMap { Int($0.dropFirst(6).prefix { $0 != "-" }) } ?? 0
      return .content(
        206, headers: ["ETag": "\"e\"", "Content-Range": "bytes \(first)-4999/5000"],
        body: Array(content.dropFirst(first)))
    }
    var options = StorageOptions(environment: ["AWS_CONFIG_FILE": "/dev/null"])
    options.noSignRequest = true
    options.stallSeconds = 1
    let store = try openStore(
      Location(.bucket(endpoint: server.endpoint, name: "photos", prefix: [])), options: options)
    guard case .bytes(let bytes, _) = try await store.get(StoredObject(key: ObjectKey("x"), size: 5000, etag: "e"))
    else {
      Issue.record("refused")
      return
    }
    #expect(bytes == content && server.requests.count == 2)
    // What had trickled in is not asked for again.
    #expect(server.requests[1].headers["range"]?.hasPrefix("bytes=1") == true)
  }

  @Test(
    "sizes that no object has, alone or together, are refused as the server's fault",
    arguments: [(Int64.max, 3), (Int64.max - 1, 1), (1 << 51, 1), (1 << 50, 1030)])
  func sizes(size: Int64, count: Int) async throws {
    let body =
      "<ListBucketResult>"
      + (0..<count).map { "<Contents><Key>k\($0)</Key><Size>\(size)</Size><ETag>e</ETag></Contents>" }.joined()
      + "</ListBucketResult>"
    let server = try FaultServer { _ in .answer(200, body: body) }
    let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).allObjects() }
    #expect(error?.kind == .invalidAnswer && error?.message.contains("bytes") == true, "\(String(describing: error))")
  }

  @Test("an object whose parts are said to be without end is read until the server fails, in bounded memory")
  func endlessParts() async throws {
    let server = try FaultServer { request in
      request.number == 0
        ? .answer(206, headers: ["ETag": "\"e\"", "Content-Range": "bytes 0-3/\(Int64.max)"], body: "abcd")
        : .answer(404, body: "<Error><Code>NoSuchKey</Code></Error>")
    }
    let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).bytes(ObjectKey("x")) }
    #expect(error?.kind == .noSuchKey)
  }

  @Test(
    "numbers that are none, in headers that are waited or counted by, do no harm",
    arguments: ["nan", "inf", "-inf", "-1e300", "1e400", "0x1p-2", ""])
  func oddNumbers(number: String) async throws {
    let server = try FaultServer { request in
      request.number == 0
        ? .answer(
          503, headers: ["Retry-After": number, "Date": "Fri, 01 Jan 2147483647 00:00:00 GMT"],
          body: "<Error><Code>SlowDown</Code></Error>")
        : .answer(200, headers: ["ETag": "e"], body: "abc")
    }
    #expect(try await open(server.endpoint).bytes(ObjectKey("x")) == Array("abc".utf8))
    let clock = try FaultServer { _ in
      .answer(
        403, headers: ["Date": "Fri, 01 Jan 2147483647 00:00:00 GMT"],
        body: "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    }
    var options = StorageOptions(environment: [
      "AWS_CONFIG_FILE": "/dev/null", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
    ])
    options.endpointURL = clock.endpoint
    let store = try openStore(Location(.bucket(endpoint: nil, name: "photos", prefix: [])), options: options)
    let error = await #expect(throws: StorageError.self) { _ = try await store.bytes(ObjectKey("x")) }
    #expect(error?.kind == .clockSkew)
  }

  @Test("an XML bomb in a listing or an error is not unpacked")
  func bomb() async throws {
    var text = "<!DOCTYPE x [<!ENTITY a0 \"lol\">"
    for index in 1..<30 { text += "<!ENTITY a\(index) \"\(String(repeating: "&a\(index - 1);", count: 10))\">" }
    let bomb = "<?xml version=\"1.0\"?>" + text + "]><ListBucketResult><Name>&a29;</Name></ListBucketResult>"
    let deep = String(repeating: "<ListBucketResult>", count: 100_000)
    for (status, body) in [(200, bomb), (403, bomb), (200, deep)] {
      let server = try FaultServer { _ in .answer(status, body: body) }
      let error = await #expect(throws: StorageError.self) { _ = try await open(server.endpoint).allObjects() }
      #expect(error.map { [.notS3, .invalidAnswer, .accessDenied].contains($0.kind) } == true)
      #expect(error.map { $0.description.utf8.count < 1000 } == true)
    }
  }

  @Test(
    "redirects to a file, to the metadata address or anywhere else are not followed",
    arguments: ["file:///etc/passwd", "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/", "gopher://x"],
    [301, 302, 303, 307, 308])
  func redirects(target: String, status: Int) async throws {
    let server = try FaultServer { _ in .answer(status, headers: ["Location": target]) }
    let store = try open(server.endpoint)
    for ask in [{ _ = try await store.bytes(ObjectKey("x")) }, { _ = try await store.allObjects() }] {
      let error = await #expect(throws: StorageError.self) { try await ask() }
      #expect(error?.kind == .notS3)
      #expect(error?.message.contains("elsewhere") == true)
    }
    #expect(server.requests.count == 2)
  }

  @Test("parts that lie about their place are never put together")
  func lyingParts() async throws {
    let server = try FaultServer { request in
      let asked = request.headers["range"].flatMap { Int($0.dropFirst(6).split(separator: "-").first ?? "") } ?? 0
      // Always the beginning, under the name of what was asked for first.
      let body = String(repeating: "x", count: 4096)
      return .answer(
        206,
        headers: ["ETag": "\"e\"", "Content-Range": asked == 0 ? "bytes 0-4095/300000" : "bytes 0-4095/300000"],
        body: body)
    }
    let store = try open(server.endpoint)
    let object = StoredObject(key: ObjectKey("x"), size: 300_000, etag: "e")
    let error = await #expect(throws: StorageError.self) {
      _ = try await store.get(object, expected: .open) { _ in true }
    }
    #expect(error?.kind == .interrupted || error?.kind == .tooLarge)
  }
}
