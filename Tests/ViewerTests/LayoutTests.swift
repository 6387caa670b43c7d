import Foundation
import Mapping
import Neighbors
import TSNE
import TestSupport
import Testing

@testable import Viewer

@Suite("What tells layouts apart")
struct LayoutWordsTests {
  private let now = Date(timeIntervalSince1970: 1_700_000_000)

  private func subject(
    iteration: Int = 1000, isComplete: Bool = true, placed: Int? = nil, secondsAgo: Double = 0,
    _ change: (inout MapParameters) -> Void = { _ in }
  ) -> LayoutWords.Subject {
    var parameters = MapParameters(tsne: TSNEParameters(threads: 1))
    change(&parameters)
    return .init(
      parameters: parameters, iteration: iteration, isComplete: isComplete, placed: placed,
      date: now.addingTimeInterval(-secondsAgo))
  }

  private func titles(_ subjects: [LayoutWords.Subject]) -> [String] {
    LayoutWords.describing(subjects, now: now).map(\.title)
  }

  @Test("only what differs among them is said, and the perplexity where nothing does")
  func titles() {
    #expect(titles([]) == [])
    #expect(titles([subject()]) == ["perplexity 30"])
    #expect(titles([subject(), subject()]) == ["perplexity 30", "perplexity 30"])
    #expect(
      titles([subject(), subject { $0.tsne.perplexity = 5.5 }, subject { $0.metric = .euclidean }]) == [
        "perplexity 30 · cosine", "perplexity 5.5 · cosine", "perplexity 30 · euclidean",
      ])
    #expect(
      titles([subject { $0.tsne.learningRate = .value(200) }, subject()]) == ["rate 200", "rate auto"])
    #expect(titles([subject { $0.reducedDimension = nil }, subject()]) == ["all components", "50 components"])
    #expect(titles([subject { $0.tsne.threads = 8 }, subject()]) == ["perplexity 30", "perplexity 30"])
  }

  @Test("every parameter that makes another layout tells it apart")
  func complete() {
    let changes: [(inout MapParameters) -> Void] = [
      { $0.tsne.perplexity = 7 }, { $0.metric = .correlation }, { $0.tsne.earlyExaggeration = 4 },
      { $0.tsne.learningRate = .value(10) }, { $0.tsne.iterations = 2000 }, { $0.tsne.seed = 3 },
      { $0.tsne.lateExaggeration = 2 }, { $0.tsne.earlyIterations = 100 }, { $0.tsne.momentum = 0.5 },
      { $0.featureSide = 20 }, { $0.reducedDimension = 20 },
    ]
    for change in changes {
      let both = titles([subject(), subject(change)])
      #expect(both[0] != both[1])
    }
    let exponents = titles([
      subject { $0.metric = .minkowski },
      subject {
        $0.metric = .minkowski
        $0.metricParameters.minkowskiP = 3
      },
    ])
    #expect(exponents == ["minkowski p 2", "minkowski p 3"])
  }

  @Test("a layout of today has its time, an older one its date, and one that is not complete says so")
  func details() {
    func detail(_ subject: LayoutWords.Subject) -> String { LayoutWords.describing([subject], now: now)[0].detail }
    #expect(detail(subject()).wholeMatch(of: /\d\d:\d\d/) != nil)
    #expect(detail(subject(secondsAgo: 3 * 86_400)).wholeMatch(of: /2023-11-1\d/) != nil)
    #expect(detail(subject(iteration: 312, isComplete: false)).hasSuffix(" · at 312"))
    #expect(detail(subject(isComplete: false, placed: 3)).hasSuffix(" · 3 placed since"))
  }
}

// Leaping between layouts in the window.
extension ViewerTests {
  @Test("Alt+Left leads to the layout before, with its parameters; it is there again after a restart, and h shows all")
  func leaping() async throws {
    let home = try TemporaryDirectory("leaping")
    let display = try await VirtualDisplay.start(width: 1000, height: 700, windowManager: true)
    let window = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await window.waitForState("finished")
    try await window.waitForWord("layouts:1/1")
    try await window.key("0")
    try await window.pointAtNothing()
    let first = try await window.picture()
    try await window.key("ctrl+l", "Tab", "Tab", "Tab", "ctrl+a")
    try await window.type("5")
    try await window.key("Return")
    try await window.waitForWord("layouts:2/2")
    try await window.pointAtNothing()
    let second = try await window.picture()
    #expect(second.mapAgreement(with: first) < 0.9)

    try await window.key("alt+Left")
    try await window.waitForWord("layouts:1/2")
    #expect(try await window.picture().mapAgreement(with: first) > 0.99)
    // The bar says what is shown: there is nothing to refresh for.
    #expect(try await !window.state().contains("outdated"))
    try await window.key("alt+Left")
    _ = try await window.picture()
    #expect(try await window.state().contains("layouts:1/2"))
    try await window.key("alt+Right")
    try await window.waitForWord("layouts:2/2")
    #expect(try await window.picture().mapAgreement(with: second) > 0.99)

    try await window.key("h")
    try await window.waitForWord("layoutstrip")
    try await window.key("alt+Left")
    try await window.waitForWord("layouts:1/2")
    try await window.key("Escape")
    try await window.waitForWord("layoutstrip", present: false)
    try await window.pointAtNothing()
    let shown = try await window.picture()
    #expect(shown.mapAgreement(with: first) > 0.99)
    #expect(try await window.quit() == 0)

    let again = try await WindowUnderTest.start([sampleImages], home: home, on: display)
    try await again.waitForState("finished")
    try await again.waitForWord("layouts:1/2")
    try await again.pointAtNothing()
    #expect(try await again.picture().mapAgreement(with: shown) > 0.99)
    #expect(try await !again.state().contains("outdated"))
  }

  @Test("a press on a layout of the strip leaps there, and not while a job runs")
  func pressedLayout() async throws {
    let window = try await WindowUnderTest.start([sampleImages + "/fruit", "--perplexity", "3"])
    try await window.waitForWord("layouts:1/1")
    try await window.key("ctrl+l", "Tab", "Tab", "Tab", "ctrl+a")
    try await window.type("2")
    try await window.key("Return")
    try await window.waitForWord("layouts:2/2")
    try await window.key("h")
    try await window.waitForWord("layoutstrip")
    // Two pictures in the middle of the lower edge: the left one is the older.
    let picture = try await window.picture()
    try await window.point(picture.width / 2 - 120, picture.height - 110)
    try await window.display.xdotool("click", "1")
    try await window.waitForWord("layouts:1/2")
  }
}
