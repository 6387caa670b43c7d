import Export
import Foundation

/// What is to be written, as the ending of a typed path says.
enum SaveTarget: Equatable {
  /// A list of the images.
  case list(ListFormat, path: String)
  /// A picture of the map; nil for the size that fits the window.
  case picture(PictureFormat, path: String, size: PictureSize?)
  /// The original files, into this folder.
  case files(folder: String)

  /// What can be typed.
  static let endings = "End in .txt, .csv, .json, .png, .jpg, .svg, .pdf, or in / for the files themselves."

  /// Reads a path: `~` is the home folder, what does not begin with `/` is below the current one. A picture may be followed
  /// by its size: `map.png 3840x2160`. Nil when the ending says nothing.
  init?(_ typed: String) {
    var text = typed.trimmingCharacters(in: .whitespaces)
    var size: PictureSize?
    if let space = text.lastIndex(of: " "), let parsed = PictureSize(parsing: String(text[text.index(after: space)...]))
    {
      size = parsed
      text = text[..<space].trimmingCharacters(in: .whitespaces)
    }
    guard !text.isEmpty else { return nil }
    if text == "~" || text.hasPrefix("~/") {
      let home = ProcessInfo.processInfo.environment["HOME"] ?? NSHomeDirectory()
      text = home + text.dropFirst()
    }
    if !text.hasPrefix("/") { text = FileManager.default.currentDirectoryPath + "/" + text }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: text, isDirectory: &isFolder)
    if text.hasSuffix("/") || exists && isFolder.boolValue {
      self = .files(folder: text)
    } else if let format = ListFormat(fileName: text) {
      self = .list(format, path: text)
    } else if let format = PictureFormat(fileName: text) {
      self = .picture(format, path: text, size: size)
    } else {
      return nil
    }
  }

  /// The file that is written, where it is one.
  var path: String? {
    switch self {
    case .list(_, let path), .picture(_, let path, _): path
    case .files: nil
    }
  }

  /// What it is, in a few words.
  var words: String {
    switch self {
    case .list(.txt, _): "addresses, one a line"
    case .list(.csv, _): "a table, one image a row"
    case .list(.json, _): "a list in JSON"
    case .picture(_, _, let size): "a picture of the map" + (size.map { ", \($0.width) × \($0.height)" } ?? "")
    case .files: "the files themselves"
    }
  }
}
