// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// What is wrong with a part of a user's OAuth 1.0a material, and what to do about it.
///
/// Says what the part looks like, and never what it is.
package struct MaterialFault: Error, Sendable, Hashable {
  /// What is wrong, as the end of a sentence that begins with the part's name.
  package let what: String
  /// What to do, in the imperative.
  package let remedy: String
  /// Whether a login cannot succeed with it; otherwise it is odd and may work.
  package let isGrave: Bool

  init(_ what: String, remedy: String, isGrave: Bool = true) {
    self.what = what
    self.remedy = remedy
    self.isGrave = isGrave
  }
}
