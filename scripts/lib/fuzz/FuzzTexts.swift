// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import JSON

/// Whole HTTP answers, bodies of all framings included: the same in any pieces, never above the limit.
@Sendable func fuzzHTTPResponse(_ input: Input) {
  let limits = HTTPLimits(headBytes: 2000, fieldCount: 20, bodyBytes: 3000)
  func read(_ pieces: [Int]) -> (head: ResponseHead?, body: [UInt8]?, isError: Bool) {
    var parser = ResponseParser(answering: input.has(0) ? .get : .head, limits: limits)
    var start = 0
    var lengths = pieces.makeIterator()
    do throws(HTTPError) {
      while start < input.bytes.count {
        let end = min(input.bytes.count, start + (lengths.next() ?? input.bytes.count))
        let result = try parser.parse(input.bytes[start..<end].span)
        if let response = result.response { return (response.head, response.body, false) }
        start = end
      }
      let response = try parser.endOfConnection()
      return (response?.head, response?.body, false)
    } catch {
      return (nil, nil, true)
    }
  }
  let whole = read([])
  let cut = read(input.pieces)
  require(whole.head == cut.head && whole.body == cut.body, "an answer in pieces differs")
  require(whole.isError == cut.isError, "an answer in pieces differs")
  require((whole.body?.count ?? 0) <= 3000, "a body above the limit")
}

/// The scanner that looks at every message, beside the strict reader.
@Sendable func fuzzJSON(_ input: Input) {
  let tree = try? JSONValue(parsing: input.bytes)
  input.bytes.withUnsafeBytes { bytes in
    let isValid = (try? JSONValidator.validate(bytes)) != nil
    require(isValid == (tree != nil), "validator and reader differ")
    var scanner = JSONScanner(bytes)
    var values: [UnsafeRawBufferPointer] = []
    while let member = scanner.nextMember() {
      values.append(scanner.bytes(member.value))
      _ = scanner.bytes(member.name)
      _ = scanner.bytes(member.content)
      _ = scanner.integer(member)
      _ = member.key.number
    }
    guard let members = tree?.members else { return }
    require(scanner.state == .complete, "the scanner does not finish a valid object")
    require(values.count == members.count, "the scanner misses members")
    for (value, member) in zip(values, members) {
      let again = try? JSONValue(parsing: value)
      require(again == member.value, "a member's value is not what the scanner says")
    }
  }
  guard let tree else { return }
  require((try? JSONValue(parsing: tree.encoded)) == tree, "what is written does not read back")
}
