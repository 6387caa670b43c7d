import Collection
import Controls
import Dispatch
import Foundation
import Geometry
import Imaging
import Mapping
import Scene
import TSNE

/// The kept layouts of the open location, as the window goes through them.
@MainActor final class LayoutShelf {
  /// Reads and draws; one thing at a time.
  let queue = DispatchQueue(label: "layouts", qos: .userInitiated)
  /// The last ones used, in the order in which they were made.
  fileprivate(set) var layouts: [KeptLayout] = []
  /// The layout that is on its way to the map.
  fileprivate var awaited: String?
  /// Layouts that no picture is to be made of: it is there, or on its way, or they cannot be read.
  fileprivate var drawn: Set<String> = []
  /// The pixels that the pictures have.
  fileprivate var pictureSize = (width: 0, height: 0)
  /// Answers for a location that was left are dropped.
  fileprivate var generation = 0

  /// Another location is opened.
  fileprivate func forget() {
    generation += 1
    layouts = []
    awaited = nil
    drawn = []
  }
}

// Leaping between the layouts that are kept.
extension Application {
  /// How many layouts are offered.
  private nonisolated static let mostLayouts = 10

  /// The place of the layout that is shown, or on its way, among those that are kept.
  private var currentLayout: Int? {
    let id = shelf.awaited ?? jobs.latestLayout?.layoutID
    return shelf.layouts.firstIndex { $0.id == id }
  }

  /// `2/5`: which of the kept layouts is shown; nil where none is kept.
  var layoutPosition: String? {
    shelf.layouts.isEmpty ? nil : "\((currentLayout ?? -1) + 1)/\(shelf.layouts.count)"
  }

  func forgetLayouts() {
    shelf.forget()
    layoutStrip.isVisible = false
    layoutStrip.pictures = [:]
    showLayouts()
  }

  /// Finds out which layouts are kept now.
  func refreshLayouts() {
    guard let collection = jobs.collection else { return }
    let generation = shelf.generation
    shelf.queue.async {
      let layouts = collection.keptLayouts().prefix(Self.mostLayouts).sorted { $0.date < $1.date }
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, generation == shelf.generation else { return }
          shelf.layouts = layouts
          showLayouts()
          updateStatus()
        }
      }
    }
  }

  /// Shows the strip, or takes it away.
  func toggleLayouts() {
    guard !layoutStrip.isVisible else { return hideLayouts() }
    guard !shelf.layouts.isEmpty else {
      announcement = "No layout is kept yet"
      return updateStatus()
    }
    // Both lie at the lower edge.
    if map.scene.walk != nil { map.send(.walk(groups: [])) }
    layoutStrip.isVisible = true
    showLayouts()
    layOut()
    updateStatus()
  }

  func hideLayouts() {
    guard layoutStrip.isVisible else { return }
    layoutStrip.isVisible = false
    layOut()
    updateStatus()
  }

  /// Brings the strip up to date.
  private func showLayouts() {
    let subjects = shelf.layouts.map {
      LayoutWords.Subject(
        parameters: $0.parameters, iteration: $0.iteration, isComplete: $0.isComplete, placed: $0.placed, date: $0.date)
    }
    layoutStrip.items = zip(shelf.layouts, LayoutWords.describing(subjects)).map { .init(id: $0.id, words: $1) }
    layoutStrip.current = currentLayout
    guard layoutStrip.isVisible else { return }
    placeLayouts()
    redrawMap()
  }

  /// Puts the strip where it belongs; its pictures follow its size.
  func placeLayouts() {
    layoutStrip.place(in: mapArea, style: style)
    if layoutStrip.isVisible { drawPreviews() }
  }

  /// Has pictures made of the layouts that have none of the present size, in the background.
  private func drawPreviews() {
    guard let collection = jobs.collection else { return }
    let size = layoutStrip.pictureSize
    if size != shelf.pictureSize {
      shelf.pictureSize = size
      shelf.drawn = []
    }
    let scene = map.scene
    let generation = shelf.generation
    // The nearest to the one that is shown first.
    let middle = currentLayout ?? shelf.layouts.count - 1
    let order = shelf.layouts.indices.sorted { abs($0 - middle) < abs($1 - middle) }
    for layout in order.map({ shelf.layouts[$0] }) where shelf.drawn.insert(layout.id).inserted {
      shelf.queue.async {
        guard let snapshot = collection.snapshot(of: layout, isUse: false) else { return }
        let places = scene.placesAsShown(of: snapshot.slots, at: snapshot.positions)
        let picture = collection.preview(of: snapshot.slots, at: places, width: size.width, height: size.height)
        DispatchQueue.main.async {
          MainActor.assumeIsolated { [weak self] in
            guard let self, generation == shelf.generation, size == shelf.pictureSize else { return }
            layoutStrip.pictures[layout.id] = picture
          }
        }
      }
    }
  }

  /// Goes so many layouts on.
  func stepLayout(by step: Int) {
    guard !shelf.layouts.isEmpty else {
      announcement = "No layout is kept yet"
      return updateStatus()
    }
    // From one that is not kept, both ways lead to the newest.
    let next = currentLayout.map { $0 + step } ?? shelf.layouts.count - 1
    guard shelf.layouts.indices.contains(next) else {
      announcement = step < 0 ? "This is the oldest layout that is kept" : "This is the newest layout"
      return updateStatus()
    }
    leap(to: next)
  }

  /// Shows a kept layout: it is read in the background, and the pictures fly there.
  func leap(to index: Int) {
    guard shelf.layouts.indices.contains(index), index != currentLayout, let collection = jobs.collection else {
      return
    }
    guard !jobs.isRunning else {
      announcement = "Other layouts can be shown once this one is done"
      return updateStatus()
    }
    let layout = shelf.layouts[index]
    shelf.awaited = layout.id
    layoutStrip.current = index
    let generation = shelf.generation
    shelf.queue.async {
      let snapshot = collection.snapshot(of: layout)
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          // Of several leaps only the last one is made.
          guard let self, generation == shelf.generation, shelf.awaited == layout.id else { return }
          shelf.awaited = nil
          guard !jobs.isRunning else { return showLayouts() }
          if let snapshot { show(layout, snapshot) } else { isDamaged(layout) }
        }
      }
    }
  }

  private func show(_ layout: KeptLayout, _ snapshot: LayoutSnapshot) {
    jobs.show(snapshot, placed: layout.placed)
    var parameters = layout.parameters
    parameters.tsne.threads = bar.parameters?.tsne.threads ?? parameters.tsne.threads
    bar.set(parameters)
    hasEditedParameters = false
    hasReturned = false
    shownParameters = parameters
    likeness.forget()
    map.send(.layoutStarted)
    map.send(
      .layout(slots: snapshot.slots, positions: snapshot.positions, isFinal: true, animated: style.animates))
    saveViewState()
    showLayouts()
    if let index = currentLayout {
      let words = layoutStrip.items[index].words
      announcement =
        "Layout \(index + 1) of \(shelf.layouts.count): \(words.title), \(words.detail)"
      let count = map.scene.imageCount
      if snapshot.slots.count < count {
        announcement? += " · made of \(Wording.count(snapshot.slots.count)) of the \(Wording.count(count)) images"
      }
    }
    updateStatus()
  }

  private func isDamaged(_ layout: KeptLayout) {
    announcement = "That layout could not be read, and is kept no longer"
    refreshLayouts()
    updateStatus()
  }
}
