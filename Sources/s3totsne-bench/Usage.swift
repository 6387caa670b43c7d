import Foundation

/// What a piece of work cost this process, and how busy others kept the processors meanwhile.
struct Usage: Encodable {
  /// Seconds by the clock.
  var wall: Double
  /// Seconds of processor time, of all threads.
  var cpu: Double
  /// Processors that others used on average; above 0.3 the clock says little.
  var othersCPU: Double
  /// The peak of resident memory above what was there before, in MB.
  var memoryMB: Double

  enum CodingKeys: String, CodingKey {
    case wall, cpu
    case othersCPU = "others_cpu"
    case memoryMB = "memory_mb"
  }

  /// Measures `body`.
  static func measure<Value>(_ body: () throws -> Value) rethrows -> (Value, Usage) {
    // Linux forgets the peak when asked so; where it does not, the peak of the whole process counts.
    try? "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
    let resident = status("VmRSS")
    let (wall, cpu, busy) = (ContinuousClock.now, ownSeconds(), allSeconds())
    let value = try body()
    let seconds = (ContinuousClock.now - wall) / .seconds(1)
    let own = ownSeconds() - cpu
    return (
      value,
      Usage(
        wall: seconds, cpu: own, othersCPU: max(0, allSeconds() - busy - own) / max(seconds, 1e-3),
        memoryMB: max(0, status("VmHWM") - resident) / 1024)
    )
  }

  private static func ownSeconds() -> Double {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
  }

  /// Processor seconds of the whole machine in which it was not idle.
  private static func allSeconds() -> Double {
    guard let text = try? String(contentsOfFile: "/proc/stat", encoding: .utf8),
      let line = text.split(separator: "\n").first
    else { return 0 }
    let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
    guard fields.count >= 8 else { return 0 }
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// A line of /proc/self/status, in kB. (The peak of `getrusage` begins with that of whoever started the program.)
  static func status(_ name: String) -> Double {
    guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
      let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") })
    else { return 0 }
    return line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
  }
}
