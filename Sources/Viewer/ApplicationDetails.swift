import Collection
import Controls
import Geometry
import Imaging
import ObjectStorage
import Scene

// What is said about the picture at full size, and how several are shown.
extension Application {
  /// Whether the details are on the screen.
  var showsDetails: Bool { details.isShown && map.scene.opened != nil && mapArea.width > style.px(240) }

  /// Shows the details beside the picture, or gives it their room.
  func toggleDetails() {
    details.isShown.toggle()
    placeDetails()
    updateStatus()
  }

  /// Puts the details where they belong.
  func placeDetails() {
    details.place(in: pictureArea, style: style)
    map.send(.aside(width: details.isShown && mapArea.width > style.px(240) ? Int(details.frame.width) : 0))
    updateDetails()
    redrawMap()
  }

  /// Says what is known about the picture by now.
  func updateDetails() {
    guard showsDetails, let opened = map.scene.opened, let collection = jobs.collection,
      let entry = collection.entry(opened.slot)
    else { return }
    let object = entry.object
    let original = map.fullSize.loaded(opened.slot)
    var rows = [DetailsPanel.Row(name: "", value: object.key.lastComponent)]
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { rows.append(DetailsPanel.Row(name: name, value: value)) }
    }
    let (width, height) = original.map { ($0.header.width, $0.header.height) } ?? (entry.width, entry.height)
    if width > 0 {
      let megapixels = Double(width * height) / 1e6
      let digits = megapixels < 10 ? 1 : 0
      add(
        "Pixels",
        Wording.dimensions(width: width, height: height)
          + (megapixels >= 0.1 ? " (\(Wording.number(megapixels, digits: digits)) megapixels)" : ""))
    }
    if let original, original.decodedSide < max(width, height) {
      add("Shown", "reduced to \(Wording.count(original.decodedSide)) pixels on its longer side")
    }
    add("Format", original?.header.format.rawValue.uppercased())
    add("Size", Wording.bytes(object.size))
    add("Last modified", object.modified.map(Wording.date))
    add("Storage class", object.storageClass)
    add("Address", collection.location.address(of: object.key))
    // What stands for one in a folder is of no use to anybody else.
    if !collection.location.isFolder { add("ETag", object.etag) }
    if let failure = map.fullSize.failure(opened.slot) {
      add("Not shown", failure.reason)
    } else if let original {
      rows.append(DetailsPanel.Row(name: "", value: original.metadata.isEmpty ? "No EXIF" : "EXIF"))
      for field in original.metadata { add(field.name, field.value) }
    } else {
      rows.append(DetailsPanel.Row(name: "", value: "Loading"))
    }
    details.rows = rows
  }

  /// Shows transparent pictures on another ground.
  func nextBackdrop() {
    map.backdrop = map.backdrop.next
    announcement = "Behind transparent pictures: \(map.backdrop.rawValue)"
    redrawMap()
    updateStatus()
  }
}
