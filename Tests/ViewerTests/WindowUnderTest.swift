import Foundation
import TestSupport

/// The real program in a real window on a display of its own.
final class WindowUnderTest: Sendable {
  let display: VirtualDisplay
  let program: ChildProcess
  /// The window's number, as xdotool prints it.
  let window: String
  /// Cache and state of the program.
  let home: TemporaryDirectory
  /// What the window shows.
  private let folder: TemporaryDirectory?

  private init(
    display: VirtualDisplay, program: ChildProcess, window: String, home: TemporaryDirectory,
    folder: TemporaryDirectory?
  ) {
    self.display = display
    self.program = program
    self.window = window
    self.home = home
    self.folder = folder
  }

  /// Waits until the program has used no processor for a second: nothing is under way any more, on a busy machine either.
  func waitForRest() async throws {
    var before = try processorTicks()
    try await waitUntil("the program is at rest") {
      try await Task.sleep(for: .seconds(1))
      let now = try processorTicks()
      defer { before = now }
      return now - before <= 1
    }
  }

  private func processorTicks() throws -> Int {
    let line = try String(contentsOfFile: "/proc/\(program.processID)/stat", encoding: .utf8)
    // After the name, which may hold anything, the 12th and the 13th number are user and system time.
    let numbers = line[(line.lastIndex(of: ")") ?? line.startIndex)...].split(separator: " ").dropFirst()
    return numbers.dropFirst(11).prefix(2).reduce(0) { $0 + (Int($1) ?? 0) }
  }

  /// Starts the program and waits for its window. `home` carries the store from one run to the next; `folder` is kept for
  /// as long as the window.
  static func start(
    _ arguments: [String] = [], width: Int = 1000, height: Int = 700, dpi: Int? = nil, home: TemporaryDirectory? = nil,
    environment: [String: String?] = [:], on display: VirtualDisplay? = nil, holding folder: TemporaryDirectory? = nil
  ) async throws -> WindowUnderTest {
    let home = try home ?? TemporaryDirectory("viewer")
    let ownDisplay =
      if let display { display } else {
        try await VirtualDisplay.start(width: width, height: height, dpi: dpi, windowManager: true)
      }
    var variables = ownDisplay.environment
    variables["XDG_CACHE_HOME"] = home.file("cache")
    variables["XDG_STATE_HOME"] = home.file("state")
    variables["HOME"] = home.path
    for (name, value) in environment { variables[name] = value }
    let program = try ChildProcess(
      try builtExecutable("s3totsne"), ["view"] + arguments + ["--geometry", "\(width - 20)x\(height - 40)+5+25"],
      environment: variables)
    let found = Found()
    try await eventually("the window is there") {
      guard program.isRunning else { throw TestSupportError("The program ended: \(program.errorText)") }
      let answer = try await TestSupport.run(
        "xdotool", ["search", "--onlyvisible", "--class", "S3toTSNE"], environment: ownDisplay.environment)
      let ids = answer.outputText.split(separator: "\n")
      if let last = ids.last { found.set(String(last)) }
      return !ids.isEmpty
    }
    let result = WindowUnderTest(
      display: ownDisplay, program: program, window: found.id, home: home, folder: folder)
    try await result.waitUntil("it has the keyboard") {
      // Before the first focus xdotool fails: nobody has it yet.
      let answer = try await TestSupport.run("xdotool", ["getwindowfocus"], environment: ownDisplay.environment)
      return answer.outputText.trimmingCharacters(in: .whitespacesAndNewlines) == found.id
    }
    return result
  }

  // @unchecked: the lock guards the value.
  private final class Found: @unchecked Sendable {
    private let lock = NSLock()
    private var value = ""
    var id: String { lock.withLock { value } }
    func set(_ id: String) { lock.withLock { value = id } }
  }

  /// Waits for something that the window shows.
  func waitUntil(_ what: String, within seconds: Double = 240, _ condition: () async throws -> Bool) async throws {
    do {
      try await eventually(what, within: seconds, condition)
    } catch let error as TestSupportError {
      throw TestSupportError("\(error) (state: \((try? await state()) ?? "?"), log: \(program.errorText))")
    }
  }

  /// What the window says of itself: the words of its property `S3TOTSNE_STATE`.
  func state() async throws -> String {
    let answer = try await display.run("xprop", ["-id", window, "S3TOTSNE_STATE"]).outputText
    let parts = answer.split(separator: "\"", omittingEmptySubsequences: false)
    return parts.count > 1 ? String(parts[1]) : ""
  }

  /// Waits until the state's first word is `word`.
  func waitForState(_ word: String, within seconds: Double = 240) async throws {
    try await waitUntil("state \(word)", within: seconds) { try await state().split(separator: " ").first == word[...] }
  }

  /// Waits until one of the state's words is `word`, or none.
  func waitForWord(_ word: String, present: Bool = true) async throws {
    try await waitUntil("\(present ? "" : "no ")\(word)") {
      try await state().split(separator: " ").contains(word[...]) == present
    }
  }

  /// A number that the state tells: `images`, `placed`.
  func number(_ name: String) async throws -> Int {
    let word = try await state().split(separator: " ").first { $0.hasPrefix(name + ":") }
    return word.flatMap { Int($0.dropFirst(name.count + 1)) } ?? -1
  }

  func key(_ names: String...) async throws {
    _ = try await display.run("xdotool", ["key", "--clearmodifiers"] + names)
  }

  func type(_ text: String) async throws {
    _ = try await display.run("xdotool", ["type", "--delay", "1", text])
  }

  /// Puts the pointer at a place of the window.
  func point(_ x: Int, _ y: Int) async throws {
    _ = try await display.run("xdotool", ["mousemove", "--window", window, "\(x)", "\(y)"])
  }

  /// Puts the pointer on the edge of the bar, where no picture is named and no control explains itself.
  func pointAtNothing() async throws { try await point(3, 25) }

  func title() async throws -> String { try await display.xdotool("getwindowname", window) }

  /// The window's pixels once two looks at it agree: everything that moved has come to rest.
  func picture() async throws -> Screenshot {
    let kept = Kept(try await display.screenshot(window: window))
    try await waitUntil("the picture rests") {
      try await Task.sleep(for: .milliseconds(150))
      return kept.replace(try await display.screenshot(window: window))
    }
    return kept.value
  }

  // @unchecked: the lock guards the picture.
  private final class Kept: @unchecked Sendable {
    private let lock = NSLock()
    private var picture: Screenshot
    init(_ picture: Screenshot) { self.picture = picture }
    var value: Screenshot { lock.withLock { picture } }
    /// Keeps the newer one; whether it is the same.
    func replace(_ newer: Screenshot) -> Bool {
      lock.withLock {
        defer { picture = newer }
        return picture == newer
      }
    }
  }

  /// Quits by the keyboard, as a person would, and tells the exit code.
  func quit() async throws -> Int32 {
    try await key("Escape", "Escape")
    try await key("ctrl+q")
    return try await program.waitUntilExit(within: 240)
  }
}

extension Screenshot {
  /// The part of a window that shows the map: without bar and status line at scale 1.
  var mapRows: Range<Int> { 50..<(height - 32) }

  /// The dark theme's canvas.
  static let canvas: UInt32 = 0xff17_181a

  /// Share of the map's pixels that are equal to those of `other`, which is moved by `x`, `y`.
  func mapAgreement(with other: Screenshot, movedBy x: Int = 0, _ y: Int = 0) -> Double {
    var equal = 0
    var count = 0
    for row in mapRows where mapRows.contains(row - y) {
      for column in 0..<width where (0..<width).contains(column - x) {
        count += 1
        if self[column, row] == other[column - x, row - y] { equal += 1 }
      }
    }
    return Double(equal) / Double(max(1, count))
  }

  /// How much of the map shows something else than the canvas.
  var mapCoverage: Double {
    var covered = 0
    for row in mapRows {
      for column in 0..<width where self[column, row] != Self.canvas { covered += 1 }
    }
    return Double(covered) / Double(max(1, mapRows.count * width))
  }

  /// A place on the map well inside a picture: all around it is something else than the canvas.
  var somePicture: (x: Int, y: Int)? {
    let middle = height / 2
    let rows = mapRows.dropFirst(8).dropLast(8).sorted { abs($0 - middle) < abs($1 - middle) }
    for row in rows {
      for column in stride(from: 12, to: width - 12, by: 3) {
        let inside = [-6, -3, 0, 3, 6].allSatisfy { dx in
          [-6, -3, 0, 3, 6].allSatisfy { dy in self[column + dx, row + dy] != Self.canvas }
        }
        if inside { return (column, row) }
      }
    }
    return nil
  }

  /// A place of the map with nothing but canvas around it.
  var emptyPlace: (x: Int, y: Int)? {
    for row in mapRows.dropFirst(20).dropLast(20) {
      for column in stride(from: 20, to: width - 20, by: 5) {
        let empty = stride(from: -16, through: 16, by: 4).allSatisfy { dx in
          stride(from: -16, through: 16, by: 4).allSatisfy { dy in self[column + dx, row + dy] == Self.canvas }
        }
        if empty { return (column, row) }
      }
    }
    return nil
  }
}
