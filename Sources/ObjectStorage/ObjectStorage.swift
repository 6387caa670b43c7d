// The room ObjectStorage.
