// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc
import Transport

/// What is to be seen on a live screen, and what keys do there.
protocol ScreenContent: AnyObject, Sendable {
  /// The lines of the screen as of now.
  ///
  /// - Parameter terminal: Its size, and what it shows.
  /// - Returns: At most as many as fit.
  func frame(on terminal: Terminal) -> [StyledLine]

  /// Whether there is anything to be seen; the terminal is left alone until then.
  var isReady: Bool { get }

  /// A key was pressed that does not end the screen.
  func press(_ key: Key)
}

/// Draws something over the whole terminal, ten times a second at most, until it is ended.
actor LiveScreen {
  private nonisolated let loop: EventLoop
  private nonisolated let terminal: LiveTerminal
  private let looks: Terminal
  private let content: any ScreenContent
  private let quit: @Sendable () -> Void
  private var painter = ScreenPainter()
  private var isStale = false
  /// Set by whoever has reason to think that the screen shows something else.
  private nonisolated let isSpoilt = Locked(false)

  nonisolated var unownedExecutor: UnownedSerialExecutor { loop.asUnownedSerialExecutor() }

  /// Between two frames.
  private static let interval = Duration.milliseconds(100)

  /// Prepares a screen; nothing is drawn before ``during(_:)``.
  ///
  /// - Parameters:
  ///   - content: What is to be seen.
  ///   - looks: What the terminal shows.
  ///   - output: A descriptor of the terminal.
  ///   - quit: Called for `q`.
  /// - Throws: `TransportError` if the terminal or a thread cannot be had.
  init(
    _ content: any ScreenContent,
    _ looks: Terminal,
    output: Int32 = STDOUT_FILENO,
    quit: @escaping @Sendable () -> Void
  ) throws {
    terminal = try LiveTerminal(output)
    loop = try EventLoop(name: "screen")
    (self.content, self.looks, self.quit) = (content, looks, quit)
  }

  deinit { loop.stop() }

  /// Draws for as long as something lasts; the terminal is as it was before this returns.
  ///
  /// - Parameter body: What is drawn, while it works.
  /// - Returns: What the body returns.
  /// - Throws: What the body throws.
  nonisolated func during<Value: Sendable>(
    _ body: () async throws -> Value
  ) async throws -> Value {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.run() }
      let outcome: Result<Value, any Error>
      do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
      group.cancelAll()
      while let _ = try await group.next() {}
      return try outcome.get()
    }
  }

  private func run() async {
    JobControl.set(
      JobControl.Duties { [terminal] in
        terminal.suspend()
        StandardError.release()
      } resume: { [weak self] in
        self?.resume()
      }
    )
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.readKeys() }
      group.addTask { await self.watchSize() }
      await drawUntilCancelled()
      group.cancelAll()
    }
    JobControl.set(nil)
    terminal.leave()
    StandardError.release()
  }

  private nonisolated func resume() {
    terminal.resume()
    isSpoilt.withLock { $0 = true }
  }

  private func drawUntilCancelled() async {
    while !Task.isCancelled {
      draw()
      try? await loop.sleep(for: Self.interval)
    }
  }

  private func draw() {
    let isSpoilt = isSpoilt.withLock { isSpoilt in
      defer { isSpoilt = false }
      return isSpoilt
    }
    if !terminal.isEntered {
      // In the background, or stopped and continued there.
      guard content.isReady, terminal.enter() else { return }
      StandardError.hold()
      painter.forget()
    } else if isSpoilt {
      painter.forget()
    }
    // A terminal that has not taken the last frame gets no other one.
    guard terminal.write("") else { return }
    var looks = looks
    if let size = Terminal.size(of: terminal.descriptor) {
      (looks.width, looks.height) = size
    }
    let text = painter.paint(content.frame(on: looks), on: looks)
    if !text.isEmpty { _ = terminal.write(text) }
  }

  private func readKeys() async {
    guard let reader = try? DescriptorReader(terminal.descriptor, on: loop) else { return }
    while !Task.isCancelled {
      guard terminal.isEntered, terminal.isForeground else {
        try? await loop.sleep(for: Self.interval)
        continue
      }
      do {
        let bytes = try await reader.next()
        // The end of a terminal is its hang-up, which comes as a signal.
        if bytes.isEmpty { return }
        for key in Key.keys(in: bytes) {
          if key == .character("q") { quit() } else { content.press(key) }
        }
        draw()
      } catch {
        // It is another process's for a moment.
        try? await loop.sleep(for: Self.interval)
      }
    }
  }

  private func watchSize() async {
    guard let signals = try? SignalSource([SIGWINCH], on: loop) else { return }
    while (try? await signals.next()) != nil { draw() }
  }
}
