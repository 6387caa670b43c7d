/// Why an NPY file cannot be used. The description is the second half of a sentence that begins with the file's name, as
/// "features.npy cannot be read: " and then the description.
public enum NPYError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The system refused.
  case system(String)
  /// The first bytes are not those of the format.
  case notNPY
  /// A version of the format that does not exist yet.
  case unknownVersion(Int)
  /// The header claims to be longer than any of a plain array.
  case headerTooLong(Int)
  /// The file ends within its header.
  case headerCutOff
  /// The header is no description of an array.
  case malformedHeader(String)
  /// The elements are of a type that is no number.
  case unsupportedType(String)
  /// More elements than a computer's memory has addresses.
  case tooManyElements([Int])
  /// Not two-dimensional.
  case notAMatrix([Int])
  /// Fewer bytes than the header says.
  case cutOff(expected: Int, found: Int)
  /// More bytes than the header says.
  case trailingBytes(expected: Int)
  /// No rows.
  case noRows
  /// Rows without columns.
  case noColumns(rows: Int)
  /// A value that no layout can be computed from. Row and column count from 0.
  case notFinite(row: Int, column: Int, value: String)

  /// What is wrong and what to do about it.
  public var description: String {
    switch self {
    case .system(let reason): reason + "."
    case .notNPY: "it does not begin as an NPY file does. Write it with numpy.save(file, matrix)."
    case .unknownVersion(let major):
      "it is of version \(major) of the NPY format; versions 1, 2 and 3 are known. Write it with numpy.save."
    case .headerTooLong(let length):
      "its header claims \(length) bytes; that of a plain matrix has about 100. It is damaged, or holds records."
    case .headerCutOff: "it ends within its header. It is damaged or was not written to its end."
    case .malformedHeader(let what): "its header is damaged: \(what)."
    case .unsupportedType(let type):
      "its elements are \(type), which are no plain numbers. Convert the matrix with matrix.astype(numpy.float32)."
    case .tooManyElements(let shape):
      "its shape \(Self.text(shape)) is larger than any memory. The header is damaged."
    case .notAMatrix(let shape):
      "its shape is \(Self.text(shape)), \(shape.count)-dimensional; a matrix is needed, a row an object and a column a "
        + "feature" + (shape.count > 2 ? ". Flatten it with matrix.reshape(len(matrix), -1)." : ".")
    case .cutOff(let expected, let found):
      "it ends after \(found) of the \(expected) bytes that its header announces. It was not written or copied to its end."
    case .trailingBytes(let expected):
      "it goes on after the \(expected) bytes that its header announces. One matrix a file is expected."
    case .noRows: "it has no rows, so there is nothing to lay out."
    case .noColumns(let rows): "its \(rows) rows have no columns. Each row needs at least one number."
    case .notFinite(let row, let column, let value):
      "row \(row), column \(column) (counted from 0) holds \(value). Replace it by a finite number that fits 32 bits."
    }
  }

  private static func text(_ shape: [Int]) -> String {
    shape.count == 1 ? "(\(shape[0]),)" : "(" + shape.map(String.init).joined(separator: ", ") + ")"
  }
}
