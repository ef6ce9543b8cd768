// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import IBKR

/// A command line with what the configuration file adds to it.
///
/// Flags come before variables, those before the file, and that before defaults.
struct Configured: Sendable {
  /// Where a value of the file has come to.
  struct Place: Sendable {
    let name: String
    let value: String
    let line: Int
    /// What is before it: `flag`, `environment`; nil if it counts.
    let overriddenBy: String?
  }

  /// The command line of this process, once it is known.
  @TaskLocal static var current = Configured()

  /// The file that was read, nil for none.
  private(set) var path: String?
  /// The command line to be understood, without the program's name and `--config`.
  private(set) var arguments: [String] = []
  /// The options that the file has added, or would have.
  private(set) var places: [Place] = []
  /// The file's variables, with their lines.
  private(set) var fileVariables: [String: (value: String, line: Int)] = [:]
  /// Why somebody else could change what is recorded, nil if nobody can.
  private(set) var warning: String?
  private var own: [String: String] = [:]
  private var file: ConfigurationFile?

  /// Options of which one excludes the others: with one of them on the command line, or its
  /// variable set, the file's are left out.
  private static let groups: [(keys: Set<String>, variables: [String])] = [
    (["gateway", "oauth", "simulate"], ["IBIND_REST_URL", "IBIND_USE_OAUTH"]),
    (["ca", "pin", "insecure"], ["IBIND_CACERT"]),
    (["quiet", "verbose", "log-level"], []), (["no-cache", "refresh"], []),
    (["symbols", "file"], []), (["table", "json", "csv", "raw"], []),
  ]

  private init() {}

  /// Reads a command line, and the file that belongs to it.
  ///
  /// - Parameters:
  ///   - arguments: The command line, without the program's name.
  ///   - variables: The environment.
  /// - Throws: `IbkrError` with `invalidConfiguration`, or `ValidationError` for a file that is not
  ///   there.
  init(_ arguments: [String], variables: [String: String]) throws {
    var words = arguments
    let named = try Self.takeOption("--config", from: &words)
    self.arguments = words
    own = variables
    let asksOnly =
      words.isEmpty || words.contains { ["--help", "-h", "--version", "help"].contains($0) }
    // These look at the file themselves, also at one that cannot be used.
    let looksItself = words.first == "config" && words.dropFirst().first != "show"
    guard !asksOnly, !looksItself, let path = try Self.path(named, variables) else { return }
    let file = try ConfigurationFile(
      path: path,
      text: try TextFile.read(path, as: "the configuration")
    )
    self.path = path
    self.file = file
    warning = Self.exposure(of: path)
    for variable in file.variables {
      fileVariables[variable.name] = (variable.value, variable.line)
    }
    add(file)
  }

  /// The variables that count: those of the process, then those of the file.
  var variables: [String: String] {
    fileVariables.mapValues(\.value).merging(own.filter { !$0.value.isEmpty }) { $1 }
  }

  /// Whether the process itself has a variable.
  func isInEnvironment(_ variable: String) -> Bool { own[variable]?.isEmpty == false }

  /// Tries the file's values, to blame it for what a command line was refused for.
  func check() throws(IbkrError) { try file?.check() }

  private mutating func add(_ file: ConfigurationFile) {
    let (tree, path) = CommandTree.program.command(in: arguments)
    let rest = Array(arguments.dropFirst(path.count))
    let given = tree.keys(in: rest)
    let variables = variables
    var words: [String] = []
    for entry in file.entries {
      let isOfSection = !entry.command.isEmpty
      guard entry.command == path || !isOfSection, let option = tree.option(entry.key) else {
        if isOfSection { note(entry, nil) }
        continue
      }
      var overriddenBy: String?
      // A section's own value counts before one that is for all commands.
      if !isOfSection, file.entries.contains(where: { $0.command == path && $0.key == entry.key }) {
        overriddenBy = "section"
      }
      for group in Self.groups where group.keys.contains(entry.key) {
        if group.variables.contains(where: { variables[$0] != nil }) {
          overriddenBy = "environment"
        }
        if !group.keys.isDisjoint(with: given) { overriddenBy = "flag" }
      }
      // A simulated gateway brings its own certificate.
      let isTrust = ["ca", "pin", "insecure", "gateway", "oauth"].contains(entry.key)
      if given.contains(entry.key) || isTrust && given.contains("simulate") {
        overriddenBy = "flag"
      }
      note(entry, overriddenBy)
      if overriddenBy == nil, entry.isOn { words += option.words(entry.values) }
    }
    arguments = path + words + rest
  }

  private mutating func note(_ entry: ConfigurationFile.Entry, _ overriddenBy: String?) {
    let value = entry.values.isEmpty ? "\(entry.isOn)" : entry.values.joined(separator: " ")
    places.append(
      Place(name: entry.name, value: value, line: entry.line, overriddenBy: overriddenBy)
    )
  }

  // MARK: Where the file is

  /// The places where a file is looked for, in their order, if none is named.
  static func usualPaths(_ variables: [String: String]) -> [String] {
    let base =
      variables["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
      ?? variables["HOME"].map { "\($0)/.config" }
    return ["ibkr.json"] + (base.map { ["\($0)/ibkr/config.json"] } ?? [])
  }

  /// The file that counts: `--config`, `IBKR_CONFIG`, `./ibkr.json`, or the user's own.
  static func path(_ named: String?, _ variables: [String: String]) throws -> String? {
    let chosen = named ?? variables["IBKR_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    guard let chosen else { return usualPaths(variables).first { access($0, F_OK) == 0 } }
    guard access(chosen, R_OK) == 0 else {
      throw ValidationError(
        "cannot read the configuration '\(chosen)': is it there? ibkr config init makes one"
      )
    }
    return chosen
  }

  /// Takes an option with its value out of a command line.
  static func takeOption(_ name: String, from words: inout [String]) throws -> String? {
    let end = words.firstIndex(of: "--") ?? words.endIndex
    if let index = words[..<end].firstIndex(of: name) {
      guard index + 1 < end else { throw ValidationError("\(name) needs the name of a file") }
      defer { words.removeSubrange(index...index + 1) }
      return words[index + 1]
    }
    guard let index = words[..<end].firstIndex(where: { $0.hasPrefix("\(name)=") }) else {
      return nil
    }
    return String(words.remove(at: index).dropFirst(name.count + 1))
  }

  /// That others than its owner can change a file, nil if nobody can.
  static func exposure(of path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & 0o022 != 0 else { return nil }
    return "others can change \(path), and with it what is trusted: chmod 600 "
      + ShellWord.quoted(path)
  }
}
