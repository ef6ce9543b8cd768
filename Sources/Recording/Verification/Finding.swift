// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Something in a recording that is not as it should be.
public struct Finding: Sendable, Hashable {
  /// What is wrong.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A line has no end.
    case tornLine = "torn_line"
    /// A line is not JSON.
    case notJSON = "not_json"
    /// A line is not UTF-8.
    case notUTF8 = "not_utf8"
    /// A line is longer than any that a recorder writes.
    case lineTooLong = "line_too_long"
    /// A line is empty.
    case emptyLine = "empty_line"
    /// A line belongs to another run than its file.
    case wrongRun = "wrong_run"
    /// A line does not have the columns of its channel, in their order.
    case wrongColumns = "wrong_columns"
    /// A column holds something of another type.
    case wrongType = "wrong_type"
    /// A line lies in another day's folder.
    case wrongDay = "wrong_day"
    /// A line lies in another instrument's folder.
    case wrongSymbol = "wrong_symbol"
    /// Numbers are missing from the log, and no gap says so.
    case seqHole = "seq_hole"
    /// A number of the log comes twice.
    case seqRepeated = "seq_repeated"
    /// Numbers do not ascend.
    case seqOrder = "seq_order"
    /// The monotonic clock goes backwards.
    case timeBackwards = "time_backwards"
    /// A line of another channel follows from no line of the log.
    case notInLog = "not_in_log"
    /// A channel does not hold what follows from the log.
    case differsFromLog = "differs_from_log"
    /// A part has no lines.
    case emptyPart = "empty_part"
    /// A part has a name, or lies in a folder, that no recorder makes.
    case unknownFile = "unknown_file"
    /// A gzip member cannot be read.
    case damagedMember = "damaged_member"
    /// A gzip member holds something else than it says.
    case wrongMember = "wrong_member"
    /// The manifest is missing, although parts are sealed.
    case missingManifest = "missing_manifest"
    /// A line of the manifest says nothing.
    case badManifestLine = "bad_manifest_line"
    /// A part that the manifest names is not there.
    case missingPart = "missing_part"
    /// A part of a run that has ended is not in the manifest.
    case unlistedPart = "unlisted_part"
    /// A part has another length than the manifest says.
    case wrongSize = "wrong_size"
    /// A part has another SHA-256 than the manifest says.
    case wrongDigest = "wrong_digest"
    /// A part has other numbers of lines, or other ranges, than the manifest says.
    case wrongCounts = "wrong_counts"
    /// A part is there twice, open and sealed.
    case doublePart = "double_part"
    /// A file on its way to a name was left behind.
    case leftover = "leftover"
    /// A run has parts and no record.
    case missingRun = "missing_run"
    /// A run's record cannot be read.
    case badRun = "bad_run"
    /// A run has crashed, and nothing has been recorded since.
    case unfinishedRun = "unfinished_run"
    /// The log ends before its run did.
    case missingEnd = "missing_end"
    /// The time between two runs is not declared as a gap.
    case undeclaredDownTime = "undeclared_down_time"
    /// A line of `instruments.ndjson` says nothing.
    case badInstrument = "bad_instrument"
    /// The wall clock was set back; the recording is whole.
    case clockSetBack = "clock_set_back"
    /// Parts of a run were removed because of their age or size, so that its channels cannot be held
    /// against its log.
    case notCompared = "not_compared"
    /// A recorder is at work; what it is writing cannot be judged.
    case beingRecorded = "being_recorded"

    /// Whether something is wrong with the recording, and not just worth knowing.
    public var isDamage: Bool {
      switch self {
      case .clockSetBack, .notCompared, .beingRecorded: false
      default: true
      }
    }
  }

  /// What is wrong.
  public var kind: Kind

  /// Where: a path relative to the recording.
  public var path: String

  /// In which line, from 1; nil for the file as a whole.
  public var line: Int?

  /// The words for it.
  public var detail: String

  init(_ kind: Kind, _ path: String, line: Int? = nil, _ detail: String) {
    self.kind = kind
    self.path = path
    self.line = line
    self.detail = detail
  }
}

extension Finding: CustomStringConvertible {
  /// `path:line: kind: words`.
  public var description: String {
    let place = line.map { "\(path):\($0)" } ?? path
    return "\(place): \(kind.rawValue): \(detail)"
  }
}

extension Finding {
  /// The finding as a line of JSON.
  public var json: String {
    var text = LineBuffer()
    text.append("{\"kind\":")
    text.append(string: kind.rawValue)
    text.append(",\"damage\":")
    text.append(kind.isDamage)
    text.append(",\"path\":")
    text.append(string: path)
    text.append(",\"line\":")
    text.append(orNull: line.map(Int64.init))
    text.append(",\"detail\":")
    text.append(string: detail)
    text.append("}\n")
    return text.withBytes { String(decoding: $0, as: UTF8.self) }
  }
}
