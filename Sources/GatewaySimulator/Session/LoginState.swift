// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

/// Who is logged in, as `auth/status`, `tickle` and `sts` tell it.
struct LoginState: Sendable, Equatable {
  var connected = true
  var authenticated = true
  var established = true
  var competing = false
  /// The value of the socket's cookie; another one after each login.
  var session: String

  /// The body of `auth/status`.
  func status(_ account: Account) -> String {
    guard connected else {
      return #"{"authenticated":false,"established":false,"competing":false,"connected":false,"#
        + #""MAC":null}"#
    }
    return "{\(flags),\"message\":\"\",\(machine(account)),\"fail\":\"\"}"
  }

  /// The body of `tickle`.
  func tickle(_ account: Account) -> String {
    guard connected else { return #"{"error":"no session"}"# }
    return #"{"session":"\#(session)","ssoExpires":460311,"collission":false,"userId":181382082,"#
      + #""hmds":{"error":"no bridge"},"iserver":{"authStatus":{\#(flags),"message":"","#
      + #"\#(machine(account))}}}"#
  }

  /// The body of `ssodh/init`.
  func opening(_ account: Account) -> String {
    #"{"passed":true,"authenticated":\#(authenticated),"connected":\#(connected),"#
      + #""established":\#(established),"competing":\#(competing),"#
      + #""hardware_info":"\#(account.hardwareInfo)"}"#
  }

  /// The third message of a socket.
  func greeting(_ account: Account) -> String {
    #"{"topic":"sts","args":{"connected":\#(connected),"authenticated":\#(authenticated),"#
      + #""established":\#(established),"competing":\#(competing),"message":"","fail":"","#
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

  private var flags: String {
    #""authenticated":\#(authenticated),"established":\#(established),"#
      + #""competing":\#(competing),"connected":\#(connected)"#
  }

  private func machine(_ account: Account) -> String {
    #""MAC":"\#(account.hardwareAddress)","serverInfo":\#(account.serverInfo),"#
      + #""hardware_info":"\#(account.hardwareInfo)""#
  }
}
