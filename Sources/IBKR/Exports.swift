// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

// Everything that the API of the clients names comes with `import IBKR`: secrets, loops, trust,
// proxies and timestamps.
@_exported public import Flow
@_exported public import HTTPTunnel
@_exported public import OAuth1a
@_exported public import Transport
