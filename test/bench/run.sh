#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every benchmark: memory, instructions, many free holes, the time the lock is held, pools, deferred frees, the arena, the software MMU, checkpoints,
# compression, code, control, stack, static RAM of the drop-in, the host's malloc, real programs, and the pictures.
#
#   sh test/bench/run.sh [--cores m4,m33] [--only memory,sizes] [--jobs N] [TRACE...]
#
# TRACE: default all of ../shared/traces/heap where that is, else test/traces. Results: build/bench/*.csv and *.svg; then
# `python3 test/bench/publish.py` writes them into the documents. All of it takes some 30 minutes on two processors.
# A run of QEMU that has not ended after BENCH_TIMEOUT seconds (default 1200) is killed and tried once more.
set -eu
here=$(dirname "$0")
sh "$here/../../port/setup.sh"
PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/run.py" "$@" # which knows its folder; a TRACE is relative to the caller's
