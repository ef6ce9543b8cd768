// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

public import IBKR

extension NDJSONFileSink {
  /// What is recorded, where, and how safely.
  public struct Configuration: Sendable {
    /// When the log is made to survive a power loss (`fdatasync`).
    ///
    /// The lines of a process that is killed are safe as soon as they are written, whatever is
    /// chosen here.
    public enum Synchronization: String, Sendable, Hashable, CaseIterable {
      /// When a part is sealed, and not before.
      case never
      /// Within a second of each record: it waits for the write, then for others.
      case everySecond = "1s"
      /// After every write.
      case batch
    }

    /// The directory; it is created if it is missing.
    public var directory: String

    /// The channels to write.
    ///
    /// Without `raw` the others can be neither checked nor written again.
    public var channels = Channel.standard

    /// By what lines are put into folders.
    public var partition = Partition.dateAndSymbol

    /// How points in time are written.
    public var timeFormat = TimeFormat.nanoseconds

    /// Whether account ids are recorded as they are and not as `acct-1`, `acct-2`, ….
    public var keepsAccounts = false

    /// When the log is made to survive a power loss.
    public var synchronization = Synchronization.everySecond

    /// How long a line may wait at most for others to be written together with.
    ///
    /// It waits for nothing unless much comes: the pause after a write is in proportion to the time
    /// that the write took, so that writing takes a small part of the thread's time at any rate. A
    /// quarter of the 200 ms that are promised: the rest is for what comes before and after, the
    /// events' way to the sink and the disk itself, on a machine that has other things to do.
    public var writeInterval = Duration.milliseconds(50)

    /// How many bytes of lines may wait before they are written at once.
    public var writeSize = 1 << 20

    /// When a part ends and the next one begins, besides midnight UTC.
    public var rotation = Rotation.standard

    /// How sealed parts are compressed, in members of up to 1,000 lines; nil leaves them plain.
    ///
    /// A sink refuses what the build cannot write: see ``PartCodec/unavailability``.
    public var codec: PartCodec? = .gzip

    /// How long sealed parts are kept; the standard is for ever.
    public var retention = Retention()

    /// How many bytes are left free on the disk: with less, nothing is written until there is more.
    public var minimumFree = 64 << 20

    /// What happens when the disk is slower than the stream.
    public var overflow = OverflowPolicy.backpressure

    /// The name and version of the program, for the run's record.
    public var tool = "ibkr-stream"

    /// The settings to keep in the run's record, by name; no secrets.
    public var settings: [String: String] = [:]

    /// What the run is made for.
    package var purpose = RunRecord.Purpose.record

    /// Creates a configuration with the defaults of everything but the place.
    ///
    /// - Parameter directory: The directory; it is created if it is missing.
    public init(directory: String) {
      self.directory = directory
    }
  }

  /// What a sink has to say while it works; it goes on by itself.
  public enum Notice: Sendable, Hashable {
    /// Lines could not be written or synced. They are kept, and tried again every second; no more
    /// events are taken meanwhile.
    case failed(StorageError)
    /// What could not be written is written now.
    case recovered
    /// A part could not be sealed, or an old one not removed. It is tried again every ten seconds;
    /// recording goes on.
    case sealingFailed(StorageError)
  }
}
