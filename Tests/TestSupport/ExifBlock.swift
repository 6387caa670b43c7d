/// An EXIF block made by hand (CIPA DC-008, TIFF 6.0): a TIFF file with three directories, of the picture, of how it was
/// taken, and of where.
public struct ExifBlock: Sendable {
  /// A value of a directory.
  public enum Value: Sendable {
    /// Text, as it is: the zero at its end is added.
    case text([UInt8])
    /// 16-bit numbers.
    case shorts([Int])
    /// 32-bit numbers.
    case longs([Int])
    /// Fractions.
    case rationals([(Int, Int)])
  }

  /// The tags of each directory with their values, in ascending order of tags.
  public var picture: [(tag: Int, value: Value)]
  /// How it was taken.
  public var shot: [(tag: Int, value: Value)]
  /// Where.
  public var place: [(tag: Int, value: Value)]

  /// What a telephone writes, of a picture of 40 × 20 pixels.
  public init() {
    picture = [
      (256, .longs([40])), (257, .longs([20])), (271, .text(Array("Ernemann".utf8))),
      (272, .text(Array("Heag II".utf8))), (274, .shorts([1])),
    ]
    shot = [
      (0x829A, .rationals([(1, 250)])), (0x829D, .rationals([(28, 10)])), (0x8827, .shorts([400])),
      (0x9003, .text(Array("2019:07:21 10:11:12".utf8))),
    ]
    place = [
      (1, .text(Array("N".utf8))), (2, .rationals([(52, 1), (31, 1), (12, 1)])), (3, .text(Array("E".utf8))),
      (4, .rationals([(13, 1), (24, 1), (18, 1)])), (6, .rationals([(34, 1)])),
    ]
  }

  /// The bytes, in either byte order.
  public func bytes(bigEndian: Bool = false) -> [UInt8] {
    func integer(_ value: Int, _ size: Int) -> [UInt8] {
      let little = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return bigEndian ? little.reversed() : little
    }
    func encoded(_ value: Value) -> (type: Int, count: Int, bytes: [UInt8]) {
      switch value {
      case .text(let text): (2, text.count + 1, text + [0])
      case .shorts(let numbers): (3, numbers.count, numbers.flatMap { integer($0, 2) })
      case .longs(let numbers): (4, numbers.count, numbers.flatMap { integer($0, 4) })
      case .rationals(let pairs): (5, pairs.count, pairs.flatMap { integer($0.0, 4) + integer($0.1, 4) })
      }
    }
    func size(_ entries: [(tag: Int, value: Value)]) -> Int {
      entries.reduce(6 + 12 * entries.count) { sum, entry in
        let count = encoded(entry.value).bytes.count
        return sum + (count > 4 ? count + count % 2 : 0)
      }
    }
    func directory(_ entries: [(tag: Int, value: Value)], at start: Int) -> [UInt8] {
      var table = integer(entries.count, 2)
      var data: [UInt8] = []
      for entry in entries {
        let (type, count, bytes) = encoded(entry.value)
        table += integer(entry.tag, 2) + integer(type, 2) + integer(count, 4)
        if bytes.count <= 4 {
          table += bytes + [UInt8](repeating: 0, count: 4 - bytes.count)
        } else {
          table += integer(start + 6 + 12 * entries.count + data.count, 4)
          data += bytes + [UInt8](repeating: 0, count: bytes.count % 2)
        }
      }
      return table + integer(0, 4) + data
    }
    let links: [(tag: Int, value: Value)] = [(0x8769, .longs([0])), (0x8825, .longs([0]))]
    let shotStart = 8 + size(picture + links)
    let placeStart = shotStart + size(shot)
    let first = picture + [(0x8769, .longs([shotStart])), (0x8825, .longs([placeStart]))]
    var result = Array((bigEndian ? "MM" : "II").utf8)
    result += integer(42, 2)
    result += integer(8, 4)
    result += directory(first, at: 8)
    result += directory(shot, at: shotStart)
    result += directory(place, at: placeStart)
    return result
  }

  /// A JPEG file with a block behind its first marker.
  public static func insert(_ block: [UInt8], intoJPEG jpeg: [UInt8]) -> [UInt8] {
    let body = Array("Exif\0\0".utf8) + block
    let length = body.count + 2
    var file = Array(jpeg.prefix(2))
    file += [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)]
    file += body
    file += jpeg.dropFirst(2)
    return file
  }
}
