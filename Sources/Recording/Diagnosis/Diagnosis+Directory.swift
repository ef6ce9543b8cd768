// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc
public import IBKR

extension Diagnosis {
  /// Looks at the place where a recording is to go.
  ///
  /// Whether it can be written to, whether there is space, and whether another recorder is at it.
  /// Nothing is left behind there.
  ///
  /// - Parameter directory: The directory; it need not exist yet.
  public mutating func examineDirectory(_ directory: String) {
    let (folder, exists) = Self.nearest(to: directory)
    guard examineFolder(folder, for: directory, exists: exists) else {
      skip(["disk-space", "lock"], .storage, because: "directory failed")
      return
    }
    examineSpace(at: folder)
    examineLock(of: directory, exists: exists)
  }

  /// The directory itself, or the nearest above it that is there.
  private static func nearest(to directory: String) -> (String, exists: Bool) {
    var path = directory
    while access(path, F_OK) != 0 {
      while path.count > 1, path.last == "/" { path.removeLast() }
      guard let slash = path.lastIndex(of: "/") else { return (".", false) }
      path = slash == path.startIndex ? "/" : String(path[..<slash])
      if path == "/" { break }
    }
    return (path, path == directory)
  }

  private mutating func examineFolder(
    _ folder: String,
    for directory: String,
    exists: Bool
  ) -> Bool {
    var status = stat()
    if stat(folder, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
      note(
        Check(
          "directory",
          .storage,
          .failed,
          "\(folder) is a file and not a directory",
          remedy: "choose another directory with -o"
        )
      )
      return false
    }
    // Tried, because permissions do not tell of quotas, read-only mounts and such.
    var name = Array("\(folder)/.doctor-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    guard file >= 0 else {
      let error = StorageError("write to", folder, number: errno)
      note(
        Check(
          "directory",
          .storage,
          .failed,
          "\(error)",
          remedy: "give it to this user (chown, chmod u+w) or choose another with -o"
        )
      )
      return false
    }
    close(file)
    unlink(name)
    note(
      Check(
        "directory",
        .storage,
        .passed,
        exists ? "\(directory) can be written to" : "\(directory) can be created"
      )
    )
    return true
  }

  private mutating func examineSpace(at folder: String) {
    var status = statvfs()
    guard statvfs(folder, &status) == 0 else {
      note(Check("disk-space", .storage, .warning, "the file system does not tell its space"))
      return
    }
    let available = Double(status.f_bavail) * Double(status.f_frsize)
    // File systems without a fixed number of files say 0 for both.
    let files = status.f_files == 0 ? nil : Int(clamping: status.f_favail)
    note(Self.space(bytes: available, files: files, at: folder))
  }

  /// What a free space means: a busy instrument takes some 100 MB in a day.
  static func space(bytes: Double, files: Int?, at folder: String) -> Check {
    let gigabytes = (bytes / 1e8).rounded() / 10
    let remedy = "delete or move something, or choose another disk with -o"
    func check(_ outcome: Check.Outcome, _ finding: String) -> Check {
      Check(
        "disk-space",
        .storage,
        outcome,
        finding,
        remedy: outcome == .passed ? nil : remedy
      )
    }
    if bytes < 50e6 {
      return check(.failed, "\(Int(bytes / 1e6)) MB are free at \(folder): a recording stops soon")
    }
    if let files, files < 1_000 {
      return check(.warning, "only \(files) more files can be created at \(folder)")
    }
    if bytes < 2e9 { return check(.warning, "only \(gigabytes) GB are free at \(folder)") }
    return check(.passed, "\(gigabytes) GB are free")
  }

  private mutating func examineLock(of directory: String, exists: Bool) {
    // Locking makes the file; where there is none, nobody has ever recorded.
    guard exists, access("\(directory)/\(POSIXStorage.lockName)", F_OK) == 0 else {
      note(Check("lock", .storage, .passed, "nobody is recording there"))
      return
    }
    do throws(StorageError) {
      _ = try POSIXStorage(directory: directory).lock()
      note(Check("lock", .storage, .passed, "nobody is recording there"))
    } catch {
      note(
        Check(
          "lock",
          .storage,
          .failed,
          "\(error)",
          remedy: "one directory has one recorder: stop the other one, or name another with -o"
        )
      )
    }
  }
}
