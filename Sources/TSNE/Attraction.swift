import Numerics

/// The forces that pull together what is near in the data: for each i the sum over its edges of pᵢⱼ (yᵢ−yⱼ)/(1+|yᵢ−yⱼ|²) (van der
/// Maaten & Hinton 2008; over near neighbours only: van der Maaten 2014).
///
/// The edges are kept in the order in which the optimiser numbers its points. Along a space-filling curve most edges lead to a
/// near number and take 32 bits (`EdgeWord`); the others take 64. The weights of words are rounded, so the sum of all is no
/// longer 1: `weightSum`.
final class Attraction {
  private let count: Int
  private let kernels = SIMDKernels.chosen
  private var wordStart: [UInt64]
  private var words: [UInt32]
  private var farStart: [UInt64]
  private var farColumns: [UInt32]
  private var farValues: [Float]
  /// The sum of all weights as they are kept.
  private(set) var weightSum = 1.0
  /// First rows of pieces of about equally many edges; one more at the end.
  private var pieces: [Int] = [0]

  /// Rows a piece of work when edges are rewritten.
  private static let pieceRows = 1024

  /// Takes the edges of points numbered anew: new point i was `order[i]`. Each row's edges are sorted by their new numbers, so
  /// that sums do not depend on the numbers before.
  init(
    _ affinities: Affinities, order: [Int32], pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) {
    count = affinities.count
    (wordStart, words, farStart, farColumns, farValues) = ([0], [], [0], [], [])
    let rank = Self.rank(order)
    let longest = (0..<count).reduce(0) { max($0, Int(affinities.rowStart[$1 + 1] - affinities.rowStart[$1])) }
    let keys = WorkerScratch(floats: 2 * longest, workers: pool.threads)
    affinities.columns.withUnsafeBufferPointer { columns in
      affinities.values.withUnsafeBufferPointer { values in
        affinities.rowStart.withUnsafeBufferPointer { start in
          order.withUnsafeBufferPointer { order in
            rank.withUnsafeBufferPointer { rank in
              write(pool, token) { row, isCounting, worker, body in
                let entries = Int(start[Int(order[row])])..<Int(start[Int(order[row]) + 1])
                if isCounting {
                  for entry in entries { body(Int(rank[Int(columns[entry])]), 0) }
                  return
                }
                let sorted = UnsafeMutableRawPointer(keys[worker]).bindMemory(to: UInt64.self, capacity: longest)
                for (place, entry) in entries.enumerated() {
                  sorted[place] = UInt64(rank[Int(columns[entry])]) << 32 | UInt64(values[entry].bitPattern)
                }
                DistanceKeys.sort(sorted, count: entries.count)
                for place in 0..<entries.count {
                  body(Int(sorted[place] >> 32), Float(bitPattern: UInt32(truncatingIfNeeded: sorted[place])))
                }
              }
            }
          }
        }
      }
    }
    try token.check()
    weighWords(pool)
  }

  private static func rank(_ order: [Int32]) -> [UInt32] {
    var rank = [UInt32](repeating: 0, count: order.count)
    for (i, old) in order.enumerated() { rank[Int(old)] = UInt32(i) }
    return rank
  }

  private func weighWords(_ pool: ThreadPool) {
    let count = words.count
    let size = 1 << 16
    var sums = [Double](repeating: 0, count: (count + size - 1) / size)
    sums.withUnsafeMutableBufferPointer { sums in
      words.withUnsafeBufferPointer { words in
        pool.run(over: count, pieces: size) { entries, piece, _ in
          var sum = 0.0
          for entry in entries { sum += Double(EdgeWord.weight(words[entry])) }
          sums[piece] = sum
        }
      }
    }
    let total = farValues.reduce(sums.reduce(0, +)) { $0 + Double($1) }
    weightSum = total > 0 ? total : 1
  }

  /// Whether no point attends to any other.
  var isEmpty: Bool { words.isEmpty && farColumns.isEmpty }

  /// Writes 2 × count forces, x and y of each point.
  func compute(
    _ positions: UnsafePointer<Float>, forces: UnsafeMutablePointer<Float>, pool: ThreadPool, token: CancellationToken
  ) throws(CancellationError) {
    withPointers { edges in
      pool.run(pieces.count - 1) { piece, _ in
        if token.isCancelled { return }
        kernels.attraction(edges, rows: pieces[piece]..<pieces[piece + 1], positions: positions, into: forces)
      }
    }
    try token.check()
  }

  /// The sum over all edges of pᵢⱼ log(1+|yᵢ−yⱼ|²).
  func cost(_ positions: UnsafePointer<Float>, pool: ThreadPool) -> Double {
    var sums = [Double](repeating: 0, count: pieces.count - 1)
    sums.withUnsafeMutableBufferPointer { sums in
      withPointers { edges in
        pool.run(sums.count) { piece, _ in
          sums[piece] = kernels.attractionCost(edges, rows: pieces[piece]..<pieces[piece + 1], positions: positions)
        }
      }
    }
    return sums.reduce(0, +)
  }

  /// Numbers the points anew: new point i was `order[i]`. Nothing has changed if it throws.
  func renumber(_ order: [Int32], pool: ThreadPool, token: CancellationToken) throws(CancellationError) {
    let rank = Self.rank(order)
    let (oldWordStart, oldWords) = (wordStart, words)
    let (oldFarStart, oldFarColumns, oldFarValues) = (farStart, farColumns, farValues)
    oldWordStart.withUnsafeBufferPointer { wordStart in
      oldWords.withUnsafeBufferPointer { words in
        oldFarStart.withUnsafeBufferPointer { farStart in
          oldFarColumns.withUnsafeBufferPointer { farColumns in
            oldFarValues.withUnsafeBufferPointer { farValues in
              rank.withUnsafeBufferPointer { rank in
                order.withUnsafeBufferPointer { order in
                  write(pool, token) { row, _, _, body in
                    let old = Int(order[row])
                    for entry in Int(wordStart[old])..<Int(wordStart[old + 1]) {
                      body(Int(rank[EdgeWord.column(words[entry], from: old)]), EdgeWord.weight(words[entry]))
                    }
                    for entry in Int(farStart[old])..<Int(farStart[old + 1]) {
                      body(Int(rank[Int(farColumns[entry])]), farValues[entry])
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
    try token.check()
  }

  /// Replaces all edges: `edges(row, isCounting, worker, body)` calls `body` for each of a row's, and is asked twice; only the
  /// numbers count the first time. Does nothing once cancelled.
  private func write(
    _ pool: ThreadPool, _ token: CancellationToken,
    _ edges: (_ row: Int, _ isCounting: Bool, _ worker: Int, _ body: (Int, Float) -> Void) -> Void
  ) {
    var wordStart = [UInt64](repeating: 0, count: count + 1)
    var farStart = wordStart
    wordStart.withUnsafeMutableBufferPointer { wordStart in
      farStart.withUnsafeMutableBufferPointer { farStart in
        pool.run(over: count, pieces: Self.pieceRows) { rows, _, worker in
          if token.isCancelled { return }
          for row in rows {
            var (near, far) = (0, 0)
            edges(row, true, worker) { column, _ in
              if EdgeWord.reaches(from: row, to: column) { near += 1 } else { far += 1 }
            }
            wordStart[row + 1] = UInt64(near)
            farStart[row + 1] = UInt64(far)
          }
        }
      }
    }
    if token.isCancelled { return }
    for row in 0..<count {
      wordStart[row + 1] += wordStart[row]
      farStart[row + 1] += farStart[row]
    }
    var words = [UInt32](uninitialized: Int(wordStart[count]))
    var farColumns = [UInt32](uninitialized: Int(farStart[count]))
    var farValues = [Float](uninitialized: Int(farStart[count]))
    words.withUnsafeMutableBufferPointer { words in
      farColumns.withUnsafeMutableBufferPointer { farColumns in
        farValues.withUnsafeMutableBufferPointer { farValues in
          pool.run(over: count, pieces: Self.pieceRows) { rows, _, worker in
            if token.isCancelled { return }
            for row in rows {
              var (near, far) = (Int(wordStart[row]), Int(farStart[row]))
              edges(row, false, worker) { column, value in
                if EdgeWord.reaches(from: row, to: column) {
                  words[near] = EdgeWord.pack(from: row, to: column, value)
                  near += 1
                } else {
                  farColumns[far] = UInt32(column)
                  farValues[far] = value
                  far += 1
                }
              }
            }
          }
        }
      }
    }
    if token.isCancelled { return }
    (self.wordStart, self.words) = (wordStart, words)
    (self.farStart, self.farColumns, self.farValues) = (farStart, farColumns, farValues)
    divide()
  }

  private func divide() {
    func edges(before row: Int) -> UInt64 { wordStart[row] + farStart[row] }
    let target = max(4096, edges(before: count) / 64)
    pieces = [0]
    for row in 0..<count where edges(before: row + 1) - edges(before: pieces[pieces.count - 1]) >= target {
      pieces.append(row + 1)
    }
    if pieces[pieces.count - 1] < count { pieces.append(count) }
  }

  private func withPointers(_ body: (EdgePointers) -> Void) {
    wordStart.withUnsafeBufferPointer { wordStart in
      words.withUnsafeBufferPointer { words in
        farStart.withUnsafeBufferPointer { farStart in
          farColumns.withUnsafeBufferPointer { farColumns in
            farValues.withUnsafeBufferPointer { farValues in
              guard let wordStart = wordStart.baseAddress, let words = words.baseAddress,
                let farStart = farStart.baseAddress, let farColumns = farColumns.baseAddress,
                let farValues = farValues.baseAddress
              else { return }
              body(
                EdgePointers(
                  wordStart: wordStart, words: words, farStart: farStart, farColumns: farColumns, farValues: farValues))
            }
          }
        }
      }
    }
  }
}
