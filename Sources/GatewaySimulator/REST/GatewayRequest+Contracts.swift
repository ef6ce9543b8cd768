// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayRequest {
  /// `trsrv/stocks`: the contracts of each symbol asked for, by company.
  func stocks(_ catalogue: InstrumentCatalogue) -> GatewayResponse {
    guard let symbols = query["symbols"], !symbols.isEmpty else {
      return .error("Bad Request: symbols", status: 400)
    }
    let members = symbols.split(separator: ",").map { symbol in
      let contracts = catalogue.stocks(symbol: String(symbol))
      return "\(String(symbol).asJSON):[\(companies(contracts).joined(separator: ","))]"
    }
    return .json("{\(members.joined(separator: ","))}")
  }

  private func companies(_ contracts: [Instrument]) -> [String] {
    var names: [String] = []
    for contract in contracts where !names.contains(contract.companyName) {
      names.append(contract.companyName)
    }
    return names.map { name in
      let list = contracts.filter { $0.companyName == name }.map {
        #"{"conid":\#($0.conid),"exchange":"\#($0.exchange)","isUS":\#($0.isUS)}"#
      }
      return #"{"name":\#(name.asJSON),"chineseName":null,"assetClass":"STK","#
        + #""contracts":[\#(list.joined(separator: ","))]}"#
    }
  }

  /// `trsrv/secdef`: definitions by contract id.
  func definitions(_ catalogue: InstrumentCatalogue) -> GatewayResponse {
    let conids = (query["conids"] ?? "").split(separator: ",").compactMap { Int($0) }
    guard !conids.isEmpty, conids.count <= 200 else {
      return .error("Bad Request: conids", status: 400)
    }
    let elements = conids.compactMap { catalogue[$0] }.map { contract in
      let listing = contract.listing
      let end = listing.map { "\"\($0.end)\"" } ?? "null"
      let (right, strike) =
        if case .option(_, let right, let strike) = contract.kind {
          ("\"\(right)\"", strike)
        } else {
          ("null", Int64(0))
        }
      return #"{"conid":\#(contract.conid),"currency":"\#(contract.currency)","#
        + #""name":\#(contract.companyName.asJSON),"assetClass":"\#(contract.type)","#
        + #""expiry":\#(end),"lastTradingDay":\#(end),"group":null,"putOrCall":\#(right),"#
        + #""sector":null,"sectorGroup":null,"strike":"\#(strike)","ticker":"\#(contract.symbol)","#
        + #""undConid":\#(listing?.underlying ?? 0),"multiplier":\#(listing?.multiplier ?? 0).0,"#
        + #""type":"COMMON","hasOptions":\#(contract.isUS),"fullName":"\#(contract.symbol)","#
        + #""isUS":\#(contract.isUS),"incrementRules":\#(contract.incrementRules),"#
        + #""isEventContract":false,"listingExchange":"\#(contract.exchange)"}"#
    }
    return .json(#"{"secdef":[\#(elements.joined(separator: ","))]}"#)
  }

  /// `iserver/contract/{conid}/info` and `…/info-and-rules`.
  func information(
    _ conid: Int,
    _ catalogue: InstrumentCatalogue,
    withRules: Bool
  ) -> GatewayResponse {
    guard let contract = catalogue[conid] else { return .notFound }
    let listing = contract.listing
    let rules =
      withRules
      ? #","rules":{"algoEligible":true,"orderTypes":["limit","market","stop"],"#
        + #""orderDefaults":{"ORTH":"true"},"sizeIncrement":1,"#
        + #""incrementRules":\#(contract.incrementRules),"increment":\#(contract.step),"#
        + #""incrementDigits":\#(contract.priceDigits)}"# : ""
    return .json(
      #"{"cfi_code":"","symbol":"\#(contract.symbol)","cusip":null,"expiry_full":null,"#
        + #""con_id":\#(contract.conid),"#
        + #""maturity_date":\#(listing.map { "\"\($0.end)\"" } ?? "null"),"industry":"","#
        + #""instrument_type":"\#(contract.type)","#
        + #""trading_class":"\#(listing?.tradingClass ?? contract.symbol)","#
        + #""valid_exchanges":"\#(contract.validExchanges)","allow_sell_long":false,"#
        + #""local_symbol":"\#(contract.localSymbol)","classifier":null,"#
        + #""currency":"\#(contract.currency)","text":null,"#
        + #""underlying_con_id":\#(listing?.underlying ?? 0),"r_t_h":true,"#
        + #""multiplier":\#(listing.map { "\"\($0.multiplier)\"" } ?? "null"),"#
        + #""underlying_issuer":null,"#
        + #""contract_month":\#(listing.map { "\"\($0.month.digits)\"" } ?? "null"),"#
        + #""company_name":\#(contract.companyName.asJSON),"smart_available":true,"#
        + #""exchange":"\#(contract.exchange)","category":""\#(rules)}"#
    )
  }

  /// `contract/trading-schedule`: every instrument is traded around the clock here.
  func tradingSchedule(_ catalogue: InstrumentCatalogue, at now: Timestamp) -> GatewayResponse {
    guard let conid = query["conid"].flatMap({ Int($0) }), catalogue[conid] != nil else {
      return .error("Bad Request: conid", status: 400)
    }
    let day: Int64 = 86_400
    let today = now.milliseconds / 1_000 / day * day
    let days = (0..<6).map { index in
      let opening = today + Int64(index) * day
      return
        #""\#(opening)":{"liquid_hours":[{"opening":\#(opening),"closing":\#(opening + day)}],"#
        + #""extended_hours":[]}"#
    }
    return .json(
      #"{"exchange_time_zone":"US/Eastern","schedules":{\#(days.joined(separator: ","))}}"#
    )
  }
}

extension Instrument {
  /// The table of price steps as the server writes it.
  fileprivate var incrementRules: String { #"[{"lowerEdge":0.0,"increment":\#(step)}]"# }

  /// Where it can be traded.
  fileprivate var validExchanges: String {
    exchange == "SMART" ? "SMART,AMEX,CBOE" : "SMART,\(exchange)"
  }
}
