import Foundation
import Mapping
import Scene

/// What the window keeps for one location between two runs, beside the layouts that the local store has anyway.
struct LocationViewState: Codable {
  /// The camera and the orientation of the layout.
  var view: ViewState
  /// The parameters of the bar when the location was last left.
  var parameters: MapParameters

  /// For the local store.
  var encoded: Data? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try? encoder.encode(self)
  }

  /// Nil for anything that this version cannot read: the view then starts afresh.
  static func decoded(_ data: Data?) -> LocationViewState? {
    data.flatMap { try? JSONDecoder().decode(LocationViewState.self, from: $0) }
  }
}
