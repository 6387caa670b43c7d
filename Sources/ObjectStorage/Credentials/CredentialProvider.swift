import Dispatch

/// Where credentials come from once more when the server says that they have expired.
protocol CredentialProvider: Sendable {
  /// Other credentials than those; nil where there are none (yet). Asked once more a few times a minute as long as
  /// nothing else works.
  /// - Throws: `StorageError` that says better than the server what is wrong; `CancellationError`.
  func credentials(replacing expired: Credentials) async throws -> Credentials?
}

/// The lookup of a store's beginning, made again: another program may have written new keys into the profile's files.
struct ConfiguredCredentials: CredentialProvider {
  let options: StorageOptions
  let locationEndpoint: String?

  private static let files = DispatchQueue(label: "credentials", qos: .utility)

  func credentials(replacing expired: Credentials) async throws -> Credentials? {
    await withCheckedContinuation { continuation in
      Self.files.async {
        let found = try? StorageSettings(options, locationEndpoint: locationEndpoint).credentials
        continuation.resume(returning: found == expired ? nil : found)
      }
    }
  }
}
