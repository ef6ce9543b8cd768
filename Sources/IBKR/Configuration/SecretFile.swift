// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import OAuth1a

/// Reads secrets from files and descriptors, and looks at who else could.
package enum SecretFile {
  /// No key or token is longer; what is was named by mistake.
  static let limit = 65_536

  /// Reads a whole file.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - name: What it is, for the error: a variable's name.
  /// - Returns: Its contents without white space at the end.
  /// - Throws: `IbkrError` with `invalidConfiguration`, naming file and variable.
  static func read(_ path: String, for name: String) throws(IbkrError) -> Secret {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
    guard descriptor >= 0 else {
      throw unusable("the file \(path)", name, String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    return try contents(of: descriptor, "the file \(path)", name)
  }

  /// Reads a descriptor that this process has inherited to its end, and closes it.
  ///
  /// Standard input, output and error stay open.
  ///
  /// - Parameters:
  ///   - descriptor: Its number.
  ///   - name: What it is, for the error: a variable's name.
  /// - Returns: What it holds without white space at the end.
  /// - Throws: `IbkrError` with `invalidConfiguration`, naming the variable.
  static func read(descriptor: Int32, for name: String) throws(IbkrError) -> Secret {
    defer { if descriptor > STDERR_FILENO { close(descriptor) } }
    return try contents(of: descriptor, "the descriptor \(descriptor)", name)
  }

  private static func contents(
    of descriptor: Int32,
    _ place: String,
    _ name: String
  ) throws(IbkrError) -> Secret {
    // Whoever writes the secret into a pipe may take a moment, but not for ever.
    let patience: Int32 = 10_000
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 4_096)
    defer {
      wipe(&bytes)
      wipe(&piece)
    }
    while true {
      var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&wait, 1, patience)
      if ready < 0, errno == EINTR { continue }
      guard ready > 0 else { throw unusable(place, name, "nothing came for 10 s") }
      let count = Glibc.read(descriptor, &piece, piece.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count >= 0 else { throw unusable(place, name, String(cString: strerror(errno))) }
      if count == 0 { break }
      bytes += piece[..<count]
      guard bytes.count <= limit else {
        throw unusable(place, name, "it is longer than any key or token")
      }
    }
    let text = bytes.prefix(bytes.lastIndex { !isWhiteSpace($0) }.map { $0 + 1 } ?? 0)
    guard !text.isEmpty else { throw unusable(place, name, "it is empty") }
    return Secret(bytes: text)
  }

  private static func unusable(_ place: String, _ name: String, _ why: String) -> IbkrError {
    IbkrError(.invalidConfiguration, "\(name) names \(place), which cannot be read: \(why)")
  }

  private static func isWhiteSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x09...0x0D).contains(byte)
  }

  private static func wipe(_ bytes: inout [UInt8]) {
    for index in bytes.indices { bytes[index] = 0 }
  }

  /// Whether there is a file of this path.
  static func isThere(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// That others than its owner can read a file.
  struct Exposure: Sendable, Hashable {
    /// The file.
    let path: String
    /// Its permissions, octal.
    let mode: String
    /// What puts them right.
    var command: String { "chmod 600 \(ShellWord.quoted(path))" }
  }

  /// Looks at a key file's permissions.
  ///
  /// - Parameter path: The file.
  /// - Returns: nil if only its owner can read it, or if it is not there.
  static func exposure(of path: String) -> Exposure? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o077 != 0 else { return nil }
    return Exposure(path: path, mode: String(status.st_mode & 0o777, radix: 8))
  }
}
