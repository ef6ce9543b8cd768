// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

#if Zstd
  internal import CZstd

  /// Decompresses a string of Zstandard frames (RFC 8878) piece by piece, and says where one is
  /// damaged: what ``GzipReader`` does for gzip members.
  struct ZstdReader: ~Copyable {
    private let stream: OpaquePointer?
    private let room: UnsafeMutableRawBufferPointer
    // What stands behind a frame, until it is known whether it is our summary.
    private var trailer: [UInt8] = []
    private var isInside = true
    private var hasBegun = false
    private var memberStart: Int
    private var position: Int

    /// Starts at the beginning of a file, or of a member.
    ///
    /// - Parameter offset: Where in the file that is.
    init(at offset: Int = 0) {
      stream = ZSTD_createDStream()
      // What a foreign file may ask for: 8 MiB are what `zstd -19` takes, and a recorder less.
      ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, 24)
      room = .allocate(byteCount: 256 << 10, alignment: 16)
      memberStart = offset
      position = offset
    }

    deinit {
      ZSTD_freeDStream(stream)
      room.deallocate()
    }

    /// Takes the next bytes of the file.
    ///
    /// - Parameters:
    ///   - bytes: The bytes.
    ///   - body: Told what is in them.
    /// - Returns: The damage after which nothing more is read, nil if there is none.
    /// - Throws: What `body` throws.
    mutating func feed<Failure: Error>(
      _ bytes: UnsafeRawBufferPointer,
      _ body: (GzipReader.Piece) throws(Failure) -> Void
    ) throws(Failure) -> GzipReader.Damage? {
      guard stream != nil else { return .init(offset: memberStart, reason: "there is no memory") }
      var rest = bytes
      while !rest.isEmpty {
        if !isInside {
          let wanted = ZstdMember.trailerLength - trailer.count
          trailer.append(contentsOf: rest.prefix(wanted))
          rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(wanted))
          let signature = ZstdMember.signature
          // What does not begin as ours does is the next frame, which may be shorter.
          if signature.starts(with: trailer.prefix(signature.count)),
            trailer.count < ZstdMember.trailerLength
          {
            return nil
          }
          if let damage = try takeTrailer(body) { return damage }
          continue
        }
        let (taken, damage) = try decompress(rest, body)
        if let damage { return damage }
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
      }
      return nil
    }

    /// Says that the file has ended.
    ///
    /// - Returns: The damage if it ends inside a member.
    func finish() -> GzipReader.Damage? {
      guard isInside && hasBegun || !trailer.isEmpty else { return nil }
      return .init(offset: memberStart, reason: "the file ends inside a member")
    }

    private mutating func takeTrailer<Failure: Error>(
      _ body: (GzipReader.Piece) throws(Failure) -> Void
    ) throws(Failure) -> GzipReader.Damage? {
      ZSTD_DCtx_reset(stream, ZSTD_reset_session_only)
      let found = trailer
      trailer = []
      (isInside, hasBegun) = (true, false)
      if let summary = found.withUnsafeBytes({ ZstdMember.summary(of: $0) }) {
        try body(.summary(summary))
        position += found.count
        memberStart = position
        return nil
      }
      // A frame of someone else's, or damage; one that is shorter than this is followed by another.
      memberStart = position
      var rest = found[...]
      while !rest.isEmpty {
        let piece = Array(rest)
        var damage: GzipReader.Damage?
        var taken = 0
        try piece.withUnsafeBufferPointer { bytes throws(Failure) in
          (taken, damage) = try decompress(UnsafeRawBufferPointer(bytes), body)
        }
        if let damage { return damage }
        rest = rest.dropFirst(taken)
        if !isInside {
          trailer = Array(rest)
          return nil
        }
      }
      return nil
    }

    private mutating func decompress<Failure: Error>(
      _ bytes: UnsafeRawBufferPointer,
      _ body: (GzipReader.Piece) throws(Failure) -> Void
    ) throws(Failure) -> (Int, GzipReader.Damage?) {
      if !hasBegun {
        hasBegun = true
        try body(.begin(nil, at: memberStart))
      }
      var input = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
      while true {
        var output = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        let result = ZSTD_decompressStream(stream, &output, &input)
        guard ZSTD_isError(result) == 0 else {
          let words = String(cString: ZSTD_getErrorName(result))
          return (input.pos, .init(offset: memberStart, reason: words))
        }
        if output.pos > 0 {
          try body(.bytes(UnsafeRawBufferPointer(rebasing: room[..<output.pos])))
        }
        if result == 0 {
          isInside = false
          position += input.pos
          try body(.end)
          return (input.pos, nil)
        }
        // Everything is taken and nothing is left inside when the output was not filled.
        if input.pos == input.size, output.pos < output.size {
          position += input.pos
          return (input.pos, nil)
        }
      }
    }
  }
#endif
