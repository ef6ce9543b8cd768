// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// Why a recording could not be written or read.
public struct StorageError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What kind of trouble it is, for programs.
  public struct Code: Sendable, Hashable {
    private let name: StaticName

    private enum StaticName: Hashable {
      case inUse, exists, missing, permission, readOnly, full, damaged, system
    }

    /// Another process is recording into the directory.
    public static let inUse = Code(name: .inUse)
    /// The file exists already.
    public static let exists = Code(name: .exists)
    /// There is no such file or folder.
    public static let missing = Code(name: .missing)
    /// The user may not do this.
    public static let permission = Code(name: .permission)
    /// The file system can only be read.
    public static let readOnly = Code(name: .readOnly)
    /// There is no space left, or the user may not have more.
    public static let full = Code(name: .full)
    /// What is there is not what a recorder wrote.
    public static let damaged = Code(name: .damaged)
    /// Anything else that the system refused; the description has its words.
    public static let system = Code(name: .system)
  }

  /// What kind of trouble it is.
  public let code: Code

  /// Where it happened: a path.
  public let path: String

  /// What was tried, where, what the system said, and what to do about it.
  public let description: String

  /// Describes a refusal by the system.
  ///
  /// - Parameters:
  ///   - action: What was tried, as in "cannot write".
  ///   - path: The file or folder.
  ///   - number: The system's error number.
  package init(_ action: String, _ path: String, number: Int32) {
    code =
      switch number {
      case EEXIST: .exists
      case ENOENT, ENOTDIR: .missing
      case EACCES, EPERM: .permission
      case EROFS: .readOnly
      case ENOSPC, EDQUOT, EFBIG: .full
      default: .system
      }
    self.path = path
    var text = "cannot \(action) \(path): \(Self.words(of: number))"
    if let advice = Self.advice(for: code) { text += "; \(advice)" }
    description = text
  }

  /// Describes a failure that has no error number.
  ///
  /// - Parameters:
  ///   - action: What was tried.
  ///   - path: The file or folder.
  ///   - reason: Why it did not work.
  package init(_ action: String, _ path: String, reason: String) {
    code = .system
    self.path = path
    description = "cannot \(action) \(path): \(reason)"
  }

  /// Describes a file that cannot be read to its end.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - reason: What is wrong with it, and where.
  package init(damaged path: String, reason: String) {
    code = .damaged
    self.path = path
    description =
      "\(path) is damaged: \(reason); `ibkr verify` says all that is wrong, and --repair keeps "
      + "every good line"
  }

  /// Describes a file that would be replaced, though nobody has said that it may be.
  ///
  /// - Parameter path: The file.
  package init(inTheWay path: String) {
    code = .exists
    self.path = path
    description =
      "\(path) is there already and was left alone; --force replaces it, -o names another place"
  }

  /// Describes a disk that has less space than is to be left free.
  ///
  /// - Parameters:
  ///   - path: The directory.
  ///   - free: How many bytes are free.
  package init(lowSpaceOn path: String, free: Int) {
    code = .full
    self.path = path
    description =
      "cannot write \(path): only \(free >> 20) MiB are free on the disk; free some space or allow "
      + "less to be left"
  }

  /// Describes a directory that another process writes to.
  ///
  /// - Parameters:
  ///   - path: The directory.
  ///   - holder: What is known of the other process; empty for nothing.
  package init(inUse path: String, by holder: String) {
    code = .inUse
    self.path = path
    let who = holder.isEmpty ? "another recorder" : "another recorder (\(holder))"
    description =
      "cannot record into \(path): \(who) is using it; stop that one or choose another directory"
  }

  private static func advice(for code: Code) -> String? {
    switch code {
    case .permission: "make it writable for this user or choose another directory"
    case .readOnly: "mount it for writing or choose another directory"
    case .full: "free some space, raise the limit or choose another disk"
    default: nil
    }
  }

  private static func words(of number: Int32) -> String {
    var words = [CChar](repeating: 0, count: 128)
    guard strerror_r(number, &words, words.count) == 0 else { return "error \(number)" }
    return words.withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
