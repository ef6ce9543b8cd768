// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import ArgumentParser
import Glibc
public import Recording

/// `ibkr export`: a recording as files that other programs read.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write a recording as Parquet, CSV or SQLite.",
    discussion: """
      Examples:
        ibkr export data --to parquet -o lake
        ibkr export data --to csv --channels quote --symbol AAPL --from 2026-11-23 -o - | head
        ibkr export data --to sqlite -o data.sqlite

      Every channel has the columns and types that it has in the recording. A file gets its name when \
      it is whole, synced, and has as many rows as were read; the rows are counted anew from the disk. \
      Nothing that is there already is replaced without --force. Lines that are damaged are left out, \
      counted and named, and make the exit code 6.

      Parquet: times are TIMESTAMP in nanoseconds (UTC), lists are LIST, decimal numbers DOUBLE; with \
      --exact DECIMAL(38,12), with every digit. CSV: RFC 4180, digits and times as they were recorded, \
      null is an empty field, lists are JSON. SQLite: a table for each channel, times in nanoseconds; \
      exporting into a database of ours once more adds what is new.

      --by date makes a file for each channel and day (ch=quote/date=2026-11-23/quote.parquet), \
      --by channel one for each channel. With -o - a single channel goes to standard output as CSV.
      """
  )

  @Argument(
    help: ArgumentHelp("The recording's directory.", valueName: "path"),
    completion: .directory
  )
  var path: String

  @Option(
    name: .customLong("to"),
    help: ArgumentHelp(
      "What to write: \(ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")).",
      valueName: "format"
    )
  )
  var format: ExportFormat

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp(
      "The directory, or for SQLite the database; by default beside you, named after the recording.",
      valueName: "path"
    ),
    completion: .file()
  )
  var output: String?

  @Option(
    help: ArgumentHelp("Only these: \(ChannelList.help).", valueName: "channel,…"),
    transform: ChannelList.parse
  )
  var channels: ChannelList?

  @Option(
    help: ArgumentHelp(
      "From when on, in UTC: 2026-11-23, 2026-11-23T14:30:00.5, or nanoseconds since 1970.",
      valueName: "time"
    )
  )
  var from: Moment?

  // `--to` says the format here.
  @Option(
    name: [.customLong("to-time"), .customLong("until")],
    help: ArgumentHelp("Until when; that moment is not included.", valueName: "time")
  )
  var until: Moment?

  @Option(
    name: [.customLong("symbols"), .customLong("symbol")],
    help: ArgumentHelp(
      "Only these instruments, by symbol or conid, and what concerns none.",
      valueName: "symbol,…"
    )
  )
  var symbols: String?

  @Option(
    name: .customLong("by"),
    help: ArgumentHelp(
      "A file for each day of a channel, or for each channel.",
      valueName: "layout"
    )
  )
  var layout = ExportLayout.day

  @Flag(help: "Keep all digits of decimal numbers: DECIMAL in Parquet, text in SQLite.")
  var exact = false

  @Flag(help: "Replace files that are there already.")
  var force = false

  @Flag(help: "Print NDJSON: a line for each channel.")
  var json = false

  @OptionGroup(title: "Logging") var log: LogOptions

  func validate() throws {
    if let from, let until, from.realtime >= until.realtime {
      throw ValidationError("--from must be before --to-time")
    }
    if let reason = format.unavailability { throw ValidationError(reason) }
    guard output == "-" else { return }
    guard format == .csv, channels?.channels.count == 1 else {
      throw ValidationError(
        "-o - takes --to csv and one of --channels: that is what a pipe can hold"
      )
    }
  }

  func run() throws {
    let reader = try RecordingReader(directory: path)
    let names = symbols?.split(separator: ",").map(String.init) ?? []
    var configuration = RecordingExport.Configuration()
    configuration.format = format
    configuration.channels = channels?.channels
    configuration.layout = layout
    configuration.isExact = exact
    configuration.replaces = force
    configuration.excerpt = Excerpt(
      from: from?.realtime,
      to: until?.realtime,
      conids: names.isEmpty ? [] : try reader.conids(named: names)
    )
    let export = RecordingExport(of: reader, configuration: configuration)
    let place = output ?? Self.place(of: CoverageCommand.name(of: path), format)
    let isPipe = output == "-"
    let report: ExportReport
    if isPipe, let channel = channels?.channels.first {
      var isGone = false
      do {
        report = try export.run(channel) { bytes throws(StorageError) in
          guard !Output.write(bytes, to: STDOUT_FILENO) else { return }
          isGone = errno == EPIPE
          throw StorageError("write", "standard output", number: errno)
        }
      } catch {
        // As with `| head`: whoever has read enough is content.
        if isGone { return }
        throw error
      }
    } else {
      report = try export.run(into: place)
    }
    tell(report, of: isPipe ? nil : place)
    if report.damageCount > 0 { throw DamageFound() }
  }

  /// Where the files go when nobody says.
  static func place(of name: String, _ format: ExportFormat) -> String {
    format == .sqlite ? "\(name).sqlite" : "\(name)-\(format.rawValue)"
  }

  private func tell(_ report: ExportReport, of place: String?) {
    for damage in report.damages { Output.write("damaged: \(damage)\n", to: 2) }
    let rest = report.damageCount - report.damages.count
    if rest > 0 { Output.write("damaged: and \(rest) more; see `ibkr verify`\n", to: 2) }
    for figures in report.channels where figures.roundedNumbers > 0 {
      Output.write(
        "warning: \(figures.roundedNumbers) numbers of \(figures.channel.rawValue) have more digits "
          + "than a floating-point number holds; --exact keeps them\n",
        to: 2
      )
    }
    for figures in report.channels where figures.unfinishedLines > 0 && !log.quiet {
      Output.write(
        "left out: \(figures.unfinishedLines) lines of \(figures.channel.rawValue) that have no end "
          + "yet\n",
        to: 2
      )
    }
    if json {
      for figures in report.channels { Output.write(figures.json, to: place == nil ? 2 : 1) }
    } else if !log.quiet {
      Output.write(Self.table(report), to: place == nil ? 2 : 1)
      if let place, report.channels.contains(where: { $0.files > 0 }) {
        Output.write("wrote \(place)\n", to: 2)
      }
    }
  }

  /// The figures for a person.
  static func table(_ report: ExportReport) -> String {
    guard !report.channels.isEmpty else { return "there is nothing to export\n" }
    var table = TextTable([
      ("CHANNEL", .left), ("READ", .right), ("WRITTEN", .right), ("DAMAGED", .right),
      ("FILES", .right), ("BYTES", .right),
    ])
    for figures in report.channels {
      table.append(
        [figures.channel.rawValue]
          + [
            figures.rowsRead, figures.rowsWritten, figures.damageCount, figures.files,
            figures.bytes,
          ]
          .map(String.init)
      )
    }
    return table.text
  }
}

extension ExportFormat: ExpressibleByArgument {}

extension ExportLayout: ExpressibleByArgument {}
