import TestSupport
import Testing

@testable import ObjectStorage

/// Objects put together from answers that break off.
@Suite struct PartDownloadTests {
  private let content = (0..<1000).map { UInt8($0 % 251) }

  private func answer(
    status: Int = 206, _ range: Range<Int>, of total: Int = 1000, sent: Int? = nil, tag: String = "t",
    contentRange: Bool = true
  ) -> HTTPResponse {
    var response = HTTPResponse()
    response.status = status
    var header = "ETag: \"\(tag)\"\r\n"
    if contentRange { header += "Content-Range: bytes \(range.lowerBound)-\(range.upperBound - 1)/\(total)\r\n" }
    response.headerBytes = Array(header.utf8)
    response.body = Array(content[range].prefix(sent ?? range.count))
    return response
  }

  private func whole(_ sent: Int? = nil, tag: String = "t") -> HTTPResponse {
    answer(status: 200, 0..<1000, sent: sent, tag: tag, contentRange: false)
  }

  private let listed = StoredObject(key: ObjectKey("x"), size: 1000, etag: "t")

  @Test("what breaks off is carried on where it ended, as long as it is the same object")
  func carriedOn() {
    var download = PartDownload(range: nil, listed: listed)
    #expect(download.headers.isEmpty)
    #expect(download.take(whole(300), isComplete: false) == .incomplete)
    #expect(download.headers.map { "\($0.name): \($0.value)" } == ["range: bytes=300-", "if-match: \"t\""])
    #expect(download.take(answer(300..<1000, sent: 100), isComplete: false) == .incomplete)
    #expect(download.take(answer(400..<1000), isComplete: true) == .complete)
    #expect(download.bytes == content)
  }

  @Test("a server that ignores ranges, or says 200 with a Content-Range, gives the same bytes")
  func strangeServers() {
    var ignoring = PartDownload(range: nil, listed: listed)
    #expect(ignoring.take(whole(300), isComplete: false) == .incomplete)
    #expect(ignoring.take(whole(), isComplete: true) == .complete)
    #expect(ignoring.bytes == content)
    var odd = PartDownload(range: nil, listed: listed)
    #expect(odd.take(whole(300), isComplete: false) == .incomplete)
    #expect(odd.take(answer(status: 200, 300..<1000), isComplete: true) == .complete)
    #expect(odd.bytes == content)
  }

  @Test("another object is never mixed in")
  func changed() {
    var download = PartDownload(range: nil, listed: listed)
    #expect(download.take(whole(300), isComplete: false) == .incomplete)
    var refusal = HTTPResponse()
    refusal.status = 412
    #expect(download.take(refusal, isComplete: true) == .changed)
    var replaced = PartDownload(range: nil, listed: listed)
    #expect(replaced.take(whole(300), isComplete: false) == .incomplete)
    #expect(replaced.take(whole(500, tag: "new"), isComplete: true) == .complete)
    #expect(replaced.tag == "new" && replaced.bytes.count == 500)
    var middle = PartDownload(range: 100..<200, tag: "t")
    #expect(middle.take(answer(100..<200, tag: "new"), isComplete: true) == .changed)
  }

  @Test("a body shorter than the listing says is not believed, unless the server insists")
  func wrongLengths() {
    var download = PartDownload(range: nil, listed: listed)
    #expect(download.take(whole(600), isComplete: true) == .incomplete)
    #expect(download.take(answer(600..<1000), isComplete: true) == .complete)
    #expect(download.bytes == content)
    var insisting = PartDownload(range: nil, listed: listed)
    #expect(insisting.take(whole(600), isComplete: true) == .incomplete)
    var end = HTTPResponse()
    end.status = 416
    end.headerBytes = Array("Content-Range: bytes */600\r\n".utf8)
    #expect(insisting.take(end, isComplete: true) == .complete)
    #expect(insisting.bytes.count == 600)
    // All is there although more was announced.
    var enough = PartDownload(range: nil, listed: listed)
    #expect(enough.take(whole(), isComplete: false) == .complete)
  }

  @Test("answers to another question are refused")
  func contradictions() {
    var download = PartDownload(range: 100..<200, tag: "t")
    guard case .broken = download.take(answer(500..<600), isComplete: true) else {
      Issue.record("other bytes were taken")
      return
    }
    guard case .broken = download.take(whole(), isComplete: true) else {
      Issue.record("the whole was taken for a part")
      return
    }
  }

  @Test("cut anywhere, any number of times, the bytes are the object's", arguments: 0..<50)
  func anyCuts(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var download = PartDownload(range: nil, listed: listed)
    for _ in 0..<200 {
      let start = download.bytes.count
      let sent = Int.random(in: 0...(1000 - start), using: &random)
      let response =
        start == 0 || Int.random(in: 0..<5, using: &random) == 0
        ? whole(Int.random(in: 0...1000, using: &random)) : answer(start..<1000, sent: sent)
      let isComplete = response.body.count + start == 1000 && Bool.random(using: &random)
      if download.take(response, isComplete: isComplete) == .complete { break }
    }
    if download.bytes.count == 1000 { #expect(download.bytes == content, "seed \(seed)") }
    #expect(download.bytes == Array(content.prefix(download.bytes.count)), "seed \(seed)")
  }
}
