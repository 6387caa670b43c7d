import ArgumentParser

/// The benchmarks, one subcommand a room.
@main
struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "s3totsne-bench", abstract: "Measures the parts of s3totsne.",
    subcommands: [TSNEBench.self, LoadBench.self, RenderBench.self, KernelBench.self, DelayBench.self])
}
