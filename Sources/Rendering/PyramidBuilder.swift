public import Geometry
import Glibc

/// Makes the pyramid of a picture too large for memory of its rows, as they come from the top: the large levels go into a
/// file without a name.
public final class PyramidBuilder {
  private let turn: QuarterTurn
  private var levels: [Level] = []
  private let file: Int32
  private let filePixels: Int
  private var hasFailed = false

  /// A level in the making.
  private struct Level {
    let width, height: Int
    /// The first pixel in the file; nil for a level in memory.
    let start: Int?
    /// All pixels of a level in memory, or the rows that are not yet in the file.
    var pixels: [UInt32]
    var rowsTaken = 0
    var rowsWritten = 0
    /// The first of two rows that make one of the next level.
    var waiting: [UInt32]
  }

  /// Levels of up to this many pixels are kept in memory.
  private static let mostPixelsInMemory = 8_000_000
  /// Pixels that are written at once.
  private static let pixelsAtOnce = 1 << 19

  /// A builder for a picture of `width` × `height` pixels as it is stored, upright once it is turned by `turn`. Nil when
  /// there is no room in any of the directories.
  public init?(width: Int, height: Int, turn: QuarterTurn, directories: [String]) {
    precondition(width > 0 && height > 0)
    self.turn = turn
    var end = 0
    let page = 1024
    for size in OriginalPyramid.sizes(width: width, height: height) {
      let count = size.width * size.height
      let isInFile = count > Self.mostPixelsInMemory
      levels.append(
        Level(
          width: size.width, height: size.height, start: isInFile ? end : nil,
          pixels: isInFile ? [] : [UInt32](repeating: 0, count: count),
          waiting: []))
      if isInFile { end += (count + page - 1) / page * page }
    }
    filePixels = end
    for directory in directories {
      guard let opened = Self.unnamedFile(in: directory, size: end * 4) else { continue }
      file = opened
      return
    }
    return nil
  }

  deinit { close(file) }

  /// A file with room for `size` bytes, so that a full disk is told now.
  private static func unnamedFile(in directory: String, size: Int) -> Int32? {
    var template = Array("\(directory)/s3totsne-XXXXXX".utf8CString)
    let file = mkstemp(&template)
    guard file >= 0 else { return nil }
    unlink(template)
    _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    guard size == 0 || posix_fallocate(file, 0, off_t(size)) == 0 else {
      close(file)
      return nil
    }
    return file
  }

  /// Takes the next row from the top. False when it cannot be written: the picture cannot be made then.
  public func append(_ row: UnsafePointer<UInt32>) -> Bool {
    take(row, 0)
    return !hasFailed
  }

  /// The pyramid; rows that were not given are transparent. Nil when writing failed.
  public func finished(isOpaque: Bool) -> OriginalPyramid? {
    for index in levels.indices { flush(index) }
    guard !hasFailed else { return nil }
    var mapped: MappedPixels?
    if filePixels > 0 {
      mapped = MappedPixels(file: file, count: filePixels)
      if mapped == nil { return nil }
    }
    return OriginalPyramid(
      levels: levels.map { level in
        OriginalPyramid.Level(
          width: level.width, height: level.height,
          pixels: level.start.map { .file($0) } ?? .memory(level.pixels))
      }, file: mapped, turn: turn, isOpaque: isOpaque)
  }

  private func take(_ row: UnsafePointer<UInt32>, _ index: Int) {
    let width = levels[index].width
    guard levels[index].rowsTaken < levels[index].height else { return }
    let rows = UnsafeBufferPointer(start: row, count: width)
    if levels[index].start == nil {
      let start = levels[index].rowsTaken * width
      levels[index].pixels.withUnsafeMutableBufferPointer { pixels in
        _ = UnsafeMutableBufferPointer(rebasing: pixels[start..<start + width]).update(fromContentsOf: rows)
      }
    } else {
      levels[index].pixels.append(contentsOf: rows)
    }
    levels[index].rowsTaken += 1
    if levels[index].pixels.count >= Self.pixelsAtOnce { flush(index) }
    guard index + 1 < levels.count else { return }
    guard levels[index].rowsTaken % 2 == 0 else {
      levels[index].waiting = Array(rows)
      return
    }
    let half = [UInt32](unsafeUninitializedCapacity: levels[index + 1].width) { out, count in
      count = levels[index + 1].width
      levels[index].waiting.withUnsafeBufferPointer { upper in
        guard let upper = upper.baseAddress, let out = out.baseAddress else { return }
        OriginalPyramid.halve(upper, row, into: out, count: count)
      }
    }
    half.withUnsafeBufferPointer { half in
      if let first = half.baseAddress { take(first, index + 1) }
    }
  }

  /// Writes what waits of a level in the file.
  private func flush(_ index: Int) {
    guard let start = levels[index].start, !levels[index].pixels.isEmpty, !hasFailed else { return }
    let offset = (start + levels[index].rowsWritten * levels[index].width) * 4
    levels[index].pixels.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count, let base = bytes.baseAddress {
        let count = pwrite(file, base + done, bytes.count - done, off_t(offset + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
          hasFailed = true
          return
        }
        done += count
      }
    }
    levels[index].rowsWritten = levels[index].rowsTaken
    levels[index].pixels.removeAll(keepingCapacity: true)
  }
}
