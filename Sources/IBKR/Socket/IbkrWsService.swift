// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

#if ServiceLifecycle
  public import ServiceLifecycle

  /// A stream as a service of swift-service-lifecycle: in a `ServiceGroup` it runs until the group
  /// is asked to shut down gracefully, and then ends in good order.
  ///
  /// It exists with the package trait `ServiceLifecycle` only.
  public struct IbkrWsService: Service {
    private let stream: IbkrWsClient

    /// Makes a service of a stream that has not been run.
    ///
    /// - Parameter stream: The stream.
    public init(_ stream: IbkrWsClient) {
      self.stream = stream
    }

    /// Runs the stream until the group shuts down.
    ///
    /// - Throws: ``IbkrError`` if the first connection cannot be made.
    public func run() async throws {
      try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask {
          try await stream.run()
          return true
        }
        group.addTask {
          // Cancelled, when the stream has ended for another reason.
          do { try await gracefulShutdown() } catch { return false }
          await stream.stop()
          return false
        }
        while let hasEnded = try await group.next() {
          if hasEnded { group.cancelAll() }
        }
      }
    }
  }
#endif
