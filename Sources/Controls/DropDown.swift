public import Drawing
public import Geometry

/// One choice of a drop-down.
public struct DropDownItem: Hashable, Sendable {
  /// What the program calls it.
  public var id: String
  /// What it is called on the screen.
  public var title: String
  /// What is said beside it, quietly: aliases.
  public var detail: String
  /// Why it cannot be chosen; nil when it can.
  public var disabledReason: String?

  /// A choice; without a `title` it is called by its `id`.
  public init(id: String, title: String? = nil, detail: String = "", disabledReason: String? = nil) {
    self.id = id
    self.title = title ?? id
    self.detail = detail
    self.disabledReason = disabledReason
  }

  /// Whether it can be chosen.
  public var isEnabled: Bool { disabledReason == nil }
}

/// Choices under one heading.
public struct DropDownGroup: Hashable, Sendable {
  /// The heading; none when empty.
  public var title: String
  /// The choices.
  public var items: [DropDownItem]
  /// Choices under `title`.
  public init(_ title: String = "", _ items: [DropDownItem]) {
    self.title = title
    self.items = items
  }
}

/// A field that shows one of several choices and opens a list of them, by pointer and keys.
@MainActor public final class DropDown: ControlBase {
  /// A choice was made, by the hand: its id.
  public var onSelect: ((String) -> Void)?
  /// Return was pressed while the list was closed; without it Return opens the list.
  public var onSubmit: (() -> Void)?
  /// Whether it has no outline until it is pointed at, as in lines of text; it is then as wide as what it says.
  public var isQuiet = false { didSet { if isQuiet != oldValue { invalidate() } } }
  /// What it says of the choice while it is closed; the choice's title where this is nil.
  public var summary: ((DropDownItem) -> String)?
  /// The choices.
  public var groups: [DropDownGroup] { didSet { invalidate() } }
  /// The chosen one.
  public var selectedID: String? { didSet { if selectedID != oldValue { invalidate() } } }

  private(set) var list: DropDownList?
  /// Whether the pointer opened the list: then the keys go back to where they went before, and not to a field that was
  /// only passed by.
  private var isOpenedByPointer = false
  private var typed = TypeAhead()

  /// A drop-down of `groups` with `selectedID` chosen.
  public init(_ groups: [DropDownGroup], selectedID: String? = nil) {
    self.groups = groups
    self.selectedID = selectedID
    super.init()
  }

  /// All choices in order.
  public var items: [DropDownItem] { groups.flatMap(\.items) }
  /// The chosen one.
  public var selectedItem: DropDownItem? { items.first { $0.id == selectedID } }
  /// Whether the list is open.
  public var isOpen: Bool { list != nil }

  /// The width at which every choice's title is shown in full.
  public var preferredWidth: Double {
    let titles = isQuiet ? [shownTitle] : items.map { summary?($0) ?? $0.title }
    let widest = titles.map { TextLayout($0, font: style.font).size.width }.max() ?? 0
    return widest.rounded(.up) + 2 * style.padding + style.px(16)
  }

  private var shownTitle: String { selectedItem.map { summary?($0) ?? $0.title } ?? "" }

  public override var acceptsFocus: Bool { true }
  public override func pointerShape(at point: Point) -> PointerShape { isEnabled ? .hand : .arrow }

  /// Opens the list.
  public func open() {
    guard isEnabled, list == nil, let host, !items.isEmpty else { return }
    let list = DropDownList(self)
    self.list = list
    host.present(list)
    invalidate()
  }

  /// Closes the list.
  public func close() {
    if let list { host?.dismiss(list) }
  }

  func listClosed() {
    list = nil
    invalidate()
    guard isOpenedByPointer else { return }
    isOpenedByPointer = false
    if isFocused { host?.focus(nil, reason: .pointer) }
  }

  func choose(_ item: DropDownItem) {
    guard item.isEnabled else { return }
    let isNew = item.id != selectedID
    selectedID = item.id
    if isNew { onSelect?(item.id) }
  }

  /// The next choice that can be made, `steps` of them on (back when negative); stays at the ends.
  static func enabledIndex(in items: [DropDownItem], from start: Int?, steps: Int) -> Int? {
    let enabled = items.indices.filter { items[$0].isEnabled }
    guard !enabled.isEmpty else { return nil }
    guard let start else { return steps >= 0 ? enabled.first : enabled.last }
    let place: Int
    if steps >= 0 {
      // From a choice that cannot be made the first step goes to the next that can.
      let base = enabled.lastIndex { $0 <= start } ?? -1
      place = base + steps
    } else {
      let base = enabled.firstIndex { $0 >= start } ?? enabled.count
      place = base + steps
    }
    return enabled[max(0, min(enabled.count - 1, place))]
  }

  public override func focusLost() {
    super.focusLost()
    close()
  }

  public override func handle(_ event: ControlEvent) -> ControlResponse {
    _ = super.handle(event)
    guard isEnabled else { return .ignored }
    switch event {
    case .pointerPressed(let pointer) where pointer.button == .left:
      if isOpen {
        close()
      } else {
        open()
        isOpenedByPointer = isOpen
      }
      return .handled
    case .pointerMoved(let pointer):
      // Press, drag to a choice and release: one movement, as with menus.
      if let list, !contains(pointer.position) { _ = list.handle(event) }
      return .ignored
    case .pointerReleased(let pointer) where pointer.button == .left:
      if let list, list.frame.contains(pointer.position) { _ = list.handle(event) }
      return .handled
    case .scrolled(let scroll) where isFocused && !isOpen && abs(scroll.dy) >= 1:
      step(scroll.dy > 0 ? -1 : 1)
      return .handled
    case .key(let press): return key(press)
    case .text(" ", _):
      open()
      return .handled
    case .text(let string, let time):
      let prefix = typed.add(string, time: time)
      if let match = TypeAhead.match(prefix, in: items, after: selectedID) { choose(match) }
      return .handled
    default: return .ignored
    }
  }

  private func key(_ press: KeyPress) -> ControlResponse {
    switch press.key {
    case .down where press.modifiers == .alt, .function(4): open()
    case .down where press.modifiers.isEmpty: step(1)
    case .up where press.modifiers.isEmpty: step(-1)
    case .home: step(-items.count)
    case .end: step(items.count)
    case .return where press.modifiers.isEmpty:
      if let onSubmit { onSubmit() } else { open() }
    default: return .ignored
    }
    return .handled
  }

  private func step(_ steps: Int) {
    let all = items
    let present = all.firstIndex { $0.id == selectedID }
    if let next = Self.enabledIndex(in: all, from: present, steps: steps) { choose(all[next]) }
  }

  public override func draw(on canvas: Canvas) {
    if !isQuiet || isHovered || isOpen || (isFocused && showsFocusRing) {
      FieldBox(
        isEnabled: isEnabled, isHovered: isHovered && !isOpen, isPressed: isOpen, showsFocus: isFocused || isOpen
      ).draw(on: canvas, in: frame, style: style)
    }
    let theme = style.theme
    let color = isEnabled ? theme.text : theme.disabledText
    let arrowWidth = style.px(8)
    let x = frame.x + style.padding
    let room = frame.maxX - style.padding - arrowWidth - style.px(4) - x
    let title = TextLayout(shownTitle, font: style.font, maximumWidth: room, ellipsis: .end)
    canvas.text(title, x: x, baseline: baseline(of: style.font, in: frame), color)
    let quiet = isEnabled ? theme.secondaryText : theme.disabledText
    let center = Point(x: frame.maxX - style.padding - arrowWidth / 2, y: frame.center.y)
    canvas.stroke(
      Path.chevronDown(center: center, width: arrowWidth), quiet, lineWidth: max(1, 1.5 * style.scale), rounded: true)
  }
}

extension Path {
  /// The sign for what opens downwards.
  static func chevronDown(center: Point, width: Double) -> Path {
    let half = width / 2
    return Path(
      [
        Point(x: center.x - half, y: center.y - half / 2), Point(x: center.x, y: center.y + half / 2),
        Point(x: center.x + half, y: center.y - half / 2),
      ], closed: false)
  }
}

/// What is typed to find a choice by its first letters; a pause of a second starts anew.
struct TypeAhead {
  private var prefix = ""
  private var last: UInt32 = 0

  mutating func add(_ string: String, time: UInt32) -> String {
    // The clock wraps around.
    if time &- last > 1000 { prefix = "" }
    last = time
    prefix += string.lowercased()
    return prefix
  }

  /// The choice whose name or alias begins with `prefix`. One letter, also repeated, goes on from the present choice.
  static func match(_ prefix: String, in items: [DropDownItem], after id: String?) -> DropDownItem? {
    guard let first = prefix.first else { return nil }
    let isOneLetter = prefix.allSatisfy { $0 == first }
    let needle = isOneLetter ? String(first) : prefix
    let present = items.firstIndex { $0.id == id } ?? -1
    let start = isOneLetter ? present + 1 : max(0, present)
    let order = items.indices.map { items[(start + $0) % items.count] }.filter(\.isEnabled)
    if let byTitle = order.first(where: { $0.title.lowercased().hasPrefix(needle) }) { return byTitle }
    return order.first { item in
      item.detail.lowercased().split { !$0.isLetter && !$0.isNumber }.contains { $0.hasPrefix(needle) }
    }
  }
}
