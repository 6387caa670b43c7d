/// A certificate for the loopback interface that signs itself, made anew: whoever is to trust it has to be told.
public final class TestCertificate: Sendable {
  private let directory: TemporaryDirectory

  /// The certificate, in PEM form.
  public var file: String { directory.file("cert.pem") }
  /// Its key.
  public var keyFile: String { directory.file("key.pem") }

  /// Makes one with openssl.
  public init() async throws {
    directory = try TemporaryDirectory("certificate")
    _ = try await run(
      "openssl",
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test", "-addext",
        "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost", "-keyout", directory.file("key.pem"), "-out",
        directory.file("cert.pem"),
      ], checked: true)
  }
}
