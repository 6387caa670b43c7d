internal import Drawing
internal import Foundation

/// What a number field holds.
public enum NumberValue: Hashable, Sendable, CustomStringConvertible {
  /// A number.
  case number(Double)
  /// One of the words the field allows, such as `auto`.
  case word(String)

  /// As it is shown and typed: whole numbers without a point.
  public var description: String {
    switch self {
    case .number(let value):
      value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    case .word(let word): word
    }
  }
}

/// What a number field may hold, and how to say what it may not.
public struct NumberRule: Sendable {
  /// What the number is called in a sentence: "Perplexity".
  public var name: String
  /// The smallest and the largest number.
  public var range: ClosedRange<Double>
  /// Whether only whole numbers will do.
  public var isWhole: Bool
  /// Words that stand for a number: `auto`.
  public var words: [String]
  /// How much Up and Down change the number by.
  public var step: Double
  /// Where Up and Down start from when a word stands in the field.
  public var stepOrigin: Double

  /// A rule for a number called `name`.
  public init(
    name: String, range: ClosedRange<Double>, isWhole: Bool = false, words: [String] = [], step: Double = 1,
    stepOrigin: Double? = nil
  ) {
    self.name = name
    self.range = range
    self.isWhole = isWhole
    self.words = words
    self.step = step
    self.stepOrigin = stepOrigin ?? range.lowerBound
  }

  /// The number or word that `text` says, or a sentence about what would do instead. A comma counts as a decimal point.
  public func check(_ text: String) -> Result<NumberValue, NumberProblem> {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    if let word = words.first(where: { $0.caseInsensitiveCompare(trimmed) == .orderedSame }) {
      return .success(.word(word))
    }
    let alternatives = words.map { " or \($0)" }.joined()
    guard !trimmed.isEmpty else { return problem("\(name) is missing: type a number\(alternatives).") }
    let isPlain = trimmed.allSatisfy { "0123456789.,-+eE".contains($0) }
    guard isPlain, let value = Double(trimmed.replacing(",", with: ".")), value.isFinite else {
      return problem("\(name) must be a number\(alternatives).")
    }
    guard !isWhole || value == value.rounded() else { return problem("\(name) must be a whole number\(alternatives).") }
    guard range.contains(value) else { return problem("\(name) must be \(limits)\(alternatives).") }
    return .success(.number(value))
  }

  private var limits: String {
    let low = NumberValue.number(range.lowerBound).description
    let high = NumberValue.number(range.upperBound).description
    return switch (range.lowerBound.isFinite && range.lowerBound > -1e15, range.upperBound < 1e15) {
    case (true, true): "from \(low) to \(high)"
    case (true, false): "at least \(low)"
    default: "at most \(high)"
    }
  }

  private func problem(_ sentence: String) -> Result<NumberValue, NumberProblem> { .failure(NumberProblem(sentence)) }
}

/// Why a text is no number that will do.
public struct NumberProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// A sentence that says what would do.
  public var description: String
  /// A problem that reads `description`.
  public init(_ description: String) { self.description = description }
}

/// A text field for a number, checked while it is typed; Up and Down change it by a step.
@MainActor public final class NumberField: TextField {
  /// What a text means, or what is wrong with it.
  public typealias Check = @MainActor (String) -> Result<NumberValue, NumberProblem>

  /// The value changed, by the hand, to one that will do.
  public var onValueChange: ((NumberValue) -> Void)?
  private let check: Check
  private let rule: NumberRule

  /// A field that holds `value`. `check` replaces the rule's own check, for what depends on more than the text.
  public init(_ value: NumberValue, rule: NumberRule, check: Check? = nil) {
    self.rule = rule
    self.check = check ?? { rule.check($0) }
    super.init(value.description)
    validate()
  }

  /// What the field says, or nil when that will not do.
  public var value: NumberValue? {
    get { try? check(text).get() }
    set { if let newValue { text = newValue.description } }
  }

  override var textFont: Font { style.font.tabular }

  /// Checks the text again, after something else that the check looks at has changed.
  public func validate() {
    switch check(text) {
    case .success: errorMessage = nil
    case .failure(let problem): errorMessage = problem.description
    }
  }

  override func textChanged(byHand: Bool) {
    validate()
    super.textChanged(byHand: byHand)
    if byHand, let value { onValueChange?(value) }
  }

  override func stepped(up: Bool, _ press: KeyPress) -> Bool {
    let present: Double? = if case .number(let number) = value { number } else { nil }
    // From a word, or from nonsense, the first press goes to where stepping starts.
    let target = present.map { $0 + (up ? rule.step : -rule.step) } ?? rule.stepOrigin
    // Sums of decimal steps keep their decimals: 0.1 + 0.2 is shown as 0.3.
    let rounded = (target * 1e6).rounded() / 1e6
    let next = max(rule.range.lowerBound, min(rule.range.upperBound, rounded))
    edit {
      $0.replaceAll(with: NumberValue.number(next).description)
      $0.selectAll()
    }
    return true
  }
}
