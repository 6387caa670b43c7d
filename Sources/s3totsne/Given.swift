import ArgumentParser

/// An option's value that knows whether it stood on the command line, be it with what it would have been anyway.
struct Given<Value: ExpressibleByArgument & Sendable>: ExpressibleByArgument, Sendable {
  let value: Value
  let isGiven: Bool

  /// A value that was not given.
  init(default value: Value) {
    self.value = value
    isGiven = false
  }

  init?(argument: String) {
    guard let value = Value(argument: argument) else { return nil }
    self.value = value
    isGiven = true
  }

  var defaultValueDescription: String { value.defaultValueDescription }
  static var allValueStrings: [String] { Value.allValueStrings }
  static var defaultCompletionKind: CompletionKind { Value.defaultCompletionKind }
}
