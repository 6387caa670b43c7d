public import Atlas
public import Foundation
public import ObjectStorage

/// The images of one location and what is known of each.
public final class ImageCollection: Sendable {
  /// Where the images come from.
  public var store: any ObjectStore { fatalError() }
  /// Their thumbnails.
  public var atlas: Atlas { fatalError() }
  /// The location.
  public var location: Location { store.location }

  /// What is known of one image; nil when the slot is none.
  public func entry(_ slot: Int) -> CollectionEntry? { nil }

  /// Every image that is to be shown, listed or ready, in the order of keys.
  public var slotsInKeyOrder: [Int] { [] }

  /// Every image that cannot be shown, in the order of keys.
  public var leftOutSlots: [Int] { [] }

  /// Keeps what the window wants to find again: camera, parameters.
  public func saveViewState(_ state: Data) {}

  /// What `saveViewState` kept last.
  public func loadViewState() -> Data? { nil }
}
