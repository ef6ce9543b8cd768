// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

package import Flow

/// Where a part of a recording lies: `ch=quote/date=2026-11-23/symbol=AAPL/part-<run>-000001.ndjson`.
package struct PartPath: Sendable, Hashable {
  /// The channel.
  package let channel: Channel
  /// The day of all its records.
  package let date: UTCDate
  /// The instrument's name, for channels that have a folder for each.
  package let symbol: String?

  /// Names the place of some records.
  package init(channel: Channel, date: UTCDate, symbol: String? = nil) {
    self.channel = channel
    self.date = date
    self.symbol = symbol
  }

  /// The folder of the parts.
  package var folder: String {
    let folder = "ch=\(channel.rawValue)/date=\(date)"
    guard let symbol else { return folder }
    return "\(folder)/symbol=\(Self.encoded(symbol))"
  }

  /// The path of one part.
  ///
  /// - Parameters:
  ///   - run: The run that writes it.
  ///   - number: Its number in this folder and run, from 1.
  /// - Returns: The path, relative to the recording.
  package func file(run: RunID, number: Int) -> String {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, 6 - digits.count))
    return "\(folder)/part-\(run)-\(zeros)\(digits).ndjson"
  }

  /// A symbol as part of a path: percent-encoded (RFC 3986 section 2.1).
  ///
  /// Letters, digits, `-`, `.`, `_`, `~` and the `@` before an exchange stay as they are. Readers of
  /// Hive partitions undo it.
  package static func encoded(_ symbol: String) -> String {
    let hexadecimal = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in symbol.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "@"):
        bytes.append(byte)
      default:
        bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
