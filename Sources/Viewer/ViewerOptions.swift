public import Imaging
public import Mapping
public import ObjectStorage

/// What the window starts with; the command line fills it.
public struct ViewerOptions: Sendable {
  /// The two looks.
  public enum Appearance: String, Sendable, CaseIterable {
    /// Light text on near-black.
    case dark
    /// Dark text on near-white.
    case light
  }

  /// The location to open at once; nil shows the first screen.
  public var location: String?
  /// How objects are fetched.
  public var storage: StorageOptions
  /// The parameters that the top bar starts with.
  public var parameters: MapParameters
  /// Where the local store lies; nil for `$XDG_CACHE_HOME/s3totsne`.
  public var cacheDirectory: String?
  /// Pictures beyond these are left out.
  public var limits: DecodingLimits
  /// Decoders at work at the same time, and threads of the layout.
  public var threads: Int
  /// The look.
  public var appearance: Appearance
  /// Whether anything moves that need not; a remote display moves nothing either.
  public var animation: Bool
  /// Overrides the desktop's scale.
  public var scale: Double?
  /// `1280x800+40+40`, or a part of that.
  public var geometry: String?
  /// Whether parameters were given on the command line; otherwise a location comes back with those it was left with.
  public var hasExplicitParameters: Bool
  /// The folder of the sample images, where there is one.
  public var samplesDirectory: String?

  /// Gives every job what the command line says of the store, the replica and the sample.
  public var prepare: @Sendable (inout MappingRequest) -> Void = { _ in }

  /// Options with every default, for `location`.
  public init(
    location: String?, storage: StorageOptions, parameters: MapParameters, cacheDirectory: String? = nil,
    limits: DecodingLimits = DecodingLimits(), threads: Int, appearance: Appearance = .dark, animation: Bool = true,
    scale: Double? = nil, geometry: String? = nil, hasExplicitParameters: Bool = false, samplesDirectory: String? = nil
  ) {
    self.location = location
    self.storage = storage
    self.parameters = parameters
    self.cacheDirectory = cacheDirectory
    self.limits = limits
    self.threads = threads
    self.appearance = appearance
    self.animation = animation
    self.scale = scale
    self.geometry = geometry
    self.hasExplicitParameters = hasExplicitParameters
    self.samplesDirectory = samplesDirectory
  }
}
