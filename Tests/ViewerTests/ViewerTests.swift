import Foundation
import TestSupport
import Testing

@Suite("The window", .serialized, .timeLimit(.minutes(10)))
struct ViewerTests {
  @Test("typing a folder and Return leads to a finished map of all its images, and the title says where")
  func typedFolder() async throws {
    let window = try await WindowUnderTest.start()
    try await window.waitForState("idle")
    #expect(try await window.title() == "S3toTSNE")
    try await window.type(sampleImages)
    try await window.key("Return")
    try await window.waitForState("finished")
    let count = try await window.number("images")
    #expect(count >= 200)
    #expect(try await window.number("placed") == count)
    #expect(try await window.title() == "\(sampleImages) – S3toTSNE")
    #expect(try await window.picture().mapCoverage > 0.1)
    #expect(try await window.quit() == 0)
    #expect(window.program.errorText.isEmpty)
  }

  @Test("the wheel zooms, the same key as ever shows the whole map again, and the picture is the one of before")
  func zoomAndFit() async throws {
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("0")
    try await window.waitForRest()
    let before = try await window.picture()
    try await window.point(400, 330)
    for _ in 0..<4 { try await window.display.xdotool("click", "4") }
    try await window.pointAtNothing()
    let zoomed = try await window.picture()
    #expect(zoomed.mapAgreement(with: before) < 0.9)
    try await window.key("0")
    try await window.waitForRest()
    let after = try await window.picture()
    #expect(after.mapAgreement(with: before) == 1)
  }

  @Test("a drag moves the map by as much as the hand, and opens nothing")
  func drag() async throws {
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    let start = try #require(try await window.picture().emptyPlace)
    try await window.point(start.x, start.y)
    let before = try await window.picture()
    try await window.display.xdotool("mousedown", "1")
    for step in 1...10 { try await window.point(start.x + 6 * step, start.y + 3 * step) }
    // Held still before it is let go, the map does not glide on.
    let held = try await window.picture()
    try await window.display.xdotool("mouseup", "1")
    let after = try await window.picture()
    #expect(held.mapAgreement(with: before, movedBy: 60, 30) > 0.98)
    #expect(after.mapAgreement(with: before, movedBy: 60, 30) > 0.98)
    let state = try await window.state()
    #expect(!state.contains("opened"))
  }

  @Test("a click on a picture opens its original, Ctrl+C copies its path, Escape leads back")
  func openAndCopy() async throws {
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    let place = try #require(try await window.picture().somePicture)
    try await window.point(place.x, place.y)
    try await window.display.xdotool("click", "1")
    try await window.waitForWord("opened:original")
    try await window.key("ctrl+c")
    let environment = window.display.environment
    try await window.waitUntil("a path is on the clipboard") {
      let answer = try await TestSupport.run(
        "xclip", ["-selection", "clipboard", "-o"], environment: environment)
      let path = answer.outputText
      return path.hasPrefix(sampleImages + "/") && FileManager.default.fileExists(atPath: path)
    }
    try await window.key("Right")
    try await window.waitForWord("opened:original")
    try await window.key("Escape")
    try await window.waitForWord("opened:original", present: false)
  }

  @Test(
    "what is typed after a slash is selected while it is typed; Escape gives up, Return keeps, Ctrl+C copies all of it")
  func selectByTyping() async throws {
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("finished")
    let count = try await window.number("images")
    let part = "balloons"
    let paths = try FileManager.default.subpathsOfDirectory(atPath: sampleImages)
    let matches = paths.filter { $0.lowercased().contains(part) && $0.contains(".") }
    try #require(!matches.isEmpty && matches.count < count)
    try await window.pointAtNothing()
    let before = try await window.picture()
    try await window.key("slash")
    try await window.type(part.uppercased())
    try await window.waitForWord("selected:\(matches.count)")
    try await window.key("Escape")
    try await window.waitForWord("selected:0")
    #expect(try await window.picture().mapAgreement(with: before) == 1)
    try await window.key("slash")
    try await window.type(part)
    try await window.waitForWord("selected:\(matches.count)")
    try await window.key("Return")
    try await window.waitForWord("prompt", present: false)
    #expect(try await window.picture().mapAgreement(with: before) < 0.9)
    try await window.key("ctrl+c")
    let environment = window.display.environment
    try await window.waitUntil("the paths are on the clipboard") {
      let answer = try await TestSupport.run(
        "xclip", ["-selection", "clipboard", "-o"], environment: environment)
      return Set(answer.outputText.split(separator: "\n").map(String.init))
        == Set(matches.map { sampleImages + "/" + $0 })
    }
    try await window.key("i")
    try await window.waitForWord("selected:\(count - matches.count)")
    try await window.key("Escape")
    try await window.waitForWord("selected:0")
  }

  @Test(
    "Ctrl+S writes the selection as a list, as a picture and as files; what is there is replaced only on a second Return"
  )
  func saving() async throws {
    let folder = try TemporaryDirectory("saving")
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("slash")
    try await window.type("frogs")
    try await window.waitUntil("some are selected") { try await window.number("selected") > 0 }
    let count = try await window.number("selected")
    try await window.key("Return")
    func save(as name: String) async throws {
      try await window.key("ctrl+s")
      try await window.waitForWord("prompt")
      try await window.key("ctrl+a")
      try await window.type(folder.file(name))
      try await window.key("Return")
    }
    try await save(as: "list.txt")
    try await window.waitUntil("the list") {
      let text = (try? String(contentsOfFile: folder.file("list.txt"), encoding: .utf8)) ?? ""
      let paths = text.split(separator: "\n")
      return paths.count == count && paths.allSatisfy { $0.contains("/frogs/") && $0.hasPrefix(sampleImages) }
    }
    try await save(as: "map.png")
    try await window.waitUntil("the picture") {
      FileManager.default.contents(atPath: folder.file("map.png"))?.starts(with: [0x89, 0x50, 0x4e, 0x47]) == true
    }
    try await save(as: "copies/")
    try await window.waitUntil("the files") {
      (try? FileManager.default.contentsOfDirectory(atPath: folder.file("copies/frogs")).count) == count
    }
    let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder.file("copies/frogs")).first)
    #expect(
      FileManager.default.contentsEqual(
        atPath: folder.file("copies/frogs/\(name)"), andPath: sampleImages + "/frogs/\(name)"))
    // Nothing with this ending, no such folder, then a file that is there.
    for name in ["list.xls", "nowhere/map.png"] {
      try await save(as: name)
      _ = try await window.picture()
      #expect(try await window.state().contains("prompt"), "\(name)")
      try await window.key("Escape")
    }
    try folder.write(Array("mine".utf8), to: "there.csv")
    try await save(as: "there.csv")
    _ = try await window.picture()
    #expect(FileManager.default.contents(atPath: folder.file("there.csv")) == Data("mine".utf8))
    try await window.key("Return")
    try await window.waitUntil("the table") {
      let text = (try? String(contentsOfFile: folder.file("there.csv"), encoding: .utf8)) ?? ""
      return text.hasPrefix("key,address,size,width,height,x,y\r\n") && text.split(separator: "\r\n").count == count + 1
    }
  }

  @Test("m shows what is most like a picture, the arrows walk along it; d finds copies, full stop goes to them")
  func likeness() async throws {
    let folder = try TemporaryDirectory("likeness")
    let manager = FileManager.default
    for part in ["fruit", "birds"] {
      try manager.copyItem(atPath: sampleImages + "/" + part, toPath: folder.file(part))
    }
    let birds = try manager.contentsOfDirectory(atPath: folder.file("birds")).sorted()
    for (index, bird) in birds.prefix(2).enumerated() {
      try manager.copyItem(atPath: folder.file("birds/\(bird)"), toPath: folder.file("fruit/copy-\(index).png"))
    }
    let window = try await WindowUnderTest.start([folder.path, "--perplexity", "10"])
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("Right")
    try await window.key("m")
    try await window.waitUntil("the strip") { try await window.state().contains("strip:1/") }
    let selected = try await window.number("selected")
    #expect((20...25).contains(selected))
    try await window.key("Right")
    try await window.waitForWord("strip:2/\(selected)")
    try await window.key("Return")
    try await window.waitForWord("opened:original")
    try await window.key("Escape")
    try await window.key("Escape")
    try await window.waitForWord("strip:2/\(selected)", present: false)
    try await window.key("d")
    try await window.waitUntil("the groups") { try await window.number("groups") >= 2 }
    #expect(try await window.number("selected") >= 4)
    try await window.key("period")
    try await window.waitUntil("a group") { try await window.state().contains("strip:1/") }
  }

  @Test("g spreads the pictures, then puts them in a grid; the grid comes back with the location")
  func arrangements() async throws {
    let home = try TemporaryDirectory("arranged")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let window = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    let free = try await window.picture()
    try await window.key("g")
    try await window.waitForWord("spread:shown")
    let spread = try await window.picture()
    #expect(spread.mapAgreement(with: free) < 0.95)
    try await window.key("g")
    try await window.waitForWord("grid:shown")
    let grid = try await window.picture()
    #expect(grid.mapAgreement(with: spread) < 0.9)
    #expect(try await window.quit() == 0)
    let again = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await again.waitForWord("grid:shown")
    try await again.pointAtNothing()
    #expect(try await again.picture().mapAgreement(with: grid) == 1)
    try await again.key("g")
    try await again.waitForWord("grid:shown", present: false)
    #expect(try await again.picture().mapAgreement(with: free) == 1)
  }

  @Test("what of a grid was looked at is looked at again after the next start, and after another location")
  func cameraOfGrid() async throws {
    let home = try TemporaryDirectory("camera")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let window = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await window.waitForState("finished")
    try await window.pointAtNothing()
    try await window.key("g", "g")
    try await window.waitForWord("grid:shown")
    for _ in 0..<3 { try await window.key("plus") }
    try await window.waitForRest()
    let left = try await window.picture()
    #expect(try await window.quit() == 0)

    let again = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await again.waitForWord("grid:shown")
    try await again.pointAtNothing()
    try await again.waitForRest()
    #expect(try await again.picture().mapAgreement(with: left) == 1)
    for location in [sampleImages + "/fruit", sampleImages] {
      try await again.key("ctrl+l", "ctrl+a")
      try await again.type(location)
      try await again.key("Return")
      let isPart = location != sampleImages
      try await again.waitUntil("it is shown") {
        let count = try await again.number("images")
        return try await again.state().contains("finished") && (isPart ? count < 100 : count > 100)
      }
    }
    try await again.waitForWord("grid:shown")
    try await again.pointAtNothing()
    try await again.waitForRest()
    #expect(try await again.picture().mapAgreement(with: left) == 1)
  }

  @Test("another perplexity and Return give another map of the same images; an impossible one starts nothing")
  func refresh() async throws {
    let window = try await WindowUnderTest.start([sampleImages])
    try await window.waitForState("finished")
    let count = try await window.number("images")
    try await window.pointAtNothing()
    try await window.key("0")
    let before = try await window.picture()
    // From the location: exaggeration, learning rate, perplexity.
    try await window.key("ctrl+l", "Tab", "Tab", "Tab")
    try await window.type("0")
    try await window.key("Return")
    _ = try await window.picture()
    #expect(try await window.state().hasPrefix("finished"))
    try await window.key("ctrl+a")
    try await window.type("5")
    try await window.key("Return")
    try await window.waitUntil("the new layout") {
      guard try await window.state().hasPrefix("finished") else { return false }
      return try await window.picture().mapAgreement(with: before) < 0.95
    }
    #expect(try await window.number("placed") == count)
  }

  @Test("a folder opened again has its map and its view at once, and fetches nothing")
  func reopened() async throws {
    let home = try TemporaryDirectory("reopened")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let first = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await first.waitForState("finished")
    try await first.point(400, 330)
    for _ in 0..<3 { try await first.display.xdotool("click", "4") }
    try await first.pointAtNothing()
    let before = try await first.picture()
    #expect(try await first.quit() == 0)
    let second = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await second.waitForState("finished")
    try await second.pointAtNothing()
    #expect(try await second.picture().mapAgreement(with: before) > 0.999)
    #expect(try await second.quit() == 0)
  }

  @Test(
    "Cancel ends a job at once, Refresh carries on, Stop here keeps the present positions, Continue goes on from them")
  func cancelStopContinue() async throws {
    let window = try await WindowUnderTest.start([sampleImages, "--iterations", "1000000"])
    try await window.waitForState("layout")
    // The last control of the bar says Cancel now.
    try await window.point(920, 32)
    try await window.display.xdotool("click", "1")
    try await window.waitForState("cancelled")
    let count = try await window.number("images")
    #expect(count > 200)
    try await window.key("F5")
    try await window.waitForState("layout")
    try await window.key("s")
    try await window.waitForState("finished")
    #expect(try await window.number("placed") == count)
    try await window.pointAtNothing()
    let stopped = try await window.picture()
    try await window.key("c")
    try await window.waitUntil("the layout goes on") {
      guard try await window.state().hasPrefix("finished") else { return false }
      return try await window.picture() != stopped
    }
  }

  @Test("an image that was left out joins the map when it is tried again after it was mended")
  func retry() async throws {
    let folder = try TemporaryDirectory("mended")
    let names = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").sorted()
    for name in names.dropFirst() { _ = try folder.copy(sampleImages + "/fruit/" + name, to: name) }
    _ = try folder.write(Array("not yet".utf8), to: "late.png")
    let window = try await WindowUnderTest.start([folder.path])
    try await window.waitForState("finished")
    #expect(try await window.number("placed") == names.count - 1)
    let mended = try #require(FileManager.default.contents(atPath: sampleImages + "/fruit/" + names[0]))
    _ = try folder.write(Array(mended), to: "late.png")
    try await window.key("p")
    try await window.waitForWord("problems")
    try await window.key("Tab", "Return")
    try await window.waitForWord("placed:\(names.count)")
    try await window.waitForState("finished")
  }

  @Test("two windows on one folder at the same time both end with its map")
  func twoPrograms() async throws {
    let home = try TemporaryDirectory("two")
    async let first = WindowUnderTest.start([sampleImages], home: home)
    async let second = WindowUnderTest.start([sampleImages], home: home)
    for window in [try await first, try await second] {
      try await window.waitForState("finished")
      let images = try await window.number("images")
      #expect(images > 200)
      #expect(try await window.number("placed") == images)
    }
  }

  @Test("a bucket on a real S3 server becomes a map, and no secret is seen anywhere")
  func bucket() async throws {
    let server = try await SeaweedServer.shared
    try await server.makeBucket("viewer-bucket")
    try await server.upload(folder: sampleImages + "/fruit", to: "viewer-bucket", prefix: "some/fruit")
    var environment: [String: String?] = [:]
    for (name, value) in server.environment { environment[name] = value }
    let window = try await WindowUnderTest.start(environment: environment)
    try await window.type("viewer-bucket/some")
    try await window.key("Return")
    try await window.waitForState("finished")
    #expect(try await window.number("placed") > 5)
    let properties = try await window.display.run("xprop", ["-id", window.window]).outputText
    #expect(!properties.contains(server.secretKey))
    #expect(!window.program.errorText.contains(server.secretKey))
    #expect(try await window.quit() == 0)
    let kept = try await TestSupport.run("grep", ["-rlF", server.secretKey, window.home.path])
    #expect(kept.outputText.isEmpty)
  }

  @Test(
    "what cannot be opened is said, and something else can be opened after it",
    arguments: [("/no/such/folder", "failed:notFound"), ("", "failed:empty")])
  func failures(location: String, state: String) async throws {
    let empty = try TemporaryDirectory("empty")
    let window = try await WindowUnderTest.start()
    try await window.type(location.isEmpty ? empty.path : location)
    try await window.key("Return")
    try await window.waitForState(state)
    try await window.key("ctrl+l", "ctrl+a")
    // As it is copied out of a terminal.
    try await window.type("'\(sampleImages)/fruit'")
    try await window.key("Return")
    try await window.waitForState("finished")
  }

  @Test("Escape gives up what was typed for a location; of one that cannot be opened, Back leads to the one before")
  func wayBack() async throws {
    let window = try await WindowUnderTest.start([sampleImages + "/fruit"])
    try await window.waitForState("finished")
    let count = try await window.number("images")
    try await window.key("ctrl+l", "ctrl+a")
    try await window.type("/no/such/folder")
    try await window.key("Escape")
    // Not what was typed.
    try await window.key("F5")
    try await window.waitForState("finished")
    #expect(try await window.number("images") == count)
    try await window.key("ctrl+l", "ctrl+a")
    try await window.type("/no/such/folder")
    try await window.key("Return")
    try await window.waitForState("failed:notFound")
    // It lies below the sentences in the middle, left of Try again.
    for y in stride(from: 340, to: 460, by: 8) where try await !window.state().contains("finished") {
      try await window.point(450, y)
      try await window.display.xdotool("click", "1")
      _ = try await window.picture()
    }
    try await window.waitForState("finished")
    #expect(try await window.number("images") == count)
  }

  @Test("broken files are listed with their reasons, and the rest becomes a map")
  func problems() async throws {
    let folder = try TemporaryDirectory("mixed")
    for (index, name) in try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").enumerated() {
      _ = try folder.copy(sampleImages + "/fruit/" + name, to: "\(index)-\(name)")
    }
    _ = try folder.write(Array("<html></html>".utf8), to: "page.png")
    _ = try folder.write([], to: "nothing.jpg")
    let window = try await WindowUnderTest.start([folder.path])
    try await window.waitForState("finished")
    let images = try await window.number("images")
    #expect(try await window.number("placed") == images)
    try await window.key("p")
    try await window.waitForWord("problems")
    try await window.key("Escape")
    try await window.waitForWord("problems", present: false)
  }

  @Test("one, two and three images are a map too", arguments: 1...3)
  func few(count: Int) async throws {
    let folder = try TemporaryDirectory("few")
    let names = try FileManager.default.contentsOfDirectory(atPath: sampleImages + "/fruit").sorted()
    for name in names.prefix(count) { _ = try folder.copy(sampleImages + "/fruit/" + name, to: name) }
    let window = try await WindowUnderTest.start([folder.path])
    try await window.waitForState("finished")
    #expect(try await window.number("placed") == count)
  }

  @Test(
    "every size and scale shows the whole bar, and the map opens",
    arguments: [(340, 300, 96), (660, 520, 96), (660, 520, 192), (1300, 900, 288)])
  func sizes(width: Int, height: Int, dpi: Int) async throws {
    let window = try await WindowUnderTest.start(
      [sampleImages + "/fruit"], width: width, height: height, dpi: dpi)
    try await window.waitForState("finished")
    // Another location than the one on the map: there is something to press the button for.
    try await window.key("ctrl+l", "End")
    try await window.type("x")
    let picture = try await window.picture()
    // The Refresh button's accent is there, in the right part of the bar.
    let accent: UInt32 = 0xff00_afd7
    let top = min(picture.height, 48 * dpi / 96)
    let hits = (0..<top).reduce(0) { sum, row in
      sum + (picture.width / 2..<picture.width).count { picture[$0, row] == accent }
    }
    #expect(hits > 200)
  }

  @Test("without a display it says so, and names the command that needs none")
  func noDisplay() async throws {
    let result = try await TestSupport.run(
      try builtExecutable("s3totsne"), [], environment: ["DISPLAY": nil, "WAYLAND_DISPLAY": nil])
    #expect(result.status == 1)
    #expect(result.errorText.contains("s3totsne map"))
  }
}
