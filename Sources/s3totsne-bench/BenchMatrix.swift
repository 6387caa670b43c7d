import ArgumentParser
import Foundation
import NPY
import Numerics

/// A matrix to measure with.
struct BenchMatrix {
  let name: String
  let rows: any FeatureRows

  /// A file.
  init(path: String, threads: Int) throws {
    do {
      let matrix = try NPYMatrix(path: path)
      try matrix.checkFinite(threads: threads)
      rows = matrix.rows
    } catch {
      throw ValidationError("\(path) cannot be used: \(error)")
    }
    name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
  }

  /// MNIST of this size, 50 principal components, where the directory has it; made otherwise.
  init(count: Int, directory: String?, threads: Int) throws {
    if let directory {
      let path = "\(directory)/mnist_\(count)_pca50.npy"
      if FileManager.default.fileExists(atPath: path) {
        try self.init(path: path, threads: threads)
        return
      }
    }
    try self.init(clusters: count, dimension: 50)
  }

  /// Normally distributed clusters of unequal sizes and widths, the same in every run.
  init(clusters count: Int, dimension: Int) throws {
    let clusters = max(1, min(60, count / 50))
    var random = SplitMix64(seed: 0x5eed)
    let centers = (0..<clusters * dimension).map { _ in Float(3 * random.normal()) }
    let widths = (0..<clusters).map { _ in Float(0.5 + random.uniform()) }
    var values: [Float] = []
    values.reserveCapacity(count * dimension)
    for _ in 0..<count {
      // The product of two uniform numbers favours the first clusters.
      let cluster = Int(random.uniform() * random.uniform() * Double(clusters))
      for column in 0..<dimension {
        values.append(centers[cluster * dimension + column] + widths[cluster] * Float(random.normal()))
      }
    }
    rows = try FloatRows(values, dimension: dimension)
    name = "clusters_\(count)"
  }

  /// Where the common yardstick's matrices lie beside the checkout (`../shared/bench/tsne/data`, where a worktree also finds
  /// them two levels up), or nil.
  static let sharedDirectory: String? = {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { root.deleteLastPathComponent() }
    return ["../shared", "../../shared"]
      .map { root.appendingPathComponent($0 + "/bench/tsne/data").standardizedFileURL.path }
      .first { FileManager.default.fileExists(atPath: $0) }
  }()
}
