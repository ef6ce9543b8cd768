// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
import OAuth1a

/// A folder with the key material of a new OAuth 1.0a consumer.
///
/// Nobody but its owner can look into it, and nothing in it is ever overwritten: keys that were
/// registered at IBKR and then lost mean a day's wait for new ones.
public struct KeyFolder: Sendable {
  /// The folder, as an absolute path.
  public let path: String

  /// The name of the file with the variables, for a shell's `.`, systemd and Docker.
  public static let environmentName = "ibind.env"

  /// Names a folder, which need not exist yet.
  ///
  /// - Parameter path: The folder.
  /// - Throws: ``IbkrError`` with `storage` if there are keys in it already, or if others can look
  ///   into it.
  public init(path: String) throws(IbkrError) {
    guard !path.isEmpty, !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
      throw IbkrError(.storage, "the folder's name is empty or has control characters in it")
    }
    self.path = path.hasPrefix("/") ? path : "\(Self.currentFolder)/\(path)"
    try check()
  }

  /// Makes keys and Diffie-Hellman parameters, and writes them.
  ///
  /// The thread does nothing else in the meantime: mostly some seconds, now and then minutes.
  ///
  /// - Parameter progress: Called now and then; answers whether to go on.
  /// - Throws: ``IbkrError`` with `storage` if a file cannot be written, with `closed` if
  ///   `progress` has said not to go on; no file is left behind then.
  public func fill(progress: @escaping (Int) -> Bool = { _ in true }) throws(IbkrError) {
    try fill(primeBits: 2048, progress: progress)
  }

  func fill(primeBits: Int, progress: @escaping (Int) -> Bool) throws(IbkrError) {
    try check()
    try Self.attempt("create the folder", path) { mkdir(path, 0o700) == 0 || errno == EEXIST }
    var isStopped = false
    let material: KeyMaterial
    do throws(OAuth1aError) {
      material = try KeyMaterial(primeBits: primeBits) { count in
        isStopped = !progress(count)
        return !isStopped
      }
    } catch {
      if isStopped { throw IbkrError(.closed, "the keys were not made, because nobody waited") }
      throw IbkrError(.storage, "\(error)")
    }
    // A minute has passed, in which somebody else may have been here.
    try check()
    var written: [String] = []
    do throws(IbkrError) {
      for file in material.files { try write(file.content, to: file.name, &written) }
      let variables = Secret(environment(prime: material.prime))
      try write(variables, to: Self.environmentName, &written)
    } catch {
      for name in written { unlink("\(path)/\(name)") }
      throw error
    }
  }

  // MARK: Files

  private func check() throws(IbkrError) {
    var status = stat()
    guard stat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw IbkrError(.storage, "\(path) is not a folder", remedy: "name another one with -o")
    }
    if let name = (KeyMaterial.names + [Self.environmentName]).first(where: {
      access("\(path)/\($0)", F_OK) == 0
    }) {
      throw IbkrError(
        .storage,
        "there is a \(name) in \(path), and keys are never overwritten",
        remedy: "name another folder with -o, or move that one away"
      )
    }
    guard status.st_mode & 0o077 == 0 else {
      throw IbkrError(
        .storage,
        "others can look into \(path)",
        remedy: "chmod 700 \(ShellWord.quoted(path))"
      )
    }
  }

  /// Writes a file that must not exist, for its owner alone, and makes it survive a power loss.
  private func write(
    _ content: Secret,
    to name: String,
    _ written: inout [String]
  ) throws(IbkrError) {
    let file = open(
      "\(path)/\(name)",
      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
      0o600
    )
    try Self.attempt("create", "\(path)/\(name)") { file >= 0 }
    defer { close(file) }
    written.append(name)
    let isComplete = content.withExposedBytes { bytes in
      bytes.withUnsafeBytes { Self.writeAll($0, to: file) }
    }
    try Self.attempt("write", "\(path)/\(name)") { isComplete && fsync(file) == 0 }
  }

  private static func writeAll(_ bytes: UnsafeRawBufferPointer, to file: Int32) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      let count = Glibc.write(file, rest.baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
    return true
  }

  private static func attempt(
    _ action: String,
    _ path: String,
    _ body: () -> Bool
  ) throws(IbkrError) {
    guard !body() else { return }
    throw IbkrError(
      .storage,
      "cannot \(action) \(path): \(String(cString: strerror(errno)))",
      remedy: "name a folder with -o that this user may write to"
    )
  }

  private static var currentFolder: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
      guard let start = buffer.baseAddress, getcwd(start, buffer.count) != nil else { return "." }
      return String(cString: start)
    }
  }

  // MARK: The variables

  private func environment(prime: String) -> String {
    let keys = ["encryption", "signature"].map { kind in
      "IBIND_OAUTH1A_\(kind.uppercased())_KEY_FP="
        + ShellWord.quoted("\(path)/private_\(kind).pem")
    }
    return """
      # OAuth 1.0a for `ibkr` and IBind. Secret: for its owner's eyes only.
      IBIND_USE_OAUTH=True
      # From IBKR's page, after the three files have been uploaded; no spaces, no quotation marks:
      IBIND_OAUTH1A_CONSUMER_KEY=
      IBIND_OAUTH1A_ACCESS_TOKEN=
      IBIND_OAUTH1A_ACCESS_TOKEN_SECRET=
      # Made by `ibkr auth setup`; the prime is that of dhparam.pem, and its generator is 2:
      \(keys.joined(separator: "\n"))
      IBIND_OAUTH1A_DH_PRIME=\(prime)

      """
  }
}
