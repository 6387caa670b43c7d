import ArgumentParser
import Foundation
import ObjectStorage
import Viewer

/// `s3totsne [LOCATION]`: the window.
struct ViewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "view", abstract: "Open the window (what happens without a subcommand).")

  @Argument(help: "A bucket, a part of one, or a folder; without it the window asks.")
  var location: String?

  @OptionGroup(title: "Map") var layout: LayoutOptions
  @OptionGroup(title: "Storage") var storage: StorageArguments

  @Option(help: "The colours: \(ViewerOptions.Appearance.allCases.map(\.rawValue).joined(separator: " or ")).")
  var theme = ViewerOptions.Appearance.dark

  @Flag(help: "Move nothing that need not move.")
  var noAnimation = false

  @Option(help: ArgumentHelp("Size of text and controls, 0.5 to 8 (default: the desktop's).", valueName: "factor"))
  var scale: Double?

  @Option(help: ArgumentHelp("Size and place of the window, such as 1280x800+40+40.", valueName: "geometry"))
  var geometry: String?

  func validate() throws {
    if let location { _ = try parseLocation(location) }
    if let scale, !(0.5...8).contains(scale) {
      throw ValidationError("The scale is \(scale); it must be from 0.5 to 8.")
    }
    if let geometry, geometry.wholeMatch(of: /=?(\d+x\d+)?([+-]-?\d+[+-]-?\d+)?/) == nil || geometry.isEmpty {
      throw ValidationError("“\(geometry)” is no geometry; write WIDTHxHEIGHT, +X+Y or both, such as 1280x800+40+40.")
    }
  }

  func run() throws {
    var storageOptions = storage.options
    // Until somebody cancels.
    storageOptions.patience = nil
    var options = ViewerOptions(
      location: location, storage: storageOptions, parameters: layout.parameters,
      cacheDirectory: storage.cache.directory, limits: layout.limits, threads: layout.effectiveThreads,
      appearance: theme, animation: !noAnimation, scale: scale, geometry: geometry,
      hasExplicitParameters: layout.isExplicit, samplesDirectory: SampleImages.directory)
    options.prepare = { [storage] request in storage.apply(to: &request) }
    let prepared = options
    // The program's top level is the main thread.
    try MainActor.assumeIsolated {
      do { try runViewer(prepared) } catch {
        throw CommandFailure(
          .failed, kind: "display", "\(error) Without a display, “s3totsne map” makes a map and writes it to a file.")
      }
    }
  }
}
