// `import TSNE` alone is enough: rows, distances and the cancellation token are part of what this library says.
@_exported public import Neighbors
@_exported public import Numerics
