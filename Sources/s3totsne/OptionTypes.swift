public import ArgumentParser
public import Export
public import Neighbors
public import ObjectStorage
public import Replica
public import TSNE
public import Viewer

extension Metric: ExpressibleByArgument {
  /// The distances that work, in the order of the top bar's list.
  public static var allValueStrings: [String] { allCases.filter(\.isSupported).map(\.rawValue) }
}

extension StorageOptions.AddressingStyle: ExpressibleByArgument {}

extension ViewerOptions.Appearance: ExpressibleByArgument {}

extension TSNEParameters.LearningRate: ExpressibleByArgument {
  /// Reads `auto` or a number.
  public init?(argument: String) {
    if argument == "auto" {
      self = .automatic
    } else if let rate = Double(argument) {
      self = .value(rate)
    } else {
      return nil
    }
  }

  /// As it is typed.
  public var defaultValueDescription: String {
    switch self {
    case .automatic: "auto"
    case .value(let rate): "\(rate)"
    }
  }
}

extension PictureSize: ExpressibleByArgument {
  /// Reads `3840x2160`.
  public init?(argument: String) { self.init(parsing: argument) }

  /// As it is typed.
  public var defaultValueDescription: String { description }
}

/// What an image is compared by.
enum FeatureKind: String, CaseIterable, ExpressibleByArgument {
  case pixels
}

extension ReplicaChoice: ExpressibleByArgument {
  /// A bucket's name, “none” or “auto”.
  public init?(argument: String) {
    switch argument {
    case "none": self = .none
    case "auto": self = .automatic
    default:
      let isName = argument.utf8.allSatisfy { byte in
        "-._".utf8.contains(byte) || Character(Unicode.Scalar(byte)).isLetter
          || Character(Unicode.Scalar(byte)).isNumber
      }
      guard isName, (3...255).contains(argument.utf8.count), argument.utf8.allSatisfy({ $0 < 128 }) else { return nil }
      self = .bucket(argument)
    }
  }

  /// As `init(argument:)` reads it.
  public var defaultValueDescription: String {
    switch self {
    case .automatic: "auto"
    case .none: "none"
    case .bucket(let name): name
    }
  }
}

/// A size in bytes as it is typed: `20GB`, `1.5 TB`, `500000000`; decimal units, as disks and networks count.
struct ByteSize: ExpressibleByArgument {
  var bytes: Int64

  init(bytes: Int64) { self.bytes = bytes }

  init?(argument: String) {
    let text = argument.lowercased().filter { $0 != " " }
    let units: [(String, Double)] = [
      ("tib", 1_099_511_627_776), ("gib", 1_073_741_824), ("mib", 1_048_576), ("kib", 1024), ("tb", 1e12), ("gb", 1e9),
      ("mb", 1e6), ("kb", 1e3), ("t", 1e12), ("g", 1e9), ("m", 1e6), ("k", 1e3), ("b", 1), ("", 1),
    ]
    for (unit, factor) in units where text.hasSuffix(unit) {
      guard let number = Double(text.dropLast(unit.count)), number.isFinite, number >= 0, number * factor < 9e18 else {
        return nil
      }
      bytes = Int64(number * factor)
      return
    }
    return nil
  }

  var defaultValueDescription: String { bytesText(bytes) }
}
