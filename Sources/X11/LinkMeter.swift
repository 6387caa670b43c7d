/// How much a connection can take: from the time that the server's answers need, the bytes that may be under way.
struct LinkMeter {
  /// A part of a frame whose arrival the server will tell.
  private struct Batch {
    let bytes: Int
    let sent: Double
    let serial: UInt64?
    /// Whether nothing else was under way.
    let wasFirst: Bool
  }

  /// Seconds of bytes that may wait in the connection: a tenth is promised, and the estimate may be wrong.
  static let seconds = 0.07
  private static let least = 24 << 10
  private static let most = 16 << 20

  /// Bytes that the server has not acknowledged.
  private(set) var bytesUnderWay = 0
  /// Bytes a second; careful at first, for too much cannot be called back.
  private(set) var rate = 1e6
  private var batches: [Batch] = []
  private var lastAnswer = 0.0
  /// Bytes answered since, too soon to be timed. Answers that waited because this program had no processor come all at
  /// once, and would make a slow connection look fast.
  private var carried = 0
  private static let shortest = 0.005
  /// The shortest time that the answer to a few bytes took: what is not spent on bytes.
  private var roundTrip: Double?
  private static let fewBytes = 4096

  var isIdle: Bool { batches.isEmpty }

  /// Bytes that may be sent now.
  var room: Int { max(0, limit - bytesUnderWay) }

  /// Bytes of what can wait that may be sent now: they leave half of the room to the next frame.
  var spareRoom: Int { isIdle ? max(Self.least, limit / 2) : max(0, limit / 2 - bytesUnderWay) }

  private var limit: Int { min(Self.most, max(Self.least, Int(min(1e9, rate) * Self.seconds))) }

  mutating func sent(_ bytes: Int, serial: UInt64?, at now: Double) {
    batches.append(Batch(bytes: bytes, sent: now, serial: serial, wasFirst: batches.isEmpty))
    bytesUnderWay += bytes
  }

  /// The server has come to the end of the oldest batch. Returns the number of the frame that is shown by it.
  mutating func answered(at now: Double) -> (isKnown: Bool, serial: UInt64?) {
    guard !batches.isEmpty else { return (false, nil) }
    let batch = batches.removeFirst()
    bytesUnderWay -= batch.bytes
    let whole = max(1e-5, now - batch.sent)
    if batch.bytes <= Self.fewBytes { roundTrip = min(roundTrip ?? whole, whole) }
    if batch.wasFirst { carried = 0 }
    var busy = now - max(batch.sent, lastAnswer)
    if !batch.wasFirst, batch.sent < lastAnswer, busy < Self.shortest {
      carried += batch.bytes
      return (true, batch.serial)
    }
    let bytes = carried + batch.bytes
    carried = 0
    lastAnswer = now
    // Small ones say something of the way there and back only.
    guard bytes >= Self.least / 2 else { return (true, batch.serial) }
    if batch.wasFirst, let roundTrip { busy -= min(roundTrip, whole / 2) }
    let sample = Double(bytes) / max(1e-5, busy)
    // Down at once, for the sake of the promise; up by steps.
    rate = sample < rate ? (rate + 2 * sample) / 3 : min(sample, 2 * rate)
    return (true, batch.serial)
  }
}
