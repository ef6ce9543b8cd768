// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto

/// A key, token, cookie or password that must not be printed by accident.
///
/// Every way by which Swift turns a value into text gives `<redacted>`: interpolation, `print`,
/// `dump`, `String(describing:)`, `String(reflecting:)` and reflection. It has no `Codable` form.
/// The bytes are compared in constant time, and overwritten when the last copy of the value goes.
/// A `String` made by `exposedText` is an ordinary string and is not overwritten; make it late and
/// keep it short.
public struct Secret: Sendable, Equatable {
  private let storage: SecretStorage

  /// Keeps the UTF-8 bytes of a text.
  ///
  /// - Parameter text: The secret; the caller's own copy is not changed.
  public init(_ text: some StringProtocol) {
    storage = SecretStorage(copying: text.utf8)
  }

  /// Keeps bytes that need not be text.
  ///
  /// - Parameter bytes: The secret; the caller's own copy is not changed.
  public init(bytes: some Collection<UInt8>) {
    storage = SecretStorage(copying: bytes)
  }

  /// Whether there are no bytes.
  public var isEmpty: Bool { storage.bytes.isEmpty }

  /// The number of bytes.
  public var byteCount: Int { storage.bytes.count }

  /// Lends the bytes for the length of a call.
  ///
  /// - Parameter body: Gets the bytes; it must not let them out.
  /// - Returns: What `body` returns.
  /// - Throws: What `body` throws.
  public func withExposedBytes<Result, Failure>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // The class keeps the memory, and `storage` lives until the end of this call.
    defer { withExtendedLifetime(storage) {} }
    return try body(storage.bytes.bindMemory(to: UInt8.self).span)
  }

  /// The secret as a string; bytes that are not UTF-8 become U+FFFD.
  public var exposedText: String {
    withExtendedLifetime(storage) { String(decoding: storage.bytes, as: UTF8.self) }
  }

  /// The secret as an array.
  public var exposedBytes: [UInt8] {
    withExtendedLifetime(storage) { Array(storage.bytes) }
  }

  /// Compares the bytes in a time that depends on the lengths only.
  public static func == (first: Secret, second: Secret) -> Bool {
    withExtendedLifetime((first.storage, second.storage)) {
      SecureMemory.areEqual(
        UnsafeRawBufferPointer(first.storage.bytes),
        UnsafeRawBufferPointer(second.storage.bytes)
      )
    }
  }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// Always `<redacted>`.
  public var description: String { "<redacted>" }

  /// Always `<redacted>`.
  public var debugDescription: String { description }

  /// A mirror without children, so that `dump` shows nothing either.
  public var customMirror: Mirror { Mirror(self, children: []) }
}

/// The bytes of a secret, in memory of their own so that they can be overwritten.
///
/// `@unchecked Sendable`: written in `init` and `deinit` only, when nobody else can have a
/// reference.
private final class SecretStorage: @unchecked Sendable {
  let bytes: UnsafeMutableRawBufferPointer

  init(copying source: some Collection<UInt8>) {
    bytes = .allocate(byteCount: source.count, alignment: 1)
    bytes.copyBytes(from: source)
  }

  deinit {
    SecureMemory.wipe(bytes)
    bytes.deallocate()
  }
}
