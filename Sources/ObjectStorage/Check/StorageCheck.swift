import Foundation

/// Says, step by step, what is resolved for a location and what its server answers: for a person whose images do not come.
///
/// Nothing is written unless asked for, and no secret is in what it says.
public struct StorageCheck: Sendable {
  /// One thing that was looked at.
  public struct Step: Sendable, Hashable {
    /// How it went.
    public enum Outcome: String, Sendable, Hashable {
      /// It is as it should be.
      case passed
      /// It is not, and the images will not come.
      case failed
      /// It works, but could be better.
      case noted
      /// It was not looked at.
      case skipped
    }

    /// One word or two, such as “Credentials”.
    public var name: String
    /// How it went.
    public var outcome: Outcome
    /// What was found, as a sentence without a full stop or as several with.
    public var text: String
    /// What to do about it.
    public var remedy: String?
  }

  /// All of it.
  public struct Report: Sendable {
    /// In the order in which they were taken.
    public var steps: [Step] = []
    /// The server, such as `https://s3.eu-west-1.amazonaws.com`; nil for a folder.
    public var endpoint: String?
    /// The address of the bucket or access point, or of the folder.
    public var url: String?
    /// The region that is signed for; nil for a folder.
    public var region: String?
    /// `path` or `virtual`: where the bucket's name goes; nil for a folder.
    public var addressing: String?
    /// Where the credentials come from; nil for a folder, and where there are none.
    public var credentials: String?
    /// Seconds by which the server's clock is ahead of this computer's; nil where nobody answered.
    public var clockOffset: Double?
    /// What fails first.
    public var error: StorageError?

    mutating func add(_ step: Step) { steps.append(step) }

    mutating func fail(_ name: String, _ failure: StorageError) {
      let request = failure.requestID.map { " (request \($0))" } ?? ""
      add(Step(name: name, outcome: .failed, text: failure.message + request, remedy: failure.remedy))
      if error == nil { error = failure }
    }
  }

  /// What there is to find out about a bucket that keeps a replica: one of the same server, beside that of the location.
  public enum Replica: Sendable, Hashable {
    /// There is none, for this reason, as a sentence without a full stop; and what to do to have one.
    case none(String, remedy: String?)
    /// A job would use this bucket by itself: whether it can be listed.
    case listing(String)
    /// This bucket was named for it: whether it can be listed and written to. The object for that is announced with a
    /// wrong digest, so that servers refuse it once they have allowed the writing; where one does not, it is deleted again.
    case writing(String)
    /// The same; that it cannot be written to is a failure.
    case mustBeWritable(String)
  }

  private let location: Location
  private let options: StorageOptions
  private let isOffline: Bool
  private let replica: Replica

  /// A check of a location.
  /// - Parameter isOffline: Only resolve; ask nobody.
  public init(
    _ location: Location, options: StorageOptions, isOffline: Bool = false,
    replica: Replica = .none("not looked for", remedy: nil)
  ) {
    self.location = location
    self.options = options
    self.isOffline = isOffline
    self.replica = replica
  }

  /// Looks at everything. What fails is in the report.
  /// - Throws: `CancellationError` alone.
  public func run() async throws -> Report {
    switch location.kind {
    case .folder(let path): return try await checkFolder(path)
    case .bucket(let endpoint, let name, let prefix):
      return try await checkBucket(name, prefix: prefix, endpoint: endpoint)
    }
  }

  // MARK: - Folders

  private func checkFolder(_ path: [UInt8]) async throws -> Report {
    var report = Report()
    report.url =
      "file://" + String(decoding: PercentEncoding.encode(path, safe: PercentEncoding.keySafe), as: UTF8.self)
    report.add(Step(name: "Location", outcome: .passed, text: "the folder \(location.text)"))
    do {
      let store = try openStore(location, options: options)
      guard !isOffline else { return report }
      var first: StoredObject?
      pages: for try await page in store.list() {
        first = page.first { $0.size > 0 }
        if first != nil { break pages }
      }
      guard let first else {
        report.add(Step(name: "Listing", outcome: .noted, text: "it can be listed, and there is no file in it"))
        return report
      }
      report.add(Step(name: "Listing", outcome: .passed, text: "it can be listed"))
      do {
        _ = try await store.get(first.key, accept: { _ in false })
        report.add(Step(name: "Reading", outcome: .passed, text: "“\(first.key)” can be read"))
      } catch let error as StorageError {
        report.fail("Reading", error)
      }
    } catch let error as StorageError {
      report.fail("Listing", error)
    }
    return report
  }

  // MARK: - Buckets

  private func checkBucket(_ bucket: String, prefix: [UInt8], endpoint: String?) async throws -> Report {
    var report = Report()
    let folder = prefix.isEmpty ? "all of it" : "everything below “\(ObjectKey(bytes: prefix))”"
    report.add(
      Step(
        name: "Location", outcome: .passed,
        text: "the \(AccessPoint(bucket) == nil ? "bucket" : "access point") “\(bucket)”, \(folder)"))
    let settings: StorageSettings
    do throws(StorageError) {
      settings = try resolve(bucket, endpoint: endpoint, &report)
    } catch {
      report.fail("Settings", error)
      return report
    }
    let address: BucketAddress
    do throws(StorageError) {
      address = try settings.address(of: bucket, region: settings.region)
    } catch {
      report.fail("Address", error)
      return report
    }
    report.region = settings.region
    Self.add(address, to: &report)
    report.add(
      Step(
        name: "Region", outcome: .passed,
        text: settings.region
          + (settings.regionSource.map { " (from \($0))" } ?? " (nobody named one, so this is a guess)")))
    report.add(
      Step(
        name: "Endpoint", outcome: .passed,
        text: address.server.text + (settings.endpointSource.map { " (from \($0))" } ?? " (AWS)")))
    if let proxy = settings.proxies.proxy(for: address.server) {
      report.add(Step(name: "Proxy", outcome: .passed, text: "\(proxy.address) (from \(proxy.variable))"))
    }
    if let file = settings.certificateAuthorities {
      report.add(Step(name: "Authorities", outcome: .passed, text: "trusted are those in \(file)"))
    }
    report.add(
      Step(
        name: "Address", outcome: .passed,
        text: "\(address.text) (the bucket's name is part of the \(address.isVirtual ? "host" : "path"))"))
    guard report.error == nil, !isOffline else { return report }
    do {
      var probe = try BucketProbe(settings: settings, address: address)
      try await ask(&probe, prefix: prefix, settings, &report)
    } catch let error as StorageError {
      report.fail("Credentials", error)
    }
    return report
  }

  private static func add(_ address: BucketAddress, to report: inout Report) {
    report.endpoint = address.server.text
    report.url = address.text
    report.addressing = address.isVirtual ? "virtual" : "path"
  }

  /// Settings also where there are no credentials: all else can then still be said.
  private func resolve(
    _ bucket: String, endpoint: String?, _ report: inout Report
  ) throws(StorageError) -> StorageSettings {
    do throws(StorageError) {
      let settings = try StorageSettings(options, locationEndpoint: endpoint, bucket: bucket)
      report.credentials = settings.credentialPlan.source
      if isOffline {
        report.add(
          Step(
            name: "Credentials", outcome: .passed,
            text: "from \(settings.credentialPlan.source)" + (settings.credentialPlan.needsAsking ? " (not asked)" : "")
          ))
      }
      return settings
    } catch {
      var anonymous = options
      anonymous.noSignRequest = true
      let settings = try StorageSettings(anonymous, locationEndpoint: endpoint, bucket: bucket)
      report.fail("Credentials", error)
      return settings
    }
  }

  private func ask(
    _ probe: inout BucketProbe, prefix: [UInt8], _ settings: StorageSettings, _ report: inout Report
  ) async throws {
    if let credentials = try await settings.credentialSource.credentials() {
      report.credentials = credentials.source
      let lifetime = credentials.expiration.map { ", which ends \($0.formatted(.iso8601))" } ?? ""
      report.add(Step(name: "Credentials", outcome: .passed, text: "\(credentials)\(lifetime)"))
    } else {
      report.add(Step(name: "Credentials", outcome: .passed, text: "none: requests are anonymous"))
    }
    let listing = try await probe.list(prefix: prefix)
    describe(probe, settings, &report)
    switch listing {
    case .failure(let error): report.fail("Listing", error)
    case .success(let page):
      let found = page.objects.count
      let objects = found == 1 ? "1 object" : "\(found) objects"
      let more = page.isTruncated ? "\(objects) at once, and there are more" : "\(objects) in all"
      report.add(
        page.entryCount == 0
          ? Step(
            name: "Listing", outcome: .noted,
            text: "it can be listed, and there is nothing in it",
            remedy: prefix.isEmpty ? nil : "Check the folder's name; capitals count.")
          : Step(name: "Listing", outcome: .passed, text: "it can be listed: \(more)"))
      if let object = page.objects.first(where: { $0.size > 0 && !$0.isArchived }) {
        do {
          try await probe.read(object.key)
          report.add(Step(name: "Reading", outcome: .passed, text: "“\(object.key)” can be read"))
        } catch let error as StorageError {
          report.fail("Reading", error)
        }
      } else {
        report.add(Step(name: "Reading", outcome: .skipped, text: "there is no object to try it with"))
      }
    }
    try await checkReplica(probe, &report)
  }

  /// What the answers said besides yes and no.
  private func describe(_ probe: BucketProbe, _ settings: StorageSettings, _ report: inout Report) {
    if let milliseconds = probe.answerMilliseconds {
      report.add(
        Step(name: "Connection", outcome: .passed, text: "\(probe.address.host) answers, in \(milliseconds) ms"))
    }
    if let offset = probe.clockOffset {
      report.clockOffset = offset
      let seconds = Int(offset.rounded())
      let text =
        abs(seconds) < 2
        ? "this computer's clock agrees with the server's"
        : "this computer's clock is \(abs(seconds)) s \(seconds > 0 ? "behind" : "ahead of") the server's"
      let isWrong = abs(offset) > FailureReading.suspiciousSkew
      report.add(
        Step(
          name: "Clock", outcome: isWrong ? .noted : .passed,
          text: text + (isWrong ? "; requests are signed with the server's time" : ""),
          remedy: isWrong ? "Set this computer's clock." : nil))
    }
    if probe.region != settings.region {
      report.region = probe.region
      Self.add(probe.address, to: &report)
      report.add(
        Step(
          name: "Region", outcome: .noted,
          text: "the bucket answers in \(probe.region); the request was signed for \(settings.region)"
            + (settings.regionSource.map { ", from \($0)" } ?? ""),
          remedy: "This is corrected by itself; --region \(probe.region) spares a request at every start."))
    }
  }

  // MARK: - Replica

  private func checkReplica(_ probe: BucketProbe, _ report: inout Report) async throws {
    let name = "Replica"
    let bucket: String
    switch replica {
    case .none(let why, let remedy):
      report.add(Step(name: name, outcome: .skipped, text: why, remedy: remedy))
      return
    case .listing(let named), .writing(let named), .mustBeWritable(let named): bucket = named
    }
    do {
      var other = try probe.forBucket(bucket)
      if case .failure(let error) = try await other.list(prefix: []) {
        report.fail(name, error)
        return
      }
      if case .listing = replica {
        report.add(
          Step(
            name: name, outcome: .passed, text: "“\(bucket)” is used by itself, and can be listed",
            remedy: "To try whether it can be written to: --test-writing \(bucket)"))
        return
      }
      let leftover = try await other.write(to: ObjectKey(".s3totsne-check-\(UInt64.random(in: 0...UInt64.max))"))
      if let leftover {
        report.add(
          Step(
            name: name, outcome: .noted, text: "“\(bucket)” can be written to; the object “\(leftover)” stayed there",
            remedy: "Delete it."))
      } else {
        report.add(Step(name: name, outcome: .passed, text: "“\(bucket)” can be written to; nothing was left there"))
      }
    } catch let error as StorageError {
      guard case .writing = replica, error.kind == .accessDenied else {
        report.fail(name, error)
        return
      }
      report.add(
        Step(
          name: name, outcome: .noted,
          text: "“\(bucket)” can be listed and not written to: what is fetched here is not shared. \(error.message)",
          remedy: error.remedy))
    }
  }
}
