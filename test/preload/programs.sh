#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Real programs over libcairn-malloc.so: each must print what it prints without it. And programs that misuse the heap, which must be stopped.
#
#   sh test/preload/programs.sh LIBRARY [MISUSE]
#
# CALLERS  ctest, on the host preset. Run in the top folder.
set -eu
library=$1
misuse=${2:-}
here=test/preload
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

# The library must be the one that answers: a program that does not load it proves nothing.
LD_PRELOAD=$library sh -c 'grep -q libcairn-malloc /proc/self/maps' || { echo "programs: $library is not loaded"; exit 1; }

# What no call reads but on an error, texts and tables for unwinding, stands behind the code, and is in no process's memory.
LD_PRELOAD=$library PYTHONMALLOC=malloc python3 -c '
import random
texts = {}
for i in range(20000):
    texts[random.randrange(2000)] = "x" * random.randrange(3000)
code = cold = found = False
for line in open("/proc/self/smaps"):
    words = line.split()
    if "-" in words[0]:
        cold = code and "libcairn-malloc" in line and words[1] == "r--p"
        code = "libcairn-malloc" in line and words[1] == "r-xp"
        found = found or cold
    elif cold and words[0] == "Rss:" and words[1] != "0":
        print("programs:", words[1], "KB of what only errors read are resident")
if not found:
    print("programs: the library has no part for what only errors read")
' >"$work/out"
[ ! -s "$work/out" ] || { cat "$work/out"; bad=1; }

# same NAME COMMAND...: with and without.
same() {
    name=$1
    shift
    "$@" >"$work/plain" 2>&1 || { echo "programs: $name fails without cairn"; bad=1; return; }
    LD_PRELOAD=$library "$@" >"$work/cairn" 2>&1 || { echo "programs: $name fails"; tail -n 5 "$work/cairn"; bad=1; return; }
    [ -s "$work/plain" ] || { echo "programs: $name prints nothing"; bad=1; }
    cmp -s "$work/plain" "$work/cairn" || { echo "programs: $name prints something else"; diff "$work/plain" "$work/cairn" | head -n 5; bad=1; }
}

compile() {
    for source in lib/*/*.c; do
        gcc -std=c11 -O2 -g0 -Ilib -Ilib/include -c "$source" -o "$work/object.o"
        cksum <"$work/object.o"
    done
}

same sqlite3 sqlite3 :memory: ".read $here/work.sql"
same lua5.4 lua5.4 $here/work.lua
same python3 python3 $here/work.py
compile >"$work/plain"
(export LD_PRELOAD="$library"; compile) >"$work/cairn"
cmp -s "$work/plain" "$work/cairn" || { echo "programs: gcc compiles this library into something else"; bad=1; }

# stopped HOW: the program aborts, and says why.
stopped() {
    status=0
    LD_PRELOAD=$library "$misuse" "$1" >"$work/out" 2>"$work/err" || status=$?
    [ $status -eq 134 ] || { echo "programs: $1 ends with status $status"; bad=1; }
    grep -q "^cairn: $2 0x" "$work/err" || { echo "programs: $1 is called: $(head -n 1 "$work/err")"; bad=1; }
}

if [ -n "$misuse" ]; then
    stopped double "a block freed twice"
    stopped interior "a pointer into a block"
    stopped foreign "a pointer that is no block"
    stopped mapped "a pointer into a block"
    stopped caught "a block freed twice"
    LD_PRELOAD=$library "$misuse" calls || { echo "programs: a call of the family does not do what it must"; bad=1; }
fi
exit $bad
