// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Flow
import IBKR
import Recording

/// What to type next after an error.
enum Advice {
  /// The command that helps with an error, in a sentence.
  ///
  /// - Parameters:
  ///   - error: What went wrong.
  ///   - arguments: The command line, without the program's name.
  /// - Returns: nil where the error itself says what to do.
  static func next(after error: any Error, _ arguments: [String]) -> String? {
    let connection = connection(in: arguments)
    switch error {
    case let error as IbkrError:
      switch error.code {
      case .network, .timeout, .unexpectedAnswer:
        return "to see what is wrong: \(command("doctor", connection))"
      case .untrusted:
        let gateway = connection.isEmpty ? "" : " " + connection.joined(separator: " ")
        return "to see the key that it has: ibkr doctor\(gateway)"
      case .authentication, .sessionGone, .competing:
        return connection.contains("--oauth")
          ? "to check the keys: ibkr auth check"
          : "to see the session's state: \(command("doctor", connection))"
      case .unknownSymbol where error.place == nil:
        return "to find it by name: \(command("search TEXT", connection))"
      case .invalidConfiguration where error.what.contains("OAuth"):
        return "to make keys: ibkr auth setup; to check them: ibkr auth check"
      case .invalidConfiguration where isInFile(error.what):
        return "to try it again: \(command("config check", []))"
      case .invalidConfiguration:
        return "to see what is in effect, and from where: ibkr config show"
      default: return nil
      }
    case let error as RecorderSilent:
      let place = error.address.replacing("http://", with: "")
      return
        "to let it answer: ibkr record SYMBOL -o DIR --metrics \(place); another one: ibkr top --url"
    case let error as StorageError where error.code != .damaged:
      guard let directory = value(of: ["-o", "--output"], in: arguments) else {
        return error.code == .missing ? "give the directory that ibkr record -o has written" : nil
      }
      return "to see what is wrong: ibkr doctor --offline -o \(ShellWord.quoted(directory))"
    default: return nil
    }
  }

  /// The sentence about a word where a command was expected, nil if the command line has none.
  ///
  /// - Parameter arguments: The command line, without the program's name.
  /// - Returns: The sentence.
  static func unknownCommand(in arguments: [String]) -> String? {
    var subcommands = IBKRCommand.configuration.subcommands
    var path = "ibkr"
    for argument in arguments {
      guard !subcommands.isEmpty, !argument.hasPrefix("-"), argument != "help" else { return nil }
      if let next = subcommands.first(where: { $0.configuration.commandName == argument }) {
        subcommands = next.configuration.subcommands
        path += " \(argument)"
        continue
      }
      let names = subcommands.compactMap { $0.configuration.commandName }
      let word = ShellWord.quoted(argument)
      if let near = Spelling.nearest(to: argument.lowercased(), in: names) {
        return "there is no command \(path) \(word): did you mean \(path) \(near)?"
      }
      if path == "ibkr", argument == argument.uppercased(), (try? InstrumentName(argument)) != nil {
        return "there is no command \(path) \(word): did you mean ibkr stream \(word)?"
      }
      return "there is no command \(path) \(word): there are \(names.joined(separator: ", "))"
    }
    return nil
  }

  private static func command(_ name: String, _ connection: [String]) -> String {
    (["ibkr", name] + connection).joined(separator: " ")
  }

  /// Whether a sentence begins with a file and a line.
  private static func isInFile(_ what: String) -> Bool {
    what.split(separator: ":", maxSplits: 2).dropFirst().first.flatMap { Int($0) } != nil
  }

  /// The options that say which server is meant, to be said again.
  private static func connection(in arguments: [String]) -> [String] {
    var words: [String] = []
    for flag in ["--oauth", "--simulate", "--insecure"] where arguments.contains(flag) {
      words.append(flag)
    }
    for option in ["--gateway", "--ca", "--pin", "--config"] {
      guard let value = value(of: [option], in: arguments) else { continue }
      // An address may have a password in it, though it is refused.
      words += [option, value.contains("@") ? "…" : ShellWord.quoted(value)]
    }
    return words
  }

  private static func value(of names: [String], in arguments: [String]) -> String? {
    for (index, argument) in arguments.enumerated() {
      for name in names {
        if argument == name, index + 1 < arguments.count { return arguments[index + 1] }
        if argument.hasPrefix("\(name)=") { return String(argument.dropFirst(name.count + 1)) }
      }
    }
    return nil
  }
}

/// A word that none of a list's is, with the one that may have been meant.
struct UnknownWord: Error, CustomStringConvertible {
  let description: String

  /// - Parameters:
  ///   - kind: What it should have been: `channel`.
  ///   - word: What was written.
  ///   - known: What there is.
  ///   - command: What lists them, if they are too many to be named.
  init(_ kind: String, _ word: String, known: [String], command: String? = nil) {
    let near = Spelling.nearest(to: word.lowercased(), in: known)
    let help =
      near.map { "did you mean \($0)?" }
      ?? command.map { "they are listed by: \($0)" } ?? "there are \(known.joined(separator: ", "))"
    description = "there is no \(kind) '\(word)': \(help)"
  }
}
