// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Takes a body out of the bytes of a connection, whatever its framing and its content coding.
///
/// Limits are checked on what the peer declares before anything is kept, and on what it sends;
/// a compressed body is bounded twice, as it comes and as it unfolds.
package struct BodyDecoder: ~Copyable {
  private enum Progress {
    case length(remaining: Int)
    case chunked
    case untilClose(room: Int)
    case complete
  }

  private var progress: Progress
  // Beside the enumeration and not in it: taken out and put back at every piece, its line would
  // be copied at every piece.
  private var chunks: ChunkedDecoder
  private var inflater: Inflater?
  private var body: [UInt8] = []
  private let limit: Int

  /// The fields after the last chunk of a chunked body.
  package var trailers: HTTPFields { chunks.trailers }

  /// The decoder of a body that is not there.
  package init() {
    progress = .complete
    chunks = ChunkedDecoder(limits: HTTPLimits())
    limit = 0
  }

  /// - Parameters:
  ///   - framing: How the body ends.
  ///   - coding: How its content is compressed.
  ///   - limits: How large it may be.
  /// - Throws: `bodyTooLarge` if the declared length is over the limit.
  package init(
    framing: BodyFraming,
    coding: ContentCoding = .identity,
    limits: HTTPLimits = HTTPLimits()
  ) throws(HTTPError) {
    limit = limits.bodyBytes
    chunks = ChunkedDecoder(limits: limits)
    switch framing {
    case .none, .length(0): progress = .complete
    case .length(let length):
      guard length <= limits.bodyBytes else {
        throw HTTPError(.bodyTooLarge, "\(length) bytes declared, \(limits.bodyBytes) allowed")
      }
      progress = .length(remaining: length)
    case .chunked: progress = .chunked
    case .untilClose: progress = .untilClose(room: limits.bodyBytes)
    }
    if !isComplete, coding != .identity { inflater = Inflater(coding) }
  }

  /// Whether the body has ended.
  package var isComplete: Bool {
    if case .complete = progress { true } else { false }
  }

  /// Takes the next bytes.
  ///
  /// - Parameter bytes: What came, of any length.
  /// - Returns: How many of them belong to the body; fewer than all only if it is complete.
  /// - Throws: What is wrong with the body, or that it is too large.
  package mutating func decode(_ bytes: Span<UInt8>) throws(HTTPError) -> Int {
    switch progress {
    case .complete:
      return 0
    case .length(let remaining):
      let count = min(remaining, bytes.count)
      try take(bytes.extracting(first: count))
      progress = .length(remaining: remaining - count)
      if count == remaining { try complete() }
      return count
    case .untilClose(let room):
      guard bytes.count <= room else { throw HTTPError(.bodyTooLarge, "\(limit) bytes allowed") }
      try take(bytes)
      progress = .untilClose(room: room - bytes.count)
      return bytes.count
    case .chunked:
      var data: [UInt8] = []
      let count = try chunks.decode(bytes, into: &data)
      try take(data.span)
      if chunks.isComplete { try complete() }
      return count
    }
  }

  /// Says that the connection has ended.
  ///
  /// - Throws: `truncatedBody` unless the body was complete or its end is the connection's.
  package mutating func endOfConnection() throws(HTTPError) {
    switch progress {
    case .complete: break
    case .untilClose: try complete()
    case .length(let remaining): throw HTTPError(.truncatedBody, "\(remaining) bytes missing")
    case .chunked: throw HTTPError(.truncatedBody)
    }
  }

  /// The content so far, decompressed; the decoder holds it no longer.
  package mutating func takeBody() -> [UInt8] {
    let taken = body
    body = []
    return taken
  }

  private mutating func take(_ bytes: Span<UInt8>) throws(HTTPError) {
    if inflater != nil {
      try inflater?.inflate(bytes, into: &body, limit: limit)
    } else {
      body.append(contentsOf: bytes)
    }
  }

  private mutating func complete() throws(HTTPError) {
    progress = .complete
    try inflater?.finish()
  }
}

extension Array {
  /// Appends what a span shows.
  mutating func append(contentsOf span: Span<Element>) where Element: BitwiseCopyable {
    span.withUnsafeBufferPointer { append(contentsOf: $0) }
  }
}
