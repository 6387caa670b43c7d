import Arrangements
import Controls
import Drawing
import Geometry
import Scene

/// The line at the bottom of the window: one sentence on the left, what is seen and what was left out on the right.
@MainActor final class StatusLine {
  /// What it says at one moment.
  struct Content: Equatable {
    /// The sentence.
    var sentence = ""
    /// Whether the sentence says what went wrong.
    var isError = false
    /// Pictures in view of pictures known, and the same in fewer words.
    var seen = ""
    var seenBriefly = ""
    /// Images that were left out; 0 hides the button.
    var leftOut = 0
    /// Notes of the latest job; 0 hides the button.
    var notes = 0
    /// Images that are new and not looked at yet; 0 hides the button.
    var unseen = 0
    /// Layouts that can be leapt between; fewer than 2 hide the button.
    var layouts = 0
    /// Whether there is more to an error than fits.
    var hasDetails = false
    /// The button that acts on what is shown.
    var action: Action?
    /// How the pictures are put on the map; nil while there is no map.
    var arrangement: ArrangementMode?
    /// By how much pictures are larger than they would be; nil while that cannot be chosen.
    var pictureSize: Double?
    /// What the colours of frames say, if pictures have frames.
    var labelKind: LabelKind?
    /// Whether that can be chosen.
    var hasLabels = false
  }

  /// What can be done to a layout, to a picture at full size, or about a job that waits.
  enum Action: String {
    /// Accept the present positions.
    case stopHere = "Stop here"
    /// Go on from them.
    case continueLayout = "Continue"
    /// Make the layout of all images, in the place of one that was made without the newest.
    case layOutAnew = "Lay out anew"
    /// Leave the full-size view.
    case back = "Back (Esc)"
    /// Do not wait for the next try of a lost connection.
    case tryNow = "Try now"
    /// Save no more files.
    case stopSaving = "Stop saving"
    /// Fetch all of it.
    case fetchAll = "Fetch all"
    /// Share what is fetched with others.
    case share = "Share it"
  }

  /// What it says.
  var content = Content() { didSet { if content != oldValue { apply() } } }
  /// The list of problems is wanted.
  var onShowProblems: (() -> Void)?
  /// What the latest job had to say is wanted in full.
  var onShowNotes: (() -> Void)?
  /// The images that are new are to be gone through.
  var onShowUnseen: (() -> Void)?
  /// The layouts that are kept are wanted, or no more.
  var onShowLayouts: (() -> Void)?
  /// The pictures are to be put on the map in the next way.
  var onNextArrangement: (() -> Void)?
  /// Pictures are to be by so much larger than they would be.
  var onPictureSize: ((Double) -> Void)?
  /// The colours of frames are to say something else, or frames are to go.
  var onLabelKind: ((LabelKind?) -> Void)?
  /// The button at the right was pressed.
  var onAction: ((Action) -> Void)?

  /// Its controls, in Tab order.
  var controls: [any Control] {
    [sentence, seen, notes, leftOut, unseen, size, colors, layouts, arrangement, action]
  }
  /// Where it is.
  private(set) var frame: Rect = .zero

  private let sentence = Label("", role: .secondary)
  private let seen = Label("", role: .secondary)
  private let notes = Button("", kind: .quiet)
  private let leftOut = Button("", kind: .quiet)
  private let size = Slider(Scene.pictureSizes, neutral: 1, step: Scene.pictureSizeStep)
  private let colors = DropDown([DropDownGroup("Colour by", LabelKind.choices)], selectedID: LabelKind.noChoice)
  private let unseen = Button("", kind: .quiet)
  private let layouts = Button("", kind: .quiet)
  private let arrangement = Button("", kind: .quiet)
  private let action = Button("", kind: .quiet)

  init() {
    sentence.tabularFigures = true
    seen.tabularFigures = true
    seen.alignment = .trailing
    notes.isVisible = false
    notes.onPress = { [weak self] in self?.onShowNotes?() }
    notes.toolTip = "Read them in full (n)"
    leftOut.isVisible = false
    unseen.isVisible = false
    unseen.onPress = { [weak self] in self?.onShowUnseen?() }
    unseen.toolTip = "Images placed since the layout was made, not looked at yet: go through them (N)"
    layouts.isVisible = false
    layouts.onPress = { [weak self] in self?.onShowLayouts?() }
    layouts.toolTip = "Leap between the last layouts (h; Alt+Left and Alt+Right)"
    action.isVisible = false
    arrangement.isVisible = false
    arrangement.onPress = { [weak self] in self?.onNextArrangement?() }
    arrangement.toolTip = "Free, spread apart, or in a grid: the next one (g); smaller and larger pictures ([ and ])"
    size.isVisible = false
    size.toolTip = "Smaller and larger pictures ([ and ]); a double click for the size they have by themselves"
    size.onChange = { [weak self] factor in self?.onPictureSize?(factor) }
    colors.isVisible = false
    colors.isQuiet = true
    colors.summary = { LabelKind(rawValue: $0.id).map { "Colour: \($0.words)" } ?? "Colour by" }
    colors.toolTip = "Frames in the colour of folder, date, file size or shape (k)"
    colors.onSelect = { [weak self] id in self?.onLabelKind?(LabelKind(rawValue: id)) }
    seen.isVisible = false
    leftOut.onPress = { [weak self] in self?.onShowProblems?() }
    leftOut.toolTip = "List them, with the reason of each (p)"
    action.onPress = { [weak self] in
      guard let self, let action = content.action else { return }
      onAction?(action)
    }
  }

  /// The height it wants.
  static func height(_ style: Style) -> Double { max(style.px(28), style.fieldHeight + style.px(4)) }

  /// Lays it out.
  func place(in frame: Rect, style: Style) {
    self.frame = frame
    arrange(style)
  }

  /// The background and the hairline; the controls draw themselves.
  func drawBackground(on canvas: Canvas, style: Style) {
    canvas.fill(frame, style.theme.bar)
    canvas.fill(Rect(x: frame.x, y: frame.y, width: frame.width, height: style.hairline), style.theme.hairline)
  }

  private func apply() {
    sentence.text = content.sentence
    sentence.role = content.isError ? .error : .secondary
    notes.title = content.hasDetails ? "Details" : Wording.count(content.notes, "note")
    notes.toolTip = content.hasDetails ? "What happened, why, and what to do (n)" : "Read them in full (n)"
    leftOut.title = "\(Wording.count(content.leftOut)) left out"
    unseen.title = "\(Wording.count(content.unseen)) new"
    layouts.title = Wording.count(content.layouts, "layout")
    if let mode = content.arrangement { arrangement.title = Self.arrangementTitles[mode] ?? "" }
    size.value = content.pictureSize ?? size.value
    colors.selectedID = content.labelKind?.rawValue ?? LabelKind.noChoice
    action.title = content.action?.rawValue ?? ""
    action.isVisible = content.action != nil
    action.toolTip =
      switch content.action {
      case .stopHere: "Keep the pictures where they are now (s)"
      case .continueLayout: "More iterations from where they are (c)"
      case .layOutAnew: "Images have come or gone since this layout was made: make the layout of all of them"
      case .back: "Back to the map"
      case .stopSaving: "What is saved already stays"
      case .tryNow: "Try the connection at once"
      case .fetchAll: "Go on with all of it; Cancel ends it here"
      case .share: "Keep thumbnails, features and layouts in that bucket, and use what others keep there"
      case nil: nil
      }
    arrange(sentence.style)
  }

  private func arrange(_ style: Style) {
    guard !frame.isEmpty else { return }
    let height = style.fieldHeight
    let top = (frame.y + style.hairline + (frame.height - style.hairline - height) / 2).rounded()
    let gap = style.px(8)
    // In a narrow window the keys alone lead to all this: what is said, and how many pictures are seen, comes first.
    leftOut.isVisible = content.leftOut > 0 && frame.width > style.px(360)
    notes.isVisible = content.hasDetails || content.notes > 0 && frame.width > style.px(480)
    arrangement.isVisible = content.arrangement != nil && frame.width > style.px(400)
    unseen.isVisible = content.unseen > 0 && frame.width > style.px(400)
    layouts.isVisible = content.layouts > 1 && frame.width > style.px(560)
    let left = frame.x + style.px(12)
    let between = style.px(4)
    let buttons = [action, arrangement, layouts, unseen, leftOut, notes].filter(\.isVisible)
    let arrangementWidth = arrangement.isVisible ? arrangementWidth(style) : 0
    let room = buttons.reduce(frame.maxX - gap - left) { rest, button in
      rest - between - (button === arrangement ? arrangementWidth : button.preferredWidth)
    }
    let shown = shown(in: room, style)
    size.isVisible = shown.size
    colors.isVisible = shown.colors
    seen.text = shown.seen
    seen.isVisible = !shown.seen.isEmpty

    var right = frame.maxX - gap
    func put(_ control: any Control, _ width: Double, _ space: Double) {
      guard control.isVisible else { return }
      right -= width
      control.frame = Rect(x: right, y: top, width: width, height: height)
      right -= space
    }
    put(action, action.preferredWidth, between)
    put(arrangement, arrangementWidth, between)
    put(layouts, layouts.preferredWidth, between)
    put(colors, colors.preferredWidth, between)
    put(size, style.px(Self.sliderWidth), gap)
    put(unseen, unseen.preferredWidth, between)
    put(leftOut, leftOut.preferredWidth, between)
    put(notes, notes.preferredWidth, between)
    put(seen, seen.preferredWidth, gap)
    sentence.frame = Rect(x: left, y: top, width: max(0, right - gap - left), height: height)
  }

  private static let sliderWidth = 96.0

  /// The same for every arrangement: whoever presses the button again finds it in its place.
  private func arrangementWidth(_ style: Style) -> Double {
    func width(_ title: String) -> Double { TextLayout(title, font: style.font).size.width.rounded(.up) }
    let widest = Self.arrangementTitles.values.map(width).max() ?? 0
    return arrangement.preferredWidth - width(arrangement.title) + widest
  }

  private static let arrangementTitles: [ArrangementMode: String] = [
    .free: "Free", .spread: "Spread", .grid: "Grid",
  ]

  /// What there is room for beside the buttons and some of the sentence: the number of pictures seen goes last, for the
  /// sentence can be read in its tip, and the slider and the colours have keys.
  private func shown(in room: Double, _ style: Style) -> (size: Bool, colors: Bool, seen: String) {
    let gap = style.px(8)
    func width(_ text: String) -> Double {
      text.isEmpty ? 0 : TextLayout(text, font: style.font.tabular).size.width.rounded(.up) + gap
    }
    let (full, brief) = (width(content.seen), width(content.seenBriefly))
    let colorsWidth = content.hasLabels ? colors.preferredWidth + style.px(4) : 0
    let sizeWidth = content.pictureSize == nil ? 0 : style.px(Self.sliderWidth) + gap
    let words = sentence.preferredWidth
    // The slider does not come and go with the length of the sentence.
    let choices: [(sentence: Double, needed: Double, shown: (Bool, Bool, String))] = [
      (style.px(160), sizeWidth + colorsWidth + full, (content.pictureSize != nil, content.hasLabels, content.seen)),
      (style.px(160), colorsWidth + full, (false, content.hasLabels, content.seen)),
      (min(words, style.px(120)), colorsWidth + brief, (false, content.hasLabels, content.seenBriefly)),
      (min(words, style.px(48)), brief, (false, false, content.seenBriefly)),
    ]
    return choices.first { $0.sentence + gap + $0.needed <= room }?.shown ?? (false, false, "")
  }
}
