import Arrangements
import Collection
import Controls
import Drawing
import Foundation
import Geometry
import Imaging
import Mapping
import ObjectStorage
import Rendering
import Scene
import TSNE
import X11

// What the scene asks for, and what is said about pictures and jobs.
extension Application {
  func perform(_ effect: SceneEffect) {
    switch effect {
    case .redraw:
      guard !map.isHiddenChange() else { break }
      redrawMap()
      if map.scene.opened != nil { map.demandOpened() }
    case .animate: scheduler.isAnimating = true
    case .openOriginal(let slot): openOriginal(slot)
    case .showDetails: toggleDetails()
    case .nextBackdrop: nextBackdrop()
    case .sideBySideLimited(let count):
      announce("The first \(Scene.mostSideBySide) of \(Wording.count(count, "picture")), side by side")
    case .refused(let reason): announce(Wording.words(reason))
    case .closeOriginal:
      map.fullSize.drop()
      updateStatus()
    case .copyAddress(let slots): copyAddresses(of: slots)
    case .openExternally(let slot): openExternally(slot)
    case .selectionChanged, .unseenChanged: updateStatus()
    case .showUnseen: showUnseen()
    case .arrange: arrange()
    case .index: map.index()
    case .save: askWhereToSave()
    case .findSimilar(let slot): findSimilar(to: slot)
    case .findDuplicates: findDuplicates()
    case .walkChanged: walkChanged()
    case .labelKindChanged: computeLabels()
    case .toggleLegend: toggleLegend()
    case .selectFolder(let slot): selectFolder(of: slot)
    case .pictureSizeChanged:
      announce(
        map.scene.isPictureSizeLimited
          ? "Pictures at 100 %: larger ones would hide one another in this arrangement"
          : "Pictures at \(Int((map.scene.pictureSize * 100).rounded())) %")
    case .search: askWhatToSelect()
    case .hoverChanged:
      updateDetails()
      redrawMap()
      updateStatus()
    case .cursorChanged(let cursor):
      if pointerIsOnMap { window.setCursor(SceneTranslation.cursor(cursor)) }
    case .focusLocation:
      group.focus(bar.location, reason: .keyboard)
    case .showProblems: problems.isShown ? closeProblems() : showProblems()
    case .showNotes: toggleNotes()
    case .showLayouts: toggleLayouts()
    case .stepLayout(let step): stepLayout(by: step)
    case .showKeys: showKeys(!keys.isShown)
    case .showMenu(let slot, let point, let byKey): showMenu(about: slot, at: point, byKey: byKey)
    case .switchTheme: restyle(style.theme == .dark ? .light : .dark)
    case .refresh: run()
    case .stopHere: jobs.stopHere()
    case .continueLayout: continueLayout()
    case .quit: quit()
    case .toggleFullScreen: window.setFullScreen(!window.isFullScreen)
    case .escape: escape()
    case .saveViewState: saveViewState()
    }
  }

  private func escape() {
    if window.isFullScreen { window.setFullScreen(false) }
  }

  // MARK: Originals

  private func openOriginal(_ slot: Int) {
    if let entry = jobs.collection?.entry(slot), entry.width > 0 {
      let size = Size(width: Double(entry.width), height: Double(entry.height))
      map.send(.originalSize(slot: slot, size))
    }
    map.demandOpened(again: true)
    updateDetails()
    redrawMap()
    updateStatus()
  }

  func originalLoaded(_ slot: Int, _ result: Result<LoadedOriginal<OriginalPyramid>, OriginalFailure>) {
    guard map.openedImages.contains(where: { $0.slot == slot }) else { return }
    if case .success(let original) = result {
      map.send(
        .originalSize(
          slot: slot, Size(width: Double(original.header.width), height: Double(original.header.height))))
    }
    updateDetails()
    redrawMap()
    updateStatus()
  }

  private func copyAddresses(of slots: [Int]) {
    guard let collection = jobs.collection else { return }
    // The keys of a hundred thousand images take a moment; the clipboard is owned from when it was asked for.
    let time = eventTime
    copies += 1
    let copy = copies
    DispatchQueue.global(qos: .userInitiated).async {
      let addresses = slots.compactMap { slot in
        collection.entry(slot).map { collection.location.address(of: $0.object.key) }
      }
      let text = addresses.joined(separator: "\n")
      let words = addresses.count == 1 ? addresses[0] : Wording.count(addresses.count, "address", "addresses")
      DispatchQueue.main.async {
        MainActor.assumeIsolated { [weak self] in
          // Of several, the last one counts.
          guard let self, copy == copies, !addresses.isEmpty else { return }
          clipboard.setText(text, in: .clipboard, time: time)
          announcement = "Copied \(words)"
          updateStatus()
        }
      }
    }
  }

  private func openExternally(_ slot: Int) {
    guard let collection = jobs.collection, let entry = collection.entry(slot) else { return }
    announcement = "Opening \(entry.object.key.lastComponent) in another program"
    updateStatus()
    Task { [weak self] in
      guard let problem = await ExternalViewer.open(entry, of: collection) else { return }
      self?.announcement = problem
      self?.updateStatus()
    }
  }

  // MARK: Words

  /// The card beside a picture.
  func label(of slot: Int) -> PictureLabel? {
    guard let entry = jobs.collection?.entry(slot) else { return nil }
    return PictureLabel(title: entry.object.key.lastComponent, detail: Self.facts(of: entry, withDate: false))
  }

  private static func facts(of entry: CollectionEntry, withDate: Bool) -> String {
    var parts: [String] = []
    if entry.width > 0 { parts.append(Wording.dimensions(width: entry.width, height: entry.height)) }
    parts.append(Wording.bytes(entry.object.size))
    if withDate, let date = entry.object.modified { parts.append(Wording.date(date)) }
    return parts.joined(separator: " · ")
  }

  /// Says something in the status line, until something else is to be said.
  func announce(_ sentence: String) {
    announcement = sentence
    updateStatus()
  }

  /// Says in the status line, the bar and the progress line how things stand.
  func updateStatus() {
    bar.isRunning = jobs.isRunning
    progressLine.value =
      jobs.isRunning ? jobs.progress.flatMap(\.fraction).map { .fraction($0) } ?? .unknown : .none
    var content = StatusLine.Content()
    let (sentence, isError) = sentence()
    content.sentence = sentence
    if let sentence = saving.sentence, announcement == nil {
      content.sentence = ([sentence] + (saving.interruption.map(Wording.words) ?? [])).joined(separator: " · ")
    }
    if saving.sentence == nil, let selectionWords, announcement == nil, !isError, map.scene.opened == nil {
      content.sentence = jobs.isRunning ? "\(selectionWords) · \(sentence)" : selectionWords
    }
    content.isError = isError
    content.leftOut = jobs.collection?.counts.leftOut ?? 0
    let known = map.scene.imageCount
    if let seenCount, location != nil, known > 0, map.scene.opened == nil {
      // Some may have been left out since they were counted.
      let seen = min(seenCount, known)
      content.seen =
        seen == known
        ? "all \(Wording.count(known)) visible" : "\(Wording.count(seen)) of \(Wording.count(known)) visible"
      content.seenBriefly =
        seen == known ? "all \(Wording.count(known))" : "\(Wording.count(seen)) of \(Wording.count(known))"
    }
    if saving.task != nil {
      content.action = .stopSaving
    } else if case .running = jobs.state {
      if jobs.progress?.stage == .layout { content.action = .stopHere }
      if jobs.progress?.interruption?.nextTry != nil { content.action = .tryNow }
    } else if let layout = jobs.latestLayout, layout.slots.count > 3, !failurePage.isShown {
      content.action = .continueLayout
      if case .finished(let report) = jobs.state, report.placed != nil { content.action = .layOutAnew }
    }
    if map.scene.opened != nil { content.action = .back }
    if map.scene.showsLayout, map.scene.opened == nil {
      content.arrangement = map.scene.mode
      content.pictureSize = map.scene.pictureSize
    }
    content.hasLabels = known > 0 && map.scene.opened == nil
    content.labelKind = map.scene.labelKind
    content.notes = jobs.notes.count
    content.unseen = map.scene.opened == nil ? map.scene.unseen.count : 0
    if map.scene.showsLayout, map.scene.opened == nil, !jobs.isRunning { content.layouts = shelf.layouts.count }
    if case .failed = jobs.state { content.hasDetails = !failurePage.isShown }
    switch jobs.question {
    case .fetch(let estimate):
      content.sentence =
        "\(Wording.count(estimate.objects, "object")) (\(Wording.bytes(estimate.bytes))) wait to be fetched"
      content.action = .fetchAll
      content.hasDetails = true
    case .replica(let bucket) where !jobs.isRunning && map.scene.opened == nil:
      content.sentence =
        "Thumbnails and layouts can be shared with others in the bucket “\(bucket)”, if it is yours."
      content.action = .share
    case .replica, nil: break
    }
    status.content = content
    updateLegend()
    updateNews()
  }

  /// Has the Refresh button say whether there is something to refresh for.
  func updateNews() {
    let isElsewhere =
      bar.location.text.trimmingCharacters(in: .whitespaces) != openedText.trimmingCharacters(in: .whitespaces)
    switch jobs.state {
    // The page that says what went wrong has a button of its own.
    case .failed where failurePage.isShown && !isElsewhere: bar.news = .none
    case .idle, .running, .failed, .cancelled: bar.news = .job
    case .finished where isElsewhere: bar.news = .job
    case .finished:
      var typed = bar.parameters
      var shown = shownParameters
      typed?.tsne.threads = 1
      shown?.tsne.threads = 1
      bar.news = typed == nil || shown == nil || typed == shown ? .none : .parameters
    }
    publishState()
  }

  /// Says in a property of the window, `S3TOTSNE_STATE`, what is on the screen: a word for the job, then for what lies over
  /// the map. For scripts and tests.
  private func publishState() {
    var words: [String] = []
    switch jobs.state {
    case .idle: words.append("idle")
    case .running: words.append(jobs.progress?.stage.rawValue ?? "opening")
    case .finished: words.append("finished")
    case .failed(let failure): words.append("failed:\(failure.kind.rawValue)")
    case .cancelled: words.append("cancelled")
    }
    if let opened = map.scene.opened {
      words.append(map.fullSize.loaded(opened.slot) == nil ? "opened" : "opened:original")
    }
    if !map.scene.sideBySide.isEmpty { words.append("beside:\(map.scene.sideBySide.count)") }
    if showsDetails { words.append("details") }
    if problems.isShown { words += ["problems", "rows:\(problems.problems.count)"] }
    if notes.isShown { words.append("notes") }
    if questionPanel.isShown { words.append("question") }
    if let sample = jobs.sample { words.append("sample:\(sample.size)/\(sample.of)") }
    if keys.isShown { words.append("keys") }
    if menu != nil { words.append("menu") }
    if bar.news == .parameters { words.append("outdated") }
    if let walk = map.scene.walk { words.append("groups:\(walk.groups.count)") }
    if strip.isVisible { words.append("strip:\((strip.current ?? -1) + 1)/\(strip.items.count)") }
    if let layoutPosition { words.append("layouts:\(layoutPosition)") }
    if layoutStrip.isVisible { words.append("layoutstrip") }
    if prompt.isShown { words.append("prompt") }
    if saving.sentence != nil { words.append("saving") }
    if jobs.isRunning, jobs.progress?.interruption != nil { words.append("interrupted") }
    if saving.interruption != nil { words.append("saving:interrupted") }
    if map.scene.mode != .free { words.append("\(map.scene.mode):\(isArranging ? "computing" : "shown")") }
    if let kind = map.scene.labelKind {
      let isShown = map.scene.labelling?.kind == kind
      words.append("colours:\(kind):\(isShown ? String(map.scene.labelling?.labels.count ?? 0) : "computing")")
    }
    if legend.isVisible { words.append("legend") }
    words.append("selected:\(map.scene.selection.count)")
    if !map.scene.unseen.isEmpty { words.append("new:\(map.scene.unseen.count)") }
    words.append("images:\(map.scene.imageCount)")
    words.append("placed:\(map.scene.placedCount)")
    let state = words.joined(separator: " ")
    guard state != publishedState else { return }
    publishedState = state
    window.setTextProperty("S3TOTSNE_STATE", state)
  }

  private func sentence() -> (String, isError: Bool) {
    if let announcement { return (announcement, false) }
    if map.scene.isDrawingRectangle {
      return ("Rectangle: the arrow keys extend it, x selects what lies in it, Esc gives it up", false)
    }
    if let opened = map.scene.opened, let entry = jobs.collection?.entry(opened.slot) {
      let facts = entry.object.key.displayName + " · " + Self.facts(of: entry, withDate: true)
      if let failure = map.fullSize.failure(opened.slot) { return ("\(facts) · \(failure.reason)", true) }
      return (facts + (map.fullSize.loaded(opened.slot) == nil ? " · loading" : ""), false)
    }
    switch jobs.state {
    case .idle:
      return (location == nil ? "F1 shows the keys" : "", false)
    case .running:
      guard let progress = jobs.progress else { return ("Opening", false) }
      return ([Wording.sentence(for: progress), jobs.notes.last].compactMap { $0 }.joined(separator: " · "), false)
    case .finished(let report):
      var parts = [Wording.count(report.images, "image")]
      if let placed = report.placed, placed > 0 { parts[0] += ", \(Wording.count(placed)) of them placed since" }
      if let divergence = report.klDivergence {
        parts.append("KL divergence \(Wording.number(divergence, digits: 3))")
        parts.append(Wording.count(report.iterations, "iteration"))
      }
      if report.otherFiles > 0 { parts.append(Wording.count(report.otherFiles, "other file")) }
      if let note = report.notes.last { parts.append(note) }
      return (parts.joined(separator: " · "), false)
    case .failed(let failure):
      return (failurePage.isShown ? "" : failure.description, true)
    case .cancelled:
      return (
        hasReturned
          ? "Cancelled: this is the layout from before. What was done is kept, Refresh carries on."
          : "Cancelled; what was done is kept. Refresh carries on.", false
      )
    }
  }
}
