import Atlas
import Collection
import Controls
import Dispatch
import Foundation
import Geometry
import Mapping
import Numerics
import ObjectStorage
import Scene

/// Who is near whom in the original space, looked up in the background.
@MainActor final class Likeness {
  /// Reads and compares; one thing at a time.
  let queue = DispatchQueue(label: "likeness", qos: .userInitiated)
  /// What is said below a picture of the strip.
  var caption: (Int) -> String = { _ in "" }
  /// What is said below the first picture of each group, while all groups are seen.
  var groupCaptions: [String] = []
  /// What is said above them.
  var title: (Walk) -> String = { _ in "" }
  /// Answers to older questions are dropped, and their work ends.
  var question: CancellationToken?

  /// The neighbourhoods last read.
  // @unchecked: only used on `queue`.
  final class Cache: @unchecked Sendable {
    var neighbourhoods: Neighbourhoods?
  }
  /// Thrown away with every new layout.
  var cache = Cache()

  /// What was found may hold no longer.
  func forget() {
    question?.cancel()
    question = nil
    cache = Cache()
  }
}

// More like this, and duplicates.
extension Application {
  /// How many are shown beside the picture itself.
  private nonisolated static let mostSimilar = 24
  /// Pictures that differ by no more, as `Neighbourhoods.Group.difference` counts, are nearly the same.
  private nonisolated static let nearlyTheSame = 6.0
  /// So many groups are shown side by side; all can be walked to.
  private static let mostGroupsShown = 200
  private static let notKnown = "Known once all of these pictures are laid out together: Refresh, or Lay out anew"

  /// Finds the pictures most like one.
  func findSimilar(to slot: Int) {
    let slots = (jobs.latestLayout?.slots ?? []).map { Int($0) }
    let threads = options.threads
    guard let collection = jobs.collection, let parameters = shownParameters else {
      announcement = Self.notKnown
      return updateStatus()
    }
    ask("Looking for similar pictures") { neighbourhoods, token in
      if let neighbourhoods { return neighbourhoods.nearest(to: slot, count: Self.mostSimilar) }
      return try Neighbourhoods.nearest(
        to: slot, among: slots, count: Self.mostSimilar, in: collection, parameters: parameters, threads: threads,
        token: token)
    } answer: { application, nearest in
      guard !nearest.isEmpty else {
        application.announcement = "This picture is not part of the layout yet"
        return
      }
      let distances = Dictionary(nearest.map { ($0.slot, Double($0.distance)) }) { first, _ in first }
      application.likeness.caption = { other in
        other == slot ? "this" : distances[other].map { Wording.number($0, digits: 3) } ?? ""
      }
      let name = application.jobs.collection?.entry(slot)?.object.key.lastComponent ?? ""
      application.likeness.title = { walk in
        "The \(walk.slots.count - 1) most like \(name), with their distances; z shows all of them on the map"
      }
      application.map.send(.walk(groups: [[slot] + nearest.map(\.slot)]))
    }
  }

  /// Finds groups of identical and nearly identical pictures.
  func findDuplicates() {
    ask("Comparing pictures") { neighbourhoods, token in
      try neighbourhoods?.duplicates(within: Self.nearlyTheSame) { token.isCancelled }
    } answer: { application, groups in
      guard !groups.isEmpty else {
        application.announcement = "No two pictures are the same, or nearly"
        return
      }
      let images = groups.reduce(0) { $0 + $1.slots.count }
      application.likeness.groupCaptions = groups.prefix(Self.mostGroupsShown).map {
        "× \(Wording.count($0.slots.count))"
      }
      application.likeness.caption = { [weak collection = application.jobs.collection] slot in
        collection?.entry(slot).map { Wording.dimensions(width: $0.width, height: $0.height) } ?? ""
      }
      application.likeness.title = { walk in
        guard let index = walk.group else {
          return "\(Wording.count(groups.count, "group")) of the same or nearly the same, "
            + "\(Wording.count(images, "picture")) in all; . and , go from one to the next"
            + (groups.count > Self.mostGroupsShown ? "; the first \(Self.mostGroupsShown) are shown here" : "")
        }
        let group = groups.indices.contains(index) ? groups[index] : groups[0]
        let what =
          group.difference == 0
          ? "identical"
          : "nearly the same: pixels differ by up to \(Wording.number(group.difference, digits: 1)) of 255 on average"
        return "Group \(Wording.count(index + 1)) of \(Wording.count(groups.count)): "
          + "\(Wording.count(group.slots.count, "picture")), \(what)"
      }
      application.map.send(.walk(groups: groups.map(\.slots)))
    }
  }

  /// Asks the neighbourhoods of the layout that is shown something, in the background; nil where there are none.
  private func ask<Answer: Sendable>(
    _ sentence: String,
    _ look: @escaping @Sendable (Neighbourhoods?, CancellationToken) throws -> Answer?,
    answer: @escaping @MainActor (Application, Answer) -> Void
  ) {
    guard !jobs.isRunning, let collection = jobs.collection, let parameters = shownParameters else {
      announcement = jobs.isRunning ? "Known once the layout is done" : Self.notKnown
      return updateStatus()
    }
    likeness.question?.cancel()
    let question = CancellationToken()
    likeness.question = question
    let cache = likeness.cache
    announcement = sentence
    updateStatus()
    likeness.queue.async {
      let result = Result { () -> Answer? in
        if cache.neighbourhoods == nil {
          cache.neighbourhoods = Neighbourhoods(of: collection, parameters: parameters)
        }
        return try look(cache.neighbourhoods, question)
      }
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, likeness.question === question else { return }
          likeness.question = nil
          announcement = nil
          switch result {
          case .success(let found?): answer(self, found)
          case .success(nil): announcement = Self.notKnown
          case .failure(let error): announcement = "The pictures could not be compared: \(error)"
          }
          updateStatus()
        }
      }
    }
  }

  /// The strip shows what the scene goes through: one picture of every group, then the pictures of one.
  func walkChanged() {
    let wasVisible = strip.isVisible
    strip.isVisible = map.scene.walk != nil
    if let walk = map.scene.walk {
      hideLayouts()
      strip.atlas = map.atlas
      strip.title = likeness.title(walk)
      if walk.group != nil {
        strip.items = walk.slots.map { GroupStrip.Item(slot: $0, caption: likeness.caption($0)) }
        strip.current = walk.position
      } else {
        let groups = walk.groups.prefix(Self.mostGroupsShown)
        strip.items = zip(groups, likeness.groupCaptions).map { GroupStrip.Item(slot: $0[0], caption: $1) }
        strip.current = nil
      }
      strip.place(in: mapArea, style: style)
      map.prefetch(strip.items.map(\.slot))
    }
    if strip.isVisible != wasVisible { layOut() }
    redrawMap()
    updateStatus()
  }

  /// The part of the window that shows the map: the strip has its own.
  var pictureArea: Rect {
    var area = mapArea
    for strip: ControlBase in [strip, layoutStrip] where strip.isVisible {
      area.height = max(0, min(area.height, strip.frame.y - style.px(12) - area.y))
    }
    return area
  }
}
