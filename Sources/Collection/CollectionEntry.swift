public import ObjectStorage

/// One object of a collection, and what is known of it.
public struct CollectionEntry: Sendable, Hashable {
  /// What has become of an object.
  public enum State: Sendable, Hashable {
    /// Known by the listing alone.
    case listed
    /// Its thumbnail is in the atlas.
    case ready
    /// It claims to be an image and cannot be shown.
    case leftOut(reason: String)
    /// Neither its bytes nor its name call it an image.
    case notAnImage
  }

  /// Its number, index into the atlas and the feature files.
  public let slot: Int
  /// The object as it was listed.
  public var object: StoredObject
  /// Pixels of the original after orientation; 0 until it is decoded.
  public var width: Int
  /// Pixels of the original after orientation; 0 until it is decoded.
  public var height: Int
  /// What has become of it.
  public var state: State

  /// An entry.
  public init(slot: Int, object: StoredObject, width: Int = 0, height: Int = 0, state: State) {
    self.slot = slot
    self.object = object
    self.width = width
    self.height = height
    self.state = state
  }
}
