// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How sealed parts are compressed.
public enum PartCodec: String, Sendable, Hashable, CaseIterable {
  /// As gzip members (`.ndjson.gz`), which every reader takes.
  case gzip = "gz"
  /// As Zstandard frames (`.ndjson.zst`): as small, and several times as fast to read. With the
  /// package trait `Zstd` only; pandas needs the package `zstandard` for it.
  case zstd = "zst"

  /// Why this build cannot write or read it, and what to do; nil if it can.
  public var unavailability: String? {
    #if Zstd
      return nil
    #else
      guard self == .zstd else { return nil }
      return "this program was built without Zstandard: build it with `swift build -c release "
        + "--product ibkr --traits Zstd`, which needs Debian's libzstd-dev; or use gz"
    #endif
  }

  /// How a member of a part begins.
  var signature: [UInt8] {
    switch self {
    case .gzip: GzipMember.signature
    case .zstd: ZstdMember.frameSignature
    }
  }

  /// Compresses lines and appends them as a member.
  ///
  /// - Parameters:
  ///   - lines: Whole lines.
  ///   - count: How many.
  ///   - seq: Their lowest and highest `seq`.
  ///   - output: Where to put the member.
  /// - Throws: `StorageError` if there is no memory, or the codec is not there.
  func append(
    _ lines: UnsafeRawBufferPointer,
    count: Int,
    seq: ClosedRange<UInt64>,
    to output: inout [UInt8]
  ) throws(StorageError) {
    switch self {
    case .gzip: try GzipMember.append(lines, count: count, seq: seq, to: &output)
    case .zstd: try ZstdMember.append(lines, count: count, seq: seq, to: &output)
    }
  }
}

/// What a member of a sealed part says of itself.
struct MemberSummary: Hashable {
  /// The lowest and the highest `seq` of its lines.
  var seq: ClosedRange<UInt64>
  /// How many lines it has.
  var lines: Int
  /// How many bytes the whole member has.
  var byteCount: Int

  /// How many bytes it takes.
  static let byteCount = 24

  /// Describes a member.
  init(seq: ClosedRange<UInt64>, lines: Int, byteCount: Int) {
    self.seq = seq
    self.lines = lines
    self.byteCount = byteCount
  }

  /// Reads a summary from ``byteCount`` bytes; nothing comes of what is none.
  init?(_ bytes: UnsafeRawBufferPointer) {
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * $1) }
    }
    guard bytes.count >= Self.byteCount, number(0, 8) <= number(8, 8) else { return nil }
    self.init(
      seq: number(0, 8)...number(8, 8),
      lines: Int(number(16, 4)),
      byteCount: Int(number(20, 4))
    )
  }

  /// Appends the summary, little-endian: the lowest and the highest `seq` (8 bytes each), the number
  /// of lines, and the length of the member (4 each).
  func append(to output: inout [UInt8]) {
    Self.append(seq.lowerBound, bytes: 8, to: &output)
    Self.append(seq.upperBound, bytes: 8, to: &output)
    Self.append(UInt64(lines), bytes: 4, to: &output)
    Self.append(UInt64(byteCount), bytes: 4, to: &output)
  }

  /// Appends an integer, its lowest byte first.
  static func append(_ number: UInt64, bytes: Int, to output: inout [UInt8]) {
    for byte in 0..<bytes { output.append(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
  }
}
