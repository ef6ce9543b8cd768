# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Random inputs for OAuth 1.0a, and what IBind's own functions make of them."""

import base64
import random
import string
from dataclasses import replace

from Crypto.Cipher import PKCS1_v1_5
from Crypto.Hash import HMAC, SHA1
from Crypto.PublicKey import RSA
from ibind.oauth import oauth1a

# RFC 3526 section 3, the group of 2048 bits.
GROUP = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
    "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b"
    "0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da4836"
    "1c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804"
    "f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6"
    "955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff", 16)
# Ranges of code points: ASCII with its controls, Latin, combining marks, Greek to Arabic, symbols,
# CJK, private use, what is no character, emoji. Surrogates are no text.
RANGES = [(0, 0x7F)] * 6 + [(0x80, 0x24F), (0x300, 0x36F), (0x370, 0x6FF), (0x2000, 0x2BFF),
                            (0x3040, 0x9FFF), (0xE000, 0xF8FF), (0xFFF0, 0xFFFF),
                            (0x1F300, 0x1FAFF), (0x10FFF0, 0x10FFFF)]
# Some languages take these for the same text; they are two names, in the order of their bytes.
SPELLINGS = [("\u00e9", "e\u0301"), ("\u00c5", "A\u030a"), ("\u00c5", "\u212b")]
# Words with a meaning in the base string.
WORDS = ["oauth_z", "diffie_z", "a=b&c=d", "100%", "%2B", "+",
         "a b", "~", "*", "'()!", "/", "", "symbol", "BRK B", "conids"]
ALPHABET = string.ascii_letters + string.digits


class Inputs:
    """Makes pairs of an input and IBind's answer to it, the same ones for the same seed."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        # Keys are slow to make; they need not come from the seed.
        self.keys = [RSA.generate(bits) for bits in (1024, 1024, 2048)]
        self.classes = {"high bit": 0, "short": 0, "odd digits": 0}
        self._config = oauth1a.OAuth1aConfig()

    def text(self, longest: int) -> str:
        if self.random.random() < 0.3:
            return self.random.choice(WORDS)
        return "".join(chr(self.random.randint(*self.random.choice(RANGES)))
                       for _ in range(self.random.randint(0, longest)))

    def word(self, length: int, alphabet: str = ALPHABET) -> str:
        return "".join(self.random.choices(alphabet, k=length))

    def url(self) -> str:
        path = "/".join(self.text(8) for _ in range(self.random.randint(1, 4)))
        return self.random.choice(["https://api.ibkr.com/v1/api/", "https://127.0.0.1:5000/v1/api/"]
                                  ) + path

    def _stamped(self, config, stamp: dict, **arguments) -> str:
        """The header as IBind writes it, with our nonce and time."""
        saved = oauth1a.generate_oauth_nonce, oauth1a.generate_request_timestamp
        oauth1a.generate_oauth_nonce = lambda: stamp["nonce"]
        oauth1a.generate_request_timestamp = lambda: str(stamp["timestamp"])
        try:
            return oauth1a.generate_oauth_headers(config, **arguments)["Authorization"]
        finally:
            oauth1a.generate_oauth_nonce, oauth1a.generate_request_timestamp = saved

    def _names(self) -> dict:
        return {"nonce": self.word(16), "timestamp": self.random.randint(10**9, 10**10 - 1),
                "access_token": self.word(20, "0123456789abcdef"),
                "consumer_key": self.word(9, string.ascii_uppercase),
                "realm": self.random.choice(["limited_poa", "test_realm"])}

    def request(self) -> tuple[dict, dict]:
        """Any request after the first: base string, HMAC and header."""
        names = self._names()
        query = {self.text(10): self.text(30) for _ in range(self.random.randint(0, 6))}
        if self.random.random() < 0.1:
            query |= {name: self.text(5) for name in self.random.choice(SPELLINGS)}
        input = names | {
            "kind": "request", "method": self.random.choice(["GET", "POST", "PUT", "DELETE", "patch"]),
            "url": self.url(), "query": [[k, v] for k, v in query.items()],
            "live_session_token": base64.b64encode(self.random.randbytes(20)).decode(),
        }
        config = replace(self._config, consumer_key=names["consumer_key"], realm=names["realm"],
                         access_token=names["access_token"])
        own = {"oauth_consumer_key": names["consumer_key"], "oauth_nonce": names["nonce"],
               "oauth_signature_method": "HMAC-SHA256", "oauth_token": names["access_token"],
               "oauth_timestamp": str(names["timestamp"])}
        return input, {
            "base": oauth1a.generate_base_string(input["method"], input["url"], own,
                                                 request_params=query),
            "authorization": self._stamped(
                config, names, request_method=input["method"], request_url=input["url"],
                live_session_token=input["live_session_token"], request_params=query),
        }

    def token(self) -> tuple[dict, dict]:
        """The exchange for a live session token: header, token and its check."""
        names = self._names()
        encryption, signature = self.random.choice(self.keys), self.random.choice(self.keys)
        secret = self.random.randbytes(self.random.randint(1, 64))
        if self.random.random() < 0.1:
            secret = b"\0" + secret[1:]
        prime, exponent, response = self._exchange()
        input = names | {
            "kind": "token", "url": "https://api.ibkr.com/v1/api/oauth/live_session_token",
            "encryption_key": encryption.export_key(pkcs=self.random.choice([1, 8])).decode(),
            "signature_key": signature.export_key(pkcs=self.random.choice([1, 8])).decode(),
            "access_token_secret": base64.b64encode(PKCS1_v1_5.new(encryption).encrypt(secret)).decode(),
            "prime": f"{prime:x}", "exponent": f"{exponent:x}",
            "response": self.random.choice(["{:x}", "{:X}", "00{:x}", "0{:x}"]).format(response),
        }
        config = replace(self._config, consumer_key=names["consumer_key"], realm=names["realm"],
                         access_token=names["access_token"], signature_key=input["signature_key"])
        prepend = oauth1a.calculate_live_session_token_prepend(
            input["access_token_secret"],
            oauth1a.read_private_key(private_key_content=input["encryption_key"]))
        challenge = oauth1a.generate_dh_challenge(input["prime"], input["exponent"])
        token = oauth1a.calculate_live_session_token(
            input["prime"], input["exponent"], input["response"], prepend)
        # What the server would send; IBind checks it with the same call.
        input["signature"] = HMAC.new(base64.b64decode(token), names["consumer_key"].encode(),
                                      SHA1).hexdigest()
        assert oauth1a.validate_live_session_token(token, input["signature"], names["consumer_key"])
        return input, {
            "authorization": self._stamped(
                config, names, request_method="POST", request_url=input["url"],
                extra_headers={"diffie_hellman_challenge": challenge},
                signature_method="RSA-SHA256", prepend=prepend),
            "token": token,
        }

    def _exchange(self) -> tuple[int, int, int]:
        """Modulus, our exponent, the server's answer; one in ten with a short shared secret."""
        bits = self.random.choice([256, 257, 263, 512, 515, 768, 1024, 2048])
        prime = GROUP if bits == 2048 else self.random.getrandbits(bits) | 1 << (bits - 1) | 1
        exponent = self.random.getrandbits(self.random.choice([256] * 9 + [230])) | 1
        wanted = bits - 8 if bits < 300 and self.random.random() < 0.3 else bits
        while True:
            response = self.random.randrange(2, prime - 1)
            shared = pow(response, exponent, prime)
            if shared.bit_length() <= wanted:
                break
        self.classes["high bit"] += shared.bit_length() % 8 == 0
        self.classes["short"] += (shared.bit_length() + 7) // 8 < (bits + 7) // 8
        self.classes["odd digits"] += len(f"{shared:x}") % 2
        return prime, exponent, response
