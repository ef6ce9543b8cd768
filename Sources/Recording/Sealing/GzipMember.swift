// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import CZlib

/// Some lines as a gzip file of their own (RFC 1952), to be strung together with others.
///
/// Every reader takes such a string for one file, and one that is damaged costs the lines of one
/// member. The header's EXTRA field has a subfield `IB` with a ``MemberSummary``, so that a reader can
/// go from member to member without inflating any.
enum GzipMember {
  /// The fixed part of a header before the summary: magic, deflate, FEXTRA, no time, Unix, and a
  /// subfield `IB` of 24 bytes.
  static let signature: [UInt8] = [
    0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 3, 28, 0, UInt8(ascii: "I"), UInt8(ascii: "B"), 24, 0,
  ]

  /// The length of the header.
  static let headerLength = signature.count + MemberSummary.byteCount

  /// Compresses lines and appends them as a member.
  ///
  /// - Parameters:
  ///   - lines: Whole lines.
  ///   - count: How many.
  ///   - seq: Their lowest and highest `seq`.
  ///   - output: Where to put the member.
  /// - Throws: `StorageError` if zlib has no memory.
  static func append(
    _ lines: UnsafeRawBufferPointer,
    count: Int,
    seq: ClosedRange<UInt64>,
    to output: inout [UInt8]
  ) throws(StorageError) {
    let start = output.count
    output += signature
    MemberSummary(seq: seq, lines: count, byteCount: 0).append(to: &output)
    try deflate(lines, to: &output)
    MemberSummary.append(UInt64(checksum(lines)), bytes: 4, to: &output)
    MemberSummary.append(UInt64(truncatingIfNeeded: lines.count), bytes: 4, to: &output)
    let length = UInt64(output.count - start)
    for byte in 0..<4 {
      output[start + headerLength - 4 + byte] = UInt8(truncatingIfNeeded: length >> (8 * byte))
    }
  }

  /// Reads the summary of a member that begins here, nil if it has none.
  static func summary(of header: UnsafeRawBufferPointer) -> MemberSummary? {
    guard header.count >= headerLength, header.starts(with: signature) else { return nil }
    return MemberSummary(UnsafeRawBufferPointer(rebasing: header.dropFirst(signature.count)))
  }

  /// The CRC-32 of bytes (RFC 1952 section 8).
  private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt {
    crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count)
  }

  private static func deflate(
    _ lines: UnsafeRawBufferPointer,
    to output: inout [UInt8]
  ) throws(StorageError) {
    var stream = z_stream()
    // A negative window: no header of zlib's, ours has more in it than zlib would write.
    guard czlib_deflate_init(&stream, Z_DEFAULT_COMPRESSION, -MAX_WBITS, 8) == Z_OK else {
      throw StorageError("compress", "a part", reason: "zlib has no memory")
    }
    defer { deflateEnd(&stream) }
    guard let count = UInt32(exactly: lines.count) else {
      throw StorageError("compress", "a part", reason: "a line is too long")
    }
    stream.next_in = UnsafeMutablePointer(mutating: lines.bindMemory(to: UInt8.self).baseAddress)
    stream.avail_in = count
    // With room for the worst case one call does it all.
    let bound = Int(deflateBound(&stream, UInt(count)))
    let before = output.count
    output.append(contentsOf: repeatElement(0, count: bound))
    let result = output.withUnsafeMutableBufferPointer { room in
      stream.next_out = room.baseAddress.map { $0 + before }
      stream.avail_out = UInt32(clamping: bound)
      return CZlib.deflate(&stream, Z_FINISH)
    }
    guard result == Z_STREAM_END else {
      throw StorageError("compress", "a part", reason: "zlib says \(result)")
    }
    output.removeLast(Int(stream.avail_out))
  }
}
