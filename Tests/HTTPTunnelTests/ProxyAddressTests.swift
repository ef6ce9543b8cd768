// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import HTTPTunnel
import Testing

@Suite struct ProxyAddressTests {
  @Test(
    arguments: [
      ("http://proxy:3128", "proxy:3128", nil),
      ("HTTP://Proxy.Example/", "proxy.example:80", nil),
      ("proxy", "proxy:1080", nil),
      ("proxy:8080", "proxy:8080", nil),
      ("http://[2001:db8::1]:8080", "[2001:db8::1]:8080", nil),
      ("http://[2001:db8::1]", "[2001:db8::1]:80", nil),
      ("http://me:pass@proxy:1", "proxy:1", "me:pass"),
      ("me:pass@10.0.0.1", "10.0.0.1:1080", "me:pass"),
      ("http://me:p%40ss%3a@proxy:1", "proxy:1", "me:p@ss:"),
      ("http://me:p@ss@proxy:1", "proxy:1", "me:p@ss"),
      ("http://me@proxy:1", "proxy:1", "me:"),
    ] as [(String, String, String?)]
  )
  func isRead(_ address: String, _ place: String, _ credentials: String?) throws {
    let proxy = try #require(HTTPProxy(address: address))
    #expect(proxy.description == place)
    let head = try proxy.request(for: WebURL("https://api.ibkr.com/"))
    let expected = credentials.map { "Basic \(Self.base64($0))" }
    #expect(head.fields["Proxy-Authorization"] == expected)
  }

  @Test(arguments: [
    "", "http://", "https://proxy:3128", "socks5://proxy", "http://proxy:port",
    "http://proxy:99999",
    "http://a b", "http://me:%zz@proxy", "http://me:%f@proxy", "http://me:%ff@proxy",
    "http://proxy/path", "http://proxy?query", "://proxy", "http://me@",
  ])
  func isRefused(_ address: String) {
    #expect(HTTPProxy(address: address) == nil)
  }

  @Test(arguments: [
    ("", "localhost", true), ("", "LOCALHOST.", true), ("", "x.localhost", true),
    ("", "127.8.9.1", true), ("", "::1", true), ("", "api.ibkr.com", false),
    ("", "notlocalhost", false), ("", "128.0.0.1", false), ("", "::2", false),
    ("*", "api.ibkr.com", true), ("ibkr.com", "api.ibkr.com", true), ("ibkr.com", "ibkr.com", true),
    (".ibkr.com", "api.ibkr.com", true), ("IBKR.com", "API.ibkr.COM.", true),
    ("ibkr.com", "notibkr.com", false), ("api.ibkr.com", "ibkr.com", false),
    ("a, b ,ibkr.com", "ibkr.com", true), ("10.0.0.1", "10.0.0.1", true),
    ("10.0.0.1", "10.0.0.2", false), ("10.0.0.0/8", "10.255.0.1", true),
    ("10.0.0.0/9", "10.128.0.1", false), ("192.168.4.0/22", "192.168.7.255", true),
    ("192.168.4.0/22", "192.168.8.0", false), ("2001:db8::/32", "2001:db8:1::1", true),
    ("2001:db8::/32", "2001:db9::1", false), ("[fd00::1]", "fd00::1", true),
    ("0.0.0.1", "1.0.0.0.1", false), ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "::3", false),
    ("1", "10.0.0.1", false),
  ])
  func directHosts(_ list: String, _ host: String, _ isDirect: Bool) {
    #expect(DirectHosts(list).contains(host) == isDirect)
  }

  /// RFC 4648 section 4, of its own here so that the two sides do not share a mistake.
  private static func base64(_ text: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bytes = Array(text.utf8)
    var output = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.enumerated().reduce(0) { $0 | Int($1.element) << (16 - 8 * $1.offset) }
      for index in 0..<4 {
        output.append(index <= group.count ? alphabet[bits >> (18 - 6 * index) & 63] : "=")
      }
    }
    return output
  }
}
