// SPDX-License-Identifier: Apache-2.0
// This file is part of ibkr-stream.

import HTTP1
import Testing

@Suite struct WebURLTests {
  @Test(arguments: [
    ("https://localhost:5000/v1/api", "localhost", 5000, "/v1/api", "localhost:5000"),
    (
      "HTTPS://API.ibkr.COM/v1/api/ws?oauth_token=x", "api.ibkr.com", 443,
      "/v1/api/ws?oauth_token=x", "api.ibkr.com"
    ),
    ("ws://127.0.0.1", "127.0.0.1", 80, "/", "127.0.0.1"),
    ("wss://[::1]:8443/a", "::1", 8443, "/a", "[::1]:8443"),
    ("wss://[2001:db8::1]?q", "2001:db8::1", 443, "/?q", "[2001:db8::1]"),
    ("http://a_b-c.d:80/", "a_b-c.d", 80, "/", "a_b-c.d"),
    ("http://0abc/%20", "0abc", 80, "/%20", "0abc"),
  ])
  func reads(text: String, host: String, port: Int, target: String, authority: String) throws {
    let url = try WebURL(text)
    #expect(url.host == host)
    #expect(Int(url.port) == port)
    #expect(url.requestTarget == target)
    #expect(url.authority == authority)
  }

  @Test(arguments: [
    ("", HTTPError.Code.malformedURL),
    ("localhost:5000", .malformedURL),
    ("https:/localhost", .malformedURL),
    ("file:///etc/passwd", .unsupportedScheme),
    ("://host", .unsupportedScheme),
    ("ftp://host", .unsupportedScheme),
    ("https://", .invalidHost),
    ("https:///path", .invalidHost),
    ("https://user@host/", .userInformationInURL),
    ("https://user:pass@host/", .userInformationInURL),
    ("https://host#x", .fragmentInURL),
    ("https://host/a#x", .fragmentInURL),
    ("https://host:0/", .invalidPort),
    ("https://host:/", .invalidPort),
    ("https://host:65536/", .invalidPort),
    ("https://host:+1/", .invalidPort),
    ("https://host:1:2/", .invalidPort),
    ("https://a..b/", .invalidHost),
    ("https://.a/", .invalidHost),
    ("https://a%2e/", .invalidHost),
    ("https://127.1/", .invalidHost),
    ("https://1.2.3.256/", .invalidHost),
    ("https://0x7f000001/", .invalidHost),
    ("https://2130706433/", .invalidHost),
    ("https://[::1/", .invalidHost),
    ("https://[::g]/", .invalidHost),
    ("https://[fe80::1%25eth0]/", .invalidHost),
    ("https://[::1]x/", .invalidHost),
    ("https://ho st/", .invalidURLCharacter),
    ("https://host/a b", .invalidURLCharacter),
    ("https://host/a\r\nX: y", .invalidURLCharacter),
    ("https://host/\0", .invalidURLCharacter),
    ("https://host/ä", .invalidURLCharacter),
    ("https://münchen.de/", .invalidURLCharacter),
    ("https://host/a%2", .invalidURLCharacter),
    ("https://host/%zz", .invalidURLCharacter),
    ("https://host/\"", .invalidURLCharacter),
    ("https://host\\a/", .invalidURLCharacter),
    ("https://host/[a]", .invalidURLCharacter),
  ])
  func refuses(text: String, code: HTTPError.Code) {
    #expect(refusal { try WebURL(text) } == code)
  }

  @Test func neverShowsItsQuery() throws {
    let url = try WebURL("wss://api.ibkr.com/v1/api/ws?oauth_token=SECRET")
    var dumped = ""
    dump(url, to: &dumped)
    for text in ["\(url)", String(reflecting: url), dumped] { #expect(!text.contains("SECRET")) }
    #expect("\(url)" == "wss://api.ibkr.com/v1/api/ws?…")
  }

  @Test(arguments: [
    ("https://h/v1/api", "iserver/accounts", "/v1/api/iserver/accounts"),
    ("https://h/v1/api/", "/iserver/accounts", "/v1/api/iserver/accounts"),
    ("https://h", "tickle", "/tickle"),
    ("https://h/v1/api?old=query", "tickle", "/v1/api/tickle"),
  ])
  func appendsPaths(base: String, relative: String, target: String) throws {
    #expect(try WebURL(base).appending(path: relative).requestTarget == target)
  }

  @Test func encodesQueries() throws {
    let url = try WebURL("https://h/a").appending(
      path: "b",
      query: [("fields", "31,84"), ("s y", "ä&=+#%")]
    )
    #expect(url.requestTarget == "/a/b?fields=31%2C84&s%20y=%C3%A4%26%3D%2B%23%25")
  }

  @Test(arguments: ["a b", "a?b", "a#b", "a\r\n", "ä"])
  func refusesRelativePathsThatMeanMore(path: String) throws {
    let url = try WebURL("https://h/")
    let code = refusal { try url.appending(path: path) }
    #expect(code == .invalidURLCharacter)
  }

  @Test func changesItsSchemeForTheSocket() throws {
    var url = try WebURL("https://localhost:5000/v1/api").appending(path: "ws")
    url.scheme = .wss
    #expect("\(url)" == "wss://localhost:5000/v1/api/ws")
    #expect(url.connectTarget == "localhost:5000")
  }
}
