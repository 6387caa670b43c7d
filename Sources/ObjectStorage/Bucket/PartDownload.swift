/// The bytes of one object, or of a part of it, as they come in by one answer after the other: what broke off is carried
/// on where it ended, as long as it is still the same object.
struct PartDownload: Sendable {
  enum Verdict: Sendable, Hashable {
    case complete
    /// To be carried on.
    case incomplete
    /// The object is another one by now.
    case changed
    /// The answer does not belong to the question.
    case broken(String)
  }

  /// What was asked for; nil for the whole.
  let range: Range<Int64>?
  /// What the listing said; nil where it does not count.
  let listed: StoredObject?
  private(set) var bytes: [UInt8] = []
  /// The ETag that every answer must have, without quotes; empty where the server tells none.
  private(set) var tag: String?
  /// Of the whole object, where a range was answered.
  private(set) var total: Int64?
  /// How long the whole was the last time, where the server knows no ranges.
  private var lastWhole: Int?

  init(range: Range<Int64>?, tag: String? = nil, listed: StoredObject? = nil) {
    self.range = range
    self.tag = tag
    self.listed = listed
  }

  private var first: Int64 { range?.lowerBound ?? 0 }

  /// What the next request has to say.
  var headers: [(name: String, value: String)] {
    guard range != nil || !bytes.isEmpty else { return [] }
    let end = range.map { String($0.upperBound - 1) } ?? ""
    var headers = [(name: "range", value: "bytes=\(first + Int64(bytes.count))-\(end)")]
    if let tag, !tag.isEmpty { headers.append(("if-match", "\"\(tag)\"")) }
    return headers
  }

  /// Takes in an answer with status 2xx, 412 or 416.
  /// - Parameter isComplete: Whether the connection held to its end.
  mutating func take(_ response: HTTPResponse, isComplete: Bool) -> Verdict {
    let span = response.contentRange
    switch response.status {
    case 412: return .changed
    case 416:
      // The object ends where we are: the listing, or a length, was wrong.
      return span?.total == first + Int64(bytes.count) && !bytes.isEmpty ? .complete : .changed
    default: break
    }
    let answered = ListingPage.unquoted(response[header: "etag"] ?? "")
    let start = span?.bytes?.lowerBound ?? 0
    if let tag, !answered.isEmpty, answered != tag {
      guard start == first, range == nil else { return .changed }
      bytes = []
      self.tag = answered
    }
    if tag == nil { tag = answered }
    if start == first, !bytes.isEmpty {
      // The server knows no ranges, and begins anew.
      bytes = []
    } else if start != first + Int64(bytes.count) {
      return .broken("it sends the bytes from \(start) instead of those from \(first + Int64(bytes.count))")
    }
    if bytes.isEmpty { bytes = response.body } else { bytes += response.body }
    if let known = span?.total { total = known }
    return judge(isRange: span != nil, isComplete: isComplete)
  }

  private mutating func judge(isRange: Bool, isComplete: Bool) -> Verdict {
    var goal: Int64?
    if let range, isRange {
      goal = min(range.upperBound, total ?? range.upperBound) - first
    } else if let listed, !listed.etag.isEmpty, listed.etag == tag {
      goal = listed.size
    }
    guard let goal else { return isComplete ? .complete : interrupted() }
    let count = Int64(bytes.count)
    if count == goal { return .complete }
    if count > goal {
      if range != nil, isRange { return .broken("it sends \(count) bytes instead of \(goal)") }
      return isComplete ? .complete : interrupted()
    }
    if isComplete, !isRange {
      // Twice the same without ranges: then the listing is wrong.
      if lastWhole == bytes.count { return .complete }
      lastWhole = bytes.count
    }
    return interrupted()
  }

  /// Whether what was judged is less than there should have been to judge, according to the listing.
  func isTooShort(_ head: [UInt8]) -> Bool {
    guard let listed else { return false }
    return head.count < min(listed.size, Int64(Transfer.headBytes))
  }

  private mutating func interrupted() -> Verdict {
    // What has no name cannot be told from another object.
    if tag?.isEmpty != false { bytes = [] }
    return .incomplete
  }
}
