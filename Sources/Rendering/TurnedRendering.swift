public import Geometry

// Pictures that are turned by quarters: drawn upright beside the window and copied over turned, so that the original is in
// memory once.
extension OriginalRenderer {
  /// Draws a turned original from the level that suits the size.
  /// - Parameters:
  ///   - turn: how it is turned.
  ///   - rect: where the whole picture lies once it is turned.
  /// - Returns: the pixels that were drawn.
  @discardableResult
  public mutating func render(
    _ pyramid: OriginalPyramid, turned turn: QuarterTurn, in rect: Rect, backdrop: Backdrop,
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, clip: PixelRect
  ) -> PixelRect {
    render(
      turned: pyramid.turn.then(turn), in: rect, backdrop: backdrop, into: pixels, stride: stride, clip: clip
    ) {
      $0.renderStored(pyramid, in: $1, backdrop: backdrop, into: $2, stride: $3, clip: $4)
    }
  }

  /// Draws a turned picture.
  /// - Parameters:
  ///   - turn: how it is turned.
  ///   - rect: where the whole picture lies once it is turned.
  ///   - pixelScale: device pixels per pixel of the original, which `source` may be a reduction of.
  /// - Returns: the pixels that were drawn.
  @discardableResult
  public mutating func render(
    _ source: PixelSource, turned turn: QuarterTurn, in rect: Rect, pixelScale: Double, backdrop: Backdrop,
    into pixels: UnsafeMutablePointer<UInt32>, stride: Int, clip: PixelRect
  ) -> PixelRect {
    render(turned: turn, in: rect, backdrop: backdrop, into: pixels, stride: stride, clip: clip) {
      $0.render(source, in: $1, pixelScale: pixelScale, backdrop: backdrop, into: $2, stride: $3, clip: $4)
    }
  }

  private mutating func render(
    turned turn: QuarterTurn, in rect: Rect, backdrop: Backdrop, into pixels: UnsafeMutablePointer<UInt32>,
    stride: Int, clip: PixelRect,
    upright: (inout Self, Rect, UnsafeMutablePointer<UInt32>, Int, PixelRect) -> PixelRect
  ) -> PixelRect {
    guard turn != .none else { return upright(&self, rect, pixels, stride, clip) }
    guard let whole = Self.snapped(rect) else { return .zero }
    let visible = whole.intersection(clip)
    guard !visible.isEmpty else { return .zero }
    let (left, top) = (visible.x - whole.x, visible.y - whole.y)
    let (right, bottom) = (whole.width - left - visible.width, whole.height - top - visible.height)
    // What is seen, in the upright picture: its first pixel, and its extent.
    let (x, y) =
      switch turn {
      case .none: (left, top)
      case .right: (top, right)
      case .half: (right, bottom)
      case .left: (bottom, left)
      }
    let width = turn.swapsSides ? visible.height : visible.width
    let height = turn.swapsSides ? visible.width : visible.height
    let size = turn.applied(to: Size(width: Double(whole.width), height: Double(whole.height)))
    let map = TurnedCopy(turn, width: width, height: height)
    var scratch = [UInt32](repeating: 0, count: width * height)
    scratch.withUnsafeMutableBufferPointer { buffer in
      guard let memory = buffer.baseAddress else { return }
      let target = pixels + visible.y * stride + visible.x
      if backdrop == .none { map.forEach { memory[$0] = target[$2 * stride + $1] } }
      _ = upright(
        &self, Rect(x: Double(-x), y: Double(-y), width: size.width, height: size.height), memory, width,
        PixelRect(x: 0, y: 0, width: width, height: height))
      map.forEach { target[$2 * stride + $1] = memory[$0] }
    }
    return visible
  }
}

/// Which pixel of an upright block is where once it is turned.
private struct TurnedCopy {
  private let start, stepX, stepY: Int
  private let width, height: Int

  /// - Parameters:
  ///   - width: of the upright block.
  ///   - height: of the upright block.
  init(_ turn: QuarterTurn, width: Int, height: Int) {
    switch turn {
    case .none: (start, stepX, stepY) = (0, 1, width)
    case .right: (start, stepX, stepY) = ((height - 1) * width, -width, 1)
    case .half: (start, stepX, stepY) = (height * width - 1, -1, -width)
    case .left: (start, stepX, stepY) = (width - 1, width, -1)
    }
    (self.width, self.height) = turn.swapsSides ? (height, width) : (width, height)
  }

  /// Calls for each pixel of the turned block with the place of its origin in the upright one, in squares that stay in the
  /// near cache.
  @inline(__always)
  func forEach(_ body: (_ source: Int, _ x: Int, _ y: Int) -> Void) {
    let side = 64
    for top in stride(from: 0, to: height, by: side) {
      for left in stride(from: 0, to: width, by: side) {
        for y in top..<min(top + side, height) {
          var source = start + y * stepY + left * stepX
          for x in left..<min(left + side, width) {
            body(source, x, y)
            source += stepX
          }
        }
      }
    }
  }
}
