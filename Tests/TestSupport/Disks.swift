import Foundation

/// A file system of few megabytes, in memory. Mounting needs the superuser.
public final class SmallDisk: Sendable {
  /// Where it is mounted.
  public let directory: TemporaryDirectory

  /// Whether one can be had.
  public static let isPossible: Bool = (try? SmallDisk(megabytes: 1)) != nil

  /// Mounts one.
  public init(megabytes: Int) throws {
    directory = try TemporaryDirectory("disk")
    guard geteuid() == 0, mount("none", directory.path, "tmpfs", 0, "size=\(megabytes)m") == 0 else {
      throw TestSupportError("A small disk cannot be mounted.")
    }
  }

  deinit { umount2(directory.path, Int32(MNT_DETACH)) }
}

/// An ext4 file system in a file: what it holds after the power has failed can be looked at, and it can be filled without
/// writing gigabytes. Mounting needs the superuser and a loop device.
public final class LoopDisk: Sendable {
  /// Where it is mounted.
  public let directory: TemporaryDirectory
  private let image: TemporaryDirectory

  /// Whether one can be had.
  public static let isPossible: Bool =
    geteuid() == 0 && FileManager.default.fileExists(atPath: "/dev/loop-control")
    && (try? LoopDisk(formatted: makeImage(megabytes: 8))) != nil

  /// Makes one of so many megabytes and mounts it.
  public convenience init(megabytes: Int) throws { try self.init(formatted: Self.makeImage(megabytes: megabytes)) }

  private init(formatted image: TemporaryDirectory) throws {
    self.image = image
    directory = try TemporaryDirectory("disk")
    try Self.run(["mount", "-o", "loop", image.file("image"), directory.path])
  }

  deinit { try? Self.run(["umount", "-l", directory.path]) }

  private static func makeImage(megabytes: Int) throws -> TemporaryDirectory {
    let image = try TemporaryDirectory("image")
    try run(["truncate", "-s", "\(megabytes)M", image.file("image")])
    try run(["mkfs.ext4", "-q", "-F", image.file("image")])
    return image
  }

  /// The disk as it would be found after the power had failed now: without anything that only memory holds. Who writes to
  /// it must have been stopped.
  public func afterPowerFailure() throws -> LoopDisk {
    for _ in 0..<100 {
      let copy = try TemporaryDirectory("image")
      let before = try writes()
      try Self.run(["cp", "--sparse=always", image.file("image"), copy.file("image")])
      // Blocks of different moments would be a disk that never was.
      if try writes() == before { return try LoopDisk(formatted: copy) }
    }
    throw TestSupportError("The disk is written to all the time.")
  }

  /// How much has been written to the device, as the kernel counts it: by file name the loop device is found.
  private func writes() throws -> String {
    for name in try FileManager.default.contentsOfDirectory(atPath: "/sys/block") where name.hasPrefix("loop") {
      let file = try? String(contentsOfFile: "/sys/block/\(name)/loop/backing_file", encoding: .utf8)
      guard file?.trimmingCharacters(in: .whitespacesAndNewlines) == image.file("image") else { continue }
      let fields = try String(contentsOfFile: "/sys/block/\(name)/stat", encoding: .utf8).split(separator: " ")
      // Writes that are done, and requests under way.
      return fields.indices.contains(8) ? "\(fields[4]) \(fields[8])" : ""
    }
    throw TestSupportError("The disk has no loop device.")
  }

  /// Takes all the room that is left; `free` gives it back.
  public func fill() throws {
    let descriptor = open(directory.file("filler"), O_RDWR | O_CREAT | O_APPEND, 0o600)
    guard descriptor >= 0 else { throw TestSupportError("The disk cannot be filled.") }
    defer { close(descriptor) }
    var size = 0
    var step = 1 << 30
    while step >= 4096 {
      if posix_fallocate(descriptor, size, step) == 0 { size += step } else { step /= 2 }
    }
  }

  /// Gives back what `fill` has taken.
  public func free() throws { try FileManager.default.removeItem(atPath: directory.file("filler")) }

  private static func run(_ words: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw TestSupportError("\(words.joined(separator: " ")) ended with \(process.terminationStatus).")
    }
  }
}
