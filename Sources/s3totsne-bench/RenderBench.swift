import ArgumentParser
import Atlas
import Dispatch
import Foundation
import Imaging
import Neighbors
import Numerics
import TSNE
import Viewer

/// The map in the program's own window, moved by a script: frame times, latency and memory.
struct RenderBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "render",
    abstract: "Times the frames of the map in a real window, until the display has acknowledged each.",
    discussion: """
      Pans, zooms, selected pictures, arrangement and layout changes of ten seconds over pictures with pixels of their own. A display is needed: \
      xvfb-run -s "-screen 0 1920x1080x24" s3totsne-bench render --count 100000
      """)

  @Option(help: "Pictures.") var count = 100_000
  @Option(help: "The window in device pixels.") var size = "1920x1080"
  @Option(help: "Device pixels per logical pixel.") var scale = 1.0
  @Option(help: "Seconds of the script.") var seconds = 10.0
  @Option(help: "Where the pictures are kept between runs; else below the directory for temporary files.")
  var directory: String?
  @Flag(help: "Frames around the pictures in twelve colours, and what they mean.") var colours = false
  @Flag(help: "Compute a t-SNE layout and decode JPEG files beside it.") var busy = false
  @Flag(help: "Print one JSON object.") var json = false

  func run() throws {
    let parts = size.split(separator: "x").compactMap { Int($0) }
    guard parts.count == 2, parts.allSatisfy({ (64...16384).contains($0) }) else {
      throw ValidationError("“\(size)” is no size. Write it as 1920x1080.")
    }
    guard (1...4_000_000).contains(count) else { throw ValidationError("--count is from 1 to 4,000,000.") }
    let place = directory ?? NSTemporaryDirectory() + "/s3totsne-bench/render-\(count)"
    let collection = try SyntheticCollection(count: count, directory: place)
    var request = RenderingRequest(
      atlas: collection.atlas, count: count, layouts: [collection.layout(seed: 1), collection.layout(seed: 2)],
      width: parts[0], height: parts[1], scale: scale, seconds: seconds)
    request.hasLabels = colours
    if busy { BackgroundWork.start(count: count) }
    let (isJSON, isBusy, size, count) = (json, busy, size, count)
    try MainActor.assumeIsolated {
      try measureRendering(request) { report in
        let summary = RenderSummary(report, count: count, size: size, isBusy: isBusy)
        summary.print(asJSON: isJSON)
        Foundation.exit(0)
      }
    }
  }
}

/// The figures of a run.
private struct RenderSummary: Encodable {
  struct Times: Encodable {
    let p50, p95, p99, max: Double

    init(_ values: [Double]) {
      let sorted = values.sorted()
      func quantile(_ share: Double) -> Double {
        sorted.isEmpty ? 0 : (sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))] * 100).rounded() / 100
      }
      (p50, p95, p99, max) = (quantile(0.5), quantile(0.95), quantile(0.99), quantile(1))
    }
  }

  let count: Int
  let size: String
  let busy: Bool
  let frames: Int
  let frameMs, latencyMs, drawingMs, processorMs: Times
  let phases: [String: Times]
  let phaseFrames: [String: Int]
  let picturesDrawn: Times
  let memoryMb, anonymousMb: Double
  let longestPauseMs, firstPictureMs, restingCpuMs: Double

  init(_ report: RenderingReport, count: Int, size: String, isBusy: Bool) {
    self.count = count
    self.size = size
    busy = isBusy
    frames = report.frames.count
    frameMs = Times(report.frames.map(\.duration))
    latencyMs = Times(report.latencies)
    drawingMs = Times(report.frames.map(\.drawing))
    processorMs = Times(report.frames.map(\.processor))
    let byPhase = Dictionary(grouping: report.frames, by: \.phase.rawValue)
    phases = byPhase.mapValues { Times($0.map(\.duration)) }
    phaseFrames = byPhase.mapValues(\.count)
    picturesDrawn = Times(report.frames.map { Double($0.pictures) })
    memoryMb = report.peakMemory.rounded()
    anonymousMb = report.anonymousMemory.rounded()
    longestPauseMs = (report.longestPause * 10).rounded() / 10
    firstPictureMs = report.firstPicture.rounded()
    restingCpuMs = report.restingProcessorTime.rounded()
  }

  func print(asJSON: Bool) {
    if asJSON {
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.outputFormatting = [.sortedKeys]
      if let data = try? encoder.encode(self) { Swift.print(String(decoding: data, as: UTF8.self)) }
      return
    }
    func line(_ name: String, _ times: Times, frames: Int? = nil) {
      let numbers = [times.p50, times.p95, times.p99, times.max].map { String(format: "%9.2f", $0) }
      let count = frames.map { "   \($0) frames" } ?? ""
      Swift.print(name.padding(toLength: 22, withPad: " ", startingAt: 0) + numbers.joined() + count)
    }
    Swift.print("\(count) pictures, \(size), \(frames) frames        p50      p95      p99      max")
    line("frame, ms", frameMs)
    for (name, times) in phases.sorted(by: { $0.key < $1.key }) { line("  \(name)", times, frames: phaseFrames[name]) }
    line("of it drawing, ms", drawingMs)
    line("processor time, ms", processorMs)
    line("input to picture, ms", latencyMs)
    line("pictures drawn", picturesDrawn)
    Swift.print(
      "memory \(Int(memoryMb)) MB (\(Int(anonymousMb)) MB of it no files), longest pause \(longestPauseMs) ms, "
        + "first picture \(Int(firstPictureMs)) ms, processor at rest \(Int(restingCpuMs)) ms in 2 s")
  }
}

/// What the job does while the user moves the map.
private enum BackgroundWork {
  static func start(count: Int) {
    DispatchQueue(label: "layout", qos: .background).async {
      var random = Generator(seed: 9)
      let values = (0..<count * 50).map { _ in Float(random.unit()) }
      while true {
        guard let rows = try? FloatRows(values, dimension: 50) else { return }
        let parameters = TSNEParameters(threads: ProcessInfo.processInfo.activeProcessorCount)
        let token = CancellationToken()
        let k = TSNEParameters.neighborCount(perplexity: parameters.perplexity, count: count)
        guard
          let found = try? NeighborSearch(metric: .euclidean, k: k, threads: parameters.threads, seed: 0).run(
            rows, token: token, progress: nil),
          let affinities = try? Affinities(
            graph: found.graph, perplexity: parameters.perplexity, threads: parameters.threads, token: token),
          let optimizer = try? TSNEOptimizer(
            affinities: affinities, start: found.start, parameters: parameters, token: token)
        else { return }
        while !optimizer.isFinished { guard (try? optimizer.step()) != nil else { return } }
      }
    }
    DispatchQueue(label: "decoding", qos: .background).async {
      let side = 1500
      var random = Generator(seed: 3)
      let pixels = (0..<side * side).map { _ in 0xFF00_0000 | UInt32(truncatingIfNeeded: random.next() & 0x3F3F3F) }
      let image = PixelImage(width: side, height: side, pixels: pixels, isOpaque: true)
      guard let bytes = image.jpegData(quality: 85) else { return }
      let decoder = ImageDecoder(limits: DecodingLimits())
      while true { _ = try? decoder.decode(bytes, longestSide: 128) }
    }
  }
}
