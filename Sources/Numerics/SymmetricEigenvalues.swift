/// Eigenvalues, descending, and their vectors of a small symmetric matrix, by cyclic Jacobi rotations (Golub & Van Loan,
/// section 8.5). Vector i is row i of the result.
package func symmetricEigenvalues(_ matrix: [Double], size n: Int) -> (values: [Double], vectors: [Double]) {
  precondition(matrix.count == n * n)
  var a = matrix
  var v = [Double](repeating: 0, count: n * n)
  for i in 0..<n { v[i * n + i] = 1 }
  let scale = a.reduce(0) { $0 + $1 * $1 }
  for _ in 0..<60 {
    var offDiagonal = 0.0
    for p in 0..<n { for q in 0..<n where q != p { offDiagonal += a[p * n + q] * a[p * n + q] } }
    if offDiagonal <= 1e-24 * scale { break }
    for p in 0..<n {
      for q in stride(from: p + 1, to: n, by: 1) where a[p * n + q] != 0 {
        let theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q])
        let t = (theta < 0 ? -1.0 : 1.0) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        let s = t * c
        for i in 0..<n {
          let x = a[i * n + p]
          let y = a[i * n + q]
          a[i * n + p] = c * x - s * y
          a[i * n + q] = s * x + c * y
        }
        for i in 0..<n {
          let x = a[p * n + i]
          let y = a[q * n + i]
          a[p * n + i] = c * x - s * y
          a[q * n + i] = s * x + c * y
          let vx = v[p * n + i]
          let vy = v[q * n + i]
          v[p * n + i] = c * vx - s * vy
          v[q * n + i] = s * vx + c * vy
        }
      }
    }
  }
  let order = (0..<n).sorted { (a[$0 * n + $0], $1) > (a[$1 * n + $1], $0) }
  return (order.map { a[$0 * n + $0] }, order.flatMap { v[$0 * n..<$0 * n + n] })
}
