import Foundation

/// A real S3 server on the loopback interface, for as long as a test wants one.
public protocol S3Server: Sendable {
  /// Such as `http://127.0.0.1:12345`, without a slash at the end.
  var endpoint: String { get }
  /// The key that may do everything.
  var accessKey: String { get }
  /// Its secret.
  var secretKey: String { get }
  /// The certificate of an encrypted server, which no system trusts by itself; nil for a server of plain HTTP.
  var certificate: TestCertificate? { get }
}

extension S3Server {
  /// The environment that makes the program under test talk to this server, and that hides the person's own settings.
  public var environment: [String: String] {
    var environment = [
      "AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_ENDPOINT_URL": endpoint,
      "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null",
      "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    ]
    environment["AWS_CA_BUNDLE"] = certificate?.file
    return environment
  }

  /// Makes a bucket (3 to 63 characters).
  public func makeBucket(_ name: String) async throws {
    _ = try await rclone(["mkdir", remote(name)])
  }

  /// Copies a local folder into a bucket, below `prefix` (no slash at either end).
  public func upload(folder: String, to bucket: String, prefix: String = "") async throws {
    let target = remote(prefix.isEmpty ? bucket : bucket + "/" + prefix)
    _ = try await rclone([
      "copy", "--s3-no-check-bucket", "--transfers", "16", "--checkers", "16", "--no-traverse", folder, target,
    ])
  }

  /// Writes one object; the key is text without control characters.
  public func put(_ bytes: [UInt8], to key: String, in bucket: String) async throws {
    let scratch = try TemporaryDirectory("object")
    let file = try scratch.write(bytes, to: "object")
    _ = try await rclone([
      "copyto", "--s3-no-check-bucket", "--no-check-dest", "--ignore-times", file, remote(bucket + "/" + key),
    ])
  }

  /// Removes one object.
  public func remove(_ key: String, from bucket: String) async throws {
    _ = try await rclone(["deletefile", remote(bucket + "/" + key)])
  }

  /// Removes every object of a bucket below `prefix` (no slash at either end), or all.
  public func empty(_ bucket: String, prefix: String = "") async throws {
    _ = try await rclone(["delete", remote(prefix.isEmpty ? bucket : bucket + "/" + prefix)])
  }

  private func remote(_ path: String) -> String { ":s3:" + path }

  private func rclone(_ arguments: [String]) async throws -> ProcessResult {
    try await run(
      "rclone", ["--config", "/dev/null", "--retries", "1", "--use-server-modtime"] + arguments,
      environment: [
        "RCLONE_S3_PROVIDER": "Other", "RCLONE_S3_ENDPOINT": endpoint, "RCLONE_S3_ACCESS_KEY_ID": accessKey,
        "RCLONE_S3_SECRET_ACCESS_KEY": secretKey, "RCLONE_S3_REGION": "us-east-1",
        "RCLONE_S3_FORCE_PATH_STYLE": "true", "RCLONE_S3_ENV_AUTH": "false", "RCLONE_CA_CERT": certificate?.file,
      ], within: 240, checked: true)
  }
}

/// SeaweedFS: master, volume, filer and S3 gateway in one process, data in a temporary directory.
///
/// It needs seconds to start, so most suites take `SeaweedServer.shared` and make buckets of their own.
public final class SeaweedServer: S3Server {
  /// Such as `http://127.0.0.1:12345`.
  public let endpoint: String
  /// The key that may do everything.
  public let accessKey = "TESTKEYTESTKEYTESTKEY"
  /// Its secret.
  public let secretKey = "testsecret/with+odd=characters"
  /// A key that may list and read, and its secret.
  public let readOnlyKey = (access: "READERREADERREADER", secret: "readersecret")
  /// The server's own HTTP interface to files: `PUT <filer>/buckets/<bucket>/<key>` takes any key.
  public let filer: String
  /// The address of the cluster's master, for `weed shell -master`.
  public let master: String
  /// The certificate of an encrypted server.
  public let certificate: TestCertificate?

  private let data: TemporaryDirectory
  private let process: ChildProcess

  private static let sharedServer = Task { try await SeaweedServer.start() }

  /// One server for everybody in this test process.
  public static var shared: SeaweedServer { get async throws { try await sharedServer.value } }

  /// Starts a server and waits until it answers signed requests. More arguments go to `weed server`, such as
  /// `-s3.domainName=...`. With a certificate it speaks TLS alone.
  public static func start(
    arguments: [String] = [], certificate: TestCertificate? = nil
  ) async throws -> SeaweedServer {
    var last: any Error = TestSupportError("SeaweedFS was not started")
    // Somebody else may have taken a port between the look and the start.
    for _ in 0..<3 {
      let server = try SeaweedServer(arguments: arguments, certificate: certificate)
      do {
        try await eventually("SeaweedFS answers", within: 240) {
          guard server.process.isRunning else {
            throw TestSupportError("SeaweedFS ended: \(server.process.errorText.suffix(2_000))")
          }
          return (try? await server.makeBucket("ready")) != nil
        }
        return server
      } catch { last = error }
    }
    throw last
  }

  private init(arguments: [String], certificate: TestCertificate?) throws {
    self.certificate = certificate
    let encryption = certificate.map { ["-s3.cert.file=\($0.file)", "-s3.key.file=\($0.keyFile)"] } ?? []
    let ports = try Ports.free(4, paired: true)
    data = try TemporaryDirectory("seaweed")
    let identities = """
      {"identities":[
      {"name":"tester","credentials":[{"accessKey":"\(accessKey)","secretKey":"\(secretKey)"}],
       "actions":["Admin","Read","List","Tagging","Write"]},
      {"name":"reader","credentials":[{"accessKey":"\(readOnlyKey.access)","secretKey":"\(readOnlyKey.secret)"}],
       "actions":["Read","List"]}]}
      """
    let configuration = try data.write(Array(identities.utf8), to: "s3.json")
    try data.write([], to: "data/.keep")
    endpoint = "\(certificate == nil ? "http" : "https")://127.0.0.1:\(ports[3])"
    filer = "http://127.0.0.1:\(ports[2])"
    master = "127.0.0.1:\(ports[0])"
    process = try ChildProcess(
      "weed",
      [
        "server", "-dir=\(data.file("data"))", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
        // Every bucket takes volumes of its own; with the usual 30 GB a disk has room for few buckets.
        "-master.volumeSizeLimitMB=64",
        "-master.port=\(ports[0])", "-volume.port=\(ports[1])", "-volume.max=0", "-filer",
        "-filer.port=\(ports[2])", "-s3", "-s3.port=\(ports[3])", "-s3.config=\(configuration)",
        "-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.iam=false", "-s3.autoCreateBucket=false",
      ] + encryption + arguments, directory: data.path)
  }
}

/// rclone's S3 server over a directory: every folder in it is a bucket. Ready in a fraction of a second.
public final class RcloneServer: S3Server {
  /// Such as `http://127.0.0.1:12345`.
  public let endpoint: String
  /// The only key.
  public let accessKey = "RCLONEKEYRCLONEKEY"
  /// Its secret.
  public let secretKey = "rclonesecret"
  /// The directory served.
  public let directory: String
  /// The certificate of an encrypted server.
  public let certificate: TestCertificate?

  private let owned: TemporaryDirectory?
  private let process: ChildProcess

  /// Serves a directory, or a new empty one. More arguments go to `rclone serve s3`.
  public static func start(
    directory: String? = nil, arguments: [String] = [], certificate: TestCertificate? = nil
  ) async throws -> RcloneServer {
    let server = try RcloneServer(directory: directory, arguments: arguments, certificate: certificate)
    let port = UInt16(server.endpoint.split(separator: ":").last!)!
    try await eventually("rclone serve s3 answers", within: 240) {
      guard server.process.isRunning else {
        throw TestSupportError("rclone serve s3 ended: \(server.process.errorText)")
      }
      return Ports.answers(port)
    }
    return server
  }

  private init(directory: String?, arguments: [String], certificate: TestCertificate?) throws {
    self.certificate = certificate
    let encryption = certificate.map { ["--cert", $0.file, "--key", $0.keyFile] } ?? []
    let owned = directory == nil ? try TemporaryDirectory("rclone") : nil
    self.owned = owned
    self.directory = directory ?? owned!.path
    let port = try Ports.free(1)[0]
    endpoint = "\(certificate == nil ? "http" : "https")://127.0.0.1:\(port)"
    process = try ChildProcess(
      "rclone",
      [
        "--config", "/dev/null", "serve", "s3", "--addr", "127.0.0.1:\(port)", "--auth-key",
        "\(accessKey),\(secretKey)", "--vfs-cache-mode", "off",
      ] + encryption + arguments + [self.directory])
  }
}
