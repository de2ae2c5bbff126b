#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Fuzzes the targets with libFuzzer, address and undefined-behaviour sanitizers on.
#
#   sh test/fuzz/run.sh [--pack] [SECONDS [TARGET...]]      so long for each target; 60 and all of them by default
#
# Starts from the committed corpus and what earlier runs left in build/fuzz. --pack: afterwards write the smallest set of inputs with the
# same coverage over test/fuzz/<target>.corpus. An input that breaks something stays in build/fuzz as crash-*, and the run fails.
set -eu
cd "$(dirname "$0")/../.."
pack=
if [ "${1:-}" = --pack ]; then
    pack=yes
    shift
fi
seconds=${1:-60}
[ $# -eq 0 ] || shift
[ $# -ne 0 ] || set -- heap attach elf codec image checkpoint calls
out=build/fuzz
mkdir -p "$out"
command -v clang >/dev/null || { echo "fuzz: clang is missing: sh port/setup.sh"; exit 1; }
heap="lib/base/*.c lib/heap/*.c test/fuzz/input.c"
elf="lib/vm/elf.c lib/vm/elf_reason.c test/support/elf_image.c"
flags="-std=c11 -g -Ilib -Ilib/include -Itest/fuzz -Itest/support -I."
sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=all"
# shellcheck disable=SC2086
clang $flags test/fuzz/replay.c -o "$out/replay" # packs and unpacks

# objects LEVEL SOURCE...: prints the objects' names; what a target before had at this level is there.
rm -rf "$out"/objects*
objects() {
    folder=$out/objects$1
    level=$1
    shift
    mkdir -p "$folder"
    for source; do
        object=$folder/$(basename "$source" .c).o
        echo "$object"
        [ -f "$object" ] || echo "$source -o $object" >&3
    done 3>"$folder/missing"
    # shellcheck disable=SC2086
    xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 clang $flags $level $sanitizers -fsanitize=fuzzer-no-link -c <"$folder/missing"
}

for target in "$@"; do
    level=-O1
    merge=-merge=1
    case $target in
    elf) sources="$heap $elf" ;;
    codec) sources="$heap lib/vm/codec.c" ;;
    calls)
        sources="lib/base/*.c $(ls lib/vm/*.c | grep -vE 'image|checkpoint|flash|codec|compressed|checked|recorder') test/vm/isolation_*.c test/support/elf_image.c"
        [ "$seconds" -ge 60 ] || level=-O0 # a quarter of the time to compile
        merge="-set_cover_merge=1 -use_counters=0" # of thousands of inputs a hundred
        ;;
    image) sources="$heap lib/vm/image*.c lib/vm/store_ram.c" ;;
    checkpoint)
        sources="$heap lib/inner/*.c lib/vm/checkpoint*.c lib/vm/image*.c lib/vm/policy_clock.c lib/vm/store_ram.c"
        for part in access advise brk fault load mapping object pageout pin segment share share_load share_pool space table tlb vm vm_check; do sources="$sources lib/vm/$part.c"; done ;;
    *) sources=$heap ;;
    esac
    # shellcheck disable=SC2086
    made=$(objects $level $sources test/fuzz/fuzz_$target.c)
    # shellcheck disable=SC2086
    clang $sanitizers -fsanitize=fuzzer $made -o "$out/fuzz_$target"
    mkdir -p "$out/$target"
    if [ -f test/fuzz/$target.corpus ]; then
        "$out/replay" --unpack "$out/$target" test/fuzz/$target.corpus
    fi
    echo "== fuzz_$target, $seconds s"
    "$out/fuzz_$target" -artifact_prefix="$out/crash-$target-" -max_len=512 -max_total_time="$seconds" -print_final_stats=1 -verbosity=1 \
        "$out/$target" >"$out/$target.log" 2>&1 || { tail -n 40 "$out/$target.log"; exit 1; }
    grep -E '^stat::number|^stat::average' "$out/$target.log"
    grep -E 'cov: [0-9]+' "$out/$target.log" | tail -n 1
    if [ -n "$pack" ]; then
        rm -rf "$out/$target.small"
        mkdir "$out/$target.small"
        # shellcheck disable=SC2086
        "$out/fuzz_$target" $merge "$out/$target.small" "$out/$target" >"$out/$target.merge.log" 2>&1
        "$out/replay" --pack test/fuzz/$target.corpus "$out/$target.small"/*
        ls -l test/fuzz/$target.corpus
    fi
done
