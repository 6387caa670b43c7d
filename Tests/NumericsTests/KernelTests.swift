import CKernels
import Foundation
import Testing

import struct TestSupport.Computing

@testable import Numerics

// Every instruction set that this processor has, against plain double-precision loops. Those that it lacks are printed.
let levels: [SIMDLevel] = SIMDLevel.allCases.filter { level in
  if !level.isAvailable { print("skipped on this processor: \(level)") }
  return level.isAvailable
}

private func kernels(_ level: SIMDLevel) throws -> ck_kernels { try #require(level.kernels).table.pointee }

private func randoms(_ count: Int, seed: UInt64, scale: Double = 1) -> [Float] {
  var random = SplitMix64(seed: seed)
  return (0..<count).map { _ in Float(random.normal() * scale) }
}

@Test("attraction and its cost equal their definitions, for edges in words and far ones", .computing, arguments: levels)
func attractionEqualsDefinition(level: SIMDLevel) throws {
  let table = try kernels(level)
  var random = SplitMix64(seed: 1)
  let n = 60
  let y = randoms(2 * n, seed: 2, scale: 5)
  var starts: [UInt64] = [0]
  var wordStarts: [UInt64] = [0]
  var farStarts: [UInt64] = [0]
  var (columns, words, farColumns): ([UInt32], [UInt32], [UInt32]) = ([], [], [])
  var (p, farValues): ([Float], [Float]) = ([], [])
  for row in 0..<n {
    for edge in 0..<row {  // rows of every length
      let column = Int(random.next() % UInt64(n))
      let word = EdgeWord.pack(from: row, to: column, Float(random.uniform()))
      columns.append(UInt32(column))
      p.append(EdgeWord.weight(word))
      if edge % 3 == 0 {
        farColumns.append(UInt32(column))
        farValues.append(EdgeWord.weight(word))
      } else {
        words.append(word)
      }
    }
    starts.append(UInt64(columns.count))
    wordStarts.append(UInt64(words.count))
    farStarts.append(UInt64(farColumns.count))
  }
  var out = [Float](repeating: .nan, count: 2 * n)
  var cost = 0.0
  wordStarts.withUnsafeBufferPointer { wordStarts in
    words.withUnsafeBufferPointer { words in
      farStarts.withUnsafeBufferPointer { farStarts in
        farColumns.withUnsafeBufferPointer { farColumns in
          farValues.withUnsafeBufferPointer { farValues in
            var edges = ck_edges(
              word_start: wordStarts.baseAddress, words: words.baseAddress, far_start: farStarts.baseAddress,
              far_columns: farColumns.baseAddress, far_values: farValues.baseAddress)
            table.attraction(&edges, y, &out, 0, n)
            cost = table.attraction_cost(&edges, y, 0, n)
          }
        }
      }
    }
  }
  var expectedCost = 0.0
  for row in 0..<n {
    var force = (0.0, 0.0)
    var size = 1e-3
    for e in Int(starts[row])..<Int(starts[row + 1]) {
      let j = Int(columns[e])
      let (dx, dy) = (Double(y[2 * row] - y[2 * j]), Double(y[2 * row + 1] - y[2 * j + 1]))
      let s = 1 + dx * dx + dy * dy
      force = (force.0 + Double(p[e]) * dx / s, force.1 + Double(p[e]) * dy / s)
      size += Double(p[e]) * (abs(dx) + abs(dy)) / s
      expectedCost += Double(p[e]) * log(s)
    }
    // The reciprocal is the processor's estimate.
    #expect(abs(Double(out[2 * row]) - force.0) < 4e-4 * size)
    #expect(abs(Double(out[2 * row + 1]) - force.1) < 4e-4 * size)
  }
  #expect(abs(cost - expectedCost) < 1e-5 * expectedCost)
}

@Test("near pairs equal their definition", .computing, arguments: levels)
func nearPairsEqualDefinition(level: SIMDLevel) throws {
  let table = try kernels(level)
  let n = 64
  let x = randoms(n, seed: 3, scale: 2)
  let y = randoms(n, seed: 4, scale: 2)
  var out = [Float](repeating: 0, count: 2 * n)
  let sum = table.near_pairs(ck_near(radius2: 9), x, y, n, x, y, n, &out)
  var expectedSum = 0.0
  for i in 0..<n {
    var force = (0.0, 0.0)
    for j in 0..<n {
      let (dx, dy) = (Double(x[i] - x[j]), Double(y[i] - y[j]))
      let s = dx * dx + dy * dy
      let u = max(0, (9 - s) / 10)
      let w = 1 / (1 + s)
      expectedSum += w * u * u * u
      let f = w * u * u * (w * u + 0.3)
      force = (force.0 + f * dx, force.1 + f * dy)
    }
    #expect(abs(Double(out[2 * i]) - force.0) < 1e-4)
    #expect(abs(Double(out[2 * i + 1]) - force.1) < 1e-4)
  }
  #expect(abs(sum - expectedSum) < 1e-5 * expectedSum)
}

@Test("a transform equals the sums of the definition, for every factor", .computing, arguments: levels)
func transformEqualsDefinition(level: SIMDLevel) throws {
  let table = try kernels(level)
  let lanes = table.lanes
  for length in [2, 6, 10, 16, 30, 48, 54, 100, 120] {
    let plan = try #require(ck_fft_plan_create(length))
    defer { ck_fft_plan_destroy(plan) }
    let inputRe = randoms(length * lanes, seed: 5)
    let inputIm = randoms(length * lanes, seed: 6)
    var (re, im) = (inputRe, inputIm)
    var (workRe, workIm) = (inputRe, inputIm)
    table.fft(plan, &re, &im, &workRe, &workIm)
    for lane in [0, lanes - 1] {
      for k in 0..<length {
        var sum = (0.0, 0.0)
        for t in 0..<length {
          let angle = -2 * Double.pi * Double(k * t % length) / Double(length)
          let (a, b) = (Double(inputRe[t * lanes + lane]), Double(inputIm[t * lanes + lane]))
          sum = (sum.0 + a * cos(angle) - b * sin(angle), sum.1 + a * sin(angle) + b * cos(angle))
        }
        #expect(abs(Double(re[k * lanes + lane]) - sum.0) < 1e-4, "length \(length)")
        #expect(abs(Double(im[k * lanes + lane]) - sum.1) < 1e-4, "length \(length)")
      }
    }
  }
  #expect(ck_fft_plan_create(14) == nil)
}

@Test("the row's probabilities have the entropy asked for", .computing, arguments: levels)
func calibrationReachesPerplexity(level: SIMDLevel) throws {
  let table = try kernels(level)
  var random = SplitMix64(seed: 7)
  for count in [4, 15, 90, 91] {
    for perplexity in [1.5, Double(count) / 3] {
      let squared = (0..<count + 16).map { _ in Float(0.2 + random.uniform()) }.sorted()
      var p = [Float](repeating: .nan, count: count + 16)
      let beta = table.calibrate(squared, count, log(perplexity), &p)
      let entropy = p[0..<count].reduce(0.0) { $1 > 0 ? $0 - Double($1) * log(Double($1)) : $0 }
      #expect(abs(exp(entropy) - perplexity) < 1e-3 * perplexity)
      #expect(abs(p[0..<count].reduce(0, +) - 1) < 1e-5)
      #expect(abs(Double(p[1] / p[0]) - exp(-beta * Double(squared[1] - squared[0]))) < 1e-4)
    }
  }
}

@Test("equal and coinciding distances calibrate without NaN", .computing, arguments: levels)
func calibrationBearsTies(level: SIMDLevel) throws {
  let table = try kernels(level)
  for squared in [
    [Float](repeating: 0, count: 48), [Float](repeating: 3, count: 48),
    [Float](repeating: 0, count: 20) + [Float](repeating: 1, count: 28), [0] + [Float](repeating: 1e30, count: 47),
  ] {
    var p = [Float](repeating: .nan, count: 64)
    _ = table.calibrate(squared + [Float](repeating: 0, count: 16), 48, log(10), &p)
    #expect(abs(p[0..<48].reduce(0, +) - 1) < 1e-5)
    #expect(p[0..<48].allSatisfy { $0 >= 0 })
  }
}

@Test("distances equal their definitions", .computing, arguments: levels)
func distancesEqualDefinitions(level: SIMDLevel) throws {
  let table = try kernels(level)
  for dimension in [1, 3, 16, 37, 300] {
    let a = randoms(dimension, seed: 8)
    let b = randoms(7 * dimension, seed: 9)
    var sums = [Float](repeating: .nan, count: 7)
    table.manhattan(a, b, dimension, 7, &sums)
    for row in 0..<7 {
      var expected = (0.0, 0.0)
      for t in 0..<dimension {
        let difference = Double(a[t] - b[row * dimension + t])
        expected = (expected.0 + abs(difference), expected.1 + difference * difference)
      }
      #expect(abs(Double(sums[row]) - expected.0) < 1e-5 * expected.0)
      let square = b.withUnsafeBufferPointer { table.squared_distance(a, $0.baseAddress! + row * dimension, dimension) }
      #expect(abs(Double(square) - expected.1) < 1e-5 * expected.1)
    }
  }
}

@Test("a step of descent equals its definition", .computing, arguments: levels)
func updateEqualsDefinition(level: SIMDLevel) throws {
  let table = try kernels(level)
  let n = 50
  let (y0, v0) = (randoms(2 * n, seed: 10), randoms(2 * n, seed: 11))
  let (a, r) = (randoms(2 * n, seed: 12), randoms(2 * n, seed: 13))
  var (y, v, gain) = (y0, v0, [Float](repeating: 1, count: 2 * n))
  let box = table.update(&y, &v, &gain, a, r, n, 12, 0.5, 0.4, 0.8, 5)
  for i in 0..<n {
    var step = [0.0, 0.0]
    for c in 0..<2 {
      let gradient = 12 * Double(a[2 * i + c]) - 0.5 * Double(r[2 * i + c])
      let g = (gradient > 0) != (v0[2 * i + c] > 0) ? 1.2 : 0.8
      step[c] = 0.8 * Double(v0[2 * i + c]) - 0.4 * g * gradient
    }
    let norm = (step[0] * step[0] + step[1] * step[1]).squareRoot()
    for c in 0..<2 {
      #expect(abs(Double(y[2 * i + c]) - Double(y0[2 * i + c]) - step[c] * min(1, 5 / norm)) < 1e-4)
    }
  }
  #expect(box.min_x == (0..<n).map { y[2 * $0] }.min())
  #expect(box.max_y == (0..<n).map { y[2 * $0 + 1] }.max())
}

@Test("the smallest keys are selected, and keys are sorted", .computing)
func selection() {
  var random = SplitMix64(seed: 14)
  for count in [1, 2, 13, 14, 100, 997] {
    let keys = (0..<count).map { _ in random.next() % 500 << 32 | random.next() % 1_000_000 }
    let sorted = keys.sorted()
    var all = keys
    ck_sort_keys(&all, count)
    #expect(all == sorted)
    for keep in Set([1, count / 3, count / 2, count - 1, count]) where keep > 0 {
      var some = keys
      ck_select_smallest(&some, count, keep)
      #expect(some[0..<keep].sorted() == Array(sorted[0..<keep]))
    }
  }
}
