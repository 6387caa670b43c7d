import ArgumentParser
import Dispatch
import Foundation
import Imaging

/// Opening a collection that the local store knows, by the real program on a real display.
struct OpenBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "open",
    abstract: "Times the program from its start to the first complete picture of a known collection.",
    discussion: """
      Makes a folder of small JPEG files, has "s3totsne map" lay it out once, and opens it with "s3totsne view" beside this \
      program, on the display that DISPLAY names. Folder and store are kept for the next run. With --hand, xdotool selects, \
      copies, arranges and so on afterwards, and the pauses of the main thread meanwhile are told.
      """)

  @Option(help: "Images.") var count = 100_000
  @Option(help: "The window in device pixels.") var size = "1920x1080"
  @Option(help: "Device pixels per logical pixel.") var scale = 1.0
  @Option(help: "How often it is opened.") var runs = 3
  @Option(help: "Iterations of the layout, which is made once.") var iterations = 250
  @Option(help: "Where folder and store are kept; else below the directory for temporary files.")
  var directory: String?
  @Flag(help: "Have the system forget the store's files first, as after a start of the computer.") var cold = false
  @Flag(help: "Use what is open as a hand would.") var hand = false
  @Flag(help: "Print one JSON object a run.") var json = false

  func run() throws {
    guard size.wholeMatch(of: /\d+x\d+/) != nil else {
      throw ValidationError("“\(size)” is no size. Write it as 1920x1080.")
    }
    guard (4...1_000_000).contains(count) else { throw ValidationError("--count is from 4 to 1,000,000.") }
    let place = directory ?? NSTemporaryDirectory() + "/s3totsne-bench/open-\(count)"
    let collection = KeptCollection(count: count, directory: place, iterations: iterations)
    try collection.prepare()
    for _ in 0..<max(1, runs) {
      if cold { collection.forgetPages() }
      let opening = try Opening(
        collection, geometry: size + "+0+0", scale: scale, movesHand: hand, measurements: place + "/measurements")
      try opening.run().print(asJSON: json)
    }
  }
}

/// A folder of images and a store that knows it.
private struct KeptCollection {
  let count: Int
  let directory: String
  let iterations: Int

  var images: String { directory + "/images" }
  var cache: String { directory + "/cache" }

  /// The program beside this one.
  static var program: String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return (own as NSString).deletingLastPathComponent + "/s3totsne"
  }

  /// Makes what is not there yet.
  func prepare() throws {
    let complete = directory + "/complete-\(iterations)"
    guard !FileManager.default.fileExists(atPath: complete) else { return }
    FileHandle.standardError.write(Data("Making \(count) images in \(images) and a layout of them\n".utf8))
    let perFolder = 1000
    for folder in 0..<(count + perFolder - 1) / perFolder {
      try FileManager.default.createDirectory(
        atPath: images + "/\(folder)", withIntermediateDirectories: true)
    }
    DispatchQueue.concurrentPerform(iterations: count) { slot in
      let path = images + "/\(slot / perFolder)/\(slot).jpg"
      guard !FileManager.default.fileExists(atPath: path) else { return }
      let bytes = SyntheticCollection.image(slot).jpegData(quality: 75) ?? []
      _ = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    }
    let map = Process()
    map.executableURL = URL(fileURLWithPath: Self.program)
    map.arguments = [
      "map", images, "--cache-dir", cache, "--iterations", "\(iterations)", "--layout", directory + "/layout.csv",
    ]
    try map.run()
    map.waitUntilExit()
    guard map.terminationStatus == 0 else { throw BenchError("s3totsne map ended with \(map.terminationStatus).") }
    try Data().write(to: URL(fileURLWithPath: complete))
  }

  /// Has the system drop what it holds of the store's files in memory.
  func forgetPages() {
    sync()
    for case let name as String in FileManager.default.enumerator(atPath: cache) ?? FileManager.DirectoryEnumerator() {
      let file = open(cache + "/" + name, O_RDONLY)
      guard file >= 0 else { continue }
      posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)
      close(file)
    }
  }
}

/// One start of the program.
private struct Opening {
  let collection: KeptCollection
  let geometry: String
  let scale: Double
  let movesHand: Bool
  let measurements: String

  init(
    _ collection: KeptCollection, geometry: String, scale: Double, movesHand: Bool, measurements: String
  ) throws {
    self.collection = collection
    self.geometry = geometry
    self.scale = scale
    self.movesHand = movesHand
    self.measurements = measurements
    guard FileManager.default.isExecutableFile(atPath: KeptCollection.program) else {
      throw BenchError("\(KeptCollection.program) is not there. Build it first.")
    }
  }

  private struct Line: Decodable {
    let at: Double
    let pause: Double?
    let took: Double?
    let name: String?
    let picture: Int?
  }

  func run() throws -> OpeningReport {
    try? FileManager.default.removeItem(atPath: measurements)
    let program = Process()
    program.executableURL = URL(fileURLWithPath: KeptCollection.program)
    program.arguments = [
      "view", collection.images, "--cache-dir", collection.cache, "--geometry", geometry, "--scale", "\(scale)",
      "--iterations", "\(collection.iterations)",
    ]
    var environment = ProcessInfo.processInfo.environment
    environment["S3TOTSNE_MEASURE"] = measurements
    environment["XDG_STATE_HOME"] = collection.directory + "/state"
    program.environment = environment
    let begin = Self.now
    try program.run()
    let identifier = program.processIdentifier
    defer { program.terminate() }
    let first = try waitForPicture(program)
    let memoryThen = Self.number("VmHWM", in: "/proc/\(identifier)/status") * 1024
    let readThen = Self.number("read_bytes", in: "/proc/\(identifier)/io")
    // The listing is renewed meanwhile, and the layout found.
    Thread.sleep(forTimeInterval: 8)
    if movesHand { moveHand() }
    let lines = self.lines
    let holds = lines.compactMap { line -> OpeningReport.Hold? in
      guard let took = line.took else { return nil }
      return OpeningReport.Hold(name: line.name ?? "", ms: took, at: line.at - begin)
    }
    return OpeningReport(
      count: collection.count, firstPictureMs: first - begin,
      pauseUntilPictureMs: lines.filter { $0.at <= first }.compactMap(\.pause).max() ?? 0,
      longestPauseMs: lines.compactMap(\.pause).max() ?? 0,
      longest: Array(holds.sorted { $0.ms > $1.ms }.prefix(8)),
      memoryMb: memoryThen / 1e6, memoryLaterMb: Self.number("VmHWM", in: "/proc/\(identifier)/status") * 1024 / 1e6,
      readMb: readThen / 1e6)
  }

  private var lines: [Line] {
    let text = (try? String(contentsOfFile: measurements, encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  private func waitForPicture(_ program: Process) throws -> Double {
    let end = Self.now + 120_000
    while Self.now < end, program.isRunning {
      if let line = lines.first(where: { $0.picture == collection.count }) { return line.at }
      usleep(5_000)
    }
    throw BenchError("The program showed no complete picture of \(collection.count) images.")
  }

  /// Selecting, copying, saving, arranging, duplicates, in the window that has the keyboard.
  private func moveHand() {
    func xdotool(_ arguments: String...) {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      process.arguments = ["xdotool"] + arguments
      try? process.run()
      process.waitUntilExit()
    }
    func keys(_ names: String..., seconds: Double = 1) {
      for name in names { xdotool("key", name) }
      Thread.sleep(forTimeInterval: seconds)
    }
    keys("ctrl+a")
    keys("ctrl+c", seconds: 2)
    keys("ctrl+s")
    keys("Escape")
    keys("i", "i")
    keys("Escape")
    // A lasso of a few hundred corners.
    xdotool("mousemove", "500", "500", "keydown", "ctrl", "mousedown", "1")
    for step in 0..<300 {
      let angle = Double(step) / 300 * 2 * Double.pi
      xdotool("mousemove", "\(Int(700 + 200 * cos(angle)))", "\(Int(500 + 200 * sin(angle) * cos(3 * angle)))")
    }
    xdotool("mouseup", "1", "keyup", "ctrl")
    Thread.sleep(forTimeInterval: 1)
    keys("z", seconds: 2)
    keys("0", seconds: 1)
    keys("Escape")
    keys("slash", "1", "2", seconds: 2)
    keys("Escape")
    keys("p")
    keys("d", seconds: 8)
    keys("period")
    keys("Escape", "Escape")
    keys("g", seconds: 20)
    keys("g", seconds: 20)
    keys("g", seconds: 2)
    keys("t")
  }

  private static var now: Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e6 }

  private static func number(_ name: String, in path: String) -> Double {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(name + ":") }
    return line?.split(whereSeparator: { !$0.isNumber }).last.flatMap { Double($0) } ?? 0
  }
}

/// What was measured.
private struct OpeningReport: Encodable {
  /// Something that held the main thread up.
  struct Hold: Encodable {
    let name: String
    let ms: Double
    /// Since the start.
    let at: Double
  }

  let count: Int
  /// From the start of the program to the display's word on the first picture with all images.
  let firstPictureMs: Double
  let pauseUntilPictureMs, longestPauseMs: Double
  let longest: [Hold]
  /// Memory at its highest, until the picture and until the end, and what was read from disk until the picture.
  let memoryMb, memoryLaterMb, readMb: Double

  func print(asJSON: Bool) throws {
    if asJSON {
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.outputFormatting = [.sortedKeys]
      return Swift.print(String(decoding: try encoder.encode(self), as: UTF8.self))
    }
    func whole(_ value: Double) -> String { String(format: "%.0f", value) }
    Swift.print(
      "\(count) images: first picture after \(whole(firstPictureMs)) ms, longest pause \(whole(pauseUntilPictureMs)) ms "
        + "until then and \(whole(longestPauseMs)) ms in all, memory \(whole(memoryMb)) MB, later "
        + "\(whole(memoryLaterMb)) MB, \(whole(readMb)) MB read")
    for hold in longest { Swift.print("  \(hold.name): \(whole(hold.ms)) ms, after \(whole(hold.at)) ms") }
  }
}
