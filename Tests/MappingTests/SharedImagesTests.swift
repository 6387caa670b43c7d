import Foundation
import TestSupport
import Testing

@testable import Mapping

@Suite("Jobs on real pictures", .timeLimit(.minutes(10)))
struct SharedImagesTests {
  /// `../shared/images` lies beside the checkout; without it there are no hostile files to try.
  @Test("good pictures among broken and hostile ones become a map", .enabled(if: sharedImages != nil))
  func oddFiles() async throws {
    let folder = try #require(sharedImages) + "/odd"
    let outcome = await run(try request(folder))
    let report = try #require(outcome.report)
    #expect(report.images > 100)
    #expect(report.leftOut.count > 10)
    #expect(report.images + report.leftOut.count + report.otherFiles == 156)
    #expect(report.leftOut.contains { $0.key == "decompression_bomb.gif" })
    #expect(report.leftOut.allSatisfy { $0.reason.count > 10 && $0.reason.hasSuffix(".") }, "\(report.leftOut)")
    #expect(areFinite(try #require(outcome.final).positions))
  }
}
