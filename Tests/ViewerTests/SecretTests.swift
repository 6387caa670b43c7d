import Foundation
import TestSupport
import Testing

/// Titles are read by window lists, screen sharing and logs of the desktop.
@Suite("Secrets and the window", .serialized, .timeLimit(.minutes(10)))
struct SecretTests {
  private static let environment: [String: String?] = [
    "AWS_ACCESS_KEY_ID": "AKIAHUSHHUSHHUSH", "AWS_SECRET_ACCESS_KEY": "hush-secret", "AWS_SESSION_TOKEN": "hush-token",
    "AWS_EC2_METADATA_DISABLED": "true", "http_proxy": nil, "https_proxy": nil,
  ]

  /// Nothing that the window tells the desktop, prints or keeps holds a secret.
  private func expectSilence(_ window: WindowUnderTest) async throws {
    let properties = try await window.display.run("xprop", ["-id", window.window]).outputText
    #expect(properties.contains("S3toTSNE") && !properties.lowercased().contains("hush"), "\(properties)")
    #expect(try await window.quit() == 0)
    #expect(!window.program.errorText.lowercased().contains("hush"), "\(window.program.errorText)")
    for name in FileManager.default.enumerator(atPath: window.home.path)?.allObjects as? [String] ?? [] {
      guard let data = FileManager.default.contents(atPath: window.home.file(name)) else { continue }
      #expect(data.firstRange(of: Data("hush".utf8)) == nil, "\(name)")
    }
  }

  @Test("the title names the bucket, and neither keys nor what stands before the server of an endpoint")
  func endpoint() async throws {
    var environment = Self.environment
    environment["AWS_ENDPOINT_URL"] = "http://ada:hush-password@127.0.0.1:1"
    let window = try await WindowUnderTest.start(["photos"], environment: environment)
    try await window.waitUntil("it has failed") { try await window.state().hasPrefix("failed:") }
    #expect(try await window.title() == "photos – S3toTSNE")
    try await expectSilence(window)
  }

  @Test("a location with a password in it is not opened, and never becomes a title")
  func location() async throws {
    let window = try await WindowUnderTest.start([], environment: Self.environment)
    try await window.waitForState("idle")
    try await window.type("https://ada:hush-password@127.0.0.1:1/photos")
    try await window.key("Return")
    _ = try await window.picture()
    #expect(try await window.title() == "S3toTSNE")
    try await expectSilence(window)
  }
}
