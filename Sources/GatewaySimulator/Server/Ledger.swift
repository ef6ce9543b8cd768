// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import Transport

/// The file that says what was sent, written on a thread of its own: disks stall.
actor Ledger {
  private nonisolated let disk: EventLoop
  private nonisolated let path: String
  private let descriptor: Int32
  private var failure: GatewaySimulatorError?

  nonisolated var unownedExecutor: UnownedSerialExecutor { disk.asUnownedSerialExecutor() }

  /// Creates the file, or empties it.
  init(path: String) throws(GatewaySimulatorError) {
    do throws(TransportError) {
      disk = try EventLoop(name: "ledger")
    } catch {
      throw GatewaySimulatorError(.thread, "no thread for the ledger: \(error)")
    }
    descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      disk.stop()
      throw GatewaySimulatorError(
        .ledger,
        "the ledger \(path) cannot be written: \(String(cString: strerror(errno)))"
      )
    }
    self.path = path
  }

  /// Appends whole lines; after the first failure nothing is written any more.
  func append(_ lines: [UInt8]) {
    var rest = lines[...]
    while failure == nil, !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        failure = GatewaySimulatorError(
          .ledger,
          "the ledger \(path) is not complete: \(String(cString: strerror(errno)))"
        )
        return
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Closes the file and ends its thread.
  nonisolated func end() async throws(GatewaySimulatorError) {
    let failure = await close()
    disk.stop()
    if let failure { throw failure }
  }

  private func close() -> GatewaySimulatorError? {
    _ = Glibc.close(descriptor)
    return failure
  }
}
