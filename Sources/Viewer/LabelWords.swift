import Controls
import Scene

// What the kinds of labels are called.
extension LabelKind {
  /// In a sentence, after “by”.
  var words: String {
    switch self {
    case .folder: "folder"
    case .date: "date"
    case .size: "file size"
    case .aspect: "shape"
    }
  }

  /// The id of the choice that there be no colours.
  static let noChoice = "none"

  /// The choices of a drop-down.
  static var choices: [DropDownItem] {
    [DropDownItem(id: noChoice, title: "None")]
      + allCases.map { kind in
        DropDownItem(
          id: kind.rawValue, title: kind.words.prefix(1).uppercased() + kind.words.dropFirst(), detail: kind.explanation
        )
      }
  }

  private var explanation: String {
    switch self {
    case .folder: ""
    case .date: "of the last change"
    case .size: ""
    case .aspect: "width to height"
    }
  }
}
