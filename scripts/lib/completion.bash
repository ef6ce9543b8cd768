# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
#
# Asks the completions of a file what bash would: completion.bash FILE, with `ibkr` on the PATH.
set -uo pipefail
# shellcheck disable=SC1091
[[ ! -r /usr/share/bash-completion/bash_completion ]] || source /usr/share/bash-completion/bash_completion
# shellcheck disable=SC1090
source "$1" || exit 1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" && mkdir recordings && touch ca.pem || exit 1
count=0

# offers EXPECTED WORD…: the last word is the one at the cursor.
offers() {
  local expected=$1 function
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE="$*" COMPREPLY=()
  COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9
  function=$(complete -p ibkr | sed 's/.*-F \([^ ]*\).*/\1/')
  "$function" ibkr "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
  if [[ " ${COMPREPLY[*]} " != *" $expected "* ]]; then
    echo "$*: offers '${COMPREPLY[*]}' and not '$expected'"
    exit 1
  fi
  count=$((count + 1))
}
offers record ibkr rec
offers setup ibkr auth ''
offers install ibkr service ins
offers --account-ids ibkr record --acc
offers never ibkr record --compete ''
offers --credentials-out ibkr simulate --cred
offers recordings ibkr record AAPL -o rec
offers recordings ibkr coverage rec
offers ca.pem ibkr record AAPL --ca ca
offers --exact ibkr export --ex
echo "$count questions answered"
