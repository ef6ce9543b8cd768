// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayRequest {
  /// `iserver/secdef/search`: by symbol, or by a part of the company's name.
  ///
  /// A search by symbol opens the way to the derivatives of what it finds; one by name closes it
  /// again (protocol reference 6.1).
  func search(_ gateway: inout GatewayState, at now: Timestamp) -> GatewayResponse {
    guard let text = parameter("symbol"), !text.isEmpty else {
      return .error("Bad Request: symbol", status: 400)
    }
    let catalogue = gateway.options.catalogue
    let isByName = parameter("name") == "true"
    let symbol = text.uppercased()
    let type = parameter("secType")
    let found =
      (isByName
      ? catalogue.contracts(nameContaining: text) : catalogue.contracts(symbol: symbol))
      .filter { type == nil || $0.type == type }
    let roots = FutureRoot.all.filter {
      (isByName ? $0.name.contains(symbol) : $0.symbol == symbol) && type == nil
    }
    if isByName {
      gateway.searched = []
    } else {
      gateway.searched.formUnion(found.map(\.conid) + roots.map(\.underlying))
    }
    var elements = found.map { contract in
      var sections = [#"{"secType":"\#(contract.type)","exchange":"\#(contract.exchange);"}"#]
      let months = catalogue.optionMonths(of: contract, at: now)
      if !months.isEmpty {
        sections.append(
          #"{"secType":"OPT","months":"\#(months.map(\.name).joined(separator: ";"))","#
            + #""exchange":"SMART;AMEX;CBOE"}"#
        )
      }
      if contract.isUS { sections.append(#"{"secType":"BAG"}"#) }
      return element(
        contract.conid,
        contract.symbol,
        contract.companyName,
        contract.exchange,
        sections
      )
    }
    elements += roots.map { root in
      let months = root.months(at: now).map(\.name).joined(separator: ";")
      return element(
        root.underlying,
        root.symbol,
        root.name,
        root.exchange,
        [#"{"secType":"FUT","months":"\#(months)","exchange":"\#(root.exchange)"}"#]
      )
    }
    if let company = found.first(where: { $0.isUS && $0.type == "STK" }) {
      // Recorded: behind everything else stands the issuer of bonds, with an id that is none.
      elements.append(
        #"{"issuers":[{"id":"e\#(company.conid)","name":\#(company.companyName.asJSON)}],"#
          + #""bondid":5,"conid":"2147483647","companyHeader":"Corporate Fixed Income","#
          + #""companyName":null,"symbol":null,"description":null,"restricted":null,"#
          + #""sections":[{"secType":"BOND"}]}"#
      )
    }
    return .json("[\(elements.joined(separator: ","))]")
  }

  private func element(
    _ conid: Int,
    _ symbol: String,
    _ name: String,
    _ exchange: String,
    _ sections: [String]
  ) -> String {
    #"{"conid":"\#(conid)","companyHeader":\#("\(name) - \(exchange)".asJSON),"#
      + #""companyName":\#(name.asJSON),"symbol":"\#(symbol)","description":"\#(exchange)","#
      + #""restricted":null,"sections":[\#(sections.joined(separator: ","))]}"#
  }

  /// `trsrv/futures`: the contracts of each root asked for that have not ended.
  func futures(at now: Timestamp) -> GatewayResponse {
    guard let symbols = query["symbols"], !symbols.isEmpty else {
      return .error("Bad Request: symbols", status: 400)
    }
    let members = symbols.split(separator: ",").map { symbol in
      let contracts = FutureRoot.all.filter { $0.symbol == symbol }
        .flatMap { $0.contracts(at: now) }
      let elements = contracts.compactMap { contract in
        contract.listing.map { listing in
          #"{"symbol":"\#(contract.symbol)","conid":\#(contract.conid),"#
            + #""underlyingConid":\#(listing.underlying),"expirationDate":\#(listing.end),"#
            + #""ltd":\#(listing.end),"shortFuturesCutOff":\#(listing.end),"#
            + #""longFuturesCutOff":\#(listing.end)}"#
        }
      }
      return "\(String(symbol).asJSON):[\(elements.joined(separator: ","))]"
    }
    return .json("{\(members.joined(separator: ","))}")
  }

  /// `iserver/secdef/strikes`: nothing before the search.
  func strikes(_ gateway: GatewayState, at now: Timestamp) -> GatewayResponse {
    guard let (underlying, _) = wanted(gateway, at: now) else {
      return .json(#"{"call":[],"put":[]}"#)
    }
    let list = gateway.options.catalogue.strikes(of: underlying).map { "\($0).0" }
      .joined(separator: ",")
    return .json(#"{"call":[\#(list)],"put":[\#(list)]}"#)
  }

  /// `iserver/secdef/info`: the contracts of a month, narrowed by strike and right.
  func derivatives(_ gateway: GatewayState, at now: Timestamp) -> GatewayResponse {
    guard let (underlying, month) = wanted(gateway, at: now) else {
      return .error("no contracts retrieved", status: 500)
    }
    let catalogue = gateway.options.catalogue
    let strike = query["strike"].flatMap { Double($0) }
    let strikes = catalogue.strikes(of: underlying).filter { strike == nil || Double($0) == strike }
    let rights = query["right"].map { [$0] } ?? ["C", "P"]
    let contracts = strikes.flatMap { strike in
      rights.flatMap { catalogue.options(of: underlying, month, strike: strike, right: $0) }
    }
    guard !contracts.isEmpty else { return .error("no contracts retrieved", status: 500) }
    return .json("[\(contracts.compactMap(definition).joined(separator: ","))]")
  }

  private func definition(_ contract: Instrument) -> String? {
    guard case .option(let listing, let right, let strike) = contract.kind else { return nil }
    let day =
      "\(listing.month.name.prefix(3)) \(listing.end.suffix(2)) '\(listing.end.prefix(4).suffix(2))"
    return #"{"conid":\#(contract.conid),"symbol":"\#(contract.symbol)","secType":"OPT","#
      + #""exchange":"SMART","listingExchange":null,"right":"\#(right)","strike":\#(strike).0,"#
      + #""currency":"\#(contract.currency)","cusip":null,"coupon":"No Coupon","#
      + #""desc1":"\#(contract.symbol)","#
      + #""desc2":"\#(day) \#(strike) \#(right == "C" ? "Call" : "Put")","#
      + #""maturityDate":"\#(listing.end)","multiplier":"\#(listing.multiplier)","#
      + #""tradingClass":"\#(listing.tradingClass)","validExchanges":"SMART,AMEX,CBOE"}"#
  }

  /// The underlying and the month of a question about options, if there are any to tell of.
  private func wanted(_ gateway: GatewayState, at now: Timestamp) -> (Instrument, Month)? {
    guard query["sectype"] == "OPT", let conid = query["conid"].flatMap({ Int($0) }),
      gateway.searched.contains(conid), let underlying = gateway.options.catalogue[conid],
      let month = query["month"].flatMap({ Month(name: $0) }),
      gateway.options.catalogue.optionMonths(of: underlying, at: now).contains(month)
    else { return nil }
    return (underlying, month)
  }

  /// `iserver/currency/pairs`: the pairs that have a currency on either side.
  func currencyPairs(_ catalogue: InstrumentCatalogue) -> GatewayResponse {
    guard let currency = query["currency"], !currency.isEmpty else {
      return .error("Bad Request: currency", status: 400)
    }
    let pairs = catalogue.pairs(of: currency).map { pair in
      let other = pair.symbol == currency ? pair.currency : pair.symbol
      return #"{"symbol":"\#(pair.localSymbol)","conid":\#(pair.conid),"ccyPair":"\#(other)"}"#
    }
    return .json(#"{\#(currency.asJSON):[\#(pairs.joined(separator: ","))]}"#)
  }
}
