/// Bytes to pixels.
public struct ImageDecoder: Sendable {
  public init(limits: DecodingLimits = DecodingLimits()) {}
}
