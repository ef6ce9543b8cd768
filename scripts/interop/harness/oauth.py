# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""api.ibkr.com's half of the OAuth 1.0a login, by other hands, and a user who is registered there.

It gives a live session token to anybody: whether signatures are right is for others to test."""

import base64
import hashlib
import hmac
import os
import re
import secrets
import time
from pathlib import Path

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# RFC 3526 section 3.
PRIME = int(
    "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a0879"
    "8e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b"
    "0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da4836"
    "1c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804"
    "f1746c08ca18217c32905e462e36ce3be39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6"
    "955817183995497cea956ae515d2261898fa051015728e5a8aacaa68ffffffffffffffff", 16)


def _pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()


class User:
    """Keys and tokens on disk, and everything of them that must not be seen."""

    def __init__(self, folder: Path):
        folder.mkdir(mode=0o700)
        self.folder = folder
        self.token = secrets.token_hex(10)
        self.plain = secrets.token_bytes(32)
        self.live_session_tokens: list[bytes] = []
        keys = {name: rsa.generate_private_key(65537, 2048) for name in ("signature", "encryption")}
        self.encrypted = base64.b64encode(
            keys["encryption"].public_key().encrypt(self.plain, padding.PKCS1v15())).decode()
        self.pems = {name: _pem(key) for name, key in keys.items()}
        for name, pem in self.pems.items():
            path = folder / f"private_{name}.pem"
            path.touch(0o600)
            path.write_text(pem)

    def environment(self, url: str, ca) -> dict[str, str]:
        return {
            "IBIND_USE_OAUTH": "True", "IBIND_CACERT": str(ca),
            "IBIND_OAUTH1A_REST_URL": url + "/",
            "IBIND_OAUTH1A_WS_URL": "ws" + url.removeprefix("http") + "/ws",
            "IBIND_OAUTH1A_CONSUMER_KEY": "SIMULATED", "IBIND_OAUTH1A_ACCESS_TOKEN": self.token,
            "IBIND_OAUTH1A_ACCESS_TOKEN_SECRET": self.encrypted,
            "IBIND_OAUTH1A_DH_PRIME": f"{PRIME:x}",
            "IBIND_OAUTH1A_ENCRYPTION_KEY_FP": str(self.folder / "private_encryption.pem"),
            "IBIND_OAUTH1A_SIGNATURE_KEY_FP": str(self.folder / "private_signature.pem"),
        }

    def answer(self, request: web.Request) -> web.Response:
        """`oauth/live_session_token`, steps 9 to 13 of the login."""
        header = request.headers.get("Authorization", "")
        challenge = re.search(r'diffie_hellman_challenge="([0-9a-f]+)"', header)
        if not challenge:
            return web.json_response({"error": "id: 1, error: no challenge"}, status=401)
        exponent = int.from_bytes(os.urandom(32))
        shared = pow(int(challenge[1], 16), exponent, PRIME)
        # As Java's BigInteger.toByteArray() gives it: a zero in front where the top bit is set.
        key = shared.to_bytes(shared.bit_length() // 8 + 1)
        token = hmac.digest(key, self.plain, hashlib.sha1)
        self.live_session_tokens.append(token)
        return web.json_response({
            "diffie_hellman_response": f"{pow(2, exponent, PRIME):x}",
            "live_session_token_signature": hmac.digest(token, b"SIMULATED", hashlib.sha1).hex(),
            "live_session_token_expiration": int(time.time() * 1000) + 86_400_000,
        })

    def planted(self) -> dict[str, bytes]:
        """Name and bytes of everything that must be found nowhere."""
        found = {
            "access token": self.token.encode(), "secret, encrypted": self.encrypted.encode(),
            "secret": self.plain, "secret in hex": self.plain.hex().encode(),
            "secret in base64": base64.b64encode(self.plain),
            "oauth_token in a URL": b"oauth_token=" + self.token[:8].encode(),
        }
        for name, pem in self.pems.items():
            for number, line in enumerate(pem.splitlines()[1:-1]):
                if len(line) >= 32:
                    found[f"{name} key, line {number + 1}"] = line.encode()
        for number, token in enumerate(self.live_session_tokens):
            found |= {
                f"live session token {number + 1}": token,
                f"live session token {number + 1} in hex": token.hex().encode(),
                f"live session token {number + 1} in base64": base64.b64encode(token),
            }
        return found
