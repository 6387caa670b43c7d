public import Foundation

/// An X server without a screen (Xvfb), with or without a window manager.
public final class VirtualDisplay: Sendable {
  /// The display's name, such as `:5`.
  public let name: String

  private let server: ChildProcess
  private let windowManager: ChildProcess?

  /// Starts a server of its own and waits until it accepts connections.
  ///
  /// - Parameters:
  ///   - depth: 24, 16 or 30 bits a pixel.
  ///   - dpi: set as the resource `Xft.dpi`, as desktops do; nil sets none.
  ///   - windowManager: starts openbox and waits until it manages windows.
  ///   - arguments: more arguments for Xvfb, such as `["-extension", "MIT-SHM"]`.
  public static func start(
    width: Int = 1280, height: Int = 800, depth: Int = 24, dpi: Int? = nil, windowManager: Bool = false,
    arguments: [String] = []
  ) async throws -> VirtualDisplay {
    Self.brokenPipesAreErrors
    let server = try ChildProcess(
      "Xvfb",
      [
        "-displayfd", "1", "-screen", "0", "\(width)x\(height)x\(depth)", "-nolisten", "tcp", "-noreset",
      ] + arguments)
    try await eventually("Xvfb names its display") {
      guard server.isRunning else { throw TestSupportError("Xvfb ended: \(server.errorText)") }
      return server.outputText.hasSuffix("\n")
    }
    let name = ":" + server.outputText.trimmingCharacters(in: .whitespacesAndNewlines)
    let environment = Self.environment(name)
    if let dpi {
      _ = try await TestSupport.run(
        "xprop", ["-root", "-f", "RESOURCE_MANAGER", "8s", "-set", "RESOURCE_MANAGER", "Xft.dpi:\t\(dpi)\n"],
        environment: environment, checked: true)
    }
    var manager: ChildProcess?
    if windowManager {
      let openbox = try ChildProcess("openbox", ["--sm-disable"], environment: environment)
      try await eventually("openbox manages windows") {
        guard openbox.isRunning else { throw TestSupportError("openbox ended: \(openbox.errorText)") }
        let answer = try await TestSupport.run(
          "xprop", ["-root", "_NET_SUPPORTING_WM_CHECK", "_NET_SUPPORTED"], environment: environment)
        return answer.outputText.contains("window id") && answer.outputText.contains("_NET_WM_STATE_FULLSCREEN")
      }
      manager = openbox
    }
    return VirtualDisplay(name: name, server: server, windowManager: manager)
  }

  /// A server may be gone before the last connection to it is closed: the test process, like the program, takes that as
  /// an error of the connection. Xlib leaves the signal to whoever uses it.
  private static let brokenPipesAreErrors: Void = { signal(SIGPIPE, SIG_IGN) }()

  init(name: String, server: ChildProcess, windowManager: ChildProcess?) {
    self.name = name
    self.server = server
    self.windowManager = windowManager
  }

  private static func environment(_ name: String) -> [String: String?] {
    // xprop and xdotool take and print text in the locale's encoding.
    [
      "DISPLAY": name, "XAUTHORITY": nil, "XMODIFIERS": "@im=none", "WAYLAND_DISPLAY": nil, "LC_ALL": "C.UTF-8",
    ]
  }

  /// The environment that makes a program open its windows here.
  public var environment: [String: String?] { Self.environment(name) }

  /// The X server's process, for tests in which it stops or dies.
  public var processID: pid_t { server.processID }

  /// Runs a program on this display to its end; an exit code other than 0 is an error.
  @discardableResult
  public func run(_ program: String, _ arguments: [String], within seconds: Double = 240) async throws -> ProcessResult
  {
    try await TestSupport.run(program, arguments, environment: environment, within: seconds, checked: true)
  }

  /// Runs xdotool and returns what it prints, without the newline at the end.
  @discardableResult
  public func xdotool(_ arguments: String...) async throws -> String {
    try await run("xdotool", arguments).outputText.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  /// What the screen, or one window (an id as xdotool prints it), shows now.
  public func screenshot(window: String? = nil) async throws -> Screenshot {
    let what = window.map { ["-id", $0] } ?? ["-root"]
    return try Screenshot(xwd: try await run("xwd", ["-silent"] + what).output)
  }
}
