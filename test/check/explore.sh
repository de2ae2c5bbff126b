#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Full tier: every state of heaps of up to 17 granules, 175 million of them, and of up to 14 with wider tag words. Writes what it counted to
# build/explore-full.csv. Takes about an hour on two cores, and 3.5 GB of memory. The fast tier explores in ctest; nothing is left to do here.
set -eu
cd "$(dirname "$0")/../.."
[ "${1:-fast}" = full ] || exit 0
[ -x build/host/bin/explore2 ] || { cmake --preset host && cmake --build --preset host --target explore2 explore3; }
threads=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
[ "$threads" -le 8 ] || threads=8
build/host/bin/explore3 --last 14 --wide 11 --threads "$threads" --floor 4097223 --out build/explore-full-8.csv
build/host/bin/explore2 --last 17 --wide 13 --threads "$threads" --floor 175061283 --out build/explore-full-4.csv
{ cat build/explore-full-8.csv; tail -n +2 build/explore-full-4.csv; } >build/explore-full.csv
awk -F, 'NR > 1 { states += $3; operations += $5 } END { printf "# %d states, %.0f operations\n", states, operations }' build/explore-full.csv
