public import Foundation

/// How to reach a bucket. What is nil is looked up as the AWS command line does: environment, then profile.
public struct StorageOptions: Sendable {
  /// How a bucket is named in a request.
  public enum AddressingStyle: String, CaseIterable, Sendable {
    /// In the path for an endpoint of one's own, in the host name for AWS (unless the name has dots).
    case auto
    /// In the path: `https://endpoint/bucket/key`.
    case path
    /// In the host name: `https://bucket.endpoint/key`.
    case virtual
  }

  /// The server, as `https://host:port/path`; nil for AWS or what the environment says.
  public var endpointURL: String?
  /// A profile of the configuration files. Naming one here makes the environment's keys count no more.
  public var profile: String?
  /// The region to sign for.
  public var region: String?
  /// Ask anonymously; look for no credentials.
  public var noSignRequest = false
  /// Offer to pay for the requests, as some buckets want it of their readers.
  public var requesterPays = false
  /// A file of trusted certificate authorities in PEM form; nil for what the environment, the profile or the system says.
  public var certificateAuthorities: String?
  /// A file in which to remember the regions of AWS in which buckets were found; nil to remember none.
  public var regionFile: String?
  /// Where the bucket's name goes.
  public var addressingStyle = AddressingStyle.auto
  /// Transfers at one time and connections kept open, at most: how many there are follows what the server can do, and
  /// the limit for open files (RLIMIT_NOFILE) is respected.
  public var maximumConnections = 256
  /// Seconds for which a store whose server answered before waits while nothing gets through; nil for as long as it
  /// takes, 0 for not at all.
  public var patience: Double? = 0
  /// A server that sends nothing for so many seconds in the middle of an answer has stalled: the transfer is carried on
  /// by another connection.
  public var stallSeconds = 20
  /// The environment to look things up in.
  public var environment: [String: String]
  /// Objects larger than this are refused; nil for no limit.
  public var maximumBytes: Int64?

  /// Everything looked up in this process's environment.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    self.environment = environment
  }
}

/// The environment may hold secret keys: it is neither described nor reflected.
extension StorageOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The options without the environment.
  public var description: String {
    let parts = customMirror.children.map { "\($0.label ?? ""): \($0.value)" }
    return "StorageOptions(\(parts.joined(separator: ", ")))"
  }

  /// The options without the environment.
  public var debugDescription: String { description }

  /// The options without the environment.
  public var customMirror: Mirror {
    Mirror(
      self,
      children: [
        "endpointURL": EndpointAddress.withoutUserInformation(endpointURL ?? "none"),
        "profile": profile ?? "none",
        "region": region ?? "none",
        "noSignRequest": noSignRequest,
        "requesterPays": requesterPays,
        "certificateAuthorities": certificateAuthorities ?? "the usual",
        "addressingStyle": addressingStyle.rawValue,
        "maximumConnections": maximumConnections,
        "patience": patience.map { String($0) } ?? "unlimited",
        "maximumBytes": maximumBytes.map { String($0) } ?? "none",
      ])
  }
}
