// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import JSON

/// Finds out what a message from the server is about and whose it is.
///
/// This is what the I/O thread does for each message: one look, one dictionary, no allocation. What it
/// knows of a subscription stands in one place, so that a message of one among a thousand costs no
/// more than a message of one alone.
struct MessageRouter: ~Copyable {
  /// Who else has to know of a message.
  enum Notice: Equatable, Sendable {
    /// Nobody: an ordinary message of a feed.
    case none
    /// A subscription that waits for an answer has got one.
    case answered(UInt32, isImage: Bool)
    /// History that nobody waits for; the server holds it open until it is ended.
    case unclaimed
    /// The message is about the session or an error.
    case control
  }

  /// What is known of each subscription; a place that has become free is taken again.
  private var slots: [FeedSlot] = []
  private var free: [Int] = []
  /// The places of the subscriptions, by their numbers.
  private var places: [UInt32: Int] = [:]
  /// The places of those to quotes, by their instruments.
  private var instruments: [Int: Int] = [:]
  // Instruments with more than one subscription: rare, so they cost a second look.
  private var shared: [Int: [Int]] = [:]
  // Combinations, which have no conid, and feeds other than quotes: few, so they are asked in turn.
  private var others: [SubscriptionKey] = []
  private var executions = ExecutionMemory()
  private var repeats: [Bool]?
  /// How many messages were of no known sort.
  private(set) var unrecognised = 0

  /// The keys of earlier messages.
  private var keys = MessageHead.Name.trail()
  /// Where the fields of the last message stand, if it is a quote.
  private(set) var fields = FieldList()

  /// Adds a subscription.
  mutating func add(_ key: SubscriptionKey) {
    guard places[key.number] == nil else { return }
    let place = free.popLast() ?? slots.count
    let slot = FeedSlot(key)
    if place < slots.count { slots[place] = slot } else { slots.append(slot) }
    places[key.number] = place
    guard key.topic == .marketData, let conid = key.conid else {
      others.append(key)
      return
    }
    if let other = instruments[conid] {
      shared[conid, default: [other]].append(place)
    } else {
      instruments[conid] = place
    }
  }

  /// Forgets a subscription.
  mutating func remove(_ key: SubscriptionKey) {
    guard let place = places.removeValue(forKey: key.number) else { return }
    free.append(place)
    others.removeAll { $0.number == key.number }
    guard key.topic == .marketData, let conid = key.conid else { return }
    let rest = shared.removeValue(forKey: conid)?.filter { $0 != place } ?? []
    instruments[conid] = rest.first
    if rest.count > 1 { shared[conid] = rest }
  }

  /// The next message of this subscription is to be told.
  mutating func awaitAnswer(to number: UInt32) {
    if let place = places[number] { slots[place].isAwaited = true }
  }

  private func isAwaited(_ number: UInt32) -> Bool {
    places[number].map { slots[$0].isAwaited } ?? false
  }

  /// What has been heard of a subscription.
  func life(of number: UInt32) -> FeedLife { places[number].map { slots[$0].life } ?? FeedLife() }

  /// Whether values that REST gives are others than the subscription has brought; nil if there are
  /// none that it could have brought.
  func isNews(_ values: [(field: Int, value: String)], to number: UInt32) -> Bool? {
    guard let place = places[number] else { return nil }
    let isKnown = values.compactMap { slots[place].known.has($0.field, $0.value) }
    return isKnown.isEmpty ? nil : isKnown.contains(false)
  }

  /// The connection is new: every subscription begins with an image.
  mutating func reset() {
    for place in slots.indices { slots[place].rule.reset() }
  }

  /// Forgets the fields of the last message, as one does that has none.
  mutating func forgetFields() { fields.removeAll() }

  /// Describes a message.
  ///
  /// - Parameters:
  ///   - bytes: The message.
  ///   - record: Where to note what it is.
  /// - Returns: Who else has to know.
  mutating func route(_ bytes: UnsafeRawBufferPointer, into record: inout EventRecord) -> Notice {
    forgetFields()
    guard let head = MessageHead(bytes, &keys, &fields) else {
      forgetFields()
      record.topic = .unrecognised
      unrecognised += 1
      return .none
    }
    record.topic = head.topic
    record.conid = head.conid
    record.updated = head.updated
    record.topicOffset = UInt32(truncatingIfNeeded: head.topicPlace.lowerBound)
    record.topicLength = UInt32(truncatingIfNeeded: head.topicPlace.count)
    if head.hasError { record.flags.insert(.error) }
    if head.topic == .marketData, !head.hasError {
      return route(quote: head, bytes, into: &record)
    }
    forgetFields()
    switch head.topic {
    case .marketData:
      record.subscription = place(of: head, bytes).map { slots[$0].number } ?? 0
      return .control
    case .trades where !head.hasError:
      mark(UnsafeRawBufferPointer(rebasing: bytes[head.listPlace]), &record)
      return route(feed: head, bytes, into: &record)
    case .unrecognised:
      unrecognised += 1
      return .none
    case .system, .status, .accounts, .error, .waitingForSession: return .control
    default: return route(feed: head, bytes, into: &record)
    }
  }

  /// Describes an answer by REST to a question about orders or executions.
  ///
  /// - Parameters:
  ///   - answer: The answer.
  ///   - record: Where to note what it is.
  mutating func route(answer: UnsafeRawBufferPointer, into record: inout EventRecord) {
    // It names no topic: executions are a list, and orders a list in an object.
    let first = answer.first { !" \t\r\n".utf8.contains($0) }
    let topic: Topic = first == UInt8(ascii: "[") ? .trades : .orders
    record.topic = topic
    record.subscription = others.first { $0.topic == topic }?.number ?? 0
    if topic == .trades { mark(answer, &record) }
  }

  /// Which parts of the last message repeat others, if some do and some do not.
  mutating func takeRepeats() -> [Bool]? { repeats.take() }

  private mutating func mark(_ list: UnsafeRawBufferPointer, _ record: inout EventRecord) {
    let marks = executions.note(list)
    guard marks.contains(true) else { return }
    if marks.contains(false) { repeats = marks } else { record.flags.insert(.duplicate) }
  }

  /// A message of a feed other than quotes: which of its first is an image, nobody knows.
  private mutating func route(
    feed head: MessageHead,
    _ bytes: UnsafeRawBufferPointer,
    into record: inout EventRecord
  ) -> Notice {
    // Of several requests for one instrument's history one waits at a time, and the answer is its.
    let waiting =
      head.topic != .history
      ? nil : others.first { isAwaited($0.number) && $0.isMeant(by: head, bytes) }
    let key = waiting ?? others.first { $0.isMeant(by: head, bytes) }
    record.subscription = key?.number ?? 0
    if head.hasError { return .control }
    guard let key, let place = places[key.number], slots[place].answer(record) else {
      return head.topic == .history && !head.requestPlace.isEmpty ? .unclaimed : .none
    }
    return .answered(key.number, isImage: true)
  }

  private mutating func route(
    quote head: MessageHead,
    _ bytes: UnsafeRawBufferPointer,
    into record: inout EventRecord
  ) -> Notice {
    record.request = head.serverID ?? 0
    if head.carriesValue { record.flags.insert(.value) }
    guard let place = place(of: head, bytes) else {
      record.digest = KnownFields.digest(of: fields.places, in: bytes)
      return .none
    }
    return slots[place].take(head, fields.places, bytes, into: &record)
  }

  /// The place of the subscription that a quote belongs to.
  ///
  /// With `@EXCH` it is not known which topic comes back: the target counts first, then the conid
  /// (protocol reference 4.9).
  private func place(of head: MessageHead, _ bytes: UnsafeRawBufferPointer) -> Int? {
    guard head.conid > 0 else {
      return others.first { $0.isMeant(by: head, bytes) }.flatMap { places[$0.number] }
    }
    guard let several = shared[head.conid] else { return instruments[head.conid] }
    let target = UnsafeRawBufferPointer(rebasing: bytes[head.targetPlace])
    return several.first { slots[$0].target.elementsEqual(target) } ?? several.first
  }
}
