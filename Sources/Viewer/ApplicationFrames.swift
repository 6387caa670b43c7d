import Controls
import Drawing
import Geometry
import Scene
import X11

// Drawing the window.
extension Application {
  /// Time has passed while something moves.
  func tick(_ now: Double) {
    map.send(.tick(seconds: now))
    group.tick(seconds: now)
    scheduler.isAnimating = map.scene.wantsTicks || group.wantsTicks
  }

  /// Draws what changed into `frame` and answers where that is.
  func draw(_ frame: FrameBuffer) -> [PixelRect] {
    let statusTop = Int(StatusLine.height(style))
    let barRect = PixelRect(x: 0, y: 0, width: frame.width, height: Int(style.barHeight))
    let statusRect = PixelRect(
      x: 0, y: frame.height - statusTop, width: frame.width, height: statusTop)
    let mapRect = PixelRect(
      x: 0, y: barRect.maxY, width: frame.width, height: max(0, statusRect.y - barRect.maxY))
    for rect in group.takeDirtyRects() {
      if !rect.intersection(barRect).isEmpty { needsBar = true }
      if !rect.intersection(mapRect).isEmpty { needsMap = true }
      if !rect.intersection(statusRect).isEmpty { needsStatus = true }
    }
    // Most of the time that a better picture takes to be drawn, there is nothing new to be seen of it.
    if refinesMap, !needsMap { needsMap = map.refine(width: frame.width, height: frame.height) }
    let canvas = Canvas(pixels: frame.pixels, width: frame.width, height: frame.height, stride: frame.stride)
    var damage: [PixelRect] = []
    if needsMap {
      drawMapArea(frame, canvas, mapRect)
      damage.append(mapRect)
      countSeen()
    }
    if needsBar {
      canvas.clip(Rect(barRect)) {
        bar.drawBackground(on: canvas, style: style)
        group.draw(on: canvas, in: barRect)
      }
      damage.append(barRect)
    }
    if needsStatus {
      canvas.clip(Rect(statusRect)) {
        status.drawBackground(on: canvas, style: style)
        group.draw(on: canvas, in: statusRect)
      }
      damage.append(statusRect)
    }
    for rect in damage { canvas.clip(Rect(rect)) { group.drawPopups(on: canvas, in: rect) } }
    canvas.flush()
    needsMap = false
    refinesMap = map.takeUnfinished()
    if refinesMap { scheduler.request() }
    needsBar = false
    needsStatus = false
    if group.wantsTicks { scheduler.isAnimating = true }
    return damage
  }

  /// Counts what is seen once the map rests: it takes about as long as collecting a frame's pictures.
  private func countSeen() {
    guard !map.scene.wantsTicks, !map.scene.isFlying, !map.isUnfinished else { return }
    // While pictures arrive, a count is old as soon as it is there.
    let now = FrameScheduler.now
    guard !jobs.isRunning || now - lastCount > Self.countingPause else { return }
    lastCount = now
    let count = map.seenCount
    guard count != seenCount else { return }
    seenCount = count
    updateStatus()
  }

  /// Seconds between two counts while a job runs.
  private static let countingPause = 0.5

  private func drawMapArea(_ frame: FrameBuffer, _ canvas: Canvas, _ rect: PixelRect) {
    guard !rect.isEmpty else { return }
    let area = Rect(rect)
    canvas.clip(area) {
      if startPage.isShown || failurePage.isShown {
        canvas.fill(area, style.theme.canvas)
        startPage.draw(on: canvas, style: style)
        failurePage.draw(on: canvas, style: style)
      } else {
        map.draw(into: frame, canvas: canvas, style: style)
        if let sample = jobs.sample, map.scene.opened == nil {
          SampleTag.draw(sample, on: canvas, in: pictureArea, style: style)
        }
        if strip.isVisible || layoutStrip.isVisible {
          let top = pictureArea.maxY
          canvas.fill(Rect(x: area.x, y: top, width: area.width, height: area.maxY - top), style.theme.canvas)
        }
      }
      if showsDetails { details.draw(on: canvas, style: style) }
      problems.draw(on: canvas, style: style)
      notes.draw(on: canvas, style: style)
      questionPanel.draw(on: canvas, style: style)
      prompt.draw(on: canvas, style: style)
      group.draw(on: canvas, in: rect)
      keys.draw(on: canvas, in: area, style: style)
    }
  }
}
