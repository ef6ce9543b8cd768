# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""The server set-ups: what each serves, whom the client trusts, and what must come of it."""

from dataclasses import dataclass, field
from pathlib import Path

from certificates import AUTHORITY, Certificate, Workshop

NO_PATH = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n"


@dataclass
class Case:
    name: str
    certificate: Certificate
    #: "" if the server must be accepted, else what our reason must contain.
    refusal: str = ""
    host: str = "localhost"
    address: str = "127.0.0.1"
    #: What the server sends after its own certificate.
    chain: list = field(default_factory=list)
    #: How the client trusts: a file of authorities, "system", "insecure", or pins.
    trust: Path | str | list = "system"
    #: The client's own certificate.
    own: Certificate | None = None
    #: Options of the server's context (`server.context`) and of the server itself.
    context: dict = field(default_factory=dict)
    server: dict = field(default_factory=dict)
    #: Why we refuse on purpose what curl accepts.
    stricter: str = ""


def all_cases(shop: Workshop) -> list[Case]:
    root = shop.authority("matrix root")
    stranger = shop.authority("another root")
    middle = shop.authority("matrix intermediate", root)
    good = shop.server(root)
    below = shop.server(middle)
    own = shop.make("client", root)
    foreign = shop.make("client", stranger)
    alone = shop.server(None)
    lost = shop.server(None, "DNS:elsewhere.example", days=(-60, -30))
    anyone = shop.server(root, "DNS:*.example.test")
    ca = root.pem

    def accepted(name, certificate=good, **more):
        return Case(name, certificate, **{"trust": ca, **more})

    def refused(name, refusal, certificate=good, **more):
        return Case(name, certificate, refusal, **{"trust": ca, **more})

    return [
        # Accepted: names.
        accepted("name"),
        accepted("ipv4-address", host="127.0.0.1"),
        accepted("ipv6-address", host="[::1]", address="::1"),
        accepted("name-in-capitals", shop.server(root, "DNS:LOCALHOST")),
        accepted("second-name", shop.server(root, "DNS:other.test,DNS:localhost")),
        accepted("wildcard", anyone, host="a.example.test"),
        # Accepted: keys, versions, chains.
        accepted("rsa-2048", shop.server(root, key="rsa2048")),
        accepted("p-384", shop.server(root, key="p384")),
        accepted("ed25519", shop.server(root, key="ed25519")),
        accepted("tls-1.2", context={"only": "1.2"}),
        accepted("tls-1.3", context={"only": "1.3"}),
        accepted("intermediate", below, chain=[middle]),
        accepted("chain-with-root", below, chain=[middle, root]),
        accepted("chain-out-of-order", below, chain=[root, middle]),
        accepted("chain-with-stranger", good, chain=[stranger]),
        accepted("two-authorities", trust=shop.bundle(stranger, root)),
        accepted("trust-in-intermediate", below, trust=middle.pem),
        accepted("trust-in-certificate", good, trust=good.pem),
        accepted("trust-in-self-signed", alone, trust=alone.pem),
        # Refused: time.
        refused("expired", "expired at", shop.server(root, days=(-30, -1))),
        refused("not-yet-valid", "valid only from", shop.server(root, days=(1, 30))),
        *_expired_authorities(shop, root),
        # Refused: names.
        refused("wrong-name", "is not for", shop.server(root, "DNS:elsewhere.example")),
        refused("wrong-address", "is not for", shop.server(root, "IP:127.0.0.2"),
                host="127.0.0.1"),
        refused("address-as-name", "is not for", shop.server(root, "DNS:127.0.0.1"),
                host="127.0.0.1"),
        refused("name-beside-other-names", "is not for",
                shop.server(root, "DNS:elsewhere.example", subject="localhost")),
        refused("common-name-only", "is not for", shop.server(root, "", subject="localhost"),
                stricter="RFC 9525 section 2: the common name is no name of a server"),
        refused("wildcard-two-labels", "is not for", anyone, host="a.b.example.test"),
        refused("wildcard-no-label", "is not for", anyone, host="example.test"),
        refused("wildcard-partial", "is not for", shop.server(root, "DNS:f*.example.test"),
                host="foo.example.test"),
        refused("wildcard-top-level", "is not for", shop.server(root, "DNS:*.test"),
                host="example.test"),
        # Refused: issuers.
        refused("self-signed", "self-signed", alone),
        refused("unknown-root", "issued by CN = another root", shop.server(stranger)),
        refused("unknown-root-sent", "leads to a root that is not trusted",
                shop.server(stranger), chain=[stranger]),
        refused("system-roots-only", "issued by CN = matrix root", trust="system"),
        refused("missing-intermediate", "intermediate certificate is missing", below),
        refused("issuer-is-no-authority", "invalid CA certificate",
                shop.server(good), chain=[good]),
        *_bad_issuers(shop, root),
        # Refused: purpose, strength, protocol.
        refused("for-clients-only", "unsuitable certificate purpose",
                shop.server(root, more="extendedKeyUsage=clientAuth\n")),
        refused("unknown-critical-extension", "unhandled critical extension",
                shop.server(root, more="1.2.3.4=critical,ASN1:NULL\n")),
        refused("rsa-1024", "too weak", shop.server(root, key="rsa1024")),
        refused("sha-1", "too weak", shop.server(root, md="sha1")),
        refused("tls-1.0", "TLS 1.2 is needed", context={"only": "1.0"}),
        refused("tls-1.1", "TLS 1.2 is needed", context={"only": "1.1"}),
        refused("anonymous-ciphers", "handshake failure",
                context={"only": "1.2", "ciphers": "aNULL:@SECLEVEL=0"}),
        refused("no-tls", "does not speak TLS", server={"plain": True}),
        refused("hang-up", "closed the connection during", server={"hang_up": True}),
        # Certificates of clients.
        accepted("client-certificate", own=own, context={"clients": ca}),
        accepted("client-certificate-1.2", own=own, context={"clients": ca, "only": "1.2"}),
        accepted("client-certificate-optional", context={"clients": ca, "demand": False}),
        refused("client-certificate-missing", "wants a client certificate",
                context={"clients": ca}),
        refused("client-certificate-missing-1.2", "handshake failure",
                context={"clients": ca, "only": "1.2"}),
        refused("client-certificate-foreign", "unknown ca", own=foreign,
                context={"clients": ca}),
        # Pins stand for chain, name and dates (curl: -k --pinnedpubkey).
        accepted("pin", lost, trust=[lost.pin]),
        accepted("pin-of-two", lost, trust=[good.pin, lost.pin]),
        refused("pin-mismatch", "sha256/", lost, trust=[good.pin]),
        refused("pin-but-tls-1.0", "TLS 1.2 is needed", lost, trust=[lost.pin],
                context={"only": "1.0"}),
        # And no trust at all (curl: -k).
        accepted("insecure", lost, trust="insecure"),
        refused("insecure-but-tls-1.1", "TLS 1.2 is needed", lost, trust="insecure",
                context={"only": "1.1"}),
    ]


def _expired_authorities(shop, root):
    old_middle = shop.authority("old intermediate", root, days=(-30, -1))
    old_root = shop.authority("old root", days=(-30, -1))
    return [
        Case("expired-intermediate", shop.server(old_middle), "issuer's certificate",
             chain=[old_middle], trust=root.pem),
        Case("expired-root", shop.server(old_root), "issuer's certificate", trust=old_root.pem),
    ]


def _bad_issuers(shop, root):
    short = shop.authority("short path", root, NO_PATH)
    below_short = shop.authority("below short path", short)
    bounded = shop.authority(
        "bounded", root, AUTHORITY + "nameConstraints=critical,permitted;DNS:example.test\n")
    return [
        Case("path-too-long", shop.server(below_short), "path length constraint exceeded",
             chain=[below_short, short], trust=root.pem),
        Case("outside-name-constraints", shop.server(bounded, "DNS:localhost"),
             "permitted subtree violation", chain=[bounded], trust=root.pem),
    ]
