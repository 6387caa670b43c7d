import Foundation
import TestSupport
import Testing

/// What comes with the program beside its code.
struct ResourcesTests {
  @Test("the menu entry and the software centre's description are valid")
  func desktop() async throws {
    let name = packageRoot + "/Resources/desktop/io.github.s3totsne.S3toTSNE"
    let entry = try await run("desktop-file-validate", [name + ".desktop"])
    #expect(entry.status == 0, "\(entry.outputText)")
    let description = try await run("appstreamcli", ["validate", "--no-net", name + ".metainfo.xml"])
    #expect(description.status == 0, "\(description.outputText)")
  }

  @Test("the icons have the sizes that their names say")
  func icons() async throws {
    let folder = packageRoot + "/Resources/icon/"
    for side in [16, 32, 48, 64, 128, 256] {
      let extent = try await run("identify", ["-format", "%wx%h", folder + "s3totsne-\(side).png"])
      #expect(extent.outputText == "\(side)x\(side)")
    }
  }

  @Test("the sample images are small: at most 256 pixels a side, under 4 MB in all, images only")
  func samples() async throws {
    let files = try FileManager.default.subpathsOfDirectory(atPath: sampleImages)
      .filter { !($0 as NSString).pathExtension.isEmpty }
    #expect(files.count >= 250)
    #expect(files.allSatisfy { ["png", "jpg", "webp"].contains(($0 as NSString).pathExtension) })
    let paths = files.map { sampleImages + "/" + $0 }
    let bytes = try paths.reduce(0) { sum, path in
      sum + (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0)
    }
    #expect(bytes < 4_000_000)
    let extents = try await run("identify", ["-format", "%w %h\n"] + paths)
    let sides = extents.outputText.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    #expect(sides.count == 2 * files.count)
    #expect(sides.allSatisfy { (16...256).contains($0) })
  }
}
