import ArgumentParser
import Arrangements
import Collection
import Export
import Foundation
import Mapping
import ObjectStorage
import Scene
import Viewer

/// `s3totsne map LOCATION`: the job without a window.
struct MapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "map", abstract: "Make a map and write it to files, without a window or a display.",
    discussion: """
      Progress goes to standard error, --json to standard output.

      EXAMPLES
        s3totsne map ./photos --picture map.png --size 3840x2160
        s3totsne map s3://my-bucket/photos --layout layout.csv --manifest manifest.json
        s3totsne map my-bucket/photos --json --quiet | jq .left_out

      layout.csv begins key,x,y,width,height: one row an image, with the size of the original in pixels after \
      orientation. In keys, control characters and bytes that are no UTF-8 are written \\xNN, a backslash as two.
      """)

  @Argument(help: "A bucket, a part of one, or a folder.")
  var location: String

  @Option(help: ArgumentHelp("Draw the map: .png, .jpg, .svg or .pdf.", valueName: "file"))
  var picture: String?

  @Option(help: ArgumentHelp("Extent of the picture in pixels (in points of 1/72 inch for .pdf).", valueName: "WxH"))
  var size = PictureSize(width: 1920, height: 1080)

  @Option(
    help: "Background of the picture: \(ViewerOptions.Appearance.allCases.map(\.rawValue).joined(separator: " or ")).")
  var theme = ViewerOptions.Appearance.dark

  @Option(
    name: [.customLong("colour-by"), .customLong("color-by")],
    help: ArgumentHelp(
      "Frames around the pictures in the colour of their folder, date, (file) size or aspect.", valueName: "kind"))
  var colorBy: LabelKind?

  @Option(name: .customLong("layout"), help: ArgumentHelp("Write the positions: .csv or .json.", valueName: "file"))
  var layoutFile: String?

  @Option(
    help: ArgumentHelp(
      "How picture and layout file have the pictures: free (as t-SNE puts them), spread (none covers another), or grid.",
      valueName: "mode"))
  var layoutMode = ArrangementMode.free

  @Option(
    help: ArgumentHelp("Write objects, ETags, parameters, version and problems as JSON.", valueName: "file"))
  var manifest: String?

  @Flag(help: "Print one JSON object with the results on standard output, at the end.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress on standard error.")
  var quiet = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("How long to wait out a lost connection before giving up.", valueName: "minutes"))
  var patience = 10.0

  @Flag(help: "Read and keep nothing on this computer.")
  var noCache = false

  @OptionGroup(title: "Map") var layout: LayoutOptions
  @OptionGroup(title: "Storage") var storage: StorageArguments

  func validate() throws {
    _ = try parseLocation(location)
    guard patience.isFinite, patience >= 0 else {
      throw ValidationError("The patience is \(patience) minutes; it must be 0 or more.")
    }
    if let picture, PictureFormat(fileName: picture) == nil {
      throw ValidationError("--picture “\(picture)” must end in .png, .jpg, .jpeg, .svg or .pdf.")
    }
    if let layoutFile, LayoutFormat(fileName: layoutFile) == nil {
      throw ValidationError("--layout “\(layoutFile)” must end in .csv or .json.")
    }
    let outputs = [picture, layoutFile, manifest].compactMap { $0 }
    if Set(outputs).count < outputs.count {
      throw ValidationError("Two outputs have the same file name.")
    }
  }

  func run() throws {
    // Better to know before an hour's work than after it.
    let outputs = try [picture, layoutFile, manifest].map { try $0.map(openOutput) }

    var storageOptions = storage.options
    storageOptions.patience = patience * 60
    if noCache { storageOptions.regionFile = nil }
    var request = MappingRequest(
      location: try parseLocation(location), storage: storageOptions, parameters: layout.parameters,
      cacheDirectory: storage.cache.directory, limits: layout.limits, threads: layout.effectiveThreads, mode: .map,
      usesStore: !noCache, publishesSnapshots: false)
    storage.apply(to: &request)
    request.asksNothing = true
    request.checksThumbnails = picture != nil
    let interruption = Interruption()
    let run = JobRun(request, progress: ProgressReporter(isQuiet: quiet))
    interruption.onSignal { run.cancel() }
    let outcome = run.waitForEnd()

    try interruption.check()
    switch outcome {
    case .failed(let failure):
      throw CommandFailure(
        failure.kind == .invalidRequest ? .wrongUsage : .failed, kind: failure.kind.rawValue,
        printable(failure.description), requestID: failure.requestID)
    case .cancelled:
      throw CommandFailure(.failed, kind: "cancelled", "Cancelled.")
    case .finished(let report, let contents):
      try write(contents, to: outputs, interruption: interruption)
      for image in report.leftOut {
        writeToStandardError("Left out: \(printable(image.key)): \(printable(image.reason))")
      }
      if json { try writeJSON(report) }
      if !quiet { writeToStandardError(summary(report)) }
      if !report.leftOut.isEmpty { throw ExitCode(ExitStatus.someLeftOut.rawValue) }
    }
  }

  private func openOutput(_ path: String) throws -> OutputFile {
    do { return try OutputFile(path: path) } catch {
      throw CommandFailure(.failed, kind: "output", error.description)
    }
  }

  private func write(_ contents: MapContents, to outputs: [OutputFile?], interruption: Interruption) throws {
    var contents = contents
    if picture != nil || layoutFile != nil {
      contents = try contents.arranged(layoutMode, shape: Double(size.width) / Double(size.height))
      try interruption.check()
    }
    do {
      if let picture, let format = PictureFormat(fileName: picture), let output = outputs[0] {
        let background = theme == .dark ? MapPicture.darkBackground : MapPicture.lightBackground
        try MapPicture(contents, size: size, background: background, colorBy: colorBy).write(format, to: output)
      }
      try interruption.check()
      if let layoutFile, let format = LayoutFormat(fileName: layoutFile), let output = outputs[1] {
        try output.write(LayoutFile(contents).encoded(format))
      }
      try interruption.check()
      if let output = outputs[2] {
        try output.write(Manifest(contents, parameters: layout.parameters).encoded())
      }
    } catch let error as ExportError {
      throw CommandFailure(.failed, kind: "output", error.description)
    }
    try interruption.check()
  }

  private func summary(_ report: MappingReport) -> String {
    var parts = ["\(report.images) images in \(secondsText(report.seconds.total))"]
    if !report.leftOut.isEmpty { parts.append("\(report.leftOut.count) left out") }
    if report.otherFiles > 0 { parts.append("\(report.otherFiles) other files") }
    return parts.joined(separator: ", ") + "."
  }
}
