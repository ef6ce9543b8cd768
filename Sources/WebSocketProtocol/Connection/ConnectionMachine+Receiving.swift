// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A data frame whose payload has not all arrived.
struct PartialFrame {
  let header: FrameHeader
  var received = 0
}

/// A message of which a part has been received (RFC 6455 section 5.4).
struct PartialMessage {
  let kind: MessageKind
  let isCompressed: Bool
  var fragments = 0
  var utf8 = UTF8Validator()
  var isValidUTF8 = true
}

extension ConnectionMachine {
  /// More entries than this are left for the next batch.
  private static let largestBatch = 4096

  /// A batch ends when its assembled messages exceed this, so that a few bytes which inflate to many
  /// large messages do not hold them all at once.
  private static let largestAssembly = 1 << 20

  /// Lets received bytes be written straight into the place where they are parsed.
  ///
  /// - Parameter body: Writes to the space and returns how many bytes it wrote.
  /// - Throws: What `body` throws.
  package mutating func fill<E: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(E) -> Int
  ) throws(E) {
    try received.fill(body)
  }

  /// How many bytes can be received before ``takeBatch()`` is called.
  package var receiveSpace: Int { received.space }

  /// Takes bytes that were received elsewhere, such as those behind a handshake.
  ///
  /// - Parameter bytes: The bytes.
  /// - Returns: How many were taken; no more than ``receiveSpace``.
  package mutating func receive(_ bytes: Span<UInt8>) -> Int {
    let taken = min(bytes.count, receiveSpace)
    received.fill { space in
      bytes.withUnsafeBytes { all in
        space.copyMemory(from: UnsafeRawBufferPointer(rebasing: all[..<taken]))
      }
      return taken
    }
    return taken
  }

  /// Says that the stream has ended; without a close frame before it ``takeBatch()`` then throws.
  package mutating func receiveEndOfStream() {
    streamEnded = true
  }

  /// Takes what has been received complete.
  ///
  /// - Returns: Messages and control frames in order, or nil if more bytes are needed.
  /// - Throws: Why the connection was failed, after everything before the breach was taken.
  package mutating func takeBatch() throws(ProtocolError) -> MessageBatch? {
    roundEnds = false
    if !isReadingOver {
      do throws(ProtocolError) {
        if let breach { throw breach }
        try parse()
      } catch  where entries.isEmpty {
        fail(error)
      } catch {
        // What came before the breach can still be answered before the peer is told of it.
        breach = error
      }
    }
    if isReadingOver {
      // Section 5.5.1: what follows a close frame is ignored; so is what follows a breach.
      received.discard()
    }
    if let batch = batch() { return batch }
    if let failure { throw failure }
    if streamEnded, closeReceived == nil {
      let error = ProtocolError(.endOfStream, "the stream ended without a close frame")
      failure = error
      throw error
    }
    return nil
  }

  private mutating func batch() -> MessageBatch? {
    guard !entries.isEmpty else { return nil }
    let block = entriesLow < entriesHigh ? received.lend(entriesLow..<entriesHigh) : nil
    let taken = entries
    entries = []
    entries.reserveCapacity(taken.count)
    entriesLow = .max
    entriesHigh = 0
    return MessageBatch(entries: taken, received: block, assembled: assembly.lendFinished())
  }

  private mutating func parse() throws(ProtocolError) {
    while !roundEnds, entries.count < Self.largestBatch {
      if frame != nil {
        guard try continueFrame() else { return }
      } else if takePlainMessage() {
        continue
      } else {
        guard try beginFrame() else { return }
      }
    }
  }

  /// Takes a message as servers send them: one frame of less than 64 KiB, not masked, not compressed.
  ///
  /// ``beginFrame()`` takes it as well, with every rule asked for by itself: 185 instructions a frame
  /// where this takes 100.
  ///
  /// - Returns: Whether there was one; if not, nothing has been consumed.
  @inline(__always)
  private mutating func takePlainMessage() -> Bool {
    guard role == .client, message == nil else { return false }
    let bytes = UnsafeRawBufferPointer(received.unparsed)
    guard bytes.count >= 4, let base = bytes.baseAddress else { return false }
    let first = base.load(as: UInt8.self)
    // FIN alone, and text or binary.
    let isText = first == 0x81
    guard isText || first == 0x82 else { return false }
    var length = Int(base.load(fromByteOffset: 1, as: UInt8.self))
    var head = 2
    if length > 125 {
      // The smallest length with 16 bits is 126; one with 64 bits or a mask is more.
      guard length == 126 else { return false }
      length = Int(UInt16(bigEndian: base.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
      head = 4
      guard length > 125 else { return false }
    }
    guard head &+ length <= bytes.count, length <= limits.frame, length <= limits.message else {
      return false
    }
    let payload = UnsafeRawBufferPointer(start: base + head, count: length)
    let isValid = !isText || UTF8Validator.isValid(payload)
    guard isValid || text == .tolerant else { return false }
    received.advance(by: head &+ length)
    append(isText ? .text : .binary, length, isValidUTF8: isValid)
    return true
  }

  /// Reads the header of a frame, and the whole frame where it is one message.
  ///
  /// - Returns: Whether there may be more to parse.
  @inline(__always)
  private mutating func beginFrame() throws(ProtocolError) -> Bool {
    let bytes = received.unparsed
    guard let header = try FrameHeader.parse(UnsafeRawBufferPointer(bytes)) else { return false }
    try checkMasking(header)
    let isWhole = header.payloadLength <= bytes.count - header.length

    if header.opcode.isControl {
      guard isWhole else { return false }
      // What came before a close frame can still be answered before the close frame is.
      guard header.opcode != .close || entries.isEmpty else {
        roundEnds = true
        return true
      }
      try receiveControl(header, takePayload(header))
      return true
    }

    try checkOrder(header)
    try checkLimits(header)
    if isWhole, header.isFinal, message == nil, !header.isCompressed {
      let kind: MessageKind = header.opcode == .text ? .text : .binary
      let payload = takePayload(header)
      let isValid = kind == .binary || UTF8Validator.isValid(payload)
      guard isValid || text == .tolerant else { throw invalidText() }
      append(kind, payload.count, isValidUTF8: isValid)
    } else {
      beginPartialFrame(header)
    }
    return true
  }

  /// Section 5.1: a client masks every frame, a server none.
  @inline(__always)
  private func checkMasking(_ header: FrameHeader) throws(ProtocolError) {
    switch role {
    case .client:
      guard header.key == nil else {
        throw ProtocolError(.masking, "a masked frame from the server")
      }
    case .server:
      guard header.key != nil else {
        throw ProtocolError(.masking, "an unmasked frame from the client")
      }
    }
  }

  /// Section 5.4: continuations follow the first frame of their message, and only they do.
  ///
  /// RFC 7692 section 6: RSV1 is set on the first frame of a compressed message only.
  @inline(__always)
  private func checkOrder(_ header: FrameHeader) throws(ProtocolError) {
    if header.opcode == .continuation {
      guard message != nil else {
        throw ProtocolError(.fragmentation, "a continuation without a message to continue")
      }
      guard !header.isCompressed else {
        throw ProtocolError(.reservedBits, "a continuation with RSV1 set")
      }
    } else {
      guard message == nil else {
        throw ProtocolError(.fragmentation, "a new message inside a fragmented one")
      }
      guard !header.isCompressed || inflater != nil else {
        throw ProtocolError(.reservedBits, "a frame with RSV1 set, which was not negotiated")
      }
    }
  }

  /// What was announced is compared with the limits before anything of it is received.
  @inline(__always)
  private func checkLimits(_ header: FrameHeader) throws(ProtocolError) {
    let length = header.payloadLength
    guard length <= limits.frame else {
      throw ProtocolError(
        .frameTooLarge,
        "a frame of \(length) bytes, above the limit of \(limits.frame)"
      )
    }
    if message?.isCompressed != true, !header.isCompressed {
      guard length <= limits.message - (message == nil ? 0 : assembly.unfinished) else {
        throw ProtocolError(
          .messageTooLarge,
          "a message above the limit of \(limits.message) bytes"
        )
      }
    }
    if let message, message.fragments >= limits.fragments {
      throw ProtocolError(
        .tooManyFragments,
        "a message of more than \(limits.fragments) fragments"
      )
    }
  }

  /// Consumes a frame that has wholly arrived and returns its payload, unmasked.
  @inline(__always)
  private mutating func takePayload(_ header: FrameHeader) -> UnsafeRawBufferPointer {
    let bytes = received.unparsed
    let payload = UnsafeMutableRawBufferPointer(
      rebasing: bytes[header.length..<header.length + header.payloadLength]
    )
    header.key?.apply(to: payload)
    received.advance(by: header.length + header.payloadLength)
    return UnsafeRawBufferPointer(payload)
  }

  /// Notes a message or control frame whose payload was consumed last.
  @inline(__always)
  mutating func append(_ kind: MessageKind, _ length: Int, isValidUTF8: Bool = true) {
    let place = received.parsed - length..<received.parsed
    if length > 0 {
      entriesLow = min(entriesLow, place.lowerBound)
      entriesHigh = place.upperBound
    }
    entries.append(.init(kind, at: place, isAssembled: false, isValidUTF8: isValidUTF8))
  }

  private mutating func beginPartialFrame(_ header: FrameHeader) {
    var current =
      message
      ?? PartialMessage(
        kind: header.opcode == .text ? .text : .binary,
        isCompressed: header.isCompressed
      )
    current.fragments += 1
    message = current
    frame = PartialFrame(header: header)
    received.advance(by: header.length)
  }

  /// Takes what has arrived of a frame, without waiting for the rest: text is checked and data
  /// inflated as it comes.
  ///
  /// - Returns: Whether the frame is complete.
  private mutating func continueFrame() throws(ProtocolError) -> Bool {
    guard var current = frame else { return true }
    let available = received.unparsed
    let count = min(current.header.payloadLength - current.received, available.count)
    let piece = UnsafeMutableRawBufferPointer(rebasing: available[..<count])
    current.header.key?.apply(to: piece, offset: current.received)
    received.advance(by: count)
    current.received += count
    try appendPayload(UnsafeRawBufferPointer(piece))

    guard current.received == current.header.payloadLength else {
      frame = current
      return false
    }
    frame = nil
    if current.header.isFinal {
      try finishMessage()
    }
    return true
  }

  private mutating func appendPayload(_ piece: UnsafeRawBufferPointer) throws(ProtocolError) {
    guard let message else { return }
    if message.isCompressed, let inflater {
      inflater.begin(piece)
      try inflate(inflater)
    } else {
      assembly.append(piece)
      try checkText(piece)
    }
  }

  /// Inflates in bounded steps, so that neither limit nor UTF-8 is noticed late.
  private mutating func inflate(_ inflater: Inflater) throws(ProtocolError) {
    while try inflater.hasMore() {
      let before = assembly.unfinished
      guard before <= limits.message else {
        throw ProtocolError(
          .messageTooLarge,
          "a compressed message above the limit of \(limits.message) bytes"
        )
      }
      // One byte beyond the limit may be written: that is how exceeding it is noticed.
      let room = limits.message + 1 - before
      let piece = assembly.withSpace(atLeast: min(room, Inflater.step)) { space in
        inflater.inflate(into: UnsafeMutableRawBufferPointer(rebasing: space.prefix(room)))
      }
      try checkText(piece)
    }
    guard assembly.unfinished <= limits.message else {
      throw ProtocolError(
        .messageTooLarge,
        "a compressed message above the limit of \(limits.message) bytes"
      )
    }
  }

  /// Section 8.1, as the bytes arrive.
  private mutating func checkText(_ piece: UnsafeRawBufferPointer) throws(ProtocolError) {
    guard message?.kind == .text, message?.isValidUTF8 == true else { return }
    if message?.utf8.consume(piece) == false {
      guard text == .tolerant else { throw invalidText() }
      message?.isValidUTF8 = false
    }
  }

  private mutating func finishMessage() throws(ProtocolError) {
    if message?.isCompressed == true, let inflater {
      inflater.beginTail()
      try inflate(inflater)
      try inflater.finishMessage()
    }
    guard let complete = message else { return }
    let isValid = complete.kind == .binary || complete.isValidUTF8 && complete.utf8.isAtBoundary
    guard isValid || text == .tolerant else { throw invalidText() }
    let place = assembly.finish()
    entries.append(.init(complete.kind, at: place, isAssembled: true, isValidUTF8: isValid))
    message = nil
    roundEnds = roundEnds || place.upperBound >= Self.largestAssembly
  }

  private func invalidText() -> ProtocolError {
    ProtocolError(.invalidUTF8, "a text message that is not UTF-8")
  }
}
