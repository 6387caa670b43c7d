import ArgumentParser
import Testing

@testable import s3totsne

/// Options as they are read, and where the program looks for what came with it.
struct OptionTests {
  @Test("a parameter counts as given also with the value that it would have had anyway")
  func given() throws {
    func isExplicit(_ arguments: String...) throws -> Bool { try ViewCommand.parse(arguments).layout.isExplicit }
    #expect(try !isExplicit())
    #expect(try !isExplicit("bucket/folder", "--threads", "1", "--max-megapixels", "10", "--theme", "light"))
    for arguments in [
      ["--perplexity", "30"], ["--exaggeration", "12"], ["--learning-rate", "auto"], ["--metric", "cosine"],
      ["--iterations", "1000"], ["--seed", "0"], ["--features", "pixels"], ["--feature-side", "50"],
      ["--late-exaggeration", "1"], ["--perplexity", "7"],
    ] {
      let command = try ViewCommand.parse(arguments)
      #expect(command.layout.isExplicit, "\(arguments)")
      if arguments[1] != "7" {
        let plain = try ViewCommand.parse([])
        #expect(command.layout.parameters == plain.layout.parameters)
      }
    }
    #expect(ViewCommand.helpMessage().contains("(default: 30"))
  }

  @Test("the sample images are looked for beside the program, in its source tree, and where desktops keep data")
  func samples() {
    let built = SampleImages.candidates(
      program: "/home/me/tree/.build/x86_64-unknown-linux-gnu/release/s3totsne", environment: ["HOME": "/home/me"])
    #expect(built.contains("/home/me/tree/Resources/samples"))
    #expect(built.contains("/home/me/.local/share/s3totsne/samples") && built.contains("/usr/share/s3totsne/samples"))
    let copied = SampleImages.candidates(
      program: "/opt/tool/bin/s3totsne",
      environment: ["XDG_DATA_HOME": "/data", "XDG_DATA_DIRS": "/a:relative:/b", "HOME": "/home/me"])
    #expect(
      copied == [
        "/opt/tool/share/s3totsne/samples", "/opt/tool/bin/samples", "/data/s3totsne/samples", "/a/s3totsne/samples",
        "/b/s3totsne/samples",
      ])
    #expect(SampleImages.candidates(program: nil, environment: [:]).allSatisfy { $0.hasPrefix("/usr/") })
  }
}
