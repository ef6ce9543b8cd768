// swift-tools-version: 6.2
import PackageDescription

// Every target is compiled with all of Swift 6, and with the upcoming features that change how
// code reads:
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0335-existential-any.md
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0444-member-import-visibility.md
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0409-access-level-on-imports.md
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0461-async-function-isolation.md
// https://github.com/swiftlang/swift-evolution/blob/main/proposals/0470-isolated-conformances.md
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
]

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let serviceLifecycle = Target.Dependency.product(
  name: "ServiceLifecycle",
  package: "swift-service-lifecycle",
  condition: .when(traits: ["ServiceLifecycle"])
)

// The architecture: a target may import what stands in its list and nothing else. Arrows go down
// only; the README draws them.
let package = Package(
  name: "ibkr-stream",
  products: [
    .library(name: "IBKR", targets: ["IBKR"]),
    .library(name: "Recording", targets: ["Recording"]),
    .library(name: "Monitoring", targets: ["Monitoring"]),
    .library(name: "WebSocket", targets: ["WebSocket"]),
    .library(name: "GatewaySimulator", targets: ["GatewaySimulator"]),
    .executable(name: "ibkr", targets: ["ibkr"]),
    .executable(name: "websocket-conformance", targets: ["websocket-conformance"]),
  ],
  traits: [
    .trait(name: "ServiceLifecycle", description: "A stream as a service of a ServiceGroup."),
    .trait(name: "SQLite", description: "`ibkr export --to sqlite`, over libsqlite3."),
    .trait(name: "Zstd", description: "Sealed parts as Zstandard, over libzstd."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    // Fetched with the trait of this name only.
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // C: module maps over the system's headers, macros wrapped as static inline functions.
    .systemLibrary(name: "CLinux"),
    .systemLibrary(
      name: "COpenSSL",
      pkgConfig: "openssl",
      providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
    ),
    .systemLibrary(
      name: "CZlib",
      pkgConfig: "zlib",
      providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
    ),
    // Linked with the traits of these names only.
    .systemLibrary(
      name: "CSQLite",
      pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite"])]
    ),
    .systemLibrary(
      name: "CZstd",
      pkgConfig: "libzstd",
      providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]
    ),

    // No I/O and no clock.
    .target(name: "Flow"),
    .target(name: "JSON"),
    .target(name: "Crypto", dependencies: ["COpenSSL"]),
    .target(name: "HTTP1", dependencies: ["CZlib"]),
    .target(name: "WebSocketProtocol", dependencies: ["HTTP1", "Crypto", "CZlib"]),
    .target(name: "OAuth1a", dependencies: ["Crypto"]),

    // Sockets.
    .target(name: "Transport", dependencies: ["Flow", "CLinux", "COpenSSL"]),
    .target(name: "HTTPTunnel", dependencies: ["HTTP1", "Transport", "Crypto"]),
    .target(name: "HTTPClient", dependencies: ["HTTPTunnel", "HTTP1", "Transport"]),
    .target(name: "HTTPServer", dependencies: ["HTTP1", "Transport"]),
    .target(
      name: "WebSocket",
      dependencies: ["WebSocketProtocol", "HTTPTunnel", "HTTP1", "Transport", "Flow"]
    ),

    // The Interactive Brokers Web API.
    .target(
      name: "IBKR",
      dependencies: [
        "WebSocket", "HTTPClient", "HTTPTunnel", "HTTP1", "Transport", "OAuth1a", "JSON", "Flow",
        logging, serviceLifecycle,
      ]
    ),
    .target(
      name: "Recording",
      dependencies: [
        "IBKR", "Transport", "Flow", "JSON", "Crypto", "CZlib",
        .target(name: "CSQLite", condition: .when(traits: ["SQLite"])),
        .target(name: "CZstd", condition: .when(traits: ["Zstd"])),
      ]
    ),
    .target(
      name: "GatewaySimulator",
      dependencies: [
        "WebSocket", "HTTPServer", "HTTP1", "Transport", "OAuth1a", "JSON", "Crypto", "Flow",
        logging,
      ]
    ),
    .target(
      name: "Monitoring",
      dependencies: [
        "IBKR", "Recording", "HTTPServer", "HTTP1", "Transport", "JSON", "Flow",
      ]
    ),

    .executableTarget(
      name: "ibkr",
      dependencies: [
        "IBKR", "Recording", "Monitoring", "GatewaySimulator", "HTTPClient", "HTTPTunnel", "HTTP1",
        "Transport", "JSON", "Flow", argumentParser, logging,
      ]
    ),
    .executableTarget(
      name: "websocket-conformance",
      dependencies: ["WebSocket", "Transport", "HTTP1", "JSON", argumentParser]
    ),

    // The README's example, for people to copy.
    .executableTarget(name: "bot", dependencies: ["IBKR"]),
    // A measuring program of ours, which nobody needs to install.
    .executableTarget(
      name: "slow-subscriber",
      dependencies: ["IBKR", "Transport", "JSON", argumentParser]
    ),
    // Likewise, for scripts/bench.
    .executableTarget(
      name: "bot-speed",
      dependencies: ["IBKR", "JSON", argumentParser]
    ),
    // Likewise, for scripts/instructions: no network, the same messages every time.
    .executableTarget(
      name: "hot-path",
      dependencies: [
        "IBKR", "Recording", "WebSocket", "WebSocketProtocol", "Transport", argumentParser,
      ]
    ),
    // Not a product: the client against the simulator, for scripts/scenarios.
    .executableTarget(
      name: "scenarios",
      dependencies: [
        "IBKR", "GatewaySimulator", "OAuth1a", "Transport", "JSON", "Flow", "CLinux",
        argumentParser,
        logging,
      ]
    ),

    // Not a product: a long recording on virtual time, for scripts/day.
    .executableTarget(
      name: "day",
      dependencies: [
        "IBKR", "Recording", "GatewaySimulator", "Transport", "Flow", argumentParser, logging,
      ]
    ),

    .testTarget(name: "FlowTests", dependencies: ["Flow"]),
    .testTarget(name: "JSONTests", dependencies: ["JSON"]),
    .testTarget(name: "CryptoTests", dependencies: ["Crypto"]),
    .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1", "CZlib"]),
    .testTarget(name: "WebSocketProtocolTests", dependencies: ["WebSocketProtocol", "HTTP1"]),
    .testTarget(name: "OAuth1aTests", dependencies: ["OAuth1a", "Crypto", "JSON"]),
    .testTarget(name: "TransportTests", dependencies: ["Transport", "Crypto"]),
    .testTarget(
      name: "HTTPTunnelTests",
      dependencies: ["HTTPTunnel", "HTTP1", "Transport", "Flow"]
    ),
    .testTarget(
      name: "HTTPClientTests",
      dependencies: ["HTTPClient", "HTTPTunnel", "HTTP1", "Transport", "Flow", "Crypto"]
    ),
    .testTarget(name: "WebSocketTests", dependencies: ["WebSocket"]),
    .testTarget(
      name: "IBKRTests",
      dependencies: ["IBKR", "GatewaySimulator", "bot", logging, serviceLifecycle]
    ),
    .testTarget(
      name: "MonitoringTests",
      dependencies: [
        "Monitoring", "GatewaySimulator", "HTTPClient", "HTTP1", "Transport", "JSON", "Flow",
      ]
    ),
    .testTarget(name: "RecordingTests", dependencies: ["Recording", "GatewaySimulator", logging]),
    .testTarget(
      name: "GatewaySimulatorTests",
      dependencies: [
        "GatewaySimulator", "WebSocket", "HTTPClient", "HTTP1", "Transport", "OAuth1a", "JSON",
        "Crypto", "Flow",
      ]
    ),
    .testTarget(
      name: "ScenarioTests",
      dependencies: ["scenarios", "IBKR", "GatewaySimulator"]
    ),
    .testTarget(
      name: "CommandTests",
      dependencies: ["ibkr", "GatewaySimulator", argumentParser, logging]
    ),
  ]
)

for target in package.targets where target.type != .system {
  target.swiftSettings = (target.swiftSettings ?? []) + strict
}
