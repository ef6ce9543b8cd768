// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import CZlib

/// Undoes gzip (RFC 1952) and deflate (RFC 1950, 1951) with a bound on what comes out.
///
/// The output grows by what one step of 16 KiB gave and stops at the limit, so a kilobyte that
/// unfolds to a gigabyte costs no more memory than the limit allows.
struct Inflater: ~Copyable {
  private enum Stage {
    case untouched, insideMember, betweenMembers
  }

  // zlib keeps the address of its stream and compares it, so the stream has to stay in place.
  private let stream: UnsafeMutablePointer<z_stream>
  private let coding: ContentCoding
  private var stage = Stage.untouched
  private var step = [UInt8](repeating: 0, count: 16 << 10)

  init(_ coding: ContentCoding) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    self.coding = coding
  }

  deinit {
    // Harmless on a stream that was never started: zlib finds no state and says so.
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
  }

  /// Inflates the next bytes.
  ///
  /// - Parameters:
  ///   - bytes: Compressed bytes.
  ///   - output: Where the content is appended.
  ///   - limit: How long the output may become.
  /// - Throws: `corruptContent` or `bodyTooLarge`.
  mutating func inflate(
    _ bytes: Span<UInt8>,
    into output: inout [UInt8],
    limit: Int
  ) throws(HTTPError) {
    guard !bytes.isEmpty else { return }
    if stage == .untouched { try start(firstByte: bytes[0]) }
    guard let count = UInt32(exactly: bytes.count) else { throw HTTPError(.bodyTooLarge) }
    try bytes.withUnsafeBufferPointer { input throws(HTTPError) in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.pointee.avail_in = count
      defer { stream.pointee.next_in = nil }
      var mayHoldMore = true
      while stream.pointee.avail_in > 0 || mayHoldMore {
        if stage == .betweenMembers {
          guard stream.pointee.avail_in > 0 else { return }
          try startNextMember()
        }
        mayHoldMore = try runOnce(into: &output, limit: limit)
      }
    }
  }

  /// Says that all compressed bytes have come.
  ///
  /// - Throws: `corruptContent` if they end early. Nothing at all is an empty body.
  func finish() throws(HTTPError) {
    if stage == .insideMember { throw HTTPError(.corruptContent, "it ends early") }
  }

  /// Chooses the format: `deflate` means zlib's wrapper, but some servers leave it out.
  ///
  /// The wrapper's first byte ends in the four bits 1000 (RFC 1950 §2.2); no encoder begins a bare
  /// stream with them, as they would be a stored block with its padding not zero.
  private mutating func start(firstByte: UInt8) throws(HTTPError) {
    let windowBits: Int32 =
      switch coding {
      case .gzip: MAX_WBITS + 16
      default: firstByte & 0x0F == 8 ? MAX_WBITS : -MAX_WBITS
      }
    guard czlib_inflate_init(stream, windowBits) == Z_OK else {
      throw HTTPError(.corruptContent, "zlib has no memory")
    }
    stage = .insideMember
  }

  /// A gzip file may be several of them, one after the other (RFC 1952 §2.2).
  private mutating func startNextMember() throws(HTTPError) {
    guard coding == .gzip, inflateReset(stream) == Z_OK else {
      throw HTTPError(.corruptContent, "bytes after its end")
    }
    stage = .insideMember
  }

  /// Runs zlib for one step of output; returns whether it filled the step and may hold more.
  private mutating func runOnce(
    into output: inout [UInt8],
    limit: Int
  ) throws(HTTPError) -> Bool {
    let stream = stream
    let (result, produced) = step.withUnsafeMutableBufferPointer { buffer in
      stream.pointee.next_out = buffer.baseAddress
      stream.pointee.avail_out = UInt32(buffer.count)
      let result = CZlib.inflate(stream, Z_NO_FLUSH)
      return (result, buffer.count - Int(stream.pointee.avail_out))
    }
    guard produced <= limit - output.count else {
      throw HTTPError(.bodyTooLarge, "more than \(limit) bytes decompressed")
    }
    output.append(contentsOf: step[..<produced])
    switch result {
    case Z_STREAM_END: stage = .betweenMembers
    case Z_OK: break
    // No progress for want of input: more will come.
    case Z_BUF_ERROR where stream.pointee.avail_in == 0: return false
    default: throw HTTPError(.corruptContent)
    }
    return produced == step.count
  }
}
