import Drawing

/// The extent of a picture in pixels.
public struct PictureSize: Hashable, Sendable, CustomStringConvertible {
  /// Pixels from left to right.
  public let width: Int
  /// Pixels from top to bottom.
  public let height: Int

  /// More pixels than this need more memory than a picture of a map is worth.
  static let maximumPixels = 400_000_000

  /// An extent of at least one pixel.
  public init(width: Int, height: Int) {
    precondition(width > 0 && height > 0)
    self.width = width
    self.height = height
  }

  /// Reads `3840x2160` (also with `×`); nil for anything else, and for pictures that cannot be made: 16 pixels a side at
  /// least, 32,767 at most, 400 megapixels in all.
  public init?(parsing text: String) {
    let parts = text.split(omittingEmptySubsequences: false) { $0 == "x" || $0 == "X" || $0 == "×" }
    let sides = parts.compactMap { part in part.utf8.allSatisfy { 48...57 ~= $0 } ? Int(part) : nil }
    guard parts.count == 2, sides.count == 2, sides.allSatisfy({ (16...Canvas.longestSide).contains($0) }),
      sides[0] * sides[1] <= Self.maximumPixels
    else { return nil }
    self.init(width: sides[0], height: sides[1])
  }

  /// As it is read.
  public var description: String { "\(width)x\(height)" }
}

/// The formats of a picture.
public enum PictureFormat: String, Sendable, CaseIterable {
  /// Exact pixels.
  case png
  /// Smaller, a little less exact.
  case jpeg
  /// Thumbnails at their full 128 pixels, scalable.
  case svg
  /// The same on a page.
  case pdf

  /// The format that a file name ends in.
  public init?(fileName: String) {
    let name = fileExtension(fileName)
    guard let format = PictureFormat(rawValue: name == "jpg" ? "jpeg" : name) else { return nil }
    self = format
  }
}
