// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import Monitoring

/// `ibkr service`: recording as a service of the machine.
struct ServiceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "service",
    abstract: "Run the recorder as a service of systemd.",
    discussion: """
      Examples:
        ibkr service print record AAPL MSFT -o data --wait
        sudo ibkr service install record AAPL MSFT -o data --wait
        ibkr service alerts > ibkr.rules.yml
      """,
    subcommands: [
      ServicePrintCommand.self, ServiceInstallCommand.self, ServiceAlertsCommand.self,
    ]
  )
}

/// What a unit is made of.
struct ServiceOptions: ParsableArguments {
  @Argument(
    parsing: .captureForPassthrough,
    help: ArgumentHelp("What the service is to do: record AAPL -o data …", valueName: "command")
  )
  var arguments: [String] = []

  func validate() throws {
    if arguments.first == "--" { return }
    guard arguments.isEmpty || arguments.first == "record" || arguments.contains("--help") else {
      throw ValidationError(
        "a service records: write `ibkr service print record AAPL -o data`, and not "
          + "'\(arguments.joined(separator: " "))'"
      )
    }
  }

  /// The unit, for the program that is running now.
  func unit() throws -> ServiceUnit {
    var words = arguments
    if words.first == "--" { words.removeFirst() }
    if words.isEmpty {
      words = ["record", "-f", "/etc/ibkr/watchlist.txt", "-o", "data", "--wait"]
    }
    // What cannot work shall be said now, and not by the service manager at three in the morning.
    _ = try RecordCommand.parse(Array(words.dropFirst()))
    return ServiceUnit(program: try Self.program(), arguments: words)
  }

  private static func program() throws -> String {
    guard let path = realpath("/proc/self/exe", nil) else {
      throw ValidationError("cannot find out where this program is: is /proc mounted?")
    }
    defer { free(path) }
    return String(cString: path)
  }
}

/// `ibkr service print`: the unit, for a person to look at.
struct ServicePrintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "print",
    abstract: "Print a hardened unit file for systemd.",
    discussion: """
      Examples:
        ibkr service print
        ibkr service print record AAPL MSFT -o data --wait --metrics :9464

      Without a command the service records the instruments of /etc/ibkr/watchlist.txt. Paths are \
      below /var/lib/ibkr, variables (also secrets) come from /etc/ibkr/environment.
      """
  )

  @OptionGroup var service: ServiceOptions

  func run() throws {
    Output.write(try service.unit().text, to: STDOUT_FILENO)
  }
}

/// `ibkr service install`: the unit, in its place.
struct ServiceInstallCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "Write the unit file to /etc/systemd/system/ibkr.service.",
    discussion: """
      Examples:
        sudo ibkr service install record AAPL MSFT -o data --wait

      Nothing is started and nothing overwritten: what to type next is printed.
      """
  )

  @OptionGroup var service: ServiceOptions

  func run() throws {
    let path = "/etc/systemd/system/ibkr.service"
    let text = try service.unit().text
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard file >= 0 else {
      let reason =
        switch errno {
        case EEXIST: "it is there already: look at it, and remove it first if it is to be replaced"
        case EACCES, EPERM: "only root may: write sudo in front"
        default: String(cString: strerror(errno))
        }
      throw ValidationError("cannot write \(path): \(reason)")
    }
    defer { close(file) }
    Output.write(text, to: file)
    Output.write(
      """
      wrote \(path); next:
        sudo systemctl daemon-reload
        sudo systemctl enable --now ibkr
        systemctl status ibkr

      """,
      to: STDERR_FILENO
    )
  }
}

/// `ibkr service alerts`: rules for Prometheus.
struct ServiceAlertsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "Print alert rules for Prometheus.",
    discussion: """
      Examples:
        ibkr service alerts > /etc/prometheus/ibkr.rules.yml

      They go with `ibkr record --metrics`, scraped by a job of the name ibkr.
      """
  )

  func run() throws {
    Output.write(AlertRules.text, to: STDOUT_FILENO)
  }
}
