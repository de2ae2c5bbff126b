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

# on PRESET MACHINE CARD [STEPS]: what it printed is in $work/printed, its end in $status.
on() {
    preset=$1 machine=$2 status=0
    shift 2
    if [ "$preset" = host ]; then
        build/host/bin/checkpoint_resume "$@" >"$work/printed" || status=$?
    else
        sh port/board/qemu.sh "$machine" build/$preset/bin/checkpoint_resume.elf "$@" >"$work/printed" || status=$?
    fi
    sed "s/^this machine/$preset/" "$work/printed" | tee -a "$work/all"
}

build/host/bin/checkpoint_resume >"$work/alone"
result=$(sed -n 's/^one that is not stopped: .* result \([0-9a-f]*\);.*/\1/p' "$work/alone")
[ -n "$result" ] || { echo "$0: no result"; exit 1; }

for first in "host -" "m0 mps2-an385" "rv32 virt"; do
    # shellcheck disable=SC2086
    on $first "$work/${first%% *}" 300 >"$work/shown"
    [ "$status" -eq 0 ]
done
rm -f "$work/all"
on m4 mps2-an386 "$work/card" 300 && [ "$status" -eq 0 ]
for first in host m0 rv32; do
    cmp "$work/$first" "$work/card"
done
on m0 mps2-an385 "$work/card" 250 && [ "$status" -eq 0 ]
on rv32 virt "$work/card" 100 && [ "$status" -eq 0 ]
on host - "$work/card" && [ "$status" -eq 0 ]
grep -q "^m4: begins, is frozen after 300: " "$work/all"
grep -q "^m0: goes on after 300 steps, is frozen after 550: " "$work/all"
grep -q "^rv32: goes on after 550 steps, is frozen after 650: " "$work/all"
grep -q "^host: goes on after 650 steps, ends: the words are in order, result $result; check: good$" "$work/all"

# What is no card is not written over: another file, and part of a card.
head -c 100000 build/host/bin/checkpoint_resume >"$work/other"
head -c 3000 "$work/host" >"$work/part"
for file in other part; do
    cp "$work/$file" "$work/before"
    for machine in "host -" "m4 mps2-an386"; do
        # shellcheck disable=SC2086
        on $machine "$work/$file" 10 >"$work/shown"
        [ "$status" -eq 1 ]
        grep -Eq "^(the card is left as it is|the card cannot be used, [a-z ]*): $work/$file$" "$work/printed" || { cat "$work/printed"; exit 1; }
        cmp "$work/before" "$work/$file"
    done
done
on host - "$work/none" 3x >"$work/shown"
[ "$status" -eq 2 ]
grep -q "^usage: " "$work/printed"
[ ! -e "$work/none" ]
echo "the result is that of the computation that was not stopped"
