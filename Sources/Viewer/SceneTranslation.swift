import Geometry
import Scene
import X11

/// What the window says, in the words of the scene.
enum SceneTranslation {
  static func modifiers(_ held: X11.Modifiers) -> HeldKeys {
    var result: HeldKeys = []
    if held.contains(.shift) { result.insert(.shift) }
    if held.contains(.control) { result.insert(.control) }
    if held.contains(.alt) { result.insert(.alt) }
    return result
  }

  /// The key as the scene knows it; nil for those that mean nothing there.
  static func key(_ event: KeyEvent) -> SceneKey? {
    switch event.symbol {
    case .left: .left
    case .right: .right
    case .up: .up
    case .down: .down
    case .return: .return
    case .escape: .escape
    case .home: .home
    case .pageUp: .pageUp
    case .pageDown: .pageDown
    case .backspace: .backspace
    case .menu: .menu
    case .function(1), .help: .f1
    case .function(5): .f5
    case .function(10): .f10
    case .function(11): .f11
    case .character(let character): .character(character)
    default: nil
    }
  }

  static func cursor(_ cursor: SceneCursor) -> CursorShape {
    switch cursor {
    case .arrow: .arrow
    case .pointer: .pointingHand
    case .dragging: .grabbing
    case .drawing: .crosshair
    }
  }
}
