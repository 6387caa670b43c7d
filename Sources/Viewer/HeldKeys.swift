import Scene

/// The scene's modifier keys; the window system's have the same name.
typealias HeldKeys = Modifiers
