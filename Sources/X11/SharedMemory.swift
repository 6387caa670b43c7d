internal import CX11
internal import Geometry
internal import Glibc

/// Whether memory can be shared with the server (MIT-SHM), found out by doing it: over ssh the extension is offered and
/// does not work.
@MainActor final class SharedMemorySupport {
  private let completionEvent: CInt

  /// Nil when pictures have to go through the connection.
  init?(connection: Connection) {
    guard XShmQueryExtension(connection.display) != 0 else { return nil }
    completionEvent = XShmGetEventBase(connection.display) + ShmCompletion
    guard ServerImage(connection: connection, width: 64, height: 1, sharing: true) != nil else { return nil }
  }

  /// The window and segment of which an event says that the server has read it.
  func completion(in event: XEvent) -> (drawable: XID, segment: UInt)? {
    guard event.type == completionEvent else { return nil }
    return withUnsafeBytes(of: event) { raw in
      let completion = raw.load(as: XShmCompletionEvent.self)
      return (completion.drawable, completion.shmseg)
    }
  }
}

/// A segment of System V shared memory, readable by this user alone.
private struct SharedSegment: ~Copyable {
  let id: CInt
  let address: UnsafeMutableRawPointer

  init?(byteCount: Int) {
    let id = shmget(IPC_PRIVATE, byteCount, CInt(IPC_CREAT) | 0o600)
    guard id >= 0 else { return nil }
    guard let address = shmat(id, nil, 0), Int(bitPattern: address) != -1 else {
      shmctl(id, IPC_RMID, nil)
      return nil
    }
    self.id = id
    self.address = address
  }

  /// The memory goes when both sides have let go of it, however this process ends.
  func remove() { shmctl(id, IPC_RMID, nil) }

  deinit { shmdt(address) }
}

/// A picture in the server's format that can be put on a window.
@MainActor final class ServerImage {
  let width: Int
  let height: Int
  /// The first byte of the first row.
  let bytes: UnsafeMutableRawPointer
  let bytesPerRow: Int
  /// The server's name for the shared memory; 0 when the picture goes through the connection.
  var segment: UInt { info?.pointee.shmseg ?? 0 }
  /// The number of the frame that the server has not yet taken over.
  var pendingSerial: UInt64?

  private let connection: Connection
  private let image: UnsafeMutablePointer<XImage>
  private let info: UnsafeMutablePointer<XShmSegmentInfo>?
  private let shared: SharedSegment?

  /// Nil when there is no memory, or when `sharing` does not work.
  init?(connection: Connection, width: Int, height: Int, sharing: Bool) {
    let format = connection.format
    let display = connection.display
    let depth = UInt32(format.pixels.depth)
    if sharing {
      let info = UnsafeMutablePointer<XShmSegmentInfo>.allocate(capacity: 1)
      info.initialize(to: XShmSegmentInfo())
      guard
        let image = XShmCreateImage(
          display, format.visual, depth, ZPixmap, nil, info, UInt32(width), UInt32(height))
      else {
        info.deallocate()
        return nil
      }
      guard let shared = SharedSegment(byteCount: Int(image.pointee.bytes_per_line) * height) else {
        cx11_destroy_image(image)
        info.deallocate()
        return nil
      }
      info.pointee.shmid = shared.id
      info.pointee.shmaddr = shared.address.assumingMemoryBound(to: CChar.self)
      info.pointee.readOnly = False
      image.pointee.data = info.pointee.shmaddr
      let refusal = connection.trap { XShmAttach(display, info) }
      shared.remove()
      guard refusal == nil, Self.isSeen(image, by: connection) else {
        if refusal == nil { XShmDetach(display, info) }
        cx11_destroy_image(image)
        info.deallocate()
        return nil
      }
      self.info = info
      self.image = image
      bytes = shared.address
      self.shared = consume shared
    } else {
      guard
        let image = XCreateImage(
          display, format.visual, depth, ZPixmap, 0, nil, UInt32(width), UInt32(height), 32, 0)
      else { return nil }
      let count = Int(image.pointee.bytes_per_line) * height
      guard let memory = calloc(1, count) else {
        cx11_destroy_image(image)
        return nil
      }
      image.pointee.data = memory.assumingMemoryBound(to: CChar.self)
      self.image = image
      bytes = memory
      info = nil
      shared = nil
    }
    self.connection = connection
    self.width = width
    self.height = height
    bytesPerRow = Int(image.pointee.bytes_per_line)
  }

  isolated deinit {
    cx11_destroy_image(image)
    if let info {
      if connection.isUsable { XShmDetach(connection.display, info) }
      info.deallocate()
    } else {
      free(bytes)
    }
  }

  /// Puts a part of the shared picture on the window at the same place. `isLast` asks for the event that says that the
  /// server is done.
  func put(_ x: Int, _ y: Int, _ width: Int, _ height: Int, on window: XID, with context: GC, isLast: Bool) {
    XShmPutImage(
      connection.display, window, context, image, CInt(x), CInt(y), CInt(x), CInt(y), UInt32(width), UInt32(height),
      isLast ? True : False)
  }

  /// Puts a part of a picture that is not shared on a drawable, at another place.
  func put(_ part: PixelRect, at place: (x: Int, y: Int), on drawable: XID, with context: GC) {
    XPutImage(
      connection.display, drawable, context, image, CInt(part.x), CInt(part.y), CInt(place.x), CInt(place.y),
      UInt32(part.width), UInt32(part.height))
  }

  /// Draws a few pixels by way of the server and looks at them: a server elsewhere may have attached some other memory
  /// that has the same number there.
  private static func isSeen(_ image: UnsafeMutablePointer<XImage>, by connection: Connection) -> Bool {
    let display = connection.display
    let count = min(8, Int(image.pointee.width))
    let pixels = connection.format.pixels
    let mask = UInt(pixels.redMask | pixels.greenMask | pixels.blueMask)
    var random = SystemRandomNumberGenerator()
    let rowBytes = UnsafeMutableRawBufferPointer(start: image.pointee.data, count: count * pixels.bitsPerPixel / 8)
    for index in rowBytes.indices { rowBytes[index] = UInt8.random(in: 0...255, using: &random) }
    let pixmap = XCreatePixmap(display, connection.root, UInt32(count), 1, UInt32(pixels.depth))
    let context = XCreateGC(display, pixmap, 0, nil)
    defer {
      if let context { XFreeGC(display, context) }
      XFreePixmap(display, pixmap)
    }
    var isSame = false
    let refusal = connection.trap {
      XShmPutImage(display, pixmap, context, image, 0, 0, 0, 0, UInt32(count), 1, False)
      guard let copy = XGetImage(display, pixmap, 0, 0, UInt32(count), 1, mask, ZPixmap) else { return }
      isSame = (0..<CInt(count)).allSatisfy { x in
        image.pointee.f.get_pixel(image, x, 0) & mask == copy.pointee.f.get_pixel(copy, x, 0) & mask
      }
      _ = copy.pointee.f.destroy_image(copy)
    }
    return refusal == nil && isSame
  }
}
