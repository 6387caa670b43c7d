internal import Atlas
public import Features
import Foundation
import GRDB
public import Imaging
public import NPY
public import ObjectStorage
import Synchronization

extension ImageCollection {
  /// Runs `body` with the right to change the collection, when everyone who asked before is done. Afterwards everything
  /// changed is written, and calls of the writer that come too late do nothing.
  public func withWriter<Result: Sendable>(
    _ body: (CollectionWriter) async throws -> Result
  ) async rethrows -> Result {
    await turns.take()
    let writer = CollectionWriter(self)
    do {
      let result = try await body(writer)
      await writer.close()
      return result
    } catch {
      await writer.close()
      throw error
    }
  }
}

/// Changes a collection. Any thread; nothing here waits for the disk except `store`, which writes thumbnails into the
/// page cache, and the methods that say so.
public final class CollectionWriter: Sendable {
  let collection: ImageCollection
  private let closed = Mutex(false)
  private let callers = DispatchGroup()
  private let seen = Mutex(SlotSet())
  private struct Batch {
    var isScheduled = false
    var last = ContinuousClock.now
  }
  private let batch = Mutex(Batch())

  /// Changes until a batch is written, and the time until then at the latest.
  private static let batchSize = 512
  private static let batchTime = Duration.seconds(2)

  init(_ collection: ImageCollection) { self.collection = collection }

  /// Lets a call in unless the writer is closed. Decoders that were abandoned by a cancelled job arrive here late.
  func whileOpen<Result>(_ body: () throws -> Result) rethrows -> Result? {
    let isOpen = closed.withLock { closed in
      if !closed { callers.enter() }
      return !closed
    }
    guard isOpen else { return nil }
    defer { callers.leave() }
    return try body()
  }

  fileprivate func close() async {
    closed.withLock { $0 = true }
    await withCheckedContinuation { continuation in
      callers.notify(queue: collection.queue) { continuation.resume() }
    }
    // The next writer need not wait for the disk: what it changes is written after this.
    collection.turns.give()
    await withCheckedContinuation { continuation in
      collection.queue.async { [self] in
        collection.commit()
        collection.writeSnapshot()
        collection.deposit()
        continuation.resume()
      }
    }
  }

  // MARK: Listing

  /// What a page of the listing changed.
  public struct ListingChange: Sendable, Equatable {
    /// Objects that were not known, or are now others under their old keys: they have new slots.
    public var new: [Int] = []
    /// Slots of what was replaced, where it was shown or left out.
    public var removed: [Int] = []
    /// What is to be fetched: the new ones, and known ones that no job has got to. In the order of the page.
    public var unfetched: [Int] = []
  }

  /// Takes in a page of the listing.
  public func take(_ objects: [StoredObject]) -> ListingChange {
    whileOpen {
      var change = ListingChange()
      var present: [Int] = []
      collection.state.withLock { state in
        for object in objects {
          if let slot = state.entries.slot(of: object.key), var entry = state.entries[slot] {
            if entry.object.etag == object.etag && entry.object.size == object.size {
              if entry.object != object {
                entry.object = object
                state.set(entry, slot)
                state.changedSlots.insert(slot)
              }
              if entry.state == .listed { change.unfetched.append(slot) }
              present.append(slot)
              continue
            }
            if Self.remove(slot, from: &state) { change.removed.append(slot) }
          }
          let slot = state.freeSlots.popLast() ?? state.entries.count
          if slot == state.entries.count { state.entries.append() }
          state.set(CollectionEntry(slot: slot, object: object, width: 0, height: 0, state: .listed), slot)
          state.changedSlots.insert(slot)
          state.removedKeys.remove(object.key)
          state.order = nil
          change.new.append(slot)
          change.unfetched.append(slot)
          present.append(slot)
        }
      }
      seen.withLock { seen in
        for slot in present { seen.insert(slot) }
      }
      scheduleCommit()
      return change
    } ?? ListingChange()
  }

  /// The listing is complete: what it did not name is gone, unless it lies in a part that could not be listed.
  /// - Parameter sparing: Folders and objects that could not be listed: what is known of them is kept.
  /// - Returns: The slots that are no more, where they were shown or left out.
  public func finishListing(sparing unlisted: [ObjectKey] = []) -> [Int] {
    func isSpared(_ key: ObjectKey) -> Bool {
      unlisted.contains { key == $0 || key.bytes.starts(with: $0.bytes + [UInt8(ascii: "/")]) }
    }
    return whileOpen {
      let seen = self.seen.withLock { $0 }
      let order = collection.slotsInOrder()
      let gone = collection.state.withLock { state in
        let gone = order.filter { slot in
          !seen.contains(slot) && !(state.entries[slot].map { isSpared($0.object.key) } ?? false)
        }
        return gone.filter { Self.remove($0, from: &state) }
      }
      scheduleCommit()
      return gone
    } ?? []
  }

  /// Returns whether a window may have heard of it.
  private static func remove(_ slot: Int, from state: inout ImageCollection.State) -> Bool {
    guard let entry = state.entries[slot] else { return false }
    state.set(nil, slot)
    state.removedKeys.insert(entry.object.key)
    state.changedSlots.remove(slot)
    state.passingProblems.remove(slot)
    state.order = nil
    // The thumbnail stays until the slot is given away: a window may still draw it.
    if case .leftOut = entry.state { return true }
    return ImageCollection.isShown(entry)
  }

  // MARK: Images

  /// Keeps a picture: its thumbnail, its features and its dimensions; the entry is then `ready`.
  ///
  /// - Parameter etag: Of the bytes that were decoded, should the object have changed since the listing.
  /// - Returns: Whether it was kept; false when the writer is closed or the slot no more.
  /// - Throws: when there is no memory or disk left to keep it in.
  public func store(
    _ slot: Int, header: ImageHeader, thumbnail: ThumbnailPyramid, features: [UInt8],
    by extractor: some FeatureExtractor, etag: String?, size: Int64
  ) throws -> Bool {
    try whileOpen {
      guard var entry = collection.entry(slot) else { return false }
      if let etag, !etag.isEmpty { entry.object.etag = etag }
      entry.object.size = size
      entry.width = header.width
      entry.height = header.height
      entry.state = .ready
      try keep(features, in: try self.features(of: extractor), of: entry)
      let levels = thumbnail.levels.map { (width: $0.width, height: $0.height, pixels: $0.pixels) }
      let isOpaque = thumbnail.levels.allSatisfy(\.isOpaque)
      try keepThumbnail(levels, color: thumbnail.averageColor, isOpaque: isOpaque, slot: slot)
      return finish(entry)
    } ?? false
  }

  /// Keeps a row of features; in memory when the disk is full.
  func keep(_ row: [UInt8], in matrix: FeatureMatrix, of entry: CollectionEntry) throws {
    if try !matrix.store(row, slot: entry.slot, identity: entry.identity) {
      detach("There is no space left for features in \(collection.directory ?? "memory").")
    }
  }

  /// Keeps the levels of a thumbnail; elsewhere when the disk is full.
  func keepThumbnail(
    _ levels: [(width: Int, height: Int, pixels: [UInt32])], color: UInt32, isOpaque: Bool, slot: Int
  ) throws {
    let atlas = collection.atlas
    func store() throws(AtlasError) {
      try atlas.store(slot: slot, levels: levels, averageColor: color, isOpaque: isOpaque)
    }
    do { try store() } catch {
      guard collection.directory != nil else { throw error }
      detach("\(error)")
      atlas.spill()
      try store()
    }
  }

  /// Everything of a picture is kept: its entry says so from now on. False when the slot is no more.
  func finish(_ entry: CollectionEntry) -> Bool {
    let isPresent = collection.state.withLock { state in
      guard state.entries[entry.slot] != nil else { return false }
      state.set(entry, entry.slot)
      state.changedSlots.insert(entry.slot)
      state.passingProblems.remove(entry.slot)
      state.notePicture(entry)
      return true
    }
    scheduleCommit()
    return isPresent
  }

  /// The entry cannot be shown. `isLasting` when trying again would give the same; otherwise the next job tries again.
  public func leaveOut(_ slot: Int, reason: String, isLasting: Bool) {
    set(.leftOut(reason: reason), slot, isLasting: isLasting)
  }

  /// The entry is no image.
  public func setNotAnImage(_ slot: Int) { set(.notAnImage, slot, isLasting: true) }

  /// Thumbnails that were found damaged are to be fetched again, those alone.
  public func resetDamaged() {
    for slot in collection.atlas.takeDamaged() where collection.entry(slot)?.state == .ready { reset(slot) }
  }

  /// Compares every thumbnail with its checksum; damaged ones are to be fetched again. Blocking, for as long as it takes
  /// to read them all; ends early when `isCancelled`.
  public func checkThumbnails(isCancelled: @Sendable () -> Bool) {
    let ready = collection.entries.filter { $0.state == .ready }.map(\.slot)
    let damaged = Mutex<[Int]>([])
    let atlas = collection.atlas
    DispatchQueue.concurrentPerform(iterations: (ready.count + 255) / 256) { part in
      for slot in ready[(part * 256)..<min(part * 256 + 256, ready.count)] where !isCancelled() {
        if !atlas.verify(slot) { damaged.withLock { $0.append(slot) } }
      }
    }
    for slot in damaged.withLock({ $0 }) { reset(slot) }
  }

  /// The entry is to be fetched again.
  public func reset(_ slot: Int) { set(.listed, slot, isLasting: true) }

  private func set(_ new: CollectionEntry.State, _ slot: Int, isLasting: Bool) {
    _ = whileOpen {
      collection.state.withLock { state in
        guard state.entries.indices.contains(slot), var entry = state.entries[slot] else { return }
        entry.state = new
        state.set(entry, slot)
        state.changedSlots.insert(slot)
        if isLasting { state.passingProblems.remove(slot) } else { state.passingProblems.insert(slot) }
      }
      scheduleCommit()
    }
  }

  /// What was left out for a reason that may have passed is to be fetched again.
  public func resetPassingProblems() {
    for slot in collection.state.withLock({ $0.passingProblems }) { reset(slot) }
  }

  /// Says which decoder is at work. Where another one (an older version, other limits) left objects out, they are to be
  /// fetched again. Blocking.
  public func setDecoder(_ name: String) {
    _ = whileOpen {
      guard let catalogue = collection.state.withLock({ $0.catalogue }) else { return }
      let known = collection.state.withLock { state in
        defer {
          if state.values.decoder != name { state.isSnapshotStale = true }
          state.values.decoder = name
        }
        return state.values.decoder
      }
      guard known != name else { return }
      for entry in collection.entries where entry.state != .ready { reset(entry.slot) }
      do { try catalogue.setValue(Data(name.utf8), "decoder") } catch { detach("\(error)") }
    }
  }

  // MARK: Features

  /// The features of one kind. Blocking when they are asked for the first time.
  public func features(of extractor: some FeatureExtractor) throws -> FeatureMatrix {
    try collection.features(of: extractor)
  }

  /// Those of `entries` whose features are missing or damaged. Blocking: every row is read.
  public func withoutFeatures(_ entries: [CollectionEntry], in matrix: FeatureMatrix) -> [CollectionEntry] {
    entries.filter { !matrix.isValid(slot: $0.slot, identity: $0.identity) }
  }

  // MARK: Derived stages

  /// Keeps a derived stage; in memory when it cannot be written. Blocking.
  public func saveStage(
    kind: String, key: String, base: String, parameters: String, arrays: [String: NPYArray]
  ) {
    _ = whileOpen {
      let record = StageRecord(
        key: key, kind: kind, base: base, parameters: parameters, files: [], created: Date(), used: Date())
      do {
        try keep(record, arrays: arrays)
      } catch {
        detach("\(error)")
        try? keep(record, arrays: arrays)
      }
    }
  }

  func keep(_ record: StageRecord, arrays: [String: NPYArray]) throws {
    let (kept, gone) = try collection.stages.save(record, arrays: arrays)
    guard let catalogue = collection.state.withLock({ $0.catalogue }) else { return }
    do {
      try catalogue.save(kept)
      for record in gone { try catalogue.removeStage(record.key) }
    } catch let error as DatabaseError where error.isDamage {
      try collection.queue.sync { try collection.rebuildCatalogue() }
    }
    // The second copy of the catalogue holds the stages as well.
    collection.state.withLock { $0.isSnapshotStale = true }
  }

  // MARK: Disk

  /// Has everything that came in so far written soon, as after the last of it. Returns at once.
  public func commit() {
    _ = whileOpen { collection.queue.async { [collection] in collection.commit() } }
  }

  private func scheduleCommit() {
    let isDue = batch.withLock { batch in
      guard !batch.isScheduled else { return false }
      let waiting = collection.state.withLock { $0.changedSlots.count + $0.removedKeys.count }
      guard waiting >= Self.batchSize || (waiting > 0 && .now - batch.last > Self.batchTime) else { return false }
      batch.isScheduled = true
      return true
    }
    guard isDue else { return }
    collection.queue.async { [self] in
      collection.commit()
      batch.withLock {
        $0.isScheduled = false
        $0.last = .now
      }
    }
  }

  /// The local store cannot be written any more: what is in it stays as it is, and the rest is kept in memory.
  private func detach(_ reason: String) { collection.detach(reason) }
}
