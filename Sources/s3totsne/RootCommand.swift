import ArgumentParser
import Mapping

/// The program: what it is called, and what it can be told to do.
struct RootCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "s3totsne",
    abstract: "Shows every image of an S3 bucket or a folder on a map where similar images lie together.",
    discussion: """
      A location is a bucket or a part of it (my-bucket/photos, s3://my-bucket/photos), a bucket of another server \
      (https://minio.example:9000/my-bucket/photos), or a folder (/data/photos, ./photos, ~/photos).

      EXAMPLES
        s3totsne
        s3totsne my-bucket/photos --perplexity 50
        s3totsne s3://my-bucket/photos --endpoint-url http://localhost:9000
        s3totsne ./photos --metric euclidean --theme light
        s3totsne map my-bucket/photos --picture map.png --layout layout.csv
        s3totsne embed features.npy layout.npy --metric euclidean
        s3totsne map public-bucket/plates --no-sign-request --json >report.json
        s3totsne check my-bucket/photos --profile work
        s3totsne cache list

      Credentials, regions and endpoints are found as the AWS command line finds them: options, environment \
      (AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL, ...), profiles with their roles, single sign-on and \
      credential processes, container and instance. “s3totsne check LOCATION” says what was found.

      EXIT CODES
        0 done, 1 failed, 2 wrong usage, 3 some images left out, 130 interrupted
      """,
    version: s3totsneVersion,
    subcommands: [
      ViewCommand.self, MapCommand.self, EmbedCommand.self, CheckCommand.self, CacheCommand.self, ReplicaCommand.self,
    ],
    defaultSubcommand: ViewCommand.self)
}
