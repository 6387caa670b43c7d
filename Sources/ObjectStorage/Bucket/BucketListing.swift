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
          try await self.list(prefix, delivered: [], last: nil, depth: 0, listing) { continuation.yield($0) }
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
  /// - Parameters:
  ///   - delivered: What a page of the listing above this one has brought of it already: the page's first objects with
  ///     this prefix.
  ///   - last: The last key of that page, as the server orders them.
  ///   - depth: Folders above this one that were divided.
  private func list(
    _ prefix: [UInt8], delivered: [StoredObject], last: ObjectKey?, depth: Int, _ run: ListingRun,
    deliver: @Sendable ([StoredObject]) async throws -> Void
  ) async throws {
    if !delivered.isEmpty,
      try await divide(prefix, first: delivered, last: last, depth: depth, run, deliver: deliver)
    {
      return
    }
    let known = Set(delivered.map(\.key))
    var next = Continuation()
    while true {
      let page = try await page(prefix, token: next.token, run)
      let objects = known.isEmpty ? page.objects : page.objects.filter { !known.contains($0.key) }
      if !objects.isEmpty { try await deliver(objects) }
      guard page.isTruncated else { return }
      if next.token == nil, known.isEmpty,
        try await divide(prefix, first: page.objects, last: page.lastKey, depth: depth, run, deliver: deliver)
      {
        return
      }
      try advance(&next, behind: page)
    }
  }

  /// Where a listing goes on.
  private struct Continuation {
    /// nil for the beginning.
    var token: String?
    var seen: Set<Int> = []
  }

  private func advance(_ next: inout Continuation, behind page: ListingPage) throws {
    guard !page.nextToken.isEmpty else { throw invalidListing("it says that more follows, but not how to get it") }
    guard next.seen.insert(page.nextToken.hashValue).inserted else { throw invalidListing("it goes round in a circle") }
    next.token = page.nextToken
  }

  /// Delivers what follows the first page of a listing folder by folder, where folders show and are worth it.
  /// - Parameters:
  ///   - first: The first page: it is delivered already.
  ///   - last: The last key of it, as the server orders them.
  /// - Returns: Whether everything is delivered; otherwise nothing is.
  private func divide(
    _ prefix: [UInt8], first: [StoredObject], last: ObjectKey?, depth: Int, _ run: ListingRun,
    deliver: @Sendable ([StoredObject]) async throws -> Void
  ) async throws -> Bool {
    guard depth < Self.maximumDepth, ListingBranch.isWorthwhile(prefix: prefix, first: first) else { return false }
    let slash = UInt8(ascii: "/")
    var top: ListingPage
    do { top = try await page(prefix, token: nil, delimiter: slash, run) } catch let error as StorageError
      where error.kind == .accessDenied
    {
      // Some policies allow the one listing and not the other.
      return false
    }
    guard var branches = ListingBranch.divide(prefix: prefix, first: first, last: last, top: top) else { return false }
    var next = Continuation()
    while true {
      try await list(branches, last: last, depth: depth + 1, run, deliver: deliver)
      guard top.isTruncated else { return true }
      try advance(&next, behind: top)
      let before = top.commonPrefixes.last
      top = try await page(prefix, token: next.token, delimiter: slash, run)
      // Some servers name the folder in which a page ended once more.
      top.commonPrefixes.removeAll { $0 == before }
      guard let more = ListingBranch.divide(prefix: prefix, first: [], last: nil, top: top) else {
        throw invalidListing("its folders lie within each other")
      }
      branches = more
    }
  }

  /// Lists folders at one time, and delivers them one after the other.
  private func list(
    _ branches: [ListingBranch], last: ObjectKey?, depth: Int, _ run: ListingRun,
    deliver: @Sendable ([StoredObject]) async throws -> Void
  ) async throws {
    let channels = branches.map { _ in PageChannel() }
    defer { for channel in channels { channel.close() } }
    try await withThrowingTaskGroup(of: Void.self) { group in
      var begun = 0
      for (index, branch) in branches.enumerated() {
        while begun < min(branches.count, index + Self.branchesAtOnce) {
          let channel = channels[begun]
          if case .folder(let prefix, let delivered) = branches[begun] {
            group.addTask {
              do {
                try await self.list(prefix, delivered: delivered, last: last, depth: depth, run) {
                  try await channel.send($0)
                }
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
  /// Folders within folders that are divided; what lies deeper is listed as a whole.
  private static let maximumDepth = 32

  private func invalidListing(_ why: String) -> StorageError {
    StorageError(
      .invalidAnswer, "The listing of bucket “\(bucket)” from \(serverText) is wrong: \(why).",
      remedy: "This is a fault of the server.")
  }

  /// One page, checked and in order.
  private func page(
    _ prefix: [UInt8], token: String?, delimiter: UInt8? = nil, _ run: ListingRun
  ) async throws -> ListingPage {
    var page = try await run.limit.run { try await self.fetchPage(prefix, token, delimiter) }
    guard page.objects.allSatisfy({ $0.key.bytes.starts(with: prefix) }),
      page.commonPrefixes.allSatisfy({ $0.starts(with: prefix) })
    else { throw invalidListing("it holds keys that do not begin with the folder's name") }
    do throws(ListingRules.Violation) { try run.check(page) } catch {
      switch error {
      case .tooMany(let count):
        throw StorageError(
          .invalidAnswer, "Bucket “\(bucket)” lists more than \(count) objects.", remedy: "Open a part of it.")
      case .endless(let why): throw invalidListing(why)
      case .tooLarge: throw invalidListing("its objects are said to have more bytes than any server can hold")
      }
    }
    page.lastKey = page.objects.last?.key
    // Servers that list a file system by directory mix up “a/b” and “a-b”.
    if zip(page.objects, page.objects.dropFirst()).contains(where: { $1.key < $0.key }) {
      page.objects.sort { $0.key < $1.key }
    }
    return page
  }

  private func fetchPage(
    _ prefix: [UInt8], _ token: String?, _ delimiter: UInt8?
  ) async throws -> ListingPage {
    var template = HTTPRequest(url: "")
    // Fetching waits for the listing, so the listing goes first.
    template.isUrgent = true
    template.maximumBodyBytes = Self.maximumListingBytes
    var request = StorageRequest(
      template, .list, query: listingQuery(prefix, pageSize: Self.pageSize, token: token, delimiter: delimiter))
    request.isForeign = { !Self.beginsLikeListing($0) }
    // AWS alone knows this: which archived objects can be read at present.
    if isAmazon { request.headers = [("x-amz-optional-object-attributes", "RestoreStatus")] }
    var attempts = StorageAttempts()
    var damages = 0
    while true {
      guard case .success(let success) = try await attempt(request, &attempts) else { continue }
      guard case .response(let response) = success else {
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
        let reading = FailureReading(foreign: response, context(.list))
        guard damages < Self.maximumDamages else { throw reading.error }
        try await wait(after: reading, request, .free, &attempts)
      }
    }
  }

  static func beginsLikeListing(_ response: HTTPResponse) -> Bool {
    response.body.prefix(1024).firstRange(of: Array("<ListBucketResult".utf8)) != nil
  }

  /// What a page of a listing is asked for with.
  func listingQuery(
    _ prefix: [UInt8], pageSize: Int, token: String? = nil, delimiter: UInt8? = nil
  ) -> CanonicalQuery {
    var query: [(name: String, value: [UInt8])] = [
      ("list-type", Array("2".utf8)), ("encoding-type", Array("url".utf8)),
      ("max-keys", Array(String(pageSize).utf8)),
    ]
    if !prefix.isEmpty { query.append(("prefix", prefix)) }
    if let token { query.append(("continuation-token", Array(token.utf8))) }
    if let delimiter { query.append(("delimiter", [delimiter])) }
    return CanonicalQuery(query)
  }

  /// Listings that cannot be read, from a server that can list.
  private static let maximumDamages = 6
}
