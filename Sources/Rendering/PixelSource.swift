/// Pixels to be drawn: premultiplied ARGB32, rows without gaps. Whoever hands it on keeps the memory alive meanwhile.
public struct PixelSource {
  /// The first pixel of the first row.
  public let pixels: UnsafePointer<UInt32>
  /// Extent in pixels, at least 1 × 1.
  public let width, height: Int
  /// Whether no pixel lets anything through.
  public let isOpaque: Bool

  /// A view of `width * height` pixels.
  public init(pixels: UnsafePointer<UInt32>, width: Int, height: Int, isOpaque: Bool) {
    precondition(width > 0 && height > 0)
    self.pixels = pixels
    self.width = width
    self.height = height
    self.isOpaque = isOpaque
  }
}

/// Pixels of pictures that are larger on the map than the largest thumbnail.
public protocol OriginalSource {
  /// Pixels of a picture whose longest side is at least `minimumSide` where the original has that much; nil when there
  /// are none at hand better than the largest thumbnail. Called on the thread that draws, for visible pictures only: an
  /// answer of nil is the place to note what is wanted. The memory must last until the frame is drawn.
  func pixels(slot: Int, minimumSide: Int) -> PixelSource?
}
