import Foundation
import ObjectStorage

/// The catalogue in one file that is read in one go, `catalogue.snapshot`: what opening a large collection needs, and a
/// second copy of everything that the database knows, should that be damaged.
///
/// A header of 40 bytes (name and version, the generation of the database that it equals, a checksum of both), then
/// blocks: kind and number of entries (32 bits each), length (64 bits), XXH64 of the payload with the generation as seed,
/// payload. All numbers little end first. Kind 0 is a JSON object of stages and single values, kind 1 images.
struct CatalogueSnapshot {
  /// What the catalogue knows beside images.
  struct Values: Codable, Equatable {
    var location = ""
    var used = 0.0
    var view: Data?
    var decoder: String?
    /// What `ImageCollection.keep` was given, by name.
    var kept: [String: String] = [:]
    var stages: [StageRow] = []

    private static let keptPrefix = "kept "

    /// Takes what a catalogue has; what it does not have stays.
    mutating func take(_ values: [String: Data]) {
      func text(_ name: String) -> String? { values[name].map { String(decoding: $0, as: UTF8.self) } }
      location = text("location") ?? location
      used = text("used").flatMap(Double.init) ?? used
      view = values["view"] ?? view
      decoder = text("decoder") ?? decoder
      for name in values.keys where name.hasPrefix(Self.keptPrefix) {
        kept[String(name.dropFirst(Self.keptPrefix.count))] = text(name)
      }
    }

    /// The single values as a catalogue keeps them, by name.
    var single: [String: Data] {
      var values = ["location": Data(location.utf8), "used": Data(String(used).utf8)]
      values["view"] = view
      values["decoder"] = decoder.map { Data($0.utf8) }
      for (name, value) in kept { values[Self.keptPrefix + name] = Data(value.utf8) }
      return values
    }
  }

  /// A stage as it is kept here.
  struct StageRow: Codable, Equatable {
    var key, kind, base, parameters: String
    var files: [StageRecord.File]
    var created, used: Double

    init(_ record: StageRecord) {
      (key, kind, base, parameters) = (record.key, record.kind, record.base, record.parameters)
      files = record.files
      created = record.created.timeIntervalSince1970
      used = record.used.timeIntervalSince1970
    }

    var record: StageRecord {
      StageRecord(
        key: key, kind: kind, base: base, parameters: parameters, files: files,
        created: Date(timeIntervalSince1970: created), used: Date(timeIntervalSince1970: used))
    }
  }

  static let name = "catalogue.snapshot"

  var generation: Int64
  /// In the order of keys.
  var entries: [CollectionEntry] = []
  var values = Values()
  /// Whether every block was undamaged.
  var isComplete = true

  private static let magic = Array("S3toTSNE catalogue 2    ".utf8)
  private static let headerBytes = 40
  private static let blockHeaderBytes = 24
  private static let entriesPerBlock = 1024
  /// An entry whose fields are empty.
  private static let leastEntryBytes = 48

  // MARK: Writing

  /// Writes a snapshot.
  /// - Parameter entries: In the order of keys.
  static func write(
    to path: String, generation: Int64, values: Values, entries: some Sequence<CollectionEntry>
  ) throws(StoreFailure) {
    try PrivateFiles.write(to: path) { (write) throws(StoreFailure) in
      var header = magic
      append(UInt64(bitPattern: generation), to: &header)
      append(Checksum.of(header), to: &header)
      try write(header)
      func writeBlock(kind: UInt32, count: Int, _ payload: [UInt8]) throws(StoreFailure) {
        var header: [UInt8] = []
        append(kind, to: &header)
        append(UInt32(count), to: &header)
        append(UInt64(payload.count), to: &header)
        append(Checksum.of(payload, seed: UInt64(bitPattern: generation)), to: &header)
        try write(header)
        try write(payload)
      }
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      if let json = try? encoder.encode(values) { try writeBlock(kind: 0, count: 1, Array(json)) }
      var count = 0
      var payload: [UInt8] = []
      for entry in entries {
        append(entry, to: &payload)
        count += 1
        if count == entriesPerBlock {
          try writeBlock(kind: 1, count: count, payload)
          count = 0
          payload.removeAll(keepingCapacity: true)
        }
      }
      if count > 0 { try writeBlock(kind: 1, count: count, payload) }
    }
  }

  private static func append<Value: FixedWidthInteger>(_ value: Value, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  /// Slot, dimensions, state, size, time (NaN for none), then four fields of bytes, each after its length.
  private static func append(_ entry: CollectionEntry, to bytes: inout [UInt8]) {
    let (code, reason) = Catalogue.code(entry.state)
    append(UInt32(entry.slot), to: &bytes)
    append(UInt32(clamping: entry.width), to: &bytes)
    append(UInt32(clamping: entry.height), to: &bytes)
    append(UInt32(code), to: &bytes)
    append(entry.object.size, to: &bytes)
    append((entry.object.modified?.timeIntervalSinceReferenceDate ?? .nan).bitPattern, to: &bytes)
    func field(_ content: some Swift.Collection<UInt8>) {
      append(UInt32(content.count), to: &bytes)
      bytes.append(contentsOf: content)
    }
    field(entry.object.key.bytes)
    field(entry.object.etag.utf8)
    field((entry.object.storageClass ?? "").utf8)
    field((reason ?? "").utf8)
  }

  // MARK: Reading

  private init(generation: Int64) { self.generation = generation }

  /// The snapshot in a collection's directory; nil when there is none, or even its header is damaged.
  init?(in directory: String) {
    guard let bytes = PrivateFiles.read(directory + "/" + Self.name) else { return nil }
    self.init(fileBytes: bytes)
  }

  /// The snapshot in a file's bytes; nil when even its header is damaged. Blocks that are damaged are missing.
  init?(fileBytes: [UInt8]) {
    let read = fileBytes.withUnsafeBytes { bytes -> CatalogueSnapshot? in
      guard bytes.count >= Self.headerBytes, bytes.starts(with: Self.magic),
        Self.number(bytes, 32, as: UInt64.self) == Checksum.of(UnsafeRawBufferPointer(rebasing: bytes[..<32]))
      else { return nil }
      var snapshot = CatalogueSnapshot(generation: Int64(bitPattern: Self.number(bytes, 24, as: UInt64.self)))
      snapshot.isComplete = snapshot.readBlocks(bytes)
      return snapshot
    }
    guard let read else { return nil }
    self = read
  }

  /// Returns whether all of them were undamaged.
  private mutating func readBlocks(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var isComplete = true
    var hasValues = false
    var offset = Self.headerBytes
    // Once for all: what is reserved block by block is copied block by block.
    entries.reserveCapacity(Self.entryCount(bytes))
    while offset < bytes.count {
      guard bytes.count - offset >= Self.blockHeaderBytes else { return false }
      let kind = Self.number(bytes, offset, as: UInt32.self)
      let count = Int(Self.number(bytes, offset + 4, as: UInt32.self))
      let length = Self.number(bytes, offset + 8, as: UInt64.self)
      let sum = Self.number(bytes, offset + 16, as: UInt64.self)
      offset += Self.blockHeaderBytes
      guard length <= UInt64(bytes.count - offset) else { return false }
      let payload = UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(length)])
      offset += Int(length)
      guard Checksum.of(payload, seed: UInt64(bitPattern: generation)) == sum else {
        isComplete = false
        continue
      }
      switch kind {
      case 0:
        guard let values = try? JSONDecoder().decode(Values.self, from: Data(payload)) else {
          isComplete = false
          continue
        }
        self.values = values
        hasValues = true
      case 1:
        if !Self.readEntries(payload, count: count, into: &entries) { isComplete = false }
      default: isComplete = false
      }
    }
    return isComplete && hasValues
  }

  /// How many entries the headers of the blocks tell of, and have room for.
  private static func entryCount(_ bytes: UnsafeRawBufferPointer) -> Int {
    var total = 0
    var offset = headerBytes
    while bytes.count - offset >= blockHeaderBytes {
      let count = Int(number(bytes, offset + 4, as: UInt32.self))
      let length = number(bytes, offset + 8, as: UInt64.self)
      offset += blockHeaderBytes
      guard length <= UInt64(bytes.count - offset) else { break }
      total += min(count, Int(length) / leastEntryBytes)
      offset += Int(length)
    }
    return total
  }

  private static func number<Value: FixedWidthInteger>(
    _ bytes: UnsafeRawBufferPointer, _ offset: Int, as type: Value.Type
  ) -> Value {
    Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  private static func readEntries(
    _ payload: UnsafeRawBufferPointer, count: Int, into entries: inout [CollectionEntry]
  ) -> Bool {
    var offset = 0
    func field() -> UnsafeRawBufferPointer? {
      guard payload.count - offset >= 4 else { return nil }
      let length = Int(number(payload, offset, as: UInt32.self))
      guard length <= payload.count - offset - 4 else { return nil }
      defer { offset += 4 + length }
      return UnsafeRawBufferPointer(rebasing: payload[offset + 4..<offset + 4 + length])
    }
    // Storage classes are few: one string serves all images that have it.
    var knownClass = ""
    for _ in 0..<count {
      guard payload.count - offset >= 32 else { return false }
      let slot = Int(number(payload, offset, as: UInt32.self))
      let width = Int(number(payload, offset + 4, as: UInt32.self))
      let height = Int(number(payload, offset + 8, as: UInt32.self))
      let code = Int(number(payload, offset + 12, as: UInt32.self))
      let size = number(payload, offset + 16, as: Int64.self)
      let seconds = Double(bitPattern: number(payload, offset + 24, as: UInt64.self))
      offset += 32
      guard let key = field(), let etag = field(), let storageClass = field(), let reason = field(),
        slot < Catalogue.maximumSlots,
        let state = Catalogue.state(code, reason: reason.isEmpty ? nil : String(decoding: reason, as: UTF8.self))
      else { return false }
      if !storageClass.isEmpty, !knownClass.utf8.elementsEqual(storageClass) {
        knownClass = String(decoding: storageClass, as: UTF8.self)
      }
      let object = StoredObject(
        key: ObjectKey(bytes: Array(key)), size: size, etag: String(decoding: etag, as: UTF8.self),
        modified: seconds.isNaN ? nil : Date(timeIntervalSinceReferenceDate: seconds),
        storageClass: storageClass.isEmpty ? nil : knownClass)
      entries.append(CollectionEntry(slot: slot, object: object, width: width, height: height, state: state))
    }
    return offset == payload.count
  }
}
