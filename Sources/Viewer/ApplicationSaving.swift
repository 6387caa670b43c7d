import Collection
import Controls
import Drawing
import Export
import Foundation
import Geometry
import Mapping
import ObjectStorage
import Scene

/// Writing what the window shows to files, in the background.
@MainActor final class Saving {
  /// Pictures and lists are made one after another.
  let queue = DispatchQueue(label: "saving", qos: .userInitiated)
  /// The fetching of original files.
  var task: Task<Void, Never>?
  /// What is being done, as a sentence.
  var sentence: String?
  /// Why nothing comes in at present.
  var interruption: StorageInterruption?
  /// The path that was said to be there already: another Return replaces it.
  var toBeReplaced: String?
  /// The folder that was last written to.
  var folder: String?
}

/// Which images are to be written.
private enum SavedImages: Sendable {
  case selection(Selection)
  case everything

  /// Their slots; takes a moment where they are many.
  func slots(of collection: ImageCollection) -> [Int] {
    switch self {
    case .selection(let selection): selection.slots
    case .everything: collection.entries.filter { $0.state == .ready }.map(\.slot)
    }
  }
}

// Ctrl+S.
extension Application {
  /// Asks where the selection, or everything, is to be written to.
  func askWhereToSave() {
    guard let collection = jobs.collection, map.scene.imageCount > 0 else { return }
    let isSelection = !map.scene.selection.isEmpty
    let images = isSelection ? SavedImages.selection(map.scene.selection) : .everything
    let count = isSelection ? map.scene.selection.count : collection.counts.ready
    let folder = saving.folder ?? FileManager.default.currentDirectoryPath
    let name = location.map { Self.fileName(of: $0) } ?? "images"
    saving.toBeReplaced = nil
    prompt.ask(
      Prompt.Question(
        title: isSelection
          ? "Save \(Wording.count(count)) selected as" : "Save all \(Wording.count(count)) as",
        placeholder: SaveTarget.endings,
        text: (folder == "/" ? "" : folder) + "/" + name + (isSelection ? "-selection.txt" : "-map.png"),
        onChange: { [weak self] text in self?.prompt.answer = SaveTarget(text)?.words ?? "" },
        onAccept: { [weak self] text in self?.save(images, count, of: collection, to: text) }))
    prompt.answer = ".txt .csv .json .png .jpg .svg .pdf or folder/"
  }

  private static func fileName(of location: Location) -> String {
    let parts = location.text.split(separator: "/").filter { !$0.contains(":") }
    return parts.last.map(String.init) ?? "images"
  }

  /// Begins to write; the sentence that says why not, if it cannot.
  private func save(_ images: SavedImages, _ count: Int, of collection: ImageCollection, to text: String) -> String? {
    guard let target = SaveTarget(text) else { return SaveTarget.endings }
    guard saving.task == nil else { return "Something is being saved already: stop that first, or wait." }
    if let path = target.path, FileManager.default.fileExists(atPath: path), saving.toBeReplaced != text {
      saving.toBeReplaced = text
      return "There is a file of this name. Press Return again to replace it."
    }
    if let path = target.path, let problem = Self.problem(withFolderOf: path) { return problem }
    switch target {
    case .list(let format, let path):
      let layout = jobs.latestLayout
      write(path, "\(Wording.count(count, "image")) listed") { file in
        try file.write(SelectionList(images.slots(of: collection), of: collection, layout: layout).encoded(format))
      }
    case .picture(let format, let path, let size):
      guard map.scene.placedCount > 0 else { return "There is no map yet." }
      let scene = map.scene
      let size = size ?? Self.pictureSize(for: scene.camera.viewport)
      let background = style.theme.canvas.argb
      write(path, "\(size.width) × \(size.height) pixels") { file in
        try MapPicture(scene, of: collection, size: size, background: background).write(format, to: file)
      }
    case .files(let folder): writeFiles(images, count, of: collection, in: folder)
    }
    return nil
  }

  /// Why no file can be written to a path, as far as its folder tells.
  private static func problem(withFolderOf path: String) -> String? {
    let folder = (path as NSString).deletingLastPathComponent
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue else {
      return "There is no folder \(folder). Make it first, or choose another one."
    }
    return FileManager.default.isWritableFile(atPath: folder)
      ? nil : "Nothing can be written to \(folder) with your rights. Choose another folder."
  }

  /// The shape of the window, with enough pixels for print.
  private static func pictureSize(for viewport: PixelRect) -> PictureSize {
    let longest = 3840.0
    let scale = longest / Double(max(1, viewport.width, viewport.height))
    return PictureSize(
      width: max(16, Int(Double(viewport.width) * scale)), height: max(16, Int(Double(viewport.height) * scale)))
  }

  /// Makes one file in the background and says how it went.
  private func write(_ path: String, _ facts: String, _ body: @escaping @Sendable (OutputFile) throws -> Void) {
    saving.folder = (path as NSString).deletingLastPathComponent
    say("Writing \(path)")
    saving.queue.async {
      let sentence: String
      do {
        try body(OutputFile(path: path))
        sentence = "\(path) is written: \(facts)"
      } catch {
        sentence = "\(error)"
      }
      DispatchQueue.main.async { MainActor.assumeIsolated { [weak self] in self?.saved(sentence) } }
    }
  }

  private func writeFiles(
    _ images: SavedImages, _ count: Int, of collection: ImageCollection, in folder: String
  ) {
    saving.folder = folder.hasSuffix("/") ? String(folder.dropLast()) : folder
    say("Saving 0 of \(Wording.count(count, "file"))")
    let watch = Task { [weak self] in
      while !Task.isCancelled {
        let interruption = collection.store.interruption
        if let self, interruption != nil || saving.interruption != nil {
          saving.interruption = interruption
          updateStatus()
        }
        try? await Task.sleep(for: .milliseconds(500))
      }
    }
    // Whoever waits for a picture on the screen goes first, and is told at once that it does not come; this waits.
    saving.task = Task(priority: .utility) { [weak self] in
      defer { watch.cancel() }
      let files = await withCheckedContinuation { (continuation: CheckedContinuation<OriginalFiles, Never>) in
        DispatchQueue.global(qos: .userInitiated).async {
          continuation.resume(returning: OriginalFiles(images.slots(of: collection), of: collection, in: folder))
        }
      }
      let outcome = await files.write { done in
        guard done % 16 == 0 || done == files.count || files.count < 64 else { return }
        DispatchQueue.main.async {
          MainActor.assumeIsolated { [weak self] in
            guard let self, saving.task != nil else { return }
            say("Saving \(Wording.count(done)) of \(Wording.count(files.count, "file")) to \(folder)")
          }
        }
      }
      guard let self else { return }
      let isStopped = saving.task?.isCancelled ?? true
      saving.task = nil
      saving.interruption = nil
      var sentence = "\(Wording.count(outcome.written, "file")) saved to \(folder)"
      if isStopped { sentence = "Stopped: " + sentence }
      if let first = outcome.failures.first {
        sentence += "; \(Wording.count(outcome.failures.count)) not, the first \(first.key): \(first.reason)"
      }
      saved(sentence)
    }
  }

  /// Ends the fetching of files; what is written stays.
  func stopSaving() { saving.task?.cancel() }

  private func say(_ sentence: String) {
    saving.sentence = sentence
    announcement = nil
    updateStatus()
  }

  private func saved(_ sentence: String) {
    saving.sentence = nil
    announcement = sentence
    updateStatus()
  }
}
