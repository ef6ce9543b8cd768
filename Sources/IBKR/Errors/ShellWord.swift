// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A word of a shell's command line.
package enum ShellWord {
  /// Puts a text into quotation marks where it needs them.
  ///
  /// - Parameter text: Any text without line ends.
  /// - Returns: What a shell reads as that text.
  package static func quoted(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0)
        || "/._-+@:,%".unicodeScalars.contains($0)
    }
    if plain { return text }
    return "'"
      + text.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: "'\\''") + "'"
  }
}
