/// What an S3 server says in the body of a failed request.
struct ServiceReply: Sendable, Hashable {
  var code = ""
  var message = ""
  var region = ""
  var requestID = ""

  /// nil for a body that is no S3 error: an HTML page, nothing, garbage.
  init?(parsing body: [UInt8]) {
    var scanner = XMLScanner(body)
    var path: [String] = []
    var isError = false
    do {
      while let token = try scanner.next() {
        switch token {
        case .start(let name):
          path.append(name)
          if name == "Error" { isError = true }
        case .end: path.removeLast()
        case .text(let bytes):
          guard path.count >= 2 else { continue }
          // Services other than S3 wrap their errors once more, and name the request outside.
          if path[path.count - 2] == "ErrorResponse", path.last == "RequestId" {
            requestID += String(decoding: bytes.prefix(1000), as: UTF8.self)
          }
          guard path[path.count - 2] == "Error" else { continue }
          let text = String(decoding: bytes.prefix(1000), as: UTF8.self)
          switch path.last {
          case "Code": code += text
          case "Message": message += text
          case "Region": region += text
          case "RequestId": requestID += text
          default: break
          }
        }
      }
    } catch { return nil }
    guard isError, !code.isEmpty else { return nil }
  }
}
