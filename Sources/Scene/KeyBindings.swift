/// What a key can ask for.
public enum SceneCommand: Hashable, Sendable {
  /// Move the keyboard focus to the nearest picture in a direction; in the full-size view, show that picture.
  case step(Direction)
  /// Pan as long as the key is held.
  case pan(Direction)
  /// Show the focused picture at full size.
  case open
  /// Leave the full-size view, or drop selection and keyboard focus.
  case back
  /// Show the whole map, or the whole picture.
  case fit
  /// Show the picture at one image pixel to a device pixel.
  case actualSize
  /// Turn the opened picture by a quarter.
  case turn(clockwise: Bool)
  /// Show what its file says about the picture.
  case showDetails
  /// Show transparent pictures on another ground.
  case nextBackdrop
  /// Show the selected pictures at full size, side by side.
  case openSideBySide
  /// Show the view before this one.
  case viewBack
  /// Show the view after this one again.
  case viewForward
  /// Show the overview in the corner, or no more.
  case toggleOverview
  /// Enlarge.
  case zoomIn
  /// Make smaller.
  case zoomOut
  /// Select every picture.
  case selectAll
  /// Select what is not selected, and nothing else.
  case invertSelection
  /// Select the picture at hand, or no more.
  case toggleSelection
  /// Show all of the selection.
  case fitSelection
  /// Select the folder of the picture at hand, or the folder above.
  case selectFolder
  /// Begin a rectangle that the arrow keys extend, or select what lies in it, or take that out.
  case rectangle(takesAway: Bool)
  /// Colour by something else.
  case nextLabelKind
  /// Show what the colours mean, or no more.
  case toggleLegend
  /// Go to the next picture of the selection, or of all by name.
  case nextPicture
  /// Go to the one before.
  case previousPicture
  /// Go through the pictures that are new and not looked at yet.
  case showUnseen
  /// Select by typing.
  case search
  /// Find pictures like the one at hand.
  case findSimilar
  /// Find identical and nearly identical pictures.
  case findDuplicates
  /// Go to the next group of them.
  case nextGroup
  /// Go to the group before.
  case previousGroup
  /// Write the selection, or everything, to a file.
  case save
  /// Free, spread, grid, and free again.
  case nextArrangement
  /// Make the pictures larger, the map staying as it is.
  case enlargePictures
  /// Make them smaller.
  case shrinkPictures
  /// Copy the addresses of the selection, or of the picture at hand.
  case copyAddress
  /// Copy the address of the picture at hand, whatever is selected.
  case copyOwnAddress
  /// Open the picture at hand in the desktop's viewer.
  case openExternally
  /// Go to the location field.
  case focusLocation
  /// Run the job again.
  case refresh
  /// Accept the present positions.
  case stopHere
  /// Optimise further.
  case continueLayout
  /// Show the layouts that are kept, or no more.
  case showLayouts
  /// Go to the layout made before the one that is shown.
  case previousLayout
  /// Go to the layout made after it.
  case nextLayout
  /// List what was left out.
  case showProblems
  /// Show in full what the latest job had to say.
  case showNotes
  /// Show this table.
  case showKeys
  /// Show what can be done with the picture at hand, or on the map.
  case showMenu
  /// Dark or light.
  case switchTheme
  /// Into full screen and back.
  case toggleFullScreen
  /// End the program.
  case quit
}

/// One of the four directions of the arrow keys.
public enum Direction: Hashable, Sendable, CaseIterable {
  /// The directions as seen on the screen.
  case left, right, up, down

  /// The key that names it.
  var key: SceneKey {
    switch self {
    case .left: .left
    case .right: .right
    case .up: .up
    case .down: .down
    }
  }
}

/// A key, and what it asks for.
public struct KeyBinding: Sendable {
  /// The key.
  public let key: SceneKey
  /// What must be held with it. Shift counts for arrow keys only: for letters and signs it is part of the sign.
  public let modifiers: Modifiers
  /// What it asks for.
  public let command: SceneCommand

  /// Every key, in the order in which they are explained.
  public static let table = KeySection.all.flatMap(\.rows).compactMap(\.binding)

  /// What a key asks for, if anything.
  public static func command(for key: SceneKey, _ modifiers: Modifiers) -> SceneCommand? {
    guard case .character(let character) = key else { return row(of: key, modifiers)?.command }
    let capital = character.uppercased()
    // Letters arrive in lower case: with Shift the capital is meant, where it means something of its own.
    if modifiers == .shift, capital.count == 1, let row = row(of: .character(Character(capital)), []) {
      return row.command
    }
    return row(of: key, modifiers.subtracting(.shift))?.command
  }

  /// How the first key for a command is printed; nil for one without a key.
  public static func keyName(for command: SceneCommand) -> String? {
    table.first { $0.command == command }.map { row in
      var name = row.key.name
      if row.modifiers.contains(.control) { name = "Ctrl+" + name.uppercased() }
      if row.modifiers.contains(.shift) { name = "Shift+" + name }
      return row.modifiers.contains(.alt) ? "Alt+" + name : name
    }
  }

  private static func row(of key: SceneKey, _ modifiers: Modifiers) -> KeyBinding? {
    table.first { $0.key == key && $0.modifiers == modifiers }
  }
}

extension SceneKey {
  /// As it is printed.
  fileprivate var name: String {
    switch self {
    case .character(" "): "Space"
    case .character(let character): String(character)
    case .left: "Left"
    case .right: "Right"
    case .up: "Up"
    case .down: "Down"
    case .return: "Return"
    case .escape: "Esc"
    case .home: "Home"
    case .pageUp: "PageUp"
    case .pageDown: "PageDown"
    case .backspace: "Backspace"
    case .menu: "Menu"
    case .f1: "F1"
    case .f5: "F5"
    case .f10: "F10"
    case .f11: "F11"
    }
  }
}
