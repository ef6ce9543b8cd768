// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import HTTP1
import Logging
import Transport
import WebSocket

extension IbkrWsClient {
  /// Connects, and stays connected until ``stop()`` is called or the task is cancelled.
  ///
  /// It owns everything that it starts, and returns when all of it has ended: sinks have written
  /// what they were given, and the connection is closed. Cancelling is stopping without ceremony.
  ///
  /// - Throws: ``IbkrError`` if the first connection cannot be made, unless the configuration says
  ///   to wait for the server. Later faults never end it.
  public func run() async throws(IbkrError) {
    guard phase == .idle else {
      throw IbkrError(.closed, "this stream has been run already", remedy: "create another one")
    }
    phase = .running
    let error = await withTaskGroup(of: IbkrError?.self) { group in
      // A continuation resumes its task on the executor that the task prefers, and only then does the
      // task go back to its actor: without this each read that waited went over the pool of the
      // process, two changes of thread.
      group.addTask(executorPreference: loop) { await self.runSession() }
      for await sink in attachments {
        group.addTask {
          await sink.run()
          return nil
        }
      }
      // The attachments end when supervising has ended.
      var error: IbkrError?
      while let ended = await group.next() {
        if let ended { error = ended }
      }
      return error
    }
    if ownsClient { await ibkrClient.close() }
    if let error { throw error }
  }

  /// Ends the run in good order: unsubscribes, closes the connection, lets the sinks finish.
  ///
  /// It returns when the connection is closed; ``run()`` returns when the sinks have ended too.
  public func stop() async {
    guard phase == .running else {
      if phase == .idle { end() }
      return
    }
    phase = .stopping
    outbox?.finish()
    wake(.calling)
    wake(.connecting)
    wake(.asking)
    wake(.filling)
    guard let connection else { return }
    do throws(WebSocketError) {
      for command in reconciler.farewell() {
        record(OutgoingCommand(text: command, topic: .marketData))
        try await connection.send(text: command)
      }
    } catch {
      logger.debug("the connection broke while unsubscribing", metadata: ["why": "\(error)"])
    }
    let now = loop.timestamp()
    intake.addClose(.normal, realtime: now.realtime, monotonic: now.monotonic)
    // The reader may be waiting for a full subscriber: what came meanwhile is still its to take.
    await connection.beginClosing(.normal)
    await connection.ended()
  }

  // MARK: - One connection after another

  /// Everything but the sinks.
  ///
  /// - Returns: What the run ends with, nil if it was stopped.
  private func runSession() async -> IbkrError? {
    defer { end() }
    return await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.keepSession() }
      group.addTask { await self.checkSuspects() }
      group.addTask { await self.keepOrders() }
      group.addTask { await self.keepBackfills() }
      await connectAndConverse()
      group.cancelAll()
      await ibkrClient.endSupervision()
      return failure
    }
  }

  /// Opens the socket whenever the supervisor admits it.
  private func connectAndConverse() async {
    while phase == .running, !Task.isCancelled, failure == nil {
      guard supervisor.isAdmitted, let cookie else {
        await sleep(.connecting, until: nil)
        continue
      }
      supervisor.connecting()
      var loss: ConnectionLoss
      do throws(ConnectionLoss) {
        let connection = try await open(with: cookie)
        // `stop()` may have come while this one was being made, and have found none to close.
        guard phase == .running else {
          await connection.close(.normal)
          break
        }
        loss = await converse(over: connection)
      } catch {
        loss = error
      }
      guard phase == .running, !Task.isCancelled else { break }
      let now = loop.timestamp()
      if now.suspended(since: lastAlive) > Self.noticeableSuspension {
        loss = ConnectionLoss(.machineSuspend, loss.detectedBy, error: loss.error)
      }
      logger.notice("connection lost", metadata: ["why": "\(loss.detectedBy)"])
      perform(supervisor.disconnected(loss, at: now))
    }
  }

  /// Opens a socket with the session of a fresh tickle: with a stale one the server closes it or
  /// says nothing.
  private func open(with cookie: Tickle) async throws(ConnectionLoss) -> WebSocketConnection {
    verdict = nil
    let url = ibkrClient.webSocketURL
    var options = WebSocketConfiguration()
    options.text = .tolerant
    options.deflate = configuration.deflate
    options.trust = ibkrClient.configuration.trust
    options.proxy = ibkrClient.configuration.proxy(for: url.host)
    options.handshakeTimeout = configuration.connectTimeout
    options.headers = ibkrClient.webSocketHeaders(session: cookie.session).map {
      WebSocketHeader($0.name, $0.value)
    }
    do throws(WebSocketError) {
      return try await WebSocketConnection.connect(
        to: url,
        configuration: options,
        context: ibkrClient.tls,
        connector: ibkrClient.connector,
        loop: loop
      )
    } catch {
      throw ConnectionLoss(IbkrError(error, at: url.origin))
    }
  }

  /// Reads a connection to its end.
  private func converse(over connection: WebSocketConnection) async -> ConnectionLoss {
    // At most 20 commands a second come in, and a connection that takes nothing for 10 s breaks.
    let (commands, outbox) = AsyncStream<OutgoingCommand>.makeStream(
      bufferingPolicy: .bufferingOldest(1_000)
    )
    self.connection = connection
    self.outbox = outbox
    supervisor.opened()
    intake.router.reset()
    greetingDeadline = loop.deadline(after: configuration.greetingTimeout)
    tell(.connection(.open))
    rearm()
    let loss = await withTaskGroup(of: ConnectionLoss?.self) { group in
      group.addTask { await self.send(commands, over: connection) }
      group.addTask { await self.read(connection) }
      var loss: ConnectionLoss?
      while loss == nil, let ended = await group.next() { loss = ended }
      group.cancelAll()
      return loss
    }
    outbox.finish()
    self.outbox = nil
    self.connection = nil
    return verdict ?? loss ?? .closed(code: nil, at: ibkrClient.webSocketURL.origin)
  }

  /// Reads until the connection ends.
  ///
  /// - Returns: Why it ended.
  private func read(_ connection: WebSocketConnection) async -> ConnectionLoss {
    let place = ibkrClient.webSocketURL.origin
    do throws(WebSocketError) {
      while let received = try await connection.nextBatch() {
        take(received)
        if broadcast.isFull { await waitForSpace() }
      }
      await recordAnswers(of: connection)
      return .closed(code: await connection.closeCode, at: place)
    } catch {
      await recordAnswers(of: connection)
      return ConnectionLoss(IbkrError(error, at: place))
    }
  }

  /// Numbers what the WebSocket has sent of its own accord at its end.
  private func recordAnswers(of connection: WebSocketConnection) async {
    let now = loop.timestamp()
    for answer in await connection.takeAnswers() {
      intake.add(answer: answer, realtime: now.realtime, monotonic: now.monotonic)
    }
    publish(isEssential: true)
  }

  /// Sends commands in order.
  ///
  /// - Returns: Why it could not, nil if no more will come.
  private func send(
    _ commands: AsyncStream<OutgoingCommand>,
    over connection: WebSocketConnection
  ) async -> ConnectionLoss? {
    do throws(WebSocketError) {
      for await command in commands {
        record(command)
        if command.isPing {
          try await connection.ping()
        } else {
          try await connection.send(text: command.text)
        }
      }
      return nil
    } catch {
      return ConnectionLoss(IbkrError(error, at: ibkrClient.webSocketURL.origin))
    }
  }

  private func record(_ command: OutgoingCommand) {
    let now = loop.timestamp()
    if command.isPing {
      intake.addPing(realtime: now.realtime, monotonic: now.monotonic)
    } else {
      intake.add(
        command: command.text,
        topic: command.topic,
        realtime: now.realtime,
        monotonic: now.monotonic
      )
    }
    publish(isEssential: true)
  }

  /// The run is over: what is open is closed, and everybody's sequence ends.
  private func end() {
    guard phase != .ended else { return }
    phase = .ended
    if let timer { loop.cancel(timer) }
    timer = nil
    endOverflow()
    for gap in gaps.abandon() { tell(.gap(gap)) }
    tell(.connection(.closed))
    broadcast.finish()
    attachmentInput.finish()
    checkInput.finish()
  }
}
