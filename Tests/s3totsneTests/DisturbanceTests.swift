import Foundation
import TestSupport
import Testing

/// What a machine does to a store, each compared by the bytes of the whole run that follows.
@Suite("Disturbances", .serialized, .timeLimit(.minutes(10))) struct DisturbanceTests {
  private let whole: WholeRun
  private let pictures: TemporaryDirectory
  private static let images = 5 * 26

  init() throws {
    pictures = try TemporaryDirectory("pictures")
    for copy in 0..<5 {
      for subject in ["balloons", "signs"] { try pictures.copy(sampleImages + "/" + subject, to: "\(copy)/\(subject)") }
    }
    whole = WholeRun(program: try Program(), location: pictures.path)
  }

  private func undisturbed() async throws -> (result: WholeRun.Result, seconds: Double) {
    let store = try TemporaryDirectory("store")
    return try await whole.timed(store.path)
  }

  /// The only collection's directory in a store.
  private func collection(_ store: String) throws -> String {
    let files = FileManager.default.enumerator(atPath: store)?.compactMap { $0 as? String } ?? []
    let catalogue = try #require(files.first { $0.hasSuffix("/catalogue.sqlite") })
    return store + "/" + (catalogue as NSString).deletingLastPathComponent
  }

  @Test(
    "a disk that fills up in the middle takes nothing from the map, and with room again the store is carried on",
    .enabled(if: LoopDisk.isPossible))
  func fullDisk() async throws {
    let (expected, seconds) = try await undisturbed()
    var random = SplitMix64(seed: 7)
    var carriedOn = 0
    for number in 0..<3 {
      // More than a gigabyte, which the store leaves free.
      let disk = try LoopDisk(megabytes: 1400)
      let store = disk.directory.file("store")
      let delay = Double.random(in: 0...seconds * 0.7, using: &random)
      async let full = whole.result(store)
      try await Task.sleep(for: .seconds(delay))
      try disk.fill()
      #expect(try await full.isSame(as: expected), "disk \(number)")
      #expect(try await whole.result(store).isSame(as: expected), "disk \(number), still full")
      try disk.free()
      let next = try await whole.result(store)
      #expect(next.isSame(as: expected) && next.notes == [], "disk \(number): \(next.notes)")
      if next.fetched < Self.images { carriedOn += 1 }
      let known = try await whole.result(store)
      #expect(known.isSame(as: expected) && known.fetched == 0, "disk \(number)")
    }
    #expect(carriedOn > 0, "nothing was ever kept")
  }

  @Test(
    "after the power has failed at any moment, the next run ends with the bytes of an undisturbed one",
    .enabled(if: LoopDisk.isPossible))
  func powerFailure() async throws {
    let (expected, seconds) = try await undisturbed()
    var random = SplitMix64(seed: 8)
    var carriedOn = 0
    for number in 0..<4 {
      let disk = try LoopDisk(megabytes: 1400)
      let child = try whole.start(disk.directory.file("store"))
      let delay = Double.random(in: seconds * 0.3...seconds * 1.1, using: &random)
      try await Task.sleep(for: .seconds(delay))
      child.send(signal: SIGSTOP)
      let left = try disk.afterPowerFailure()
      child.send(signal: SIGKILL)
      _ = try await child.waitUntilExit(within: 240)
      let next = try await whole.result(left.directory.file("store"))
      #expect(next.isSame(as: expected), "failure \(number) after \(delay) s")
      if next.fetched < Self.images { carriedOn += 1 }
    }
    #expect(carriedOn > 0, "nothing was ever kept")
  }

  /// What another version of the program might have left in the place of ours.
  private static let versions: [String: @Sendable (String) async throws -> Void] = [
    "catalogue": { directory in
      let statement = "UPDATE meta SET value = '9' WHERE name = 'format'"
      let script = """
        import sqlite3, sys
        connection = sqlite3.connect(sys.argv[1] + "/catalogue.sqlite")
        connection.execute(sys.argv[2])
        connection.commit()
        """
      _ = try await run("python3", ["-c", script, directory, statement], checked: true)
    },
    "snapshot": { directory in
      try rewrite(directory + "/catalogue.snapshot", "S3toTSNE catalogue 2", "S3toTSNE catalogue 9")
    },
    "atlas": { directory in try rewrite(directory + "/thumbnails/index.bin", "atlas, version 2", "atlas, version 9") },
  ]

  private static func rewrite(_ path: String, _ old: String, _ new: String) throws {
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    let range = try #require(bytes.firstRange(of: Array(old.utf8)))
    bytes.replaceSubrange(range, with: Array(new.utf8))
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  @Test(
    "a store of another version, in whole or in part, changes nothing of what comes out",
    arguments: [
      ["catalogue"], ["snapshot"], ["atlas"], ["catalogue", "snapshot"], ["atlas", "catalogue", "snapshot"],
    ])
  func versions(parts: [String]) async throws {
    let store = try TemporaryDirectory("store")
    let expected = try await whole.result(store.path)
    let directory = try collection(store.path)
    for part in parts { try await Self.versions[part]?(directory) }
    let next = try await whole.result(store.path)
    #expect(next.isSame(as: expected), "\(parts)")
    // Of what is known of the images one copy suffices.
    #expect(next.fetched == (parts.contains("catalogue") && parts.contains("snapshot") ? Self.images : 0), "\(parts)")
    let again = try await whole.result(store.path)
    #expect(again.isSame(as: expected) && again.fetched == 0 && again.notes == [], "\(again.notes)")
  }

  @Test(
    "a store that is half full and can only be read gives what it has, and stays as it is", .enabled(if: geteuid() == 0)
  )
  func readOnly() async throws {
    let (expected, seconds) = try await undisturbed()
    let store = try TemporaryDirectory("store")
    let child = try whole.start(store.path)
    try await Task.sleep(for: .seconds(seconds * 0.6))
    child.send(signal: SIGKILL)
    _ = try await child.waitUntilExit(within: 240)
    // The superuser is stopped by the file system alone.
    try #require(mount(store.path, store.path, nil, UInt(MS_BIND), nil) == 0)
    do {
      defer { umount2(store.path, Int32(MNT_DETACH)) }
      try #require(mount(nil, store.path, nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil) == 0)
      let next = try await whole.result(store.path)
      #expect(next.isSame(as: expected))
      #expect(next.notes.count { $0.contains("cannot be written") } == 1, "\(next.notes)")
    }
    let last = try await whole.result(store.path)
    #expect(last.isSame(as: expected) && last.notes == [])
  }

  /// Moves the clock of the programs that it is loaded into.
  private static let shim = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <stdlib.h>
    #include <sys/time.h>
    #include <time.h>

    static long shift(void) {
      const char *text = getenv("CLOCK_SHIFT");
      return text ? atol(text) : 0;
    }
    int clock_gettime(clockid_t clock, struct timespec *time) {
      int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
      int result = real(clock, time);
      if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += shift();
      return result;
    }
    int gettimeofday(struct timeval *restrict time, void *restrict zone) {
      struct timespec now;
      int result = clock_gettime(CLOCK_REALTIME, &now);
      time->tv_sec = now.tv_sec;
      time->tv_usec = now.tv_nsec / 1000;
      return result;
    }
    time_t time(time_t *result) {
      struct timespec now;
      clock_gettime(CLOCK_REALTIME, &now);
      if (result) *result = now.tv_sec;
      return now.tv_sec;
    }
    """

  @Test("a clock that was set back by a year changes nothing of what comes out, nor what is used next")
  func clockSetBack() async throws {
    let (expected, seconds) = try await undisturbed()
    let library = try TemporaryDirectory("clock")
    let source = try library.write(Array(Self.shim.utf8), to: "clock.c")
    _ = try await run(
      "clang", ["-shared", "-fPIC", "-O1", "-o", library.file("clock.so"), source, "-ldl"], checked: true)
    let future = ["LD_PRELOAD": library.file("clock.so"), "CLOCK_SHIFT": "31536000"]
    for part in [0.5, 2] {
      let store = try TemporaryDirectory("store")
      let child = try whole.start(store.path, environment: future)
      let end = ContinuousClock.now + .seconds(seconds * part)
      while child.isRunning, .now < end { try await Task.sleep(for: .milliseconds(20)) }
      child.send(signal: SIGKILL)
      _ = try await child.waitUntilExit(within: 240)
      let list = try await whole.program("cache", "list", "--cache-dir", store.path).outputText
      let year = Calendar.current.component(.year, from: Date().addingTimeInterval(31_536_000))
      #expect(list.contains("\(year)"), "the clock was never ahead: \(list)")
      let next = try await whole.result(store.path)
      #expect(next.isSame(as: expected), "\(part)")
      let again = try await whole.result(store.path)
      #expect(again.isSame(as: expected) && again.fetched == 0 && again.notes == [])
    }
  }
}
