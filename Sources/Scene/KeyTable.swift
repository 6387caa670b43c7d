/// A row of the table of keys: what is pressed, and what it does.
public struct KeyRow: Sendable {
  /// The key; nil for what only the pointer does, or another section has.
  public let binding: KeyBinding?
  /// How it is printed, for example `Ctrl+C`; empty where the row before already names this one.
  public let label: String
  /// What it does; empty where the row before already says it.
  public let description: String
}

/// Keys for one purpose, in the order in which they are explained.
public struct KeySection: Sendable {
  /// The purpose.
  public let title: String
  /// The keys. Rows without a label are further names of the row before.
  public let rows: [KeyRow]

  /// Everything that keys do, and what the pointer does besides.
  public static let all = [map, selecting, closer, opened, files, program]

  private static let map = KeySection(
    title: "Map",
    rows: [
      row(.left, [], .step(.left), "Arrows", "Go to the nearest picture in that direction"),
      row(.right, [], .step(.right)),
      row(.up, [], .step(.up)),
      row(.down, [], .step(.down)),
      row("+", .zoomIn, "+, wheel up", "Zoom in"),
      row("=", .zoomIn),
      row("-", .zoomOut, "-, wheel down", "Zoom out"),
      row(.left, .shift, .pan(.left), "Shift+Arrows, drag", "Move the map"),
      row(.right, .shift, .pan(.right)),
      row(.up, .shift, .pan(.up)),
      row(.down, .shift, .pan(.down)),
      row("0", .fit, "0, Home", "Show the whole map; a double click beside the pictures does the same"),
      row(.home, [], .fit),
      row(.backspace, [], .viewBack, "Backspace", "Back to the view before; so does a side button of the mouse"),
      row(.backspace, .shift, .viewForward, "Shift+Backspace", "Forward again; so does the other side button"),
      row("w", .toggleOverview, "w", "The overview in the corner: show it where there is use for it, or hide it"),
      row("g", .nextArrangement, "g", "Arrange: free, spread apart, in a grid"),
      row("]", .enlargePictures, "], [", "Larger pictures, smaller pictures"),
      row("[", .shrinkPictures),
      row("k", .nextLabelKind, "k", "Colour by folder, date, size, shape, or not"),
      row("K", .toggleLegend, "K", "What the colours mean: show it and go there, hide it"),
      row("N", .showUnseen, "N", "Go through what is new; once more, all of it counts as seen"),
    ])

  private static let selecting = KeySection(
    title: "Selecting",
    rows: [
      row(" ", .toggleSelection, "Space, Ctrl+click", "Select the picture, or no more"),
      row("Shift+drag", "Select what lies in a rectangle"),
      row("Ctrl+drag", "Select what lies in a lasso"),
      row("with Alt", "Take what lies in either out of the selection"),
      row("x", .rectangle(takesAway: false), "x", "A rectangle without the pointer: arrows extend it, x again selects"),
      row("X", .rectangle(takesAway: true), "X", "Take what lies in it out of the selection"),
      row("/", .search, "/", "Select by typing a part of the names"),
      row("u", .selectFolder, "u", "Select the folder of the picture; again, the folder above it"),
      row("click, Ctrl+click", "On what a colour means: select its pictures, add them"),
      row(.character("a"), .control, .selectAll, "Ctrl+A", "Select all"),
      row("i", .invertSelection, "i, Ctrl+I", "Select the others"),
      row(.character("i"), .control, .invertSelection),
      row("z", .fitSelection, "z", "Show all of the selection"),
      row(.escape, [], .back, "Esc", "Select nothing"),
    ])

  private static let closer = KeySection(
    title: "Looking closer",
    rows: [
      row(.return, [], .open, "Return, click", "Show the picture at full size"),
      row("v", .openSideBySide, "v", "Show the selected pictures side by side"),
      row("m", .findSimilar, "m", "More like this: the nearest ones, to be walked along with the arrows"),
      row("d", .findDuplicates, "d", "Find duplicates: the same and nearly the same"),
      row(".", .nextGroup, ". ,", "Go to the next group of duplicates, to the one before"),
      row(",", .previousGroup),
      row("o", .openExternally, "o", "Open the picture in the desktop's viewer"),
    ])

  private static let opened = KeySection(
    title: "Opened picture",
    rows: [
      row("Arrows", "Go to the next picture in that direction"),
      row(.pageDown, [], .nextPicture, "PageDown, PageUp", "Next picture of the selection, or by name; previous"),
      row(.pageUp, [], .previousPicture),
      row("1", .actualSize, "1", "Show it pixel by pixel"),
      row("0, Home", "Show the whole picture; a double click goes from one to the other"),
      row("r", .turn(clockwise: true), "r, R", "Turn it to the right, to the left"),
      row("R", .turn(clockwise: false)),
      row("e", .showDetails, "e", "Details: its file, and what the camera wrote (EXIF)"),
      row("b", .nextBackdrop, "b", "Behind transparent pictures: squares, black, white"),
      row("Esc, side button", "Back to the map"),
    ])

  private static let files = KeySection(
    title: "Layouts and files",
    rows: [
      row(.f5, [], .refresh, "F5, Ctrl+R", "Refresh: run with the present parameters"),
      row(.character("r"), .control, .refresh),
      row("s", .stopHere, "s", "Stop here: keep the present positions"),
      row("c", .continueLayout, "c", "Continue the layout from the present positions"),
      row("h", .showLayouts, "h", "The last layouts of this location, in a strip"),
      row(.left, .alt, .previousLayout, "Alt+Left, Alt+Right", "Go to the layout before this one, to the one after"),
      row(.right, .alt, .nextLayout),
      row(.character("c"), .control, .copyAddress, "Ctrl+C", "Copy the addresses of the selection, or of the picture"),
      row(.character("s"), .control, .save, "Ctrl+S", "Save the selection, or all: a list, a picture, the files"),
      row("p", .showProblems, "p", "List the images that were left out"),
      row("n", .showNotes, "n", "Read the notes of the latest job in full"),
    ])

  private static let program = KeySection(
    title: "Program",
    rows: [
      row("l", .focusLocation, "l, Ctrl+L", "Type another location"),
      row(.character("l"), .control, .focusLocation),
      row(.menu, [], .showMenu, "Menu, right click", "The menu of the picture, or of the map; also Shift+F10"),
      row(.f10, .shift, .showMenu),
      row("t", .switchTheme, "t", "Dark or light"),
      row("f", .toggleFullScreen, "f, F11", "Full screen"),
      row(.f11, [], .toggleFullScreen),
      row("?", .showKeys, "?, F1", "Show these keys"),
      row(.f1, [], .showKeys),
      row(.character("q"), .control, .quit, "Ctrl+Q, Ctrl+W", "Quit"),
      row(.character("w"), .control, .quit),
    ])

  private static func row(
    _ key: SceneKey, _ modifiers: Modifiers, _ command: SceneCommand, _ label: String = "",
    _ description: String = ""
  ) -> KeyRow {
    KeyRow(
      binding: KeyBinding(key: key, modifiers: modifiers, command: command), label: label, description: description)
  }

  private static func row(
    _ character: Character, _ command: SceneCommand, _ label: String = "", _ description: String = ""
  ) -> KeyRow {
    row(.character(character), [], command, label, description)
  }

  private static func row(_ label: String, _ description: String) -> KeyRow {
    KeyRow(binding: nil, label: label, description: description)
  }
}
