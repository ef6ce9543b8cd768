// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import ArgumentParser
import Glibc
import HTTP1
import HTTPClient
import JSON
import Transport

/// `ibkr top`: how a running recorder is getting on.
struct TopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top",
    abstract: "Show how a running recorder is getting on.",
    discussion: """
      Examples:
        ibkr record AAPL MSFT -o data --metrics :9464
        ibkr top
        ibkr top --url http://127.0.0.1:9464 --json | jq .troubles

      It asks the recorder's --metrics address once a second. On a terminal it stays: q or \
      Ctrl-C ends it, the arrows, PgUp and PgDn scroll. In a pipe it prints once, or -c times.
      """
  )

  @Option(help: ArgumentHelp("The recorder's address, as its --metrics says.", valueName: "url"))
  var url = "http://127.0.0.1:9464"

  @Flag(help: "Print what the recorder says, as one JSON line.")
  var json = false

  @OptionGroup(title: "Limits") var limits: EndOptions
  @OptionGroup(title: "Logging") var log: LogOptions

  func validate() throws {
    _ = try address()
  }

  /// The address to ask.
  private func address() throws -> WebURL {
    var text = url
    if text.hasPrefix(":") { text = "127.0.0.1\(text)" }
    if !text.contains("://") { text = "http://\(text)" }
    while text.hasSuffix("/") { text.removeLast() }
    if !text.hasSuffix("/status") { text += "/status" }
    guard let address = try? WebURL(text), address.scheme == .http else {
      throw ValidationError(
        "'\(url)' is no address of a recorder: write what its --metrics says, as "
          + "http://127.0.0.1:9464"
      )
    }
    return address
  }

  func run() async throws {
    let address = try address()
    let stop = try Stop(after: limits.duration?.duration)
    let loop = try EventLoop(name: "top")
    defer { loop.stop() }
    let terminal = Terminal(STDOUT_FILENO, withoutColour: log.noColor)
    let connector = NetworkConnector()
    // Not through a proxy: what a recorder says of itself is for this network.
    let client = HTTPClient(loop: loop) { url, deadline in
      try await connector.connect(
        to: Endpoint(host: url.host, port: url.port, security: .plaintext),
        on: loop,
        deadline: deadline
      )
    }
    // What cannot be reached at the start is an error; later it may come back.
    let first = try await Self.ask(client, address)
    if terminal.hasCursor, !json {
      let top = TopScreen(first, at: loop.now, from: address.origin)
      let screen = try LiveScreen(top, terminal) { stop.finish() }
      try await screen.during {
        _ = try await stop.unlessAsked {
          var left = (limits.count ?? .max) - 1
          while left > 0 {
            try await loop.sleep(for: .seconds(1))
            left -= 1
            do throws(RecorderSilent) {
              top.take(try await Self.ask(client, address), at: loop.now)
            } catch {
              top.fail("\(error)")
            }
          }
        }
      }
    } else {
      _ = try await stop.unlessAsked {
        try await print(first, client, address, loop)
      }
    }
    await client.close()
  }

  private func print(
    _ first: JSONValue,
    _ client: HTTPClient,
    _ address: WebURL,
    _ loop: EventLoop
  ) async throws {
    var (status, before) = (first, RecorderStatus?.none)
    // Rates need two looks, which a program can take itself.
    var left = limits.count ?? (limits.duration == nil ? 1 : .max)
    while true {
      let new = RecorderStatus(status, at: loop.now)
      let text = json ? status.text + "\n" : TopFrame.plain(new, since: before)
      guard Output.write(Array(text.utf8), to: STDOUT_FILENO) else { return }
      left -= 1
      guard left > 0 else { return }
      before = new
      try await loop.sleep(for: .seconds(1))
      status = try await Self.ask(client, address)
    }
  }

  private static func ask(
    _ client: HTTPClient,
    _ address: WebURL
  ) async throws(RecorderSilent) -> JSONValue {
    let response: HTTPResponse
    do throws(HTTPClientError) {
      response = try await client.send(
        HTTPClientRequest(.get, address, timeout: .seconds(5))
      )
    } catch {
      let why =
        switch error.code {
        case .cannotConnect: "nothing listens there"
        case .timedOut: "it is silent for 5 s"
        default: "\(error)"
        }
      throw RecorderSilent(address: address.origin, why: why)
    }
    guard response.head.status == 200, let status = try? JSONValue(parsing: response.body),
      status["subscriptions"]?.elements != nil
    else {
      throw RecorderSilent(
        address: address.origin,
        why: "what answers there is no recorder (status \(response.head.status))"
      )
    }
    return status
  }
}

/// That no recorder answers.
struct RecorderSilent: Error, Hashable, CustomStringConvertible {
  let address: String
  let why: String

  var description: String { "no recorder answers at \(address): \(why)" }
}
