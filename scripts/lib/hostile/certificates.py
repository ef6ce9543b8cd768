# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.

"""Certificates made at run time with the openssl command."""

import subprocess
from pathlib import Path


def run(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make(folder: Path):
    """Makes an authority and the servers' certificates; returns the authority's file."""
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=hostile authority",
        "-days", "30", "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
        "-addext", "basicConstraints=critical,CA:TRUE")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    sign(folder, "good", names)
    sign(folder, "wrong-host", "subjectAltName=DNS:elsewhere.example,IP:127.0.0.2")
    sign(folder, "common-name-only", None, subject="/CN=127.0.0.1")
    sign(folder, "expired", names, expired=True)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=self", "-days", "30",
        "-addext", names, "-keyout", folder / "self-signed.key",
        "-out", folder / "self-signed.pem")
    return folder / "ca.pem"


def sign(folder, name, extension, subject="/CN=server", expired=False):
    run("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject,
        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.csr")
    (folder / "ext").write_text((extension or "basicConstraints=CA:FALSE") + "\n")
    if expired:
        # `x509 -req` cannot date back before OpenSSL 3.4; `ca` can.
        (folder / "index.txt").write_text("")
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=d\n[d]\npolicy=p\nemail_in_dn=no\nrand_serial=yes\n"
            f"database={folder}/index.txt\nnew_certs_dir={folder}\n[p]\ncommonName=supplied\n")
        run("ca", "-batch", "-notext", "-config", folder / "ca.cnf", "-md", "sha256",
            "-startdate", "20200101000000Z", "-enddate", "20200201000000Z",
            "-cert", folder / "ca.pem", "-keyfile", folder / "ca.key", "-extfile",
            folder / "ext", "-in", folder / f"{name}.csr", "-out", folder / f"{name}.pem")
        return
    run("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem",
        "-CAkey", folder / "ca.key", "-CAcreateserial", "-days", "30", "-sha256",
        "-extfile", folder / "ext", "-out", folder / f"{name}.pem")
