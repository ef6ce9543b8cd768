// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import JSON

/// What a command understands, as its help lists it.
///
/// The configuration file has a section for each command, and keys for its options: what a command
/// learns, the file knows.
struct CommandTree: Sendable {
  /// An option, a flag, or what stands without a name.
  struct Option: Sendable {
    enum Kind: String, Sendable {
      case option, flag, positional
    }

    let kind: Kind
    /// The name in the file: the long name, or what stands for arguments without one.
    let key: String
    /// All names, with their hyphens.
    let names: [String]
    let isRequired: Bool
    let isRepeating: Bool
  }

  let name: String
  let options: [Option]
  let subcommands: [CommandTree]

  /// The whole program.
  static let program: CommandTree = {
    let help = try? JSONValue(parsing: Array(IBKRCommand._dumpHelp().utf8))
    return CommandTree(help?["command"] ?? .null)
  }()

  /// What makes no sense in a file.
  private static let hidden: Set<String> = ["help", "version", "config"]

  init(_ value: JSONValue) {
    name = value["commandName"]?.string ?? ""
    subcommands = (value["subcommands"]?.elements ?? []).map { CommandTree($0) }
      .filter { $0.name != "help" }
    options = (value["arguments"]?.elements ?? []).compactMap { argument in
      guard let kind = argument["kind"]?.string.flatMap(Option.Kind.init) else { return nil }
      let isRepeating = argument["isRepeating"]?.bool ?? false
      let names = (argument["names"]?.elements ?? []).compactMap { name -> String? in
        name["name"]?.string.map { (name["kind"]?.string == "short" ? "-" : "--") + $0 }
      }
      let long = names.first { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) }
      let value = argument["valueName"]?.string.map { $0 + (isRepeating ? "s" : "") }
      guard let key = kind == .positional ? value : long, !Self.hidden.contains(key) else {
        return nil
      }
      return Option(
        kind: kind,
        key: key,
        names: names,
        isRequired: argument["isOptional"]?.bool == false,
        isRepeating: isRepeating
      )
    }
  }

  /// The option of a key.
  func option(_ key: String) -> Option? { options.first { $0.key == key } }

  /// The command that a command line begins with, and how many words name it.
  func command(in arguments: [String]) -> (tree: CommandTree, path: [String]) {
    var tree = self
    var path: [String] = []
    for argument in arguments {
      guard let next = tree.subcommands.first(where: { $0.name == argument }) else { break }
      tree = next
      path.append(argument)
    }
    return (tree, path)
  }

  /// The keys that a command line sets.
  ///
  /// - Parameter arguments: What stands behind the command's name.
  /// - Returns: The keys, and the words that say neither.
  func keys(in arguments: [String]) -> Set<String> {
    var keys: Set<String> = []
    var rest = arguments[...]
    let positional = options.first { $0.kind == .positional }
    while let word = rest.popFirst() {
      guard word.hasPrefix("-"), word.count > 1 else {
        if let positional { keys.insert(positional.key) }
        continue
      }
      let name = String(word.prefix { $0 != "=" })
      // Short flags may stand together: -qv.
      let names = name.hasPrefix("--") ? [name] : name.dropFirst().map { "-\($0)" }
      for option in options where !Set(option.names).isDisjoint(with: names) {
        keys.insert(option.key)
        if option.kind == .option, !word.contains("=") { rest = rest.dropFirst() }
      }
    }
    return keys
  }
}
