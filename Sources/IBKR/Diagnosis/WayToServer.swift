// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import HTTPClient
import HTTPTunnel
import Transport

/// The checks of the way to a client's server, each of which starts anew.
enum WayToServer {
  private static let patience = Duration.seconds(10)

  /// Whether the name, the proxy's if there is one, has addresses.
  static func name(_ client: isolated IbkrClient, _ resolver: any Resolver) async -> Check {
    let (host, port) = peer(of: client)
    do throws(TransportError) {
      let addresses = try await resolver.addresses(
        of: host,
        port: port,
        on: client.loop,
        deadline: client.loop.deadline(after: patience)
      )
      let list = addresses.prefix(4).map(\.host).joined(separator: ", ")
      return Check("dns", .network, .passed, "\(host) is \(list)")
    } catch {
      return Check(
        "dns",
        .network,
        .failed,
        "\(error)",
        remedy: "correct the host in the URL, or look at /etc/resolv.conf and the network"
      )
    }
  }

  /// Whether something listens there.
  static func connection(_ client: isolated IbkrClient) async -> Check {
    let (host, port) = peer(of: client)
    do throws(TransportError) {
      let stream = try await client.connector.open(
        host: host,
        port: port,
        on: client.loop,
        deadline: client.loop.deadline(after: patience)
      )
      stream.close()
      let isProxy = proxy(of: client) != nil
      return Check(
        "tcp",
        .network,
        .passed,
        "\(isProxy ? "the proxy " : "")\(host):\(port) takes connections"
      )
    } catch {
      let remedy =
        client.usesOAuth
        ? "let this machine connect to port \(port) of \(host), or name a proxy in HTTPS_PROXY"
        : "start the gateway (bin/run.sh root/conf.yaml) and give its address with --gateway"
      return Check("tcp", .network, .failed, "\(error)", remedy: remedy)
    }
  }

  /// Whether the server is the one that is meant.
  static func encryption(_ client: isolated IbkrClient) async -> Check {
    guard client.base.scheme.isSecure else {
      return Check("tls", .network, .passed, "not wanted by the URL")
    }
    do {
      let stream = try await client.connector.connect(
        to: client.base,
        through: proxy(of: client),
        tls: TLSContext(client: client.configuration.trust),
        on: client.loop,
        deadline: client.loop.deadline(after: patience)
      )
      stream.close()
      return Check("tls", .network, .passed, "\(client.base.origin) is trusted")
    } catch {
      let tls = (error as? TransportError)?.tls
      return Check(
        "tls",
        .network,
        .failed,
        "\(error)",
        remedy: tls.map { remedy(for: $0, client) } ?? "look at the network and at proxies"
      )
    }
  }

  private static func remedy(for error: TLSError, _ client: isolated IbkrClient) -> String {
    if client.usesOAuth, client.base.host.hasSuffix("ibkr.com") {
      switch error.code {
      case .certificateExpired, .certificateNotYetValid: return "correct this machine's clock"
      case .selfSigned, .unknownIssuer, .hostMismatch:
        return "somebody in between answers: leave that network, or trust your own company's proxy "
          + "with --ca FILE; install ca-certificates if the system has no roots"
      default: break
      }
    }
    switch error.code {
    case .selfSigned, .unknownIssuer, .certificateExpired, .hostMismatch:
      let pin = error.pin.map { "--pin \($0)" } ?? "--pin sha256/…"
      return "if that is your gateway, give \(pin) (or --ca FILE for an authority of yours)"
    case .pinMismatch:
      return "if the gateway's key was changed, give the new one with --pin; otherwise somebody "
        + "in between answers"
    case .certificateNotYetValid: return "correct this machine's clock"
    case .notTLS: return "write http:// if listenSsl is false in the gateway's conf.yaml"
    case .protocolTooOld: return "use a gateway with Java 8u192 or newer"
    default: return "look at what listens at \(client.base.origin)"
    }
  }

  /// Whether this machine's clock agrees with the server's.
  static func clock(_ client: isolated IbkrClient) async -> Check {
    let sent = client.loop.timestamp().realtime
    let date: Int64?
    do throws(HTTPClientError) {
      date = try await client.dateOfServer()
    } catch {
      return Check("clock", .network, .warning, "the server did not answer: \(error)")
    }
    let received = client.loop.timestamp().realtime
    return clock(date, sent: sent, received: received, isSigning: client.usesOAuth)
  }

  /// Compares the clocks.
  ///
  /// - Parameters:
  ///   - date: The server's time in whole seconds, nil if it has not said one.
  ///   - sent: When it was asked, in nanoseconds.
  ///   - received: When it answered, in nanoseconds.
  ///   - isSigning: Whether the time takes part in signatures.
  /// - Returns: The check.
  static func clock(_ date: Int64?, sent: Int64, received: Int64, isSigning: Bool) -> Check {
    guard let date else {
      return Check("clock", .network, .skipped, "not looked at: the server does not say its time")
    }
    // The server's seconds are whole ones: it may have been anything up to the next.
    let middle = sent / 2 + received / 2
    let offset = Double(middle - date * 1_000_000_000 - 500_000_000) / 1e9
    let seconds = Int(offset.rounded())
    let direction = seconds < 0 ? "behind" : "ahead of"
    let finding = "this machine's clock is \(abs(seconds)) s \(direction) the server's"
    let remedy = "let the clock be kept right: timedatectl set-ntp true"
    if abs(offset) <= 5 {
      return Check("clock", .network, .passed, "right to some seconds")
    }
    // What IBKR tolerates is not known; a minute has been seen to work.
    return Check(
      "clock",
      isSigning ? .session : .network,
      isSigning && abs(offset) > 60 ? .failed : .warning,
      finding,
      remedy: remedy
    )
  }

  private static func proxy(of client: isolated IbkrClient) -> HTTPProxy? {
    client.configuration.proxy(for: client.base.host)
  }

  /// Whom the first connection is made to.
  private static func peer(of client: isolated IbkrClient) -> (host: String, port: UInt16) {
    proxy(of: client).map { ($0.host, $0.port) } ?? (client.base.host, client.base.port)
  }
}

extension IbkrClient {
  /// Asks for the server's time.
  ///
  /// - Returns: Seconds since 1970, nil if the server does not say it.
  fileprivate func dateOfServer() async throws(HTTPClientError) -> Int64? {
    // Unsigned, so that a wrong clock cannot be the reason for no answer; a refusal has a date too.
    let request = HTTPClientRequest(
      .post,
      url("iserver/auth/status"),
      timeout: configuration.requestTimeout,
      isRepeatable: true
    )
    return try await http.send(request).head.fields["Date"].flatMap { HTTPDate.seconds(of: $0) }
  }
}
