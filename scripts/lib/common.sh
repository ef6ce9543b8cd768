# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
# shellcheck shell=bash
#
# Sourced by every script here: where things are, how a missing package is installed, how the
# executables are built. Nothing below names a machine.

set -euo pipefail

root=$(cd -P "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# What needs the protocol reference and the recordings looks for them beside the checkout.
shared=${IBKR_SHARED:-$root/../shared}
configuration=${CONFIGURATION:-release}
bin=$root/.build/$configuration

say() { printf '== %s\n' "$*" >&2; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root: directly, or through sudo where that is there.
as_root() {
  if [[ $(id -u) == 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "need root to run: $* (run it yourself, or install sudo)"
  fi
}

# need_packages NAME…: installs the Debian packages that are missing and says which.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' \
      || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || fail "missing: ${missing[*]} (install them with your package manager)"
  say "installing ${missing[*]}"
  local log
  log=$(mktemp)
  {
    as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1 || { tail -20 "$log" >&2; fail "apt-get could not install ${missing[*]}"; }
  rm -f "$log"
}

# What a build needs: Swift itself, and the headers of the two C libraries.
need_build_tools() {
  command -v swift >/dev/null || fail "no 'swift' on the PATH: install Swift 6.2 or later (swift.org)"
  need_packages libssl-dev zlib1g-dev pkg-config
}

# build PRODUCT…: builds products in $configuration (release, unless CONFIGURATION says otherwise).
build() {
  need_build_tools
  local product
  for product in "$@"; do
    say "building $product ($configuration)"
    (cd "$root" && swift build -c "$configuration" --product "$product" >&2)
    [[ -x $bin/$product ]] || fail "$bin/$product is missing after the build"
  done
}

# Sets $python to an interpreter that has scripts/interop/requirements.txt, in .build/venv.
need_python() {
  local requirements=$root/scripts/interop/requirements.txt venv=$root/.build/venv
  python=$venv/bin/python
  if [[ -x $python ]] && cmp -s "$requirements" "$venv/requirements.txt"; then return 0; fi
  need_packages python3 python3-venv ca-certificates
  say "Python packages into .build/venv"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements" >&2
  cp "$requirements" "$venv/requirements.txt"
}

# need_shared WHAT: ends the script with a word when the folder with the recordings is not there.
need_shared() {
  [[ -d $shared ]] && return 0
  echo "skipped: $1 needs the folder $shared, which is not here"
  exit 0
}
