#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each option of cairn/config.h is given another value than its default, alone, and the tests of the host hold.
#
#   sh test/check/options.sh [fast | full] [NAME...]      NAME: those only, of the names in `flips`
#
# Full tier: every option, with the whole suite but for what computes for long: two minutes of a processor each. Fast tier: the two that change every heap,
# CAIRN_HARDEN=0 and CAIRN_GRANULE=16, with the tests of heap, pool, arena and C++, not optimised: half a minute in all.
#
# INVARIANTS  1. Every option of config.h is in `flips`.
#             2. Page, TLB and tables are flipped with the tests of a vm that is made for just these, which test/vm/CMakeLists.txt lists as `fixed`: others make a vm of
#                other sizes, which such a library refuses.
#             3. What cannot be done in such a build is skipped by the test itself (NEEDS_HARDENING), not here.
# OWNS        build/options.
set -eu
cd "$(dirname "$0")/../.."
tier=${1:-fast}
[ $# -eq 0 ] || shift
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
export CAIRN_TIER=fast # of the tests themselves
bad=0

# NAME TESTS SETTING...
flips="harden0 suite CAIRN_HARDEN=0
harden2 suite CAIRN_HARDEN=2
harden3 suite CAIRN_HARDEN=3
granule16 suite CAIRN_GRANULE=16
vaddr32 suite CAIRN_VADDR_BITS=32
count_hits suite CAIRN_VM_COUNT_HITS=1
crosscheck suite CAIRN_VM_CROSSCHECK=1
page fixed CAIRN_PAGE_SHIFT=7
tlb fixed CAIRN_TLB_SHIFT=3
tables fixed CAIRN_PAGE_SHIFT=7 CAIRN_TABLE_LEVELS=2 CAIRN_TABLE_TOP_BITS=4 CAIRN_TABLE_BITS=4"
long='explore|fuzz|preload|replay|random|power|flash|hostile|figures|bound|goals|single|programs|layout_is_the_same'

for option in $(sed -n 's/^#ifndef \(CAIRN_[A-Z_]*\)$/\1/p' lib/include/cairn/config.h); do
    case $option:$flips in CAIRN_CONFIG_H:* | *:*" $option="*) ;; *) echo "options: $option is not in flips"; bad=1 ;; esac
done

# units: the tests of heap, pool, arena and C++.
units() {
    for source in test/unit/test_*.c; do
        name=${source##*/}
        case ${name%.c} in
        test_store_* | test_checksum | test_bulk | test_codec | test_vm_* | test_policy* | test_stream | test_page_recorder | test_elf | test_image* | test_checkpoint* | test_space_*) ;;
        *) echo "${name%.c}" ;;
        esac
    done
    echo test_pool_random test_pool_threads test_concepts_heap test_freertos test_freertos_isr test_zephyr test_allocator test_memory_resource test_new test_new_heap
}

# flip NAME TESTS SETTING...: -D for what is an option of CMakeLists.txt, and a flag for every other.
flip() {
    name=$1
    tests=$2
    shift 2
    folder=build/options/$name
    what="$*"
    log=build/options/$name.log
    flags=
    options=
    for setting; do
        case $setting in
        CAIRN_HARDEN=* | CAIRN_GRANULE=*) options="$options -D $setting" ;;
        *) flags="$flags -D$setting" ;;
        esac
    done
    case $tier in full) ;; *) options="$options -D CMAKE_BUILD_TYPE=None" && tests=units ;; esac
    # shellcheck disable=SC2086
    cmake --preset host -B "$folder" -D CAIRN_DEBUG_INFO=-g0 -D CMAKE_C_FLAGS="$flags" -D CMAKE_CXX_FLAGS="$flags" $options >"$log" 2>&1 || return 1
    targets=
    case $tests in
    suite) which="-E $long" ;;
    fixed) targets=$(ctest --test-dir "$folder" -N -R '_fixed$' | sed -n 's/.*: \(test_.*\)_fixed$/\1/p') && which="-R ^($(echo $targets | tr ' ' '|'))\$" ;;
    units) targets=$(units) && which="-R ^($(echo $targets | tr ' ' '|')|cpp_blocks|cpp_wrong_use)\$" ;;
    esac
    # shellcheck disable=SC2086
    cmake --build "$folder" --parallel "$jobs" ${targets:+--target $targets} >>"$log" 2>&1 &&
        ctest --test-dir "$folder" --parallel "$jobs" --no-tests=error --output-on-failure $which >"$log" 2>&1
}

mkdir -p build/options
wanted=" $* "
[ $# -gt 0 ] || case $tier in full) wanted= ;; *) wanted=" harden0 granule16 " ;; esac
while read -r name tests settings; do
    case "${wanted:- $name }" in *" $name "*) ;; *) continue ;; esac
    # shellcheck disable=SC2086
    if flip "$name" "$tests" $settings </dev/null; then
        echo "options: $settings: $(sed -n 's/.*failed out of \([0-9]*\)$/\1/p' "$log") tests"
    else
        echo "options: $settings: fails"
        tail -n 60 "$log"
        bad=1
    fi
done <<END
$flips
END
[ $bad -eq 0 ] || exit 1
