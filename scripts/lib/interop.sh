# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
# shellcheck shell=bash
#
# interop NAME ARGUMENT…: builds `ibkr`, readies Python, runs scripts/interop/NAME.py.

# shellcheck source=scripts/lib/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

interop() {
  local program=$1
  shift
  build ibkr
  need_python
  export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
  exec "$python" "$root/scripts/interop/$program.py" --ibkr "$bin/ibkr" "$@"
}
