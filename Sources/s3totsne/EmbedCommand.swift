import ArgumentParser
import Export
import Foundation
import NPY
import Neighbors
import Numerics
import TSNE

/// `s3totsne embed FEATURES.npy LAYOUT.npy`: t-SNE alone, on any matrix.
struct EmbedCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "embed", abstract: "Lay out the rows of any matrix by t-SNE: an NPY file in, an NPY file out.",
    discussion: """
      FEATURES.npy is a matrix as numpy.save writes it, a row an object and a column a feature: 8- to 64-bit integers or \
      16-, 32- or 64-bit floats. LAYOUT.npy becomes a float32 matrix of two columns, x and y, its rows in the same order. \
      A - instead of a name is standard input or standard output. Progress goes to standard error.

      Rows of more than 50 columns are first reduced to their 50 principal components where the distance allows it.

      EXAMPLES
        s3totsne embed features.npy layout.npy
        s3totsne embed features.npy layout.npy --metric euclidean --perplexity 50 --seed 1
        s3totsne embed features.npy layout.npy --late-exaggeration 4 --early-iterations 500
        s3totsne embed features.npy finer.npy --start layout.npy --early-iterations 0 --iterations 250
        s3totsne embed features.npy layout.npy --json --quiet | jq .kl_divergence
        python3 make_features.py | s3totsne embed - - | python3 draw.py

      Ctrl+C ends the layout at the present iteration, writes it, and exits with 130.

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 130 interrupted
      """)

  @Argument(
    help: ArgumentHelp("The matrix, an NPY file.", valueName: "features.npy"), completion: .file(extensions: ["npy"]))
  var features: String

  @Argument(
    help: ArgumentHelp("Where the positions go, an NPY file.", valueName: "layout.npy"),
    completion: .file(extensions: ["npy"]))
  var layout: String

  @Flag(help: "Print one JSON object with the results on standard output, at the end.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress on standard error.")
  var quiet = false

  @OptionGroup(title: "t-SNE") var tsne: TSNEOptions

  @Option(
    help: ArgumentHelp(
      "Where the points begin: pca, random, or an NPY file with x and y of each, such as a former layout.",
      valueName: "start"))
  var start = StartChoice.principalComponents

  @Option(
    help: ArgumentHelp(
      "To how many principal components longer rows are reduced, 2 to 100, or off.", valueName: "count"))
  var pca = ReductionChoice.components(50)

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The exponent of the distances minkowski and wminkowski.", valueName: "p"))
  var minkowskiP = 2.0

  @Option(
    help: ArgumentHelp(
      "Weights of the columns for minkowski and wminkowski: numbers with commas, or an NPY file.",
      valueName: "weights"))
  var weights: WeightsChoice?

  func validate() throws {
    if layout == "-" {
      if json { throw ValidationError("--json and a layout to - would both go to standard output; choose one.") }
      if isatty(STDOUT_FILENO) == 1 {
        throw ValidationError("The layout would go to the terminal; send it to a file or a program, or name a file.")
      }
    }
    let inputs = [features, start.path, weights?.path].compactMap { $0 }
    if inputs.filter({ $0 == "-" }).count > 1 { throw ValidationError("Standard input can be read only once.") }
    if layout != "-", let same = inputs.first(where: { $0 != "-" && isSameFile($0, layout) }) {
      throw ValidationError("The layout would take the place of “\(same)”, which is read; give it another name.")
    }
    if minkowskiP != 2, !tsne.metric.value.hasParameters {
      throw ValidationError("--minkowski-p is for the distances minkowski and wminkowski, not \(tsne.metric.value).")
    }
    // Weights of a file are known later; that there are some is known now.
    var parameters = MetricParameters(minkowskiP: minkowskiP)
    switch weights {
    case .numbers(let numbers): parameters.weights = numbers
    case .file: parameters.weights = [1]
    case nil: break
    }
    if let problem = parameters.problem(for: tsne.metric.value) { throw ValidationError(problem) }
  }

  func run() throws {
    let output = try layout == "-" ? nil : openOutput(layout)
    let interruption = Interruption()
    let token = CancellationToken()
    interruption.onSignal { token.cancel() }
    let progress = TerminalProgress(isQuiet: quiet)
    let clock = StageClock()

    progress.show(stage: "read", fraction: nil) { "Reading \(features == "-" ? "standard input" : features)" }
    let matrix = try read(features)
    do { try matrix.checkFinite(threads: tsne.effectiveThreads) } catch { throw unreadable(features, error) }
    var parameters = tsne.parameters
    parameters.start = try readStart(rows: matrix.rowCount)
    var embedding = Embedding(parameters: parameters, metric: tsne.metric.value, reducedDimension: pca.count)
    embedding.metricParameters = MetricParameters(
      minkowskiP: minkowskiP, weights: try readWeights(columns: matrix.columnCount))
    clock.end("read")

    let result: Embedding.Result
    do {
      defer { progress.finish() }
      result = try embedding.run(matrix.rows, token: token, clock: clock, progress: progress)
    } catch is CancellationError {
      throw CommandFailure(
        .interrupted(by: interruption.signal ?? SIGINT), kind: "interrupted",
        "Interrupted before the layout had begun; nothing was written.")
    } catch let error as NeighborSearchError {
      throw CommandFailure(.failed, kind: "input", error.description)
    } catch let error as TSNEError {
      throw CommandFailure(.failed, kind: "input", error.description)
    }
    let file = NPYArray(result.positions, shape: [matrix.rowCount, 2]).fileBytes
    if let output {
      do { try output.write(file) } catch { throw CommandFailure(.failed, kind: "output", error.description) }
    } else {
      try writeToStandardOutput(file)
    }
    clock.end("write")

    let isStopped = result.iterations < tsne.iterations.value && token.isCancelled
    let report = EmbedReport(
      matrix: matrix, options: tsne, result: result, seconds: clock.seconds,
      interruption: isStopped
        ? "Interrupted at iteration \(result.iterations) of \(tsne.iterations.value); the layout as it stood was written."
        : nil)
    for note in result.notes { progress.note(note) }
    if json { try writeJSON(report) }
    if let sentence = report.error {
      writeToStandardError(sentence)
      throw ExitCode(ExitStatus.interrupted(by: interruption.signal ?? SIGINT).rawValue)
    }
    if !quiet { writeToStandardError(report.summary) }
  }

  private func openOutput(_ path: String) throws -> OutputFile {
    do { return try OutputFile(path: path) } catch {
      throw CommandFailure(.failed, kind: "output", error.description)
    }
  }

  private func read(_ path: String, vectorIsRow: Bool = false) throws -> NPYMatrix {
    do { return try NPYMatrix(path: path, vectorIsRow: vectorIsRow) } catch { throw unreadable(path, error) }
  }

  private func unreadable(_ path: String, _ error: NPYError) -> CommandFailure {
    let name = path == "-" ? "Standard input" : printable(path)
    return CommandFailure(.failed, kind: "input", "\(name) cannot be used: \(error)")
  }

  private func readWeights(columns: Int) throws -> [Double]? {
    let numbers: [Double]
    switch weights {
    case nil: return nil
    case .numbers(let given): numbers = given
    case .file(let path): numbers = try read(path, vectorIsRow: true).floats().map(Double.init)
    }
    guard numbers.count == columns else {
      throw CommandFailure(
        .wrongUsage, kind: "usage", "There are \(numbers.count) weights for \(columns) columns; each needs one.")
    }
    return numbers
  }

  private func readStart(rows: Int) throws -> TSNEParameters.Start {
    switch start {
    case .principalComponents: return .principalComponents
    case .random: return .random
    case .file(let path):
      let positions = try read(path)
      do { try positions.checkFinite(threads: 1) } catch { throw unreadable(path, error) }
      guard positions.rowCount == rows, positions.columnCount == 2 else {
        throw CommandFailure(
          .failed, kind: "input",
          "\(printable(path)) cannot be the start: it has \(positions.rowCount) rows of \(positions.columnCount); "
            + "\(rows) of 2 are needed, x and y of each row of the features.")
      }
      return .positions(positions.floats())
    }
  }
}

/// Whether two names are those of one file that exists.
private func isSameFile(_ one: String, _ other: String) -> Bool {
  var (first, second) = (stat(), stat())
  return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_mode & S_IFMT == S_IFREG
    && first.st_dev == second.st_dev && first.st_ino == second.st_ino
}
