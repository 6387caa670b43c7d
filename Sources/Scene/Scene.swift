// The room Scene.
