/// The memory of one frame: draw into it, then hand it to `Window.present`.
///
/// Pixels are premultiplied ARGB32 in native byte order (Cairo's ARGB32 and RGB24); the alpha is not shown. The memory
/// lives as long as this value, but belongs to the server from `present` until the frame is presented: write nothing then.
public struct FrameBuffer {
  /// The first pixel of the first row.
  public let pixels: UnsafeMutablePointer<UInt32>
  public let width: Int
  public let height: Int
  /// Pixels from one row to the next; at least `width`.
  public let stride: Int
  /// How many frames ago this buffer was presented: 0 when its contents are undefined, 1 when it still holds the last
  /// frame, 2 the one before. With the damage of that many frames one can draw less than the whole.
  public let age: Int

  let storage: FrameStorage
}
