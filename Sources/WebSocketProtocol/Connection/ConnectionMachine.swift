// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// RFC 6455 from the end of the opening handshake to the end of the stream, for both roles.
///
/// No I/O and no clock. The owner
/// 1. reads bytes from the network into ``fill(_:)``, or calls ``receiveEndOfStream()``;
/// 2. takes what they gave with ``takeBatch()`` until that is nil;
/// 3. writes what is in ``withOutput(_:)`` whenever something is, and says how much with
///    ``outputWritten(_:)`` or that nothing more goes with ``outputWouldBlock()``.
///
/// The rules stand in the order of the RFC: frame headers (5.2) in ``FrameHeader``, masking (5.3) in
/// ``MaskingKey``, fragmentation (5.4) and payloads in `ConnectionMachine+Receiving`, control frames
/// (5.5) and closing (7) in `ConnectionMachine+Control`, sending (6.1) in
/// `ConnectionMachine+Sending`, UTF-8 (8.1) in ``UTF8Validator``.
package struct ConnectionMachine: ~Copyable {
  /// Which end this is.
  package let role: Role

  let limits: Limits
  let text: TextPolicy
  let largestSentFrame: Int
  var keys: MaskingKeySource

  let inflater: Inflater?
  let deflater: Deflater?

  var received = ReceiveBuffer()
  var assembly = AssemblyBuffer()
  var output = OutputBuffer()

  /// The frame whose payload is arriving, and the message that it belongs to.
  var frame: PartialFrame?
  var message: PartialMessage?

  /// What has been parsed and not yet taken, and where in the receive buffer its bytes lie.
  var entries: [MessageBatch.Entry] = []
  var entriesLow = Int.max
  var entriesHigh = 0

  /// Set where a batch must be taken, or output written, before more is parsed.
  var roundEnds = false

  /// The newest ping that could not be answered yet because output is blocked.
  var unansweredPing: [UInt8]?
  var outputIsBlocked = false

  /// The control frames that were sent of the machine's own accord and nobody has taken yet.
  ///
  /// There are no more of them than of the control frames in the batches that were taken meanwhile.
  var answers: [ControlFrame] = []

  /// What the connection will be failed for when everything before it has been taken.
  var breach: ProtocolError?

  var streamEnded = false

  /// The close frame that was sent or waits to be; nothing may be sent after it (section 5.5.1).
  package internal(set) var closeSent: CloseFrame?

  /// The close frame that was received; nothing is read after it.
  package internal(set) var closeReceived: CloseFrame?

  /// Why the connection was failed (section 7.1.7), if it was.
  package internal(set) var failure: ProtocolError?

  /// Makes the machine of a connection whose opening handshake is done.
  ///
  /// - Parameters:
  ///   - role: Which end this is.
  ///   - limits: What the peer may ask of our memory.
  ///   - text: What happens to text that is not UTF-8.
  ///   - deflate: What was negotiated of permessage-deflate, if it was.
  ///   - largestSentFrame: Longer messages are sent in fragments of this length.
  ///   - keys: Where masking keys come from.
  package init(
    role: Role,
    limits: Limits = Limits(),
    text: TextPolicy = .strict,
    deflate: DeflateParameters? = nil,
    largestSentFrame: Int = .max,
    keys: MaskingKeySource = MaskingKeySource()
  ) {
    self.role = role
    self.limits = limits
    self.text = text
    self.largestSentFrame = max(1, largestSentFrame)
    self.keys = keys
    inflater = deflate.map { Inflater($0, role: role) }
    deflater = deflate.map { Deflater($0, role: role) }
  }

  /// Whether nothing more will be delivered: the peer closed, or the connection was failed.
  package var isReadingOver: Bool { closeReceived != nil || failure != nil }

  /// Whether both close frames are exchanged, so that the stream may end (section 7.1.4).
  package var isClosed: Bool { closeReceived != nil && closeSent != nil }
}
