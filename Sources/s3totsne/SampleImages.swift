import Foundation

/// The pictures that come with the program.
enum SampleImages {
  /// Where they lie: beside an installed program (`bin/../share/s3totsne/samples`), or in the source tree that the
  /// program was built in (`.build/<configuration>/../../Resources/samples`, however deep); nil when they are gone.
  static var directory: String? {
    guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
    var folder = URL(fileURLWithPath: program).deletingLastPathComponent()
    let installed = folder.deletingLastPathComponent().appendingPathComponent("share/s3totsne/samples").path
    if isFolder(installed) { return installed }
    while folder.path != "/" {
      // `.build` lies in the package's root; nothing above that is ours.
      let isBuildFolder = folder.lastPathComponent.hasPrefix(".build")
      folder.deleteLastPathComponent()
      if isBuildFolder {
        let samples = folder.appendingPathComponent("Resources/samples").path
        return isFolder(samples) ? samples : nil
      }
    }
    return nil
  }

  private static func isFolder(_ path: String) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
  }
}
