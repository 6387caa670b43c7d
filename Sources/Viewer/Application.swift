import Collection
import Controls
import Drawing
import Foundation
import Geometry
import Mapping
import ObjectStorage
import Rendering
import Scene
import X11

/// The program in its window: who is asked for what, and where everything lies.
@MainActor final class Application {
  let options: ViewerOptions
  let connection: Connection
  let window: Window
  let group: ControlGroup
  let bar: TopBar
  let status = StatusLine()
  let map: MapView
  let jobs = JobController()
  let startPage: StartPage
  let failurePage = FailurePage()
  let problems = ProblemsPanel()
  let problemReader = ProblemReader()
  let notes = NotesPanel()
  let questionPanel = QuestionPanel()
  let prompt = Prompt()
  let search = KeySearch()
  let progressLine = ProgressLine()
  let scheduler: FrameScheduler
  let history: RecentLocations
  /// Writes the history.
  let historyQueue = DispatchQueue(label: "history", qos: .utility)
  let clipboard: X11ClipboardAccess
  var keys = KeysPanel()
  var details = DetailsPanel()
  var style: Style

  /// What is open.
  var location: Location?
  /// What was typed to open it.
  var openedText = ""
  /// The last location that had something to show, before the present one.
  var locationBefore: Location?
  /// What was last said by an action of the user, until the pointer or a job says something else.
  var announcement: String?
  /// Whether the hand has changed a parameter since the location was opened.
  var hasEditedParameters = false
  /// Whether they were changed before the location was opened, for it.
  var keepsTypedParameters = false
  /// The parameters of the job that made what is shown: what a location comes back with.
  var shownParameters: MapParameters?
  /// The parameters of the latest job.
  var startedParameters: MapParameters?
  /// Whether the latest job ended in the middle of a layout, and the one before it is shown again.
  var hasReturned = false
  /// Images that the latest job was to try once more.
  var retriedSlots: [Int] = []
  /// Whether the open location has had an image, and so a place in the history.
  var isInHistory = false
  /// The images that the map was told of: one bit each.
  var knownSlots = Selection()
  /// Images whose thumbnails were made anew because of damage.
  var mendedSlots: Set<Int> = []
  /// Pictures that the map showed when it last came to rest.
  var seenCount: Int?
  /// Computes arrangements, one at a time.
  let arranger = Arranger()
  let saving = Saving()
  let likeness = Likeness()
  let strip = GroupStrip()
  let labeller = Labeller()
  let legend = Legend()
  var selectedFolder: SelectedFolder?
  /// Answers to older questions for a folder's images are dropped.
  var folderQuestion = 0
  let shelf = LayoutShelf()
  let keptPictures = KeptPictures()
  /// The images that were new when they began to be gone through.
  var unseenWalk: [[Int]]?
  let layoutStrip = LayoutStrip()
  var isQuitting = false
  /// What `publishState` last said.
  var publishedState = ""

  /// What of the window must be drawn anew.
  var needsBar = true
  var needsMap = true
  var needsStatus = true
  /// When the pictures that are seen were counted last.
  var lastCount = 0.0
  /// Whether the legend was asked for, and not just never hidden.
  var asksForLegend = false
  /// Whether a better picture of the map is under way.
  var refinesMap = false
  /// Pictures that are ready and not shown yet, and when some were shown last.
  var arrivals: [Int] = []
  var lastArrival = 0.0
  var awaitsArrivals = false
  /// The button that was pressed on the map and holds the pointer until it is up.
  var mapButton: Int?
  var pointerIsOnMap = false
  /// The time of the latest event of the hand: selections are owned with it.
  var eventTime: Timestamp = 0
  /// How often addresses were to be copied.
  var copies = 0

  init(_ options: ViewerOptions) throws(X11Error) {
    self.options = options
    connection = try Connection()
    connection.scaleOverride = options.scale
    let scale = connection.uiScale
    let theme: Theme = options.appearance == .dark ? .dark : .light
    let animates = options.animation && !connection.isRemote
    style = Style(theme: theme, scale: scale, fontName: connection.desktopFontName, animates: animates)
    window = try Window(
      connection: connection,
      options: WindowOptions(
        title: "S3toTSNE", size: Size(width: 1280 * scale, height: 800 * scale),
        minimumSize: Size(width: 320 * scale, height: 240 * scale), icons: ProgramIcon.images,
        geometry: options.geometry))
    group = ControlGroup(style: style)
    bar = TopBar(options.parameters, group: group)
    map = MapView(limits: options.limits, theme: theme, animates: animates)
    startPage = StartPage(hasSamples: options.samplesDirectory != nil)
    scheduler = FrameScheduler(window: window, rate: connection.isRemote ? 15 : connection.refreshRate)
    history = RecentLocations(environment: options.storage.environment)
    clipboard = X11ClipboardAccess(connection.clipboard)
    group.add([progressLine])
    group.add(startPage.controls)
    group.add(failurePage.controls)
    group.add(status.controls)
    group.add(problems.controls)
    group.add(notes.controls)
    group.add(questionPanel.controls)
    group.add([strip, layoutStrip, legend])
    group.add(prompt.controls)
    group.clipboard = clipboard
    connectCallbacks()
    connectLabels()
    loadHistory()
  }

  /// Shows the window and, where a location was given, opens it.
  func start() {
    layOut()
    updateStatus()
    window.show()
    if let text = options.location {
      bar.location.text = text
      run()
    } else {
      group.focus(bar.location)
    }
    connection.flush()
  }

  private func connectCallbacks() {
    window.onEvent = { [weak self] event in
      if case .presented(let serial) = event { Measurements.shared?.acknowledged(serial) }
      Measurements.timed(Measurements.name(of: event)) { self?.handle(event) }
    }
    scheduler.draw = { [weak self] frame, _ in Measurements.timed("draw") { self?.draw(frame) ?? [] } }
    if let measurements = Measurements.shared {
      scheduler.onPresented = { [weak self] serial, _ in
        if let self, map.isComplete { measurements.handedOver(serial, images: map.scene.placedCount) }
      }
    }
    scheduler.movement = { [weak self] in self?.map.takeMovement() }
    scheduler.tick = { [weak self] now in Measurements.timed("tick") { self?.tick(now) } }
    group.onInvalidate = { [weak self] in self?.scheduler.request() }
    group.onPointerShape = { [weak self] shape in self?.showPointer(shape) }
    group.onTextInput = { [weak self] on in self?.window.enableTextInput(on) }
    group.onTextInputReset = { [weak self] in self?.window.resetTextInput() ?? "" }
    group.onTextInputSpot = { [weak self] spot in
      self?.window.setTextInputSpot(x: Int(spot.x), y: Int(spot.maxY))
    }
    bar.onRun = { [weak self] in self?.run() }
    bar.onCancel = { [weak self] in self?.jobs.cancel() }
    bar.onLeave = { [weak self] in
      guard let self else { return }
      group.dismissAll()
      if group.focused === bar.location { keepLocation() }
      group.focus(nil)
    }
    bar.onEdit = { [weak self] in
      self?.hasEditedParameters = true
      self?.updateNews()
    }
    bar.onType = { [weak self] in self?.updateNews() }
    status.onShowProblems = { [weak self] in self?.showProblems() }
    status.onShowNotes = { [weak self] in self?.toggleNotes() }
    strip.onPress = { [weak self] position in
      // A picture is opened; a group is gone to.
      let opens = self?.map.scene.walk?.group != nil
      self?.map.send(.walkTo(position: position))
      if opens { self?.map.send(.key(.return, [], isRepeat: false)) }
    }
    layoutStrip.onPress = { [weak self] index in self?.leap(to: index) }
    status.onShowUnseen = { [weak self] in self?.showUnseen() }
    status.onShowLayouts = { [weak self] in self?.toggleLayouts() }
    prompt.onChange = { [weak self] in self?.promptChanged() }
    questionPanel.onAccept = { [weak self] in self?.acceptQuestion() }
    questionPanel.onCancel = { [weak self] in self?.jobs.cancel() }
    notes.onClose = { [weak self] in self?.closeNotes() }
    status.onAction = { [weak self] action in
      switch action {
      case .back: self?.map.send(.key(.escape, [], isRepeat: false))
      case .stopHere: self?.jobs.stopHere()
      case .continueLayout: self?.continueLayout()
      case .stopSaving: self?.stopSaving()
      case .layOutAnew: self?.layOutAnew()
      case .tryNow: self?.jobs.tryNow()
      case .fetchAll, .share: self?.acceptQuestion()
      }
    }
    status.onNextArrangement = { [weak self] in self?.map.send(.key(.character("g"), [], isRepeat: false)) }
    startPage.onOpen = { [weak self] text in self?.open(text) }
    startPage.onOpenSamples = { [weak self] in
      if let samples = self?.options.samplesDirectory { self?.open(samples) }
    }
    failurePage.onGoBack = { [weak self] in self?.open($0) }
    failurePage.onRetry = { [weak self] in
      if let text = self?.location?.text { self?.open(text) }
    }
    problems.onClose = { [weak self] in self?.closeProblems() }
    problems.onRetry = { [weak self] slots in self?.retry(slots) }
    map.onEffect = { [weak self] effect in Measurements.timed(Measurements.name(of: effect)) { self?.perform(effect) } }
    map.onPartsLoaded = { [weak self] in self?.redrawMap() }
    map.onDamage = { [weak self] slots in self?.mend(slots) }
    // The menu names its picture of the map itself.
    map.label = { [weak self] slot in
      guard let self, menu == nil || map.scene.opened != nil else { return nil }
      return label(of: slot)
    }
    map.fullSize.onLoaded = { [weak self] slot, result in self?.originalLoaded(slot, result) }
    jobs.onEvent = { [weak self] event in Measurements.timed(Measurements.name(of: event)) { self?.take(event) } }
  }

  private func loadHistory() { showHistory(history.load()) }

  private func showHistory(_ locations: [String]) {
    bar.location.history = locations
    startPage.setRecents(locations)
  }

  /// Puts a location first in the history; the disk is written in the background.
  func remember(_ text: String) {
    showHistory([text] + bar.location.history.filter { $0 != text })
    historyQueue.async { [history] in history.add(text) }
  }

  // MARK: Layout

  /// Puts everything where it belongs for the window's present size.
  func layOut() {
    let size = Size(width: Double(window.width), height: Double(window.height))
    let whole = Rect(x: 0, y: 0, width: size.width, height: size.height)
    let statusHeight = StatusLine.height(style)
    group.bounds = whole
    bar.place(in: Rect(x: 0, y: 0, width: size.width, height: style.barHeight))
    progressLine.frame = Rect(x: 0, y: style.barHeight - style.px(2), width: size.width, height: style.px(2))
    status.place(
      in: Rect(x: 0, y: max(style.barHeight, size.height - statusHeight), width: size.width, height: statusHeight),
      style: style)
    let area = mapArea
    startPage.place(in: area, style: style)
    failurePage.place(in: area, style: style)
    problems.place(in: area, style: style)
    notes.place(in: area, style: style)
    questionPanel.place(in: area, style: style)
    strip.place(in: area, style: style)
    placeLayouts()
    prompt.place(in: pictureArea, style: style)
    map.send(.viewportChanged(PixelRect(covering: pictureArea), uiScale: style.scale))
    placeDetails()
    updateLegend()
    redrawAll()
  }

  /// The part of the window between the bar and the status line.
  var mapArea: Rect {
    let bottom = Double(window.height) - StatusLine.height(style)
    return Rect(
      x: 0, y: style.barHeight, width: Double(window.width), height: max(0, bottom - style.barHeight))
  }

  func redrawAll() {
    needsBar = true
    needsMap = true
    needsStatus = true
    scheduler.request()
  }

  func redrawMap() {
    needsMap = true
    scheduler.request()
  }

  /// The desktop's scale or font changed, or the theme did.
  func restyle(_ theme: Theme) {
    let animates = options.animation && !connection.isRemote
    style = Style(theme: theme, scale: connection.uiScale, fontName: connection.desktopFontName, animates: animates)
    group.style = style
    map.setTheme(theme)
    layOut()
  }

  func showPointer(_ shape: PointerShape) {
    guard !pointerIsOnMap else { return }
    window.setCursor(CursorShape(shape))
  }

  // MARK: Quitting

  /// Keeps what is to be kept and ends the program.
  func quit(code: Int32 = 0) {
    guard !isQuitting else { return }
    isQuitting = true
    saveViewState()
    jobs.onEvent = nil
    jobs.cancel()
    window.close()
    connection.close()
    keptPictures.synchronize()
    // What the store has been given is written; a job that was cut short has kept every finished stage.
    jobs.collection?.synchronize()
    historyQueue.sync {}
    ExternalViewer.removeCopies()
    exit(code)
  }
}
