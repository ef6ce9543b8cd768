// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What somebody may have meant who misspelt a word.
package enum Spelling {
  /// How many letters have to be changed, added, removed, or swapped with their neighbour.
  ///
  /// - Parameters:
  ///   - first: A word.
  ///   - second: Another; of both the first 80 bytes count.
  /// - Returns: 0 for the same word.
  package static func distance(_ first: String, _ second: String) -> Int {
    let rows = Array(first.utf8.prefix(80))
    let columns = Array(second.utf8.prefix(80))
    // Optimal string alignment: Levenshtein's table, and a look two rows back for swaps.
    var before: [Int] = []
    var above = Array(0...columns.count)
    for row in rows.indices {
      var line = [row + 1]
      for column in columns.indices {
        var best = above[column] + (rows[row] == columns[column] ? 0 : 1)
        best = min(best, above[column + 1] + 1, line[column] + 1)
        if row > 0, column > 0, rows[row] == columns[column - 1], rows[row - 1] == columns[column] {
          best = min(best, before[column - 1] + 1)
        }
        line.append(best)
      }
      (before, above) = (above, line)
    }
    return above[columns.count]
  }

  /// The word that is nearest to a misspelt one.
  ///
  /// - Parameters:
  ///   - word: The misspelt word; case counts.
  ///   - words: The words that there are.
  ///   - limit: How far it may be off; nil for a third of its letters, at least one.
  /// - Returns: The nearest; of several the first by the alphabet, nil if none is near.
  package static func nearest(
    to word: String,
    in words: some Sequence<String>,
    within limit: Int? = nil
  ) -> String? {
    let limit = limit ?? max(1, word.utf8.count / 3)
    return words.map { (word: $0, distance: distance($0, word)) }
      .filter { $0.distance <= limit }
      .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
  }
}
