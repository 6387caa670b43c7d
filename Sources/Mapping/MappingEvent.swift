public import Collection
public import Foundation
public import ObjectStorage

/// What a job reports. Slots are those of the collection that `opened` brought.
public enum MappingEvent: Sendable {
  /// The images can be asked for from now on. The first event of a job.
  case opened(ImageCollection)
  /// What the local store knew before the listing was renewed: every image that is to be shown, in the order of keys
  /// (also those not yet fetched; `ready` are the others, whose thumbnails are in the atlas), the layout that was last
  /// shown, and the view over it. Once, right after `opened`, when the collection was known.
  case known(slots: [Int], ready: [Int], layout: LayoutSnapshot?, viewState: Data?)
  /// Images found by the listing that were not in `known` or an earlier `listed`, in the order of keys. What is named
  /// like no image comes when its bytes have said that it is one, or never. `complete` in the last one.
  case listed(slots: [Int], complete: Bool)
  /// What is shown is a sample of this many images; nil where it is all of them. Whenever it is chosen anew.
  case sampled(MappingReport.Sample?)
  /// Images that are no longer there, were replaced, or turned out to be none.
  case removed(slots: [Int])
  /// Thumbnails that are now in the atlas. A slot is ready once, after it was listed.
  case ready(slots: [Int])
  /// Images that cannot be shown; the reason is in the entry's state.
  case leftOut(slots: [Int])
  /// The stage that the job has reached.
  case stage(MappingStage)
  /// How far it is.
  case progress(MappingProgress)
  /// The layout at one moment; at most 30 a second, the last one final.
  case layout(LayoutSnapshot)
  /// A sentence that the user should see; the job goes on.
  case note(String)
  /// Something that the user should decide.
  case question(MappingQuestion)
  /// The job is done. Nothing comes after it.
  case finished(MappingReport)
  /// The job cannot go on. Nothing comes after it; what was done is kept.
  case failed(MappingFailure)
  /// The job was cancelled and has let go of the store. Nothing comes after it; what was done is kept.
  case cancelled
}

/// The stages of a job, in their order.
public enum MappingStage: String, Codable, Sendable, CaseIterable {
  /// Objects are listed, and already fetched and decoded.
  case listing
  /// All objects are listed; some are still being fetched and decoded.
  case loading
  /// Each image's nearest ones are searched.
  case neighbours
  /// Distances become probabilities.
  case affinities
  /// t-SNE moves the images.
  case layout
}

/// How far a job is.
public struct MappingProgress: Sendable, Equatable {
  /// The stage the numbers are about.
  public var stage: MappingStage
  /// What is done of it: objects while listing and loading, iterations of the layout, 0 to 100 otherwise.
  public var completed: Int
  /// Out of how many; while listing, what is known so far.
  public var total: Int
  /// How much of it was there before this job.
  public var known = 0
  /// Images that can be shown.
  public var images: Int
  /// Images that cannot.
  public var leftOut: Int
  /// Objects that are no images.
  public var otherFiles: Int
  /// Bytes fetched by this job.
  public var bytes: Int64
  /// Bytes a second, smoothed over some seconds; 0 when nothing is being fetched.
  public var bytesPerSecond: Double
  /// Seconds until the end of this stage, as far as can be told.
  public var secondsLeft: Double?
  /// Why nothing comes in at present, and when the next try is; `MappingJob.tryNow()` makes it at once.
  public var interruption: StorageInterruption?

  /// 0 to 1 within the stage; nil while the total is unknown.
  public var fraction: Double? {
    stage == .listing || total == 0 ? nil : min(1, Double(completed) / Double(total))
  }
}

/// Why a job could not go on, for a person to read.
public struct MappingFailure: Error, Sendable, Equatable, CustomStringConvertible {
  /// What lies behind a failure, for what the window offers.
  public enum Kind: String, Sendable {
    /// The folder or bucket is not there.
    case notFound
    /// It is there, and may not be read; or the keys are wrong.
    case accessDenied
    /// No server answered, or no longer.
    case network
    /// There is nothing in it.
    case empty
    /// There is something in it, and none is an image that can be shown.
    case noImages
    /// The parameters, or the location, make no job.
    case invalidRequest
    /// Anything else.
    case other
  }

  /// What lies behind it.
  public var kind: Kind
  /// What happened, in one sentence.
  public var what: String
  /// Why, as far as is known; may be empty.
  public var why: String
  /// What can be done about it; may be empty.
  public var remedy: String

  /// The server's name of the request that failed, which `why` says too; nil where no server answered.
  public var requestID: String?

  /// A failure of `kind`.
  public init(kind: Kind, what: String, why: String = "", remedy: String = "", requestID: String? = nil) {
    self.kind = kind
    self.what = what
    self.why = why
    self.remedy = remedy
    self.requestID = requestID
  }

  /// The three sentences in one line.
  public var description: String {
    [what, why, remedy].filter { !$0.isEmpty }.joined(separator: " ")
  }
}
