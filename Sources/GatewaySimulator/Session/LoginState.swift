// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Who is logged in, as `auth/status`, `tickle` and `sts` tell it.
struct LoginState: Sendable, Equatable {
  var connected = true
  var authenticated = true
  var competing = false
  /// The monotonic time from which account data is loaded.
  var establishesAt = Int64.min
  /// The value of the socket's cookie; another one after each login.
  var session: String

  /// Whether account data is loaded.
  func isEstablished(at time: Int64) -> Bool { authenticated && time >= establishesAt }

  /// The body of `auth/status`.
  func status(_ account: Account, at time: Int64) -> String {
    guard connected else {
      return #"{"authenticated":false,"established":false,"competing":false,"connected":false,"#
        + #""MAC":null}"#
    }
    return "{\(flags(at: time)),\"message\":\"\",\(machine(account)),\"fail\":\"\"}"
  }

  /// The body of `tickle`; what it says of the single sign-on is a gateway's affair only.
  func tickle(_ account: Account, isGateway: Bool, at time: Int64) -> String {
    guard connected else { return #"{"error":"no session"}"# }
    let signOn = isGateway ? #""ssoExpires":460311,"collission":false,"userId":181382082,"# : ""
    return #"{"session":"\#(session)",\#(signOn)"#
      + #""hmds":{"error":"no bridge"},"iserver":{"authStatus":{\#(flags(at: time)),"#
      + #""message":"",\#(machine(account))}}}"#
  }

  /// The body of `ssodh/init`.
  func opening(_ account: Account, at time: Int64) -> String {
    #"{"passed":true,"authenticated":\#(authenticated),"connected":\#(connected),"#
      + #""established":\#(isEstablished(at: time)),"competing":\#(competing),"#
      + #""hardware_info":"\#(account.hardwareInfo)"}"#
  }

  /// The third message of a socket.
  func greeting(_ account: Account, at time: Int64) -> String {
    #"{"topic":"sts","args":{"connected":\#(connected),"authenticated":\#(authenticated),"#
      + #""established":\#(isEstablished(at: time)),"competing":\#(competing),"#
      + #""message":"","fail":"","#
      + #""serverName":"\#(account.serverName)","serverVersion":"\#(account.serverVersion)","#
      + #""username":"\#(account.userName)"}}"#
  }

  /// What a socket is told when the state changes: one message for each flag that did.
  func changes(since old: LoginState) -> [String] {
    var messages: [String] = []
    if competing != old.competing {
      messages.append(#"{"topic":"sts","args":{"competing":\#(competing)}}"#)
    }
    if authenticated != old.authenticated {
      messages.append(#"{"topic":"sts","args":{"authenticated":\#(authenticated)}}"#)
    }
    return messages
  }

  private func flags(at time: Int64) -> String {
    #""authenticated":\#(authenticated),"established":\#(isEstablished(at: time)),"#
      + #""competing":\#(competing),"connected":\#(connected)"#
  }

  private func machine(_ account: Account) -> String {
    #""MAC":"\#(account.hardwareAddress)","serverInfo":\#(account.serverInfo),"#
      + #""hardware_info":"\#(account.hardwareInfo)""#
  }
}
