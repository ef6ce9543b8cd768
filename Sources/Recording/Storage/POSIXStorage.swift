// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Glibc

/// A directory on a disk.
///
/// It keeps the directory's descriptor and reaches everything from there (`openat`), so that a
/// recording goes on in the same place when the directory is renamed above it. A file's last path
/// component is never followed through a symbolic link.
package final class POSIXStorage: Storage {
  /// The directory as the user named it, for errors.
  package let directory: String

  // Closed only in `deinit`, when nobody can use it any more.
  private let descriptor: Int32

  /// The file whose lock stands for the directory; its name keeps it out of readers' patterns.
  static let lockName = ".lock"

  /// Opens a directory, creating it and what is above it if necessary.
  ///
  /// - Parameter directory: The directory's path.
  /// - Throws: `StorageError` if it cannot be created or opened.
  package init(directory: String) throws(StorageError) {
    self.directory = directory
    try Self.makeFolders(directory, at: AT_FDCWD, shownAs: directory, isSynced: true)
    descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageError("open", directory, number: errno) }
  }

  /// Opens a directory that is there already, to look at it.
  ///
  /// - Parameter directory: The directory's path.
  /// - Throws: `StorageError`; `.missing` if there is none.
  package init(existing directory: String) throws(StorageError) {
    self.directory = directory
    descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageError("open", directory, number: errno) }
  }

  deinit { close(descriptor) }

  package func lock() throws(StorageError) -> any StorageLock {
    let path = shown(Self.lockName)
    let file = openat(
      descriptor,
      Self.lockName,
      O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
      0o644
    )
    guard file >= 0 else { throw StorageError("create", path, number: errno) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
      let number = errno
      let holder = Self.contents(of: file)
      close(file)
      guard number == EWOULDBLOCK else { throw StorageError("lock", path, number: number) }
      throw StorageError(inUse: directory, by: holder)
    }
    // Who holds the lock is help for a person; the lock itself does not depend on it.
    let holder = Array("process \(getpid())".utf8)
    if ftruncate(file, 0) == 0 { _ = pwrite(file, holder, holder.count, 0) }
    return Lock(descriptor: file)
  }

  /// The open descriptor is the lock (`flock`).
  private final class Lock: StorageLock {
    private let descriptor: Int32

    init(descriptor: Int32) { self.descriptor = descriptor }

    // The file stays: were it removed, two processes could hold locks on two files of one name.
    deinit { close(descriptor) }
  }

  package func create(_ path: String) throws(StorageError) -> any StorageFile {
    if let slash = path.lastIndex(of: "/") {
      let folder = String(path[..<slash])
      try Self.makeFolders(folder, at: descriptor, shownAs: shown(folder))
    }
    return try open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, "create")
  }

  package func append(
    to path: String,
    creating: Bool
  ) throws(StorageError) -> any StorageFile {
    try open(path, O_RDWR | O_APPEND | (creating ? O_CREAT : 0), "open")
  }

  package func open(_ path: String) throws(StorageError) -> any StorageFile {
    try open(path, O_RDONLY, "open")
  }

  package func rename(_ path: String, to newPath: String) throws(StorageError) {
    guard renameat(descriptor, path, descriptor, newPath) == 0 else {
      throw StorageError("rename", shown(path), number: errno)
    }
  }

  package func remove(_ path: String) throws(StorageError) {
    guard unlinkat(descriptor, path, 0) == 0 else {
      throw StorageError("remove", shown(path), number: errno)
    }
  }

  package func synchronizeFolder(_ path: String) throws(StorageError) {
    try Self.synchronizeFolder(path.isEmpty ? "." : path, at: descriptor, shownAs: shown(path))
  }

  package func list(_ path: String) throws(StorageError) -> [String] {
    let name = path.isEmpty ? "." : path
    let folder = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      if errno == ENOENT { return [] }
      throw StorageError("list", shown(path), number: errno)
    }
    guard let stream = fdopendir(folder) else {
      let number = errno
      close(folder)
      throw StorageError("list", shown(path), number: number)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      var name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name == "." || name == ".." { continue }
      if entry.pointee.d_type == UInt8(DT_DIR) { name += "/" }
      names.append(name)
    }
    return names.sorted()
  }

  package func freeByteCount() throws(StorageError) -> Int {
    var status = statvfs()
    guard fstatvfs(descriptor, &status) == 0 else {
      throw StorageError("examine", directory, number: errno)
    }
    let (bytes, overflow) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return overflow ? .max : Int(clamping: bytes)
  }

  private func open(
    _ path: String,
    _ flags: Int32,
    _ action: String
  ) throws(StorageError) -> POSIXFile {
    let file = openat(descriptor, path, flags | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { throw StorageError(action, shown(path), number: errno) }
    return POSIXFile(descriptor: file, path: shown(path))
  }

  private func shown(_ path: String) -> String {
    path.isEmpty ? directory : "\(directory)/\(path)"
  }

  /// Creates a folder and what is missing above it.
  ///
  /// - Parameters:
  ///   - path: The folder.
  ///   - base: What the path begins at.
  ///   - shown: The path for messages.
  ///   - isSynced: Whether every folder that gets a new name is synced at once.
  /// - Throws: `StorageError`.
  private static func makeFolders(
    _ path: String,
    at base: Int32,
    shownAs shown: String,
    isSynced: Bool = false
  ) throws(StorageError) {
    // Nearly always it is there, and one call says so.
    if mkdirat(base, path, 0o755) != 0 {
      switch errno {
      case EEXIST: return
      case ENOENT where parent(of: path) != path:
        try makeFolders(parent(of: path), at: base, shownAs: shown, isSynced: isSynced)
        guard mkdirat(base, path, 0o755) == 0 || errno == EEXIST else {
          throw StorageError("create", shown, number: errno)
        }
      default: throw StorageError("create", shown, number: errno)
      }
    }
    if isSynced { try synchronizeFolder(parent(of: path), at: base, shownAs: shown) }
  }

  private static func parent(of path: String) -> String {
    var rest = path[...]
    while rest.count > 1, rest.last == "/" { rest.removeLast() }
    guard let slash = rest.lastIndex(of: "/") else { return "." }
    return slash == rest.startIndex ? "/" : String(rest[..<slash])
  }

  private static func synchronizeFolder(
    _ path: String,
    at base: Int32,
    shownAs shown: String
  ) throws(StorageError) {
    let folder = openat(base, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      // A folder above the recording that only lets us pass is not ours to sync.
      if errno == EACCES { return }
      throw StorageError("open", shown, number: errno)
    }
    defer { close(folder) }
    guard fsync(folder) == 0 else { throw StorageError("sync", shown, number: errno) }
  }

  private static func contents(of file: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = pread(file, &bytes, bytes.count, 0)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
