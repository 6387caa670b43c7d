// The room Viewer.
