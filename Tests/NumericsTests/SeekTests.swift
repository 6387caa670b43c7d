import CKernels
import Foundation
import Testing

import struct TestSupport.Computing

@testable import Numerics

private func values(_ count: Int, seed: UInt64, zeros: Bool = false) -> [Float] {
  var random = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    let value = Float(random.normal() * 3)
    return zeros && random.next() % 3 == 0 ? 0 : value
  }
}

/// Calls `seek` for `rows` rows against the columns, packed as a panel, all of them below the threshold.
private func distances(
  _ table: ck_kernels, rows: Int, columns: Int, _ call: (UnsafePointer<ck_seekers>, [UInt32]) -> Void,
  _ make: (UnsafeMutablePointer<UInt64>, UnsafeMutablePointer<UInt32>, UnsafePointer<Float>) -> ck_seekers
) -> [[UInt64]] {
  let room = 4 * table.lanes
  var found = [UInt64](repeating: 0, count: rows * room)
  var counts = [UInt32](repeating: 0, count: rows)
  let thresholds = [Float](repeating: .infinity, count: rows)
  found.withUnsafeMutableBufferPointer { found in
    counts.withUnsafeMutableBufferPointer { counts in
      thresholds.withUnsafeBufferPointer { thresholds in
        var seekers = make(found.baseAddress!, counts.baseAddress!, thresholds.baseAddress!)
        seekers.room = room
        call(&seekers, (0..<UInt32(rows)).map { $0 })
      }
    }
  }
  return (0..<rows).map { Array(found[$0 * room..<$0 * room + Int(counts[$0])]) }
}

private func definition(_ measure: ck_measure, _ a: [Float], _ b: [Float], p: Double) -> Double {
  let pairs = zip(a, b).map { (Double($0), Double($1)) }
  switch measure {
  case CK_SQUARED: return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  case CK_MANHATTAN: return pairs.reduce(0) { $0 + abs($1.0 - $1.1) }
  case CK_CHEBYSHEV: return pairs.reduce(0) { max($0, abs($1.0 - $1.1)) }
  case CK_CANBERRA:
    return pairs.reduce(0) { $1.0 == 0 && $1.1 == 0 ? $0 : $0 + abs($1.0 - $1.1) / (abs($1.0) + abs($1.1)) }
  case CK_BRAYCURTIS:
    return pairs.reduce(0) { $0 + abs($1.0 - $1.1) } / pairs.reduce(0) { $0 + abs($1.0 + $1.1) }
  case CK_HAMMING: return Double(pairs.count { $0.0 != $0.1 }) / Double(pairs.count)
  default: return power(pairs.reduce(0) { $0 + power(abs($1.0 - $1.1), p) }, 1 / p)
  }
}

private func power(_ x: Double, _ p: Double) -> Double { x == 0 ? 0 : pow(x, p) }

@Test("tiles of differences and products equal their definitions", .computing, arguments: levels)
func tilesEqualDefinitions(level: SIMDLevel) throws {
  let table = try #require(level.kernels).table.pointee
  let lanes = Int(table.lanes)
  for depth in [1, 7, 300] {
    for rows in [1, 11] {
      let columns = 2 * lanes - 1
      let a = values(rows * depth, seed: 40, zeros: true)
      var b = values(columns * depth, seed: 41, zeros: true)
      for t in 0..<depth { b[t] = a[t] }  // one column equal to a row
      var panel = [Float](repeating: 0, count: depth * 2 * lanes)
      for c in 0..<columns { for t in 0..<depth { panel[t * 2 * lanes + c] = b[c * depth + t] } }
      func square(_ x: ArraySlice<Float>) -> Float { Float(x.reduce(0.0) { $0 + Double($1) * Double($1) }) }
      let squares = (0..<rows).map { square(a[$0 * depth..<($0 + 1) * depth]) }
      for measure in [CK_SQUARED, CK_MANHATTAN, CK_CHEBYSHEV, CK_CANBERRA, CK_BRAYCURTIS, CK_HAMMING, CK_POWER] {
        var terms = [Float](repeating: .infinity, count: 2 * lanes)
        for c in 0..<columns { terms[c] = measure == CK_SQUARED ? square(b[c * depth..<(c + 1) * depth]) : 0 }
        let found = a.withUnsafeBufferPointer { a in
          squares.withUnsafeBufferPointer { squares in
            distances(
              table, rows: rows, columns: columns,
              { seekers, slots in
                table.seek(measure, 2.5, seekers, slots, rows, panel, depth, terms, 100)
              },
              { found, counts, thresholds in
                ck_seekers(
                  values: a.baseAddress, bits: nil, stride: depth, terms: squares.baseAddress, thresholds: thresholds,
                  found: found, room: 0, counts: counts)
              })
          }
        }
        for row in 0..<rows {
          #expect(found[row].map { DistanceKeys.index($0) } == Array(100..<100 + columns), "the last lane is no column")
          let mine = Array(a[row * depth..<(row + 1) * depth])
          for key in found[row] {
            let c = DistanceKeys.index(key) - 100
            let expected = definition(measure, mine, Array(b[c * depth..<(c + 1) * depth]), p: 2.5)
            if measure == CK_BRAYCURTIS, !expected.isFinite { continue }
            let tolerance = measure == CK_SQUARED ? 1e-5 * Double(squares[row] + terms[c]) : 5e-6 * expected
            #expect(abs(Double(DistanceKeys.distance(key)) - expected) <= tolerance + 1e-7)
          }
        }
      }
    }
  }
}

@Test("tiles of bits equal their definitions, undefined ones are 0", .computing, arguments: levels)
func bitTilesEqualDefinitions(level: SIMDLevel) throws {
  let table = try #require(level.kernels).table.pointee
  let lanes = Int(table.lanes)
  var random = SplitMix64(seed: 42)
  for n in [5, 64, 200] {
    let words = (n + 63) / 64
    let (rows, columns) = (6, 2 * lanes - 1)
    func bits(_ count: Int) -> [[Bool]] {
      (0..<count).map { i in (0..<n).map { _ in i > 0 && random.next() % 3 == 0 } }  // the first one empty
    }
    let (a, b) = (bits(rows), bits(columns))
    func packed(_ row: [Bool]) -> [UInt64] {
      (0..<words).map { w in
        (w * 64..<min(n, w * 64 + 64)).reduce(0) { $0 | (row[$1] ? 1 << UInt64($1 & 63) : 0) }
      }
    }
    let flat = a.flatMap(packed)
    var panel = [UInt64](repeating: 0, count: words * 2 * lanes)
    for (c, row) in b.enumerated() { for (w, word) in packed(row).enumerated() { panel[w * 2 * lanes + c] = word } }
    let mine = a.map { Float($0.count { $0 }) }
    let theirs = b.map { Float($0.count { $0 }) } + [-1]
    for kind in [
      CK_DICE, CK_JACCARD, CK_KULSINSKI, CK_MATCHING, CK_ROGERSTANIMOTO, CK_RUSSELLRAO, CK_SOKALSNEATH, CK_YULE,
    ] {
      let found = flat.withUnsafeBufferPointer { flat in
        mine.withUnsafeBufferPointer { mine in
          distances(
            table, rows: rows, columns: columns,
            { seekers, slots in table.seek_bits(kind, n, seekers, slots, rows, panel, words, theirs, 0) },
            { found, counts, thresholds in
              ck_seekers(
                values: nil, bits: flat.baseAddress, stride: words, terms: mine.baseAddress, thresholds: thresholds,
                found: found, room: 0, counts: counts)
            })
        }
      }
      for row in 0..<rows {
        #expect(found[row].count == columns)
        for key in found[row] {
          let other = b[DistanceKeys.index(key)]
          func count(_ x: Bool, _ y: Bool) -> Double { Double(zip(a[row], other).count { $0.0 == x && $0.1 == y }) }
          let (tt, tf, ft, ff) = (count(true, true), count(true, false), count(false, true), count(false, false))
          func share(_ x: Double, _ y: Double) -> Double { x == 0 ? 0 : x / y }
          let expected =
            switch kind {
            case CK_DICE: share(tf + ft, 2 * tt + tf + ft)
            case CK_JACCARD: share(tf + ft, tt + tf + ft)
            case CK_KULSINSKI: (tf + ft - tt + Double(n)) / (tf + ft + Double(n))
            case CK_MATCHING: (tf + ft) / Double(n)
            case CK_ROGERSTANIMOTO: 2 * (tf + ft) / (tt + ff + 2 * (tf + ft))
            case CK_RUSSELLRAO: (Double(n) - tt) / Double(n)
            case CK_SOKALSNEATH: share(2 * (tf + ft), tt + 2 * (tf + ft))
            default: share(2 * tf * ft, tt * ff + tf * ft)
            }
          #expect(abs(Double(DistanceKeys.distance(key)) - expected) < 1e-6)
        }
      }
    }
  }
}

@Test("only what is below the threshold is found", .computing, arguments: levels)
func thresholdHolds(level: SIMDLevel) throws {
  let table = try #require(level.kernels).table.pointee
  let lanes = Int(table.lanes)
  let panel = (0..<2 * lanes).map { Float($0) }
  let terms = [Float](repeating: 0, count: 2 * lanes)
  var found = [UInt64](repeating: 0, count: 4 * lanes)
  var counts: [UInt32] = [0]
  let row: [Float] = [0]
  let thresholds: [Float] = [3]
  found.withUnsafeMutableBufferPointer { found in
    counts.withUnsafeMutableBufferPointer { counts in
      row.withUnsafeBufferPointer { row in
        thresholds.withUnsafeBufferPointer { thresholds in
          var seekers = ck_seekers(
            values: row.baseAddress, bits: nil, stride: 1, terms: row.baseAddress, thresholds: thresholds.baseAddress,
            found: found.baseAddress, room: found.count, counts: counts.baseAddress)
          table.seek(CK_MANHATTAN, 0, &seekers, [0], 1, panel, 1, terms, 0)
        }
      }
    }
  }
  #expect(counts == [3])
  #expect(found[0..<3].map { DistanceKeys.index($0) } == [0, 1, 2])
}
