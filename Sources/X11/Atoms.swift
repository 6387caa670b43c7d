internal import CX11
internal import Glibc

/// The names of the server that this room speaks of.
enum AtomName: String, CaseIterable {
  // Between client and window manager.
  case protocols = "WM_PROTOCOLS"
  case deleteWindow = "WM_DELETE_WINDOW"
  case takeFocus = "WM_TAKE_FOCUS"
  case netSupported = "_NET_SUPPORTED"
  case netSupportingCheck = "_NET_SUPPORTING_WM_CHECK"
  case netPing = "_NET_WM_PING"
  case netSyncRequest = "_NET_WM_SYNC_REQUEST"
  case netSyncRequestCounter = "_NET_WM_SYNC_REQUEST_COUNTER"
  case netName = "_NET_WM_NAME"
  case netIconName = "_NET_WM_ICON_NAME"
  case netIcon = "_NET_WM_ICON"
  case netProcess = "_NET_WM_PID"
  case netWindowType = "_NET_WM_WINDOW_TYPE"
  case netWindowTypeNormal = "_NET_WM_WINDOW_TYPE_NORMAL"
  case netState = "_NET_WM_STATE"
  case netStateFullScreen = "_NET_WM_STATE_FULLSCREEN"
  case netStateHidden = "_NET_WM_STATE_HIDDEN"
  case netUserTime = "_NET_WM_USER_TIME"
  case netStartupID = "_NET_STARTUP_ID"
  case netStartupInfoBegin = "_NET_STARTUP_INFO_BEGIN"
  case netStartupInfo = "_NET_STARTUP_INFO"
  // Selections.
  case clipboard = "CLIPBOARD"
  case clipboardManager = "CLIPBOARD_MANAGER"
  case saveTargets = "SAVE_TARGETS"
  case targets = "TARGETS"
  case timestamp = "TIMESTAMP"
  case multiple = "MULTIPLE"
  case atomPair = "ATOM_PAIR"
  case incremental = "INCR"
  case utf8String = "UTF8_STRING"
  case text = "TEXT"
  case plainTextUTF8 = "text/plain;charset=utf-8"
  case plainText = "text/plain"
  case uriList = "text/uri-list"
  case clipboardTransfer = "_S3TOTSNE_CLIPBOARD"
  case primaryTransfer = "_S3TOTSNE_PRIMARY"
  case dropTransfer = "_S3TOTSNE_DROP"
  case managerTransfer = "_S3TOTSNE_MANAGER"
  // Drag and drop.
  case dndAware = "XdndAware"
  case dndEnter = "XdndEnter"
  case dndPosition = "XdndPosition"
  case dndStatus = "XdndStatus"
  case dndLeave = "XdndLeave"
  case dndDrop = "XdndDrop"
  case dndFinished = "XdndFinished"
  case dndSelection = "XdndSelection"
  case dndTypeList = "XdndTypeList"
  case dndActionCopy = "XdndActionCopy"
  // The desktop.
  case manager = "MANAGER"
  case settings = "_XSETTINGS_SETTINGS"
  // Our own.
  case frame = "_S3TOTSNE_FRAME"
  case clock = "_S3TOTSNE_CLOCK"
}

/// The numbers of the names, asked for in one round trip.
struct AtomTable {
  private let atoms: [AtomName: Atom]
  /// The selection that the settings daemon of the screen owns.
  let settingsSelection: Atom

  init(display: OpaquePointer, screen: CInt) {
    let names = AtomName.allCases.map(\.rawValue) + ["_XSETTINGS_S\(screen)"]
    var strings = names.map { strdup($0) }
    var values = [Atom](repeating: 0, count: names.count)
    XInternAtoms(display, &strings, CInt(names.count), False, &values)
    for string in strings { free(string) }
    atoms = Dictionary(uniqueKeysWithValues: zip(AtomName.allCases, values))
    settingsSelection = values[names.count - 1]
  }

  subscript(name: AtomName) -> Atom { atoms[name] ?? 0 }
}
