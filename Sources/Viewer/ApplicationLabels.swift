import Collection
import Controls
import Drawing
import Foundation
import Geometry
import Mapping
import ObjectStorage
import Rendering
import Scene

/// The folder that was selected last, for the next one above it.
struct SelectedFolder {
  /// Its path below the location, without the last `/`; empty for the location itself.
  let path: [UInt8]
  let selection: Selection
}

// Colours around pictures and what they mean; folders.
extension Application {
  func connectLabels() {
    status.onPictureSize = { [weak self] factor in self?.map.send(.pictureSize(factor)) }
    status.onLabelKind = { [weak self] kind in
      self?.map.send(.labelKind(kind))
      if kind != nil { self?.map.send(.legend(isShown: true)) }
      self?.updateStatus()
    }
    legend.onSelect = { [weak self] row, adds in self?.selectLabel(row, adds: adds) }
    legend.onClose = { [weak self] in self?.showLegend(false) }
  }

  // MARK: Classes

  /// Has the classes made that the scene wants.
  func computeLabels() {
    labeller.cancel()
    if let kind = map.scene.labelKind, let collection = jobs.collection {
      labeller.compute(kind, of: collection) { [weak self] labelling in
        self?.map.send(.labelled(labelling))
        self?.updateStatus()
      }
    }
    updateStatus()
  }

  /// What the classes are made of may have changed.
  func noteLabelNews(_ event: MappingEvent) {
    guard let kind = map.scene.labelKind else { return }
    switch event {
    case .known, .listed, .removed, .leftOut, .finished: break
    case .ready: if kind != .aspect { return }
    default: return
    }
    if labeller.noteNews() { computeLabels() }
  }

  // MARK: The legend

  /// Brings the legend up to date with what the map shows.
  func updateLegend() {
    let scene = map.scene
    guard scene.showsLegend, let labelling = scene.labelling, scene.opened == nil, !problems.isShown, !notes.isShown,
      !startPage.isShown, !failurePage.isShown
    else {
      legend.isVisible = false
      legend.shown = nil
      map.covered = nil
      // What lies over the map for a while does not move it.
      if !scene.showsLegend || scene.labelling == nil { map.send(.covered(width: 0)) }
      return
    }
    let shown = Legend.Shown(version: scene.contentVersion, theme: style.theme.name)
    if legend.shown != shown { fillLegend(labelling) }
    legend.shown = shown
    legend.place(in: pictureArea, style: style)
    // In a small window it is only there when it is asked for.
    let isLarge = legend.frame.width > Self.largestLegendShare * pictureArea.width
    legend.isVisible =
      legend.fits && (!isLarge || asksForLegend)
      && !(prompt.isShown && !prompt.frame.intersection(legend.frame).isEmpty)
    map.covered = legend.isVisible ? legend.frame : nil
    map.send(.covered(width: legend.isVisible ? Int(legend.frame.maxX - pictureArea.minX) : 0))
  }

  private static let largestLegendShare = 0.4

  private func fillLegend(_ labelling: Labelling) {
    let scene = map.scene
    let colors = LabelPalette(onDark: style.theme == .dark).colors(of: labelling)
    var selected = [Int](repeating: 0, count: labelling.labels.count)
    for slot in scene.selection.slots { if let label = labelling.label(of: slot) { selected[label] += 1 } }
    legend.title = "By \(labelling.kind.words)"
    legend.rows = labelling.labels.indices.map { index in
      let label = labelling.labels[index]
      return Legend.Row(
        name: label.name, count: label.count, color: colors[index], isSelected: selected[index] == label.count)
    }
  }

  func showLegend(_ isShown: Bool) {
    if !isShown, legend.isFocused { group.focus(nil) }
    asksForLegend = isShown
    map.send(.legend(isShown: isShown))
    updateStatus()
  }

  /// `K`: shows the legend and puts the keyboard there; there, hides it.
  func toggleLegend() {
    guard map.scene.labelKind != nil else {
      announcement = "Pictures have no colours: k gives them some"
      return updateStatus()
    }
    if map.scene.showsLegend, legend.isFocused { return showLegend(false) }
    showLegend(true)
    group.focus(legend, reason: .keyboard)
  }

  /// Selects the pictures of a class, or nothing when they are what is selected.
  private func selectLabel(_ row: Int, adds: Bool) {
    guard let labelling = map.scene.labelling else { return }
    var slots = labelling.slots(of: row)
    let present = map.scene.selection
    if adds {
      let isSelected = legend.rows.indices.contains(row) && legend.rows[row].isSelected
      slots =
        isSelected ? present.slots.filter { labelling.label(of: $0) != row } : present.slots + slots
    } else if present.count == slots.count, slots.allSatisfy({ present.contains($0) }) {
      slots = []
    }
    map.send(.select(slots: slots))
  }

  // MARK: Folders

  /// Selects what lies in the folder of an image; what is selected in that way already is widened to the folder above.
  func selectFolder(of slot: Int?) {
    guard let collection = jobs.collection, let slot, let entry = collection.entry(slot) else {
      announcement = "Point at a picture, or go to one with the arrow keys, to select its folder"
      return updateStatus()
    }
    let prefix = if case .bucket(_, _, let folder) = collection.location.kind { folder.count } else { 0 }
    let slash = UInt8(ascii: "/")
    func folder(of path: ArraySlice<UInt8>) -> [UInt8] { path.lastIndex(of: slash).map { Array(path[..<$0]) } ?? [] }
    let own = folder(of: entry.object.key.bytes.dropFirst(prefix))
    let isWidened =
      selectedFolder.map { last in
        last.selection == map.scene.selection
          && (last.path.isEmpty || own == last.path || own.starts(with: last.path + [slash]))
      } ?? false
    let path = isWidened ? folder(of: selectedFolder?.path[...] ?? []) : own
    let start = path.isEmpty ? [] : path + [slash]
    folderQuestion += 1
    let question = folderQuestion
    DispatchQueue.global(qos: .userInitiated).async {
      let slots = collection.entries.filter { entry in
        if case .leftOut = entry.state { return false }
        return entry.object.key.bytes.dropFirst(prefix).starts(with: start)
      }.map(\.slot)
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          guard let self, question == folderQuestion, jobs.collection === collection else { return }
          map.send(.select(slots: slots))
          selectedFolder = SelectedFolder(path: path, selection: map.scene.selection)
          announcement =
            "\(Wording.count(map.scene.selection.count, "image")) in "
            + (path.isEmpty ? "all folders" : "\(String(decoding: start, as: UTF8.self)), u again for the folder above")
          updateStatus()
        }
      }
    }
  }
}
