#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the replay example on a trace, and checks what it prints against the trace itself.
#
#   sh check.sh counted|plain TRACE.rep COMMAND...      the command gets the trace as its last argument
set -eu

mode=$1
trace=$2
shift 2
printed=$(mktemp)
trap 'rm -f "$printed"' EXIT
"$@" "$trace" >"$printed"
cat "$printed"

fail() {
    echo "check: $*" >&2
    exit 1
}

# What it cannot tell is no success.
if [ "$mode" = plain ] && [ -c /dev/full ]; then
    "$@" "$trace" >/dev/full && fail "status 0, and nothing was written"
fi

# What the trace's operations come to, by other means than the program's.
set -- $(awk 'NR > 4 && $1 != "" {
        ops++
        n = $3 == 0 ? 1 : $3
        if ($1 == "a") { a++; live += n; size[$2] = n }
        if ($1 == "r") { r++; live += n - size[$2]; size[$2] = n }
        if ($1 == "f") { f++; live -= size[$2] }
        if (live > peak) peak = live
    } END { print ops, peak, a + 0, f + 0, r + 0 }' "$trace")
grep -q "^  operations  *$1\$" "$printed" || fail "operations: not $1"
grep -q "^  peak  *$2 bytes" "$printed" || fail "peak: not $2"
grep -q '^  failed  *0 operations$' "$printed" || fail "something failed"
grep -q '^  damaged  *0 stamps' "$printed" || fail "a stamp was damaged"
grep -q '^  check  *good$' "$printed" || fail "the heap's check"
grep -Eq '^  ratio  *[12]\.[0-9]{4} ' "$printed" || fail "ratio"
rows=$(grep -Ec '^  [ 0-9]{7}  [-#+.]{48} [ 0-9]{8}  [ 0-9]{3}\.[0-9]%$' "$printed")
[ "$rows" -eq $(($1 < 16 ? $1 : 16)) ] || fail "$rows rows of the heap, not 16, or one an operation"
awk 'length > 80 { exit 1 }' "$printed" || fail "a line of more than 80 columns"

[ "$mode" = counted ] || exit 0
grep -Eq "^  malloc  *$3 " "$printed" || fail "malloc: not $3 calls"
grep -Eq "^  free  *$4 " "$printed" || fail "free: not $4 calls"
grep -Eq "^  realloc  *$5 " "$printed" || fail "realloc: not $5 calls"
# A call takes at least ten instructions, and no malloc or free takes a thousand.
awk '$1 == "malloc" || $1 == "free" { if (NF == 4 && ($3 < 10 || $3 > $4 || $4 > 1000)) exit 1 }' "$printed" || fail "instructions"
grep -Eq '^ +[0-9]+(-[0-9]+|\.\.)  .*#' "$printed" || fail "no histogram"
