/// The name of a derived stage: SHA-256 over the fields that went into it.
public struct DerivedKey: Sendable, Hashable {
  /// Takes fields one by one; the borders between them count.
  public struct Fields: ~Copyable {
    private var hash = ContentHash()

    /// Adds bytes.
    public mutating func field(_ bytes: [UInt8]) { hash.field(bytes) }
    /// Adds text.
    public mutating func field(_ text: String) { hash.field(text) }
    /// Adds a number.
    public mutating func field(_ number: UInt64) { hash.field(number) }

    init() {}
    consuming func finish() -> String { hash.finish() }
  }

  /// 64 hexadecimal digits.
  public let text: String

  /// The name for the fields that `collect` adds.
  public init(_ collect: (inout Fields) -> Void) {
    var fields = Fields()
    collect(&fields)
    text = fields.finish()
  }
}
