# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
"""Builds one documentation archive for each library product; see scripts/docs."""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

root = Path(__file__).resolve().parents[2]
# The products, those first that the others name.
MODULES = ["WebSocket", "IBKR", "Recording", "GatewaySimulator", "Monitoring"]
LINK = re.compile(r"\[([^]]+)\]\((?:\.\./\.\./(\w+)/\w+\.docc/)?(\w+)\.md\)")

arguments = argparse.ArgumentParser()
for name in ("--docc", "--modules", "--work", "--output"):
    arguments.add_argument(name, required=True, type=Path)
arguments = arguments.parse_args()


def symbols(module: str) -> Path:
    """What the compiler knows of the module's public declarations."""
    folder = arguments.work / f"{module}.symbols"
    folder.mkdir()
    maps = [f"-fmodule-map-file={path}" for path in sorted(root.glob("Sources/C*/module.modulemap"))]
    target = subprocess.run(["swiftc", "-print-target-info"], capture_output=True, text=True, check=True)
    triple = re.search(r'"unversionedTriple"\s*:\s*"([^"]+)"', target.stdout)[1]
    subprocess.run([arguments.docc.with_name("swift-symbolgraph-extract"), "-module-name", module,
                    "-target", triple, "-I", arguments.modules / "Modules",
                    *[word for path in maps for word in ("-Xcc", path)],
                    "-minimum-access-level", "public", "-skip-synthesized-members",
                    "-output-dir", folder], check=True)
    return folder


def catalog(module: str) -> Path:
    """A copy of the catalog in which links to other articles, which are files for whoever reads the
    repository, lead to their pages."""
    copy = arguments.work / f"{module}.docc"
    shutil.copytree(root / "Sources" / module / f"{module}.docc", copy)
    for path in copy.glob("*.md"):
        def page(link: re.Match) -> str:
            text, other, article = link.groups()
            if other is None:
                return f"[{text}](doc:{article})"
            # A module may name those below it only; towards the others the text has to do.
            if MODULES.index(other) > MODULES.index(module):
                return text
            return f"[{text}](doc:/{other}/{article})"
        path.write_text(LINK.sub(page, path.read_text()))
    return copy


warnings = 0
for module in MODULES:
    archive = arguments.output / f"{module}.doccarchive"
    shutil.rmtree(archive, ignore_errors=True)
    dependencies = [word for other in MODULES[:MODULES.index(module)]
                    for word in ("--dependency", arguments.output / f"{other}.doccarchive")]
    run = subprocess.run([arguments.docc, "convert", catalog(module),
                          "--additional-symbol-graph-dir", symbols(module),
                          "--fallback-bundle-identifier", module,
                          "--fallback-default-module-kind", "Library",
                          "--enable-experimental-external-link-support", *dependencies,
                          "--warnings-as-errors", "--output-dir", archive],
                         capture_output=True, text=True)
    pages = len(list(archive.rglob("data/**/*.json")))
    print(f"{module:18} {pages:5} pages   {'ok' if not run.returncode else 'FAILED'}")
    if run.returncode:
        warnings += 1
        print(run.stdout[-20000:], run.stderr[-20000:], file=sys.stderr)
sys.exit(1 if warnings else 0)
