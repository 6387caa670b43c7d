internal import CX11

/// What a selection was converted to.
struct SelectionContent: Equatable {
  var type: Atom
  var bytes: [UInt8]
}

/// One request for a selection, as a value that is told what happened and says what to do next (ICCCM 2.4 and 2.7.2).
struct IncomingTransfer {
  enum Action: Equatable {
    /// Ask the owner for this type.
    case convert(Atom)
    /// Read the property and delete it.
    case read
    case wait
    /// Nil when the owner has none of the types.
    case finish(SelectionContent?)
  }

  /// More than anybody pastes; an owner that sends for ever is not believed.
  static let maximumSize = 256 << 20

  private let incrementalType: Atom
  private var untried: [Atom]
  private var content: SelectionContent?
  private var isIncremental = false
  private var isConverted = false

  /// - Parameter types: what to ask for, the best first.
  init(types: [Atom], incrementalType: Atom) {
    untried = types
    self.incrementalType = incrementalType
  }

  mutating func convertNext() -> Action {
    guard !untried.isEmpty else { return .finish(nil) }
    return .convert(untried.removeFirst())
  }

  /// The owner answered.
  mutating func notified(hasProperty: Bool) -> Action {
    guard !isConverted else { return .wait }
    guard hasProperty else { return convertNext() }
    isConverted = true
    return .read
  }

  /// The property has a new value.
  func propertyAppeared() -> Action { isIncremental ? .read : .wait }

  /// The property was read and deleted; nil when it was not there.
  mutating func received(_ value: PropertyValue?) -> Action {
    guard let value else { return isIncremental ? .wait : .finish(nil) }
    if isIncremental {
      // An empty part is the end.
      guard !value.bytes.isEmpty else { return .finish(content) }
      if content == nil { content = SelectionContent(type: value.type, bytes: []) }
      content!.bytes += value.bytes
      return content!.bytes.count > Self.maximumSize ? .finish(nil) : .wait
    }
    if value.type == incrementalType {
      isIncremental = true
      return .wait
    }
    return .finish(SelectionContent(type: value.type, bytes: value.bytes))
  }
}

/// A long text on its way to another program, part by part (ICCCM 2.7.2).
struct OutgoingTransfer {
  let type: Atom
  private let bytes: [UInt8]
  private let partSize: Int
  private var offset = 0
  private(set) var isFinished = false

  init(type: Atom, bytes: [UInt8], partSize: Int) {
    self.type = type
    self.bytes = bytes
    self.partSize = partSize
  }

  /// The next part; the last one is empty and says that nothing follows.
  mutating func next() -> ArraySlice<UInt8> {
    let part = bytes[offset..<min(offset + partSize, bytes.count)]
    offset = part.endIndex
    if part.isEmpty { isFinished = true }
    return part
  }
}
