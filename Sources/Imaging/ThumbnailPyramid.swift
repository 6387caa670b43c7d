/// The levels of a thumbnail, each area-averaged from the next larger one.
///
/// Averages of averages are averages: where the sides halve exactly the result is the same as from the original, and
/// where they do not, an edge pixel is at most blurred into its neighbour.
public struct ThumbnailPyramid: Sendable {
  /// The longest side of each level, in pixels; the atlas has the same.
  public static let sides = [4, 8, 16, 32, 64, 128]

  /// One picture for each of `sides`, in that order; a picture smaller than a level is kept at its own size there.
  public let levels: [PixelImage]
  /// Average of all pixels, premultiplied ARGB32.
  public let averageColor: UInt32

  /// Makes the levels of a picture of any size.
  public init(of image: PixelImage) {
    var levels: [PixelImage] = []
    var source = image
    for side in Self.sides.reversed() {
      // The proportions are the original's, not those of the rounded level above.
      let (width, height) = fittedSize(width: image.width, height: image.height, longestSide: side)
      source = source.areaAveraged(width: width, height: height)
      levels.append(source)
    }
    self.levels = levels.reversed()
    averageColor = source.areaAveraged(width: 1, height: 1).pixels[0]
  }
}
