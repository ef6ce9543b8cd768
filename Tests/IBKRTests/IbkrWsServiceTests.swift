// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

#if ServiceLifecycle
  import GatewaySimulator
  import IBKR
  import Logging
  import ServiceLifecycle
  import Testing

  @Suite(.timeLimit(.minutes(5))) struct IbkrWsServiceTests {
    @Test func aServiceGroupEndsTheStreamInGoodOrder() async throws {
      let simulator = try await GatewaySimulator.start()
      var address = IbkrConfiguration()
      address.restURL = simulator.url
      address.trust = .authorities(pem: simulator.caPEM)
      let client = try IbkrClient(configuration: address)
      let stream = IbkrWsClient(ibkrClient: client)
      let diary = Diary(on: client.loop, overflow: .backpressure)
      stream.attach(diary)
      let key = try await stream.want(.marketData(conid: 265598))
      let group = ServiceGroup(
        services: [IbkrWsService(stream)],
        logger: Logger(label: "test")
      )
      let running = Task { try await group.run() }
      for await state in stream.states(of: key) where state == .active { break }
      await group.triggerGracefulShutdown()
      try await running.value
      #expect(await diary.commands.last == "umd+265598+{}")
      #expect(await diary.lifecycle.last == "closed")
      #expect(await diary.calls == ["flush", "close"])
      await client.close()
      try await simulator.stop()
    }

    @Test func aStreamThatEndsByItselfEndsTheService() async throws {
      let simulator = try await GatewaySimulator.start()
      var address = IbkrConfiguration()
      address.restURL = simulator.url
      address.trust = .authorities(pem: simulator.caPEM)
      let client = try IbkrClient(configuration: address)
      let stream = IbkrWsClient(ibkrClient: client)
      let running = Task { try await IbkrWsService(stream).run() }
      for await state in stream.connectionStates where state == .ready { break }
      await stream.stop()
      try await running.value
      await client.close()
      try await simulator.stop()
    }
  }
#endif
