import Controls
import Drawing
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The toolbar", .computing)
struct ToolbarTests {
  let location = TextField("")
  let perplexity = NumberField(.number(30), rule: NumberRule(name: "Perplexity", range: 2...1000))
  let distance = DropDown(
    [DropDownGroup("", (0..<4).map { DropDownItem(id: "distance \($0)") })], selectedID: "distance 0")
  let refresh = Button("Refresh", kind: .accent)

  private func make(width: Double, scale: Double) -> (Toolbar, Desk) {
    let desk = Desk([], width: width, height: 400, scale: scale)
    let toolbar = Toolbar(
      [
        .init(caption: "Location", control: location, minimumWidth: 120, preferredWidth: .infinity),
        .init(caption: "Perplexity", control: perplexity, minimumWidth: 76, folds: true),
        .init(caption: "Distance", control: distance, minimumWidth: 128, folds: true),
        .init(control: refresh, minimumWidth: 88),
      ], in: desk.group)
    toolbar.layOut(in: Rect(x: 0, y: 0, width: width * scale, height: desk.group.style.barHeight))
    return (toolbar, desk)
  }

  @Test("nothing overlaps or is cut off at any width from 320 and any scale", arguments: [1.0, 1.25, 1.5, 2, 3])
  func neverCutOff(scale: Double) {
    for width in stride(from: 320.0, through: 1200, by: 23) {
      let (toolbar, desk) = make(width: width, scale: scale)
      let shown = desk.group.controls.filter { $0.isVisible && !($0 is Label) }.sorted { $0.frame.x < $1.frame.x }
      for control in shown {
        #expect(control.frame.minX >= 0 && control.frame.maxX <= (width * scale).rounded())
        #expect(control.frame.minY >= 0 && control.frame.maxY <= desk.group.style.barHeight)
        #expect(control.frame == PixelGrid.snap(control.frame))
      }
      for (left, right) in zip(shown, shown.dropFirst()) { #expect(left.frame.maxX < right.frame.minX) }
      #expect(toolbar.menuButton.isVisible == !toolbar.folded.isEmpty)
    }
  }

  @Test("a narrow bar folds the parameters into a panel that Tab and Escape go through")
  func panel() {
    let (toolbar, desk) = make(width: 320, scale: 1)
    #expect(toolbar.folded.count == 2 && !perplexity.isVisible && location.isVisible)
    desk.group.focus(location, reason: .keyboard)
    desk.press(.tab)
    #expect(toolbar.menuButton.isFocused)
    desk.press(.return)
    #expect(perplexity.isFocused && perplexity.isVisible)
    let panel = desk.group.popups[0].frame
    for control in toolbar.folded {
      #expect(panel.intersection(control.frame) == control.frame)
    }
    desk.type("5")
    #expect(perplexity.text == "305")
    desk.press(.tab)
    #expect(distance.isFocused)
    // The list of a drop-down inside the panel lies above it; Escape closes one after the other.
    desk.press(.down, .alt)
    #expect(desk.group.popups.count == 2)
    desk.press(.escape)
    #expect(desk.group.popups.count == 1)
    desk.press(.tab)
    #expect(perplexity.isFocused)
    desk.press(.escape)
    #expect(desk.group.popups.isEmpty && toolbar.menuButton.isFocused && !perplexity.isVisible)
  }

  @Test("a press on the panel or its controls keeps it open, one beside closes it")
  func panelPointer() {
    let (toolbar, desk) = make(width: 320, scale: 1)
    desk.click(toolbar.menuButton.frame.center)
    #expect(desk.group.popups.count == 1)
    desk.click(Point(x: desk.group.popups[0].frame.minX + 3, y: desk.group.popups[0].frame.minY + 3))
    desk.click(distance.frame.center)
    #expect(desk.group.popups.count == 2)
    desk.click(perplexity.frame.center)
    #expect(desk.group.popups.count == 1 && perplexity.isFocused)
    desk.click(Point(x: 10, y: 390))
    #expect(desk.group.popups.isEmpty)
    desk.click(toolbar.menuButton.frame.center)
    desk.click(toolbar.menuButton.frame.center)
    #expect(desk.group.popups.isEmpty)
  }

  @Test("a window made wide again brings the parameters back into the bar")
  func unfolding() {
    let (toolbar, desk) = make(width: 320, scale: 1)
    toolbar.togglePanel()
    desk.group.bounds = Rect(x: 0, y: 0, width: 1000, height: 240)
    toolbar.layOut(in: Rect(x: 0, y: 0, width: 1000, height: 48))
    #expect(desk.group.popups.isEmpty && toolbar.folded.isEmpty)
    #expect(perplexity.isVisible && distance.isVisible && !toolbar.menuButton.isVisible)
    #expect(perplexity.frame.maxY <= 48)
  }
}

@MainActor @Suite("What is folded away", .computing)
struct FoldedProblemTests {
  @Test("a wrong value in the closed panel marks the button, which says what is wrong")
  func marked() {
    let group = ControlGroup(bounds: Rect(x: 0, y: 0, width: 320, height: 400))
    let location = TextField("")
    let number = NumberField(.number(30), rule: NumberRule(name: "Perplexity", range: 1...100))
    let toolbar = Toolbar(
      [
        .init(caption: "Location", control: location, minimumWidth: 160, preferredWidth: .infinity),
        .init(caption: "Perplexity", control: number, minimumWidth: 200, folds: true),
      ], in: group)
    toolbar.layOut(in: Rect(x: 0, y: 0, width: 320, height: 48))
    #expect(toolbar.menuButton.isVisible && toolbar.menuButton.message == nil)
    number.onChange = { _ in toolbar.noteFoldedProblems() }
    toolbar.togglePanel()
    group.focus(number)
    _ = group.handle(.text("x", time: 0))
    #expect(number.message != nil && toolbar.menuButton.message == nil)
    toolbar.togglePanel()
    #expect(toolbar.menuButton.message == number.message)
    toolbar.togglePanel()
    _ = group.handle(.key(KeyPress(.backspace)))
    toolbar.togglePanel()
    #expect(toolbar.menuButton.message == nil)
  }
}
