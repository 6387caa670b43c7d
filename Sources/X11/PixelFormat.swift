internal import CX11

/// How a server stores the pixels of a visual.
struct PixelFormat: Equatable {
  var depth: Int
  var bitsPerPixel: Int
  var redMask: UInt32
  var greenMask: UInt32
  var blueMask: UInt32
  var isBigEndian: Bool

  /// Whether pixels are stored just as programs draw them here.
  var isNative: Bool {
    bitsPerPixel == 32 && redMask == 0xff0000 && greenMask == 0xff00 && blueMask == 0xff
      && isBigEndian == (Int(1).bigEndian == 1)
  }
}

/// Rewrites drawn pixels in the format of a server: one table for each colour, whatever its masks are.
struct PixelConverter {
  let format: PixelFormat
  private let red: [UInt32]
  private let green: [UInt32]
  private let blue: [UInt32]

  init(format: PixelFormat) {
    self.format = format
    let isSwapped = format.isBigEndian != (Int(1).bigEndian == 1)
    func table(_ mask: UInt32) -> [UInt32] {
      let shift = UInt32(mask.trailingZeroBitCount)
      let highest = mask == 0 ? 0 : mask >> shift
      return (0..<256).map { level in
        let value = UInt32((UInt64(level) * UInt64(highest) + 127) / 255) << (mask == 0 ? 0 : shift)
        guard isSwapped else { return value }
        return format.bitsPerPixel == 16 ? UInt32(UInt16(truncatingIfNeeded: value).byteSwapped) : value.byteSwapped
      }
    }
    red = table(format.redMask)
    green = table(format.greenMask)
    blue = table(format.blueMask)
  }

  /// Converts a row; `target` has room for `count` pixels of the format.
  func convert(_ source: UnsafePointer<UInt32>, count: Int, into target: UnsafeMutableRawPointer) {
    red.withUnsafeBufferPointer { red in
      green.withUnsafeBufferPointer { green in
        blue.withUnsafeBufferPointer { blue in
          let (red, green, blue) = (red.baseAddress!, green.baseAddress!, blue.baseAddress!)
          switch format.bitsPerPixel {
          case 16:
            let target = target.assumingMemoryBound(to: UInt16.self)
            for index in 0..<count {
              let pixel = Int(source[index])
              target[index] = UInt16(
                truncatingIfNeeded: red[pixel >> 16 & 255] | green[pixel >> 8 & 255] | blue[pixel & 255])
            }
          case 24:
            let target = target.assumingMemoryBound(to: UInt8.self)
            // A swapped value has its three bytes at the upper end.
            let isSwapped = format.isBigEndian != (Int(1).bigEndian == 1)
            let lowest: UInt32 = isSwapped ? 8 : 0
            for index in 0..<count {
              let pixel = Int(source[index])
              let value = (red[pixel >> 16 & 255] | green[pixel >> 8 & 255] | blue[pixel & 255]) >> lowest
              target[3 * index] = UInt8(truncatingIfNeeded: value)
              target[3 * index + 1] = UInt8(truncatingIfNeeded: value >> 8)
              target[3 * index + 2] = UInt8(truncatingIfNeeded: value >> 16)
            }
          default:
            let target = target.assumingMemoryBound(to: UInt32.self)
            for index in 0..<count {
              let pixel = Int(source[index])
              target[index] = red[pixel >> 16 & 255] | green[pixel >> 8 & 255] | blue[pixel & 255]
            }
          }
        }
      }
    }
  }
}

/// The visual windows are made with.
struct VisualFormat {
  let visual: UnsafeMutablePointer<Visual>
  let pixels: PixelFormat

  /// The best visual of a screen: true colour, 24 bits deep if there is one, never one with an alpha channel (a window of
  /// that shows the desktop through).
  static func choose(display: OpaquePointer, screen: CInt) throws(X11Error) -> VisualFormat {
    var template = XVisualInfo()
    template.screen = screen
    var count: CInt = 0
    guard let list = XGetVisualInfo(display, Int(VisualScreenMask), &template, &count) else {
      throw X11Error(.unsupportedScreen, "The display names no visual.")
    }
    defer { XFree(list) }
    let standard = XVisualIDFromVisual(XDefaultVisual(display, screen))
    let usable = UnsafeBufferPointer(start: list, count: Int(count)).filter {
      $0.`class` == TrueColor && $0.depth >= 15 && $0.depth != 32
    }
    func rank(_ info: XVisualInfo) -> Int {
      let isPlain = info.depth == 24 && info.red_mask == 0xff0000 && info.green_mask == 0xff00 && info.blue_mask == 0xff
      return (isPlain ? 100 : 0) + (info.visualid == standard ? 50 : 0) + Int(min(info.depth, 30))
    }
    guard let best = usable.max(by: { rank($0) < rank($1) }), let visual = best.visual,
      let bitsPerPixel = bitsPerPixel(display: display, depth: best.depth), [16, 24, 32].contains(bitsPerPixel)
    else {
      throw X11Error(
        .unsupportedScreen,
        "The display shows at most \(XDefaultDepth(display, screen)) bits a pixel from a palette; "
          + "true colour with 15 bits or more is needed. Set the server's depth to 24.")
    }
    return VisualFormat(
      visual: visual,
      pixels: PixelFormat(
        depth: Int(best.depth), bitsPerPixel: bitsPerPixel, redMask: UInt32(truncatingIfNeeded: best.red_mask),
        greenMask: UInt32(truncatingIfNeeded: best.green_mask), blueMask: UInt32(truncatingIfNeeded: best.blue_mask),
        isBigEndian: XImageByteOrder(display) == MSBFirst))
  }

  private static func bitsPerPixel(display: OpaquePointer, depth: CInt) -> Int? {
    var count: CInt = 0
    guard let formats = XListPixmapFormats(display, &count) else { return nil }
    defer { XFree(formats) }
    return UnsafeBufferPointer(start: formats, count: Int(count)).first { $0.depth == depth }.map {
      Int($0.bits_per_pixel)
    }
  }
}
