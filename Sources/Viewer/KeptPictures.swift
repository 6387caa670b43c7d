import Collection
import Dispatch
import Foundation
import ObjectStorage
import Scene

/// Sets of images that a location is left with and comes back with.
///
/// They are kept by the images' identities: a slot may belong to another image the next time, and an image that has changed is
/// no longer the one that was meant.
@MainActor final class KeptPictures {
  /// What the sets are.
  enum Kind: String, CaseIterable {
    /// What is selected.
    case selection
    /// What came into the layout after it was made, and was not looked at since.
    case unseen
  }

  /// Reads and writes, in this order.
  private let queue = DispatchQueue(label: "kept pictures", qos: .utility)
  /// What is kept of the open location; nil until it was read, or there is nothing to read.
  private var kept: [Kind: Selection]?
  private var generation = 0

  /// Another location is opened.
  func forget() {
    generation += 1
    kept = nil
  }

  /// The location has no sets yet.
  func beginEmpty() { if kept == nil { kept = [:] } }

  /// Reads the sets of the location and answers on the main thread.
  func load(from collection: ImageCollection, answer: @escaping @MainActor ([Kind: [Int]]) -> Void) {
    let generation = generation
    queue.async {
      var wanted: [Kind: Set<UInt64>] = [:]
      for kind in Kind.allCases {
        let identities = Self.identities(collection.keptValue(kind.rawValue))
        if !identities.isEmpty { wanted[kind] = identities }
      }
      var found: [Kind: [Int]] = [:]
      if !wanted.isEmpty {
        for entry in collection.entries where entry.state == .ready {
          let identity = entry.identity
          for (kind, identities) in wanted where identities.contains(identity) {
            found[kind, default: []].append(entry.slot)
          }
        }
      }
      let sets = found
      DispatchQueue.main.async {
        MainActor.assumeIsolated {
          guard generation == self.generation else { return }
          self.kept = sets.mapValues { Selection($0) }
          answer(sets)
        }
      }
    }
  }

  /// Keeps a set, if it is another than the one that is kept. Returns at once.
  func save(_ pictures: Selection, as kind: Kind, in collection: ImageCollection) {
    // What is not read yet must not be replaced by nothing.
    guard kept != nil, kept?[kind] ?? Selection() != pictures else { return }
    kept?[kind] = pictures
    queue.async {
      let identities = pictures.slots.compactMap { collection.entry($0)?.identity.littleEndian }
      let bytes = identities.withUnsafeBytes { Data($0) }
      collection.keep(bytes.base64EncodedString(), as: kind.rawValue)
    }
  }

  /// Waits until everything that was to be kept is written. Blocking, for the end of the program.
  func synchronize() { queue.sync {} }

  private nonisolated static func identities(_ text: String?) -> Set<UInt64> {
    guard let text, let bytes = Data(base64Encoded: text) else { return [] }
    return bytes.withUnsafeBytes { bytes in
      Set(
        (0..<bytes.count / 8).map { UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)) }
      )
    }
  }
}

// Sets of images that come back with a location.
extension Application {
  /// Has the selection, and what is new, come back.
  func restorePictures() {
    guard let collection = jobs.collection else { return }
    keptPictures.load(from: collection) { [weak self] sets in
      guard let self else { return }
      if let unseen = sets[.unseen] { map.send(.unseen(slots: unseen)) }
      // Whoever has selected something meanwhile means that.
      if let selection = sets[.selection], map.scene.selection.isEmpty { map.send(.select(slots: selection)) }
    }
  }

  /// Keeps the selection, and what is new.
  func savePictures() {
    guard let collection = jobs.collection else { return }
    keptPictures.save(map.scene.selection, as: .selection, in: collection)
    keptPictures.save(map.scene.unseen, as: .unseen, in: collection)
  }

  /// Goes through the images that are new and not looked at yet; asked again, all of them count as looked at.
  func showUnseen() {
    let slots = map.scene.unseen.slots
    if let unseenWalk, map.scene.walk?.groups == unseenWalk {
      map.send(.walk(groups: []))
      map.send(.seen(slots: slots))
      announcement = "Nothing on the map is new any more"
      return updateStatus()
    }
    guard !slots.isEmpty else {
      announcement = "Nothing on the map is new"
      return updateStatus()
    }
    likeness.captions = [:]
    for slot in slots { likeness.captions[slot] = jobs.collection?.entry(slot)?.object.key.lastComponent }
    let count = Wording.count(slots.count, "image")
    likeness.title = { _ in
      "\(count) new since the layout was made: the arrows go through them; N, and all count as seen"
    }
    map.send(.walk(groups: [slots]))
    map.send(.walkTo(position: 0))
    unseenWalk = map.scene.walk?.groups
  }
}
