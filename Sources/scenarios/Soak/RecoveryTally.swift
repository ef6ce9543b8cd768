// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// How long it took until all was well, for all faults of one kind.
///
/// Its size does not depend on how many there were: it must not grow itself where growth is looked
/// for.
struct RecoveryTally: Sendable {
  private(set) var count = 0
  /// How many were well when the fault ended.
  private(set) var atOnce = 0
  /// How many took no longer than the ceiling of the back-off.
  private(set) var withinCeiling = 0
  private(set) var worst = Duration.zero
  /// The longest time that any was allowed to take.
  private(set) var limit = Duration.zero
  // By full seconds; what takes longer than half an hour counts as that.
  private var seconds = [Int32](repeating: 0, count: 1_801)

  mutating func add(_ recovery: Recovery, ceiling: Duration) {
    count += 1
    if recovery.took == .zero { atOnce += 1 }
    if recovery.took <= ceiling { withinCeiling += 1 }
    worst = max(worst, recovery.took)
    limit = max(limit, recovery.limit)
    seconds[min(Int(recovery.took.components.seconds), seconds.count - 1)] += 1
  }

  /// Half of them took at most so many full seconds.
  var median: Int {
    var rest = (count + 1) / 2
    return seconds.firstIndex { number in
      rest -= Int(number)
      return rest <= 0
    } ?? 0
  }
}
