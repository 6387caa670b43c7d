import Atlas
import Dispatch
import Geometry
import Scene

// Many pictures on their way.
extension MapRenderer {
  /// Rows of pixels that are drawn together: they fit into a processor's second cache, though the pictures come in no order.
  private static let stripHeight = 64
  /// Parts that the pictures are found and sorted in: more than there are processors mostly, for others use them too.
  private static let flightParts = 8

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
    let ranges: [StripRange]
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

  /// Where the members of a strip are: those that are dimmed, then the others.
  private struct StripRange {
    var first = 0
    var bright = 0
    var end = 0
  }

  /// The pictures of a flight in parts that are found and sorted at the same time, each by another thread.
  private struct Parts: @unchecked Sendable {
    let scene: Scene
    let clip: PixelRect
    let count: Int
    let stripCount: Int
    /// By rank, but for the order.
    let sprites: UnsafeMutableBufferPointer<FlyingSprite>
    /// How many pictures each part has, and how many of them are dimmed.
    let counts: UnsafeMutableBufferPointer<(count: Int, dimmed: Int)>
    /// By part, and in it by strip: how many dimmed ones and others there are; then where they go.
    let places: UnsafeMutableBufferPointer<(dimmed: Int, bright: Int)>

    /// Finds the pictures of a part, and counts those of every strip.
    func collect(_ part: Int) {
      let sprites = sprites(of: part)
      counts[part] = scene.collectFlight(part: part, of: count, in: clip, into: sprites)
      let places = places(of: part)
      places.initialize(repeating: (0, 0))
      for index in 0..<counts[part].count {
        let isDimmed = index < counts[part].dimmed
        eachStrip(of: sprites[index]) { strip in
          if isDimmed { places[strip].dimmed &+= 1 } else { places[strip].bright &+= 1 }
        }
      }
    }

    /// Turns counts into places. Returns where each strip has its members.
    func place() -> [StripRange] {
      var end = 0
      return (0..<stripCount).map { strip in
        let first = end
        for part in 0..<count {
          let number = places[part * stripCount + strip].dimmed
          places[part * stripCount + strip].dimmed = end
          end += number
        }
        let bright = end
        for part in 0..<count {
          let number = places[part * stripCount + strip].bright
          places[part * stripCount + strip].bright = end
          end += number
        }
        return StripRange(first: first, bright: bright, end: end)
      }
    }

    /// Puts the pictures of a part into the strips that they meet.
    func sort(_ part: Int, _ flight: FlightCells, into members: UnsafeMutableBufferPointer<Member>) {
      let (sprites, places) = (sprites(of: part), places(of: part))
      for index in 0..<counts[part].count {
        let sprite = sprites[index]
        let member = Member(sprite: sprite, cell: flight.cell(Int(sprite.rank)))
        let isDimmed = index < counts[part].dimmed
        eachStrip(of: sprite) { strip in
          if isDimmed {
            members[places[strip].dimmed] = member
            places[strip].dimmed &+= 1
          } else {
            members[places[strip].bright] = member
            places[strip].bright &+= 1
          }
        }
      }
    }

    private func sprites(of part: Int) -> UnsafeMutableBufferPointer<FlyingSprite> {
      UnsafeMutableBufferPointer(rebasing: sprites[scene.flyingRanks(ofPart: part, of: count)])
    }

    private func places(of part: Int) -> UnsafeMutableBufferPointer<(dimmed: Int, bright: Int)> {
      UnsafeMutableBufferPointer(rebasing: places[part * stripCount..<(part + 1) * stripCount])
    }

    /// Calls `body` with the strips that a sprite meets.
    @inline(__always)
    private func eachStrip(of sprite: FlyingSprite, _ body: (Int) -> Void) {
      let rows = sprite.rows
      var strip = max(0, rows.first &- clip.y) / MapRenderer.stripHeight
      let last = (min(rows.last, clip.maxY &- 1) &- clip.y) / MapRenderer.stripHeight
      while strip <= last {
        body(strip)
        strip &+= 1
      }
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
    let partCount = Self.flightParts
    let scene = copy scene
    return withUnsafeTemporaryAllocation(of: FlyingSprite.self, capacity: max(1, flight.slots.count)) { sprites in
      withUnsafeTemporaryAllocation(of: (count: Int, dimmed: Int).self, capacity: partCount) { counts in
        withUnsafeTemporaryAllocation(of: (dimmed: Int, bright: Int).self, capacity: partCount * stripCount) { places in
          let parts = Parts(
            scene: scene, clip: clip, count: partCount, stripCount: stripCount, sprites: sprites, counts: counts,
            places: places)
          DispatchQueue.concurrentPerform(iterations: partCount) { parts.collect($0) }
          let ranges = parts.place()
          withUnsafeTemporaryAllocation(of: Member.self, capacity: max(1, ranges.last?.end ?? 0)) { members in
            // Each part writes in places of its own.
            nonisolated(unsafe) let members = members
            DispatchQueue.concurrentPerform(iterations: partCount) { parts.sort($0, flight, into: members) }
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: stripCount) { read in
              guard let read = read.baseAddress else { return }
              let drawing = Strips(
                blitter: blitter, flight: flight, members: UnsafeBufferPointer(members), ranges: ranges,
                isDimmed: counts.contains { $0.dimmed > 0 }, placeholder: placeholder, frames: frames, atlas: atlas,
                background: background, read: read)
              DispatchQueue.concurrentPerform(iterations: stripCount) { number in
                let top = clip.y + number * Self.stripHeight
                drawing.draw(
                  number,
                  PixelRect(x: clip.x, y: top, width: clip.width, height: min(Self.stripHeight, clip.maxY - top)))
              }
            }
          }
          return counts.reduce(0) { $0 + $1.count }
        }
      }
    }
  }
}
