internal import CX11
internal import Geometry

/// Pictures that are sent small and enlarged by the server (the X Rendering Extension).
@MainActor final class CoarseImages {
  private let connection: Connection
  private let pixmap: XID
  private let source: Picture
  private let target: Picture
  private let context: GC
  private var factor = 0

  /// For enlargements onto `target`, a pixmap of `width × height`; nil when the server cannot.
  init?(connection: Connection, target: XID, width: Int, height: Int, context: GC) {
    let display = connection.display
    var event: CInt = 0
    var error: CInt = 0
    guard XRenderQueryExtension(display, &event, &error) != 0,
      let format = XRenderFindVisualFormat(display, connection.format.visual)
    else { return nil }
    self.connection = connection
    self.context = context
    let depth = UInt32(connection.format.pixels.depth)
    pixmap = XCreatePixmap(display, connection.root, UInt32(width / 2 + 1), UInt32(height / 2 + 1), depth)
    source = XRenderCreatePicture(display, pixmap, format, 0, nil)
    self.target = XRenderCreatePicture(display, target, format, 0, nil)
    XRenderSetPictureFilter(display, source, FilterBilinear, nil, 0)
  }

  isolated deinit {
    guard connection.isUsable else { return }
    XRenderFreePicture(connection.display, source)
    XRenderFreePicture(connection.display, target)
    XFreePixmap(connection.display, pixmap)
  }

  /// Puts the upper left part of a staged image, `factor` times smaller than `rect`, where `rect` is.
  func put(_ staged: ServerImage, over rect: PixelRect, factor: Int) {
    let display = connection.display
    if factor != self.factor {
      self.factor = factor
      let share = XFixed((65536.0 / Double(factor)).rounded())
      var transform = XTransform(matrix: ((share, 0, 0), (0, share, 0), (0, 0, 65536)))
      XRenderSetPictureTransform(display, source, &transform)
    }
    let (x, y) = (rect.x / factor, rect.y / factor)
    staged.put(
      PixelRect(
        x: 0, y: 0, width: (rect.width + factor - 1) / factor, height: (rect.height + factor - 1) / factor),
      at: (x, y), on: pixmap, with: context)
    XRenderComposite(
      display, CInt(PictOpSrc), source, XID(None), target, CInt(rect.x), CInt(rect.y), 0, 0, CInt(rect.x),
      CInt(rect.y), UInt32(rect.width), UInt32(rect.height))
  }
}
