// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayModel {
  /// What happens at a time: a fault begins, or one that lasted for a while is over.
  enum Incident: Sendable {
    case fault(Fault)
    case acceptAgain
    case speakAgain
    case dataAgain
    case heartbeatsAgain
    case undistorted
    case vanishedNoticed
    case authenticateAgain(announced: Bool)
    case loneAgain
    case logInAgain
    case resetEnds
  }

  /// Lets an incident happen, at its time.
  mutating func happen(_ incident: Incident, at time: Int64) {
    switch incident {
    case .fault(let fault): begin(fault, at: time)
    case .acceptAgain: refusesConnections = false
    case .speakAgain: state.silent = false
    case .dataAgain: state.dataPaused = false
    case .heartbeatsAgain: state.heartbeatsPaused = false
    case .undistorted: state.distortion = nil
    case .vanishedNoticed:
      for index in sockets.indices where sockets[index].session.hasVanished {
        sockets[index].session.send(.drop)
      }
    case .authenticateAgain(let announced):
      guard time >= state.troubles.maintenanceUntil else { return }
      change(announced: announced) { $0.authenticated = $0.connected }
    case .loneAgain:
      let isBack = state.gate == nil && time >= state.troubles.maintenanceUntil
      change(announced: true) {
        $0.competing = false
        if isBack { $0.authenticated = $0.connected }
      }
    case .logInAgain: logInAtGateway()
    case .resetEnds:
      if state.gate != nil {
        state.logOut()
        sendToAll(.close(code: 1000))
      }
      logInAtGateway()
    }
  }

  /// Lets something go wrong, from a time on.
  mutating func begin(_ fault: Fault, at time: Int64) {
    switch fault {
    case .dropConnections: sendToAll(.drop)
    case .closeConnections(let code): sendToAll(.close(code: code))
    case .refuseConnections(let duration):
      refusesConnections = true
      sendToAll(.drop)
      schedule(.acceptAgain, duration, after: time)
    case .silence(let duration):
      state.silent = true
      schedule(.speakAgain, duration, after: time)
    case .dataPause(let duration):
      state.dataPaused = true
      schedule(.dataAgain, duration, after: time)
    case .halfOpen(let duration):
      for index in sockets.indices { sockets[index].session.vanish() }
      schedule(.vanishedNoticed, duration, after: time)
    case .heartbeatPause(let duration):
      state.heartbeatsPaused = true
      schedule(.heartbeatsAgain, duration, after: time)
    case .expireSubscriptions, .expiry, .muteInstrument, .ignoreSubscriptions,
      .refuseSubscriptions:
      beginWithSubscriptions(fault, at: time)
    case .distort(let distortion, let duration):
      state.distortion = distortion
      schedule(.undistorted, duration, after: time)
    case .say(let oddity):
      for frame in oddity.frames(state.account) { sendToAll(frame) }
    case .flood(let count): flood(count, at: time)
    case .breakProtocol(let breach): sendToAll(.odd(breach.frame))
    case .cutConnections: sendToAll(.odd(.cut(Array(state.account.welcome.utf8))))
    case .authenticationLoss, .brokerageLoss, .competingLogin, .notEstablished, .nightlyReset:
      beginWithSession(fault, at: time)
    case .tokenLoss: state.gate?.endSession()
    case .newSession:
      state.renewSession()
      sendToAll(.close(code: 1000))
    case .loginLoss(let duration):
      change(announced: true) { $0.authenticated = false }
      state.logOut()
      state.troubles.loggedOutUntil = time + duration.nanoseconds
      schedule(.logInAgain, duration, after: time)
    case .gone(let duration):
      state.gate?.endSession()
      state.troubles.goneUntil = time + duration.nanoseconds
    case .tooManyRequests(let duration, let retryAfter):
      state.troubles.busyUntil = time + duration.nanoseconds
      state.troubles.retryAfter = retryAfter.map { $0.components.seconds }
    case .history(let trouble, let duration):
      state.troubles.historyTrouble = trouble
      state.troubles.historyUntil = time + duration.nanoseconds
    case .tickleTimeout(let duration):
      state.troubles.ticklesLostUntil = time + duration.nanoseconds
    }
  }

  /// The faults of subscriptions to market data.
  private mutating func beginWithSubscriptions(_ fault: Fault, at time: Int64) {
    switch fault {
    case .expireSubscriptions:
      for index in sockets.indices { sockets[index].session.expireSubscriptions() }
    case .expiry(let lifetime): state.subscriptionLifetime = lifetime.nanoseconds
    case .muteInstrument(let conid, let isDeaf):
      for index in sockets.indices { sockets[index].session.mute(conid, isDeaf: isDeaf) }
    case .ignoreSubscriptions(let duration):
      state.ignoresSubscriptionsUntil = time + duration.nanoseconds
    case .refuseSubscriptions(let duration):
      state.refusesSubscriptionsUntil = time + duration.nanoseconds
    default: return
    }
  }

  /// Sends every socket quotes of what it is subscribed to, one instrument after the other.
  private mutating func flood(_ count: Int, at time: Int64) {
    for index in sockets.indices {
      let conids = sockets[index].session.streams.keys.sorted()
      guard !conids.isEmpty else { continue }
      for number in 0..<count {
        let conid = conids[number % conids.count]
        guard let feed = state.market.jolt(conid) else { continue }
        let updated = state.now.milliseconds(at: time)
        state.traded.note(feed, at: updated)
        sockets[index].session.publish(conid, feed, at: time, updated: updated, state)
      }
    }
  }

  /// The faults of the brokerage session.
  private mutating func beginWithSession(_ fault: Fault, at time: Int64) {
    switch fault {
    case .authenticationLoss(let duration, let announcesReturn):
      change(announced: true) { $0.authenticated = false }
      schedule(.authenticateAgain(announced: announcesReturn), duration, after: time)
    case .brokerageLoss(let isAnnounced):
      change(announced: isAnnounced) { $0.authenticated = false }
    case .competingLogin(let duration):
      change(announced: true) {
        $0.competing = true
        $0.authenticated = false
      }
      schedule(.loneAgain, duration, after: time)
    case .notEstablished(let duration):
      state.login.establishesAt = time + duration.nanoseconds
    case .nightlyReset(let duration):
      change(announced: true) { $0.authenticated = false }
      state.troubles.maintenanceUntil = time + duration.nanoseconds
      schedule(.resetEnds, duration, after: time)
    default: return
    }
  }

  /// At a gateway a person logs in again; an OAuth client does it by itself.
  private mutating func logInAtGateway() {
    guard state.gate == nil else { return }
    state.logIn()
    state.login.authenticated = true
    sendToAll(.close(code: 1000))
  }

  private mutating func schedule(_ incident: Incident, _ duration: Duration, after time: Int64) {
    incidents.insert(incident, at: time + duration.nanoseconds)
  }

  private mutating func change(announced: Bool, _ body: (inout LoginState) -> Void) {
    let before = state.login
    body(&state.login)
    guard announced else { return }
    let messages = state.login.changes(since: before)
    for index in sockets.indices { sockets[index].session.tell(messages) }
  }

  /// Sends the same to every socket.
  mutating func sendToAll(_ output: SocketOutput) {
    for index in sockets.indices { sockets[index].session.send(output) }
  }
}
