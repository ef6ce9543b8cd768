// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Recording

/// A number of bytes as a person writes it: `100MB`, `500GB`, `256MiB`.
struct ByteCount: Hashable {
  /// The number.
  let bytes: Int

  init?(_ text: Substring) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let units: [String: Double] = [
      "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 1_024, "MIB": 1_048_576,
      "GIB": 1_073_741_824, "TIB": 1_099_511_627_776,
    ]
    guard let number = Double(digits), number.isFinite, number >= 0,
      let unit = units[text[digits.endIndex...].uppercased()],
      let bytes = Int(exactly: (number * unit).rounded())
    else { return nil }
    self.bytes = bytes
  }
}

/// A limit in bytes and one in time, either or both: `1h,100MB`.
struct SizeAndTime: ExpressibleByArgument, Hashable {
  /// The limit in bytes.
  private(set) var size: Int?
  /// The limit in time.
  private(set) var time: Duration?

  init?(argument: String) {
    for piece in argument.split(separator: ",", omittingEmptySubsequences: false) {
      if let bytes = ByteCount(piece)?.bytes {
        guard size == nil, bytes > 0 else { return nil }
        size = bytes
      } else {
        // A number alone is neither a time nor a size.
        guard time == nil, piece.last?.isLetter == true,
          let span = TimeSpan(argument: String(piece))
        else { return nil }
        time = span.duration
      }
    }
  }
}

/// How sealed parts are compressed.
enum Compression: String, ExpressibleByArgument, CaseIterable {
  case gz, zstd, none

  /// What the recorder is told.
  var codec: PartCodec? {
    switch self {
    case .gz: .gzip
    case .zstd: .zstd
    case .none: nil
    }
  }
}
