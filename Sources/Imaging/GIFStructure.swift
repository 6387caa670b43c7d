/// The blocks of a GIF (GIF89a), as libnsgif understands them, with which libvips reads the small ones: the canvas, the first
/// frame, and whether there is transparency.
struct GIFStructure {
  /// The canvas, which grows with the first frame.
  private(set) var width, height: Int
  /// Whether one of the frames has a transparent colour; without it, what no frame covers is black.
  private(set) var hasTransparency = false
  private(set) var frame = Frame()

  struct Frame {
    var left = 0
    var top = 0
    var width = 0
    var height = 0
    var isInterlaced = false
    /// Opaque ARGB32; colours that are not in the file are 0.
    var palette: [UInt32] = []
    var transparentIndex: Int?
    /// Where its data begin, with the size of the smallest codes.
    var data = 0
    /// Whether the file goes on to the end of its data.
    var isComplete = false
  }

  private enum FrameEnd { case complete, fileEnds, none }

  /// Nil when there is no frame with any data.
  init?(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard bytes.count >= 13 else { return nil }
    func little16(_ offset: Int) -> Int { Int(bytes[offset]) | Int(bytes[offset + 1]) << 8 }
    (width, height) = (little16(6), little16(8))
    // Sizes of screens, which were written for sizes of pictures, and large ones count for nothing.
    let screens = [(640, 480), (640, 512), (800, 600), (1024, 768), (1280, 1024), (1600, 1200)]
    let isScreen = screens.contains { $0 == (width, height) }
    if isScreen || width == 0 || height == 0 || width > 2048 || height > 2048 { (width, height) = (1, 1) }
    var offset = 13
    var palette: [UInt32] = [0xFF00_0000, 0xFFFF_FFFF]
    if bytes[10] & 0x80 != 0 {
      guard let colors = Self.palette(bytes, &offset, flags: bytes[10]) else { return nil }
      palette = colors
    }

    let mostFrames = 4097
    for index in 0..<mostFrames {
      var described = Frame()
      described.palette = palette
      let end = Self.readFrame(bytes, &offset, &described)
      if index == 0 {
        guard end != .none else { return nil }
        frame = described
        frame.isComplete = end == .complete
        width = max(width, frame.left + frame.width)
        height = max(height, frame.top + frame.height)
        if end == .fileEnds { hasTransparency = true }
      }
      if end != .none, described.transparentIndex != nil { hasTransparency = true }
      if end != .complete { break }
    }
  }

  /// Reads a frame and moves behind it.
  private static func readFrame(
    _ bytes: UnsafeBufferPointer<UInt8>, _ offset: inout Int, _ frame: inout Frame
  ) -> FrameEnd {
    let trailer = UInt8(ascii: ";")
    guard offset >= bytes.count || bytes[offset] != trailer, readExtensions(bytes, &offset, &frame),
      bytes.count - offset >= 10, bytes[offset] == UInt8(ascii: ",")
    else { return .none }
    func little16(_ place: Int) -> Int { Int(bytes[offset + place]) | Int(bytes[offset + place + 1]) << 8 }
    (frame.left, frame.top, frame.width, frame.height) = (little16(1), little16(3), little16(5), little16(7))
    let flags = bytes[offset + 9]
    frame.isInterlaced = flags & 0x40 != 0
    offset += 10
    if flags & 0x80 != 0 {
      guard let colors = palette(bytes, &offset, flags: flags) else { return .none }
      frame.palette = colors
    }
    let largestIndexSize = 11
    guard offset < bytes.count, bytes[offset] != trailer, bytes[offset] <= largestIndexSize else { return .none }
    if bytes.count - offset == 2, bytes[offset + 1] == trailer { return .none }
    frame.data = offset
    offset += 1
    let start = offset
    while offset < bytes.count {
      let size = Int(bytes[offset]) + 1
      if size > bytes.count - offset { return .fileEnds }
      offset += size
      if size == 1 { return .complete }
    }
    return offset > start ? .fileEnds : .none
  }

  /// Moves behind the extensions before a frame; false when the file ends in them.
  private static func readExtensions(
    _ bytes: UnsafeBufferPointer<UInt8>, _ offset: inout Int, _ frame: inout Frame
  ) -> Bool {
    while offset < bytes.count, bytes[offset] == UInt8(ascii: "!") {
      offset += 1
      let left = bytes.count - offset
      guard left > 0 else { return false }
      switch bytes[offset] {
      case 0xF9:
        guard left >= 6 else { return false }
        if bytes[offset + 2] & 1 != 0 { frame.transparentIndex = Int(bytes[offset + 5]) }
      case 0xFF:
        guard left >= 17 else { return false }
      default: break
      }
      if bytes[offset] == 0xFE {
        // A comment is nothing but blocks.
        offset += 1
      } else {
        guard left >= 2 else { return false }
        offset += 2 + Int(bytes[offset + 1])
      }
      while offset < bytes.count, bytes[offset] != 0 {
        offset += Int(bytes[offset]) + 1
        guard offset < bytes.count else { return false }
      }
      offset += 1
    }
    offset = min(offset, bytes.count)
    return true
  }

  /// Reads a palette of which the flags before it give the size.
  private static func palette(
    _ bytes: UnsafeBufferPointer<UInt8>, _ offset: inout Int, flags: UInt8
  ) -> [UInt32]? {
    let count = 2 << Int(flags & 7)
    guard bytes.count - offset >= 3 * count else { return nil }
    defer { offset += 3 * count }
    return (0..<count).map { index in
      let place = offset + 3 * index
      return 0xFF00_0000 | UInt32(bytes[place]) << 16 | UInt32(bytes[place + 1]) << 8 | UInt32(bytes[place + 2])
    }
  }
}
