import Controls
import Drawing
import Geometry
import Mapping
import Neighbors
import TSNE

/// The bar at the top: location, the parameters of t-SNE, the distance, Refresh. In a narrow window the parameters fold
/// into a panel behind one button.
@MainActor final class TopBar {
  /// The location was submitted, or Refresh pressed.
  var onRun: (() -> Void)?
  /// Cancel was pressed.
  var onCancel: (() -> Void)?
  /// Escape was pressed in a field.
  var onLeave: (() -> Void)?
  /// The parameters were changed by the hand.
  var onEdit: (() -> Void)?

  /// Where images come from.
  let location = TextField("", placeholder: "bucket/folder or /folder")
  /// The controls in Tab order; the parameters are theirs only while the bar is wide enough.
  var controls: [any Control] {
    captions.map { $0 as any Control }
      + [location, exaggeration, learningRate, perplexity, distance, more, run]
  }
  /// Where it is.
  private(set) var frame: Rect = .zero
  /// Whether a job runs: Refresh says Cancel.
  var isRunning = false {
    didSet {
      run.title = isRunning ? "Cancel" : "Refresh"
      run.kind = isRunning ? .normal : .accent
    }
  }

  private static let numberWidth = 84.0
  private static let narrowest = 176.0

  private let exaggeration: NumberField
  private let learningRate: NumberField
  private let perplexity: NumberField
  private let distance: DropDown
  private let run = Button("Refresh", kind: .accent)
  private let more = Button("Parameters")
  private let captions: [Label]
  private var isFolded = false
  private var panel: PopupPanel?
  private var base: MapParameters
  private weak var host: (any ControlHost)?

  private static let names = ["Location", "Exaggeration", "Learning rate", "Perplexity", "Distance"]

  init(_ parameters: MapParameters) {
    base = parameters
    exaggeration = NumberField(
      .number(parameters.tsne.earlyExaggeration), rule: NumberRule(name: "Exaggeration", range: 1...1000))
    learningRate = NumberField(
      .word("auto"),
      rule: NumberRule(
        name: "Learning rate", range: 0.001...1e9, words: ["auto"], step: 50, stepOrigin: 200))
    perplexity = NumberField(
      .number(parameters.tsne.perplexity), rule: NumberRule(name: "Perplexity", range: 1...10_000, step: 5))
    distance = DropDown(Self.distanceGroups(), selectedID: parameters.metric.rawValue)
    captions = Self.names.map { Label($0, role: .caption) }
    location.toolTip = nil
    exaggeration.toolTip = "How strongly similar images attract each other in the first 250 iterations"
    learningRate.toolTip = "The step of the optimiser; auto is the number of images divided by the exaggeration"
    perplexity.toolTip = "About how many neighbours each image has"
    run.reservedTitles = ["Refresh", "Cancel"]
    run.onPress = { [weak self] in
      guard let self else { return }
      if isRunning { onCancel?() } else { onRun?() }
    }
    more.onPress = { [weak self] in self?.toggleParameters() }
    location.onSubmit = { [weak self] _ in self?.onRun?() }
    for field in [location, exaggeration, learningRate, perplexity] {
      field.onCancel = { [weak self] in self?.onLeave?() }
    }
    for field in [exaggeration, learningRate, perplexity] {
      field.onSubmit = { [weak self] _ in self?.onRun?() }
      field.onChange = { [weak self] _ in self?.onEdit?() }
    }
    distance.onSubmit = { [weak self] in self?.onRun?() }
    distance.onSelect = { [weak self] _ in self?.onEdit?() }
    set(parameters)
  }

  /// The parameters as they stand in the fields; nil while one of them will not do.
  var parameters: MapParameters? {
    guard case .number(let exaggeration)? = exaggeration.value, case .number(let perplexity)? = perplexity.value,
      let rate = learningRate.value, let id = distance.selectedID, let metric = Metric(rawValue: id)
    else { return nil }
    var parameters = base
    parameters.tsne.earlyExaggeration = exaggeration
    parameters.tsne.perplexity = perplexity
    switch rate {
    case .number(let value): parameters.tsne.learningRate = .value(value)
    case .word: parameters.tsne.learningRate = .automatic
    }
    parameters.metric = metric
    return parameters
  }

  /// What is wrong with the parameters, as a sentence.
  var problem: String? {
    [exaggeration, learningRate, perplexity].lazy.compactMap(\.message).first
  }

  /// Puts parameters into the fields; what has no field is kept for `parameters`.
  func set(_ parameters: MapParameters) {
    base = parameters
    exaggeration.text = NumberValue.number(parameters.tsne.earlyExaggeration).description
    switch parameters.tsne.learningRate {
    case .automatic: learningRate.text = "auto"
    case .value(let value): learningRate.text = NumberValue.number(value).description
    }
    perplexity.text = NumberValue.number(parameters.tsne.perplexity).description
    distance.selectedID = parameters.metric.rawValue
    for field in [exaggeration, learningRate, perplexity] { field.validate() }
  }

  /// Lays it out along the top of a window of `width`, asking `host` for popups.
  func place(width: Double, style: Style, host: any ControlHost) {
    self.host = host
    frame = Rect(x: 0, y: 0, width: width, height: style.barHeight)
    let number = style.px(Self.numberWidth)
    let distanceWidth = max(style.px(112), distance.preferredWidth)
    let runWidth = run.preferredWidth
    let gap = style.px(8)
    let margin = style.px(12)
    let full = 2 * margin + 3 * number + distanceWidth + runWidth + 5 * gap + style.px(Self.narrowest)
    fold(full > width)
    let captionTop = frame.y + style.px(4)
    let fieldTop = captionTop + style.captionHeight + style.px(3)
    var right = width - margin
    func put(_ control: any Control, width: Double, caption: Int? = nil) {
      right -= width
      control.frame = Rect(x: right, y: fieldTop, width: width, height: style.fieldHeight)
      if let caption {
        captions[caption].frame = Rect(x: right, y: captionTop, width: width + gap, height: style.captionHeight)
      }
      right -= gap
    }
    put(run, width: runWidth)
    if isFolded {
      put(more, width: more.preferredWidth)
    } else {
      put(distance, width: distanceWidth, caption: 4)
      put(perplexity, width: number, caption: 3)
      put(learningRate, width: number, caption: 2)
      put(exaggeration, width: number, caption: 1)
    }
    put(location, width: max(style.px(40), right - margin), caption: 0)
  }

  /// The background and the hairline; the controls draw themselves.
  func drawBackground(on canvas: Canvas, style: Style) {
    canvas.fill(frame, style.theme.bar)
    canvas.fill(
      Rect(x: 0, y: frame.maxY - style.hairline, width: frame.width, height: style.hairline), style.theme.hairline)
  }

  /// Fields that show something wrong are opened to sight where they are folded away.
  func reveal() {
    if isFolded, panel == nil { toggleParameters() }
  }

  private var parameterControls: [any Control] { [exaggeration, learningRate, perplexity, distance] }

  private func fold(_ folded: Bool) {
    guard folded != isFolded || panel == nil else { return }
    if let panel, !folded { host?.dismiss(panel) }
    isFolded = folded
    more.isVisible = folded
    for control in parameterControls { control.isVisible = !folded || panel != nil }
    for caption in captions.dropFirst() { caption.isVisible = !folded }
  }

  private func toggleParameters() {
    if let panel {
      host?.dismiss(panel)
      return
    }
    let entries = zip(Self.names.dropFirst(), parameterControls).map {
      PopupPanel.Entry(caption: $0, control: $1)
    }
    let panel = PopupPanel(owner: more, entries: entries)
    panel.onDismiss = { [weak self] in
      guard let self else { return }
      self.panel = nil
      for control in parameterControls { control.isVisible = !isFolded }
    }
    self.panel = panel
    for control in parameterControls { control.isVisible = true }
    host?.present(panel)
  }

  /// The distances by group, those of one name together, what cannot be run yet disabled.
  private static func distanceGroups() -> [DropDownGroup] {
    Metric.Group.allCases.map { group in
      var items: [DropDownItem] = []
      for metric in Metric.allCases where metric.group == group && metric.canonical == metric {
        for name in [metric] + metric.aliases {
          items.append(
            DropDownItem(
              id: name.rawValue, detail: name == metric ? "" : "same as \(metric.rawValue)",
              disabledReason: name.isSupported ? nil : "This distance cannot be used yet."))
        }
      }
      return DropDownGroup(group.rawValue, items)
    }
  }
}
