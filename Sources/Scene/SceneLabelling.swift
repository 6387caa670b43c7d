/// What the colours of a map say, and whether that is explained beside it.
struct LabelView: Sendable {
  var kind: LabelKind?
  var labelling: Labelling?
  var showsLegend = true
  /// Grows with every change that is seen on the map.
  var version = 0
}

// Colours around pictures.
extension Scene {
  /// What the colours of the frames are to say; nil while pictures have no frames.
  public var labelKind: LabelKind? { labels.kind }
  /// The classes that the frames show; nil until they are computed.
  public var labelling: Labelling? { labels.labelling }
  /// Whether the colours are to be explained beside the map.
  public var showsLegend: Bool { labels.showsLegend }

  mutating func setLabelKind(_ kind: LabelKind?, _ effects: inout Effects) {
    guard kind != labels.kind else { return }
    labels.kind = kind
    // Other colours stay until the new ones are known: nothing flickers.
    if kind == nil, labels.labelling != nil {
      labels.labelling = nil
      labels.version &+= 1
      effects.redraw()
    }
    hasUnsavedView = true
    effects.add(.labelKindChanged)
  }

  mutating func nextLabelKind(_ effects: inout Effects) {
    let all = LabelKind.allCases
    let next = labels.kind.flatMap { all.firstIndex(of: $0) }.map { $0 + 1 } ?? 0
    setLabelKind(all.indices.contains(next) ? all[next] : nil, &effects)
  }

  mutating func show(_ labelling: Labelling, _ effects: inout Effects) {
    guard labelling.kind == labels.kind else { return }
    labels.labelling = labelling
    labels.version &+= 1
    effects.redraw()
  }

  mutating func setShowsLegend(_ isShown: Bool, _ effects: inout Effects) {
    guard isShown != labels.showsLegend else { return }
    labels.showsLegend = isShown
    hasUnsavedView = true
    effects.redraw()
  }
}
