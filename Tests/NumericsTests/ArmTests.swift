import Foundation
import TestSupport
import Testing

private let armHeaders = "/usr/aarch64-linux-gnu/include"

@Test(
  "the kernels compile for arm64, without a warning", .computing,
  .enabled(
    if: FileManager.default.fileExists(atPath: armHeaders + "/math.h"),
    "the C library's headers for arm64 are not installed: apt-get install libc6-dev-arm64-cross"))
func kernelsCompileForArm() async throws {
  let sources = packageRoot + "/Sources/CKernels"
  let files = try FileManager.default.contentsOfDirectory(atPath: sources).filter { $0.hasSuffix(".c") }.sorted()
  #expect(files.contains("baseline.c"))
  let directory = try TemporaryDirectory("arm")
  for file in files {
    let compiler = try ChildProcess(
      "clang",
      [
        "--target=aarch64-linux-gnu", "-isystem", armHeaders, "-std=gnu17", "-O2", "-Wall", "-Werror",
        "-I", sources + "/include", "-c", sources + "/" + file, "-o", directory.file(file + ".o"),
      ])
    let code = try await compiler.waitUntilExit()
    #expect(code == 0, "\(file): \(compiler.errorText)")
    let object = try #require(FileManager.default.contents(atPath: directory.file(file + ".o")))
    // ELF's machine number of AArch64.
    #expect(object[18] == 183 && object[19] == 0)
  }
}
