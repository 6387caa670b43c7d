import CX11
import Foundation
import Geometry
import TestSupport
import Testing

@testable import X11

/// A window that shows a part of an endless noise, and moves over it for as long as it is told to.
@MainActor private final class NoiseWindow {
  let connection: X11.Connection
  let window: X11.Window
  private(set) var presented = 0
  private(set) var place = (x: 0, y: 0)
  /// What the place changes by with every frame; nil rests.
  var way: (x: Int, y: Int)?
  /// Whether movements are told as such.
  var tellsMovement = true
  /// Called when the display has acknowledged a picture.
  var onPresented: () -> Void = {}
  private var shown: (x: Int, y: Int)?

  init(_ display: String, width: Int, height: Int) throws {
    connection = try X11.Connection(displayName: display)
    window = try X11.Window(
      connection: connection,
      options: WindowOptions(title: "noise", size: Size(width: Double(width), height: Double(height))))
    window.onEvent = { [unowned self] event in
      switch event {
      case .exposed, .resized, .frameReady: draw()
      case .presented:
        presented += 1
        onPresented()
        if way != nil { draw() }
      default: break
      }
    }
    window.show()
  }

  func color(_ x: Int, _ y: Int) -> UInt32 {
    // Nothing that a compressor or a lucky guess would help with, and smooth enough to be seen coarse.
    let v = UInt32(truncatingIfNeeded: (x >> 3) &* 73_856_093 ^ (y >> 3) &* 19_349_663)
    return 0xff00_0000 | (v &* 2_654_435_761) >> 8
  }

  func draw() {
    guard let frame = window.beginFrame() else { return }
    if let way { place = (place.x + way.x, place.y + way.y) }
    for y in 0..<frame.height {
      for x in 0..<frame.width { frame.pixels[y * frame.stride + x] = color(x + place.x, y + place.y) }
    }
    let whole = PixelRect(x: 0, y: 0, width: frame.width, height: frame.height)
    let movement = shown.map { FrameMovement(rect: whole, x: $0.x - place.x, y: $0.y - place.y) }
    window.present(frame, damage: [whole], movement: tellsMovement ? movement : nil)
    shown = place
  }

  /// Whether the screen shows exactly what was drawn last.
  func isExact(on display: VirtualDisplay) async throws -> Bool {
    let shot = try await display.screenshot(window: String(window.id))
    return (0..<shot.pixels.count).allSatisfy { index in
      shot.pixels[index] == color(index % shot.width + place.x, index / shot.width + place.y)
    }
  }

  func until(_ what: String, within seconds: Double = 240, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
      guard ContinuousClock.now < end else { throw TestSupportError("Waited \(seconds) s in vain: \(what)") }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

@MainActor @Suite("A slow connection", .serialized)
struct SlowConnectionTests {
  /// 20 Mbit a second.
  static let bits = 20e6

  @Test(
    "never holds more bytes than it takes in a tenth of a second, and shows every movement", arguments: [true, false])
  func panning(tellsMovement: Bool) async throws {
    let display = try await VirtualDisplay.start(width: 1100, height: 800, arguments: ["-extension", "MIT-SHM"])
    let slow = try ThrottledDisplay(to: display.name, bitsPerSecond: Self.bits)
    defer { slow.stop() }
    let noise = try NoiseWindow(slow.name, width: 1000, height: 700)
    noise.tellsMovement = tellsMovement
    #expect(noise.connection.isRemote)
    try await noise.until("the first picture is sharp") { try await noise.isExact(on: display) }
    _ = slow.takeMostWaiting()

    let before = (presented: noise.presented, total: slow.total)
    noise.way = (37, -12)
    noise.draw()
    try await noise.until("thirty pictures of a pan") { noise.presented >= before.presented + 30 }
    noise.way = nil
    #expect(slow.takeMostWaiting() <= Int(Self.bits / 8 / 10))
    // A whole picture of this window has 2.8 MB.
    #expect((slow.total - before.total) / 30 < 250_000)
    try await noise.until("it is sharp again") { try await noise.isExact(on: display) }
    #expect(slow.takeMostWaiting() <= Int(Self.bits / 8 / 10))
    noise.window.close()
    noise.connection.close()
  }

  @Test("a picture that changes altogether is there coarse long before it is there sharp")
  func coarseFirst() async throws {
    let display = try await VirtualDisplay.start(width: 1100, height: 800, arguments: ["-extension", "MIT-SHM"])
    let slow = try ThrottledDisplay(to: display.name, bitsPerSecond: Self.bits / 4)
    defer { slow.stop() }
    let noise = try NoiseWindow(slow.name, width: 1000, height: 700)
    try await noise.until("the first picture is sharp") { try await noise.isExact(on: display) }
    let before = (presented: noise.presented, total: slow.total)
    var first: Int?
    noise.onPresented = { first = first ?? slow.total }
    noise.tellsMovement = false
    noise.way = (1000, 1000)
    noise.draw()
    noise.way = nil
    try await noise.until("a coarse picture") { noise.presented > before.presented }
    #expect(try #require(first) - before.total < 400_000)
    let shot = try await display.screenshot(window: String(noise.window.id))
    // A square of eight pixels has one colour; the enlargement mixes in its neighbours, but not in its middle.
    var near = 0
    var checked = 0
    for y in stride(from: 100, to: 600, by: 40) {
      for x in stride(from: 100, to: 900, by: 40) {
        let (centerX, centerY) = (x / 8 * 8 + 4, y / 8 * 8 + 4)
        let (seen, wanted) = (
          shot[centerX, centerY], noise.color(centerX + noise.place.x, centerY + noise.place.y)
        )
        checked += 1
        if [0, 8, 16].allSatisfy({ abs(Int(seen >> $0 & 255) - Int(wanted >> $0 & 255)) < 60 }) { near += 1 }
      }
    }
    #expect(near > checked * 8 / 10)
    try await noise.until("it is sharp") { try await noise.isExact(on: display) }
    noise.window.close()
    noise.connection.close()
  }

  @Test("depths other than 24 are streamed in their own format", arguments: [16, 30])
  func depths(depth: Int) async throws {
    let display = try await VirtualDisplay.start(
      width: 700, height: 500, depth: depth, arguments: ["-extension", "MIT-SHM"])
    let slow = try ThrottledDisplay(to: display.name, bitsPerSecond: Self.bits)
    defer { slow.stop() }
    let noise = try NoiseWindow(slow.name, width: 640, height: 400)
    try await noise.until("the picture is sharp, as far as the depth goes") {
      let shot = try await display.screenshot(window: String(noise.window.id))
      return (0..<shot.pixels.count).allSatisfy { index in
        let wanted = noise.color(index % shot.width, index / shot.width)
        return [0, 8, 16].allSatisfy {
          abs(Int(shot.pixels[index] >> $0 & 255) - Int(wanted >> $0 & 255)) <= (depth == 16 ? 8 : 1)
        }
      }
    }
    noise.window.close()
    noise.connection.close()
  }
}

@Suite("What a connection can take")
struct LinkMeterTests {
  @Test("is learnt from the answers, and never more than its share of bytes is under way")
  func learns() {
    for bytesPerSecond in [2.5e5, 2.5e6, 2.5e8] {
      var meter = LinkMeter()
      var free = 0.0
      var now = 0.0
      var last = 0
      for _ in 0..<60 {
        last = meter.room
        meter.sent(last, serial: nil, at: now)
        free = max(free, now) + Double(last) / bytesPerSecond
        now = free + 0.002
        _ = meter.answered(at: now)
      }
      #expect(Double(last) <= max(24 * 1024, bytesPerSecond * 0.1))
      #expect(Double(last) >= min(16e6, bytesPerSecond * 0.03))
      #expect(meter.isIdle && meter.bytesUnderWay == 0)
    }
  }

  @Test("answers that are seen late, many at once, do not make a slow connection look fast")
  func lateAnswers() {
    let bytesPerSecond = 2.5e6
    var random = SplitMix64(seed: 3)
    var meter = LinkMeter()
    var (now, free, most) = (0.0, 0.0, 0)
    var waiting: [Double] = []
    for _ in 0..<2_000 {
      while meter.room >= 16_384 {
        meter.sent(16_384, serial: nil, at: now)
        free = max(free, now) + 16_384 / bytesPerSecond
        waiting.append(free)
      }
      most = max(most, meter.bytesUnderWay)
      // Now and then this program does not get a processor for a while.
      now = max(now, waiting[0]) + (Int.random(in: 0..<5, using: &random) == 0 ? 0.05 : 0.0002)
      while let first = waiting.first, first <= now {
        waiting.removeFirst()
        _ = meter.answered(at: now)
      }
    }
    #expect(Double(most) <= bytesPerSecond * 0.1)
    #expect(meter.rate > bytesPerSecond * 0.2)
  }
}
