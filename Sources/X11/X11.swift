// The room X11.
