/// The image formats that can be shown.
public enum ImageFormat: String, Sendable, Hashable, CaseIterable {
  case jpeg, png, webp, gif, tiff, bmp
}

/// The first thing the decoder learns of a picture.
public struct ImageHeader: Sendable, Equatable {
  /// The format, told by the first bytes.
  public var format: ImageFormat
  /// Dimensions in pixels after orientation.
  public var width, height: Int
  /// The EXIF orientation, 1 to 8; 1 where none is given.
  public var orientation: Int

  /// Creates a header.
  public init(format: ImageFormat, width: Int, height: Int, orientation: Int = 1) {
    self.format = format
    self.width = width
    self.height = height
    self.orientation = orientation
  }
}

/// What the decoder refuses.
public struct DecodingLimits: Sendable, Hashable {
  /// The largest picture that is decoded, in millions of pixels.
  public var maximumMegapixels: Double

  /// Creates limits.
  public init(maximumMegapixels: Double = 300) { self.maximumMegapixels = maximumMegapixels }
}

/// Why a picture cannot be shown: one sentence for the list of problems, without the picture's name.
public struct ImagingError: Error, CustomStringConvertible, Sendable, Equatable {
  /// The sentence.
  public let description: String

  /// Creates an error from its sentence.
  public init(_ description: String) { self.description = description }
}
