import Dispatch

/// Runs what blocks or computes for long on a queue, so that no cooperative thread waits for it.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    DispatchQueue.global(qos: .background).async { continuation.resume(with: Swift.Result { try body() }) }
  }
}
