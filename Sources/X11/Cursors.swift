internal import CX11

/// The cursors of one connection, loaded when first used.
@MainActor final class Cursors {
  private let display: OpaquePointer
  private let root: XID
  private var loaded: [CursorShape: Cursor] = [:]

  init(display: OpaquePointer, root: XID) {
    self.display = display
    self.root = root
  }

  func cursor(_ shape: CursorShape) -> Cursor {
    if let cursor = loaded[shape] { return cursor }
    let cursor = shape == .hidden ? emptyCursor() : themedCursor(shape)
    loaded[shape] = cursor
    return cursor
  }

  func close() {
    for cursor in loaded.values { XFreeCursor(display, cursor) }
    loaded = [:]
  }

  private func themedCursor(_ shape: CursorShape) -> Cursor {
    // Themes know CSS's names, or those of the core font, or both.
    for name in shape.themeNames {
      let cursor = XcursorLibraryLoadCursor(display, name)
      if cursor != 0 { return cursor }
    }
    return XCreateFontCursor(display, UInt32(shape.fontShape))
  }

  private func emptyCursor() -> Cursor {
    let data = [CChar](repeating: 0, count: 1)
    let pixmap = XCreateBitmapFromData(display, root, data, 1, 1)
    defer { XFreePixmap(display, pixmap) }
    var color = XColor()
    var background = XColor()
    return XCreatePixmapCursor(display, pixmap, pixmap, &color, &background, 0, 0)
  }
}

extension CursorShape {
  fileprivate var themeNames: [String] {
    switch self {
    case .arrow: ["default", "left_ptr"]
    case .text: ["text", "xterm"]
    case .pointingHand: ["pointer", "hand2"]
    case .grab: ["grab", "openhand", "hand1"]
    case .grabbing: ["grabbing", "closedhand", "fleur"]
    case .move: ["move", "fleur"]
    case .wait: ["wait", "watch"]
    case .crosshair: ["crosshair", "cross"]
    case .hidden: []
    }
  }

  fileprivate var fontShape: Int32 {
    switch self {
    case .arrow, .hidden: XC_left_ptr
    case .text: XC_xterm
    case .pointingHand: XC_hand2
    case .grab: XC_hand1
    case .grabbing, .move: XC_fleur
    case .wait: XC_watch
    case .crosshair: XC_crosshair
    }
  }
}
