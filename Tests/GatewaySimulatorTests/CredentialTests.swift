// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Testing
import Transport

@testable import GatewaySimulator

@Suite struct CredentialTests {
  private func simulator(_ configuration: GatewaySimulatorConfiguration) async throws
    -> (GatewaySimulator, EventLoop)
  {
    let start = Timestamp(realtime: 1_777_552_110_000_000_000, monotonic: 1, boot: 1)
    let loop = try EventLoop(virtual: start, advance: .onDemand)
    let listener = MemoryNetwork().listen(host: "gateway", port: 5000, on: loop)
    return (try await GatewaySimulator.start(configuration, listener: listener, loop: loop), loop)
  }

  private func mode(_ path: String) -> mode_t {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test func onlyTheOwnerReadsTheKeys() async throws {
    var configuration = GatewaySimulatorConfiguration()
    configuration.speaksOAuth = true
    let (simulator, loop) = try await simulator(configuration)
    let folder = "/tmp/credentials-\(UInt64.random(in: 0 ... .max))"
    let secrets = ["private_encryption.pem", "private_signature.pem", "ibind.env"]
    defer {
      for name in secrets + ["ca.pem"] { unlink("\(folder)/\(name)") }
      rmdir(folder)
    }
    #expect(simulator.user != nil)
    try simulator.writeCredentials(to: folder)
    #expect(mode(folder) == 0o700)
    // Files that are there already get the right mode, too.
    for name in secrets { chmod("\(folder)/\(name)", 0o644) }
    try simulator.writeCredentials(to: folder)
    for name in secrets { #expect(mode("\(folder)/\(name)") == 0o600, "\(name)") }
    #expect(mode("\(folder)/ca.pem") == 0o644)
    try await simulator.stop()
    loop.stop()
  }

  @Test func refusesWhatItCannotDo() async throws {
    let (gateway, loop) = try await simulator(GatewaySimulatorConfiguration())
    #expect(throws: GatewaySimulatorError.self) { try gateway.writeCredentials(to: "/tmp") }
    try await gateway.stop()
    loop.stop()
    var configuration = GatewaySimulatorConfiguration()
    configuration.speaksOAuth = true
    let (server, other) = try await simulator(configuration)
    let error = #expect(throws: GatewaySimulatorError.self) {
      try server.writeCredentials(to: "/nowhere/keys")
    }
    #expect(error?.code == .credentials)
    #expect(error?.description.contains("/nowhere/keys") == true)
    try await server.stop()
    other.stop()
  }
}
