/// Where pictures are, by slot.
public struct PicturePlaces: Sendable {
  let resting: [SIMD2<Float>]
  /// While they are on the way.
  let motion: LayoutMotion?

  /// Where a picture is, in layout units.
  @inline(__always)
  public subscript(slot: Int) -> SIMD2<Float> { motion?.place(slot) ?? resting[slot] }
}
