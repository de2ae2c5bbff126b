#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Real programs with cairn behind malloc: Lua and cJSON, on an emulated Cortex-M4, over three C libraries. What they print must be what the same
# sources print on this machine.
#
#   sh test/check/programs.sh [fast|full]     full: and the least memory that each needs, into build/programs/memory.csv
#
# Their sources are not part of this repository: they are fetched, and without the network, or where there are no source packages, this fails.
set -eu
cd "$(dirname "$0")/../.."
sh test/programs/sources.sh
sh test/programs/build.sh
mode=compare
[ "${1:-}" != full ] || mode=measure
PYTHONDONTWRITEBYTECODE=1 exec python3 test/programs/memory.py $mode
