import Foundation

/// The pictures that come with the program.
enum SampleImages {
  /// Where they lie: beside an installed program (`bin/../share/s3totsne/samples`), in the source tree that the program
  /// was built in (`.build/<configuration>/../../Resources/samples`, however deep), or where desktops keep the data of
  /// programs (`$XDG_DATA_HOME`, `$XDG_DATA_DIRS`); nil when they are nowhere.
  static var directory: String? {
    candidates(
      program: try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
      environment: ProcessInfo.processInfo.environment
    ).first(where: isFolder)
  }

  /// Where they may be, the likeliest first.
  static func candidates(program: String?, environment: [String: String]) -> [String] {
    var candidates: [String] = []
    if let program {
      var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
      candidates.append(folder.deletingLastPathComponent().appendingPathComponent("share/s3totsne/samples").path)
      candidates.append(folder.appendingPathComponent("samples").path)
      while folder.path != "/" {
        // `.build` lies in the package's root; nothing above that is ours.
        let isBuildFolder = folder.lastPathComponent.hasPrefix(".build")
        folder.deleteLastPathComponent()
        if isBuildFolder {
          candidates.append(folder.appendingPathComponent("Resources/samples").path)
          break
        }
      }
    }
    // By the XDG Base Directory Specification; relative entries are to be ignored.
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    var shares = [value("XDG_DATA_HOME") ?? value("HOME").map { $0 + "/.local/share" }].compactMap { $0 }
    shares += (value("XDG_DATA_DIRS") ?? "/usr/local/share:/usr/share").split(separator: ":").map(String.init)
    candidates += shares.filter { $0.hasPrefix("/") }.map { $0 + "/s3totsne/samples" }
    return candidates
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }
}
