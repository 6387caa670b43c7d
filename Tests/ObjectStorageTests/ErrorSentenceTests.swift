import Foundation
import TestSupport
import Testing

@testable import ObjectStorage

/// What people stumble over, and the very sentences that they then read.
@Suite struct ErrorSentenceTests {
  private static let credentials = Credentials(
    accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretKey: "hush", sessionToken: "hush-token",
    source: "profile “work” of the credentials file", renewal: "Run: aws sso login --profile work")

  private static func context(
    endpoint: String? = nil, bucket: String = "photos", region: String = "us-east-1", isAnonymous: Bool = false,
    style: StorageOptions.AddressingStyle = .auto, _ operation: RequestContext.Operation = .list
  ) throws -> RequestContext {
    let address = try BucketAddress(
      bucket: bucket, region: region, endpoint: try endpoint.map { try EndpointAddress(parsing: $0) }, style: style)
    var context = RequestContext(operation: operation, address: address, region: region)
    if !isAnonymous { context.signer = RequestSigner(credentials: credentials, region: region) }
    return context
  }

  private static func answer(
    _ status: Int, _ code: String, _ message: String = "words", headers: [(name: String, value: String)] = [],
    more: String = ""
  ) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: headers + [("x-amz-request-id", "R42")],
      body: Array("<Error><Code>\(code)</Code><Message>\(message)</Message>\(more)</Error>".utf8))
  }

  private func sentence(_ response: HTTPResponse, _ context: RequestContext) -> String {
    FailureReading(response, context).error.description
  }

  @Test("what AWS refuses")
  func amazon() throws {
    let object = RequestContext.Operation.get(ObjectKey("a/ö b.jpg"))
    #expect(
      sentence(
        Self.answer(400, "AuthorizationHeaderMalformed", more: "<Region>eu-west-1</Region>"), try Self.context())
        == "The bucket “photos” answers in eu-west-1; the request was signed for us-east-1 "
        + "(AuthorizationHeaderMalformed: words). Use --region eu-west-1, and an endpoint of that region. (request R42)"
    )
    #expect(
      sentence(
        HTTPResponse(status: 301, headers: [("x-amz-bucket-region", "eu-west-1")]), try Self.context())
        == "The bucket “photos” answers in eu-west-1; the request was signed for us-east-1 (301). "
        + "Use --region eu-west-1, and an endpoint of that region.")
    #expect(
      sentence(Self.answer(404, "NoSuchBucket"), try Self.context())
        == "There is no bucket “photos” at https://s3.us-east-1.amazonaws.com. Check its name; a bucket of another "
        + "server than AWS needs --endpoint-url or AWS_ENDPOINT_URL. (request R42)")
    #expect(
      sentence(Self.answer(403, "AccessDenied", "Access Denied"), try Self.context())
        == "Bucket “photos” could not be listed: the access key AKIA…MPLE from profile “work” of the credentials file "
        + "may not do this (AccessDenied: Access Denied). The key needs the permission s3:ListBucket on the bucket; ask "
        + "the bucket's owner, or use another key. If its readers have to pay for requests, add "
        + "--request-payer requester. (request R42)")
    #expect(
      sentence(Self.answer(403, "AccessDenied", "Access Denied"), try Self.context(object)).contains(
        "“a/ö b.jpg” could not be read from bucket “photos”: the access key AKIA…MPLE from"))
    #expect(
      sentence(Self.answer(403, "AccessDenied", "Access Denied"), try Self.context(isAnonymous: true))
        == "Bucket “photos” could not be listed: it is not public (AccessDenied: Access Denied). "
        + "Leave --no-sign-request out, and use an access key. (request R42)")
    #expect(
      sentence(Self.answer(400, "ExpiredToken"), try Self.context())
        == "The access key AKIA…MPLE from profile “work” of the credentials file has expired. "
        + "Run: aws sso login --profile work (request R42)")
    #expect(
      sentence(Self.answer(403, "SignatureDoesNotMatch"), try Self.context())
        == "https://s3.us-east-1.amazonaws.com refuses the signature: the secret key does not belong to the access key "
        + "AKIA…MPLE from profile “work” of the credentials file. Check the secret key; it is case-sensitive, and easily "
        + "cut when it is copied. (request R42)")
    #expect(
      sentence(Self.answer(403, "InvalidAccessKeyId"), try Self.context())
        == "https://s3.us-east-1.amazonaws.com does not know the access key AKIA…MPLE from profile “work” of the "
        + "credentials file. Check the access key, and that it belongs to this server. (request R42)")
    #expect(
      sentence(Self.answer(403, "InvalidObjectState"), try Self.context(object)).contains(
        "it lies in an archive. Restore it first, for instance with “aws s3api restore-object”."))
    #expect(
      sentence(Self.answer(503, "SlowDown", "Please reduce your request rate."), try Self.context(object)).contains(
        "https://s3.us-east-1.amazonaws.com asks for fewer requests (SlowDown: Please reduce your request rate.)."))
  }

  @Test("a clock that is wrong is said to be, with how much")
  func clock() throws {
    var context = try Self.context()
    context.answered = Date(timeIntervalSince1970: 1_400_000_000)
    let response = Self.answer(
      403, "RequestTimeTooSkewed", headers: [("date", "Tue, 13 May 2014 17:53:20 GMT")])
    #expect(
      sentence(response, context)
        == "This computer's clock differs from that of https://s3.us-east-1.amazonaws.com by 3600 seconds. "
        + "Set the clock. (request R42)")
  }

  @Test("what is no S3 server")
  func otherServers() throws {
    let minio = try Self.context(endpoint: "http://minio:9001")
    #expect(
      sentence(
        HTTPResponse(
          status: 200, headers: [("content-type", "text/html")], body: Array("<title>MinIO Console</title>".utf8)),
        minio
      )
        == "What answers at http://minio:9001 is no S3 server: it answers 200 with the web page “MinIO Console”. Check "
        + "the endpoint and its port; the address of a console or a web page is not that of the S3 server.")
    #expect(
      sentence(
        HTTPResponse(status: 400, body: Array("Client sent an HTTP request to an HTTPS server.\n".utf8)), minio)
        == "What answers at http://minio:9001 wants an encrypted connection. Write https:// in the endpoint.")
    #expect(
      sentence(HTTPResponse(status: 407), minio)
        == "The proxy on the way to http://minio:9001 asks for a user name and a password. Put them into the proxy's "
        + "address (http://user:password@proxy:port), or name the host in NO_PROXY.")
    #expect(
      sentence(Self.answer(403, "AccessDenied"), minio).hasSuffix(
        "ask the bucket's owner, or use another key. (request R42)"))
  }

  private func sentence(
    _ cause: TransferFailure.Cause, _ detail: String, _ context: RequestContext, proxy: [String: String] = [:]
  ) -> String {
    ConnectionFailure(
      TransferFailure(cause: cause, detail: detail), server: context.address.server, host: context.address.host,
      attempt: context.attempt, proxies: ProxySettings(environment: proxy)
    ).error.description
  }

  @Test("no way to the server")
  func connections() throws {
    let minio = try Self.context(endpoint: "https://minio.example:9000", bucket: "my.photos")
    #expect(
      sentence(.unknownHost, "", minio)
        == "The host “minio.example:9000” is not known (DNS). Check the endpoint's spelling and the network connection."
    )
    #expect(
      sentence(.unknownHost, "", try Self.context(endpoint: "https://minio.example", style: .virtual))
        == "The host “photos.minio.example” is not known (DNS). If the server https://minio.example does not take the "
        + "bucket's name as part of its own, use --addressing-style path. Otherwise check the endpoint's spelling and "
        + "the network connection.")
    #expect(
      sentence(.unknownHost, "", try Self.context(region: "eu-wset-1"))
        == "The host “photos.s3.eu-wset-1.amazonaws.com” is not known (DNS). Check the network connection, and whether "
        + "“eu-wset-1” is a region (--region).")
    #expect(
      sentence(.noConnection, "", minio)
        == "Nothing answers at https://minio.example:9000. Check the endpoint, its port and the network connection.")
    #expect(
      sentence(.noConnection, "", minio, proxy: ["HTTPS_PROXY": "http://ada:hush@proxy:3128"])
        == "Nothing answers at the proxy http://…@proxy:3128 from HTTPS_PROXY, the way to https://minio.example:9000. "
        + "Correct HTTPS_PROXY, or name minio.example in NO_PROXY.")
    #expect(
      sentence(.noConnection, "", minio, proxy: ["HTTPS_PROXY": "proxy:3128", "NO_PROXY": "localhost, .example"])
        .hasPrefix("Nothing answers at https://minio.example:9000."))
    #expect(
      sentence(.interrupted, "CONNECT tunnel failed, response 407", minio, proxy: ["https_proxy": "proxy:3128"])
        == "The proxy http://proxy:3128 from https_proxy does not lead to https://minio.example:9000: it asks for a user "
        + "name and a password. Put them into https_proxy (http://user:password@proxy:port), or name minio.example in "
        + "NO_PROXY.")
    #expect(
      sentence(.interrupted, "CONNECT tunnel failed, response 403", minio, proxy: ["https_proxy": "proxy:3128"])
        .contains("it answers 403 to the request to connect. Correct https_proxy"))
    #expect(
      sentence(.timedOut, "Connection timed out", minio).hasSuffix("If only a proxy leads out, set HTTPS_PROXY."))
  }

  @Test("no trust in the server")
  func certificates() throws {
    let minio = try Self.context(endpoint: "https://minio.example:9000")
    #expect(
      sentence(.untrustedCertificate, "SSL certificate problem: self-signed certificate", minio)
        == "The certificate of https://minio.example:9000 is not trusted (SSL certificate problem: self-signed "
        + "certificate). If the server has a certificate authority of its own, name its file in AWS_CA_BUNDLE or with "
        + "--ca-bundle.")
    let mismatch = "SSL: no alternative certificate subject name matches target host name 'x'"
    #expect(
      sentence(.untrustedCertificate, mismatch, try Self.context(endpoint: "https://minio.example", style: .virtual))
        .hasSuffix("The certificate is not for names with the bucket before it: use --addressing-style path."))
    #expect(
      sentence(.untrustedCertificate, mismatch, minio).hasSuffix(
        "The certificate is for another name: use that name in the endpoint."))
    #expect(
      sentence(.untrustedCertificate, "SSL certificate problem: certificate has expired", minio).hasSuffix(
        "The server's owner has to renew it; if it is new, check this computer's clock."))
    #expect(
      sentence(.noEncryption, "wrong version number", minio).hasSuffix(
        "If the server speaks plain HTTP, write http:// in the endpoint."))
  }
}

extension HTTPResponse {
  /// An answer with these header lines.
  fileprivate init(status: Int, headers: [(name: String, value: String)], body: [UInt8] = []) {
    let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
    self.init(status: status, headerBytes: Array(lines.utf8), body: body)
  }
}
