import Atlas
import Collection
import Controls
import Geometry
import ObjectStorage
import Scene

// The menu of the map and of the picture at full size.
extension Application {
  /// The menu, while it is open.
  var menu: PopupMenu? { group.popups.last as? PopupMenu }

  /// Opens the menu at a point of the map. What is chosen is done as its key does it.
  func showMenu(about slot: Int?, at point: Point, byKey: Bool) {
    guard group.focused == nil, group.popups.isEmpty, isMap(point) else { return }
    let picture = slot.flatMap { slot in
      jobs.collection?.entry(slot).map {
        ContextMenu.Picture(
          slot: slot, name: $0.object.key.lastComponent, isTransparent: map.atlas?.info(slot)?.isOpaque == false)
      }
    }
    let contents = ContextMenu(
      map.scene, about: picture, selection: selectionWords, showsDetails: showsDetails)
    let menu = PopupMenu(contents.menuSections, at: point, openedByKey: byKey)
    let commands = contents.commands
    menu.onChoose = { [weak self] index in self?.map.send(.command(commands[index])) }
    menu.onDismiss = { [weak self] in self?.updateStatus() }
    menu.open(in: group)
    updateStatus()
  }
}
