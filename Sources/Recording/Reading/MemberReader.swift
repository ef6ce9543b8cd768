// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Reads the members of a sealed part, however they are compressed.
struct MemberReader: ~Copyable {
  private var gzip: GzipReader?
  #if Zstd
    private var zstd: ZstdReader?
  #endif

  /// Starts at the beginning of a part, or of a member.
  ///
  /// - Parameters:
  ///   - codec: How the part is compressed.
  ///   - path: Where it is, for errors.
  ///   - offset: Where in the file to start.
  /// - Throws: `StorageError` if this build cannot read it.
  init(_ codec: PartCodec, of path: String, at offset: Int = 0) throws(StorageError) {
    switch codec {
    case .gzip: gzip = GzipReader(at: offset)
    case .zstd:
      #if Zstd
        zstd = ZstdReader(at: offset)
      #else
        throw StorageError("read", path, reason: codec.unavailability ?? "")
      #endif
    }
  }

  /// As ``GzipReader/feed(_:_:)``.
  mutating func feed<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer,
    _ body: (GzipReader.Piece) throws(Failure) -> Void
  ) throws(Failure) -> GzipReader.Damage? {
    #if Zstd
      if zstd != nil { return try zstd?.feed(bytes, body) ?? nil }
    #endif
    return try gzip?.feed(bytes, body) ?? nil
  }

  /// As ``GzipReader/finish()``.
  func finish() -> GzipReader.Damage? {
    #if Zstd
      if zstd != nil { return zstd?.finish() ?? nil }
    #endif
    return gzip?.finish() ?? nil
  }
}
