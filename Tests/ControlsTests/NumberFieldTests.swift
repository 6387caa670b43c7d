import Controls
import Geometry
import TestSupport
import Testing

@MainActor @Suite("The number field", .computing)
struct NumberFieldTests {
  nonisolated static let perplexity = NumberRule(name: "Perplexity", range: 2...1000)
  nonisolated static let rate = NumberRule(
    name: "Learning rate", range: 1...1e6, words: ["auto"], step: 10, stepOrigin: 200)

  @Test(
    "numbers are understood",
    arguments: [
      ("30", 30.0), (" 30 ", 30), ("30,5", 30.5), ("2", 2), ("1000", 1000), ("1e2", 100), ("+5", 5),
    ])
  func numbers(text: String, value: Double) {
    #expect(Self.perplexity.check(text) == .success(.number(value)))
  }

  @Test(
    "what is no number that will do is said why",
    arguments: [
      ("", "Perplexity is missing: type a number."), ("abc", "Perplexity must be a number."),
      ("1.2.3", "Perplexity must be a number."), ("0x10", "Perplexity must be a number."),
      ("nan", "Perplexity must be a number."), ("inf", "Perplexity must be a number."),
      ("1e999", "Perplexity must be a number."), ("1", "Perplexity must be from 2 to 1000."),
      ("-30", "Perplexity must be from 2 to 1000."),
    ])
  func sentences(text: String, sentence: String) {
    #expect(Self.perplexity.check(text) == .failure(NumberProblem(sentence)))
  }

  @Test("words are allowed where the rule has them")
  func words() {
    #expect(Self.rate.check("Auto") == .success(.word("auto")))
    #expect(Self.rate.check("x") == .failure(NumberProblem("Learning rate must be a number or auto.")))
    #expect(Self.perplexity.check("auto") == .failure(NumberProblem("Perplexity must be a number.")))
    let whole = NumberRule(name: "Iterations", range: 1...(.infinity), isWhole: true)
    #expect(whole.check("2.5") == .failure(NumberProblem("Iterations must be a whole number.")))
    #expect(whole.check("0") == .failure(NumberProblem("Iterations must be at least 1.")))
  }

  @Test("it is checked while typed, and the sentence is shown beside the field")
  func liveCheck() {
    let field = NumberField(.number(30), rule: Self.perplexity)
    let desk = Desk([field])
    var values: [NumberValue] = []
    field.onValueChange = { values.append($0) }
    desk.group.focus(field, reason: .program)
    #expect(field.message == nil && desk.group.shownSentence == nil)
    desk.type("x")
    #expect(field.value == nil)
    #expect(field.message == "Perplexity must be a number.")
    #expect(desk.group.shownSentence == "Perplexity must be a number.")
    desk.press(.backspace)
    #expect(field.value == .number(30) && field.message == nil && desk.group.shownSentence == nil)
    desk.type("00000")
    #expect(desk.group.shownSentence == "Perplexity must be from 2 to 1000.")
    // Away from the field the sentence waits until it is pointed at.
    desk.group.focus(nil)
    #expect(desk.group.shownSentence == nil && field.message != nil)
    desk.move(field.frame.center)
    desk.group.showTip()
    #expect(desk.group.shownSentence == "Perplexity must be from 2 to 1000.")
    #expect(values == [.number(30), .number(300)])
  }

  @Test("Up and Down step within the range, from a word to where stepping starts")
  func steps() {
    let field = NumberField(.number(999), rule: Self.perplexity)
    let other = NumberField(.word("auto"), rule: Self.rate)
    let fine = NumberField(.number(0.1), rule: NumberRule(name: "Share", range: 0...1, step: 0.1))
    let desk = Desk([field, other, fine])
    desk.group.focus(field, reason: .program)
    desk.press(.up)
    desk.press(.up)
    #expect(field.text == "1000")
    desk.press(.down)
    #expect(field.text == "999")
    desk.group.focus(other, reason: .program)
    desk.press(.up)
    #expect(other.text == "200")
    desk.press(.up)
    #expect(other.text == "210")
    desk.group.focus(fine, reason: .program)
    desk.press(.up)
    desk.press(.up)
    #expect(fine.text == "0.3")
  }

  @Test("a check of its own may look beyond the text")
  func ownCheck() {
    let other = NumberField(.number(100), rule: NumberRule(name: "Images", range: 0...1e6))
    let field = NumberField(.number(30), rule: Self.perplexity) { text in
      guard case .success(.number(let value)) = Self.perplexity.check(text), case .number(let limit)? = other.value,
        value <= limit
      else {
        return .failure(NumberProblem("Too large for so few images."))
      }
      return .success(.number(value))
    }
    #expect(field.message == nil)
    other.value = .number(10)
    field.validate()
    #expect(field.message == "Too large for so few images.")
  }
}
