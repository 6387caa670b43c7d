public import Foundation

/// What the colour of a picture's frame says.
public enum LabelKind: String, CaseIterable, Codable, Sendable {
  /// The folder that the image lies in.
  case folder
  /// When it was last written.
  case date
  /// The size of its file.
  case size
  /// Its shape.
  case aspect

  /// Whether its classes follow one another, from the least to the most.
  public var isOrdered: Bool { self != .folder }
}

/// What labels are made from.
public struct LabelledImage: Sendable {
  /// Which image.
  public var slot: Int
  /// Its key below the location, its parts separated by `/`.
  public var path: ArraySlice<UInt8>
  /// When it was last written, if that is known.
  public var modified: Date?
  /// The size of its file in bytes.
  public var size: Int64
  /// Its extent in pixels; 0 until it is known.
  public var width, height: Int

  /// What is known of an image.
  public init(
    slot: Int, path: ArraySlice<UInt8>, modified: Date? = nil, size: Int64 = 0, width: Int = 0, height: Int = 0
  ) {
    self.slot = slot
    self.path = path
    self.modified = modified
    self.size = size
    self.width = width
    self.height = height
  }
}

/// The pictures of a map in a few classes, each to be shown in a colour of its own.
public struct Labelling: Sendable {
  /// One class.
  public struct Label: Hashable, Sendable {
    /// What its pictures have in common, in a few words.
    public let name: String
    /// How many they are.
    public let count: Int
  }

  /// There are never more classes than this, the one of all others not counted: more colours are not told apart.
  public static let mostLabels = 12

  /// What the classes are made by.
  public let kind: LabelKind
  /// The classes in their order.
  public let labels: [Label]
  /// Whether the last class is that of all that has no class of its own.
  public let hasOthers: Bool
  /// The class of each picture by slot; `none` where it has none.
  private let classes: [UInt8]

  private static let none = UInt8.max

  /// Pictures in classes.
  /// - Parameter classes: an index into `names` for each image, in the order of `slots`; nil for those without a class.
  ///   Classes that nothing belongs to are left out.
  init(kind: LabelKind, names: [String], hasOthers: Bool = false, slots: [Int], classes: [Int?]) {
    var counts = [Int](repeating: 0, count: names.count)
    for case let label? in classes { counts[label] += 1 }
    let kept = names.indices.filter { counts[$0] > 0 }
    var place = [UInt8](repeating: Self.none, count: names.count)
    for (index, label) in kept.enumerated() { place[label] = UInt8(index) }
    var bySlot = [UInt8](repeating: Self.none, count: (slots.max() ?? -1) + 1)
    for (slot, label) in zip(slots, classes) where slot >= 0 {
      if let label { bySlot[slot] = place[label] }
    }
    self.kind = kind
    labels = kept.map { Label(name: names[$0], count: counts[$0]) }
    self.hasOthers = hasOthers && kept.last == names.count - 1
    self.classes = bySlot
  }

  /// Makes the classes. Takes a moment for many images: to be done in the background.
  /// - Parameter timeZone: where the dates are local.
  public init(by kind: LabelKind, of images: [LabelledImage], timeZone: TimeZone = .current) {
    switch kind {
    case .folder: self.init(foldersOf: images)
    case .date: self.init(datesOf: images, timeZone: timeZone)
    case .size: self.init(sizesOf: images)
    case .aspect: self.init(shapesOf: images)
    }
  }

  /// The class of a picture, as an index into `labels`; nil where it has none.
  @inline(__always)
  public func label(of slot: Int) -> Int? {
    guard slot >= 0, slot < classes.count else { return nil }
    let label = classes[slot]
    return label == Self.none ? nil : Int(label)
  }

  /// The pictures of a class, ascending.
  public func slots(of label: Int) -> [Int] {
    guard labels.indices.contains(label) else { return [] }
    var slots: [Int] = []
    slots.reserveCapacity(labels[label].count)
    for slot in classes.indices where classes[slot] == UInt8(label) { slots.append(slot) }
    return slots
  }

  /// How much a partition tells of a picture: the entropy of its classes, in nats.
  static func information(_ counts: some Sequence<Int>, of total: Int) -> Double {
    guard total > 0 else { return 0 }
    return counts.reduce(0) { sum, count in
      guard count > 0 else { return sum }
      let share = Double(count) / Double(total)
      return sum - share * log(share)
    }
  }
}
