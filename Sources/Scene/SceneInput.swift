public import Arrangements
public import Geometry

/// Everything that can happen to a scene: the hand, the clock, and what the job found out.
public enum SceneInput: Sendable {
  /// The pointer is at a point of the window, in device pixels.
  case pointerMoved(Point, Modifiers)
  /// A button went down; `clickCount` is 2 for the second press of a double click.
  case pointerPressed(Point, button: Int, clickCount: Int, Modifiers)
  /// A button came up.
  case pointerReleased(Point, button: Int, Modifiers)
  /// The pointer left the map.
  case pointerLeft
  /// The wheel turned by `dy` notches (positive: away from the user, which zooms in); fractions come from touchpads.
  case scrolled(dx: Double, dy: Double, at: Point, Modifiers)
  /// A key went down.
  case key(SceneKey, Modifiers, isRepeat: Bool)
  /// A key came up.
  case keyReleased(SceneKey)
  /// The window asks for what a key asks for: something of a menu was chosen.
  case command(SceneCommand)
  /// The map lost the keyboard: whatever was held counts as released.
  case focusLost
  /// The part of the window that shows the map, in device pixels, and device pixels per logical pixel.
  case viewportChanged(PixelRect, uiScale: Double)
  /// The time, in seconds of a monotonic clock. Wanted after `SceneEffect.animate`, once a frame.
  case tick(seconds: Double)
  /// Whether changes are animated; off for `--no-animation` and on remote displays.
  case animationEnabled(Bool)
  /// Images became known, in key order, to be appended to those before.
  case imagesAdded(slots: [Int])
  /// Thumbnails can be drawn from now on; `aspect` is width / height.
  case imagesReady([(slot: Int, aspect: Double)])
  /// Images that are left out or have vanished.
  case imagesRemoved(slots: [Int])
  /// Every image of the location is known.
  case listingComplete
  /// A new layout is about to be computed: its first snapshot is flown to from where the pictures are now, and it is
  /// turned and mirrored to lie best on the layout shown now. Implied by the first snapshot after a final one.
  case layoutStarted
  /// Positions (interleaved x, y, any unit and extent) of the images in `slots`.
  case layout(slots: [Int32], positions: [Float], isFinal: Bool, animated: Bool)
  /// The layout that was on its way is given up for the last complete one, which comes back as it was turned.
  case layoutRestored(slots: [Int32], positions: [Float], animated: Bool)
  /// The layout that was on its way is given up, and there is none to go back to: it counts as complete as it is.
  case layoutAbandoned
  /// What `SceneEffect.index` asked for.
  case indexed(PictureIndex)
  /// Put the pictures of the layout on the map in another way.
  case arrangementMode(ArrangementMode)
  /// What `Scene.arrangementRequest` asked for, of that version of the layout.
  case arranged(Arrangement, ArrangementMode, version: Int)
  /// By how much pictures are to be larger than they would be.
  case pictureSize(Double)
  /// What the colours of frames are to say; nil for no frames.
  case labelKind(LabelKind?)
  /// The classes that `SceneEffect.labelKindChanged` asked for.
  case labelled(Labelling)
  /// Whether the colours are explained beside the map.
  case legend(isShown: Bool)
  /// Groups of images to go through, one after another; they are selected.
  case walk(groups: [[Int]])
  /// Go to an image of the group that is shown, by its place there; while all groups are seen, to one of them.
  case walkTo(position: Int)
  /// These images, and no others, are selected.
  case select(slots: [Int])
  /// The camera goes where all of these images can be seen.
  case show(slots: [Int])
  /// These images came into the layout after it was made: they are marked until they are looked at.
  case unseen(slots: [Int])
  /// These images count as looked at.
  case seen(slots: [Int])
  /// What `Scene.viewState` said when the location was last left. Sent before the layout that it belongs to.
  case restored(ViewState)
  /// Width and height in pixels of the original of `slot`, as soon as they are known.
  case originalSize(slot: Int, Size)
  /// So many columns at the left of the viewport are covered: the whole map is shown beside them, as far as there is room.
  case covered(width: Int)
  /// So many columns at the right of the viewport are not the full-size view's.
  case aside(width: Int)
}

/// What the owner of a scene is asked to do.
public enum SceneEffect: Hashable, Sendable {
  /// Something visible changed.
  case redraw
  /// The scene wants `SceneInput.tick` at every frame, as long as every tick answers with this effect again.
  case animate
  /// Many pictures have arrived where they lie now: make `Scene.indexRequest`, if there is one, for `SceneInput.indexed`.
  case index
  /// Load the original of `slot`; `Scene.opened` holds it already.
  case openOriginal(slot: Int)
  /// Show what the file of the opened picture says about it, or no more.
  case showDetails
  /// Show transparent pictures at full size on another ground.
  case nextBackdrop
  /// Of so many pictures the first `Scene.mostSideBySide` are shown side by side.
  case sideBySideLimited(of: Int)
  /// A key could not do what it does, for this reason.
  case refused(Refusal)
  /// The full-size view is left; drop the original.
  case closeOriginal
  /// Put the addresses of these images on the clipboard.
  case copyAddress(slots: [Int])
  /// Open an image in the desktop's own viewer.
  case openExternally(slot: Int)
  /// Find the images that are most like this one, for `SceneInput.walk`.
  case findSimilar(slot: Int)
  /// Find groups of identical or nearly identical images, for `SceneInput.walk`.
  case findDuplicates
  /// `Scene.walk` is another one, or at another image.
  case walkChanged
  /// Ask where the selection, or everything, is to be written to.
  case save
  /// `Scene.mode` is another one, or another layout is to be arranged: compute `Scene.arrangementRequest`, if there is one.
  case arrange
  /// `Scene.pictureSize` is another one.
  case pictureSizeChanged
  /// `Scene.labelKind` is another one: compute its classes, for `SceneInput.labelled`.
  case labelKindChanged
  /// Show what the colours mean, put the keyboard there, or hide it.
  case toggleLegend
  /// Select what lies in the folder of this image, or in the folder above when that is selected already; nil without an
  /// image at hand.
  case selectFolder(slot: Int?)
  /// `Scene.selection` is another one.
  case selectionChanged
  /// `Scene.unseen` is another one.
  case unseenChanged
  /// Go through the images that are not looked at yet.
  case showUnseen
  /// Let the user type what the keys of the images to select contain.
  case search
  /// The pointer, or the keyboard focus, is on another image now.
  case hoverChanged(slot: Int?)
  /// Show this pointer.
  case cursorChanged(SceneCursor)
  /// Put the keyboard into the location field.
  case focusLocation
  /// Show the layouts that are kept, or no more.
  case showLayouts
  /// Go so many layouts on, in the order in which they were made.
  case stepLayout(by: Int)
  /// Open the list of images that were left out.
  case showProblems
  /// Show in full what the latest job had to say.
  case showNotes
  /// Show the table of keys.
  case showKeys
  /// Show what can be done at a point of the window, with the picture there or the opened one; nil where there is none.
  case showMenu(slot: Int?, at: Point, byKey: Bool)
  /// Dark to light and back.
  case switchTheme
  /// Start the job again.
  case refresh
  /// Accept the present positions as the layout.
  case stopHere
  /// Go on optimising from the present positions.
  case continueLayout
  /// End the program.
  case quit
  /// Into full screen and back.
  case toggleFullScreen
  /// Esc, and the scene itself had nothing to leave: end a running job's panel, help, or full screen.
  case escape
  /// `Scene.viewState` changed and came to rest: a good moment to keep it.
  case saveViewState
}

/// Why a command does nothing.
public enum Refusal: Hashable, Sendable {
  /// It is about a picture, and none is pointed at or has the keyboard focus.
  case noPicture
  /// It is about a picture at full size.
  case nothingOpened
  /// It is about the selection.
  case nothingSelected
  /// There are no groups to go through.
  case noGroups
  /// Nothing is selected that could be shown side by side.
  case nothingToCompare
}

/// The keys that are held with another one.
public struct Modifiers: OptionSet, Hashable, Sendable {
  /// One bit a key.
  public let rawValue: Int
  /// The set of the bits in `rawValue`.
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// Shift.
  public static let shift = Modifiers(rawValue: 1)
  /// Control.
  public static let control = Modifiers(rawValue: 2)
  /// Alt.
  public static let alt = Modifiers(rawValue: 4)
}

/// A key, by what is on it. Letters are in lower case; signs (`+`, `?`) are what the layout makes of key and Shift.
public enum SceneKey: Hashable, Sendable {
  /// A letter, digit or sign.
  case character(Character)
  /// The arrow keys.
  case left, right, up, down
  /// Return, or Enter on the keypad.
  case `return`
  /// Esc.
  case escape
  /// Home.
  case home
  /// Page Up and Page Down.
  case pageUp, pageDown
  /// Backspace.
  case backspace
  /// The key for menus.
  case menu
  /// The function keys that mean something.
  case f1, f5, f10, f11
}

/// Shapes of the pointer.
public enum SceneCursor: Hashable, Sendable {
  /// The plain arrow.
  case arrow
  /// Over something that a click opens.
  case pointer
  /// The map, or an enlarged picture, is being dragged.
  case dragging
  /// A rectangle or a lasso is being drawn.
  case drawing
}

/// What is kept for a location between two runs of the program.
public struct ViewState: Hashable, Codable, Sendable {
  /// Middle of the view, in the scene's normalised layout units.
  public var center: Point
  /// How large the layout is seen: the part of the viewport's shorter side that one layout unit takes.
  public var scale: Double
  /// Whether the user chose this view; otherwise the map is fitted to the window.
  public var handHasTouchedCamera: Bool
  /// How the layout was turned and mirrored.
  public var orientation: Orientation
  /// How the pictures are put on the map.
  public var mode: ArrangementMode?
  /// By how much they are larger than they would be.
  public var pictureSize: Double?
  /// What the colours of frames say.
  public var labelKind: LabelKind?
  /// Whether that is explained beside the map.
  public var showsLegend: Bool?
  /// Whether the overview is wanted.
  public var showsOverview: Bool?
}
