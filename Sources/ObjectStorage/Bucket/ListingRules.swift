/// What keeps a listing finite, whatever the server sends.
struct ListingRules: Sendable {
  enum Violation: Error, Hashable {
    case endless(String)
    case tooMany(Int)
    case tooLarge
  }

  /// A collection holds no more.
  static let maximumObjects = 1 << 23
  /// A petabyte: no object of any server is larger.
  static let maximumSize: Int64 = 1 << 50
  /// All objects together: an exabyte. What is below can be added up without a second thought.
  static let maximumBytes: Int64 = 1 << 60
  /// So many pages without an object in a row are not believed.
  static let maximumEmptyPages = 1000
  /// So many pages that begin like an earlier one are not believed: where a listing was divided, few do.
  static let maximumRepetitions = 20

  private var count = 0
  private var bytes: Int64 = 0
  private var emptyPages = 0
  private var repetitions = 0
  /// Hashes of the first keys of pages.
  private var beginnings: Set<Int> = []

  mutating func check(_ page: ListingPage) throws(Violation) {
    guard page.entryCount > 0 else {
      emptyPages += 1
      if emptyPages >= Self.maximumEmptyPages { throw .endless("it goes on without objects") }
      return
    }
    emptyPages = 0
    count += page.objects.count
    if count > Self.maximumObjects { throw .tooMany(Self.maximumObjects) }
    for object in page.objects {
      bytes += object.size
      if bytes > Self.maximumBytes { throw .tooLarge }
    }
    guard page.commonPrefixes.isEmpty, let first = page.objects.first,
      !beginnings.insert(first.key.hashValue).inserted
    else { return }
    repetitions += 1
    if repetitions >= Self.maximumRepetitions { throw .endless("it repeats the same keys") }
  }
}
