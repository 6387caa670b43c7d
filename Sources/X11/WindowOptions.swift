public import Geometry

/// One size of the program's icon.
public struct IconImage: Hashable, Sendable {
  public var width: Int
  public var height: Int
  /// Rows of ARGB, not premultiplied.
  public var pixels: [UInt32]

  public init(width: Int, height: Int, pixels: [UInt32]) {
    precondition(pixels.count == width * height)
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}

/// How a window is made.
public struct WindowOptions: Sendable {
  public var title: String
  /// In device pixels; lowered to what the screen can show.
  public var size: Size
  /// In device pixels.
  public var minimumSize: Size
  /// The first half of WM_CLASS: the name of the program.
  public var instanceName: String
  /// The second half of WM_CLASS: what a desktop file calls `StartupWMClass`.
  public var className: String
  public var icons: [IconImage]
  /// `1280x800+40+40`, or a part of that, as the user asked for it; wins over `size`.
  public var geometry: String?

  public init(
    title: String, size: Size = Size(width: 1280, height: 800), minimumSize: Size = Size(width: 320, height: 240),
    instanceName: String = "s3totsne", className: String = "S3toTSNE", icons: [IconImage] = [], geometry: String? = nil
  ) {
    self.title = title
    self.size = size
    self.minimumSize = minimumSize
    self.instanceName = instanceName
    self.className = className
    self.icons = icons
    self.geometry = geometry
  }
}
