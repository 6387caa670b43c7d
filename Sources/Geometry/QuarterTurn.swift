/// A turn by a multiple of 90°, seen with y down.
public enum QuarterTurn: Int, Hashable, Sendable, CaseIterable {
  /// Upright.
  case none
  /// A quarter clockwise.
  case right
  /// Upside down.
  case half
  /// A quarter counterclockwise.
  case left

  /// Turned once more, clockwise.
  public var clockwise: QuarterTurn { QuarterTurn(rawValue: (rawValue + 1) % 4) ?? .none }
  /// Turned once more, counterclockwise.
  public var counterclockwise: QuarterTurn { QuarterTurn(rawValue: (rawValue + 3) % 4) ?? .none }
  /// Turned once more, by another turn.
  public func then(_ other: QuarterTurn) -> QuarterTurn {
    QuarterTurn(rawValue: (rawValue + other.rawValue) % 4) ?? .none
  }
  /// Whether width and height change places.
  public var swapsSides: Bool { self == .right || self == .left }

  /// The size of what is turned.
  public func applied(to size: Size) -> Size {
    swapsSides ? Size(width: size.height, height: size.width) : size
  }
}
