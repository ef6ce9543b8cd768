// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import IBKR
import JSON

/// What has become of the bars of a gap, for one of its instruments.
///
/// A gap's own record is written when the gap ends and never changed. What is asked for it afterwards,
/// by the same run or by others, stands in `ch=status`; this is both together.
public struct RecordedBackfill: Sendable, Hashable {
  /// How far it has come.
  public enum State: String, Sendable, Hashable, CaseIterable {
    /// Nobody has asked, and nobody was going to.
    case none
    /// It is to be asked for.
    case pending
    /// There is a bar for each minute.
    case done
    /// There are bars for some of the time.
    case partial
    /// There are none.
    case unavailable
  }

  /// The gap's name.
  public let gapID: String
  /// The instrument's name in the recording.
  public let symbol: String
  /// The contract id.
  public let conid: Int
  /// The exchange whose data was recorded; nil for the server's choice.
  public let exchange: String?
  /// From when to when quotes are missing, in nanoseconds since 1970.
  public let range: Range<Int64>
  /// How far it has come.
  public internal(set) var state: State
  /// Why it is not further; empty where there is nothing to say.
  public internal(set) var reason = ""
  /// How many bars there are.
  public internal(set) var bars = 0
  /// What the server has given no final answer for; nil if there is nothing left to ask.
  public internal(set) var rest: Range<Int64>?

  /// What can be asked for; nil if there is nothing left to ask.
  public var backfill: Backfill? { rest.map { asking(for: $0) } }

  /// The whole stretch of time, whatever has been asked for already.
  public var whole: Backfill { asking(for: range) }

  private func asking(for range: Range<Int64>) -> Backfill {
    Backfill(gap: .named(gapID), conid: conid, exchange: exchange, range: range)
  }

  /// The state as a JSON object.
  public var json: String {
    var text = LineBuffer()
    text.append("{\"symbol\":")
    text.append(string: symbol)
    text.append(",\"conid\":")
    text.append(Int64(conid))
    text.append(",\"state\":")
    text.append(string: state.rawValue)
    text.append(",\"bars\":")
    text.append(Int64(bars))
    text.append(",\"reason\":")
    text.append(string: reason)
    text.append(",\"rest_start\":")
    text.append(orNull: rest?.lowerBound)
    text.append(",\"rest_end\":")
    text.append(orNull: rest?.upperBound)
    text.append("}")
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}

extension RecordedGap {
  /// The gap as a line of JSON, with what has become of its bars.
  ///
  /// - Parameter backfills: What is known of them; those of other gaps do not matter.
  /// - Returns: The line.
  public func json(filled backfills: [RecordedBackfill]) -> String {
    let own = backfills.filter { $0.gapID == id }.map(\.json).joined(separator: ",")
    return json.dropLast(2) + ",\"backfill\":[\(own)]}\n"
  }
}
