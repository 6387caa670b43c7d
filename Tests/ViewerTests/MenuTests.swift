import Foundation
import TestSupport
import Testing

/// The menu of the map and of the picture at full size, by pointer and keys.
@Suite("The menu", .serialized, .timeLimit(.minutes(10)))
struct MenuTests {
  private func start() async throws -> (WindowUnderTest, place: (x: Int, y: Int)) {
    let window = try await WindowUnderTest.start([sampleImages + "/fruit", "--no-animation"], height: 900)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    return (window, try #require(try await window.picture().somePicture))
  }

  /// Presses the right button at a place and lets it go.
  private func openMenu(_ window: WindowUnderTest, at place: (x: Int, y: Int)) async throws {
    try await window.point(place.x, place.y)
    try await window.display.xdotool("click", "3")
    try await window.waitForWord("menu")
  }

  /// Chooses the item that begins so.
  private func choose(_ title: String, _ window: WindowUnderTest) async throws {
    try await window.type(title)
    try await window.key("Return")
    try await window.waitForWord("menu", present: false)
  }

  private func clipboard(_ window: WindowUnderTest) async throws -> String {
    try await TestSupport.run(
      "xclip", ["-selection", "clipboard", "-o"], environment: window.display.environment
    ).outputText
  }

  @Test("on a picture it is about that picture, wherever the pointer goes while it is open")
  func picture() async throws {
    let (window, place) = try await start()
    try await window.point(place.x, place.y)
    try await window.key("ctrl+c")
    try await window.waitUntil("a path") { try await clipboard(window).hasPrefix(sampleImages) }
    let path = try await clipboard(window)
    // Another one is copied in between.
    try await window.key("Right", "ctrl+c")
    try await window.waitUntil("another path") { try await clipboard(window) != path }
    try await openMenu(window, at: place)
    for step in 1...6 { try await window.point(place.x + 10 * step, place.y + 14 * step) }
    try await choose("Copy", window)
    try await window.waitUntil("the first path again") { try await clipboard(window) == path }
    try await openMenu(window, at: place)
    try await choose("Select", window)
    try await window.waitForWord("selected:1")
    try await openMenu(window, at: place)
    try await choose("Deselect", window)
    try await window.waitForWord("selected:0")
    try await openMenu(window, at: place)
    try await choose("More", window)
    try await window.waitUntil("the strip") { try await window.state().contains("strip:1/") }
    #expect(try await window.quit() == 0)
  }

  @Test("press, draw to an item, let go: one movement; a click beside closes it and does nothing else")
  func pointer() async throws {
    let (window, place) = try await start()
    try await window.point(place.x, place.y)
    try await window.display.xdotool("mousedown", "3")
    try await window.waitForWord("menu")
    // The first item, below the heading.
    try await window.point(place.x + 30, place.y + 20)
    try await window.point(place.x + 40, place.y + 1 + 4 + 24 + 12)
    try await window.display.xdotool("mouseup", "3")
    try await window.waitForWord("opened:original")
    try await window.key("Escape")
    try await window.waitForWord("opened:original", present: false)
    try await window.pointAtNothing()
    let before = try await window.picture()
    try await openMenu(window, at: place)
    #expect(try await window.picture() != before)
    try await window.point(place.x - 30, place.y - 30)
    try await window.display.xdotool("click", "1")
    try await window.waitForWord("menu", present: false)
    #expect(try await !window.state().contains("opened"))
    // The right button elsewhere opens it there.
    try await openMenu(window, at: place)
    try await openMenu(window, at: (place.x - 30, place.y - 30))
    try await window.key("Escape")
    try await window.waitForWord("menu", present: false)
    // It holds neither map nor pointer.
    try await window.pointAtNothing()
    let rest = try await window.picture()
    let empty = try #require(rest.emptyPlace)
    try await window.point(empty.x, empty.y)
    try await window.display.xdotool("mousedown", "3")
    try await window.waitForWord("menu")
    try await window.key("Escape")
    try await window.waitForWord("menu", present: false)
    try await window.point(empty.x + 120, empty.y + 90)
    try await window.display.xdotool("mouseup", "3")
    try await window.pointAtNothing()
    #expect(try await window.picture() == rest)
    // The keys are the map's again.
    try await window.key("ctrl+a")
    let count = try await window.number("images")
    try await window.waitForWord("selected:\(count)")
    #expect(try await window.quit() == 0)
  }

  @Test("the Menu key opens it, on the map about the selection too, and on the picture at full size")
  func keys() async throws {
    let (window, _) = try await start()
    let count = try await window.number("images")
    try await window.key("Right", "space")
    try await window.waitForWord("selected:1")
    try await window.key("Menu")
    try await window.waitForWord("menu")
    try await choose("Invert", window)
    try await window.waitForWord("selected:\(count - 1)")
    try await window.key("shift+F10")
    try await window.waitForWord("menu")
    try await choose("Deselect", window)
    try await window.waitForWord("selected:0")
    try await window.key("Right", "Return")
    try await window.waitForWord("opened:original")
    let upright = try await window.picture()
    try await window.key("Menu")
    try await window.waitForWord("menu")
    try await choose("Turn", window)
    #expect(try await window.picture() != upright)
    try await window.key("Menu")
    try await window.waitForWord("menu")
    try await choose("Details", window)
    try await window.waitForWord("details")
    try await openMenu(window, at: (200, 300))
    try await choose("Back", window)
    try await window.waitForWord("opened:original", present: false)
    #expect(try await window.quit() == 0)
  }
}
