import Synchronization

/// The name of a storage class in one byte: a store has few of them.
struct StorageClassName: Hashable, Sendable {
  /// 0 for none.
  private let index: UInt8

  private static let names = Mutex<[String]>(["", "STANDARD"])

  /// More than 255 different names are no storage classes: what comes then has none.
  init(_ name: String?) {
    guard let name, !name.isEmpty else {
      index = 0
      return
    }
    index = Self.names.withLock { names in
      if let known = names.firstIndex(of: name) { return UInt8(known) }
      guard names.count < 256, name.utf8.count <= 100 else { return 0 }
      names.append(name)
      return UInt8(names.count - 1)
    }
  }

  var name: String? {
    index == 0 ? nil : Self.names.withLock { $0[Int(index)] }
  }
}
