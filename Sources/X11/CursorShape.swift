/// What the pointer looks like over a window; the picture comes from the desktop's cursor theme.
public enum CursorShape: Hashable, Sendable, CaseIterable {
  case arrow, text, pointingHand, grab, grabbing, move, wait, crosshair, hidden
}
