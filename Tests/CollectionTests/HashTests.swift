import TestSupport
import Testing

@testable import Collection

@Suite("Checksums and hashes", .computing)
struct HashTests {
  @Test(
    "XXH64 gives the published values",
    arguments: [
      ("", 0, 0xEF46_DB37_51D8_E999), ("a", 0, 0xD24E_C4F1_A98C_6E5B), ("abc", 0, 0x44BC_2CF5_AD77_0999),
      ("xxhash", 20_141_025, 0xB559_B98D_844E_0635),
      ("Nobody inspects the spammish repetition", 0, 0xFBCE_A83C_8A37_8BF1),
    ] as [(String, UInt64, UInt64)])
  func publishedChecksums(text: String, seed: UInt64, expected: UInt64) {
    #expect(Checksum.of(Array(text.utf8), seed: seed) == expected)
  }

  @Test(
    "SHA-256 gives the published values",
    arguments: [
      ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func publishedHashes(text: String, times: Int, expected: String) {
    var hash = ContentHash()
    for _ in 0..<times { hash.update(Array(text.utf8)) }
    #expect(hash.finish() == expected)
  }

  @Test("the borders between fields count")
  func fieldBorders() {
    let one = DerivedKey {
      $0.field("ab"); $0.field("c")
    }
    let other = DerivedKey {
      $0.field("a"); $0.field("bc")
    }
    #expect(one != other)
  }
}
