# SPDX-License-Identifier: Apache-2.0
# This file is part of ibkr-stream.
#
# Asks the completions of a file what fish would: completion.fish FILE, with `ibkr` on the PATH.
source $argv[1]; or exit 1
set -l count 0
for question in "record:ibkr rec" "setup:ibkr auth " "install:ibkr service ins" \
    "--account-ids:ibkr record --acc" "never:ibkr record --compete "
    set -l parts (string split -m 1 : -- $question)
    set -l offered (complete -C $parts[2] | string split -f 1 \t)
    if not contains -- $parts[1] $offered
        echo "$parts[2]: offers '$offered' and not '$parts[1]'"
        exit 1
    end
    set count (math $count + 1)
end
echo "$count questions answered"
