#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the examples for the Cortex-M4 and runs them in QEMU, from a fresh clone on a fresh Debian 12 or Ubuntu 24.04.
#
#   sh examples/run.sh [TRACE [REGION]]     what the replay example replays, in so many bytes; default: a recorded run of a Lua program
set -eu
from=$PWD
cd "$(dirname "$0")/.."
case ${1:-/} in
/*) ;;
*) # relative to the folder that this was called in
    if [ "$from" != "$PWD" ]; then
        trace=$from/$1
        shift
        set -- "$trace" "$@"
    fi
    ;;
esac
usage="usage: sh examples/run.sh [TRACE [REGION]]"
[ "${1:-}" != --help ] || { echo "$usage"; exit 0; }
[ $# -le 2 ] || { echo "$usage" >&2; exit 2; }
if [ $# -gt 0 ] && { [ ! -f "$1" ] || [ ! -r "$1" ]; }; then
    echo "examples/run.sh: $1 is no file that can be read" >&2
    exit 2
fi

# on_m4 NAME ARGUMENT...: instructions are counted, so every figure is the same on any machine.
on_m4() {
    elf=build/m4/bin/$1.elf
    shift
    echo "--- $elf $*"
    sh port/board/qemu.sh -i mps2-an386 "$elf" "$@"
}

sh port/setup.sh target
cmake --preset m4
cmake --build --preset m4

on_m4 hello_heap
on_m4 cpp_containers
on_m4 bigger_than_ram count
on_m4 fork_exec
on_m4 shared_ring
on_m4 mapped_log
on_m4 checkpoint_resume

if [ $# -gt 0 ]; then
    on_m4 replay "$@"
else
    on_m4 replay test/traces/lua_events.ctr 200000
fi
