/// Why something could not be written.
public struct ExportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What happened, to which file, and why.
  public let description: String

  /// An error that says so.
  public init(_ description: String) { self.description = description }
}
