import TestSupport
import Testing

@testable import ObjectStorage

/// The controller against a server that is a formula.
@Suite struct ConcurrencyTests {
  /// Runs `seconds` of transfers of 100 KB against a server that answers `rate(n)` of them a second when `n` run at one
  /// time, and hands back the limit at the end.
  private func limit(
    maximum: Int = 256, seconds: Double = 20, refusesAbove: Int = .max, _ rate: (Int) -> Double
  ) -> ConcurrencyControl {
    var control = ConcurrencyControl(maximum: maximum)
    var time = 0.0
    while time < seconds {
      time += 1 / rate(control.limit)
      if control.limit > refusesAbove { control.refuse(time: time) }
      control.succeed(bytes: 100_000, time: time)
      #expect((1...maximum).contains(control.limit))
    }
    return control
  }

  @Test("it grows while more brings more: to the maximum behind a delay")
  func delay() {
    #expect(limit(seconds: 3) { Double($0) / 0.05 }.limit == 256)
    #expect(limit(maximum: 100, seconds: 3) { Double($0) / 0.05 }.limit == 100)
  }

  @Test("it stays small where the server is the limit")
  func saturated() {
    #expect(limit { _ in 2000 }.limit <= 2 * ConcurrencyControl.initial)
    #expect(limit { min(2000, Double($0) * 20) }.limit >= 90)
  }

  @Test("it halves when the server asks for less, and comes back step by step to what is possible")
  func refusals() {
    var control = ConcurrencyControl(maximum: 64)
    control.refuse(time: 1)
    // The other answers of the same burst.
    control.refuse(time: 1.1)
    #expect(control.limit == 16)
    for second in 2..<20 { control.refuse(time: Double(second) * 2) }
    #expect(control.limit == ConcurrencyControl.minimum)
    let end = limit(seconds: 60, refusesAbove: 40) { Double($0) / 0.05 }.limit
    #expect((18...42).contains(end), "\(end)")
  }

  @Test("few transfers say nothing about more")
  func starved() {
    var control = ConcurrencyControl(maximum: 256)
    for step in 0..<1000 {
      control.succeed(bytes: 1000, time: Double(step) * 0.01)
      control.starve()
    }
    #expect(control.limit == ConcurrencyControl.initial)
  }

  @Test("connections never exceed what the process may open")
  func descriptors() {
    #expect(DescriptorLimit.connections(wanted: 8).connections == 8)
    #expect(DescriptorLimit.connections(wanted: 1).connections == 1)
    // What one engine was promised, no other one is; and when it is gone, it can be promised again.
    let all = DescriptorLimit.connections(wanted: 2_000_000)
    #expect(all.connections > 100 && all.connections < 2_000_000)
    // Engines of other tests may go meanwhile.
    withExtendedLifetime(all) {
      let next = DescriptorLimit.connections(wanted: 2_000_000)
      #expect(next.connections >= 2 && next.connections <= all.connections / 2)
    }
  }
}
