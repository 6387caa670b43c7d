import Collection
import Foundation
import ObjectStorage
import Synchronization
import TestSupport
import Testing

@testable import Mapping

@Suite("Jobs on a bucket", .serialized, .timeLimit(.minutes(10)))
struct BucketTests {
  @Test("a bucket and a folder of the same pictures give the same map, and the second run asks for no object")
  func wholeWay() async throws {
    let server = try await SeaweedServer.shared
    let folder = try pictureFolder(40)
    try folder.write(Array("words".utf8), to: "notes.txt")
    try await server.makeBucket("job-whole")
    try await server.upload(folder: folder.path, to: "job-whole", prefix: "photos")
    let cache = try TemporaryDirectory("cache")
    let bucket = try request("job-whole/photos", cache: cache, environment: server.environment)
    let first = await run(bucket)
    let report = try #require(first.report, "\(String(describing: first.failure))")
    #expect(report.images == 40 && report.otherFiles == 1 && report.requests.get == 41)
    func byName(_ outcome: Outcome) -> [String: [UInt32]] {
      Dictionary(uniqueKeysWithValues: outcome.positions.map { ($0.key.lastComponent, $0.value) })
    }
    #expect(byName(first) == byName(await run(try request(folder.path))))
    let second = await run(bucket)
    #expect(second.report?.requests.get == 0 && second.report?.reused.layout == true)
    #expect(!"\(first.events.map { "\($0)" }) \(second.events.map { "\($0)" })".contains(server.secretKey))

    // The folder's name without its end.
    let similar = try #require(await run(try request("job-whole/pho", environment: server.environment)).failure)
    #expect(similar.kind == .empty)
    #expect(similar.remedy.contains("job-whole/photos"), "\(similar)")
  }

  @Test("what is wrong with the way to a bucket is said, with a remedy, without a secret")
  func failures() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("job-failures")
    let empty = await run(try request("job-failures", environment: server.environment))
    #expect(empty.failure?.kind == .empty)
    let missing = await run(try request("job-no-such-bucket", environment: server.environment))
    #expect(missing.failure?.kind == .notFound)
    var wrong = server.environment
    wrong["AWS_SECRET_ACCESS_KEY"] = "another-secret"
    let refused = await run(try request("job-failures", environment: wrong))
    #expect(refused.failure?.kind == .accessDenied)
    for outcome in [empty, missing, refused] {
      let text = outcome.failure?.description ?? ""
      #expect(outcome.failure?.remedy.isEmpty == false)
      #expect(!text.contains(server.secretKey) && !text.contains("another-secret"))
    }
  }

  @Test("fetching begins with the first page of the listing, while the others are still to come")
  func firstPage() async throws {
    let pages = 30
    let picture = bitmap(color: (10, 200, 90), seed: 5)
    let seen = Mutex((firstGet: Int.max, lastList: 0))
    let proxy = try FaultProxy(upstream: "http://127.0.0.1:1") { request, _ in
      guard request.isListing else {
        seen.withLock { $0.firstGet = min($0.firstGet, request.number) }
        return .content(picture)
      }
      seen.withLock { $0.lastList = request.number }
      let page =
        request.target.split(separator: "continuation-token=").dropFirst().first
        .flatMap { Int($0.prefix { $0.isNumber }) } ?? 0
      var body = "<ListBucketResult>"
      for number in 0..<10 {
        body += "<Contents><Key>\(100 + page)-\(number).bmp</Key><Size>\(picture.count)</Size></Contents>"
      }
      if page + 1 < pages {
        body += "<IsTruncated>true</IsTruncated><NextContinuationToken>\(page + 1)</NextContinuationToken>"
      }
      return .answer(200, body: body + "</ListBucketResult>")
    }
    let outcome = await run(
      try request(
        "pages",
        environment: [
          "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_CONFIG_FILE": "/dev/null",
          "AWS_ENDPOINT_URL": proxy.endpoint,
        ]))
    #expect(outcome.report?.images == 10 * pages, "\(String(describing: outcome.failure))")
    let order = seen.withLock { $0 }
    #expect(order.firstGet < order.lastList)
  }

  @Test("without a network a known collection is shown as it was, and an unknown one fails with a remedy")
  func offline() async throws {
    let pictures = try pictureFolder(20)
    let cache = try TemporaryDirectory("cache")
    var server: RcloneServer? = try await RcloneServer.start()
    let environment = try #require(server).environment
    try await #require(server).makeBucket("known")
    try await #require(server).upload(folder: pictures.path, to: "known")
    let first = await run(try request("known", cache: cache, environment: environment))
    #expect(first.report?.images == 20)
    server = nil
    let second = await run(try request("known", cache: cache, environment: environment))
    #expect(second.report?.images == 20)
    #expect(second.report?.reused.layout == true)
    #expect(second.notes.contains { $0.contains("could not be renewed") })
    // Where nobody watches, it waits, and then fails.
    var unattended = try request("known", cache: cache, environment: environment)
    unattended.asksNothing = true
    unattended.storage.patience = 12
    let wasInterrupted = Mutex(false)
    let third = await run(unattended) { event, _ in
      if case .progress(let progress) = event, progress.interruption?.nextTry != nil {
        wasInterrupted.withLock { $0 = true }
      }
    }
    #expect(third.failure?.kind == .network && third.failure?.why.contains("12 seconds") == true)
    #expect(wasInterrupted.withLock { $0 })
    let unknown = try #require(await run(try request("other", cache: cache, environment: environment)).failure)
    #expect(unknown.kind == .network && !unknown.remedy.isEmpty)
  }
}
