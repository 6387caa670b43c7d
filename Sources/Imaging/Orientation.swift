extension PixelImage {
  /// The picture turned and mirrored as an EXIF orientation (1 to 8) asks, so that it is upright.
  func oriented(_ orientation: Int) -> PixelImage {
    // Where target (0, 0) lies in the source, and the steps in the source for one target pixel right and down.
    let right = width - 1
    let bottom = (height - 1) * width
    let (start, stepX, stepY): (Int, Int, Int)
    switch orientation {
    case 2: (start, stepX, stepY) = (right, -1, width)
    case 3: (start, stepX, stepY) = (bottom + right, -1, -width)
    case 4: (start, stepX, stepY) = (bottom, 1, -width)
    case 5: (start, stepX, stepY) = (0, width, 1)
    case 6: (start, stepX, stepY) = (bottom, -width, 1)
    case 7: (start, stepX, stepY) = (bottom + right, -width, -1)
    case 8: (start, stepX, stepY) = (right, width, -1)
    default: return self
    }
    let isTransposed = orientation >= 5
    let newWidth = isTransposed ? height : width
    let newHeight = isTransposed ? width : height
    let turned = [UInt32](unsafeUninitializedCapacity: pixels.count) { target, count in
      pixels.withUnsafeBufferPointer { source in
        // In blocks, so that a quarter turn of a large picture stays in the cache.
        let block = 64
        for top in stride(from: 0, to: newHeight, by: block) {
          for left in stride(from: 0, to: newWidth, by: block) {
            for y in top..<min(top + block, newHeight) {
              var place = start + y * stepY + left * stepX
              for x in left..<min(left + block, newWidth) {
                target[y * newWidth + x] = source[place]
                place += stepX
              }
            }
          }
        }
      }
      count = pixels.count
    }
    return PixelImage(width: newWidth, height: newHeight, pixels: turned, isOpaque: isOpaque)
  }
}
