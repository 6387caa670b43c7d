import Foundation
import Testing

@testable import ObjectStorage

@Suite struct ListingPageTests {
  private func page(_ inside: String) throws -> ListingPage {
    try ListingPage(
      parsing: Array(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>photos</Name>\(inside)</ListBucketResult>
        """.utf8))
  }

  @Test("a page gives its objects, decoded as it says")
  func decoding() throws {
    let contents = """
      <Contents><Key>a+b%2B%0A%F0%9F%98%80.jpg</Key><LastModified>2026-11-23T19:31:09.000Z</LastModified>
      <ETag>&#34;abc&#34;</ETag><Size>5368709121</Size><StorageClass>GLACIER</StorageClass>
      <Owner><ID>1</ID><Key>not a key</Key></Owner></Contents>
      <Contents><Key>dir/</Key><ETag>x</ETag><Size>0</Size></Contents>
      <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>
      """
    let encoded = try page(contents + "<EncodingType>url</EncodingType>")
    #expect(encoded.objects.count == 1)
    #expect(encoded.entryCount == 2)
    let object = try #require(encoded.objects.first)
    #expect(object.key == ObjectKey("a b+\n😀.jpg"))
    #expect(object.size == 5_368_709_121)
    #expect(object.etag == "abc")
    #expect(object.isArchived)
    #expect(object.modified == Date(timeIntervalSince1970: 1_795_462_269))
    #expect(!encoded.isTruncated)
    #expect(try page(contents).objects.first?.key == ObjectKey("a+b%2B%0A%F0%9F%98%80.jpg"))
  }

  @Test("entities, CDATA, comments, prefixes and empty elements are read")
  func forms() throws {
    let page = try ListingPage(
      parsing: Array(
        """
        \u{FEFF}<s:ListBucketResult xmlns:s='x'><!-- a > b --><s:Contents/><s:IsTruncated>true</s:IsTruncated>
        <s:NextContinuationToken>a&amp;b&lt;&gt;&quot;&apos;&#x41;&#66;<![CDATA[<&>]]></s:NextContinuationToken>
        </s:ListBucketResult>
        """.replacing("<s:Contents/>", with: "<s:Prefix/>").utf8))
    #expect(page.isTruncated)
    #expect(page.nextToken == "a&b<>\"'AB<&>")
  }

  @Test(
    "what is no listing is refused",
    arguments: [
      "", " ", "hello", "<html><body>hi</body></html>", "<ListBucketResult>", "<ListBucketResult></Other>",
      "<ListBucketResult/><ListBucketResult/>", "<Error><Code>x</Code></Error>",
      "<ListBucketResult>&lol;</ListBucketResult>",
      "<!DOCTYPE x [<!ENTITY lol \"lol\">]><ListBucketResult>&lol;</ListBucketResult>",
      "<ListBucketResult a></ListBucketResult>",
      "<ListBucketResult>&#xD800;</ListBucketResult>", "<ListBucketResult a=\"", "<", "</", "<a", "<ListBucketResult>&",
      "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
      "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
      "<ListBucketResult><Contents><Key>k</Key><Size>-1</Size></Contents></ListBucketResult>",
    ])
  func refuses(_ text: String) {
    #expect(throws: ListingPage.Failure.self) { _ = try ListingPage(parsing: Array(text.utf8)) }
  }

  @Test("deep nesting is refused")
  func nesting() {
    let text = String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100)
    #expect(throws: ListingPage.Failure.self) { _ = try page(text) }
  }

  @Test("a page cut anywhere is refused or complete, and never a crash")
  func truncated() throws {
    let whole = Array(
      "<ListBucketResult><Contents><Key a='1'>k&amp;</Key><Size>1</Size></Contents><X/></ListBucketResult>".utf8)
    for length in 0..<whole.count {
      #expect(throws: ListingPage.Failure.self) { _ = try ListingPage(parsing: Array(whole[..<length])) }
    }
    #expect(try ListingPage(parsing: whole).objects.map(\.key) == [ObjectKey("k&")])
  }

  @Test("an error document gives its code, also inside of another element")
  func errors() throws {
    let reply = try #require(
      ServiceReply(
        parsing: Array(
          "<?xml version='1.0'?><Error><Code>NoSuchKey</Code><Message>a &amp; b</Message><RequestId>7</RequestId></Error>"
            .utf8)
      ))
    #expect(reply.code == "NoSuchKey")
    #expect(reply.message == "a & b")
    #expect(reply.requestID == "7")
    #expect(ServiceReply(parsing: Array("<html/>".utf8)) == nil)
    #expect(ServiceReply(parsing: []) == nil)
  }
}

@Suite struct RetryStateTests {
  @Test("delays double with jitter up to five seconds, and end after eight tries")
  func transient() {
    for chance in [0.0, 0.5, 0.999] {
      var state = RetryState()
      var budget = RetryBudget()
      var delays: [Double] = []
      while case .retry(let seconds) = state.next(
        after: .transient(retryAfter: nil), serverHasAnswered: true, budget: &budget, chance: chance)
      { delays.append(seconds) }
      #expect(state.tries == RetryState.maximumTries)
      for (index, delay) in delays.enumerated() {
        let full = min(RetryState.maximumDelay, 0.1 * Double(1 << index))
        #expect(delay >= full / 2 && delay <= full)
      }
    }
  }

  @Test("a wait that the server asks for is kept, up to a few seconds")
  func retryAfter() {
    var state = RetryState()
    var budget = RetryBudget()
    func delay(_ asked: Double) -> Double {
      guard
        case .retry(let seconds) = state.next(
          after: .throttled(retryAfter: asked), serverHasAnswered: true, budget: &budget, chance: 0)
      else { return -1 }
      return seconds
    }
    #expect(delay(2) == 2)
    #expect(delay(120) == RetryState.maximumDelay)
    #expect(budget == RetryBudget())
  }

  @Test("what cannot get better is not tried again, and a server never reached only twice more")
  func limits() {
    var budget = RetryBudget()
    var permanent = RetryState()
    #expect(permanent.next(after: .permanent, serverHasAnswered: true, budget: &budget, chance: 0) == .giveUp)
    var unreachable = RetryState()
    while case .retry = unreachable.next(after: .unreachable, serverHasAnswered: false, budget: &budget, chance: 0) {}
    #expect(unreachable.tries == RetryState.maximumFirstContactTries)
  }

  @Test("the budget empties when everything fails, all then wait together, and success fills it")
  func budget() {
    var budget = RetryBudget()
    var retries = 0
    for _ in 0..<1000 {
      var state = RetryState()
      var last = RetryState.Step.giveUp
      repeat {
        last = state.next(
          after: .unreachable, serverHasAnswered: true, othersSucceed: false, budget: &budget, chance: 0)
        if case .retry = last { retries += 1 }
      } while last != .waitOut(seconds: 0)
    }
    #expect(retries == RetryBudget.capacity / RetryBudget.cost)
    // While others get through, an empty budget makes slow, and nothing is given up for it.
    var state = RetryState()
    #expect(
      state.next(after: .transient(retryAfter: nil), serverHasAnswered: true, budget: &budget, chance: 0)
        == .retry(afterSeconds: RetryState.maximumDelay / 2))
    for _ in 0..<RetryBudget.cost { budget.succeed() }
    let takes = [budget.take(), budget.take()]
    #expect(takes == [true, false])
  }

  @Test("a long wait that the server asks for is granted when nothing else gets through")
  func longRetryAfter() {
    var state = RetryState()
    var budget = RetryBudget()
    func next() -> RetryState.Step {
      state.next(
        after: .throttled(retryAfter: 120), serverHasAnswered: true, othersSucceed: false, budget: &budget, chance: 0)
    }
    #expect(next() == .retry(afterSeconds: RetryState.maximumDelay))
    #expect(next() == .waitOut(seconds: 120))
  }
}
