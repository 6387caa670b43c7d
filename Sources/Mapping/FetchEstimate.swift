import Foundation

/// What is still to be fetched, and what that takes: said before much is fetched.
public struct FetchEstimate: Sendable, Equatable {
  /// Objects to be fetched; some may turn out to be no images.
  public var objects: Int
  /// Their bytes.
  public var bytes: Int64
  /// Requests for them, and those that the listing took.
  public var requests: Int
  /// Bytes of memory that the map will take, about.
  public var memoryBytes: Int64
  /// Bytes of disk that the local store will take, about.
  public var diskBytes: Int64
  /// Seconds, at the speed seen until now; nil while nothing can be said.
  public var seconds: Double?
  /// US dollars at AWS list price; nil where the server is not AWS.
  public var dollars: Double?

  /// AWS S3, standard class, us-east-1: a thousand GETs, a thousand LISTs, a gigabyte sent to the internet.
  private static let prices = (get: 0.0004, list: 0.005, gigabyte: 0.09)
  /// Measured on collections of 10,000 to 100,000 photographs.
  private static let perImage = (memory: Int64(6_000), disk: Int64(80_000))
  private static let memoryAtRest: Int64 = 150_000_000

  /// An estimate.
  /// - Parameters:
  ///   - known: Images that are here already.
  ///   - listings: Requests that the listing took.
  ///   - rate: Objects a second until now.
  init(objects: Int, bytes: Int64, known: Int, listings: Int, rate: Double?, isAmazon: Bool) {
    self.objects = objects
    self.bytes = bytes
    requests = objects + listings
    memoryBytes = Self.memoryAtRest + Int64(known + objects) * Self.perImage.memory
    diskBytes = Int64(objects) * Self.perImage.disk
    seconds = rate.flatMap { $0 > 0 ? Double(objects) / $0 : nil }
    dollars =
      isAmazon
      ? Double(objects) / 1000 * Self.prices.get + Double(listings) / 1000 * Self.prices.list
        + Double(bytes) / 1e9 * Self.prices.gigabyte : nil
  }

  /// The estimate in one or two sentences.
  public var text: String {
    var parts = [
      "\(Self.grouped(objects)) objects (\(Self.bytes(bytes))) are to be fetched, in \(Self.grouped(requests)) requests"
    ]
    if let seconds { parts.append("about \(Self.time(seconds)) at the present speed") }
    var text = parts.joined(separator: ", ") + ". It takes about \(Self.bytes(memoryBytes)) of memory and "
    text += "\(Self.bytes(diskBytes)) of disk"
    if let dollars { text += ", and \(Self.price(dollars)) at AWS list price outside its region" }
    return text + "."
  }

  private static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  private static func bytes(_ count: Int64) -> String {
    count >= 1_000_000_000 ? String(format: "%.1f GB", Double(count) / 1e9) : "\(max(1, count / 1_000_000)) MB"
  }

  private static func time(_ seconds: Double) -> String {
    seconds >= 5400 ? String(format: "%.1f hours", seconds / 3600) : "\(max(1, Int((seconds / 60).rounded()))) min"
  }

  private static func price(_ dollars: Double) -> String {
    dollars < 0.01 ? "less than $0.01" : String(format: "$%.2f", dollars)
  }
}

/// What a job asks; it says with the case how it is answered.
public enum MappingQuestion: Sendable, Equatable {
  /// Much is to be fetched: the job waits for `MappingJob.goOn()`, or to be cancelled.
  case fetch(FetchEstimate)
  /// Pictures, features and layouts could be shared with others in this bucket, which may not be the user's own. The
  /// job goes on without; Yes is `ImageCollection.acceptReplica(_:)` and another job. Asked once a collection.
  case replica(bucket: String)
}
