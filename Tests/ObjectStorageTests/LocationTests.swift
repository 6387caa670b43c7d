import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

@Suite struct LocationTests {
  private func parse(_ text: String) throws -> Location {
    try Location(parsing: text, currentDirectory: "/work/here", homeDirectory: "/home/ada")
  }

  private static func bucket(_ name: String, _ prefix: String = "", at endpoint: String? = nil) -> Location.Kind {
    .bucket(endpoint: endpoint, name: name, prefix: Array(prefix.utf8))
  }

  private static func folder(_ path: String) -> Location.Kind { .folder(path: Array(path.utf8)) }

  @Test(
    "what a person types becomes the place meant",
    arguments: [
      ("photos", bucket("photos")),
      ("photos/", bucket("photos")),
      ("  photos/2024\n", bucket("photos", "2024/")),
      ("photos/2024/", bucket("photos", "2024/")),
      ("photos//2024", bucket("photos", "/2024/")),
      ("photos//", bucket("photos", "/")),
      ("photos/a//", bucket("photos", "a//")),
      ("photos/a/../b", bucket("photos", "a/../b/")),
      ("my.dotted.bucket/ä ö", bucket("my.dotted.bucket", "ä ö/")),
      ("photos/100%25 + more?", bucket("photos", "100%25 + more?/")),
      ("s3://photos/x", bucket("photos", "x/")),
      ("S3://photos", bucket("photos")),
      ("https://minio.example:9000/photos/a%20b", bucket("photos", "a b/", at: "https://minio.example:9000")),
      ("HTTP://[::1]:9000/photos", bucket("photos", at: "http://[::1]:9000")),
      ("https://Example.org:443/photos", bucket("photos", at: "https://example.org")),
      ("https://example.org/photos/100% wool", bucket("photos", "100% wool/", at: "https://example.org")),
      (
        "https://photos.s3.eu-west-1.amazonaws.com/a/b",
        bucket("photos", "a/b/", at: "https://s3.eu-west-1.amazonaws.com")
      ),
      ("https://my.photos.s3.amazonaws.com/", bucket("my.photos", at: "https://s3.amazonaws.com")),
      ("https://s3.eu-west-1.amazonaws.com/photos/a", bucket("photos", "a/", at: "https://s3.eu-west-1.amazonaws.com")),
      ("/a/b", folder("/a/b")),
      ("/a//b/./c/../", folder("/a/b")),
      ("/", folder("/")),
      (".", folder("/work/here")),
      ("./x", folder("/work/here/x")),
      ("../x", folder("/work/x")),
      (".hidden", folder("/work/here/.hidden")),
      ("~", folder("/home/ada")),
      ("~/Pictures/", folder("/home/ada/Pictures")),
      ("file:///a%20b/c", folder("/a b/c")),
      ("file:/a", folder("/a")),
      ("FILE://localhost/a", folder("/a")),
    ])
  func parses(_ text: String, kind: Location.Kind) throws {
    #expect(try parse(text).kind == kind)
  }

  @Test("a file address reaches names that are no UTF-8")
  func bytesInFileAddress() throws {
    #expect(try parse("file:///a/%FF%fe").kind == .folder(path: Array("/a/".utf8) + [0xFF, 0xFE]))
  }

  @Test(
    "nonsense is refused with what can be typed",
    arguments: [
      "", "   ", "/\0", "ab", "a b/c", "bücket", "s3://", "s3:///x", "https://host", "https://host/", "https:///x",
      "https://host:99999/photos", "ftp://host/x", "gs://photos", "~bob/x", "file://host/x", "file:relative",
      "arn:aws:s3:us-east-1:1:accesspoint/x", "https://ada:secret@host/photos",
      "https://host/photos/x?X-Amz-Signature=secret",
    ])
  func refuses(_ text: String) throws {
    let error = #expect(throws: LocationError.self) { _ = try parse(text) }
    let message = try #require(error).message
    #expect(message.contains("bucket/folder"))
    #expect(!message.contains("secret"))
  }

  @Test("the text shown leads back to the same location", arguments: 0..<200)
  func textRoundTrip(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    let alphabet = Array("ab /.%?+&#äあ\u{3000}\u{a0}😀\t~:\\\"".unicodeScalars)
    var name = String.UnicodeScalarView()
    for _ in 0..<Int.random(in: 0...8, using: &random) { name.append(alphabet.randomElement(using: &random)!) }
    let bytes = Array(String(name).utf8)
    let odd = bytes + (seed.isMultiple(of: 3) ? [0xC3] : [])
    let locations = [
      Location(.bucket(endpoint: nil, name: "photos", prefix: bytes)),
      Location(.bucket(endpoint: "https://host:9000", name: "photos", prefix: odd)),
      Location(.folder(path: Location.normalized(Array("/x/".utf8) + odd))),
    ]
    for location in locations {
      #expect(try parse(location.text) == location, "seed \(seed): \(location.text)")
    }
  }

  @Test("the address of an object is its S3 path or its file path")
  func addresses() throws {
    #expect(try parse("photos/a").address(of: ObjectKey("a/b.jpg")) == "s3://photos/a/b.jpg")
    #expect(try parse("/a/b").address(of: ObjectKey("c/d.jpg")) == "/a/b/c/d.jpg")
    #expect(try parse("/").address(of: ObjectKey("c.jpg")) == "/c.jpg")
  }

  @Test("keys order by bytes, and the last component is the file name")
  func keys() {
    #expect(ObjectKey("a") < ObjectKey("a/"))
    #expect(ObjectKey("a-b") < ObjectKey("a/b"))
    #expect(ObjectKey("Z") < ObjectKey("a"))
    #expect(ObjectKey("\u{FFFD}") < ObjectKey("😀"))
    #expect(ObjectKey("x/y/z.jpg").lastComponent == "z.jpg")
    #expect(ObjectKey(bytes: [0x61, 0xFF]).displayName == "a\u{FFFD}")
  }

  @Test(
    "an access key in a location is refused, and not repeated",
    arguments: [
      "s3://AKIAHUSH:hush-secret@photos/a", "s3://AKIAHUSH:hush/secret@photos/a", "AKIAHUSH:hush-secret@photos",
      "https://ada:hush-secret@server/photos", "https://ada:hush/secret@server/photos",
      "https://ada:hush?x@server/photos",
      "HTTP://hush@server:9000/photos/a",
    ])
  func accessKeys(_ text: String) {
    let error = #expect(throws: LocationError.self) { _ = try Location(parsing: text, currentDirectory: "/") }
    #expect(error?.description.lowercased().contains("hush") == false, "\(String(describing: error))")
  }

  @Test("an @ in a key is none of an access key's", arguments: ["s3://photos/a@b", "https://server:9000/photos/a@b:c"])
  func atSigns(_ text: String) throws {
    guard case .bucket(_, "photos", let prefix) = try Location(parsing: text, currentDirectory: "/").kind else {
      Issue.record("another bucket")
      return
    }
    #expect(prefix.starts(with: "a@b".utf8))
  }
}
