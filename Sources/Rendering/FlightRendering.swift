import Atlas
import Dispatch
import Geometry
import Scene

// Many pictures on their way.
extension MapRenderer {
  /// Rows of pixels that are drawn together: they fit into a processor's second cache, though the pictures come in no order.
  private static let stripHeight = 64

  /// A picture in a strip, with all that decides how it is drawn: a strip reads memory in its order, pixels apart.
  private struct Member {
    var sprite: FlyingSprite
    var cell: FlightPictures.Cell
  }

  /// What the threads that draw share; each draws strips of its own.
  private struct Strips: @unchecked Sendable {
    let blitter: Blitter
    let flight: FlightCells
    /// By strip, and where those of each begin, where those begin that are not dimmed, and where they end.
    let members: UnsafeBufferPointer<Member>
    let ranges: [(first: Int, bright: Int, end: Int)]
    let isDimmed: Bool
    let placeholder: Placeholder
    let frames: LabelFrames?
    let atlas: Atlas
    let background: UInt32
    /// One word a strip, for what was read ahead: otherwise the reading would be optimised away.
    let read: UnsafeMutablePointer<UInt32>

    /// Pictures whose pixels are looked up together: they lie far apart in memory, and waiting for many at once takes little
    /// longer than waiting for one.
    private static let batch = 24

    func draw(_ number: Int, _ clip: PixelRect) {
      blitter.fill(clip, background)
      let range = ranges[number]
      withUnsafeTemporaryAllocation(of: Int32.self, capacity: max(1, range.end - range.first)) { seen in
        // What lies beneath others altogether is not drawn. The strip's coverage fits into the first cache.
        var coverage = Coverage()
        coverage.reset(clip)
        var (count, bright) = (0, 0)
        var index = range.end
        while index > range.first {
          index &-= 1
          let visible = Self.part(of: members[index].sprite.rect, in: clip)
          if coverage.hides(visible) { continue }
          let cell = members[index].cell
          if !members[index].sprite.isReady || (cell.isFilled && cell.isOpaque) { coverage.hide(visible) }
          seen[count] = Int32(truncatingIfNeeded: index)
          count &+= 1
          if index >= range.bright { bright = count }
        }
        let list = UnsafeBufferPointer(rebasing: seen[..<count])
        if isDimmed {
          draw(list[bright...], number, clip)
          blitter.fade(clip, towards: background, keeping: UInt32(256 * MapRenderer.dimmedShare))
        } else {
          bright = count
        }
        draw(list[..<bright], number, clip)
      }
    }

    /// Draws members, the last ones first.
    private func draw(_ list: Slice<UnsafeBufferPointer<Int32>>, _ number: Int, _ clip: PixelRect) {
      var end = list.endIndex
      while end > list.startIndex {
        let first = max(list.startIndex, end &- Self.batch)
        var sum: UInt32 = 0
        for index in first..<end {
          let member = members[Int(list.base[index])]
          if member.cell.isFilled { sum ^= flight.pictures.firstPixel(flight.number(Int(member.sprite.rank))) }
        }
        read[number] = sum
        while end > first {
          end &-= 1
          draw(members[Int(list.base[end])], clip)
        }
      }
    }

    @inline(__always)
    private static func part(of rect: PixelRect, in clip: PixelRect) -> PixelRect {
      let (left, top) = (max(rect.x, clip.x), max(rect.y, clip.y))
      return PixelRect(
        x: left, y: top, width: min(rect.maxX, clip.maxX) &- left, height: min(rect.maxY, clip.maxY) &- top)
    }

    @inline(__always)
    private func draw(_ member: Member, _ clip: PixelRect) {
      let sprite = member.sprite
      let rect = sprite.rect
      let visible = Self.part(of: rect, in: clip)
      if sprite.isReady, member.cell.isFilled {
        flight.pictures.draw(
          flight.number(Int(sprite.rank)), member.cell, rect, clip: visible, background: background, blitter: blitter)
      } else {
        let slot = Int(flight.slots[Int(sprite.rank)])
        if sprite.isReady, atlas.isOpaque(slot) != nil {
          blitter.blend(visible, atlas.averageColor(slot))
        } else {
          placeholder.draw(rect, clip: visible, blitter: blitter)
        }
      }
      guard let frames else { return }
      frames.draw(
        Sprite(slot: Int(flight.slots[Int(sprite.rank)]), rect: rect, isReady: sprite.isReady), clip: clip,
        blitter: blitter)
    }
  }

  /// Draws a rectangle of a flight in strips, on all processors.
  /// - Returns: How many pictures were drawn.
  mutating func drawFlight(
    _ flight: FlightCells, in clip: PixelRect, blitter: Blitter, scene: borrowing Scene, atlas: Atlas
  ) -> Int {
    placeholder.prepare(side: scene.spriteSide, background: background)
    let (placeholder, background) = (placeholder, background)
    let frames = LabelFrames(scene, background: background)
    let stripCount = (clip.height + Self.stripHeight - 1) / Self.stripHeight
    return withUnsafeTemporaryAllocation(of: FlyingSprite.self, capacity: max(1, flight.slots.count)) { sprites in
      let (count, dimmed) = scene.collectFlight(in: clip, into: sprites)
      /// The strips that a sprite meets.
      func strips(of sprite: FlyingSprite) -> (first: Int, last: Int) {
        let rows = sprite.rows
        return (
          max(0, rows.first &- clip.y) / Self.stripHeight, (min(rows.last, clip.maxY - 1) &- clip.y) / Self.stripHeight
        )
      }
      var ranges = [(first: Int, bright: Int, end: Int)](repeating: (0, 0, 0), count: stripCount)
      for index in 0..<count {
        let met = strips(of: sprites[index])
        var strip = met.first
        while strip <= met.last {
          ranges[strip].end &+= 1
          if index < dimmed { ranges[strip].bright &+= 1 }
          strip &+= 1
        }
      }
      var begin = 0
      for strip in 0..<stripCount {
        let counted = ranges[strip]
        ranges[strip] = (begin, begin + counted.bright, begin)
        begin += counted.end
      }
      return withUnsafeTemporaryAllocation(of: Member.self, capacity: max(1, begin)) { members in
        for index in 0..<count {
          let sprite = sprites[index]
          let member = Member(sprite: sprite, cell: flight.cell(Int(sprite.rank)))
          let met = strips(of: sprite)
          var strip = met.first
          while strip <= met.last {
            members[ranges[strip].end] = member
            ranges[strip].end &+= 1
            strip &+= 1
          }
        }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: stripCount) { read in
          guard let read = read.baseAddress else { return }
          let drawing = Strips(
            blitter: blitter, flight: flight, members: UnsafeBufferPointer(members), ranges: ranges,
            isDimmed: dimmed > 0, placeholder: placeholder, frames: frames, atlas: atlas, background: background,
            read: read)
          DispatchQueue.concurrentPerform(iterations: stripCount) { number in
            let top = clip.y + number * Self.stripHeight
            drawing.draw(
              number,
              PixelRect(x: clip.x, y: top, width: clip.width, height: min(Self.stripHeight, clip.maxY - top)))
          }
        }
        return count
      }
    }
  }
}
