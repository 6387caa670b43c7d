/// What an index depends on: another one whenever it would be.
struct IndexKey: Hashable, Sendable {
  var order, arrangement, aspects: Int
}

/// What the index of pictures that have arrived is made of: of very many, that takes longer than a frame.
public struct IndexRequest: Sendable {
  let key: IndexKey
  let grid: SpatialGrid
  let slots: [Int32]
  let places: [SIMD2<Float>]
  let signedAspects: [Float]

  /// Makes it; nil once it is of no use any more, which is asked now and then.
  public func made(unless isObsolete: () -> Bool = { false }) -> PictureIndex? {
    var grid = grid
    let isMade = grid.rebuild(
      slots: slots, version: key.order, places: places, signedAspects: signedAspects, extent: PictureField.extent,
      unless: isObsolete)
    return isMade ? PictureIndex(key: key, grid: grid) : nil
  }
}

/// Which pictures lie where.
public struct PictureIndex: Sendable {
  let key: IndexKey
  let grid: SpatialGrid
}
