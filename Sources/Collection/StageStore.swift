import Foundation
import NPY
import Synchronization

/// The derived stages of one collection: on disk beside the catalogue, or in memory where there is no disk to write to.
///
/// A stage is arrays with names. On disk each is a file `<key>-<name>.npy`, written whole or not at all, with its length
/// and checksum in the catalogue; one that does not fit is removed and counts as never made.
final class StageStore: Sendable {
  /// How many stages of one kind are kept, the last used ones.
  static let limits = ["neighbours": 3, "layout": 10, "stopped": 3, "shared": 10]

  private struct State {
    var records: [StageRecord]
    var inMemory: [String: [String: NPYArray]] = [:]
    var directory: String?
    /// Stages found damaged.
    var damaged: Set<String> = []
  }
  private let state: Mutex<State>

  init(directory: String?, records: [StageRecord]) {
    state = Mutex(State(records: records, directory: directory))
  }

  /// From now on, new stages are kept in memory. Those on disk are still read.
  func detach() { state.withLock { $0.directory = nil } }

  /// Takes in stages that another process has made meanwhile.
  func add(_ records: [StageRecord]) {
    state.withLock { state in
      let known = Set(state.records.map(\.key))
      state.records += records.filter { !known.contains($0.key) && !state.damaged.contains($0.key) }
    }
  }

  /// What is in memory alone.
  var unwritten: [(record: StageRecord, arrays: [String: NPYArray])] {
    state.withLock { state in
      state.records.compactMap { record in state.inMemory[record.key].map { (record, $0) } }
    }
  }

  /// A time for a stage that is used now: later than that of any other, also when the clock was set back.
  private static func now(_ state: State) -> Date {
    let latest = state.records.map(\.used).max() ?? .distantPast
    return max(Date(), latest.addingTimeInterval(0.001))
  }

  /// The stages that satisfy `condition`, last used first.
  func records(where condition: (StageRecord) -> Bool) -> [StageRecord] {
    state.withLock { $0.records.filter(condition) }.sorted { $0.used > $1.used }
  }

  /// The arrays of a stage, each checked; nil when one of them is missing or damaged.
  func load(_ record: StageRecord, directory: String?) -> [String: NPYArray]? {
    if let arrays = state.withLock({ $0.inMemory[record.key] }) { return arrays }
    guard let directory else { return nil }
    var arrays: [String: NPYArray] = [:]
    for file in record.files {
      guard Self.isPlain(file.name), let bytes = PrivateFiles.read(directory + "/" + file.name),
        bytes.count == file.bytes, Checksum.of(bytes) == file.checksum, let array = NPYArray(fileBytes: bytes)
      else { return nil }
      arrays[Self.arrayName(file.name)] = array
    }
    return arrays
  }

  /// Keeps a stage, and forgets the ones of its kind that were not used for longest.
  /// - Returns: The record as kept, and the records that went.
  func save(_ record: StageRecord, arrays: [String: NPYArray]) throws(StoreFailure) -> (StageRecord, [StageRecord]) {
    var record = record
    let directory = state.withLock { $0.directory }
    if let directory {
      for (name, array) in arrays.sorted(by: { $0.key < $1.key }) {
        let bytes = array.fileBytes
        let fileName = "\(record.key)-\(name).npy"
        do throws(StoreFailure) {
          try PrivateFiles.write(bytes, to: directory + "/" + fileName)
        } catch {
          for written in record.files { unlink(directory + "/" + written.name) }
          throw error
        }
        record.files.append(.init(name: fileName, bytes: bytes.count, checksum: Checksum.of(bytes)))
      }
    }
    let written = record
    let (kept, gone) = state.withLock { state in
      if directory == nil { state.inMemory[written.key] = arrays }
      return Self.put(written, in: &state)
    }
    if let directory { for record in gone { Self.removeFiles(of: record, in: directory) } }
    return (kept, gone)
  }

  /// Makes a stage one of another kind, and forgets the ones of that kind that were not used for longest.
  /// - Returns: The record as kept, and the records that went; nil where it is no more.
  func change(_ key: String, to kind: String) -> (StageRecord, [StageRecord])? {
    let (changed, directory) = state.withLock { state -> ((StageRecord, [StageRecord])?, String?) in
      guard let old = state.records.first(where: { $0.key == key }) else { return (nil, nil) }
      let new = StageRecord(
        key: old.key, kind: kind, base: old.base, parameters: old.parameters, files: old.files, created: old.created,
        used: old.used)
      return (Self.put(new, in: &state), state.directory)
    }
    if let directory { for record in changed?.1 ?? [] { Self.removeFiles(of: record, in: directory) } }
    return changed
  }

  /// Puts a record in as the one used last.
  private static func put(_ record: StageRecord, in state: inout State) -> (StageRecord, [StageRecord]) {
    var kept = record
    kept.used = now(state)
    state.damaged.remove(kept.key)
    state.records.removeAll { $0.key == kept.key }
    state.records.append(kept)
    let same = state.records.filter { $0.kind == kept.kind }.sorted { $0.used > $1.used }
    let gone = Array(same.dropFirst(limits[kept.kind] ?? 3))
    for record in gone { forget(record, in: &state) }
    return (kept, gone)
  }

  /// Notes that a stage was used now.
  func touch(_ record: StageRecord) -> StageRecord {
    state.withLock { state in
      var touched = record
      touched.used = Self.now(state)
      guard let index = state.records.firstIndex(where: { $0.key == touched.key }) else { return touched }
      // Its kind may have changed meanwhile.
      state.records[index].used = touched.used
      return state.records[index]
    }
  }

  /// Forgets a stage and removes its files.
  func remove(_ record: StageRecord, directory: String?) {
    state.withLock { state in
      Self.forget(record, in: &state)
      state.damaged.insert(record.key)
    }
    if let directory { Self.removeFiles(of: record, in: directory) }
  }

  private static func forget(_ record: StageRecord, in state: inout State) {
    state.records.removeAll { $0.key == record.key }
    state.inMemory[record.key] = nil
  }

  private static func removeFiles(of record: StageRecord, in directory: String) {
    for file in record.files where isPlain(file.name) { unlink(directory + "/" + file.name) }
  }

  /// A name from the catalogue must not climb out of the directory.
  private static func isPlain(_ name: String) -> Bool { !name.contains("/") && name.hasSuffix(".npy") }

  private static func arrayName(_ fileName: String) -> String {
    let stem = fileName.dropLast(4)
    return String(stem[(stem.lastIndex(of: "-").map { stem.index(after: $0) } ?? stem.startIndex)...])
  }
}
