// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

#if Zstd
  internal import CZstd
#endif

/// Some lines as a Zstandard frame of their own (RFC 8878), to be strung together with others.
///
/// Behind it stands a skippable frame (section 3.1.2) of 28 bytes, which every reader passes over:
/// `IBKR`, and a ``MemberSummary``. It is not the first, because there are readers (polars) that know
/// a compressed file by its first bytes, and only by those of a frame with contents.
enum ZstdMember {
  /// A skippable frame's magic number, its length, and whose it is.
  static let signature: [UInt8] = [
    0x50, 0x2A, 0x4D, 0x18, 28, 0, 0, 0, UInt8(ascii: "I"), UInt8(ascii: "B"), UInt8(ascii: "K"),
    UInt8(ascii: "R"),
  ]

  /// How a frame with contents begins (section 3.1.1).
  static let frameSignature: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

  /// The length of the skippable frame.
  static let trailerLength = signature.count + MemberSummary.byteCount

  /// Reads the summary of a skippable frame, nil if it has none.
  static func summary(of trailer: UnsafeRawBufferPointer) -> MemberSummary? {
    guard trailer.count >= trailerLength, trailer.starts(with: signature) else { return nil }
    return MemberSummary(UnsafeRawBufferPointer(rebasing: trailer.dropFirst(signature.count)))
  }

  /// As ``PartCodec/append(_:count:seq:to:)``.
  static func append(
    _ lines: UnsafeRawBufferPointer,
    count: Int,
    seq: ClosedRange<UInt64>,
    to output: inout [UInt8]
  ) throws(StorageError) {
    let frame = try compressed(lines)
    output += frame
    output += signature
    MemberSummary(seq: seq, lines: count, byteCount: frame.count + trailerLength)
      .append(to: &output)
  }

  #if Zstd
    /// A frame with its contents' length and checksum.
    private static func compressed(_ lines: UnsafeRawBufferPointer) throws(StorageError) -> [UInt8]
    {
      guard let context = ZSTD_createCCtx() else {
        throw StorageError("compress", "a part", reason: "Zstandard has no memory")
      }
      defer { ZSTD_freeCCtx(context) }
      ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
      var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(lines.count))
      let count = frame.withUnsafeMutableBytes { room in
        ZSTD_compress2(context, room.baseAddress, room.count, lines.baseAddress, lines.count)
      }
      guard ZSTD_isError(count) == 0 else {
        let words = String(cString: ZSTD_getErrorName(count))
        throw StorageError("compress", "a part", reason: words)
      }
      frame.removeLast(frame.count - count)
      return frame
    }
  #else
    private static func compressed(_ lines: UnsafeRawBufferPointer) throws(StorageError) -> [UInt8]
    {
      throw StorageError("compress", "a part", reason: PartCodec.zstd.unavailability ?? "")
    }
  #endif
}
