public import Drawing
public import Geometry

/// A row of captioned controls that always fits its width: the flexible ones shrink, then those that may be folded go into
/// a panel behind a button, so that nothing is ever cut off.
@MainActor public final class Toolbar {
  /// A control of the row.
  public struct Item {
    /// The small label above it.
    public var caption: String
    /// The control.
    public var control: any Control
    /// The least width it is usable at, in logical pixels.
    public var minimumWidth: Double
    /// The width it gets when there is room; infinite for one that takes what is left.
    public var preferredWidth: Double
    /// Whether it may go into the panel. The last such one goes first.
    public var folds: Bool

    /// A control of the row, with widths in logical pixels.
    public init(
      caption: String = "", control: any Control, minimumWidth: Double, preferredWidth: Double? = nil,
      folds: Bool = false
    ) {
      self.caption = caption
      self.control = control
      self.minimumWidth = minimumWidth
      self.preferredWidth = preferredWidth ?? minimumWidth
      self.folds = folds
    }
  }

  /// The controls from left to right.
  public let items: [Item]
  /// The button that opens the panel; shown while something is folded. It stands where the first folded control would.
  public let menuButton: MenuButton
  private let captions: [Label]
  private unowned let group: ControlGroup
  private var panel: PopupPanel?
  private var foldedIndices: [Int] = []

  /// Puts the controls, their captions and the menu button into `group`, in Tab order.
  public init(_ items: [Item], in group: ControlGroup) {
    self.items = items
    self.group = group
    captions = items.map { Label($0.caption, role: .caption) }
    menuButton = MenuButton()
    menuButton.toolTip = "Parameters"
    menuButton.isVisible = false
    let firstFolding = items.firstIndex(where: \.folds) ?? items.count
    var controls: [any Control] = captions
    for (index, item) in items.enumerated() {
      if index == firstFolding { controls.append(menuButton) }
      controls.append(item.control)
    }
    group.add(controls)
    menuButton.onPress = { [weak self] in self?.togglePanel() }
  }

  /// Writes something else above a control; with `isNotice` so that it is noticed.
  public func setCaption(_ text: String, isNotice: Bool = false, of control: any Control) {
    guard let index = items.firstIndex(where: { $0.control === control }) else { return }
    captions[index].text = text
    captions[index].role = isNotice ? .notice : .caption
  }

  /// Has the button of the panel say whether something is wrong inside it. To be called when that may have changed.
  public func noteFoldedProblems() {
    menuButton.problem = folded.first { $0.message != nil }?.message
  }

  /// Which controls are in the panel now, in order.
  public var folded: [any Control] { foldedIndices.map { items[$0].control } }

  /// Lays the row out in `frame` (device pixels), which should be `style.barHeight` high.
  public func layOut(in frame: Rect) {
    let frame = PixelGrid.snap(frame)
    let style = group.style
    let inset = style.px(12)
    let gap = style.px(8)
    let room = max(0, frame.width - 2 * inset)
    let folding = items.indices.filter { items[$0].folds }
    var foldedCount = 0
    func needed(_ foldedCount: Int) -> Double {
      let hidden = Set(folding.suffix(foldedCount))
      let shown = items.indices.filter { !hidden.contains($0) }
      let widths = shown.map { style.px(items[$0].minimumWidth) }.reduce(0, +)
      let menu = foldedCount > 0 ? style.fieldHeight + gap : 0
      return widths + menu + gap * Double(max(0, shown.count - 1))
    }
    while foldedCount < folding.count, needed(foldedCount) > room { foldedCount += 1 }
    // A lone folded parameter is hard to guess: either all stand in the row or all in the panel.
    if foldedCount > 0 { foldedCount = folding.count }
    let newFolded = Array(folding.suffix(foldedCount))
    if newFolded != foldedIndices {
      if let panel { group.dismiss(panel) }
      foldedIndices = newFolded
      noteFoldedProblems()
    }
    let hidden = Set(foldedIndices)
    let shown = items.indices.filter { !hidden.contains($0) }
    let widths = share(room - (hidden.isEmpty ? 0 : style.fieldHeight + gap), among: shown, gap: gap, style)
    let captionY = frame.y + style.px(4)
    let contents = style.captionHeight + style.px(4) + style.fieldHeight
    let spare = max(0, ((frame.height - style.hairline - contents) / 2).rounded(.down) - style.px(4))
    let fieldY = captionY + spare + style.captionHeight + style.px(4)
    var x = frame.x + inset
    let menuIndex = folding.first ?? items.count
    menuButton.isVisible = !hidden.isEmpty
    for index in items.indices {
      if index == menuIndex, !hidden.isEmpty {
        menuButton.frame = Rect(x: x, y: fieldY, width: style.fieldHeight, height: style.fieldHeight)
        x += style.fieldHeight + gap
      }
      let isShown = !hidden.contains(index)
      captions[index].isVisible = isShown
      if panel == nil || isShown { items[index].control.isVisible = isShown }
      guard isShown, let place = shown.firstIndex(of: index) else { continue }
      items[index].control.frame = Rect(x: x, y: fieldY, width: widths[place], height: style.fieldHeight)
      captions[index].frame = Rect(
        x: x, y: captionY + spare, width: widths[place], height: style.captionHeight)
      x += widths[place] + gap
    }
  }

  /// Everybody gets the minimum; what is left goes to the preferred widths, then to those that take all.
  private func share(_ room: Double, among shown: [Int], gap: Double, _ style: Style) -> [Double] {
    var widths = shown.map { style.px(items[$0].minimumWidth) }
    var left = room - widths.reduce(0, +) - gap * Double(max(0, shown.count - 1))
    for place in shown.indices where items[shown[place]].preferredWidth.isFinite && left > 0 {
      let more = min(left, max(0, style.px(items[shown[place]].preferredWidth) - widths[place]))
      widths[place] += more
      left -= more
    }
    let greedy = shown.indices.filter { items[shown[$0]].preferredWidth.isInfinite }
    if let first = greedy.first, left > 0 {
      let each = (left / Double(greedy.count)).rounded(.down)
      for place in greedy { widths[place] += each }
      widths[first] += left - each * Double(greedy.count)
    } else if left < 0, let first = greedy.first {
      // Narrower than all minima: the flexible one gives way as far as it can.
      widths[first] = max(style.px(48), widths[first] + left)
    }
    return widths
  }

  /// Opens the panel with what is folded, or closes it.
  public func togglePanel() {
    if let panel {
      group.dismiss(panel)
      return
    }
    let entries = foldedIndices.map { PopupPanel.Entry(caption: items[$0].caption, control: items[$0].control) }
    guard !entries.isEmpty else { return }
    let panel = PopupPanel(owner: menuButton, entries: entries)
    panel.onDismiss = { [weak self] in
      guard let self else { return }
      self.panel = nil
      self.menuButton.isOpen = false
      self.noteFoldedProblems()
      for control in self.folded { control.isVisible = false }
    }
    self.panel = panel
    menuButton.isOpen = true
    group.present(panel)
  }
}

/// A square button with the sign for adjusting, which opens a panel.
@MainActor public final class MenuButton: ControlBase {
  /// It was pressed.
  public var onPress: (() -> Void)?
  /// Whether the panel is open.
  public var isOpen = false { didSet { if isOpen != oldValue { invalidate() } } }
  /// What is wrong with something in the panel, as a sentence; nil when nothing is.
  public internal(set) var problem: String? { didSet { if problem != oldValue { invalidate() } } }

  public override var acceptsFocus: Bool { true }
  /// Open, the panel says it beside the field itself.
  public override var message: String? { isOpen ? nil : problem }
  public override func pointerShape(at point: Point) -> PointerShape { isEnabled ? .hand : .arrow }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    guard isEnabled else { return .ignored }
    switch event {
    case .pointerPressed(let pointer) where pointer.button == .left: onPress?()
    case .key(let press) where press.key == .return || (press.key == .down && press.modifiers == .alt): onPress?()
    case .text(" ", _): onPress?()
    default: return .ignored
    }
    return .handled
  }

  public override func draw(on canvas: Canvas) {
    FieldBox(
      isEnabled: isEnabled, isHovered: isHovered && !isOpen, isPressed: isOpen,
      showsFocus: isFocused && showsFocusRing, isWrong: problem != nil
    ).draw(on: canvas, in: frame, style: style)
    let color = isEnabled ? style.theme.text : style.theme.disabledText
    let width = max(1, 1.5 * style.scale)
    // Two sliders, each a line with a knob.
    let left = frame.center.x - style.px(6)
    let right = frame.center.x + style.px(6)
    for (rise, knob) in [(-style.px(3), style.px(2)), (style.px(3), -style.px(2))] {
      let y = frame.center.y + rise
      canvas.stroke(
        Path([Point(x: left, y: y), Point(x: right, y: y)], closed: false), color, lineWidth: width, rounded: true)
      let center = Point(x: frame.center.x + knob, y: y)
      canvas.fill(Path(circleAround: center, radius: 2.5 * style.scale), color)
    }
  }
}
