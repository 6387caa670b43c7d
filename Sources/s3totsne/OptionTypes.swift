public import ArgumentParser
public import Arrangements
public import Export
public import Features
public import Neighbors
public import ObjectStorage
public import Replica
public import Scene
public import TSNE
public import Viewer

extension Metric: ExpressibleByArgument {
  /// The distances in the order of the top bar's list.
  public static var allValueStrings: [String] { allCases.map(\.rawValue) }
}

extension StorageOptions.AddressingStyle: ExpressibleByArgument {}

/// Who pays for requests, besides the bucket's owner.
enum RequestPayer: String, CaseIterable, ExpressibleByArgument {
  case requester
}

extension ViewerOptions.Appearance: ExpressibleByArgument {}

extension ArrangementMode: ExpressibleByArgument {}

extension LabelKind: ExpressibleByArgument {}

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

extension FeatureKind: ExpressibleByArgument {}

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
