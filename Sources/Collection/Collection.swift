// The room Collection.
