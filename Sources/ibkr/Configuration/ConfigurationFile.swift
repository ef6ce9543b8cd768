// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import Glibc
import IBKR
import JSON

/// A file with options for the commands, and with variables.
///
/// It is one JSON object: options of every command that has them (`gateway`, `ca`, `log-level`), an
/// object for each command with options of its own (`record`), and one for variables
/// (`variables`). A key that nothing understands is refused, and so is a secret.
struct ConfigurationFile: Sendable {
  /// One setting.
  struct Entry: Sendable {
    /// The commands' names, empty for all commands that have the option.
    let command: [String]
    let key: String
    /// One value, several, or for a flag none.
    let values: [String]
    /// Whether a flag is set.
    let isOn: Bool
    let line: Int

    /// The key with its section, as `record.rotate`.
    var name: String { (command + [key]).joined(separator: ".") }
  }

  /// The options that may stand outside of a section: they mean the same for every command.
  static let common = [
    "gateway", "oauth", "simulate", "ca", "pin", "insecure", "wait", "compete", "region", "quiet",
    "verbose", "log-level", "no-cache", "refresh",
  ]

  let path: String
  private(set) var entries: [Entry] = []
  private(set) var variables: [(name: String, value: String, line: Int)] = []

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: The file, for errors.
  ///   - text: What stands in it.
  /// - Throws: `IbkrError` with `invalidConfiguration`, with the line.
  init(path: String, text: String) throws(IbkrError) {
    self.path = path
    let bytes = Array(text.utf8)
    let value: JSONValue
    let lines: [[String]: Int]
    do {
      value = try JSONValue(parsing: bytes)
      lines = Dictionary(try JSONKeyPlaces.lines(in: bytes).map { ($0.path, $0.line) }) { $1 }
    } catch {
      let line = JSONKeyPlaces.line(of: error.offset, in: bytes)
      throw IbkrError(
        .invalidConfiguration,
        "\(path):\(line): \(error)",
        remedy: "write one JSON object, as ibkr config init does"
      )
    }
    guard let members = value.members else {
      throw IbkrError(
        .invalidConfiguration,
        "\(path):1: not an object",
        remedy: "write one JSON object, as ibkr config init does"
      )
    }
    for member in members where !member.key.hasPrefix("//") {
      let line = lines[[member.key]] ?? 1
      if member.key == "variables" {
        try readVariables(member.value, line, lines)
      } else if let command = CommandTree.program.subcommands.first(where: {
        $0.name == member.key
      }) {
        try readSection(member.value, [member.key], command, line, lines)
      } else if Self.common.contains(member.key) {
        let option = CommandTree.program.subcommands.lazy.compactMap { $0.option(member.key) }.first
        try read(member.value, member.key, [], option, line)
      } else {
        let known = Self.common + CommandTree.program.subcommands.map(\.name) + ["variables"]
        throw unknown(member.key, line, known, member.key)
      }
    }
  }

  private mutating func readSection(
    _ value: JSONValue,
    _ command: [String],
    _ tree: CommandTree,
    _ line: Int,
    _ lines: [[String]: Int]
  ) throws(IbkrError) {
    guard let members = value.members else {
      throw complaint(line, "\(command.joined(separator: ".")) is no object with options")
    }
    for member in members where !member.key.hasPrefix("//") {
      let line = lines[command + [member.key]] ?? line
      if let subcommand = tree.subcommands.first(where: { $0.name == member.key }) {
        try readSection(member.value, command + [member.key], subcommand, line, lines)
      } else if let option = tree.option(member.key) {
        try read(member.value, member.key, command, option, line)
      } else {
        let name = (command + [member.key]).joined(separator: ".")
        let known = tree.options.map(\.key) + tree.subcommands.map(\.name)
        throw unknown(name, line, known, member.key)
      }
    }
  }

  private mutating func read(
    _ value: JSONValue,
    _ key: String,
    _ command: [String],
    _ option: CommandTree.Option?,
    _ line: Int
  ) throws(IbkrError) {
    let name = (command + [key]).joined(separator: ".")
    var values: [String] = []
    var isOn = true
    switch (value, option?.kind) {
    case (.null, _): return
    case (.bool(let flag), .flag): isOn = flag
    case (_, .flag): throw complaint(line, "\(name) is true or false")
    case (.string(let text), _), (.number(let text), _): values = [text]
    case (.array(let elements), _):
      for element in elements {
        switch element {
        case .string(let text), .number(let text): values.append(text)
        default: throw complaint(line, "\(name) is a list of texts and numbers")
        }
      }
      if option?.isRepeating != true { values = [values.joined(separator: ",")] }
    case (.bool, _), (.object, _): throw complaint(line, "\(name) is a text or a number")
    }
    if values.contains(where: { $0.hasPrefix("-") && $0.count > 1 }) {
      throw complaint(line, "\(name) begins with a hyphen")
    }
    entries.append(Entry(command: command, key: key, values: values, isOn: isOn, line: line))
  }

  private mutating func readVariables(
    _ value: JSONValue,
    _ line: Int,
    _ lines: [[String]: Int]
  ) throws(IbkrError) {
    guard let members = value.members else {
      throw complaint(line, "variables is no object with names and values")
    }
    for member in members where !member.key.hasPrefix("//") {
      let line = lines[["variables", member.key]] ?? line
      if let secret = SecretName.allCases.first(where: { $0.variable == member.key }) {
        throw complaint(
          line,
          "\(member.key) is a secret, which does not belong into this file",
          "write it into a file of its own, chmod 600, and name that with \(secret.fileVariable)"
        )
      }
      guard Setting.settable.contains(member.key) else {
        throw unknown("variables.\(member.key)", line, Setting.settable, member.key)
      }
      let text =
        switch member.value {
        case .string(let text), .number(let text): text
        case .bool(let flag): flag ? "True" : "False"
        default: ""
        }
      guard !text.isEmpty else {
        throw complaint(line, "variables.\(member.key) is a text, a number, true or false")
      }
      guard !text.contains("@") || !text.contains("://") else {
        throw complaint(
          line,
          "variables.\(member.key) has a password in it, which does not belong into this file",
          "set it in the environment"
        )
      }
      variables.append((member.key, text, line))
    }
  }

  private func unknown(
    _ name: String,
    _ line: Int,
    _ known: [String],
    _ key: String
  ) -> IbkrError {
    // Somebody may write an option's name with underscores.
    let spelt = String(key.map { $0 == "_" ? "-" : $0 })
    let near = known.contains(spelt) ? spelt : Spelling.nearest(to: key, in: known)
    let list =
      known.count > 24
      ? "ibkr config init --force writes an example"
      : "there are "
        + known.sorted().joined(separator: ", ")
    return complaint(line, "\(name) means nothing", near.map { "did you mean \($0)?" } ?? list)
  }

  private func complaint(_ line: Int, _ what: String, _ remedy: String? = nil) -> IbkrError {
    IbkrError(.invalidConfiguration, "\(path):\(line): \(what)", remedy: remedy)
  }

  // MARK: Checking

  /// Tries every value as the commands would.
  ///
  /// - Throws: `IbkrError` with `invalidConfiguration` for the first that is refused, with its line.
  func check() throws(IbkrError) {
    for entry in entries where entry.isOn {
      let commands =
        entry.command.isEmpty
        ? CommandTree.program.subcommands.filter { $0.option(entry.key) != nil }.prefix(1).map {
          [$0.name]
        } : [entry.command]
      for command in commands {
        let (tree, _) = CommandTree.program.command(in: command)
        guard let option = tree.option(entry.key) else { continue }
        // Something for what the command cannot do without.
        let others = tree.options.filter {
          $0.key != entry.key && ($0.isRequired || $0.kind == .positional && $0.isRepeating)
        }
        let line = command + others.flatMap { $0.words(["1"]) } + option.words(entry.values)
        do {
          _ = try IBKRCommand.parseAsRoot(line)
        } catch {
          throw complaint(entry.line, "\(entry.name): \(IBKRCommand.message(for: error))")
        }
      }
    }
    let named = Dictionary(variables.map { ($0.name, $0.value) }) { $1 }
    for (name, value, line) in variables {
      do throws(IbkrError) {
        _ = try IbkrConfiguration(environment: [name: value])
        _ = try StreamConfiguration(environment: [name: value])
      } catch {
        throw complaint(line, error.description)
      }
    }
    do throws(IbkrError) {
      _ = try IbkrConfiguration(environment: named)
    } catch {
      throw IbkrError(.invalidConfiguration, "\(path): \(error)")
    }
  }
}

extension CommandTree.Option {
  /// The words of a command line that set it.
  func words(_ values: [String]) -> [String] {
    let name = names.first { $0.hasPrefix("--") } ?? names.first ?? ""
    return switch kind {
    case .positional: values
    case .flag: [name]
    case .option: values.flatMap { [name, $0] }
    }
  }
}
