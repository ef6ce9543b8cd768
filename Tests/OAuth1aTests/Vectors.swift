// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import JSON
import Testing

/// The vectors of `Fixtures/oauth`, made with IBind's own functions.
enum Vectors {
  static let all = load()

  /// The elements of one list, each with its name.
  static func list(_ key: String) -> [Vector] {
    (all[key]?.elements ?? []).map { Vector(value: $0) }
  }

  private static func load() -> JSONValue {
    var path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    path = "/\(path)/Fixtures/oauth/vectors.json"
    return contents(of: path).flatMap { try? JSONValue(parsing: $0) } ?? .null
  }

  /// A file's bytes, nil if it cannot be read.
  static func contents(of path: String) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(descriptor, &piece, piece.count)
      guard count > 0 else { return bytes }
      bytes += piece[..<count]
    }
  }
}

/// One vector, shown by its name when a test fails.
struct Vector: Sendable, CustomTestStringConvertible {
  let value: JSONValue

  var testDescription: String { value["name"]?.string ?? value["input"]?.string ?? "" }

  /// The text at a path of keys.
  func text(_ path: String...) throws -> String {
    try #require(path.reduce(Optional(value)) { $0?[$1] }?.string, "\(path)")
  }
}
