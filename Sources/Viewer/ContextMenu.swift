import Controls
import Scene

/// What can be done at a place of the map, or with the picture at full size: commands in the words of a menu.
struct ContextMenu {
  /// One thing that is offered.
  struct Entry {
    var command: SceneCommand
    var title: String
    /// Why it cannot be done now.
    var reason: String?

    init(_ command: SceneCommand, _ title: String, unless reason: String? = nil) {
      self.command = command
      self.title = title
      self.reason = reason
    }
  }

  /// What is offered about one thing.
  struct Section {
    /// What it is about.
    var title = ""
    var entries: [Entry]
  }

  /// What is known of the picture besides what the scene knows.
  struct Picture {
    var slot: Int
    var name: String
    /// Whether something is seen through it.
    var isTransparent: Bool
  }

  let sections: [Section]

  /// All commands in order.
  var commands: [SceneCommand] { sections.flatMap { $0.entries.map(\.command) } }

  /// The sections with their keys.
  var menuSections: [MenuSection] {
    sections.map { section in
      MenuSection(
        section.title,
        section.entries.map {
          MenuItem($0.title, key: KeyBinding.keyName(for: $0.command) ?? "", disabledReason: $0.reason)
        })
    }
  }

  /// About a picture of the map and what is selected, or about the picture at full size.
  init(_ scene: Scene, about picture: Picture?, selection: String?, showsDetails: Bool) {
    if let opened = scene.opened {
      sections = Self.opened(
        opened, picture, isAlone: scene.sideBySide.isEmpty, showsDetails: showsDetails, unlaid: Self.unlaid(scene))
      return
    }
    var sections: [Section] = []
    if let picture { sections.append(Self.picture(picture, scene)) }
    if let selection { sections.append(Self.selection(selection, scene)) }
    sections.append(Self.map(scene))
    self.sections = sections
  }

  /// Why nothing is known of likeness.
  private static func unlaid(_ scene: Scene) -> String? {
    scene.showsLayout ? nil : "Known once the pictures are laid out"
  }

  private static func picture(_ picture: Picture, _ scene: Scene) -> Section {
    let isSelected = scene.selection.contains(picture.slot)
    var entries = [
      Entry(.open, "Open", unless: scene.isReady(picture.slot) ? nil : "It is not loaded yet"),
      Entry(.openExternally, "Open in the desktop's viewer"),
      Entry(.findSimilar, "More like this", unless: unlaid(scene)),
      Entry(.toggleSelection, isSelected ? "Deselect" : "Select"),
      Entry(.selectFolder, "Select its folder"),
    ]
    // Of a selected picture the address is copied with those of the selection.
    if !isSelected {
      entries.append(Entry(scene.selection.isEmpty ? .copyAddress : .copyOwnAddress, "Copy address"))
    }
    return Section(title: picture.name, entries: entries)
  }

  private static func selection(_ words: String, _ scene: Scene) -> Section {
    let count = scene.walk.flatMap { $0.group == nil ? nil : $0.slots.count } ?? scene.selection.count
    return Section(
      title: words,
      entries: [
        Entry(.fitSelection, "Show the selection"),
        Entry(
          .openSideBySide,
          count > Scene.mostSideBySide ? "The first \(Scene.mostSideBySide) side by side" : "Side by side"),
        Entry(.invertSelection, "Invert the selection"),
        Entry(.copyAddress, scene.selection.count == 1 ? "Copy address" : "Copy addresses"),
        Entry(.save, "Save the selection…"),
        Entry(.back, scene.walk == nil ? "Deselect all" : "Close the strip"),
      ])
  }

  private static func map(_ scene: Scene) -> Section {
    let none = scene.imageCount > 0 ? nil : "There are no pictures yet"
    var entries = [
      Entry(.search, "Select by name…", unless: none),
      Entry(.selectAll, "Select all", unless: none),
      Entry(.findDuplicates, "Find duplicates", unless: none ?? unlaid(scene)),
      Entry(.fit, "Show the whole map", unless: none),
    ]
    if scene.selection.isEmpty { entries.append(Entry(.save, "Save the map…", unless: none)) }
    entries.append(Entry(.showKeys, "Keys"))
    return Section(entries: entries)
  }

  private static func opened(
    _ opened: OpenedImage, _ picture: Picture?, isAlone: Bool, showsDetails: Bool, unlaid: String?
  ) -> [Section] {
    let others =
      isAlone
      ? [Entry(.nextPicture, "Next picture"), Entry(.previousPicture, "Previous picture")]
      : [Entry(.open, "Show it alone")]
    return [
      Section(
        title: picture?.name ?? "",
        entries: [
          Entry(.fit, "Whole picture", unless: opened.fits ? "It is shown whole" : nil),
          Entry(.actualSize, "Pixel by pixel (100 %)", unless: abs(opened.scale - 1) < 1e-6 ? "It is shown so" : nil),
          Entry(.turn(clockwise: true), "Turn to the right"),
          Entry(.turn(clockwise: false), "Turn to the left"),
          Entry(.showDetails, showsDetails ? "Hide the details" : "Details"),
          Entry(
            .nextBackdrop, "Another background",
            unless: picture?.isTransparent == true ? nil : "Nothing of this picture is transparent"),
        ]),
      Section(entries: others),
      Section(entries: [
        Entry(.openExternally, "Open in the desktop's viewer"),
        Entry(.copyAddress, "Copy address"),
        Entry(.findSimilar, "More like this", unless: unlaid),
      ]),
      Section(entries: [Entry(.back, "Back to the map")]),
    ]
  }
}
