/// The type of an array's elements, as NumPy names it: a letter and the number of bytes.
public enum NPYElement: String, CaseIterable, Sendable {
  case float16 = "f2"
  case float32 = "f4"
  case float64 = "f8"
  case bool = "b1"
  case int8 = "i1"
  case int16 = "i2"
  case int32 = "i4"
  case int64 = "i8"
  case uint8 = "u1"
  case uint16 = "u2"
  case uint32 = "u4"
  case uint64 = "u8"

  /// Bytes of one element.
  public var size: Int { Int(rawValue.utf8.last ?? 0) - Int(UInt8(ascii: "0")) }

  /// Whether an element may be NaN, infinite, or too large for a 32-bit float.
  var isFloatingPoint: Bool { self == .float16 || self == .float32 || self == .float64 }
}
