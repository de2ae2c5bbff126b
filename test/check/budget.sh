#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The worst call's instructions, the bytes of code and the bytes of control must not exceed test/bench/budget.csv, on any core.
#
#   sh test/check/budget.sh [fast|full]                       compares (both tiers alike: the counts are exact)
#   sh test/check/budget.sh --update [--cores m4] [--jobs N]  writes today's figures into the file
set -eu
cd "$(dirname "$0")/../.."
case ${1:-} in fast | full) shift ;; esac
PYTHONDONTWRITEBYTECODE=1 exec python3 test/bench/budget.py "$@"
