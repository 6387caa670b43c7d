import Foundation
import GRDB
import ObjectStorage

/// The catalogue is of another format than this program's.
struct StoreFormatError: Error {}

/// What is known of the images of one collection, on disk: `catalogue.sqlite`.
///
/// `images` holds one row an object, `stages` one a derived stage (neighbours, layouts), `single_values` what else there
/// is, and every row of them has a checksum of its own, so that a flipped bit costs one row. `meta` holds the format and
/// the generation: other ones make the catalogue one of another version, or one that its snapshot does not belong to.
/// Blocking: used from the store's queue.
final class Catalogue: Sendable {
  /// The version of everything in a collection's directory.
  static let format = "2"
  /// The name of its file.
  static let name = "catalogue.sqlite"
  /// Slots are below this.
  static let maximumSlots = 1 << 23

  private let queue: DatabaseQueue
  /// Whether there was nothing in the file.
  let isNew: Bool

  /// Opens the catalogue at `path` for reading alone, while another process may be writing to it.
  /// - Throws: `DatabaseError`, `StoreFormatError`.
  init(readingFrom path: String) throws {
    var configuration = Configuration()
    configuration.readonly = true
    configuration.label = "catalogue"
    configuration.qos = .utility
    configuration.busyMode = .timeout(2)
    queue = try DatabaseQueue(path: path, configuration: configuration)
    isNew = false
    let format = try queue.read {
      try String.fetchOne($0, sql: "SELECT CAST(value AS TEXT) FROM meta WHERE name = 'format'")
    }
    guard format == Self.format else { throw StoreFormatError() }
  }

  /// Opens or makes the catalogue at `path`.
  /// - Throws: `DatabaseError`, `StoreFailure` when it cannot be written, `StoreFormatError` when it is of another format.
  init(path: String) throws {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw StoreFailure("Cannot write", path) }
    Foundation.close(descriptor)
    var configuration = Configuration()
    configuration.journalMode = .wal
    configuration.label = "catalogue"
    configuration.qos = .utility
    configuration.busyMode = .timeout(5)
    queue = try DatabaseQueue(path: path, configuration: configuration)
    isNew = try queue.write { database in
      let isEmpty = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0
      try database.execute(
        sql: """
          CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS single_values (
            name TEXT PRIMARY KEY, value BLOB NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS images (
            key BLOB PRIMARY KEY, slot INTEGER NOT NULL, etag TEXT NOT NULL, size INTEGER NOT NULL, modified REAL,
            class TEXT, width INTEGER NOT NULL, height INTEGER NOT NULL, state INTEGER NOT NULL, reason TEXT,
            checksum INTEGER NOT NULL) WITHOUT ROWID;
          CREATE TABLE IF NOT EXISTS stages (
            key TEXT PRIMARY KEY, kind TEXT NOT NULL, base TEXT NOT NULL,
            parameters TEXT NOT NULL, files TEXT NOT NULL, created REAL NOT NULL, used REAL NOT NULL,
            checksum INTEGER NOT NULL) WITHOUT ROWID;
          INSERT OR IGNORE INTO meta VALUES ('format', '\(Self.format)');
          INSERT OR IGNORE INTO meta VALUES ('generation', \(Int64.random(in: 0..<(1 << 60))));
          """)
      guard try String.fetchOne(database, sql: "SELECT value FROM meta WHERE name = 'format'") == Self.format else {
        throw StoreFormatError()
      }
      return isEmpty
    }
  }

  /// Moves what was written into the database itself, where a flipped bit costs a row: in the log of changes it costs all
  /// that follows.
  func checkpoint() throws {
    _ = try queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
  }

  // MARK: Images

  /// A number that changes with every change of the images; another one for every catalogue made.
  func generation() throws -> Int64? {
    try queue.read { try Int64.fetchOne($0, sql: "SELECT value FROM meta WHERE name = 'generation'") }
  }

  /// A number that changes when another connection has changed anything.
  func dataVersion() throws -> Int64? {
    try queue.read { try Int64.fetchOne($0, sql: "PRAGMA data_version") }
  }

  /// Every image whose row is undamaged, in the order of keys.
  func loadImages() throws -> [CollectionEntry] {
    try queue.read { database in
      var entries: [CollectionEntry] = []
      entries.reserveCapacity(try Int.fetchOne(database, sql: "SELECT count(*) FROM images") ?? 0)
      let rows = try Row.fetchCursor(
        database,
        sql: """
          SELECT key, slot, etag, size, modified, class, width, height, state, reason, checksum FROM images ORDER BY key
          """)
      while let row = try rows.next() {
        if let entry = Self.entry(row) { entries.append(entry) }
      }
      return entries
    }
  }

  private static func entry(_ row: Row) -> CollectionEntry? {
    guard let key = try? row.withUnsafeData(atIndex: 0, { $0.map { Array($0) } }), let slot = Int.fromRow(row, 1),
      let etag = String.fromRow(row, 2), let size = Int64.fromRow(row, 3), let width = Int.fromRow(row, 6),
      let height = Int.fromRow(row, 7), let code = Int.fromRow(row, 8), slot >= 0, slot < maximumSlots,
      let state = state(code, reason: String.fromRow(row, 9))
    else { return nil }
    let object = StoredObject(
      key: ObjectKey(bytes: key), size: size, etag: etag,
      modified: Double.fromRow(row, 4).map { Date(timeIntervalSinceReferenceDate: $0) },
      storageClass: String.fromRow(row, 5))
    let entry = CollectionEntry(slot: slot, object: object, width: width, height: height, state: state)
    guard Int64.fromRow(row, 10) == checksum(entry) else { return nil }
    return entry
  }

  /// Writes changed images and removes vanished ones in one transaction.
  func save(_ entries: [CollectionEntry], removing keys: [ObjectKey]) throws {
    guard !entries.isEmpty || !keys.isEmpty else { return }
    try queue.write { database in
      try database.execute(sql: "UPDATE meta SET value = value + 1 WHERE name = 'generation'")
      let removal = try database.cachedStatement(sql: "DELETE FROM images WHERE key = ?")
      for key in keys { try removal.execute(arguments: [Data(key.bytes)]) }
      let insertion = try database.cachedStatement(
        sql: "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      for entry in entries {
        let (code, reason) = Self.code(entry.state)
        try insertion.execute(arguments: [
          Data(entry.object.key.bytes), entry.slot, entry.object.etag, entry.object.size,
          entry.object.modified?.timeIntervalSinceReferenceDate, entry.object.storageClass, entry.width, entry.height,
          code, reason, Self.checksum(entry),
        ])
      }
    }
  }

  /// The state of a number in the catalogue; nil for what is none.
  static func state(_ code: Int, reason: String?) -> CollectionEntry.State? {
    switch code {
    case 0: .listed
    case 1: .ready
    case 2: .leftOut(reason: reason ?? "")
    case 3: .notAnImage
    default: nil
    }
  }

  /// A state's number in the catalogue.
  static func code(_ state: CollectionEntry.State) -> (Int, String?) {
    switch state {
    case .listed: (0, nil)
    case .ready: (1, nil)
    case .leftOut(let reason): (2, reason)
    case .notAnImage: (3, nil)
    }
  }

  private static func checksum(_ entry: CollectionEntry) -> Int64 {
    let (code, reason) = code(entry.state)
    var fields = entry.object.key.bytes
    fields.append(0)
    fields += entry.object.etag.utf8
    fields.append(0)
    fields += (reason ?? "").utf8
    fields.append(0)
    fields += (entry.object.storageClass ?? "").utf8
    let numbers: [UInt64] = [
      UInt64(bitPattern: Int64(entry.slot)), UInt64(bitPattern: entry.object.size), UInt64(entry.width),
      UInt64(entry.height), UInt64(code),
      entry.object.modified?.timeIntervalSinceReferenceDate.bitPattern ?? 0,
    ]
    let seed = numbers.withUnsafeBytes { Checksum.of($0) }
    return Int64(bitPattern: Checksum.of(fields, seed: seed))
  }

  // MARK: Single values

  /// Every single value whose row is undamaged, by name.
  func values() throws -> [String: Data] {
    try queue.read { database in
      var values: [String: Data] = [:]
      for row in try Row.fetchAll(database, sql: "SELECT name, value, checksum FROM single_values") {
        guard let name = String.fromRow(row, 0), let value = Data.fromRow(row, 1),
          Int64.fromRow(row, 2) == Self.checksum(value, name)
        else { continue }
        values[name] = value
      }
      return values
    }
  }

  /// Keeps a single value.
  func setValue(_ value: Data, _ name: String) throws {
    try queue.write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO single_values VALUES (?, ?, ?)",
        arguments: [name, value, Self.checksum(value, name)])
    }
  }

  private static func checksum(_ value: Data, _ name: String) -> Int64 {
    Int64(bitPattern: Checksum.of(Array(value), seed: Checksum.of(Array(name.utf8))))
  }

  // MARK: Stages

  /// Every stage whose row is undamaged, last used first.
  func loadStages() throws -> [StageRecord] {
    try queue.read { database in
      try Row.fetchAll(database, sql: "SELECT * FROM stages ORDER BY used DESC, key").compactMap { row in
        guard let key = String.fromRow(row, 0), let kind = String.fromRow(row, 1), let base = String.fromRow(row, 2),
          let parameters = String.fromRow(row, 3), let text = String.fromRow(row, 4),
          let created = Double.fromRow(row, 5), let used = Double.fromRow(row, 6),
          let files = try? JSONDecoder().decode([StageRecord.File].self, from: Data(text.utf8))
        else { return nil }
        let record = StageRecord(
          key: key, kind: kind, base: base, parameters: parameters, files: files,
          created: Date(timeIntervalSince1970: created), used: Date(timeIntervalSince1970: used))
        return Int64.fromRow(row, 7) == Self.checksum(record, files: text) ? record : nil
      }
    }
  }

  /// Writes a stage.
  func save(_ stage: StageRecord) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let files = String(decoding: try encoder.encode(stage.files), as: UTF8.self)
    try queue.write {
      try $0.execute(
        sql: "INSERT OR REPLACE INTO stages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        arguments: [
          stage.key, stage.kind, stage.base, stage.parameters, files, stage.created.timeIntervalSince1970,
          stage.used.timeIntervalSince1970, Self.checksum(stage, files: files),
        ])
    }
  }

  /// Removes a stage.
  func removeStage(_ key: String) throws {
    try queue.write { try $0.execute(sql: "DELETE FROM stages WHERE key = ?", arguments: [key]) }
  }

  private static func checksum(_ stage: StageRecord, files: String) -> Int64 {
    let fields = [stage.key, stage.kind, stage.base, stage.parameters, files]
    return Int64(bitPattern: Checksum.of(Array(fields.joined(separator: "\0").utf8)))
  }

  /// Images with a thumbnail.
  func readyCount() throws -> Int {
    try queue.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM images WHERE state = 1") ?? 0 }
  }

  func close() { try? queue.close() }
}

extension DatabaseValueConvertible {
  /// A column that may hold anything, since the file may be damaged: nil for what is no `Self`.
  fileprivate static func fromRow(_ row: Row, _ index: Int) -> Self? {
    Self.fromDatabaseValue(row[index] as DatabaseValue)
  }
}
