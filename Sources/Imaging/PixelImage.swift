/// A picture in memory: premultiplied ARGB32 in native byte order (in memory B, G, R, A), row after row without gaps.
public struct PixelImage: Sendable, Equatable {
  /// Dimensions in pixels.
  public var width, height: Int
  /// width × height pixels.
  public var pixels: [UInt32]
  /// True when no pixel is transparent.
  public var isOpaque: Bool

  /// Creates a picture of `pixels`, which must be width × height of them.
  public init(width: Int, height: Int, pixels: [UInt32], isOpaque: Bool) {
    precondition(width > 0 && height > 0 && pixels.count == width * height)
    self.width = width
    self.height = height
    self.pixels = pixels
    self.isOpaque = isOpaque
  }
}
