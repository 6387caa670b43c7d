import Foundation

// Classes that follow one another: by the size of files, and by shape.
extension Labelling {
  /// By the size of the file, between round numbers of bytes that are chosen so that the classes tell most.
  init(sizesOf images: [LabelledImage]) {
    let sorted = images.map(\.size).sorted()
    var best: (limits: [Int64], information: Double) = ([], 0)
    for ladder in Self.ladders {
      let limits = Self.roundLimits(for: sorted, steps: ladder)
      let counts = Self.counts(of: sorted, limits: limits)
      let information = Self.information(counts, of: sorted.count)
      // Rounder numbers are given up only for something worth it.
      if information > best.information + 0.15 { best = (limits, information) }
    }
    let limits = best.limits
    let names = (0...limits.count).map { index -> String in
      if limits.isEmpty { return "all of about one size" }
      if index == 0 { return "under \(Self.bytes(limits[0]))" }
      if index == limits.count { return "\(Self.bytes(limits[index - 1])) and more" }
      return Self.range(limits[index - 1], limits[index])
    }
    self.init(
      kind: .size, names: names, slots: images.map(\.slot),
      classes: images.map { Self.index(of: $0.size, among: limits) })
  }

  /// Digits that limits may begin with, the roundest first.
  private static let ladders: [[Double]] = [
    [1], [1, 2, 5], [1, 1.5, 2, 3, 5, 7], [1, 1.2, 1.4, 1.6, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9],
  ]
  /// As many classes in a row as can be told apart by their colour.
  static let mostOrdered = 9

  /// Limits between classes that all hold something; the emptiest at either end are taken into their neighbours while
  /// there are too many.
  private static func roundLimits(for sorted: [Int64], steps: [Double]) -> [Int64] {
    guard let least = sorted.first, let most = sorted.last, most > least else { return [] }
    var limits: [Int64] = []
    for exponent in 0...18 {
      for step in steps {
        let limit = (step * pow(10, Double(exponent))).rounded()
        if limit > Double(least), limit <= Double(most), limit != Double(limits.last ?? -1) {
          limits.append(Int64(limit))
        }
      }
    }
    var counts = counts(of: sorted, limits: limits)
    // What nothing lies in is no class.
    for index in stride(from: counts.count - 1, to: 0, by: -1) where counts[index] == 0 {
      counts.remove(at: index)
      limits.remove(at: index - 1)
    }
    while counts.count > mostOrdered {
      if counts[0] <= counts[counts.count - 1] {
        let first = counts.removeFirst()
        counts[0] += first
        limits.removeFirst()
      } else {
        let last = counts.removeLast()
        counts[counts.count - 1] += last
        limits.removeLast()
      }
    }
    return limits
  }

  /// How many of the sorted values lie below the first limit, between each and the next, and from the last one on.
  static func counts<Value: Comparable>(of sorted: [Value], limits: [Value]) -> [Int] {
    var counts: [Int] = []
    var begin = 0
    for limit in limits {
      let end = firstIndex(in: sorted, notBelow: limit)
      counts.append(end - begin)
      begin = end
    }
    return counts + [sorted.count - begin]
  }

  /// How many limits a value has reached.
  static func index<Value: Comparable>(of value: Value, among limits: [Value]) -> Int {
    var (low, high) = (0, limits.count)
    while low < high {
      let middle = (low + high) / 2
      if limits[middle] <= value { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func firstIndex<Value: Comparable>(in sorted: [Value], notBelow limit: Value) -> Int {
    var (low, high) = (0, sorted.count)
    while low < high {
      let middle = (low + high) / 2
      if sorted[middle] < limit { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private static func parts(_ value: Int64) -> (number: String, unit: String) {
    var amount = Double(value)
    var units = ["B", "KB", "MB", "GB", "TB", "PB"][...]
    while amount >= 1000, units.count > 1 {
      amount /= 1000
      units.removeFirst()
    }
    return (amount == amount.rounded() ? String(Int(amount)) : String(amount), units.first ?? "B")
  }

  private static func bytes(_ value: Int64) -> String {
    let (number, unit) = parts(value)
    return "\(number) \(unit)"
  }

  private static func range(_ low: Int64, _ high: Int64) -> String {
    let (from, to) = (parts(low), parts(high))
    return from.unit == to.unit ? "\(from.number)–\(to.number) \(to.unit)" : "\(bytes(low)) – \(bytes(high))"
  }

  /// By shape, from the tallest to the widest, as people speak of shapes; those whose extent is not known yet have no class.
  init(shapesOf images: [LabelledImage]) {
    let classes = images.map { image -> Int? in
      guard image.width > 0, image.height > 0 else { return nil }
      return Self.index(of: Double(image.width) / Double(image.height), among: Self.shapes.dropFirst().map(\.from))
    }
    self.init(kind: .aspect, names: Self.shapes.map(\.name), slots: images.map(\.slot), classes: classes)
  }

  /// Classes of shapes, and the width over height from which they count.
  private static let shapes: [(name: String, from: Double)] = [
    ("very tall, over 1:2", 0), ("tall, about 9:16", 0.5), ("upright, about 3:4", 0.63),
    ("square, or nearly", 0.95), ("landscape, about 4:3", 1 / 0.95), ("wide, about 16:9", 1 / 0.63),
    ("very wide, over 2:1", 2.0000001),
  ]
}
