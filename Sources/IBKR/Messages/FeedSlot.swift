// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// All that the router knows of one subscription.
struct FeedSlot: Sendable {
  let number: UInt32
  let target: [UInt8]
  var rule = SnapshotRule()
  var isAwaited = false
  private(set) var life = FeedLife()
  private(set) var known = KnownFields()

  init(_ key: SubscriptionKey) {
    number = key.number
    target = Array(key.target.utf8)
  }

  /// A quote of this subscription came.
  ///
  /// - Parameters:
  ///   - head: What it is.
  ///   - fields: Where its fields stand.
  ///   - bytes: The message.
  ///   - record: Where to note whose it is, and whether it is an image.
  /// - Returns: Who else has to know.
  mutating func take(
    _ head: MessageHead,
    _ fields: UnsafeBufferPointer<FieldPlace>,
    _ bytes: UnsafeRawBufferPointer,
    into record: inout EventRecord
  ) -> MessageRouter.Notice {
    record.subscription = number
    let (isSnapshot, isNew) = rule.observe(
      request: record.request,
      updated: head.updated,
      carriesValue: head.carriesValue
    )
    if isSnapshot { record.flags.insert(.snapshot) }
    let isNews = known.note(fields, in: bytes, digest: &record.digest)
    life.heard(record, isSnapshot: isSnapshot, hasValue: head.carriesValue, isNews: isNews)
    guard isNew || isAwaited else { return .none }
    // Where the availability comes first, the prices that follow are the answer too.
    isAwaited = !head.carriesValue
    return .answered(number, isImage: isNew || isSnapshot)
  }

  /// A message of a feed other than quotes came; which of its first is an image, nobody knows.
  ///
  /// - Parameter record: The message's record.
  /// - Returns: Whether it was awaited.
  mutating func answer(_ record: EventRecord) -> Bool {
    life.heard(record, isSnapshot: false, hasValue: true, isNews: true)
    defer { isAwaited = false }
    return isAwaited
  }
}
