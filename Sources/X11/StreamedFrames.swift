internal import CX11
internal import Geometry
internal import Glibc

/// Brings frames on a window through the connection, where memory cannot be shared: ssh -X, or a display elsewhere.
///
/// The server keeps a picture of the window, and here is kept what it holds. Of a new frame only the tiles are sent that
/// differ, never more at once than the connection takes in a tenth of a second: what is too much goes coarse first, enlarged
/// by the server, and then sharp, from the middle outwards, as the server's answers come in. What a pan moves, the server
/// moves.
@MainActor final class StreamedFrames {
  private let connection: Connection
  private let window: XID
  private let context: GC
  private let converter: PixelConverter?
  private var canvas: FrameStorage?
  private var surface: Surface?
  private var meter = LinkMeter()
  /// The latest frame, until a batch that completes it is sent.
  private var pendingSerial: UInt64?

  private static let tile = 64

  /// Where a tile stands.
  private enum TileState: UInt8 { case exact, coarse, stale }

  /// The window's picture on the server, and what is known of it.
  @MainActor private final class Surface {
    let width, height: Int
    let columns, rows: Int
    let pixmap: XID
    let staging: ServerImage
    let coarse: CoarseImages?
    /// What is to be seen.
    let wanted: UnsafeMutablePointer<UInt32>
    /// What the server holds: alpha 255 for exact pixels, 1 for those sent coarse, 0 for those never sent.
    let held: UnsafeMutablePointer<UInt32>
    var states: [TileState]
    /// The tiles from the middle outwards.
    let order: [Int]
    private let connection: Connection

    init?(connection: Connection, window: XID, context: GC, width: Int, height: Int) {
      guard
        let staging = ServerImage(
          connection: connection, width: max(StreamedFrames.tile, width), height: StreamedFrames.tile, sharing: false)
      else { return nil }
      self.connection = connection
      self.staging = staging
      (self.width, self.height) = (width, height)
      pixmap = XCreatePixmap(
        connection.display, window, UInt32(width), UInt32(height), UInt32(connection.format.pixels.depth))
      coarse = CoarseImages(connection: connection, target: pixmap, width: width, height: height, context: context)
      wanted = .allocate(capacity: width * height)
      wanted.initialize(repeating: 0, count: width * height)
      held = .allocate(capacity: width * height)
      held.initialize(repeating: 0, count: width * height)
      let columns = (width + StreamedFrames.tile - 1) / StreamedFrames.tile
      let rows = (height + StreamedFrames.tile - 1) / StreamedFrames.tile
      (self.columns, self.rows) = (columns, rows)
      states = [TileState](repeating: .exact, count: columns * rows)
      func distance(_ tile: Int) -> Int {
        let (x, y) = (2 * (tile % columns) - columns + 1, 2 * (tile / columns) - rows + 1)
        return x * x + y * y
      }
      order = (0..<columns * rows).sorted { (distance($0), $0) < (distance($1), $1) }
    }

    isolated deinit {
      wanted.deallocate()
      held.deallocate()
      if connection.isUsable { XFreePixmap(connection.display, pixmap) }
    }

    var bounds: PixelRect { PixelRect(x: 0, y: 0, width: width, height: height) }

    func rect(_ tile: Int) -> PixelRect {
      let side = StreamedFrames.tile
      let (x, y) = (tile % columns * side, tile / columns * side)
      return PixelRect(x: x, y: y, width: min(side, width - x), height: min(side, height - y))
    }

    /// Where a tile stands now.
    func state(of tile: Int) -> TileState {
      let rect = rect(tile)
      var isCoarse = false
      for row in rect.y..<rect.maxY {
        let wanted = wanted + (row &* width &+ rect.x)
        let held = held + (row &* width &+ rect.x)
        var difference: UInt32 = 0
        var known: UInt32 = 0xFFFF_FFFF
        for index in 0..<rect.width {
          difference |= wanted[index] ^ held[index]
          known &= held[index]
        }
        // Alpha 255 and 1 have the lowest bit in common, which a pixel that was never sent lacks.
        if difference & 0xFF_FFFF != 0 || known & 0x0100_0000 == 0 { return .stale }
        if known >> 24 != 0xFF { isCoarse = true }
      }
      return isCoarse ? .coarse : .exact
    }

    /// Notes that the server holds what is wanted in a rectangle.
    func hold(_ rect: PixelRect, alpha: UInt32) {
      for row in rect.y..<rect.maxY {
        let wanted = wanted + (row &* width &+ rect.x)
        let held = held + (row &* width &+ rect.x)
        for index in 0..<rect.width { held[index] = wanted[index] & 0xFF_FFFF | alpha }
      }
    }
  }

  init(connection: Connection, window: XID, context: GC, converter: PixelConverter?) {
    self.connection = connection
    self.window = window
    self.context = context
    self.converter = converter
  }

  func close() {
    surface = nil
    canvas = nil
  }

  /// Memory to draw in; nil while the connection is full, for what is drawn then would be old when it can be sent.
  func begin(width: Int, height: Int) -> FrameStorage? {
    guard meter.isIdle || pendingSerial == nil && meter.room > 0 else { return nil }
    if let canvas, canvas.width == width, canvas.height == height { return canvas }
    let storage = FrameStorage(canvasWidth: width, height: height)
    canvas = storage
    return storage
  }

  /// Takes a frame over. Whether the server will tell when it is on the screen.
  func present(
    _ frame: FrameBuffer, serial: UInt64, damage: [PixelRect], movement: FrameMovement?
  ) -> Bool {
    prepareSurface(frame.width, frame.height)
    guard surface != nil else { return false }
    if let movement { move(movement) }
    for part in damage { take(part, from: frame) }
    if let movement { judge(movement.rect) }
    for part in damage { judge(part) }
    pendingSerial = serial
    send(showing: damage)
    return true
  }

  /// The server has come to the end of a batch. Returns the number of the frame that is on the screen now, and whether
  /// there is room for another one.
  func answered() -> (serial: UInt64?, isReady: Bool) {
    let (isKnown, serial) = meter.answered(at: Self.now())
    guard isKnown else { return (nil, false) }
    if surface != nil { send(showing: []) }
    return (serial, meter.isIdle || pendingSerial == nil && meter.room > 0)
  }

  // MARK: What differs

  private func prepareSurface(_ width: Int, _ height: Int) {
    if let surface, surface.width == width, surface.height == height { return }
    surface = Surface(connection: connection, window: window, context: context, width: width, height: height)
  }

  /// The server moves what it holds.
  private func move(_ movement: FrameMovement) {
    guard let surface else { return }
    let rect = movement.rect.intersection(surface.bounds)
    let kept = rect.intersection(rect.offset(x: movement.x, y: movement.y))
    guard !kept.isEmpty else { return }
    XCopyArea(
      connection.display, surface.pixmap, surface.pixmap, context, CInt(kept.x - movement.x),
      CInt(kept.y - movement.y), UInt32(kept.width), UInt32(kept.height), CInt(kept.x), CInt(kept.y))
    var row = movement.y > 0 ? kept.maxY - 1 : kept.y
    for _ in 0..<kept.height {
      (surface.held + row * surface.width + kept.x).update(
        from: surface.held + (row - movement.y) * surface.width + kept.x - movement.x, count: kept.width)
      row += movement.y > 0 ? -1 : 1
    }
  }

  private func take(_ part: PixelRect, from frame: FrameBuffer) {
    guard let surface else { return }
    for row in part.y..<part.maxY {
      (surface.wanted + row * surface.width + part.x).update(
        from: frame.pixels + row * frame.stride + part.x, count: part.width)
    }
  }

  /// Looks at the tiles that a rectangle touches.
  private func judge(_ rect: PixelRect) {
    guard let surface else { return }
    let part = rect.intersection(surface.bounds)
    guard !part.isEmpty else { return }
    let side = Self.tile
    for row in part.y / side...(part.maxY - 1) / side {
      for column in part.x / side...(part.maxX - 1) / side {
        let tile = row * surface.columns + column
        surface.states[tile] = surface.state(of: tile)
      }
    }
  }

  // MARK: Sending

  private func send(showing damage: [PixelRect]) {
    guard let surface else { return }
    var room = meter.room
    guard room > 0 else { return }
    let bytesPerPixel = max(1, connection.format.pixels.bitsPerPixel / 8)
    func bytes(_ rect: PixelRect) -> Int { rect.area * bytesPerPixel + 64 }
    let stale = surface.order.filter { surface.states[$0] == .stale }
    let sharpBytes = stale.reduce(0) { $0 + bytes(surface.rect($1)) }
    var sent = 0
    var shown = damage
    func note(_ rect: PixelRect, _ count: Int) {
      sent += count
      room -= count
      shown.append(rect)
    }
    var left = stale.count
    if sharpBytes > room, surface.coarse != nil {
      // The smallest reduction that leaves some of the room for the next frame.
      let factor = [2, 4].first { sharpBytes / ($0 * $0) <= room * 2 / 3 } ?? 8
      for tile in stale {
        let rect = surface.rect(tile)
        let count = bytes(rect) / (factor * factor) + 128
        if room < count { break }
        sendCoarse(rect, factor: factor)
        surface.states[tile] = .coarse
        note(rect, count)
        left -= 1
      }
    } else {
      for tile in stale {
        let rect = surface.rect(tile)
        if room < bytes(rect) { break }
        sendSharp(rect)
        surface.states[tile] = .exact
        note(rect, bytes(rect))
        left -= 1
      }
    }
    if left == 0 {
      // What was sent coarse before, as long as that leaves room for the next frame.
      room = min(room, meter.spareRoom - sent)
      for tile in surface.order where surface.states[tile] == .coarse {
        let rect = surface.rect(tile)
        if room < bytes(rect) { break }
        sendSharp(rect)
        surface.states[tile] = .exact
        note(rect, bytes(rect))
      }
    }
    finish(sent: sent, shown: shown, isComplete: left == 0)
  }

  /// Shows what was sent and asks for the server's answer.
  private func finish(sent: Int, shown: [PixelRect], isComplete: Bool) {
    guard let surface, sent > 0 || pendingSerial != nil && isComplete else { return }
    let display = connection.display
    // Few large copies rather than many small ones: rows of tiles in one.
    var areas = shown
    if areas.count > 40 { areas = [areas.reduce(.zero) { $0.union($1) }] }
    for area in areas where !area.isEmpty {
      XCopyArea(
        display, surface.pixmap, window, context, CInt(area.x), CInt(area.y), UInt32(area.width),
        UInt32(area.height), CInt(area.x), CInt(area.y))
    }
    // Nothing tells when a picture has gone through the connection, except what the server says of a later request.
    XChangeProperty(display, window, connection.atoms[.frame], Atom(XA_INTEGER), 8, PropModeAppend, nil, 0)
    meter.sent(sent + 28 * areas.count + 64, serial: isComplete ? pendingSerial : nil, at: Self.now())
    if isComplete { pendingSerial = nil }
    XFlush(display)
  }

  private func sendSharp(_ rect: PixelRect) {
    guard let surface else { return }
    for row in 0..<rect.height {
      write(
        surface.wanted + (rect.y + row) * surface.width + rect.x, count: rect.width, row: row, of: surface.staging)
    }
    surface.staging.put(
      PixelRect(x: 0, y: 0, width: rect.width, height: rect.height), at: (rect.x, rect.y), on: surface.pixmap,
      with: context)
    surface.hold(rect, alpha: 0xFF00_0000)
  }

  private func sendCoarse(_ rect: PixelRect, factor: Int) {
    guard let surface, let coarse = surface.coarse else { return }
    let columns = (rect.width + factor - 1) / factor
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: columns) { line in
      guard let line = line.baseAddress else { return }
      for row in 0..<(rect.height + factor - 1) / factor {
        for column in 0..<columns {
          line[column] = average(
            PixelRect(x: rect.x + column * factor, y: rect.y + row * factor, width: factor, height: factor)
              .intersection(rect), in: surface)
        }
        write(line, count: columns, row: row, of: surface.staging)
      }
    }
    coarse.put(surface.staging, over: rect, factor: factor)
    surface.hold(rect, alpha: 0x0100_0000)
  }

  /// The average colour of at most 8 × 8 pixels.
  private func average(_ rect: PixelRect, in surface: Surface) -> UInt32 {
    var redAndBlue: UInt32 = 0
    var green: UInt32 = 0
    for row in rect.y..<rect.maxY {
      let line = surface.wanted + (row &* surface.width &+ rect.x)
      for column in 0..<rect.width {
        redAndBlue &+= line[column] & 0xFF_00FF
        green &+= line[column] >> 8 & 0xFF
      }
    }
    let count = UInt32(rect.area)
    return ((redAndBlue >> 16) / count) << 16 | (green / count) << 8 | (redAndBlue & 0xFFFF) / count
  }

  /// Writes a row of a staged image in the server's format.
  private func write(_ line: UnsafePointer<UInt32>, count: Int, row: Int, of image: ServerImage) {
    let target = image.bytes + row * image.bytesPerRow
    if let converter {
      converter.convert(line, count: count, into: target)
    } else {
      target.copyMemory(from: line, byteCount: count * 4)
    }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
