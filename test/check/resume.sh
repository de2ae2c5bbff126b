#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A computation that goes from core to core: examples/checkpoint_resume is frozen on an emulated Cortex-M4, goes on on a Cortex-M0, is frozen again, goes on on RISC-V, and
# ends on this machine, with the result of one that nobody stopped. What the first one leaves on the card is the same, byte for byte, wherever it is made.
#
#   sh test/check/resume.sh
#
# The programs are those of the presets host, m4, m0 and rv32, and are built where they are not there.
set -eu
cd "$(dirname "$0")/../.."

for preset in host m4 m0 rv32; do
    suffix=.elf
    [ $preset != host ] || suffix=
    [ -f build/$preset/bin/checkpoint_resume$suffix ] || { cmake --preset $preset && cmake --build --preset $preset --target checkpoint_resume; } >/dev/null
done
work=$(mktemp -d build/resume.XXXXXX)
trap 'rm -rf "$work"' EXIT

# on PRESET MACHINE CARD [STEPS]
on() {
    preset=$1 machine=$2
    shift 2
    if [ "$preset" = host ]; then
        build/host/bin/checkpoint_resume "$@" >"$work/printed"
    else
        sh port/board/qemu.sh "$machine" build/$preset/bin/checkpoint_resume.elf "$@" >"$work/printed"
    fi
    sed "s/^this machine/$preset/" "$work/printed" | tee -a "$work/all"
}

build/host/bin/checkpoint_resume >"$work/alone"
result=$(sed -n 's/^one that is not stopped: .* result \([0-9a-f]*\);.*/\1/p' "$work/alone")
[ -n "$result" ] || { echo "$0: no result"; exit 1; }

for first in "host -" "m0 mps2-an385" "rv32 virt"; do
    # shellcheck disable=SC2086
    on $first "$work/${first%% *}" 300 >/dev/null
done
rm -f "$work/all"
on m4 mps2-an386 "$work/card" 300
for first in host m0 rv32; do
    cmp "$work/$first" "$work/card"
done
on m0 mps2-an385 "$work/card" 250
on rv32 virt "$work/card" 100
on host - "$work/card"
grep -q "^m4: begins, is frozen after 300: " "$work/all"
grep -q "^m0: goes on after 300 steps, is frozen after 550: " "$work/all"
grep -q "^rv32: goes on after 550 steps, is frozen after 650: " "$work/all"
grep -q "^host: goes on after 650 steps, ends: the words are in order, result $result; check: good$" "$work/all"
echo "the result is that of the computation that was not stopped"
