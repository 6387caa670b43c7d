internal import CJPEG

extension PixelImage {
  /// The picture as a JPEG file of a quality from 1 to 100, colour not subsampled from 90 on; transparency is ignored.
  /// Nil when there is no memory for it.
  public func jpegData(quality: Int) -> [UInt8]? {
    precondition(pixels.count == width * height && width > 0 && height > 0)
    var count = 0
    let bytes = pixels.withUnsafeBufferPointer {
      cjpeg_encode($0.baseAddress, Int32(width), Int32(height), Int32(quality), &count)
    }
    guard let bytes else { return nil }
    defer { cjpeg_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
  }
}
