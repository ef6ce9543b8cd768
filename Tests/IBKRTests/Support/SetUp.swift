// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Crypto
import Flow
import Glibc
import IBKR

/// What a user of OAuth has on disk and in the environment, all of it right.
final class SetUp {
  let folder: String
  var environment: [String: String]

  /// Keys that all set-ups share, because making them takes a while.
  struct Keys: Sendable {
    let signature: PrivateKey
    let encryption: PrivateKey
    let token = "8d1f0c27ab5e94630b7a"
    /// The secret, encrypted to the encryption key.
    let secret: String

    static let shared = try? Keys()

    init() throws {
      signature = try PrivateKey(generating: .rsa(bits: 2048))
      encryption = try PrivateKey(generating: .rsa(bits: 2048))
      let publicKey = try PublicKey(pem: encryption.publicPEM())
      secret = Base64.encode(try publicKey.encrypt(try SecureRandom.bytes(count: 32)))
    }
  }

  struct Failure: Error {
    let number: Int32
  }

  init() throws {
    var template = Array("/tmp/set-up-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil, let keys = Keys.shared else { throw Failure(number: errno) }
    folder = template.withUnsafeBytes { String(decoding: $0.dropLast(), as: UTF8.self) }
    environment = [
      "IBIND_USE_OAUTH": "True", "IBIND_OAUTH1A_CONSUMER_KEY": "SIMULATED",
      "IBIND_OAUTH1A_ACCESS_TOKEN": keys.token,
      "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET": keys.secret, "IBIND_OAUTH1A_DH_PRIME": Self.prime,
    ]
    try write(keys.encryption.privatePEM(), to: "private_encryption.pem")
    try write(keys.signature.privatePEM(), to: "private_signature.pem")
    for kind in ["encryption", "signature"] {
      environment["IBIND_OAUTH1A_\(kind.uppercased())_KEY_FP"] = "\(folder)/private_\(kind).pem"
    }
  }

  deinit {
    for name in names { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }

  private(set) var names: Set<String> = []

  /// Writes a file of the folder, for its owner alone.
  func write(_ text: String, to name: String, mode: mode_t = 0o600) throws {
    let file = open("\(folder)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard file >= 0 else { throw Failure(number: errno) }
    defer { close(file) }
    names.insert(name)
    guard Glibc.write(file, text, text.utf8.count) == text.utf8.count, fchmod(file, mode) == 0
    else { throw Failure(number: errno) }
  }

  /// RFC 3526 section 3: a safe prime of 2048 bits, with which 2 generates.
  static let prime =
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
    + "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b"
    + "0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da4836"
    + "1c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804"
    + "f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6"
    + "955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff"
}

/// What a diagnosis has reported.
final class Reports: Sendable {
  private let list = Locked<[Check]>([])

  func add(_ check: Check) { list.withLock { $0.append(check) } }

  var all: [Check] { list.withLock { $0 } }
}
