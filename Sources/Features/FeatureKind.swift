/// What an image is compared by: a row of the table of all kinds of features. Another kind is one new file, with its
/// extractor, and one row.
public enum FeatureKind: String, Codable, CaseIterable, Hashable, Sendable {
  /// The picture itself, in few pixels.
  case pixels

  /// The extractor of this kind.
  /// - Parameter side: The side of the square that a picture is reduced to, in pixels.
  public func extractor(side: Int) -> any FeatureExtractor {
    switch self {
    case .pixels: PixelFeatures(side: side)
    }
  }
}
