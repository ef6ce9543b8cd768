// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

/// A whole gateway without I/O: sockets, requests, market and faults, fed with texts and times.
///
/// The same options and the same inputs at the same times give the same outputs.
struct GatewayModel: Sendable {
  /// What becomes of a request for a WebSocket.
  enum Admission {
    case refused(GatewayResponse)
    case admitted(knowsSession: Bool)
  }

  var state: GatewayState
  /// Whether new connections are refused.
  var refusesConnections = false
  var sockets: [(id: Int, session: SocketSession)] = []
  private var lastSocket = 0
  var incidents = Agenda<Incident>()

  init(_ options: GatewayState.Options, scenario: Scenario = .steady, at now: Timestamp) {
    state = GatewayState(options, at: now)
    for event in scenario.events {
      incidents.insert(.fault(event.fault), at: now.monotonic + event.after.nanoseconds)
    }
  }

  /// When there is something to do without being asked.
  var nextTime: Int64? {
    var times = sockets.compactMap(\.session.nextTime)
    if let time = state.market.nextTime { times.append(time) }
    if let time = incidents.nextTime { times.append(time) }
    return times.min()
  }

  /// Decides about a request for a WebSocket.
  ///
  /// A gateway throws the client's headers away and shows its own; api.ibkr.com wants the access
  /// token in the address and the session in the cookie.
  func admission(of request: GatewayRequest, at now: Timestamp) -> Admission {
    guard let gate = state.gate else { return .admitted(knowsSession: true) }
    if let refusal = state.troubles.refusal(at: now.monotonic) { return .refused(refusal) }
    guard request.hasUserAgent else { return .refused(.forbidden) }
    guard let token = request.query["oauth_token"], gate.knows(accessToken: token) else {
      return .refused(.unauthorized)
    }
    return .admitted(knowsSession: request.sessionCookie == state.login.session)
  }

  /// Adds a socket whose handshake has just been completed.
  ///
  /// - Returns: The socket's number.
  mutating func open(at now: Timestamp, knowsSession: Bool = true) -> Int {
    lastSocket += 1
    sockets.append((lastSocket, SocketSession(at: now, knowsSession: knowsSession, state)))
    return lastSocket
  }

  /// Hands a client's text to its socket.
  mutating func receive(_ text: String, from socket: Int, at now: Timestamp) {
    guard let index = sockets.firstIndex(where: { $0.id == socket }) else { return }
    sockets[index].session.receive(text, at: now, &state)
  }

  /// Forgets a socket.
  mutating func close(_ socket: Int) {
    guard let index = sockets.firstIndex(where: { $0.id == socket }) else { return }
    sockets[index].session.end(&state)
    sockets.remove(at: index)
  }

  /// Does everything whose time has come, in the order of the times.
  mutating func advance(to now: Timestamp) {
    state.now = now
    while true {
      let incident = incidents.nextTime ?? .max
      let change = state.market.nextTime ?? .max
      let due = sockets.indices.min {
        (sockets[$0].session.nextTime ?? .max) < (sockets[$1].session.nextTime ?? .max)
      }
      let duty = due.flatMap { sockets[$0].session.nextTime } ?? .max
      guard min(incident, change, duty) <= now.monotonic else { return }
      if incident <= change, incident <= duty {
        if let (time, incident) = incidents.next(until: incident) { happen(incident, at: time) }
      } else if duty <= change, let due {
        _ = sockets[due].session.advance(to: now, &state)
      } else if let (time, conid) = state.market.step(until: change) {
        publish(conid, at: time, updated: now.milliseconds(at: time))
      }
    }
  }

  /// Lets something go wrong now.
  mutating func inject(_ fault: Fault, at now: Timestamp) {
    state.now = now
    begin(fault, at: now.monotonic)
  }

  /// Lets an order of the account be filled.
  mutating func fillOrder(
    conid: Int,
    quantity: Int,
    price: String,
    isTold: Bool,
    at now: Timestamp
  ) {
    let messages = state.blotter.fill(
      conid: conid,
      symbol: state.options.catalogue[conid]?.symbol ?? "",
      quantity: quantity,
      price: price,
      time: now.milliseconds
    )
    guard isTold else { return }
    for index in sockets.indices { sockets[index].session.tellOfTrading(messages, state) }
  }

  /// Takes what is to be sent, in order.
  mutating func takeOutput() -> [(socket: Int, output: SocketOutput)] {
    var all: [(socket: Int, output: SocketOutput)] = []
    for index in sockets.indices {
      let id = sockets[index].id
      for output in sockets[index].session.takeOutput(state.distortion) { all.append((id, output)) }
    }
    return all
  }

  /// Answers a request.
  ///
  /// - Returns: nil for one that never gets an answer.
  mutating func respond(to request: GatewayRequest, at now: Timestamp) -> GatewayResponse? {
    let session = state.login.session
    let response = request.answer(&state, at: now)
    // The sockets of a login end with it.
    if state.login.session != session { sendToAll(.close(code: 1000)) }
    return response
  }

  private mutating func publish(_ conid: Int, at time: Int64, updated: Int64) {
    guard let feed = state.market.feed(conid) else { return }
    state.traded.note(feed, at: updated)
    guard state.deliversData else { return }
    for index in sockets.indices {
      sockets[index].session.publish(conid, feed, at: time, updated: updated, state)
    }
  }
}
