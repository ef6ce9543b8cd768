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
      let contracts = catalogue.contracts(symbol: String(symbol))
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

  /// `iserver/secdef/search`: by symbol, or by a part of the company's name.
  func search(_ catalogue: InstrumentCatalogue) -> GatewayResponse {
    guard let text = parameter("symbol"), !text.isEmpty else {
      return .error("Bad Request: symbol", status: 400)
    }
    let found =
      parameter("name") == "true"
      ? catalogue.contracts(nameContaining: text) : catalogue.contracts(symbol: text.uppercased())
    let elements = found.map { contract in
      let name = contract.companyName.asJSON
      let header = "\(contract.companyName) - \(contract.exchange)".asJSON
      let sections =
        contract.isUS
        ? #"[{"secType":"STK"},{"secType":"OPT","months":"APR26;MAY26;JUN26","#
          + #""exchange":"SMART;AMEX;CBOE"},{"secType":"BAG"}]"#
        : #"[{"secType":"STK","exchange":"\#(contract.exchange);"}]"#
      return #"{"conid":"\#(contract.conid)","companyHeader":\#(header),"companyName":\#(name),"#
        + #""symbol":"\#(contract.symbol)","description":"\#(contract.exchange)","#
        + #""restricted":null,"sections":\#(sections)}"#
    }
    return .json("[\(elements.joined(separator: ","))]")
  }

  /// `trsrv/secdef`: definitions by contract id.
  func definitions(_ catalogue: InstrumentCatalogue) -> GatewayResponse {
    let conids = (query["conids"] ?? "").split(separator: ",").compactMap { Int($0) }
    guard !conids.isEmpty, conids.count <= 200 else {
      return .error("Bad Request: conids", status: 400)
    }
    let elements = conids.compactMap { catalogue[$0] }.map { contract in
      #"{"conid":\#(contract.conid),"currency":"\#(contract.currency)","#
        + #""name":\#(contract.companyName.asJSON),"assetClass":"STK","expiry":null,"#
        + #""lastTradingDay":null,"group":null,"putOrCall":null,"sector":null,"sectorGroup":null,"#
        + #""strike":"0","ticker":"\#(contract.symbol)","undConid":0,"multiplier":0.0,"#
        + #""type":"COMMON","hasOptions":\#(contract.isUS),"fullName":"\#(contract.symbol)","#
        + #""isUS":\#(contract.isUS),"isEventContract":false,"#
        + #""listingExchange":"\#(contract.exchange)"}"#
    }
    return .json(#"{"secdef":[\#(elements.joined(separator: ","))]}"#)
  }

  /// `iserver/contract/{conid}/info`.
  func information(_ conid: Int, _ catalogue: InstrumentCatalogue) -> GatewayResponse {
    guard let contract = catalogue[conid] else { return .notFound }
    return .json(
      #"{"cfi_code":"","symbol":"\#(contract.symbol)","cusip":null,"expiry_full":null,"#
        + #""con_id":\#(contract.conid),"maturity_date":null,"industry":"","#
        + #""instrument_type":"STK","trading_class":"\#(contract.symbol)","#
        + #""valid_exchanges":"SMART,\#(contract.exchange)","allow_sell_long":false,"#
        + #""local_symbol":"\#(contract.symbol)","classifier":null,"#
        + #""currency":"\#(contract.currency)","text":null,"underlying_con_id":0,"r_t_h":true,"#
        + #""multiplier":null,"underlying_issuer":null,"contract_month":null,"#
        + #""company_name":\#(contract.companyName.asJSON),"smart_available":true,"#
        + #""exchange":"\#(contract.exchange)","category":""}"#
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
