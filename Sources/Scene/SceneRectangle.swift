import Geometry

/// A rectangle that the keyboard draws, from one picture to the one with the focus.
struct KeyRectangle: Sendable {
  /// The picture that it begins with.
  let anchor: Int
  let takesAway: Bool
}

// Selecting a rectangle by keys: it goes from a picture to the one that the arrow keys have led to.
extension Scene {
  /// Whether the arrow keys extend a rectangle.
  public var isDrawingRectangle: Bool { rectangle != nil }

  /// Begins a rectangle at the picture at hand, or ends the one that is being drawn by selecting what lies in it.
  mutating func toggleRectangle(takesAway: Bool, _ effects: inout Effects) {
    guard opened == nil, !gesture.isPressed else { return }
    if rectangle != nil { return finishRectangle(&effects) }
    guard let anchor = focused ?? hovered ?? pictureNearest(to: camera.center), pictures.isPlaced(anchor) else {
      return
    }
    focused = anchor
    rectangle = KeyRectangle(anchor: anchor, takesAway: takesAway)
    pointer = nil
    updateHover(&effects)
    effects.add(.hoverChanged(slot: anchor))
    effects.redraw()
  }

  /// Selects what lies in the rectangle.
  mutating func finishRectangle(_ effects: inout Effects) {
    alignRectangle()
    let drawn = marquee
    dropRectangle(&effects)
    if let drawn { select(in: drawn, &effects) }
  }

  /// Gives the rectangle up.
  mutating func dropRectangle(_ effects: inout Effects) {
    guard rectangle != nil else { return }
    rectangle = nil
    marquee = nil
    effects.add(.hoverChanged(slot: focused))
    effects.redraw()
  }

  /// Puts the rectangle around its two pictures, wherever they are by now.
  mutating func alignRectangle() {
    guard let drawn = rectangle else { return }
    guard opened == nil, let first = spriteRect(of: drawn.anchor), let last = focused.flatMap({ spriteRect(of: $0) })
    else {
      rectangle = nil
      marquee = nil
      return
    }
    let bounds = Rect(first.union(last))
    var marquee = Marquee(
      .rectangle, takesAway: drawn.takesAway, from: Point(x: bounds.minX, y: bounds.minY))
    marquee.extend(to: Point(x: bounds.maxX, y: bounds.maxY))
    self.marquee = marquee
  }
}
