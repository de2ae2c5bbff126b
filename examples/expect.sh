#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs a command; passes when it returns 0 and prints exactly what a file holds.
#
#   sh examples/expect.sh FILE COMMAND [ARGUMENT...]
set -eu

expected=$1
shift
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
status=0
"$@" >"$printed" || status=$?
cat "$printed"
diff -u "$expected" "$printed" >&2 || { echo "$0: the output differs from $expected" >&2; exit 1; }
exit "$status"
