internal import CX11
internal import Geometry

/// Brings drawn frames on a window: one at a time through shared memory where that works, else as a stream.
@MainActor final class Presenter {
  private let connection: Connection
  private let window: XID
  private let context: GC
  private let converter: PixelConverter?
  /// The pictures that the server reads; more than one only until those of another size are done.
  private var images: [ServerImage] = []
  /// One for each picture, or one canvas when pixels have to be converted.
  private var storages: [FrameStorage] = []
  private var begun: FrameStorage?
  private(set) var lastSerial: UInt64 = 0
  /// A frame was asked for when no buffer was free.
  private(set) var isAwaited = false
  private var isSharing: Bool
  /// Where memory cannot be shared.
  private lazy var stream = StreamedFrames(
    connection: connection, window: window, context: context, converter: converter)

  init?(connection: Connection, window: XID) {
    self.connection = connection
    self.window = window
    isSharing = connection.sharedMemory != nil
    converter = connection.format.pixels.isNative ? nil : PixelConverter(format: connection.format.pixels)
    var values = XGCValues()
    values.graphics_exposures = False
    guard let context = XCreateGC(connection.display, window, UInt(GCGraphicsExposures), &values) else { return nil }
    self.context = context
  }

  func close() {
    if !isSharing { stream.close() }
    XFreeGC(connection.display, context)
    images = []
    storages = []
    begun = nil
  }

  /// A buffer that the server does not read; nil while there is none.
  func begin(width: Int, height: Int) -> FrameBuffer? {
    if let begun, fits(begun.width, begun.height, width, height) { return buffer(begun, width, height) }
    begun = nil
    guard let storage = isSharing ? freeStorage(width, height) : stream.begin(width: width, height: height) else {
      isAwaited = true
      return nil
    }
    isAwaited = false
    begun = storage
    return buffer(storage, width, height)
  }

  /// Memory that the server reads; nil also when there is no more shared memory to be had: then it goes on without.
  private func freeStorage(_ width: Int, _ height: Int) -> FrameStorage? {
    // A frame that is begun while the server still reads the last one is shown later than one that is begun then, of newer
    // things; and where both share a processor, both take longer.
    if images.contains(where: { $0.pendingSerial != nil }) { return nil }
    guard let image = freeImage(width, height) else {
      return isSharing ? nil : stream.begin(width: width, height: height)
    }
    return converter == nil ? storage(of: image) : canvas(width, height)
  }

  private func buffer(_ storage: FrameStorage, _ width: Int, _ height: Int) -> FrameBuffer {
    var age = 0
    if let last = storage.last, last.width == width, last.height == height { age = Int(lastSerial - last.serial) + 1 }
    return FrameBuffer(
      pixels: storage.pixels, width: width, height: height, stride: storage.stride, age: age, storage: storage)
  }

  /// Puts the damaged parts on the window. Returns the number of the frame and whether the server will tell when it is
  /// done; a frame without damage is done at once.
  func present(
    _ frame: FrameBuffer, damage: [PixelRect], movement: FrameMovement?
  ) -> (serial: UInt64, isPending: Bool) {
    lastSerial += 1
    let storage = frame.storage
    storage.last = (lastSerial, frame.width, frame.height)
    if begun === storage { begun = nil }
    let bounds = PixelRect(x: 0, y: 0, width: frame.width, height: frame.height)
    let parts = damage.map { $0.intersection(bounds) }.filter { !$0.isEmpty }
    guard !parts.isEmpty else { return (lastSerial, false) }
    if !isSharing {
      return (lastSerial, stream.present(frame, serial: lastSerial, damage: parts, movement: movement))
    }
    guard let image = storage.image ?? freeImage(frame.width, frame.height) else { return (lastSerial, false) }
    for (index, part) in parts.enumerated() {
      if let converter {
        let bytesPerPixel = converter.format.bitsPerPixel / 8
        for y in part.y..<part.maxY {
          converter.convert(
            storage.pixels + y * storage.stride + part.x, count: part.width,
            into: image.bytes + y * image.bytesPerRow + part.x * bytesPerPixel)
        }
      }
      image.put(
        part.x, part.y, part.width, part.height, on: window, with: context, isLast: index == parts.count - 1)
    }
    image.pendingSerial = lastSerial
    // A frame begun before a resize is put all the same; its buffer is no longer one of ours to wait for.
    return (lastSerial, images.contains { $0 === image })
  }

  /// The server has come to a part of a stream. Returns the number of the frame that it completed, and whether another one
  /// may be drawn.
  func streamAnswered() -> (serial: UInt64?, isReady: Bool) {
    isSharing ? (nil, false) : stream.answered()
  }

  /// The server has read a segment. Returns the frame's number.
  func complete(segment: UInt) -> UInt64? {
    guard let image = images.first(where: { $0.segment == segment && $0.pendingSerial != nil }) else { return nil }
    defer { image.pendingSerial = nil }
    return image.pendingSerial
  }

  // MARK: - Buffers

  /// Sizes grow in steps, so that a resize does not make new buffers for every pixel.
  private func capacity(_ length: Int) -> Int { (length + 255) & ~255 }

  private func fits(_ width: Int, _ height: Int, _ wantedWidth: Int, _ wantedHeight: Int) -> Bool {
    width >= wantedWidth && height >= wantedHeight
      && width * height <= 4 * capacity(wantedWidth) * capacity(wantedHeight)
  }

  private func freeImage(_ width: Int, _ height: Int) -> ServerImage? {
    if let image = images.first(where: { $0.pendingSerial == nil && fits($0.width, $0.height, width, height) }) {
      return image
    }
    if let index = images.firstIndex(where: { $0.pendingSerial == nil }) {
      discard(images.remove(at: index))
    } else if images.count >= 2 {
      return nil
    }
    let image = ServerImage(
      connection: connection, width: capacity(width), height: capacity(height), sharing: true)
    if let image {
      images.append(image)
    } else if images.isEmpty {
      // No more shared memory to be had: go on without.
      isSharing = false
    }
    return image
  }

  private func discard(_ image: ServerImage) {
    storages.removeAll { $0.image === image }
  }

  private func storage(of image: ServerImage) -> FrameStorage {
    if let storage = storages.first(where: { $0.image === image }) { return storage }
    let storage = FrameStorage(image: image)
    storages.append(storage)
    return storage
  }

  private func canvas(_ width: Int, _ height: Int) -> FrameStorage {
    if let canvas = storages.first, fits(canvas.width, canvas.height, width, height) { return canvas }
    let canvas = FrameStorage(canvasWidth: capacity(width), height: capacity(height))
    storages = [canvas]
    return canvas
  }
}
