public import Geometry

/// One size of the program's icon.
public struct IconImage: Hashable, Sendable {
  /// Columns.
  public var width: Int
  /// Rows.
  public var height: Int
  /// Rows of ARGB, not premultiplied.
  public var pixels: [UInt32]

  /// Takes the pixels as they are; there must be `width` × `height`.
  public init(width: Int, height: Int, pixels: [UInt32]) {
    precondition(pixels.count == width * height)
    self.width = width
    self.height = height
    self.pixels = pixels
  }
}

/// How a window is made.
public struct WindowOptions: Sendable {
  /// What the title bar says first.
  public var title: String
  /// In device pixels; lowered to what the screen can show.
  public var size: Size
  /// In device pixels.
  public var minimumSize: Size
  /// The first half of WM_CLASS: the name of the program.
  public var instanceName: String
  /// The second half of WM_CLASS: what a desktop file calls `StartupWMClass`.
  public var className: String
  /// As many sizes as there are, for title bars, task lists and switchers.
  public var icons: [IconImage]
  /// `1280x800+40+40`, or a part of that, as the user asked for it; wins over `size`.
  public var geometry: String?

  /// The options of this program's window; only the title has to be said.
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
