internal import CX11

/// Counts clicks that follow each other at the same place.
struct ClickCounter {
  private var last: (button: Int, x: Double, y: Double, time: Timestamp, count: Int)?

  /// The number of the click that a press makes: 1, or one more than the press before when that was of the same button, at
  /// most `interval` milliseconds ago and `distance` pixels away.
  mutating func press(
    button: Int, x: Double, y: Double, time: Timestamp, interval: Double, distance: Double
  ) -> Int {
    var count = 1
    if let last, last.button == button, Double(time &- last.time) <= interval, abs(x - last.x) <= distance,
      abs(y - last.y) <= distance
    {
      count = last.count + 1
    }
    last = (button, x, y, time, count)
    return count
  }
}

/// One direction in which a device scrolls, and where it stood last.
struct ScrollAxis {
  let valuator: Int
  let isVertical: Bool
  /// What one notch adds to the valuator.
  let increment: Double
  private(set) var last: Double?

  init(valuator: Int, isVertical: Bool, increment: Double, last: Double?) {
    self.valuator = valuator
    self.isVertical = isVertical
    self.increment = increment == 0 ? 1 : increment
    self.last = last
  }

  /// Notches since the last value, down and right positive; 0 for the first.
  mutating func move(to value: Double) -> Double {
    defer { last = value }
    guard let last else { return 0 }
    return (value - last) / increment
  }
}

/// The pointers by the X Input extension 2.1 and later.
@MainActor final class PointerDevices {
  /// The extension's number among events; nil without it.
  let opcode: CInt?
  private let display: OpaquePointer
  private var axes: [CInt: [ScrollAxis]] = [:]

  init(display: OpaquePointer) {
    self.display = display
    var opcode: CInt = 0
    var event: CInt = 0
    var error: CInt = 0
    var major: CInt = 2
    var minor: CInt = 2
    if XQueryExtension(display, "XInputExtension", &opcode, &event, &error) != 0,
      XIQueryVersion(display, &major, &minor) == Success, (major, minor) >= (2, 1)
    {
      self.opcode = opcode
      readValuators()
    } else {
      self.opcode = nil
    }
  }

  /// Asks for the pointer events of a window; false when core events are to be asked for.
  func select(window: XID) -> Bool {
    guard opcode != nil else { return false }
    let kinds = [XI_Motion, XI_ButtonPress, XI_ButtonRelease, XI_Enter, XI_Leave, XI_DeviceChanged]
    var bits = [UInt8](repeating: 0, count: 4)
    for kind in kinds { bits[Int(kind) >> 3] |= 1 << UInt8(kind & 7) }
    bits.withUnsafeMutableBufferPointer { bits in
      var mask = XIEventMask(deviceid: XIAllMasterDevices, mask_len: CInt(bits.count), mask: bits.baseAddress)
      _ = XISelectEvents(display, window, &mask, 1)
    }
    return true
  }

  /// Reads where all scrolling valuators stand: another window may have had their events since.
  func readValuators() {
    var count: CInt = 0
    guard let devices = XIQueryDevice(display, XIAllMasterDevices, &count) else { return }
    defer { XIFreeDeviceInfo(devices) }
    for device in UnsafeBufferPointer(start: devices, count: Int(count)) where device.use == XIMasterPointer {
      axes[device.deviceid] = Self.axes(device.classes, count: device.num_classes)
    }
  }

  /// Another device now moves this pointer, or its device changed.
  func handleChange(_ event: XIDeviceChangedEvent) {
    axes[event.deviceid] = Self.axes(event.classes, count: event.num_classes)
  }

  /// How far the motion scrolled, in notches: right and away from the user positive.
  func scroll(_ event: XIDeviceEvent) -> (dx: Double, dy: Double) {
    guard var axes = axes[event.deviceid], !axes.isEmpty, let mask = event.valuators.mask,
      let values = event.valuators.values
    else { return (0, 0) }
    var dx = 0.0
    var dy = 0.0
    var position = 0
    // Values are packed: one for each bit that is set.
    for valuator in 0..<Int(event.valuators.mask_len) * 8 where mask[valuator >> 3] & (1 << UInt8(valuator & 7)) != 0 {
      defer { position += 1 }
      guard let index = axes.firstIndex(where: { $0.valuator == valuator }) else { continue }
      let notches = axes[index].move(to: values[position])
      if axes[index].isVertical { dy -= notches } else { dx += notches }
    }
    self.axes[event.deviceid] = axes
    return (dx, dy)
  }

  private static func axes(
    _ classes: UnsafeMutablePointer<UnsafeMutablePointer<XIAnyClassInfo>?>?, count: CInt
  ) -> [ScrollAxis] {
    let all = UnsafeBufferPointer(start: classes, count: Int(count)).compactMap { $0 }
    var values: [CInt: Double] = [:]
    for info in all where info.pointee.type == XIValuatorClass {
      let valuator = UnsafeRawPointer(info).assumingMemoryBound(to: XIValuatorClassInfo.self).pointee
      values[valuator.number] = valuator.value
    }
    return all.filter { $0.pointee.type == XIScrollClass }.map { info in
      let scroll = UnsafeRawPointer(info).assumingMemoryBound(to: XIScrollClassInfo.self).pointee
      return ScrollAxis(
        valuator: Int(scroll.number), isVertical: scroll.scroll_type == XIScrollTypeVertical,
        increment: scroll.increment, last: values[scroll.number])
    }
  }
}

extension Modifiers {
  /// From the state of a core event or the effective modifiers of an X Input event.
  init(state: UInt32) {
    self = []
    if state & UInt32(ShiftMask) != 0 { insert(.shift) }
    if state & UInt32(ControlMask) != 0 { insert(.control) }
    if state & UInt32(Mod1Mask) != 0 { insert(.alt) }
    if state & UInt32(Mod4Mask) != 0 { insert(.super) }
  }
}
