// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

internal import CZlib

/// Inflates a string of gzip members (RFC 1952) piece by piece, and says where one is damaged.
struct GzipReader: ~Copyable {
  /// What is found, in its order.
  enum Piece {
    /// A member begins here in the file; what it says of itself, if it is one of ours.
    case begin(MemberSummary?, at: Int)
    /// Contents.
    case bytes(UnsafeRawBufferPointer)
    /// The member has ended, and its checksum and length are right.
    case end
    /// What the member that has ended says of itself, where that stands behind it.
    case summary(MemberSummary)
  }

  /// A place that cannot be read.
  struct Damage: Hashable {
    /// Where the damaged member begins in the file.
    var offset: Int
    /// What is wrong with it.
    var reason: String
  }

  // zlib keeps the address of its stream and compares it, so the stream has to stay in place.
  private let stream: UnsafeMutablePointer<z_stream>
  private let room: UnsafeMutableRawBufferPointer
  private var header: [UInt8] = []
  private var isInside = false
  private var isReady = false
  private var memberStart = 0
  private var position = 0

  /// Starts at the beginning of a file, or of a member.
  ///
  /// - Parameter offset: Where in the file that is.
  init(at offset: Int = 0) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    room = .allocate(byteCount: 256 << 10, alignment: 16)
    memberStart = offset
    position = offset
  }

  deinit {
    inflateEnd(stream)
    stream.deinitialize(count: 1)
    stream.deallocate()
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
    _ body: (Piece) throws(Failure) -> Void
  ) throws(Failure) -> Damage? {
    var rest = bytes
    while !rest.isEmpty {
      if !isInside {
        // The header is looked at before zlib has it, so it is gathered whole.
        let wanted = GzipMember.headerLength - header.count
        header.append(contentsOf: rest.prefix(wanted))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(wanted))
        guard header.count == GzipMember.headerLength else { return nil }
        if let damage = try begin(body) { return damage }
      }
      let (taken, damage) = try inflate(rest, body)
      if let damage { return damage }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(taken))
    }
    return nil
  }

  /// Says that the file has ended.
  ///
  /// - Returns: The damage if it ends inside a member.
  func finish() -> Damage? {
    guard isInside || !header.isEmpty else { return nil }
    return Damage(offset: memberStart, reason: "the file ends inside a member")
  }

  private mutating func begin<Failure: Error>(
    _ body: (Piece) throws(Failure) -> Void
  ) throws(Failure) -> Damage? {
    guard isReady || czlib_inflate_init(stream, MAX_WBITS + 16) == Z_OK else {
      return Damage(offset: memberStart, reason: "zlib has no memory")
    }
    if isReady { inflateReset(stream) }
    isReady = true
    isInside = true
    let start = header
    header = []
    let summary = start.withUnsafeBytes { GzipMember.summary(of: $0) }
    try body(.begin(summary, at: memberStart))
    // A header of someone else's may be shorter; then these bytes are contents already.
    var damage: Damage?
    var taken = 0
    try start.withUnsafeBufferPointer { bytes throws(Failure) in
      (taken, damage) = try inflate(UnsafeRawBufferPointer(bytes), body)
    }
    if damage == nil, !isInside {
      // A member shorter than our header: whatever follows begins the next one.
      header = Array(start[taken...])
    }
    return damage
  }

  private mutating func inflate<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer,
    _ body: (Piece) throws(Failure) -> Void
  ) throws(Failure) -> (Int, Damage?) {
    guard isInside, let count = UInt32(exactly: bytes.count) else { return (0, nil) }
    stream.pointee.next_in = UnsafeMutablePointer(
      mutating: bytes.bindMemory(to: UInt8.self).baseAddress
    )
    stream.pointee.avail_in = count
    defer { stream.pointee.next_in = nil }
    while true {
      stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
      stream.pointee.avail_out = UInt32(room.count)
      let result = CZlib.inflate(stream, Z_NO_FLUSH)
      let made = room.count - Int(stream.pointee.avail_out)
      let taken = bytes.count - Int(stream.pointee.avail_in)
      if made > 0 { try body(.bytes(UnsafeRawBufferPointer(rebasing: room[..<made]))) }
      switch result {
      case Z_STREAM_END:
        isInside = false
        position += taken
        memberStart = position
        try body(.end)
        return (taken, nil)
      case Z_OK, Z_BUF_ERROR:
        // Everything is taken and nothing is left inside when the output was not filled.
        if stream.pointee.avail_in == 0, made < room.count {
          position += taken
          return (taken, nil)
        }
      default:
        let words = stream.pointee.msg.map { String(cString: $0) } ?? "zlib says \(result)"
        return (taken, Damage(offset: memberStart, reason: words))
      }
    }
  }
}
