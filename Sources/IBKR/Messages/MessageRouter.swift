// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Finds out what a message from the server is about and whose it is.
///
/// This is what the I/O thread does for each message: one look, one dictionary, no allocation.
struct MessageRouter: Sendable {
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

  private struct Slot {
    let target: [UInt8]
    var rule = SnapshotRule()
    var isAwaited = false
    var life = FeedLife()
    var known = KnownFields()
  }

  private var slots: [UInt32: Slot] = [:]
  private var numbers: [Int: UInt32] = [:]
  // Instruments with more than one subscription: rare, so they cost a second look.
  private var shared: [Int: [UInt32]] = [:]
  // Combinations, which have no conid, and feeds other than quotes: few, so they are asked in turn.
  private var others: [SubscriptionKey] = []
  private var executions = ExecutionMemory()
  private var repeats: [Bool]?
  /// How many messages were of no known sort.
  private(set) var unrecognised = 0

  /// Adds a subscription.
  mutating func add(_ key: SubscriptionKey) {
    guard slots[key.number] == nil else { return }
    slots[key.number] = Slot(target: Array(key.target.utf8))
    guard key.topic == .marketData, let conid = key.conid else {
      others.append(key)
      return
    }
    if let other = numbers[conid] {
      shared[conid, default: [other]].append(key.number)
    } else {
      numbers[conid] = key.number
    }
  }

  /// Forgets a subscription.
  mutating func remove(_ key: SubscriptionKey) {
    guard slots.removeValue(forKey: key.number) != nil else { return }
    others.removeAll { $0.number == key.number }
    guard key.topic == .marketData, let conid = key.conid else { return }
    let rest = shared.removeValue(forKey: conid)?.filter { $0 != key.number } ?? []
    numbers[conid] = rest.first
    if rest.count > 1 { shared[conid] = rest }
  }

  /// The next message of this subscription is to be told.
  mutating func awaitAnswer(to number: UInt32) {
    slots[number]?.isAwaited = true
  }

  /// What has been heard of a subscription.
  func life(of number: UInt32) -> FeedLife { slots[number]?.life ?? FeedLife() }

  /// Whether values that REST gives are others than the subscription has brought; nil if there are
  /// none that it could have brought.
  func isNews(_ values: [(field: Int, value: String)], to number: UInt32) -> Bool? {
    let isKnown = values.compactMap { slots[number]?.known.has($0.field, $0.value) }
    return isKnown.isEmpty ? nil : isKnown.contains(false)
  }

  /// The connection is new: every subscription begins with an image.
  mutating func reset() {
    for number in slots.keys { slots[number]?.rule.reset() }
  }

  /// Describes a message.
  ///
  /// - Parameters:
  ///   - bytes: The message.
  ///   - record: Where to note what it is.
  /// - Returns: Who else has to know.
  mutating func route(_ bytes: UnsafeRawBufferPointer, into record: inout EventRecord) -> Notice {
    var fields = FieldPlaces()
    guard let head = MessageHead(bytes, field: { fields.append($0, $1) }) else {
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
    switch head.topic {
    case .marketData: return route(head, fields, bytes, into: &record)
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
      ? nil : others.first { slots[$0.number]?.isAwaited == true && $0.isMeant(by: head, bytes) }
    let key = waiting ?? others.first { $0.isMeant(by: head, bytes) }
    record.subscription = key?.number ?? 0
    if head.hasError { return .control }
    slots[record.subscription]?.life.heard(record, isSnapshot: false, hasValue: true, isNews: true)
    guard slots[record.subscription]?.isAwaited == true else {
      return head.topic == .history && !head.requestPlace.isEmpty ? .unclaimed : .none
    }
    slots[record.subscription]?.isAwaited = false
    return .answered(record.subscription, isImage: true)
  }

  private mutating func route(
    _ head: MessageHead,
    _ fields: borrowing FieldPlaces,
    _ bytes: UnsafeRawBufferPointer,
    into record: inout EventRecord
  ) -> Notice {
    guard let number = subscription(of: head, bytes) else {
      return head.hasError ? .control : .none
    }
    record.subscription = number
    if head.hasError { return .control }
    guard let index = slots.index(forKey: number) else { return .none }
    let (isSnapshot, isNew) = slots.values[index].rule.observe(
      serverID: head.serverID,
      updated: head.updated,
      carriesValue: head.carriesValue
    )
    if isSnapshot { record.flags.insert(.snapshot) }
    var isNews = false
    fields.forEach(in: bytes) { id, value, _ in
      if slots.values[index].known.note(id, value) { isNews = true }
    }
    slots.values[index].life.heard(
      record,
      isSnapshot: isSnapshot,
      hasValue: head.carriesValue,
      isNews: isNews
    )
    guard isNew || slots.values[index].isAwaited else { return .none }
    // Where the availability comes first, the prices that follow are the answer too.
    slots.values[index].isAwaited = !head.carriesValue
    return .answered(number, isImage: isNew || isSnapshot)
  }

  /// With `@EXCH` it is not known which topic comes back: the target counts first, then the conid
  /// (protocol reference 4.9).
  private func subscription(of head: MessageHead, _ bytes: UnsafeRawBufferPointer) -> UInt32? {
    guard head.conid > 0 else { return others.first { $0.isMeant(by: head, bytes) }?.number }
    guard let several = shared[head.conid] else { return numbers[head.conid] }
    let target = UnsafeRawBufferPointer(rebasing: bytes[head.targetPlace])
    return several.first { slots[$0]?.target.elementsEqual(target) == true } ?? several.first
  }
}
