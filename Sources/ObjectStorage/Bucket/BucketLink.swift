import Foundation

extension BucketStore {
  func link(to key: ObjectKey, validFor seconds: Int) async throws -> String {
    try await renewSigner()
    let context = context(.get(key))
    let path = context.address.path(of: key)
    guard let signer = context.signer else { return context.address.url(path: path, query: "") }
    let query = signer.presignedQuery(
      method: "GET", path: path, query: context.requesterPays ? [("x-amz-request-payer", "requester")] : [],
      host: context.address.host, at: SigningDate(Date(timeIntervalSinceNow: context.clockCorrection)),
      expiresIn: min(max(seconds, 1), RequestSigner.maximumLinkSeconds))
    return context.address.url(path: path, query: query)
  }
}
