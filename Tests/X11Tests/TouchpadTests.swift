import Geometry
import TestSupport
import Testing

@testable import X11

@MainActor @Suite("A touchpad", .serialized, .timeLimit(.minutes(10))) struct TouchpadTests {
  private func scrolled(_ test: TestWindow) -> (dx: Double, dy: Double) {
    test.events.reduce((0, 0)) { sum, event in
      if case .scrolled(let dx, let dy, _, _, _) = event { (sum.0 + dx, sum.1 + dy) } else { sum }
    }
  }

  @Test(
    "it scrolls by fractions of a notch in both directions, at the pointer, and by no more than the fingers moved",
    .enabled(
      if: TouchpadDisplay.isPossible,
      "needs root and the packages xserver-xorg-core and xserver-xorg-video-dummy"))
  func fractions() async throws {
    let touchpad = try await TouchpadDisplay.start()
    let test = try await TestWindow.open(on: touchpad.display)
    try await touchpad.display.xdotool("mousemove", "50", "60")
    try await test.until("the pointer is there") {
      test.events.contains { if case .pointerMoved(50, 60, _, _) = $0 { true } else { false } }
    }
    for _ in 0..<5 { try touchpad.scroll(down: 0.25) }
    try await test.until("a notch and a quarter towards the user") { abs(scrolled(test).dy + 1.25) < 1e-9 }
    try touchpad.scroll(right: 0.5, down: -2)
    try await test.until("half a notch to the right, two back") {
      abs(scrolled(test).dx - 0.5) < 1e-9 && abs(scrolled(test).dy - 0.75) < 1e-9
    }
    #expect(
      test.events.allSatisfy { event in
        if case .scrolled(_, _, let x, let y, _) = event { x == 50 && y == 60 } else { true }
      })
    // The buttons that the server presses for programs without the extension are no scrolling of their own.
    #expect(!test.events.contains { if case .pointerPressed = $0 { true } else { false } })
    // What the fingers do over another window is not caught up on when the pointer comes back.
    try await touchpad.display.xdotool("mousemove", "900", "700")
    try await test.until("the pointer is gone") { test.events.last == .pointerLeft }
    try touchpad.scroll(down: 7)
    try await touchpad.display.xdotool("mousemove", "52", "61")
    try await test.until("the pointer is back") {
      test.events.contains { if case .pointerMoved(52, 61, _, _) = $0 { true } else { false } }
    }
    try touchpad.scroll(down: 0.125)
    try await test.until("an eighth more") { abs(scrolled(test).dy - 0.625) < 1e-9 }
  }
}
