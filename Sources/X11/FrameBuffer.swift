public import Geometry
internal import Glibc

/// The memory of one frame: draw into it, then hand it to `Window.present`.
///
/// Pixels are premultiplied ARGB32 in native byte order (Cairo's ARGB32 and RGB24); the alpha is not shown. The memory
/// lives as long as this value, but belongs to the server from `present` until the frame is presented: write nothing then.
public struct FrameBuffer {
  /// The first pixel of the first row.
  public let pixels: UnsafeMutablePointer<UInt32>
  /// Pixels of a row that are shown.
  public let width: Int
  /// Rows that are shown.
  public let height: Int
  /// Pixels from one row to the next; at least `width`.
  public let stride: Int
  /// How many frames ago this buffer was presented: 0 when its contents are undefined, 1 when it still holds the last
  /// frame, 2 the one before. With the damage of that many frames one can draw less than the whole.
  public let age: Int

  let storage: FrameStorage
}

/// A part of a frame that differs from the last one by having moved, but for what came into view: worth telling where
/// pictures travel through a connection, for the server then moves what it has.
public struct FrameMovement: Hashable, Sendable {
  /// The part, before and after.
  public var rect: PixelRect
  /// To the right and down, in pixels.
  public var x, y: Int

  /// A movement inside `rect`.
  public init(rect: PixelRect, x: Int, y: Int) {
    self.rect = rect
    self.x = x
    self.y = y
  }
}

/// The memory behind a frame buffer: the server's own where the formats agree, else a canvas to be converted.
@MainActor final class FrameStorage {
  let pixels: UnsafeMutablePointer<UInt32>
  let width: Int
  let height: Int
  let stride: Int
  /// The server's picture this is the memory of; nil for a canvas.
  let image: ServerImage?
  /// The last frame drawn here.
  var last: (serial: UInt64, width: Int, height: Int)?

  init(image: ServerImage) {
    self.image = image
    pixels = image.bytes.assumingMemoryBound(to: UInt32.self)
    (width, height, stride) = (image.width, image.height, image.bytesPerRow / 4)
  }

  init(canvasWidth: Int, height: Int) {
    image = nil
    pixels = .allocate(capacity: canvasWidth * height)
    pixels.initialize(repeating: 0, count: canvasWidth * height)
    (width, self.height, stride) = (canvasWidth, height, canvasWidth)
  }

  isolated deinit {
    if image == nil { pixels.deallocate() }
  }
}
