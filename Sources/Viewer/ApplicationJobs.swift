import Atlas
import Collection
import Controls
import Foundation
import Geometry
import Mapping
import ObjectStorage
import Rendering
import Scene
import TSNE
import X11

// Locations and jobs: what is opened, and what a job tells.
extension Application {
  /// Opens the location that `text` says.
  func open(_ text: String) {
    bar.location.text = text
    run()
  }

  /// Return in a field, or Refresh: opens what the location field says, or runs again what is open.
  func run() {
    let text = Self.unquoted(bar.location.text.trimmingCharacters(in: .whitespaces))
    guard let parameters = bar.parameters else { return bar.revealProblem() }
    guard !text.isEmpty else {
      bar.location.errorMessage = "Type a bucket and a folder, such as my-bucket/photos, or a local folder."
      return group.focus(bar.location)
    }
    let target: Location
    do {
      target = try Location(parsing: text, currentDirectory: FileManager.default.currentDirectoryPath)
    } catch {
      bar.location.errorMessage = "\(error)"
      return group.focus(bar.location)
    }
    bar.location.errorMessage = nil
    group.dismissAll()
    group.focus(nil)
    announcement = nil
    bar.location.text = text
    openedText = text
    if target == location, jobs.collection != nil {
      start(.map, parameters)
    } else {
      show(target)
      start(.open, parameters)
    }
  }

  /// What was copied out of a terminal may be quoted.
  private static func unquoted(_ text: String) -> String {
    for quote in ["'", "\""] where text.count > 2 && text.hasPrefix(quote) && text.hasSuffix(quote) {
      return String(text.dropFirst().dropLast())
    }
    return text
  }

  /// What was typed into the location field is given up for what is open.
  func keepLocation() {
    guard location != nil else { return }
    bar.location.text = openedText
    bar.location.errorMessage = nil
    updateNews()
  }

  /// Goes on from the present positions.
  func continueLayout() {
    guard !jobs.isRunning, let layout = jobs.latestLayout, let parameters = bar.parameters else { return }
    start(.continueFrom(layout, moreIterations: 500), parameters)
  }

  /// Makes the layout of all images, also of those that were placed into the present one.
  func layOutAnew() {
    guard !jobs.isRunning, let parameters = bar.parameters else { return }
    start(.map, parameters, keepsLayout: false)
  }

  /// Yes to what a job has asked.
  func acceptQuestion() {
    closeQuestion()
    let asked = location
    jobs.accept { [weak self] in
      guard let self, location == asked, let parameters = shownParameters ?? bar.parameters else { return }
      start(.map, parameters)
    }
    updateStatus()
  }

  /// Fetches images once more that were left out.
  func retry(_ slots: [Int]) {
    guard !slots.isEmpty, let parameters = bar.parameters else { return }
    closeProblems()
    start(.retry(slots: slots), parameters)
  }

  /// The window turns to another location.
  private func show(_ target: Location) {
    saveViewState()
    if let location, map.scene.placedCount > 0 { locationBefore = location }
    // Parameters typed together with the new location are meant for it.
    keepsTypedParameters = hasEditedParameters
    hasEditedParameters = false
    shownParameters = nil
    pointerIsOnMap = false
    mapButton = nil
    window.setCursor(.arrow)
    if let left = jobs.collection {
      // The last reference closes the catalogue, which waits for the disk.
      DispatchQueue.global(qos: .utility).async { withExtendedLifetime(left) {} }
    }
    location = target
    isInHistory = false
    seenCount = nil
    window.title = "\(target.text) – S3toTSNE"
    jobs.forgetCollection()
    arrivals = []
    if let menu { group.dismiss(menu) }
    map.reset()
    map.fullSize.use(nil)
    map.pictures.originals.use(nil)
    knownSlots = Selection()
    mendedSlots = []
    problems.problems = []
    problemReader.forget()
    if problems.isShown { closeProblems() }
    if notes.isShown { closeNotes() }
    closeQuestion()
    if prompt.isShown { prompt.cancel() }
    search.end()
    arranger.cancel()
    likeness.forget()
    labeller.cancel()
    selectedFolder = nil
    folderQuestion += 1
    forgetLayouts()
    keptPictures.forget()
    unseenWalk = nil
    strip.isVisible = false
  }

  private func start(_ mode: MappingRequest.Mode, _ parameters: MapParameters, keepsLayout: Bool = true) {
    guard let location else { return }
    startPage.isShown = false
    failurePage.show(nil)
    startedParameters = parameters
    closeQuestion()
    retriedSlots = []
    if case .retry(let slots) = mode { retriedSlots = slots }
    var request = MappingRequest(
      location: location, storage: options.storage, parameters: parameters,
      cacheDirectory: options.cacheDirectory, limits: options.limits, threads: options.threads, mode: mode)
    request.publishesSnapshots = true
    request.keepsLayout = keepsLayout
    request.laysOutEarly = true
    request.isPaced = style.animates
    hasReturned = false
    options.prepare(&request)
    jobs.start(request)
    if case .open = mode {} else { map.send(.layoutStarted) }
    updateStatus()
    layOut()
  }

  // MARK: What a job tells

  func take(_ event: MappingEvent) {
    switch event {
    case .stage, .note, .finished, .failed, .cancelled: announcement = nil
    default: break
    }
    switch event {
    case .ready, .stage, .progress, .note: break
    // What comes later is of pictures that have come.
    default: showArrivals()
    }
    switch event {
    case .opened(let collection): opened(collection)
    case .known(let slots, let ready, let layout, let viewState): known(slots, ready, layout, viewState)
    case .listed(let slots, let isComplete):
      add(slots)
      if isComplete { map.send(.listingComplete) }
    case .removed(let slots), .leftOut(let slots):
      for slot in slots { knownSlots.remove(slot) }
      map.send(.imagesRemoved(slots: slots))
    case .ready(let slots): arrive(slots)
    case .layout(let snapshot):
      map.send(
        .layout(
          slots: snapshot.slots, positions: snapshot.positions, isFinal: snapshot.isFinal, animated: style.animates))
    case .finished(let report):
      if !report.newlyPlaced.isEmpty { map.send(.unseen(slots: report.newlyPlaced)) }
      finished()
    case .failed(let failure): failed(failure)
    case .cancelled: ended()
    case .question: showQuestion()
    case .sampled: redrawMap()
    case .stage, .progress, .note: break
    }
    switch event {
    case .leftOut, .ready, .removed: refreshProblems()
    default: break
    }
    noteLabelNews(event)
    updateStatus()
  }

  private func opened(_ collection: ImageCollection) {
    if collection.counts.total == 0 { keptPictures.beginEmpty() }
    map.atlas = collection.atlas
    map.fullSize.use(collection)
    map.pictures.originals.use(collection)
  }

  private func known(_ slots: [Int], _ readySlots: [Int], _ layout: LayoutSnapshot?, _ viewState: Data?) {
    let isFirst = knownSlots.isEmpty
    add(slots)
    ready(readySlots)
    guard isFirst else { return }
    refreshLayouts()
    let kept = LocationViewState.decoded(viewState)
    shownParameters = kept?.parameters ?? shownParameters
    if let kept { map.send(.restored(kept.view)) }
    if let layout {
      map.send(.layout(slots: layout.slots, positions: layout.positions, isFinal: true, animated: false))
    }
    restorePictures()
    if let kept, !hasEditedParameters, !keepsTypedParameters, let parameters = bar.parameters {
      // The location comes back with the parameters it was left with, except those given on the command line.
      var restored = kept.parameters
      restored.tsne.threads = parameters.tsne.threads
      if restored != parameters, !options.hasExplicitParameters {
        bar.set(restored)
        start(.open, restored)
      }
    }
  }

  private func add(_ slots: [Int]) {
    let new = knownSlots.insert(contentsOf: slots)
    if !new.isEmpty { map.send(.imagesAdded(slots: new)) }
  }

  /// Thumbnails are ready. Every time that some are shown, the map is drawn anew, which takes processor time from those that
  /// are still to be made: of it, drawing gets a small part.
  private func arrive(_ slots: [Int]) {
    arrivals += slots
    let rest = lastArrival + min(Self.longestArrivalPause, Self.arrivalPause * map.frameSeconds) - FrameScheduler.now
    guard rest > 0 else { return showArrivals() }
    guard !awaitsArrivals else { return }
    awaitsArrivals = true
    DispatchQueue.main.asyncAfter(deadline: .now() + rest) { MainActor.assumeIsolated { self.showArrivals() } }
  }

  /// Seconds between two showings of pictures that have arrived, for each second that the map takes to be drawn.
  private static let arrivalPause = 8.0
  private static let longestArrivalPause = 1.0

  private func showArrivals() {
    awaitsArrivals = false
    guard !arrivals.isEmpty else { return }
    lastArrival = FrameScheduler.now
    let slots = arrivals
    arrivals = []
    ready(slots)
  }

  private func ready(_ slots: [Int]) {
    // After a full disk the thumbnails are somewhere else.
    if let atlas = jobs.collection?.atlas, atlas !== map.atlas { map.atlas = atlas }
    guard let atlas = map.atlas, !slots.isEmpty else { return }
    if !isInHistory, let location {
      // Only what has shown an image is worth being offered again.
      isInHistory = true
      remember(location.text)
    }
    add(slots)
    var shapes: [(slot: Int, aspect: Double)] = []
    shapes.reserveCapacity(slots.count)
    // A loop: a closure of the main actor would look on what thread it is, for each of a hundred thousand.
    for slot in slots {
      guard let info = atlas.info(slot) else { continue }
      shapes.append((slot, Double(info.width) / Double(max(1, info.height))))
    }
    map.send(.imagesReady(shapes))
  }

  private func finished() {
    likeness.forget()
    keptPictures.beginEmpty()
    shownParameters = startedParameters
    if !retriedSlots.isEmpty {
      let failed = retriedSlots.count { slot in
        if case .leftOut = jobs.collection?.entry(slot)?.state { true } else { false }
      }
      announcement =
        "Tried \(Wording.count(retriedSlots.count, "image")) again: "
        + (failed == 0 ? "nothing of it is left out any more" : "\(Wording.count(failed)) still left out")
    }
    ended()
    saveViewState()
    map.pictures.originals.forgetFailures()
  }

  private func failed(_ failure: MappingFailure) {
    ended()
    // With pictures on the map they stay, and the status line says what happened.
    if map.scene.placedCount == 0 {
      failurePage.show(failure, goingBackTo: locationBefore == location ? nil : locationBefore?.text)
      layOut()
      // Most likely the location is to be typed again, or mended.
      group.focus(bar.location, reason: .keyboard)
    }
  }

  private func ended() {
    closeQuestion()
    refreshProblems()
    giveUpUnfinishedLayout()
    refreshLayouts()
    redrawAll()
  }

  /// A job that has ended in the middle of a layout leaves the last complete one on the map.
  private func giveUpUnfinishedLayout() {
    guard jobs.isLayoutUnfinished else { return }
    if let complete = jobs.returnToCompleteLayout() {
      map.send(
        .layoutRestored(slots: complete.slots, positions: complete.positions, animated: style.animates))
      hasReturned = true
    } else {
      map.send(.layoutAbandoned)
    }
  }

  // MARK: Notes

  /// Opens what the latest job had to say, or closes it.
  func toggleNotes() {
    guard !notes.isShown else { return closeNotes() }
    if case .fetch = jobs.question { return questionPanel.isShown ? closeQuestion() : showQuestion() }
    var paragraphs: [TextPane.Paragraph] = []
    if case .failed(let failure) = jobs.state {
      notes.title = "What happened"
      paragraphs = [TextPane.Paragraph(failure.what)]
      if !failure.why.isEmpty { paragraphs.append(TextPane.Paragraph(failure.why, role: .secondary)) }
      if !failure.remedy.isEmpty { paragraphs.append(TextPane.Paragraph(failure.remedy)) }
    } else {
      notes.title = Wording.count(jobs.notes.count, "note")
    }
    paragraphs += jobs.notes.map { TextPane.Paragraph($0) }
    guard !paragraphs.isEmpty else {
      announcement = "There are no notes"
      return updateStatus()
    }
    if problems.isShown { closeProblems() }
    map.send(.pointerLeft)
    notes.paragraphs = paragraphs
    notes.isShown = true
    layOut()
    group.focus(notes.firstControl)
    updateStatus()
  }

  func closeNotes() {
    notes.isShown = false
    group.focus(nil)
    redrawMap()
    updateStatus()
  }

  func showKeys(_ shown: Bool) {
    keys.isShown = shown
    redrawMap()
    updateStatus()
  }

  // MARK: View state

  /// Keeps camera and parameters with the collection.
  func saveViewState() {
    savePictures()
    guard let collection = jobs.collection, let parameters = shownParameters, map.scene.showsLayout else { return }
    if let data = LocationViewState(view: map.scene.viewState, parameters: parameters).encoded {
      collection.saveViewState(data)
    }
  }
}
