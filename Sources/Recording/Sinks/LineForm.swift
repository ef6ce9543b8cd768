// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import JSON

/// What becomes of the lines of ``StdoutSink``.
public enum LineForm: Sendable, Hashable {
  /// NDJSON, as in the files.
  case json
  /// Comma-separated values (RFC 4180) of one channel, below the names of its columns.
  ///
  /// A value that is null is an empty field, an empty text is `""`; a list is its JSON.
  case csv(Channel)
  /// Nothing but the server's messages, each as it came but for secrets, one below the other. It needs
  /// the channel ``Channel/raw``.
  case messages

  /// What stands above the lines, nil for nothing.
  var head: [UInt8]? {
    guard case .csv(let channel) = self else { return nil }
    return Array((channel.columns.map(\.name).joined(separator: ",") + "\r\n").utf8)
  }

  /// Makes records of lines.
  ///
  /// - Parameter lines: Whole lines of NDJSON, as an encoder makes them.
  /// - Returns: The records, each with its end.
  func records(of lines: UnsafeRawBufferPointer) -> [[UInt8]] {
    lines.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let value = try? JSONValue(parsing: UnsafeRawBufferPointer(rebasing: line)) else {
        return nil
      }
      switch self {
      case .json: return Array(line) + [UInt8(ascii: "\n")]
      case .csv(let channel): return Self.row(value, channel.columns)
      case .messages: return Self.message(value)
      }
    }
  }

  private static func row(_ line: JSONValue, _ columns: [Column]) -> [UInt8] {
    var row: [UInt8] = []
    for (index, column) in columns.enumerated() {
      if index > 0 { row.append(UInt8(ascii: ",")) }
      switch line[column.name] {
      case nil, .null: break
      case .string(let text): append(field: text, to: &row)
      case let value?:
        value.elements == nil
          ? value.write(to: &row) : append(field: value.text, to: &row)
      }
    }
    return row + Array("\r\n".utf8)
  }

  private static func append(field: String, to row: inout [UInt8]) {
    let isPlain =
      !field.isEmpty && !field.hasPrefix(" ") && !field.hasSuffix(" ")
      && !field.utf8.contains { [UInt8(ascii: "\""), UInt8(ascii: ","), 0x0A, 0x0D].contains($0) }
    row += Array((isPlain ? field : "\"\(field.replacing("\"", with: "\"\""))\"").utf8)
  }

  /// The bytes of a message of the server; nil for all else that a log has.
  private static func message(_ line: JSONValue) -> [UInt8]? {
    guard line["dir"]?.string == "in", ["text", "binary"].contains(line["op"]?.string) else {
      return nil
    }
    let bytes =
      line["msg"]?.string.map { Array($0.utf8) }
      ?? line["b64"]?.string.flatMap { try? Base64.decode($0) }
    return bytes.map { $0 + [UInt8(ascii: "\n")] }
  }
}
