// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// Everything that the API of a connection names comes with `import WebSocket`: loops, trust, proxies
// and timestamps from the transport, batches, close codes and limits from the protocol.
@_exported public import Flow
@_exported public import HTTPTunnel
@_exported public import Transport
@_exported public import WebSocketProtocol
