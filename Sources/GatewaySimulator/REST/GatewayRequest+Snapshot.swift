// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import Flow

extension GatewayRequest {
  /// `iserver/marketdata/snapshot`: the first call opens a stream and gives the ids only.
  func snapshot(_ gateway: inout GatewayState, at now: Timestamp) -> GatewayResponse {
    guard gateway.hasListedAccounts else {
      return .error("Please query /accounts first", status: 400)
    }
    let conids = (query["conids"] ?? "").split(separator: ",").compactMap { Int($0) }
    let fields = (query["fields"] ?? "").split(separator: ",").compactMap { Int($0) }
    guard !conids.isEmpty, conids.count <= 100, fields.count <= 50 else {
      return .error("Bad Request: conids or fields", status: 400)
    }
    let elements = conids.map { conid in
      if gateway.snapshots[conid] == nil {
        gateway.snapshots[conid] = gateway.takeServerID()
        if let instrument = gateway.options.catalogue[conid] {
          gateway.market.watch(instrument, from: now.monotonic)
        }
        return #"{"conid":\#(conid),"conidEx":"\#(conid)"}"#
      }
      return element(conid, fields, gateway, updated: now.milliseconds)
    }
    return .json("[\(elements.joined(separator: ","))]")
  }

  private func element(
    _ conid: Int,
    _ fields: [Int],
    _ gateway: GatewayState,
    updated: Int64
  ) -> String {
    let server = gateway.snapshots[conid] ?? ""
    var members = [
      #""conidEx":"\#(conid)""#, #""conid":\#(conid)"#, #""_updated":\#(updated)"#,
      #""6119":"\#(server)""#, #""server_id":"\#(server)""#,
    ]
    if gateway.options.playsRecording {
      for field in [6509] + fields.filter({ $0 != 6509 }) {
        guard let value = gateway.playback.value(of: "\(field)", "\(conid)") else { continue }
        members.append(#""\#(field)":\#(value)"#)
      }
    } else if let listing = gateway.options.catalogue[conid]?.listing,
      !gateway.searched.contains(listing.underlying)
    {
      // Of derivatives nothing is told before their underlying was searched for.
    } else if let feed = gateway.market.feed(conid), feed.instrument.behaviour != .noData {
      for field in [6509] + fields.filter({ $0 != 6509 }) {
        guard let value = feed.value(of: Field(number: field)) else { continue }
        var token = ""
        value.append(to: &token)
        members.append(#""\#(field)":\#(token)"#)
      }
    } else {
      members += [#""55":"-""#, #""31":"N/A""#]
    }
    return "{\(members.joined(separator: ","))}"
  }
}
