import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ObjectStorage

/// Every key that S3 allows, from the listing to the signature.
@Suite(.timeLimit(.minutes(10))) struct AnyKeyTests {
  private static let credentials = Credentials(
    accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    sessionToken: "session/token+with=odd characters", source: "the test")

  @Test(
    "keys are signed as the AWS SDK for Python signs them, in a header and in a link",
    arguments: [
      (
        "a b+c.jpg",
        "867c5e2a034af0f31777e0b64a4edffe1d19017d8a480de3128c582458202a7a",
        "354ab26ab93fa26c87b78071ac667ab26387792eff4ea576272981c502a30a5d"
      ),
      (
        "100%25 & more?#.jpg",
        "975f97ef438a727f1921b575671dd5db15afafa5cd4929a958bf114cec487701",
        "ec433fe3d4a16706c24b5b5ec09392ad2c459d0e6cde8cf25282be33f27a33ff"
      ),
      (
        "ä/日本語/😀.jpg",
        "44fe3671a0e993a0ef515f6df9731b2e9adbd806ed5c0d2247eecae3968ee132",
        "2100a8549e9950bceb5161d7e1d714b5fd830786ff2374cce7202d92a4227767"
      ),
      (
        "e\u{301}.jpg",
        "90d697b94c30b75182cc6766c7bdf62e28bbbfa8636e58c4b7a0923dfd921b26",
        "a1fd553bb1deb171f63883ff87cade7be32911b9979d82e0fe02d935285a164e"
      ),
      (
        "\u{e9}.jpg",
        "4ef4ad5c9b562144be2e8402cd1b0cdbca712c6bd29adcafcd5a49b8fa82ad57",
        "a12cbca5594ea2b2379bb8a999a2f4e4791a627979edce83e228796f75019d07"
      ),
      (
        "/leading",
        "44bd5ac4e4221274b6b17d1c2228dff334cd8b54a25fb9dae3c09aa215c3d3b4",
        "ab0c41b31577627ca14fb07a0ad613a0eecc553cfa7f76fce0c02cc490ad92f0"
      ),
      (
        "a//b",
        "78485cd8d1ec49135b0837bd3f201dd53b0ff646a673d63eb5510a278ce56e0f",
        "35af9f97434cba5007d09feda780fb9c24e79b8d0ea8628433b63eee84b1e1f6"
      ),
      (
        "../../etc/passwd",
        "701f106c14721ded989662ff4fffb48a477749c4c268c6e8eed31d3655b9de5e",
        "72f28eea662169c161b16a7d22b586abdfc461ba1c5dc25d7b2d861a4790cbe4"
      ),
      (
        "./x",
        "5d6de65c5fe73e9beb4659984a7a77446e7483e0223d6f97472d369456c35b62",
        "7c897b41effb3fa66baedfd1a693eb7d6e6e69c364a755cb63af0beecfcfac82"
      ),
      (
        "line\u{a}break\u{9}tab\u{1}",
        "be08b3432ec47d9a6938845e6f6bf408a57092da4a51400acb0acde3debf0dc0",
        "2ad5ff3c0d66641aef4e797f169a076edbf6696e4519af1c4293ecb210c03607"
      ),
      (
        "quote'\"<>\\^`{|}~",
        "fe1af73f0647c78b27983859c58d17ac9348ad289af45b7fd0ade261fb8d0ecf",
        "49fe60a37a8597fe61723da8bcb5663791e4c2b14204a9efaf3803b49fe24fab"
      ),
      (
        "=@:,;!$()*[]",
        "40131059aee071323617b5d8c2709976a47239fa134a9f8f01325279d52ade1a",
        "79996fe0cb84bd85f7c1670d541a4b1a3c8a9f220208a4b7d9c4020d61fb509d"
      ),
      (
        String(repeating: "k", count: 1024),
        "8cbc0526e035f0c1a27cecde1350091ace1e2ced63f2da9a041e62f2f559b83b",
        "5ed7c519ca7af6732de6b90bf9034de84471ed245270ed5ce2d8aef25746974f"
      ),

    ])
  func vectors(_ key: String, header: String, link: String) throws {
    let address = try BucketAddress(bucket: "examplebucket", region: "eu-west-3", endpoint: nil, style: .auto)
    let path = address.path(of: ObjectKey(key))
    let date = SigningDate(timestamp: "20261123T223000Z")
    let signer = RequestSigner(credentials: Self.credentials, region: "eu-west-3")
    let request = SignableRequest(
      method: "GET", path: path, query: "",
      headers: [
        ("host", address.host), ("x-amz-date", date.timestamp), ("x-amz-content-sha256", Digest.ofNothing),
        ("x-amz-security-token", "session/token+with=odd characters"),
      ], payloadHash: Digest.ofNothing)
    #expect(signer.authorization(for: request, at: date).hasSuffix("Signature=" + header))
    let query = signer.presignedQuery(
      method: "GET", path: path, query: [], host: address.host, at: date, expiresIn: 900)
    #expect(query.hasSuffix("&X-Amz-Signature=" + link))
  }

  // MARK: - Round trips

  /// Keys of at most 1,024 bytes of UTF-8 that try everything.
  private static func keys(_ count: Int, seed: UInt64, pieces: [String]) -> Set<ObjectKey> {
    var random = SplitMix64(seed: seed)
    var keys: Set<ObjectKey> = []
    while keys.count < count {
      var key = ""
      for _ in 0..<Int.random(in: 1...24, using: &random) { key += pieces.randomElement(using: &random)! }
      if key.utf8.count <= 1024 { keys.insert(ObjectKey(key)) }
    }
    return keys
  }

  private static let pieces = [
    "a", "B", "7", "-", "_", ".", "~", " ", "+", "%", "%20", "%2F", "&", "#", "?", "=", ";", ":", "@", "!", "$", "'",
    "(",
    ")", "*", ",", "\"", "<", ">", "[", "]", "{", "}", "|", "^", "`", "\u{e9}", "e\u{301}", "\u{df}", "日", "\u{1f600}",
    "\u{feff}", "\u{202e}", "\u{a0}", "\u{7f}",
  ]

  /// A server in memory that takes every key, and no request whose signature is wrong.
  private final class StrictServer: Sendable {
    let objects = Mutex<[ObjectKey: [UInt8]]>([:])
    let wrong = Mutex<[String]>([])

    func answer(_ request: FaultServer.Request) -> FaultServer.Reply {
      let named = request.headers["authorization"]?.split(separator: "SignedHeaders=").last?.prefix { $0 != "," } ?? ""
      let signable = SignableRequest(
        method: request.method, path: request.path, query: request.query,
        headers: named.split(separator: ";").map { (String($0), request.headers[String($0)] ?? "") },
        payloadHash: Digest.hexadecimal(Digest.sha256(request.body)))
      let signer = RequestSigner(credentials: AnyKeyTests.credentials, region: "us-east-1")
      let date = SigningDate(timestamp: request.headers["x-amz-date"] ?? "")
      guard request.headers["authorization"] == signer.authorization(for: signable, at: date) else {
        wrong.withLock { $0.append(request.target) }
        return .answer(403, body: "<Error><Code>SignatureDoesNotMatch</Code></Error>")
      }
      if request.isListing { return listing(request) }
      let key = ObjectKey(bytes: PercentEncoding.decode(Array(request.path.utf8.dropFirst("/photos/".utf8.count))))
      return objects.withLock { objects in
        if request.method == "PUT" {
          objects[key] = request.body
          return .answer(200)
        }
        guard let body = objects[key] else { return .answer(404, body: "<Error><Code>NoSuchKey</Code></Error>") }
        return .answer(200, body: String(decoding: body, as: UTF8.self))
      }
    }

    /// Three keys a page; the token is the last key of the page before, in hexadecimal.
    private func listing(_ request: FaultServer.Request) -> FaultServer.Reply {
      var items: [String: [UInt8]] = [:]
      for item in request.query.split(separator: "&") {
        let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        items[String(pair[0])] = PercentEncoding.decode(Array(pair[1].utf8))
      }
      let sorted = objects.withLock { $0.keys.map(\.bytes) }
        .sorted { $0.lexicographicallyPrecedes($1) }.filter { $0.starts(with: items["prefix"] ?? []) }
      let token = String(decoding: items["continuation-token"] ?? [], as: UTF8.self)
      let rest = sorted.filter { token.isEmpty || token < Digest.hexadecimal($0) }
      let page = rest.prefix(3)
      var body = "<ListBucketResult><EncodingType>url</EncodingType>"
      for (index, key) in page.enumerated() {
        var encoded = String(decoding: PercentEncoding.encode(key, safe: PercentEncoding.keySafe), as: UTF8.self)
        // Servers differ in how they write a space.
        if index.isMultiple(of: 2) { encoded = encoded.replacing("%20", with: "+") }
        body += "<Contents><Key>\(encoded)</Key><Size>1</Size><ETag>e</ETag></Contents>"
      }
      if rest.count > 3, let last = page.last {
        body +=
          "<IsTruncated>true</IsTruncated><NextContinuationToken>\(Digest.hexadecimal(last))</NextContinuationToken>"
      }
      return .answer(200, body: body + "</ListBucketResult>")
    }
  }

  @Test("keys that no file system takes come back as they went", arguments: [1, 2, 3] as [UInt64])
  func strangestKeys(seed: UInt64) async throws {
    let strange = Self.pieces + ["/", "//", "/../", "/./", "..", "\\", "\n", "\t", "\r", "\u{1}", "\u{1b}[31m"]
    var keys = Self.keys(60, seed: seed, pieces: strange)
    let fixed = ["/", "//", "/leading", "..", "../../etc/passwd", ".", "\u{e9}", "e\u{301}"]
    keys.formUnion(fixed.map { ObjectKey($0) })
    keys.insert(ObjectKey(String(repeating: "k", count: 1024)))
    keys.insert(ObjectKey(String(repeating: "\u{1f600}", count: 256)))
    let strict = StrictServer()
    let server = try FaultServer { strict.answer($0) }
    let store = try openStore(
      Location(.bucket(endpoint: server.endpoint, name: "photos", prefix: [])),
      options: StorageOptions(environment: [
        "AWS_ACCESS_KEY_ID": Self.credentials.accessKeyID, "AWS_SECRET_ACCESS_KEY": Self.credentials.secretKey.value,
        "AWS_SESSION_TOKEN": "session/token+with=odd characters", "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
      ]))
    for key in keys { try await store.put(key, key.bytes, contentType: "text/plain") }
    // The two ways to write “é” are two keys.
    let found = try await store.allObjects()
    #expect(found.map(\.key) == keys.sorted(), "seed \(seed)")
    for object in found { #expect(try await store.bytes(object.key) == object.key.bytes, "seed \(seed)") }
    #expect(strict.wrong.withLock { $0 } == [])
  }

  /// A file system's names: no part is empty, `.`, `..` or longer than 255 bytes.
  private static func storable(_ seed: UInt64) -> [ObjectKey] {
    keys(70, seed: seed, pieces: pieces + ["/", "x/y"]).filter { key in
      let parts = key.bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      return parts.allSatisfy {
        !$0.isEmpty && $0 != Array(".".utf8)[...] && $0 != Array("..".utf8)[...] && $0.count <= 255
      }
    }
  }

  @Test("SeaweedFS, which checks signatures, keeps random keys", arguments: [11, 12] as [UInt64])
  func seaweed(seed: UInt64) async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("anykey\(seed)")
    try await roundTrip(Self.storable(seed), server, bucket: "anykey\(seed)", seed)
  }

  @Test("rclone's server keeps random keys", arguments: [21, 22] as [UInt64])
  func rclone(seed: UInt64) async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await roundTrip(Self.storable(seed), server, bucket: "photos", seed)
  }

  private func roundTrip(_ keys: [ObjectKey], _ server: any S3Server, bucket: String, _ seed: UInt64) async throws {
    let store = try openStore(
      Location(.bucket(endpoint: nil, name: bucket, prefix: [])),
      options: StorageOptions(environment: server.environment))
    // No key may be the folder of another, on servers that keep files.
    let slash = UInt8(ascii: "/")
    let taken = keys.filter { key in !keys.contains { $0.bytes.starts(with: key.bytes + [slash]) } }
    #expect(taken.count > 30)
    for key in taken { try await store.put(key, key.bytes, contentType: "text/plain") }
    let found = try await store.allObjects()
    #expect(found.map(\.key) == taken.sorted(), "seed \(seed)")
    for object in found { #expect(try await store.bytes(object.key) == object.key.bytes, "seed \(seed)") }
  }

  @Test("a link opens the object to everybody, for a while, on servers that check signatures")
  func links() async throws {
    let servers: [any S3Server] = [try await SeaweedServer.shared, try await RcloneServer.start()]
    for server in servers {
      try await server.makeBucket("linked")
      let store = try openStore(
        Location(.bucket(endpoint: nil, name: "linked", prefix: [])),
        options: StorageOptions(environment: server.environment))
      let key = ObjectKey("ä b+c/100% & more?#.jpg")
      try await store.put(key, Array("hello".utf8), contentType: "text/plain")
      let link = try await store.link(to: key, validFor: 60)
      #expect(!link.contains(server.secretKey))
      let engine = try TransferEngine(
        connections: 1, certificateAuthorities: nil, proxies: ProxySettings(environment: [:]))
      for (address, status) in [(link, 200), (link.replacing("X-Amz-Expires=60", with: "X-Amz-Expires=61"), 403)] {
        guard case .response(let response) = try await engine.perform(HTTPRequest(url: address)) else {
          Issue.record("no answer")
          continue
        }
        #expect(response.status == status)
        if status == 200 { #expect(response.body == Array("hello".utf8)) }
      }
    }
    let folder = try openStore(
      Location(.folder(path: Array("/tmp".utf8))), options: StorageOptions(environment: [:]))
    #expect(try await folder.link(to: ObjectKey("a b%.jpg"), validFor: 1).hasSuffix("/a%20b%25.jpg"))
  }
}
