// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow
import Glibc

@testable import Recording

/// A directory on a disk that forgets what was not synced, and that fails at any call.
///
/// Contents survive a power loss up to the last `synchronize` of the file, names up to the last
/// `synchronizeFolder` of their folder, those of folders too, as POSIX has it; of what came later any beginning may have
/// reached the disk, in each file and in each folder another. Every call is counted; a plan decides
/// what becomes of the n-th.
final class DiskModel: Storage {
  /// What becomes of a call.
  enum Fate: Sendable {
    /// The process is gone: this call and every later one does nothing.
    case killed
    /// The call fails.
    case error(Int32)
  }

  private struct Node: Sendable {
    var bytes: [UInt8] = []
    var synced = 0
    /// What there was when it was synced, if it was cut since.
    var uncut: [UInt8]?
  }

  /// What names mean from one moment on; nil for nothing.
  private typealias Naming = [String: Int?]

  private struct State: Sendable {
    var nodes: [Int: Node] = [:]
    var names: [String: Int] = [:]
    var safeNames: [String: Int] = [:]
    /// What was done to names since their folder was synced, in its order.
    var unsafeNamings: [String: [Naming]] = [:]
    var folders: Set<String> = [""]
    var safeFolders: Set<String> = [""]
    var lastNode = 0
    var isLocked = false
    var isDead = false
    var calls = 0
    var generation = 0
    var plan: (@Sendable (Int, String, String) -> Fate?)?
    var capacity = Int.max
  }

  private let state: Locked<State>

  /// An empty disk.
  init() {
    state = Locked(State())
  }

  /// A disk with the same files.
  init(copying other: DiskModel) {
    state = Locked(other.state.withLock { $0 })
  }

  /// How many calls there have been since the process began.
  var calls: Int { state.withLock { $0.calls } }

  /// Whether the process is gone.
  var isDead: Bool { state.withLock { $0.isDead } }

  /// Decides about the calls from now on: their number, what is called, and the path.
  func plan(_ plan: (@Sendable (Int, String, String) -> Fate?)?) {
    state.withLock { $0.plan = plan }
  }

  /// How many bytes all files together may have.
  func limit(to capacity: Int) {
    state.withLock { $0.capacity = capacity }
  }

  /// Another process begins where the last one was killed.
  func restart() {
    state.withLock { state in
      state.isDead = false
      state.isLocked = false
      state.calls = 0
      state.generation += 1
      state.plan = nil
    }
  }

  /// The power fails: what was not synced is gone, or only a piece of it has reached the disk.
  func losePower(using random: inout SeededRandom) {
    var generator = random
    state.withLock { state in
      state.names = state.safeNames
      for (_, namings) in state.unsafeNamings.sorted(by: { $0.key < $1.key }) {
        for naming in namings.prefix(Int.random(in: 0...namings.count, using: &generator)) {
          for (name, id) in naming {
            if name.hasSuffix("/") {
              state.safeFolders.insert(String(name.dropLast()))
            } else {
              state.names[name] = id
            }
          }
        }
      }
      // What is in a folder whose name is lost is lost with it.
      for folder in state.safeFolders.sorted(by: { $0.count < $1.count })
      where !folder.isEmpty && !state.safeFolders.contains(Self.folder(of: folder)) {
        state.safeFolders.remove(folder)
      }
      state.folders = state.safeFolders
      state.names = state.names.filter { state.folders.contains(Self.folder(of: $0.key)) }
      state.safeNames = state.names
      state.unsafeNamings = [:]
      for (id, node) in state.nodes.sorted(by: { $0.key < $1.key }) {
        var node = node
        if let uncut = node.uncut, Bool.random(using: &generator) {
          (node.bytes, node.synced) = (uncut, uncut.count)
        }
        node.uncut = nil
        let lost = node.bytes.count - node.synced
        state.nodes[id] = node
        guard lost > 0 else { continue }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: node.bytes.removeLast(lost)
        case 1: node.bytes.removeLast(Int.random(in: 0...lost, using: &generator))
        case 2:
          // The length has reached the disk, but not the contents.
          let count = Int.random(in: 0...lost, using: &generator)
          node.bytes.replaceSubrange(
            (node.bytes.count - count)...,
            with: repeatElement(0, count: count)
          )
        default: break
        }
        node.synced = node.bytes.count
        state.nodes[id] = node
      }
    }
    random = generator
  }

  /// The paths of all files, in order.
  var paths: [String] { state.withLock { $0.names.keys.sorted() } }

  /// The contents of a file.
  func bytes(_ path: String) -> [UInt8]? {
    state.withLock { state in state.names[path].flatMap { state.nodes[$0]?.bytes } }
  }

  /// Changes a file behind everybody's back; nil removes it.
  func set(_ path: String, _ bytes: [UInt8]?) {
    state.withLock { state in
      guard let bytes else {
        state.names[path] = nil
        state.safeNames[path] = nil
        return
      }
      let id = Self.make(path, &state)
      state.nodes[id] = Node(bytes: bytes, synced: bytes.count)
      state.safeNames[path] = id
      state.safeFolders = state.folders
    }
  }

  private static func make(_ path: String, _ state: inout State) -> Int {
    state.lastNode += 1
    state.names[path] = state.lastNode
    state.nodes[state.lastNode] = Node()
    var folder = path[...]
    while let slash = folder.lastIndex(of: "/") {
      folder = folder[..<slash]
      guard state.folders.insert(String(folder)).inserted else { break }
      note(["\(folder)/": nil], in: String(folder), &state)
    }
    note([path: state.lastNode], in: path, &state)
    return state.lastNode
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
  }

  private static func note(_ naming: Naming, in path: String, _ state: inout State) {
    state.unsafeNamings[folder(of: path), default: []].append(naming)
  }

  private func call<Result>(
    _ name: String,
    _ path: String,
    _ body: (inout State) throws(StorageError) -> Result
  ) throws(StorageError) -> Result {
    try state.withLock { state throws(StorageError) in
      state.calls += 1
      if !state.isDead, let fate = state.plan?(state.calls, name, path) {
        switch fate {
        case .killed: state.isDead = true
        case .error(let number): throw StorageError(name, path, number: number)
        }
      }
      if state.isDead { throw StorageError(name, path, reason: "the process was killed") }
      return try body(&state)
    }
  }

  func lock() throws(StorageError) -> any StorageLock {
    let generation = try call("lock", "") { state throws(StorageError) in
      guard !state.isLocked else { throw StorageError(inUse: "disk", by: "process 1") }
      state.isLocked = true
      return state.generation
    }
    return Lock(disk: self, generation: generation)
  }

  private final class Lock: StorageLock {
    let disk: DiskModel
    let generation: Int
    init(disk: DiskModel, generation: Int) {
      self.disk = disk
      self.generation = generation
    }
    deinit {
      disk.state.withLock { if $0.generation == generation { $0.isLocked = false } }
    }
  }

  func create(_ path: String) throws(StorageError) -> any StorageFile {
    let id = try call("create", path) { state throws(StorageError) in
      guard state.names[path] == nil else { throw StorageError("create", path, number: EEXIST) }
      return Self.make(path, &state)
    }
    return File(path, id, self)
  }

  func append(to path: String, creating: Bool) throws(StorageError) -> any StorageFile {
    let id = try call("append", path) { state throws(StorageError) in
      if let id = state.names[path] { return id }
      guard creating else { throw StorageError("open", path, number: ENOENT) }
      return Self.make(path, &state)
    }
    return File(path, id, self)
  }

  func open(_ path: String) throws(StorageError) -> any StorageFile {
    let id = try call("open", path) { state throws(StorageError) in
      guard let id = state.names[path] else { throw StorageError("open", path, number: ENOENT) }
      return id
    }
    return File(path, id, self)
  }

  func rename(_ path: String, to newPath: String) throws(StorageError) {
    try call("rename", path) { state throws(StorageError) in
      guard let id = state.names.removeValue(forKey: path) else {
        throw StorageError("rename", path, number: ENOENT)
      }
      state.names[newPath] = id
      Self.note([path: nil, newPath: id], in: path, &state)
    }
  }

  func remove(_ path: String) throws(StorageError) {
    try call("remove", path) { state throws(StorageError) in
      guard state.names.removeValue(forKey: path) != nil else {
        throw StorageError("remove", path, number: ENOENT)
      }
      Self.note([path: nil], in: path, &state)
    }
  }

  func synchronizeFolder(_ path: String) throws(StorageError) {
    try call("folder", path) { state in
      func isInside(_ name: String) -> Bool { Self.folder(of: name) == path }
      state.unsafeNamings[path] = nil
      state.safeFolders.formUnion(state.folders.filter { isInside($0) })
      for name in state.safeNames.keys where isInside(name) { state.safeNames[name] = nil }
      for (name, id) in state.names where isInside(name) { state.safeNames[name] = id }
    }
  }

  func list(_ path: String) throws(StorageError) -> [String] {
    try call("list", path) { state in
      let prefix = path.isEmpty ? "" : "\(path)/"
      let below = (state.names.keys + state.folders.map { "\($0)/" })
        .filter { $0.hasPrefix(prefix) && $0.count > prefix.count }
        .map { $0.dropFirst(prefix.count) }
      let names = below.compactMap { name -> String? in
        guard let slash = name.firstIndex(of: "/") else { return String(name) }
        return slash == name.startIndex ? nil : "\(name[..<slash])/"
      }
      return Set(names).sorted()
    }
  }

  func freeByteCount() throws(StorageError) -> Int {
    try call("free", "") { Self.free($0) }
  }

  private static func free(_ state: State) -> Int {
    state.capacity - Set(state.names.values).reduce(0) { $0 + (state.nodes[$1]?.bytes.count ?? 0) }
  }

  private final class File: StorageFile {
    let path: String
    let id: Int
    let disk: DiskModel

    init(_ path: String, _ id: Int, _ disk: DiskModel) {
      self.path = path
      self.id = id
      self.disk = disk
    }

    func byteCount() throws(StorageError) -> Int {
      try disk.call("size", path) { $0.nodes[id]?.bytes.count ?? 0 }
    }

    func isNamed() throws(StorageError) -> Bool {
      try disk.call("named", path) { $0.names.values.contains(id) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Int {
      try disk.state.withLock { state throws(StorageError) in
        state.calls += 1
        if state.isDead { throw StorageError("write", path, reason: "the process was killed") }
        var count = min(bytes.count, DiskModel.free(state))
        let fate = state.plan?(state.calls, "write", path)
        // A call that fails or is the last may have done a part of its work.
        if fate != nil { count = min(count, state.calls % (bytes.count + 1)) }
        state.nodes[id, default: Node()].bytes.append(contentsOf: bytes.prefix(max(0, count)))
        switch fate {
        case .killed:
          state.isDead = true
          throw StorageError("write", path, reason: "the process was killed")
        case .error(let number): throw StorageError("write", path, number: number)
        case nil: break
        }
        guard count > 0 || bytes.isEmpty else {
          throw StorageError("write", path, number: ENOSPC)
        }
        return count
      }
    }

    func read(
      into buffer: UnsafeMutableRawBufferPointer,
      at offset: Int
    ) throws(StorageError) -> Int {
      try disk.call("read", path) { state in
        let bytes = state.nodes[id]?.bytes.dropFirst(offset).prefix(buffer.count) ?? []
        buffer.copyBytes(from: bytes)
        return bytes.count
      }
    }

    func synchronize() throws(StorageError) {
      try disk.call("sync", path) { state in
        guard var node = state.nodes[id] else { return }
        node.synced = node.bytes.count
        node.uncut = nil
        state.nodes[id] = node
      }
    }

    func truncate(to byteCount: Int) throws(StorageError) {
      try disk.call("truncate", path) { state in
        guard var node = state.nodes[id] else { return }
        if byteCount < node.synced, node.uncut == nil {
          node.uncut = Array(node.bytes.prefix(node.synced))
        }
        node.bytes.removeLast(max(0, node.bytes.count - byteCount))
        node.synced = min(node.synced, byteCount)
        state.nodes[id] = node
      }
    }
  }
}
