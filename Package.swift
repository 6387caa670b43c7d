// swift-tools-version:6.1
import PackageDescription

let room: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// A C library of the system, found by pkg-config: a module map and a shim header, nothing else.
func system(_ name: String, _ pkgConfig: String, apt package: String) -> Target {
  .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let package = Package(
  name: "S3toTSNE",
  products: [
    .executable(name: "s3totsne", targets: ["s3totsne"]),
    .executable(name: "s3totsne-bench", targets: ["s3totsne-bench"]),
    .library(name: "TSNE", targets: ["TSNE", "Neighbors"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    // The system's C libraries.
    system("CX11", "xi xrandr xext xcursor xrender x11", apt: "libx11-dev"),
    system("CCairo", "cairo", apt: "libcairo2-dev"),
    system("CPango", "pangocairo", apt: "libpango1.0-dev"),
    system("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
    system("COpenSSL", "openssl", apt: "libssl-dev"),
    system("CVips", "vips", apt: "libvips-dev"),
    system("CExif", "libexif", apt: "libexif-dev"),
    system("CWebP", "libwebp libwebpdemux", apt: "libwebp-dev"),

    // C of our own: what Swift cannot call, and leaf loops chosen by instruction set.
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .target(name: "CPNG", linkerSettings: [.linkedLibrary("png")]),
    .target(name: "CKernels", linkerSettings: [.linkedLibrary("m")]),
    .target(name: "CFlight"),

    // Ground.
    .target(name: "Geometry", swiftSettings: room),
    .target(name: "Atlas", swiftSettings: room),
    .target(name: "Arrangements", swiftSettings: room),
    .target(name: "Numerics", dependencies: ["CKernels"], swiftSettings: room),
    .target(name: "NPY", dependencies: ["Numerics"], swiftSettings: room),

    // Data.
    .target(name: "ObjectStorage", dependencies: ["CCurl", "COpenSSL"], swiftSettings: room),
    .target(name: "Imaging", dependencies: ["CJPEG", "CPNG", "CWebP", "CVips", "CExif"], swiftSettings: room),
    .target(name: "Features", dependencies: ["Imaging"], swiftSettings: room),
    .target(name: "Neighbors", dependencies: ["Numerics"], swiftSettings: room),
    .target(name: "TSNE", dependencies: ["Neighbors", "Numerics"], swiftSettings: room),
    .target(
      name: "Collection",
      dependencies: [
        "ObjectStorage", "Imaging", "Features", "Atlas", "NPY", .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: room),

    .target(
      name: "Replica", dependencies: ["Collection", "ObjectStorage", "Imaging", "Features", "Atlas", "NPY"],
      swiftSettings: room),

    // Job.
    .target(
      name: "Mapping",
      dependencies: [
        "Collection", "Replica", "ObjectStorage", "Imaging", "Features", "Neighbors", "TSNE", "Numerics", "Atlas",
        "NPY",
      ],
      swiftSettings: room),

    // Screen.
    .target(name: "Drawing", dependencies: ["Geometry", "CCairo", "CPango"], swiftSettings: room),
    .target(name: "Scene", dependencies: ["Arrangements", "Geometry"], swiftSettings: room),
    .target(
      name: "Rendering", dependencies: ["Scene", "Geometry", "Atlas", "Drawing", "CFlight"], swiftSettings: room),
    .target(name: "X11", dependencies: ["CX11", "Geometry"], swiftSettings: room),
    .target(name: "Controls", dependencies: ["X11", "Drawing", "Geometry"], swiftSettings: room),
    .target(
      name: "Export",
      dependencies: [
        "Rendering", "Scene", "Arrangements", "Drawing", "Geometry", "Mapping", "Collection", "ObjectStorage",
        "Imaging", "Features",
        "Neighbors", "TSNE", "Atlas",
      ],
      swiftSettings: room),
    .target(
      name: "Viewer",
      dependencies: [
        "Controls", "X11", "Drawing", "Scene", "Arrangements", "Rendering", "Export", "Geometry", "Mapping",
        "Collection", "ObjectStorage", "Imaging", "Neighbors", "TSNE", "Numerics", "Atlas",
      ],
      swiftSettings: room),

    // Programs.
    .executableTarget(
      name: "s3totsne",
      dependencies: [
        "Viewer", "Export", "Scene", "Arrangements", "Mapping", "Collection", "Replica", "ObjectStorage", "Imaging",
        "Features", "Neighbors", "TSNE", "Numerics", "NPY",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: room),
    .executableTarget(
      name: "s3totsne-bench",
      dependencies: [
        "Viewer", "X11", "Mapping", "Collection", "ObjectStorage", "Imaging", "Neighbors", "TSNE", "Numerics", "NPY",
        "Scene", "Arrangements", "Rendering", "Geometry", "Atlas",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: room),

    // Tests: one target a room, and what they share.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: room),
  ]
    + [
      "Geometry", "Atlas", "Arrangements", "Numerics", "NPY", "ObjectStorage", "Imaging", "Features", "Neighbors",
      "TSNE", "Collection", "Replica",
      "Mapping", "Drawing", "Scene", "Rendering", "X11", "Controls", "Export", "Viewer", "s3totsne",
    ].map { name in
      let more: [Target.Dependency] =
        switch name {
        case "Neighbors": ["Numerics"]
        case "TSNE": ["Neighbors", "Numerics"]
        case "NPY": ["Numerics"]
        case "Collection": ["ObjectStorage", "Imaging", "Features", "Atlas", "NPY"]
        case "Replica": ["Collection", "NPY", "ObjectStorage", "Imaging", "Features", "Atlas"]
        case "Mapping":
          ["Collection", "NPY", "Replica", "ObjectStorage", "Imaging", "Neighbors", "TSNE", "Numerics", "Atlas"]
        case "Features": ["Imaging"]
        case "Imaging": ["CWebP"]
        case "Scene": ["Arrangements", "Geometry"]
        case "Rendering": ["Scene", "Arrangements", "Geometry", "Atlas", "Drawing", "CFlight"]
        case "Drawing": ["Geometry"]
        case "X11": ["Geometry", "CX11"]
        case "Controls": ["Drawing", "Geometry", "X11"]
        case "Export":
          [
            "Mapping", "Collection", "ObjectStorage", "Rendering", "Scene", "Arrangements", "Geometry", "Atlas",
            "Drawing",
          ]
        case "Viewer":
          [
            "Mapping", "ObjectStorage", "Collection", "Scene", "s3totsne", "Imaging", "Rendering", "Geometry", "Atlas",
            "Neighbors", "TSNE", "Numerics",
          ]
        case "s3totsne":
          [
            "NPY", "TSNE", "Numerics", "s3totsne-bench",
            .product(name: "ArgumentParser", package: "swift-argument-parser"),
          ]
        default: []
        }
      return .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name), "TestSupport"] + more,
        exclude: ["NPY", "Neighbors"].contains(name) ? ["Fixtures"] : [], swiftSettings: room)
    },
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu17
)
