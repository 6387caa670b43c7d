import ArgumentParser
import Foundation

/// Where the points of a layout begin, as it is typed.
enum StartChoice: ExpressibleByArgument, CustomStringConvertible {
  case principalComponents, random
  case file(String)

  /// Reads `pca`, `random`, or the name of a file.
  init?(argument: String) {
    switch argument {
    case "pca": self = .principalComponents
    case "random": self = .random
    case "": return nil
    // A slip must not be looked for as a file.
    case "-": self = .file(argument)
    case _ where argument.hasSuffix(".npy") || argument.contains("/"): self = .file(argument)
    default: return nil
    }
  }

  var path: String? { if case .file(let path) = self { path } else { nil } }

  var description: String {
    switch self {
    case .principalComponents: "pca"
    case .random: "random"
    case .file(let path): path
    }
  }

  /// As it is typed.
  var defaultValueDescription: String { description }
}

/// To how many principal components long rows are reduced, as it is typed.
enum ReductionChoice: ExpressibleByArgument, CustomStringConvertible {
  case off
  case components(Int)

  /// Reads `off` or a number.
  init?(argument: String) {
    if argument == "off" {
      self = .off
    } else if let count = Int(argument), (2...100).contains(count) {
      self = .components(count)
    } else {
      return nil
    }
  }

  var count: Int? { if case .components(let count) = self { count } else { nil } }

  var description: String { count.map(String.init) ?? "off" }

  /// As it is typed.
  var defaultValueDescription: String { description }
}

/// Weights of columns, as they are typed.
enum WeightsChoice: ExpressibleByArgument {
  case numbers([Double])
  case file(String)

  /// Reads numbers with commas between them, or the name of a file.
  init?(argument: String) {
    if argument == "-" || argument.hasSuffix(".npy") || argument.contains("/") {
      self = .file(argument)
      return
    }
    let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
    guard numbers.count == parts.count else { return nil }
    self = .numbers(numbers)
  }

  var path: String? { if case .file(let path) = self { path } else { nil } }
}
