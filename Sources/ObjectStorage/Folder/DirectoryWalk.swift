import Foundation

/// All regular files below a folder, in the byte order of their relative paths: the order in which S3 lists keys.
///
/// Directories are read one at a time, so the first files come before the last directory is known. Links to files are
/// files. A link to a directory is followed if it leads out of the folder and nothing it leads to was listed before; what
/// lies inside is listed at its own place. Pipes, sockets and devices are left out.
struct DirectoryWalk: ~Copyable {
  /// What a directory holds, told apart without opening it.
  private struct Entry {
    var name: [UInt8]
    var isDirectory: Bool
    var isLink: Bool
  }

  private final class Level {
    let directory: FileDescriptor
    /// The relative path with a slash at its end, or nothing.
    let path: [UInt8]
    var entries: [Entry]
    var next = 0

    init(directory: consuming FileDescriptor, path: [UInt8], entries: [Entry]) {
      self.directory = directory
      self.path = path
      self.entries = entries
    }
  }

  /// Each level keeps a descriptor open; 1,024 is a usual limit for all of a process.
  static let maximumDepth = 128

  private let root: [UInt8]
  private var levels: [Level] = []
  private var visited: Set<FileIdentity> = []
  /// Sub-folders and files that could not be read.
  private(set) var problems: [ListingProblem] = []
  /// Directories read until now.
  private(set) var directoryCount = 0

  /// - Parameter root: The real path of the folder.
  init(root: [UInt8]) throws(SystemFailure) {
    self.root = root
    let directory = try FileDescriptor(root, flags: O_RDONLY | O_DIRECTORY)
    visited.insert(try FileStatus(of: directory.number).identity)
    let entries = try Self.read(directory.number)
    levels = [Level(directory: directory, path: [], entries: entries)]
    directoryCount = 1
  }

  /// The next file; nil at the end.
  mutating func next() -> StoredObject? {
    while let level = levels.last {
      guard level.next < level.entries.count else {
        levels.removeLast()
        continue
      }
      let entry = level.entries[level.next]
      level.next += 1
      let path = level.path + entry.name
      if entry.isDirectory {
        descend(into: entry, at: path, below: level)
        continue
      }
      do {
        let status = try FileStatus(entry.name, in: level.directory.number)
        guard status.isRegularFile else { continue }
        return StoredObject(
          key: ObjectKey(bytes: path), size: status.size, etag: status.tag, modified: status.modified)
      } catch {
        note(error, at: path, isLink: entry.isLink)
      }
    }
    return nil
  }

  private mutating func descend(into entry: Entry, at path: [UInt8], below level: Level) {
    guard levels.count < Self.maximumDepth else {
      problems.append(
        ListingProblem(key: ObjectKey(bytes: path), reason: "Folders lie more than \(Self.maximumDepth) deep here."))
      return
    }
    do {
      let follow = entry.isLink ? 0 : O_NOFOLLOW
      let directory = try FileDescriptor(
        entry.name, in: level.directory.number, flags: O_RDONLY | O_DIRECTORY | follow)
      if entry.isLink, leadsInside(directory.number) { return }
      guard visited.insert(try FileStatus(of: directory.number).identity).inserted else { return }
      let entries = try Self.read(directory.number)
      directoryCount += 1
      levels.append(Level(directory: directory, path: path + [UInt8(ascii: "/")], entries: entries))
    } catch {
      note(error, at: path, isLink: entry.isLink)
    }
  }

  private mutating func note(_ failure: SystemFailure, at path: [UInt8], isLink: Bool) {
    let isGone = failure.code == ENOENT || failure.code == ENOTDIR
    // A file removed since its directory was read is no problem; a link to nothing stays one.
    if isGone, !isLink { return }
    let reason =
      isGone
      ? "The link leads to nothing." : failure.code == ELOOP ? "The link leads back to itself." : failure.reason + "."
    problems.append(ListingProblem(key: ObjectKey(bytes: path), reason: reason))
  }

  /// Whether the directory that a link leads to lies in the folder, and so is listed there.
  private func leadsInside(_ directory: CInt) -> Bool {
    guard let real = realPath(Array("/proc/self/fd/\(directory)".utf8)) else { return false }
    let start = root.last == UInt8(ascii: "/") ? root : root + [UInt8(ascii: "/")]
    return real == root || real.starts(with: start)
  }

  /// The directory's entries as S3 would sort them: a directory's name counts with the slash behind it.
  private static func read(_ directory: CInt) throws(SystemFailure) -> [Entry] {
    let copy = try SystemFailure.retrying { fcntl(directory, F_DUPFD_CLOEXEC, 0) }
    guard let stream = fdopendir(copy) else {
      let failure = SystemFailure(code: errno)
      close(copy)
      throw failure
    }
    defer { closedir(stream) }
    var entries: [Entry] = []
    errno = 0
    while let found = readdir(stream) {
      let name = withUnsafePointer(to: &found.pointee.d_name) { pointer in
        let start = UnsafeRawPointer(pointer)
        return [UInt8](UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
      }
      let kind = Int(found.pointee.d_type)
      if name != Array(".".utf8), name != Array("..".utf8) {
        switch kind {
        case Int(DT_REG): entries.append(Entry(name: name, isDirectory: false, isLink: false))
        case Int(DT_DIR): entries.append(Entry(name: name, isDirectory: true, isLink: false))
        case Int(DT_LNK), Int(DT_UNKNOWN):
          let leadsToDirectory = (try? FileStatus(name, in: directory).isDirectory) ?? false
          entries.append(Entry(name: name, isDirectory: leadsToDirectory, isLink: kind == Int(DT_LNK)))
        default: break
        }
      }
      errno = 0
    }
    if errno != 0 { throw SystemFailure(code: errno) }
    for index in entries.indices where entries[index].isDirectory { entries[index].name.append(UInt8(ascii: "/")) }
    entries.sort { $0.name.lexicographicallyPrecedes($1.name) }
    for index in entries.indices where entries[index].isDirectory { entries[index].name.removeLast() }
    return entries
  }
}

/// The path without links, `.` and `..`; nil if it does not exist.
func realPath(_ path: [UInt8]) -> [UInt8]? {
  guard let resolved = path.withCString({ realpath($0, nil) }) else { return nil }
  defer { free(resolved) }
  return [UInt8](UnsafeRawBufferPointer(start: resolved, count: strlen(resolved)))
}
