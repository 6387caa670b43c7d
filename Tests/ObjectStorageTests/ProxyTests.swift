import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

/// Proxies between here and the server.
@Suite(.timeLimit(.minutes(10))) struct ProxyTests {
  private func open(_ server: any S3Server, _ more: [String: String]) throws -> any ObjectStore {
    let options = StorageOptions(environment: server.environment.merging(more) { $1 })
    return try openStore(Location(.bucket(endpoint: nil, name: "photos", prefix: [])), options: options)
  }

  private func makeServer(isEncrypted: Bool) async throws -> RcloneServer {
    let server = try await RcloneServer.start(certificate: isEncrypted ? TestCertificate() : nil)
    try FileManager.default.createDirectory(atPath: server.directory + "/photos", withIntermediateDirectories: true)
    for number in 0..<20 {
      #expect(
        FileManager.default.createFile(atPath: server.directory + "/photos/\(number)", contents: Data([UInt8(number)])))
    }
    return server
  }

  private func expectAll(_ store: any ObjectStore) async throws {
    let objects = try await store.allObjects()
    #expect(objects.count == 20)
    for object in objects { #expect(try await store.bytes(object.key) == [UInt8(object.key.displayName) ?? 99]) }
  }

  @Test("an encrypted server is reached through a tunnel, with the user name and the password that the proxy wants")
  func tunnel() async throws {
    let server = try await makeServer(isEncrypted: true)
    let proxy = try ConnectProxy()
    try await expectAll(try open(server, ["HTTPS_PROXY": proxy.address]))
    #expect((1...2).contains(proxy.tunnelCount) && proxy.requestCount == 0)

    let strict = try ConnectProxy(credentials: "ada:hush proxy")
    try await expectAll(
      try open(server, ["https_proxy": strict.address.replacing("//", with: "//ada:hush%20proxy@")]))
    #expect(strict.tunnelCount > 0 && strict.refusalCount == 0)
    for address in [strict.address, strict.address.replacing("//", with: "//ada:wrong@")] {
      let error = await #expect(throws: StorageError.self) {
        _ = try await open(server, ["HTTPS_PROXY": address]).allObjects()
      }
      #expect(error?.kind == .unreachable && error?.message.contains("user name and a password") == true)
      #expect(error?.remedy?.contains("HTTPS_PROXY") == true && error?.description.contains("wrong") == false)
    }
  }

  @Test(
    "a plain server is asked for by the proxy, whatever the case of the variable's name",
    arguments: ["http_proxy", "HTTP_PROXY", "ALL_PROXY"])
  func plain(variable: String) async throws {
    let server = try await makeServer(isEncrypted: false)
    let proxy = try ConnectProxy(credentials: "ada:hush")
    try await expectAll(try open(server, [variable: proxy.address.replacing("//", with: "//ada:hush@")]))
    #expect(proxy.requestCount == 21 && proxy.tunnelCount == 0)
    let error = await #expect(throws: StorageError.self) {
      _ = try await open(server, [variable: proxy.address]).allObjects()
    }
    #expect(error?.message.contains("user name and a password") == true)
  }

  @Test(
    "what NO_PROXY excepts is reached directly", arguments: ["127.0.0.1", "example.org, 127.0.0.0/8", "*", "0.0.0.0/0"])
  func excepted(list: String) async throws {
    let server = try await makeServer(isEncrypted: false)
    let proxy = try ConnectProxy()
    try await expectAll(try open(server, ["http_proxy": proxy.address, "NO_PROXY": list]))
    #expect(proxy.requestCount == 0)
  }

  @Test("names, endings, addresses and ranges of addresses are told apart")
  func exceptions() throws {
    func isDirect(_ url: String, _ list: String) -> Bool {
      ProxySettings(environment: ["HTTPS_PROXY": "proxy:3128", "no_proxy": list]).proxyAddress(forURL: url) == nil
    }
    #expect(isDirect("https://photos.minio.example:9000/x", ".example"))
    #expect(isDirect("https://minio.example/x?y", "minio.example"))
    #expect(!isDirect("https://notminio.example/", "minio.example"))
    #expect(isDirect("https://10.20.30.40/", "10.0.0.0/8") && !isDirect("https://11.20.30.40/", "10.0.0.0/8"))
    #expect(isDirect("https://10.20.31.255/", "10.20.30.0/23") && !isDirect("https://10.20.32.0/", "10.20.30.0/23"))
    #expect(isDirect("https://[fd00::1]:9000/", "fd00::/8") && !isDirect("https://[fe80::1]/", "fd00::/8"))
    #expect(isDirect("https://[::1]/", "::1") && !isDirect("https://[::2]/", "::1"))
    #expect(!isDirect("https://10.20.30.40/", "10.0.0.0/x") && !isDirect("https://x/", ""))
    let settings = ProxySettings(environment: ["HTTPS_PROXY": "", "ALL_PROXY": "socks5h://s:1080", "http_proxy": "p:1"])
    #expect(settings.proxyAddress(forURL: "https://x/") == nil)
    #expect(settings.proxyAddress(forURL: "http://x/") == "http://p:1")
    #expect(
      ProxySettings(environment: ["ALL_PROXY": "socks5h://s:1080"]).proxyAddress(forURL: "http://x/")
        == "socks5h://s:1080")
  }
}
