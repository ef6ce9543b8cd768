# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Certificates of every kind, good and bad, made with the openssl command."""

import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

CONFIGURATION = """
[ca]
default_ca = authority
[authority]
database = {folder}/index.txt
new_certs_dir = {folder}
rand_serial = yes
unique_subject = no
email_in_dn = no
policy = any
[any]
commonName = supplied
"""

AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
KEYS = {
    "ec": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
    "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    "ed25519": ["-newkey", "ed25519"],
    "rsa2048": ["-newkey", "rsa:2048"],
    "rsa1024": ["-newkey", "rsa:1024"],
}


def openssl(*arguments, **options):
    return subprocess.run(
        ["openssl", *map(str, arguments)], check=True, capture_output=True, **options
    ).stdout


class Certificate:
    """A certificate and its key: `pem` and `key` are files, `chain` what a server sends."""

    def __init__(self, pem: Path, key: Path, issuer: "Certificate | None"):
        self.pem = pem
        self.key = key
        self.issuer = issuer

    @property
    def pin(self) -> str:
        """The SHA-256 of the public key as curl and we write it, after `sha256/`."""
        public = openssl("x509", "-in", self.pem, "-noout", "-pubkey")
        der = openssl("pkey", "-pubin", "-outform", "DER", input=public)
        digest = openssl("dgst", "-sha256", "-binary", input=der)
        return openssl("base64", "-A", input=digest).decode().strip()


class Workshop:
    """Makes certificates in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.made = 0
        (folder / "index.txt").write_text("")
        self.configuration = folder / "ca.cnf"
        self.configuration.write_text(CONFIGURATION.format(folder=folder))

    def make(self, name, issuer=None, extensions="", key="ec", days=(-1, 30), md="sha256"):
        """A certificate for `name`, valid from and to so many days from now; without an issuer
        it signs itself."""
        self.made += 1
        stem = self.folder / f"{self.made:02}"
        pem, private, request = (stem.with_suffix(s) for s in (".pem", ".key", ".csr"))
        openssl("req", "-new", "-nodes", *KEYS[key], "-subj", f"/CN={name}",
                "-keyout", private, "-out", request)
        extension_file = stem.with_suffix(".ext")
        extension_file.write_text(extensions or "basicConstraints=CA:FALSE\n")
        signer = (["-selfsign", "-keyfile", private] if issuer is None
                  else ["-cert", issuer.pem, "-keyfile", issuer.key])
        digest = [] if (issuer is None and key == "ed25519") else ["-md", md]
        openssl("ca", "-batch", "-notext", "-config", self.configuration, *digest, *signer,
                "-startdate", self._date(days[0]), "-enddate", self._date(days[1]),
                "-extfile", extension_file, "-in", request, "-out", pem)
        return Certificate(pem, private, issuer)

    def authority(self, name, issuer=None, extensions=AUTHORITY, **options):
        return self.make(name, issuer, extensions, **options)

    def server(self, issuer, names="DNS:localhost,IP:127.0.0.1,IP:::1", more="", **options):
        """A server's certificate; `names` as openssl writes alternative names, "" for none."""
        lines = "basicConstraints=CA:FALSE\n" + more
        if names:
            lines += f"subjectAltName={names}\n"
        return self.make(options.pop("subject", "server"), issuer, lines, **options)

    def bundle(self, *certificates) -> Path:
        """One file with several certificates."""
        self.made += 1
        path = self.folder / f"{self.made:02}-bundle.pem"
        path.write_text("".join(c.pem.read_text() for c in certificates))
        return path

    @staticmethod
    def _date(days):
        return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")
