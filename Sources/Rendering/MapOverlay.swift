public import Atlas
public import Drawing
public import Geometry
public import Scene

/// What is said about the picture under the pointer, or under the keyboard focus.
public struct PictureLabel: Hashable, Sendable {
  /// Its name.
  public var title: String
  /// Its size, and whatever else is worth a second line; may be empty.
  public var detail: String

  /// A label.
  public init(title: String, detail: String) {
    self.title = title
    self.detail = detail
  }
}

extension MapRenderer {
  /// Logical pixels of the preview in the label, shown where pictures on the map are smaller than `previewBelow`.
  private static let previewSide = 128.0
  private static let previewBelow = 72.0

  /// Draws what lies over the map: the picture under the pointer and the one with the keyboard focus, raised and framed, and
  /// the label with name and size. It goes on a copy of the map, which is not changed by it.
  /// - Parameters:
  ///   - canvas: covers `pixels`, from the window's pixel 0, 0.
  ///   - pixels, stride: the memory of `canvas`.
  ///   - label: of `labelledSlot`; nil where nothing is known yet.
  ///   - font: of the title; the detail is in the same size and a fainter colour.
  ///   - covered: a part of the viewport that something else will lie on; the label keeps away from it.
  /// - Returns: what was touched, in device pixels.
  @discardableResult
  public mutating func drawOverlay(
    on canvas: Canvas, pixels: UnsafeMutablePointer<UInt32>, stride: Int, scene: borrowing Scene, atlas: Atlas,
    theme: Theme, font: Font, label: PictureLabel?, covered: Rect? = nil, originals: (any OriginalSource)? = nil
  ) -> PixelRect {
    guard scene.opened == nil else { return .zero }
    let viewport = scene.camera.viewport
    let blitter = Blitter(target: pixels, stride: stride)
    let unit = max(1, scene.uiScale)
    var touched = PixelRect.zero

    func clipped(_ body: () -> Void) { canvas.clip(Rect(viewport)) { body() } }
    for slot in scene.walk?.slots ?? [] {
      guard let rect = scene.spriteRect(of: slot), !rect.intersection(viewport).isEmpty else { continue }
      let line = unit.rounded()
      clipped {
        canvas.stroke(
          Rect(rect).insetBy(-1.5 * line), theme.text, lineWidth: line, cornerRadius: 2 * unit)
      }
      touched = touched.union(rect.insetBy(-Int(3 * line) - 1))
    }
    let frames = LabelFrames(scene, background: background)
    for slot in [scene.focused, scene.hovered].compactMap({ $0 }) {
      guard let rect = scene.spriteRect(of: slot), !rect.intersection(viewport).isEmpty else { continue }
      if scene.isReady(slot) {
        canvas.flush()
        let visible = rect.intersection(viewport)
        // Through a transparent picture one would see those that it was lifted from.
        blitter.fill(visible, background)
        let sprite = Sprite(slot: slot, rect: rect)
        drawRaised(sprite, into: blitter, clip: viewport, atlas: atlas, originals: originals)
        frames?.draw(sprite, clip: viewport, blitter: blitter)
        canvas.markDirty()
      }
      let isFocused = slot == scene.focused
      let line = (isFocused ? 2 : 1) * unit.rounded()
      clipped {
        // A dark line outside keeps the frame apart from pictures of its own colour.
        let frame = Rect(rect).insetBy(-line / 2 - unit.rounded())
        canvas.stroke(
          frame, theme.canvas, lineWidth: line + 2 * unit.rounded(), cornerRadius: 2 * unit)
        canvas.stroke(frame, isFocused ? theme.accent : theme.text, lineWidth: line, cornerRadius: 2 * unit)
      }
      touched = touched.union(rect.insetBy(-Int(line + 3 * unit) - 1))
    }
    if let marquee = scene.marquee {
      let path = marquee.shape == .lasso ? Path(marquee.points, closed: true) : Path(marquee.bounds, cornerRadius: 0)
      clipped {
        canvas.fill(path, theme.accent.withAlpha(0.12))
        canvas.stroke(path, theme.accent, lineWidth: unit.rounded())
      }
      touched = touched.union(PixelRect(covering: marquee.bounds.insetBy(-unit - 1)))
    }
    if let label, let slot = scene.labelledSlot, let rect = scene.spriteRect(of: slot) {
      touched = touched.union(
        draw(
          label, of: slot, at: rect, on: canvas, blitter: blitter, scene: scene, atlas: atlas, theme: theme,
          font: font, covered: covered))
    }
    canvas.flush()
    return touched.intersection(viewport)
  }

  private mutating func draw(
    _ label: PictureLabel, of slot: Int, at rect: PixelRect, on canvas: Canvas, blitter: Blitter,
    scene: borrowing Scene, atlas: Atlas, theme: Theme, font: Font, covered: Rect?
  ) -> PixelRect {
    let viewport = scene.camera.viewport
    guard !rect.intersection(viewport).isEmpty else { return .zero }
    let unit = scene.uiScale
    let padding = (8 * unit).rounded()
    let gap = (8 * unit).rounded()
    let widest = min(360 * unit, Double(viewport.width) - 2 * gap - 2 * padding)
    guard widest > 40 * unit else { return .zero }
    // Below a preview, a long name must not hide much more of the map than the preview does.
    var preview = previewSize(of: slot, scene: scene)
    let widestText = preview.width > 0 ? min(widest, max(preview.width, 240 * unit)) : widest
    let title = TextLayout(label.title, font: font.withWeight(.medium), maximumWidth: widestText, ellipsis: .middle)
    let detail =
      label.detail.isEmpty
      ? nil : TextLayout(label.detail, font: font.tabular, maximumWidth: widestText, ellipsis: .end)
    let room = Rect(viewport).insetBy(gap)
    let textHeight = (title.size.height + (detail?.size.height ?? 0)).rounded(.up)
    guard textHeight + 2 * padding <= room.height else { return .zero }
    // In a small window the card must not hide the map that it is about.
    if textHeight + preview.height + gap + 2 * padding > 0.65 * room.height || preview.width > widest {
      preview = .zero
    }
    let inner = Size(
      width: max(title.size.width, detail?.size.width ?? 0, preview.width).rounded(.up),
      height: textHeight + (preview.height > 0 ? preview.height + gap : 0))
    let card = Self.place(
      Size(width: inner.width + 2 * padding, height: inner.height + 2 * padding), beside: Rect(rect),
      in: room, gap: gap, covered: covered)
    canvas.fill(card, theme.panel, cornerRadius: 6 * unit)
    canvas.stroke(card.insetBy(0.5), theme.hairline, lineWidth: max(1, unit.rounded(.down)), cornerRadius: 6 * unit)
    var y = card.y + padding
    if preview.height > 0 {
      canvas.flush()
      let place = PixelRect(
        x: Int(card.center.x - preview.width / 2), y: Int(y), width: Int(preview.width), height: Int(preview.height))
      let sprite = Sprite(slot: slot, rect: place)
      drawRaised(
        sprite, into: blitter, clip: PixelRect(covering: card).intersection(viewport), atlas: atlas, originals: nil)
      canvas.markDirty()
      y += preview.height + gap
    }
    canvas.text(title, at: Point(x: card.x + padding, y: y.rounded()), theme.text)
    if let detail {
      canvas.text(
        detail, at: Point(x: card.x + padding, y: (y + title.size.height).rounded()), theme.secondaryText)
    }
    return PixelRect(covering: card)
  }

  /// The size of the preview, zero where the picture itself is large enough.
  private func previewSize(of slot: Int, scene: borrowing Scene) -> Size {
    guard Double(scene.spriteSide) < Self.previewBelow * scene.uiScale, scene.isReady(slot) else { return .zero }
    let side = (Self.previewSide * scene.uiScale).rounded()
    let fitted = Size(width: scene.aspect(of: slot), height: 1).fitted(in: Size(width: side, height: side))
    return Size(width: max(1, fitted.width.rounded()), height: max(1, fitted.height.rounded()))
  }

  /// Below the picture if there is room, else above it, else wherever it fits; never outside, and beside or below what is
  /// covered where there is room.
  private static func place(
    _ size: Size, beside rect: Rect, in room: Rect, gap: Double, covered: Rect?
  ) -> Rect {
    var y = rect.maxY + gap
    if y + size.height > room.maxY { y = rect.minY - gap - size.height }
    y = max(room.minY, min(room.maxY - size.height, y))
    var x = max(room.minX, min(room.maxX - size.width, rect.center.x - size.width / 2))
    if let covered = covered?.insetBy(-gap),
      !covered.intersection(Rect(x: x, y: y, width: size.width, height: size.height)).isEmpty
    {
      if covered.maxX + size.width <= room.maxX {
        x = covered.maxX
      } else if covered.maxY + size.height <= room.maxY {
        y = covered.maxY
      }
    }
    return Rect(x: x.rounded(), y: y.rounded(), width: size.width, height: size.height)
  }
}
