import Foundation

extension HTTPRequest {
  /// The request with address, date and signature.
  ///
  /// Date and signature are made when the transfer starts.
  func completed(
    for context: RequestContext, query: CanonicalQuery = .empty, payloadHash: String = Digest.ofNothing,
    headers: [(name: String, value: String)] = []
  ) -> HTTPRequest {
    let path = context.address.path(of: context.key)
    let signer = context.signer
    let clockCorrection = context.clockCorrection
    var request = self
    request.url = context.address.url(path: path, query: query.text)
    let host = context.address.host
    let method = request.method.rawValue
    request.headers = { [requesterPays = context.requesterPays] in
      guard let signer else { return headers.map { "\($0.name): \($0.value)" } }
      let date = SigningDate(Date(timeIntervalSinceNow: clockCorrection))
      var lines = headers + [("x-amz-content-sha256", payloadHash), ("x-amz-date", date.timestamp)]
      if let token = signer.credentials.sessionToken { lines.append(("x-amz-security-token", token.value)) }
      if requesterPays { lines.append(("x-amz-request-payer", "requester")) }
      let signable = SignableRequest(
        method: method, path: path, query: query.text, headers: lines + [("host", host)], payloadHash: payloadHash)
      lines.append(("Authorization", signer.authorization(for: signable, at: date)))
      return lines.map { "\($0.name): \($0.value)" }
    }
    return request
  }
}

extension RequestContext {
  /// The object asked for; nil where the bucket itself is asked.
  var key: ObjectKey? {
    switch operation {
    case .list: nil
    case .get(let key), .put(let key): key
    }
  }
}
