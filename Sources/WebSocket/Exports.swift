// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// The types that a connection speaks in, such as `MessageBatch`, `CloseCode` and `Limits`, come with
// `import WebSocket`.
@_exported public import WebSocketProtocol
