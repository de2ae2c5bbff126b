#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds the examples for the Cortex-M4 and runs them in QEMU, from a fresh clone on a fresh Debian 12 or Ubuntu 24.04.
#
#   sh examples/run.sh [TRACE]      TRACE: what the replay example replays
set -eu
cd "$(dirname "$0")/.."

on_m4() {
    elf=build/m4/bin/$1.elf
    shift
    echo "--- $elf $*"
    sh port/cortexm/qemu.sh mps2-an386 "$elf" "$@"
}

sh port/setup.sh target
cmake --preset m4
cmake --build --preset m4

on_m4 hello_heap

if [ -f examples/replay/CMakeLists.txt ]; then
    if [ $# -gt 0 ]; then
        trace=$1
    else
        trace=$(find test/traces -type f -name '*.trace' | sort | head -n 1)
    fi
    on_m4 replay "$trace"
fi
