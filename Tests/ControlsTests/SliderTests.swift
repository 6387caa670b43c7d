import Controls
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The slider", .computing)
struct SliderTests {
  private func make() -> (Slider, Desk, () -> [Double]) {
    let slider = Slider(0.25...4, neutral: 1, step: 2)
    let desk = Desk([slider])
    var chosen: [Double] = []
    slider.onChange = { chosen.append($0) }
    return (slider, desk, { chosen })
  }

  /// Where a share of the slider's way is; the knob's middle stays inside.
  private func place(_ share: Double, of slider: Slider) -> Point {
    Point(x: slider.frame.x + 5 + share * (slider.frame.width - 10), y: slider.frame.center.y)
  }

  @Test("equal ways are equal factors, and beyond its ends it stays there")
  func pointer() {
    let (slider, desk, chosen) = make()
    for (share, value) in [(0.0, 0.25), (0.25, 0.5), (0.75, 2), (1, 4)] {
      desk.click(place(share, of: slider))
      #expect(abs(slider.value - value) < 0.02)
    }
    desk.drag(from: place(1, of: slider), to: Point(x: 1000, y: 300))
    #expect(slider.value == 4)
    desk.drag(from: place(1, of: slider), to: Point(x: -1000, y: 0))
    #expect(slider.value == 0.25)
    #expect(chosen().count == 5 && chosen().last == 0.25)
  }

  @Test("the knob is held where it was touched; near its place of rest it stays there, and a double click leads to it")
  func knob() {
    let (slider, desk, chosen) = make()
    // A press on the knob's edge alone moves nothing.
    let knob = place(0.5, of: slider)
    desk.click(knob + Point(x: 4, y: 0))
    #expect(slider.value == 1 && chosen().isEmpty)
    desk.drag(from: knob + Point(x: 4, y: 0), to: place(0.75, of: slider) + Point(x: 4, y: 0))
    #expect(abs(slider.value - 2) < 1e-9)
    desk.click(place(0.5, of: slider) + Point(x: 2, y: 0))
    #expect(slider.value == 1)
    desk.click(place(0.1, of: slider))
    desk.click(place(0.1, of: slider), count: 2)
    #expect(slider.value == 1)
  }

  @Test("keys and wheel go by steps, and as many back lead to where it was")
  func steps() {
    let (slider, desk, _) = make()
    desk.group.focus(slider, reason: .keyboard)
    #expect(desk.group.focused === slider)
    for key: Key in [.right, .up, .left, .left] { desk.press(key) }
    #expect(slider.value == 1)
    desk.press(.home)
    #expect(slider.value == 0.25)
    desk.press(.left)
    #expect(slider.value == 0.25)
    desk.press(.end)
    #expect(slider.value == 4)
    _ = desk.group.handle(.scrolled(ScrollEvent(dy: -1, at: slider.frame.center)))
    #expect(slider.value == 2)
    // Half notches of a touchpad count together.
    for _ in 0..<2 { _ = desk.group.handle(.scrolled(ScrollEvent(dy: -0.5, at: slider.frame.center))) }
    #expect(slider.value == 1)
  }

  @Test("what cannot be operated is not")
  func disabled() {
    let (slider, desk, chosen) = make()
    slider.isEnabled = false
    desk.click(place(0.9, of: slider))
    _ = desk.group.handle(.scrolled(ScrollEvent(dy: 1, at: slider.frame.center)))
    #expect(slider.value == 1 && chosen().isEmpty)
  }
}
