// The room Neighbors.
