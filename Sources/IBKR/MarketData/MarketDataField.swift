// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// A field of a quote, named by IBKR's number for it.
///
/// Any number may be asked for; ``description`` knows those that IBKR documents.
public struct MarketDataField: Sendable, Hashable {
  /// IBKR's number.
  public let id: Int

  /// Creates a field from its number.
  ///
  /// - Parameter id: IBKR's number for it, positive.
  public init(_ id: Int) {
    self.id = id
  }

  /// Finds a field by its name or its number.
  ///
  /// - Parameter name: A name such as `bid_price`, or a number such as `84`.
  public init?(named name: some StringProtocol) {
    if let id = Int(name), id > 0 {
      self.init(id)
      return
    }
    let known = Self.all.first { $0.name == name }
    guard let known else { return nil }
    self = known.field
  }

  /// How a field's values are written.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A price, perhaps with a letter before it: `271.55`, `C4735.10`.
    case price
    /// A size, perhaps with thousands separators: `1,300`.
    case size
    /// A count for display, perhaps abbreviated: `12.2M`.
    case count
    /// A percentage, with or without the sign: `0.54%`, `0.56`.
    case percent
    /// Any other number.
    case number
    /// A whole number that identifies something.
    case integer
    /// 1 or 0.
    case flag
    /// Text.
    case text
  }

  /// What is known of a field.
  public struct Description: Sendable, Hashable {
    /// The field.
    public let field: MarketDataField
    /// Its name, as IBind users know it.
    public let name: String
    /// How its values are written.
    public let kind: Kind
    /// What it means.
    public let meaning: String
  }

  /// What is known of this field, nil if nothing is.
  public var description: Description? {
    let place = Self.place(of: id)
    return place < 0 ? nil : Self.all[place]
  }

  /// How the field's values are written; nil for an unknown one.
  var kind: Kind? {
    let place = Self.place(of: id)
    return place < 0 ? nil : Self.kinds[place]
  }

  /// The field's name, or its number if it has none.
  public var name: String { description?.name ?? "\(id)" }

  private static let kinds = all.map(\.kind)

  /// Where each known field stands in ``all``, by its id: asked for every value that is read, so
  /// a table and no dictionary.
  private static let places: [Int16] = {
    var places = [Int16](repeating: -1, count: (all.map(\.field.id).max() ?? 0) + 1)
    for (place, known) in all.enumerated() { places[known.field.id] = Int16(place) }
    return places
  }()

  private static func place(of id: Int) -> Int {
    places.indices.contains(id) ? Int(places[id]) : -1
  }

  /// Finds fields by a part of their number, name or meaning.
  ///
  /// - Parameter text: What to look for; case does not matter.
  /// - Returns: The fields that have it, in the order of their ids.
  public static func search(_ text: some StringProtocol) -> [Description] {
    let wanted = text.lowercased()
    return all.filter { known in
      "\(known.field.id) \(known.name) \(known.meaning)".lowercased().contains(wanted)
    }
  }
}
