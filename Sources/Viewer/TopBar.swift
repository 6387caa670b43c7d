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

  /// The location was changed by the hand.
  var onType: (() -> Void)?

  /// Where images come from.
  let location = TextField("", placeholder: "bucket/folder or /folder")
  /// Whether a job runs: Refresh says Cancel.
  var isRunning = false { didSet { if isRunning != oldValue { showRun() } } }
  /// What Refresh would do.
  var news = News.none { didSet { if news != oldValue { showRun() } } }

  /// What of the bar is not on the map.
  enum News {
    /// The map is what the bar says.
    case none
    /// There is something to run: another location, or a job that did not come to its end.
    case job
    /// The parameters are others than those that the map was made with.
    case parameters
  }

  private let exaggeration: NumberField
  private let learningRate: NumberField
  private let perplexity: NumberField
  private let distance: DropDown
  private let run = Button("Refresh", kind: .accent)
  private let toolbar: Toolbar
  private let group: ControlGroup
  /// What has no field of its own.
  private var base: MapParameters
  private var frame: Rect = .zero

  init(_ parameters: MapParameters, group: ControlGroup) {
    base = parameters
    self.group = group
    exaggeration = NumberField(
      .number(parameters.tsne.earlyExaggeration), rule: NumberRule(name: "Exaggeration", range: 1...1000))
    learningRate = NumberField(
      .word("auto"),
      rule: NumberRule(
        name: "Learning rate", range: 0.001...1e9, words: ["auto"], step: 50, stepOrigin: 200))
    perplexity = NumberField(
      .number(parameters.tsne.perplexity), rule: NumberRule(name: "Perplexity", range: 1...10_000, step: 5))
    distance = DropDown(Self.distanceGroups(), selectedID: parameters.metric.rawValue)
    run.reservedTitles = ["Refresh", "Cancel"]
    toolbar = Toolbar(
      [
        .init(caption: "Location", control: location, minimumWidth: 160, preferredWidth: .infinity),
        .init(caption: "Exaggeration", control: exaggeration, minimumWidth: 80, preferredWidth: 88, folds: true),
        .init(caption: "Learning rate", control: learningRate, minimumWidth: 80, preferredWidth: 88, folds: true),
        .init(caption: "Perplexity", control: perplexity, minimumWidth: 80, preferredWidth: 88, folds: true),
        .init(caption: "Distance", control: distance, minimumWidth: 128, preferredWidth: 144, folds: true),
        .init(control: run, minimumWidth: 80, preferredWidth: 88),
      ], in: group)
    exaggeration.toolTip = "How strongly similar images attract each other in the first 250 iterations"
    learningRate.toolTip = "The step of the optimiser; auto is the number of images divided by the exaggeration"
    perplexity.toolTip = "About how many neighbours count for each image"
    run.onPress = { [weak self] in
      guard let self else { return }
      if isRunning { onCancel?() } else { onRun?() }
    }
    location.onSubmit = { [weak self] _ in self?.onRun?() }
    location.onChange = { [weak self] _ in
      self?.location.errorMessage = nil
      self?.onType?()
    }
    for field in [location, exaggeration, learningRate, perplexity] {
      field.onCancel = { [weak self] in self?.onLeave?() }
    }
    for field in [exaggeration, learningRate, perplexity] {
      field.onSubmit = { [weak self] _ in self?.onRun?() }
      field.onChange = { [weak self] _ in
        self?.toolbar.noteFoldedProblems()
        self?.onEdit?()
      }
    }
    distance.onSubmit = { [weak self] in self?.onRun?() }
    distance.onSelect = { [weak self] _ in self?.onEdit?() }
    set(parameters)
    showRun()
  }

  private func showRun() {
    run.title = isRunning ? "Cancel" : "Refresh"
    run.kind = isRunning || news == .none ? .normal : .accent
    let isOutdated = !isRunning && news == .parameters
    toolbar.setCaption(isOutdated ? "Changed" : "", isNotice: true, of: run)
    run.toolTip =
      isRunning
      ? "End the job; what is done is kept"
      : isOutdated
        ? "The map was made with other parameters: make it anew (F5)" : "Look for changes and make the map (F5)"
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
    toolbar.noteFoldedProblems()
  }

  /// Lays it out along the top of the window.
  func place(in frame: Rect) {
    self.frame = frame
    toolbar.layOut(in: frame)
  }

  /// The background and the hairline; the controls draw themselves.
  func drawBackground(on canvas: Canvas, style: Style) {
    canvas.fill(frame, style.theme.bar)
    canvas.fill(
      Rect(x: 0, y: frame.maxY - style.hairline, width: frame.width, height: style.hairline), style.theme.hairline)
  }

  /// Brings a parameter that will not do to sight and into focus, with what is wrong said beside it.
  func revealProblem() {
    guard let wrong = [exaggeration, learningRate, perplexity].first(where: { $0.message != nil }) else { return }
    if !toolbar.folded.isEmpty, !wrong.isVisible { toolbar.togglePanel() }
    group.focus(wrong, reason: .keyboard)
  }

  /// The distances by group, those of one name together.
  private static func distanceGroups() -> [DropDownGroup] {
    Metric.Group.allCases.map { group in
      var items: [DropDownItem] = []
      for metric in Metric.allCases where metric.group == group && metric.canonical == metric {
        for name in [metric] + metric.aliases {
          items.append(
            DropDownItem(id: name.rawValue, detail: name == metric ? "" : "same as \(metric.rawValue)"))
        }
      }
      return DropDownGroup(group.rawValue, items)
    }
  }
}
