import COpenSSL

/// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL.
enum Digest {
  /// The digest of no bytes, in hexadecimal: the payload hash of every GET.
  static let ofNothing = hexadecimal(sha256([]))

  static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
      _ = COpenSSL.SHA256(bytes, bytes.count, buffer.baseAddress)
      count = Int(SHA256_DIGEST_LENGTH)
    }
  }

  /// For the names of the files in which the AWS command line keeps what it knows, and for nothing that must be safe.
  static func sha1(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SHA_DIGEST_LENGTH)) { buffer, count in
      _ = COpenSSL.SHA1(bytes, bytes.count, buffer.baseAddress)
      count = Int(SHA_DIGEST_LENGTH)
    }
  }

  static func hmac(key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { buffer, count in
      var length: UInt32 = 0
      _ = HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress, &length)
      count = Int(length)
    }
  }

  static func hexadecimal(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      for (index, byte) in bytes.enumerated() {
        buffer[2 * index] = digits[Int(byte >> 4)]
        buffer[2 * index + 1] = digits[Int(byte & 15)]
      }
      return bytes.count * 2
    }
  }
}
