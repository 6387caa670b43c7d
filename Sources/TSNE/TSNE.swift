// The room TSNE.
