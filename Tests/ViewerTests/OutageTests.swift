import Foundation
import Synchronization
import TestSupport
import Testing

// A bucket whose server goes and comes back.
extension ViewerTests {
  /// Holds what is said to the server's clients from some moment on.
  private final class Weather: Sendable {
    let isBad = Mutex(false)
    /// It turns bad behind so many requests.
    let calmRequests: Int

    init(calmRequests: Int) { self.calmRequests = calmRequests }

    func fault(_ number: Int) -> FaultProxy.Fault? {
      let isBad = isBad.withLock { isBad in
        if number == calmRequests { isBad = true }
        return isBad
      }
      return isBad
        ? .answer(503, headers: ["Retry-After": "300"], body: "<Error><Code>SlowDown</Code></Error>") : nil
    }
  }

  @Test("a server that asks for a long pause is waited for with a countdown, and Try now does not wait")
  func tryNow() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: sampleImages + "/fruit", to: "photos")
    let count = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").count
    let weather = Weather(calmRequests: 5)
    let proxy = try FaultProxy(upstream: server.endpoint) { request, _ in weather.fault(request.number) }
    var environment: [String: String?] = server.environment
    environment["AWS_ENDPOINT_URL"] = proxy.endpoint
    let window = try await WindowUnderTest.start(["photos", "--replica", "none"], environment: environment)
    try await window.waitForWord("interrupted")
    weather.isBad.withLock { $0 = false }
    // The button at the right end of the status line. By itself it would wait for five minutes, longer than this test.
    try await window.waitUntil("it goes on when the button is pressed") {
      try await window.point(940, 646)
      _ = try await window.display.run("xdotool", ["click", "1"])
      return try await !window.state().contains("interrupted")
    }
    try await window.waitForState("finished")
    #expect(try await window.number("placed") == count)
  }

  @Test("originals that are being saved wait for the connection, and are all there in the end")
  func savingWaits() async throws {
    let server = try await RcloneServer.start()
    try await server.makeBucket("photos")
    try await server.upload(folder: sampleImages + "/fruit", to: "photos")
    let names = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").sorted()
    let proxy = try FaultProxy(upstream: server.endpoint)
    var environment: [String: String?] = server.environment
    environment["AWS_ENDPOINT_URL"] = proxy.endpoint
    let window = try await WindowUnderTest.start(["photos", "--replica", "none"], environment: environment)
    try await window.waitForState("finished")
    proxy.disconnect()
    let folder = try TemporaryDirectory("originals")
    try await window.key("ctrl+s")
    try await window.waitForWord("prompt")
    try await window.key("ctrl+a")
    try await window.type(folder.path + "/")
    try await window.key("Return")
    try await window.waitForWord("saving:interrupted")
    try proxy.reconnect()
    try await window.waitForWord("saving", present: false)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == names)
  }
}
