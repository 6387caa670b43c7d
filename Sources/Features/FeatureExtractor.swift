public import Imaging

/// Turns a picture into a vector of bytes.
public protocol FeatureExtractor: Sendable {
  /// What the local store keys the vectors by: another identifier, other vectors.
  var identifier: String { get }
  /// The number of bytes a vector has.
  var dimension: Int { get }
  /// Writes the vector of a picture. `into` has `dimension` bytes, all of which are written. Transparent pixels are seen
  /// over white.
  func extract(from image: PixelImage, into vector: UnsafeMutableBufferPointer<UInt8>)
}
