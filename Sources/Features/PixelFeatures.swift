public import Imaging

/// The picture itself as a vector: stretched to a square of side × side pixels, area-averaged (along a side that is
/// shorter than that, linearly interpolated), over white; R, G, B interleaved, rows from the top.
public struct PixelFeatures: FeatureExtractor {
  /// The side of the square, in pixels.
  public let side: Int

  /// Creates an extractor of `side` × `side` × 3 bytes.
  public init(side: Int = 50) {
    precondition(side > 0)
    self.side = side
  }

  /// "pixels-50" for a side of 50.
  public var identifier: String { "pixels-\(side)" }
  /// side × side × 3.
  public var dimension: Int { side * side * 3 }

  /// Writes the square of a picture over white.
  public func extract(from image: PixelImage, into vector: UnsafeMutableBufferPointer<UInt8>) {
    precondition(vector.count == dimension)
    let square = image.areaAveraged(width: side, height: side)
    for (index, pixel) in square.pixels.enumerated() {
      // Premultiplied, so over white is one addition; the sum cannot exceed 255.
      let white = 255 - (pixel >> 24)
      vector[index * 3] = UInt8(truncatingIfNeeded: min(255, (pixel >> 16 & 255) + white))
      vector[index * 3 + 1] = UInt8(truncatingIfNeeded: min(255, (pixel >> 8 & 255) + white))
      vector[index * 3 + 2] = UInt8(truncatingIfNeeded: min(255, (pixel & 255) + white))
    }
  }
}
