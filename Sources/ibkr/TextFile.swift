// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc

/// Small files that are named on the command line.
enum TextFile {
  /// Writes a file, replacing what was there.
  ///
  /// - Parameters:
  ///   - text: What shall be in it.
  ///   - path: The file.
  ///   - purpose: What it is, for the error.
  /// - Throws: `ValidationError` if it cannot be written.
  static func write(_ text: String, to path: String, as purpose: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      let reason = String(cString: strerror(errno))
      throw ValidationError("cannot write \(purpose) to '\(path)': \(reason)")
    }
    defer { close(file) }
    Output.write(text, to: file)
  }

  /// Writes a file in one step: whoever reads it sees what was there before, or all of the new.
  ///
  /// - Parameters:
  ///   - text: What shall be in it.
  ///   - path: The file; what was there is replaced.
  ///   - purpose: What it is, for the error.
  /// - Throws: `ValidationError` if it cannot be written; then nothing has changed.
  static func replace(_ text: String, at path: String, as purpose: String) throws {
    let draft = "\(path).\(getpid()).new"
    let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    var isDone = file >= 0 && Output.write(Array(text.utf8), to: file)
    if file >= 0 { isDone = close(file) == 0 && isDone }
    guard isDone, rename(draft, path) == 0 else {
      let reason = String(cString: strerror(errno))
      if file >= 0 { unlink(draft) }
      throw ValidationError("cannot write \(purpose) to '\(path)': \(reason)")
    }
  }

  /// Reads a file, up to 16 MiB of it.
  ///
  /// - Parameters:
  ///   - path: The file; `-` is standard input.
  ///   - purpose: What the file is, for the error: `the file of symbols`.
  /// - Returns: Its text.
  /// - Throws: `ValidationError` if it cannot be read.
  static func read(_ path: String, as purpose: String) throws -> String {
    let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
    let failure = ValidationError("cannot read \(purpose) '\(path)': is it there, and a file?")
    guard descriptor >= 0 else { throw failure }
    defer { if path != "-" { close(descriptor) } }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while bytes.count < 16 << 20 {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { throw failure }
      if count == 0 { break }
      bytes += buffer.prefix(count)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
