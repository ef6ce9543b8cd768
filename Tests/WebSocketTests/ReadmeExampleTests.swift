// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Testing
import WebSocket

/// The README's example; scripts/lib/check-readme compares the two.
func greet(_ url: String) async throws {
  let loop = try EventLoop(name: "io")
  defer { loop.stop() }
  let socket = try await WebSocketConnection.connect(to: url, loop: loop)
  try await socket.send(text: "hello")
  for try await message in socket.messages {
    print(message.text)
  }
  await socket.close()
}

@Suite(.timeLimit(.minutes(5))) struct ReadmeExampleTests {
  @Test func `The example says where nobody listens`() async throws {
    let error = await #expect(throws: WebSocketError.self) {
      try await greet("ws://127.0.0.1:1/feed")
    }
    #expect(error?.code == .connect)
    #expect(error?.description.contains("127.0.0.1") == true)
  }
}
