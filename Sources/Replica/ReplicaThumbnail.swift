import Atlas
import Imaging

/// A thumbnail as files of an archive: `<row>.jpg`, and for one that is transparent `<row>-alpha.jpg`, a grey picture of
/// how opaque it is. The colours are premultiplied.
enum ReplicaThumbnail {
  /// Little is lost, and colour is not subsampled.
  private static let quality = 92
  private static let side = 128

  static func encode(_ image: PixelImage, _ row: Int) -> [(name: String, bytes: [UInt8])]? {
    guard let color = image.jpegData(quality: quality) else { return nil }
    guard !image.isOpaque else { return [("\(row).jpg", color)] }
    let grey = image.pixels.map { pixel -> UInt32 in 0xFF00_0000 | (pixel >> 24) &* 0x01_01_01 }
    let alpha = PixelImage(width: image.width, height: image.height, pixels: grey, isOpaque: true)
    return alpha.jpegData(quality: quality).map { [("\(row).jpg", color), ("\(row)-alpha.jpg", $0)] }
  }

  static func decode(_ file: (String) -> [UInt8]?, _ row: Int) -> PixelImage? {
    guard let color = file("\(row).jpg").flatMap(decode) else { return nil }
    guard let bytes = file("\(row)-alpha.jpg") else { return color }
    guard let alpha = decode(bytes), alpha.width == color.width, alpha.height == color.height else { return nil }
    let pixels = zip(color.pixels, alpha.pixels).map { color, grey -> UInt32 in
      // Compression may have made a colour brighter than its opacity allows.
      let limit = grey & 0xFF
      var pixel = limit << 24
      for shift in [0, 8, 16] as [UInt32] { pixel |= min(color >> shift & 0xFF, limit) << shift }
      return pixel
    }
    return PixelImage(width: color.width, height: color.height, pixels: pixels, isOpaque: false)
  }

  /// A JPEG of at most 128 pixels a side; its header is looked at before anything is decoded.
  private static func decode(_ bytes: [UInt8]) -> PixelImage? {
    guard bytes.count <= ReplicaLimits.thumbnailBytes else { return nil }
    let decoder = ImageDecoder()
    guard let header = try? decoder.header(of: bytes), header.format == .jpeg, header.orientation == 1,
      header.width <= side, header.height <= side
    else { return nil }
    return try? decoder.decode(bytes).image
  }
}
