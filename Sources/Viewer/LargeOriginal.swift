import Geometry
import Imaging
import Numerics
import Rendering

/// A pyramid in the making of a picture that is too large for memory.
///
/// Turns are left to whoever draws; a picture that is stored mirrored, which hardly any is, is mirrored row by row.
final class LargeOriginal: LargePicture {
  private let directories: [String]
  private let token: CancellationToken
  private var builder: PyramidBuilder?
  private var width = 0
  private var isMirrored = false
  private var mirrored: [UInt32] = []

  /// What of its file may be in memory while it is looked at, and its small levels: about.
  private static let cost = 224 << 20

  init(directories: [String], token: CancellationToken) {
    self.directories = directories
    self.token = token
  }

  func begin(width: Int, height: Int, orientation: Int) -> Bool {
    self.width = width
    isMirrored = [2, 4, 5, 7].contains(orientation)
    let turn: QuarterTurn =
      switch orientation {
      case 3, 4: .half
      case 6, 7: .right
      case 5, 8: .left
      default: .none
      }
    builder = PyramidBuilder(width: width, height: height, turn: turn, directories: directories)
    return builder != nil
  }

  func take(_ row: UnsafePointer<UInt32>) -> Bool {
    guard let builder, !token.isCancelled else { return false }
    guard isMirrored else { return builder.append(row) }
    mirrored.removeAll(keepingCapacity: true)
    mirrored.append(contentsOf: UnsafeBufferPointer(start: row, count: width).reversed())
    return mirrored.withUnsafeBufferPointer { pixels in pixels.baseAddress.map { builder.append($0) } ?? false }
  }

  func finished(isOpaque: Bool) -> LoadedPicture<OriginalPyramid>? {
    builder?.finished(isOpaque: isOpaque).map { LoadedPicture($0, cost: Self.cost) }
  }
}
