import Atlas
import Dispatch
import Rendering
import Scene

/// Has the overview's picture made in the background, one at a time and a few a second while the map moves.
@MainActor final class OverviewMaker {
  private static let interval = 0.25
  private let queue = DispatchQueue(label: "overview", qos: .utility)
  private var picture: OverviewPicture?
  private var isMaking = false
  private var lastMade = -Double.infinity

  /// Another location is opened.
  func forget() { picture = nil }

  /// The picture as far as it is there. Where it is not up to date, a better one is made; `done` tells of it.
  func picture(for scene: borrowing Scene, atlas: Atlas, done: @escaping @MainActor () -> Void) -> OverviewPicture? {
    guard let request = scene.overviewRequest else { return nil }
    if let picture, request.key == picture.key { return picture }
    guard !isMaking, !scene.wantsTicks || FrameScheduler.now - lastMade > Self.interval else { return picture }
    isMaking = true
    queue.async {
      let made = OverviewPicture(request, atlas: atlas)
      DispatchQueue.main.async {
        MainActor.assumeIsolated {
          self.isMaking = false
          self.lastMade = FrameScheduler.now
          self.picture = made
          done()
        }
      }
    }
    return picture
  }
}
