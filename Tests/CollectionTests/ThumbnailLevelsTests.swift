import Atlas
import Imaging
import TestSupport
import Testing

@Suite("Thumbnail levels", .computing)
struct ThumbnailLevelsTests {
  @Test("those that are made are those that have a place in the atlas")
  func agree() {
    #expect(ThumbnailPyramid.sides == thumbnailLevels)
  }
}
