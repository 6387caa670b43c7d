internal import Atlas
import Foundation
import ObjectStorage
import Synchronization

/// A collection's directory that another process writes to, or that cannot be written at all: read, never changed.
///
/// What is taken from it is checked as if it were our own: rows and blocks by checksum, thumbnails and features by theirs
/// when they are copied.
final class Lender: Sendable {
  let directory: String
  /// Nil where the database cannot be opened; the snapshot is then all there is.
  private let catalogue: Catalogue?
  private struct State {
    var version: Int64?
    var lastLook = ContinuousClock.now
    var ready: [ObjectKey: CollectionEntry] = [:]
    var atlas: Atlas?
    var matrices: [String: FeatureMatrix] = [:]
  }
  private let state: Mutex<State>

  /// What was in it when it was opened.
  let firstEntries: [CollectionEntry]
  let values: CatalogueSnapshot.Values

  /// The time between two looks whether there is more.
  private static let pause = Duration.seconds(2)

  /// Nil when nothing can be read there.
  init?(directory: String) {
    self.directory = directory
    let snapshot = CatalogueSnapshot(in: directory)
    let catalogue = try? Catalogue(readingFrom: directory + "/" + Catalogue.name)
    self.catalogue = catalogue
    let version = try? catalogue?.dataVersion()
    if let catalogue, let entries = try? catalogue.loadImages(), let stages = try? catalogue.loadStages() {
      firstEntries = entries
      var values = snapshot?.values ?? .init()
      values.stages = stages.map(CatalogueSnapshot.StageRow.init)
      values.take((try? catalogue.values()) ?? [:])
      self.values = values
    } else if let snapshot {
      firstEntries = snapshot.entries
      values = snapshot.values
    } else {
      return nil
    }
    state = Mutex(State(version: version))
  }

  deinit { catalogue?.close() }

  /// What the other process has kept of an object, should it be ready by now.
  func picture(of object: StoredObject) -> (entry: CollectionEntry, atlas: Atlas)? {
    state.withLock { state in
      refresh(&state)
      guard let atlas = state.atlas, let entry = state.ready[object.key], entry.object.etag == object.etag,
        entry.object.size == object.size
      else { return nil }
      return (entry, atlas)
    }
  }

  /// The features of one kind, as they are now; nil when there are none.
  func matrix(_ identifier: String, dimension: Int) -> FeatureMatrix? {
    state.withLock { state in
      if let matrix = state.matrices[identifier] { return matrix }
      let matrix = try? FeatureMatrix(
        directory: directory, identifier: identifier, dimension: dimension, isBorrowed: true)
      state.matrices[identifier] = matrix
      return matrix
    }
  }

  /// The stages that are there by now.
  func stages() -> [StageRecord] { (try? catalogue?.loadStages()) ?? [] }

  /// Whether anything may have been added since the last look; asked before work on another thread is begun for it.
  var mayHaveMore: Bool { state.withLock { catalogue != nil && (!$0.ready.isEmpty || isDue($0)) } }

  private func isDue(_ state: State) -> Bool { .now - state.lastLook >= Self.pause }

  private func refresh(_ state: inout State) {
    guard isDue(state), let catalogue, let version = try? catalogue.dataVersion() else { return }
    state.lastLook = .now
    guard version != state.version, let entries = try? catalogue.loadImages() else { return }
    state.version = version
    state.ready = Dictionary(
      entries.lazy.filter { $0.state == .ready }.map { ($0.object.key, $0) }, uniquingKeysWith: { $1 })
    state.atlas = try? Atlas(readingFrom: directory + "/thumbnails")
    state.matrices = [:]
  }
}
