import Synchronization

// Listings: page after page, and where folders show, several folders at one time.
extension BucketStore {
  /// A listing's answer larger than this is not believed.
  private static let maximumListingBytes: Int64 = 64 << 20
  private static let pageSize = 1000

  func list() -> AsyncThrowingStream<[StoredObject], any Error> {
    AsyncThrowingStream { continuation in
      let task = Task {
        do {
          let listing = ListingRun(rules: ListingRules())
          try await self.list(prefix, after: nil, listing) { continuation.yield($0) }
          continuation.finish()
        } catch {
          continuation.finish(throwing: error)
        }
      }
      continuation.onTermination = { _ in task.cancel() }
    }
  }

  /// What all parts of one listing have in common.
  private final class ListingRun: Sendable {
    /// Requests at one time.
    let limit = AsyncLimit(8)
    private let rules: Mutex<ListingRules>

    init(rules: ListingRules) { self.rules = Mutex(rules) }

    func check(_ page: ListingPage) throws(ListingRules.Violation) {
      let violation = rules.withLock { rules -> ListingRules.Violation? in
        do throws(ListingRules.Violation) { try rules.check(page) } catch { return error }
        return nil
      }
      if let violation { throw violation }
    }
  }

  /// Delivers all keys with a prefix, in their order.
  /// - Parameter after: Only those behind this key.
  private func list(
    _ prefix: [UInt8], after last: ObjectKey?, _ run: ListingRun,
    deliver: @Sendable ([StoredObject]) async throws -> Void
  ) async throws {
    var token: String?
    var seenTokens: Set<Int> = []
    var isFirst = true
    while true {
      let page = try await page(prefix, token: token, after: token == nil ? last : nil, run)
      // Servers that do not know “start-after” begin at the beginning.
      let objects = last.map { last in page.objects.filter { last < $0.key } } ?? page.objects
      if !objects.isEmpty { try await deliver(objects) }
      guard page.isTruncated else { return }
      guard !page.nextToken.isEmpty else { throw invalidListing("it says that more follows, but not how to get it") }
      guard seenTokens.insert(page.nextToken.hashValue).inserted else {
        throw invalidListing("it goes round in a circle")
      }
      if isFirst, let branches = try await branches(of: prefix, behind: page, after: last, run) {
        return try await list(branches, run, deliver: deliver)
      }
      isFirst = false
      token = page.nextToken
    }
  }

  /// Lists folders at one time, and delivers them one after the other.
  private func list(
    _ branches: [ListingBranch], _ run: ListingRun, deliver: @Sendable ([StoredObject]) async throws -> Void
  ) async throws {
    let channels = branches.map { _ in PageChannel() }
    defer { for channel in channels { channel.close() } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      var begun = 0
      for (index, branch) in branches.enumerated() {
        while begun < min(branches.count, index + Self.branchesAtOnce) {
          let channel = channels[begun]
          if case .folder(let prefix, let after) = branches[begun] {
            group.addTask {
              do {
                try await self.list(prefix, after: after, run) { try await channel.send($0) }
                channel.finish()
              } catch { channel.finish(throwing: error) }
            }
          }
          begun += 1
        }
        switch branch {
        case .objects(let objects): try await deliver(objects)
        case .folder:
          while let page = try await channels[index].next() { try await deliver(page) }
        }
      }
    }
  }

  private static let branchesAtOnce = 8

  /// The parts that the rest of a listing consists of; nil where there are none to be seen.
  private func branches(
    of prefix: [UInt8], behind first: ListingPage, after last: ObjectKey?, _ run: ListingRun
  ) async throws -> [ListingBranch]? {
    let slash = UInt8(ascii: "/")
    guard first.objects.contains(where: { $0.key.bytes.dropFirst(prefix.count).contains(slash) }) else { return nil }
    let top = try await page(prefix, token: nil, delimiter: slash, after: nil, run)
    return ListingBranch.divide(prefix: prefix, first: first, top: top, after: last)
  }

  private func invalidListing(_ why: String) -> StorageError {
    StorageError(
      .invalidAnswer, "The listing of bucket “\(bucket)” from \(serverText) is wrong: \(why).",
      remedy: "This is a fault of the server.")
  }

  /// One page, checked and in order.
  private func page(
    _ prefix: [UInt8], token: String?, delimiter: UInt8? = nil, after last: ObjectKey?, _ run: ListingRun
  ) async throws -> ListingPage {
    var page = try await run.limit.run { try await self.fetchPage(prefix, token, delimiter, last) }
    guard page.objects.allSatisfy({ $0.key.bytes.starts(with: prefix) }),
      page.commonPrefixes.allSatisfy({ $0.starts(with: prefix) })
    else { throw invalidListing("it holds keys that do not begin with the folder's name") }
    do throws(ListingRules.Violation) { try run.check(page) } catch {
      switch error {
      case .tooMany(let count):
        throw StorageError(
          .invalidAnswer, "Bucket “\(bucket)” lists more than \(count) objects.", remedy: "Open a part of it.")
      case .endless(let why): throw invalidListing(why)
      }
    }
    // Servers that list a file system by directory mix up “a/b” and “a-b”.
    if zip(page.objects, page.objects.dropFirst()).contains(where: { $1.key < $0.key }) {
      page.objects.sort { $0.key < $1.key }
    }
    return page
  }

  private func fetchPage(
    _ prefix: [UInt8], _ token: String?, _ delimiter: UInt8?, _ last: ObjectKey?
  ) async throws -> ListingPage {
    var query: [(name: String, value: [UInt8])] = [
      ("list-type", Array("2".utf8)), ("encoding-type", Array("url".utf8)),
      ("max-keys", Array(String(Self.pageSize).utf8)),
    ]
    if !prefix.isEmpty { query.append(("prefix", prefix)) }
    if let token { query.append(("continuation-token", Array(token.utf8))) }
    if let delimiter { query.append(("delimiter", [delimiter])) }
    if let last { query.append(("start-after", last.bytes)) }
    var template = HTTPRequest(url: "")
    // Fetching waits for the listing, so the listing goes first.
    template.isUrgent = true
    template.maximumBodyBytes = Self.maximumListingBytes
    var request = StorageRequest(template, .list, query: CanonicalQuery(query))
    // AWS alone knows this: which archived objects can be read at present.
    if isAmazon { request.headers = [("x-amz-optional-object-attributes", "RestoreStatus")] }
    var damages = 0
    while true {
      guard case .response(let response) = try await send(request) else {
        throw invalidListing("a page is larger than \(Self.maximumListingBytes >> 20) MB")
      }
      do {
        let page = try ListingPage(parsing: response.body)
        hasListed.store(true, ordering: .relaxed)
        return page
      } catch ListingPage.Failure.broken(let why) {
        throw invalidListing(why)
      } catch {
        // What begins like a listing was damaged on its way, and may come through another time.
        damages += 1
        let isDamaged = response.body.prefix(1024).firstRange(of: Array("<ListBucketResult".utf8)) != nil
        let isKnown = isDamaged || hasListed.load(ordering: .relaxed)
        guard damages < (isKnown ? Self.maximumDamages : Self.maximumStrangeAnswers) else {
          throw FailureReading.notS3(
            "instead of a listing it sends \(FailureReading.summary(of: response))", context(.list))
        }
        counters.retries.increment()
        try await Task.sleep(for: .seconds(RetryState.firstDelay * Double(1 << damages)))
      }
    }
  }

  /// Listings that cannot be read, from a server that can list.
  private static let maximumDamages = 6
  /// The same from a server that has never listed anything.
  private static let maximumStrangeAnswers = 2
}
