import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

/// The published examples: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html and the general
/// SigV4 suite (awslabs/aws-c-auth, tests/aws-signing-test-suite/v4).
@Suite struct SigningTests {
  private static let documentation = RequestSigner(
    credentials: Credentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", source: "the test"),
    region: "us-east-1")
  private static let documentationDate = SigningDate(timestamp: "20130524T000000Z")

  struct Example: Sendable, CustomTestStringConvertible {
    var name: String
    var method = "GET"
    var path: String
    var query: [(name: String, value: String)] = []
    var headers: [(name: String, value: String)] = []
    var body = ""
    var signature: String
    var testDescription: String { name }
  }

  @Test(
    "the examples of the S3 documentation get their signatures",
    arguments: [
      Example(
        name: "GET an object", path: "/test.txt", headers: [("range", "bytes=0-9")],
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
      Example(
        name: "PUT an object", method: "PUT", path: "/test%24file.text",
        headers: [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        body: "Welcome to Amazon S3.",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
      Example(
        name: "GET a sub-resource", path: "/", query: [("lifecycle", "")],
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
      Example(
        name: "GET a listing", path: "/", query: [("prefix", "J"), ("max-keys", "2")],
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ])
  func documentationExamples(_ example: Example) {
    let hash = Digest.hexadecimal(Digest.sha256(Array(example.body.utf8)))
    let headers =
      example.headers + [
        ("host", "examplebucket.s3.amazonaws.com"), ("x-amz-content-sha256", hash), ("x-amz-date", "20130524T000000Z"),
      ]
    let request = SignableRequest(
      method: example.method, path: example.path, query: CanonicalQuery(example.query).text, headers: headers,
      payloadHash: hash)
    let authorization = Self.documentation.authorization(for: request, at: Self.documentationDate)
    let names = headers.map(\.name).sorted().joined(separator: ";")
    #expect(
      authorization == "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
        + "SignedHeaders=\(names),Signature=\(example.signature)")
  }

  @Test("the presigned address of the documentation gets its signature")
  func presigned() {
    let query = Self.documentation.presignedQuery(
      method: "GET", path: "/test.txt", query: [], host: "examplebucket.s3.amazonaws.com", at: Self.documentationDate,
      expiresIn: 86_400)
    #expect(
      query == "X-Amz-Algorithm=AWS4-HMAC-SHA256"
        + "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        + "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
  }

  /// The path of a key, as it is sent.
  private static func path(_ key: String) -> String {
    "/" + String(decoding: PercentEncoding.encode(key.utf8, safe: PercentEncoding.keySafe), as: UTF8.self)
  }

  @Test(
    "the general suite gets its signatures where it does not normalise paths",
    arguments: [
      Example(
        name: "get-vanilla", path: path(""),
        signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
      Example(
        name: "post-vanilla", method: "POST", path: path(""),
        signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
      Example(
        name: "get-unreserved",
        path: path("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
        signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"),
      Example(
        name: "get-utf8", path: path("ሴ"),
        signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
      Example(
        name: "get-space", path: path("example space/"),
        signature: "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"),
      Example(
        name: "get-slashes-unnormalized", path: path("/example//"),
        signature: "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"),
      Example(
        name: "get-slash-dot-slash-unnormalized", path: path("./"),
        signature: "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145"),
      Example(
        name: "get-relative-relative-unnormalized", path: path("example1/example2/../.."),
        signature: "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b"),
      Example(
        name: "get-vanilla-query-order-key-case", path: path(""), query: [("Param2", "value2"), ("Param1", "value1")],
        signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
      Example(
        name: "get-vanilla-query-order-encoded", path: path(""),
        query: [("Param-3", "Value3"), ("Param", "Value2"), ("ሴ", "Value1")],
        signature: "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"),
      Example(
        name: "get-vanilla-utf8-query", path: path(""), query: [("ሴ", "bar")],
        signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"),
      Example(
        name: "get-header-key-duplicate", path: path(""),
        headers: [("my-header1", "value2"), ("my-header1", "value2"), ("my-header1", "value1")],
        signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"),
      Example(
        name: "get-header-value-trim", path: path(""),
        headers: [("My-Header1", " value1"), ("My-Header2", " \"a   b   c\"")],
        signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
      Example(
        name: "get-vanilla-with-session-token", path: path(""),
        headers: [
          ("x-amz-security-token", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267")
        ],
        signature: "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"),
      Example(
        name: "post-x-www-form-urlencoded", method: "POST", path: path(""),
        headers: [("content-type", "application/x-www-form-urlencoded")], body: "Param1=value1",
        signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ])
  func generalSuite(_ example: Example) {
    let signer = RequestSigner(
      credentials: Credentials(
        accessKeyID: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", source: "the test"),
      region: "us-east-1", service: "service")
    let request = SignableRequest(
      method: example.method, path: example.path, query: CanonicalQuery(example.query).text,
      headers: example.headers + [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")],
      payloadHash: Digest.hexadecimal(Digest.sha256(Array(example.body.utf8))))
    let authorization = signer.authorization(for: request, at: SigningDate(timestamp: "20150830T123600Z"))
    #expect(authorization.hasSuffix("Signature=" + example.signature))
  }

  @Test("a path is never normalised, as the suite's other cases would have it")
  func notNormalized() {
    let signer = RequestSigner(
      credentials: Credentials(
        accessKeyID: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", source: "the test"),
      region: "us-east-1", service: "service")
    let request = SignableRequest(
      method: "GET", path: Self.path("/example//"), query: "",
      headers: [("host", "example.amazonaws.com"), ("x-amz-date", "20150830T123600Z")], payloadHash: Digest.ofNothing)
    let authorization = signer.authorization(for: request, at: SigningDate(timestamp: "20150830T123600Z"))
    #expect(!authorization.hasSuffix("9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"))
  }

  @Test("the key of the day changes with the day")
  func dayKey() {
    func sign(_ signer: RequestSigner, _ timestamp: String) -> String {
      let request = SignableRequest(
        method: "GET", path: "/", query: "", headers: [("host", "h")], payloadHash: Digest.ofNothing)
      return signer.authorization(for: request, at: SigningDate(timestamp: timestamp))
    }
    let signer = Self.documentation
    let fresh = RequestSigner(credentials: signer.credentials, region: "us-east-1")
    _ = sign(signer, "20130524T000000Z")
    #expect(sign(signer, "20130525T000000Z") == sign(fresh, "20130525T000000Z"))
  }

  @Test("dates are written as Foundation writes them", arguments: 0..<200)
  func dates(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let date = Date(timeIntervalSince1970: Double(Int.random(in: -2_000_000_000...8_000_000_000, using: &random)))
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyyMMdd'T'HHmmss'Z'"
    #expect(SigningDate(date).timestamp == formatter.string(from: date), "seed \(seed)")
    formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ss'.250Z'"
    let text = formatter.string(from: date)
    #expect(Timestamp.date(iso8601: Array(text.utf8)) == date.addingTimeInterval(0.25), "seed \(seed)")
    #expect(Timestamp.date(iso8601: Array((text.prefix(19) + "Z").utf8)) == date, "seed \(seed)")
  }

  @Test("any key is encoded into plain characters and back", arguments: 0..<200)
  func encoding(seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    let key = (0..<Int.random(in: 1...1024, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
    let encoded = PercentEncoding.encode(key, safe: PercentEncoding.keySafe)
    let isPlain = encoded.allSatisfy {
      PercentEncoding.isAlphanumeric($0) || PercentEncoding.keySafe.contains($0) || $0 == UInt8(ascii: "%")
    }
    #expect(isPlain, "seed \(seed)")
    #expect(PercentEncoding.decode(encoded) == key, "seed \(seed)")
    #expect(PercentEncoding.decode(encoded, plusIsSpace: true) == key, "seed \(seed)")
  }

  @Test("a plus is a space only where the listing says so")
  func plus() {
    #expect(PercentEncoding.decode(Array("a+b%2Bc%2".utf8)) == Array("a+b+c%2".utf8))
    #expect(PercentEncoding.decode(Array("a+b%2Bc".utf8), plusIsSpace: true) == Array("a b+c".utf8))
  }
}
