#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs a command; passes when it returns 0, or STATUS, and prints exactly what a file holds.
#
#   sh examples/expect.sh [-s STATUS] FILE COMMAND [ARGUMENT...]
set -eu

wanted=0
if [ "$1" = -s ]; then
    wanted=$2
    shift 2
fi
expected=$1
shift
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
status=0
"$@" >"$printed" || status=$?
cat "$printed"
diff -u "$expected" "$printed" >&2 || { echo "$0: the output differs from $expected" >&2; exit 1; }
[ "$status" -eq "$wanted" ] || { echo "$0: status $status, not $wanted" >&2; exit 1; }
