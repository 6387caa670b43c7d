import Drawing
import Geometry
import TestSupport
import Testing

@Suite("The canvas", .computing)
struct CanvasTests {
  /// Draws on memory of its own and gives the pixels back, row by row.
  private func pixels(
    _ width: Int, _ height: Int, stride: Int? = nil, _ draw: (Canvas) -> Void
  ) -> [UInt32] {
    let stride = stride ?? width
    var memory = [UInt32](repeating: 0xdead_beef, count: stride * height)
    memory.withUnsafeMutableBufferPointer { buffer in
      let canvas = Canvas(pixels: buffer.baseAddress!, width: width, height: height, stride: stride)
      canvas.clear(Color(hex: 0x17181a))
      draw(canvas)
      canvas.flush()
    }
    return memory
  }

  @Test("a rectangle with whole edges is filled exactly, and nothing beside it")
  func exactFill() {
    let result = pixels(12, 9, stride: 16) { $0.fill(Rect(x: 2, y: 3, width: 5, height: 4), Color(hex: 0x00afd7)) }
    for y in 0..<9 {
      for x in 0..<16 {
        let inside = (2..<7).contains(x) && (3..<7).contains(y)
        let expected: UInt32 = x >= 12 ? 0xdead_beef : inside ? 0xff00_afd7 : 0xff17_181a
        #expect(result[y * 16 + x] == expected, "at \(x), \(y)")
      }
    }
  }

  @Test("an outline lies inside its rectangle and is exactly as wide as asked", arguments: [1, 2, 3])
  func crispOutline(width: Int) {
    let result = pixels(20, 20) {
      $0.stroke(Rect(x: 4, y: 4, width: 12, height: 12), .white, lineWidth: Double(width))
    }
    for y in 0..<20 {
      for x in 0..<20 {
        let inOuter = (4..<16).contains(x) && (4..<16).contains(y)
        let inInner = (4 + width..<16 - width).contains(x) && (4 + width..<16 - width).contains(y)
        #expect(result[y * 20 + x] == (inOuter && !inInner ? 0xffff_ffff : 0xff17_181a))
      }
    }
  }

  @Test("rounded corners are cut off and soft, straight edges stay exact")
  func roundedCorners() {
    let result = pixels(40, 40) { $0.fill(Rect(x: 0, y: 0, width: 40, height: 40), .white, cornerRadius: 6) }
    #expect(result[0] == 0xff17_181a)
    #expect(result[20] == 0xffff_ffff)
    #expect(result[20 * 40] == 0xffff_ffff)
    #expect(result[6 * 40 + 6] == 0xffff_ffff)
    // The four corners mirror each other.
    for y in 0..<6 {
      for x in 0..<6 {
        let level = Int(result[y * 40 + x] & 0xff)
        for other in [result[y * 40 + 39 - x], result[(39 - y) * 40 + x], result[(39 - y) * 40 + 39 - x]] {
          #expect(abs(level - Int(other & 0xff)) <= 2)
        }
      }
    }
  }

  @Test("hairlines are whole pixels at every scale, and lengths never vanish")
  func hairlines() {
    for (scale, expected) in [(1.0, 1.0), (1.25, 1), (1.5, 1), (1.75, 2), (2, 2), (2.5, 2), (3, 3)] {
      #expect(PixelGrid(scale: scale).hairline == expected)
      for length in [0.1, 1, 1.5, 4, 6, 48] {
        let pixels = PixelGrid(scale: scale).length(length)
        #expect(pixels >= 1 && pixels == pixels.rounded())
      }
    }
    #expect(PixelGrid(scale: .nan).scale == 1)
  }

  @Test("a clip holds inside its scope and ends with it")
  func clipScope() {
    let result = pixels(8, 2) { canvas in
      canvas.clip(Rect(x: 0, y: 0, width: 4, height: 2)) {
        canvas.fill(Rect(x: 0, y: 0, width: 8, height: 1), .white)
      }
      canvas.fill(Rect(x: 0, y: 1, width: 8, height: 1), .white)
    }
    #expect(result[3] == 0xffff_ffff && result[4] == 0xff17_181a && result[8 + 7] == 0xffff_ffff)
  }

  @Test(
    "an image at its own size is copied bit by bit with any filter", arguments: [ImageFilter.nearest, .bilinear, .best])
  func imageCopy(filter: ImageFilter) {
    let source: [UInt32] = (0..<12).map { 0xff00_0000 | UInt32($0 * 20) << 8 | UInt32($0) }
    let result = pixels(6, 5) { canvas in
      source.withUnsafeBufferPointer {
        canvas.image(
          $0.baseAddress!, width: 4, height: 3, stride: 4, in: Rect(x: 1, y: 1, width: 4, height: 3), filter: filter)
      }
    }
    for y in 0..<3 {
      for x in 0..<4 { #expect(result[(y + 1) * 6 + x + 1] == source[y * 4 + x]) }
    }
    #expect(result[0] == 0xff17_181a && result[29] == 0xff17_181a)
  }

  @Test("a reduced image is averaged over its area, an enlarged one keeps its edges opaque")
  func imageScaling() {
    // Stripes of one pixel become an even grey.
    let stripes: [UInt32] = (0..<64 * 64).map { $0 % 2 == 0 ? 0xffff_ffff : 0xff00_0000 }
    let small = pixels(8, 8) { canvas in
      stripes.withUnsafeBufferPointer {
        canvas.image(
          $0.baseAddress!, width: 64, height: 64, stride: 64, in: Rect(x: 0, y: 0, width: 8, height: 8), filter: .best)
      }
    }
    for y in 1..<7 { for x in 1..<7 { #expect(abs(Int(small[y * 8 + x] & 0xff) - 127) <= 12) } }
    let red: [UInt32] = [0xffff_0000, 0xffff_0000, 0xffff_0000, 0xffff_0000]
    let large = pixels(16, 16) { canvas in
      red.withUnsafeBufferPointer {
        canvas.image(
          $0.baseAddress!, width: 2, height: 2, stride: 2, in: Rect(x: 0, y: 0, width: 16, height: 16),
          filter: .bilinear)
      }
    }
    #expect(large.allSatisfy { $0 == 0xffff_0000 })
  }

  @Test("PNG, SVG and PDF are complete files, with images and text inside")
  func files() throws {
    func draw(_ canvas: Canvas) {
      canvas.clear(.white)
      let image: [UInt32] = [0xffff_0000, 0xff00_ff00, 0xff00_00ff, 0xffff_ffff]
      image.withUnsafeBufferPointer {
        canvas.image($0.baseAddress!, width: 2, height: 2, stride: 2, in: Rect(x: 5, y: 5, width: 20, height: 20))
      }
      canvas.text(TextLayout("cat.jpg", font: Font(family: "sans", size: 12)), at: Point(x: 5, y: 30), .black)
    }
    let raster = try Canvas.image(width: 40, height: 50)
    draw(raster)
    let png = try raster.pngData()
    #expect(png.starts(with: [0x89, 0x50, 0x4e, 0x47]) && png.suffix(8).starts(with: [0x49, 0x45, 0x4e, 0x44]))
    // Written by the canvas on this thread, before `finish` returns.
    nonisolated(unsafe) var bytes: [UInt8] = []
    let svg = try Canvas.svg(width: 40, height: 50) {
      bytes.append(contentsOf: $0)
      return true
    }
    draw(svg)
    try svg.finish()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains("<svg") && text.contains("data:image/png;base64") && text.hasSuffix("</svg>\n"))
    bytes = []
    let pdf = try Canvas.pdf(width: 40, height: 50) {
      bytes.append(contentsOf: $0)
      return true
    }
    draw(pdf)
    try pdf.finish()
    #expect(bytes.starts(with: Array("%PDF".utf8)) && bytes.suffix(6).elementsEqual(Array("%%EOF\n".utf8)))
  }

  @Test("a full disk and an impossible size are errors, not crashes")
  func errors() throws {
    let pdf = try Canvas.pdf(width: 40, height: 50) { _ in false }
    pdf.fill(Rect(x: 0, y: 0, width: 9, height: 9), .black)
    #expect(throws: DrawingError.self) { try pdf.finish() }
    let image = try Canvas.image(width: 4, height: 4)
    #expect(throws: DrawingError.self) { try image.writePNG { _ in false } }
    #expect(throws: DrawingError.self) { try Canvas.image(width: 40_000, height: 10) }
    #expect(throws: DrawingError.self) { try Canvas.image(width: 0, height: 10) }
  }
}
