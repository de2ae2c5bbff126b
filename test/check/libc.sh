#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cairn behind the malloc of newlib, newlib-nano and picolibc (port/libc), in QEMU.
#
#   sh test/check/libc.sh [fast|full]
#
# INVARIANTS  1. test_libc, test_names and test_sbrk pass on every core with every library (on RISC-V there is picolibc); the maps of the first two
#                name none of the library's own malloc, and what port/libc, the break and lib hold in .data and .bss is RAM_MOST bytes at most.
#             2. That check finds what it looks for: the map of a program with the library's own malloc fails it.
#             3. malloc_stats prints the heap's figures, and is linked only where it is called.
#             4. Where the standards leave malloc a choice, the answer is that of the library's own (same.c).
#             5. preempt passes under a SysTick that strikes anywhere, with each library: interrupts held off, and by way of the library's own lock
#                (lock.c). It does not where the lock is taken out.
#             6. The example prints what it should, on every core; also with link-time optimisation of everything, which sees no call that the C library
#                or an instruction makes, and with each library.
# COST        fast: 3 seeds of preempt with newlib-nano for each of three cores, 1 of each other kind; full: 20.
set -eu
cd "$(dirname "$0")/../.."
. test/bench/target.sh
RAM_MOST=64
seeds=3
other_seeds=1
[ "${1:-}" != full ] || seeds=20 other_seeds=20
newlib_names="malloc|calloc|realloc|reallocarray|aligned_alloc|malign|msize|mstats|mtrim|valloc|mallocr|callocr|reallocr|freer|cfreer|malignr|msizer\
|vallocr|pvallocr|malloptr|mallinfor|mallstatsr"
warnings="-Wall -Wextra -Wundef -Wconversion -Wshadow -Werror"
bad=0

say() {
    echo "libc: $*"
    bad=1
}

# run CORE NAME [ARGUMENT...]: what the program prints goes to build/libc/CORE/NAME.txt, no more than 100 KB of it; returns its status.
# (No limit on files: the memory of an emulated machine may be one.)
run() {
    core=$1
    name=$2
    shift 2
    out=build/libc/$core/$name
    {
        status=0
        timeout 120 sh port/board/qemu.sh -i "$(core_machine "$core")" "$out.elf" "$@" || status=$?
        echo $status >"$out.status"
    } 2>&1 | head -c 102400 >"$out.txt"
    return "$(cat "$out.status")"
}

# own_malloc MAP: the names of the library's objects that are its malloc. mlock.o, sbrkr.o and getpagesize.o are not.
own_malloc() {
    sed -n 's/^.*\.a(\([a-zA-Z0-9_.-]*\.o\)).*/\1/p' "$1" | sort -u | grep -v getpagesize |
        grep -E "^libc?_a-(nano-)?($newlib_names)\.o\$|^nano-" || true
}

# ram CORE LIBRARY: bytes of .data and .bss.
ram() {
    "$(core_tools "$1")size" build/libc/"$1"/"$2"/malloc/*.o build/libc/"$1"/lib/*.o | awk 'NR > 1 { sum += $2 + $3 } END { print sum }'
}

# cmocka_test CORE LIBRARY NAME: test/libc/test_NAME.c passes, and did run.
cmocka_test() {
    LIBC_FLAGS="$warnings -Itest/target -fno-builtin" sh test/libc/build.sh "$1" "$2" cairn "$3_$2" "test/libc/test_$3.c" test/target/cmocka_shim.c
    if ! run "$1" "$3_$2" || ! grep -q '[1-9][0-9]* passed, 0 failed, 0 skipped' "build/libc/$1/$3_$2.txt"; then
        say "$1 $2: test_$3 fails:"
        head -c 2000 "build/libc/$1/$3_$2.txt"
    fi
}

check_library() {
    core=$1
    library=$2
    cmocka_test "$core" "$library" libc
    cmocka_test "$core" "$library" sbrk
    cmocka_test "$core" "$library" names
    for name in libc names; do
        found=$(own_malloc "build/libc/$core/${name}_$library.map")
        [ -z "$found" ] || say "$core $library: test_$name links" $found
    done
    bytes=$(ram "$core" "$library")
    [ "$bytes" -gt 0 ] && [ "$bytes" -le $RAM_MOST ] || say "$core $library: $bytes bytes of static RAM"
    echo "$core $library: $(cat "build/libc/$core"/*_"$library".txt | grep -c ' OK ') tests, $bytes bytes of static RAM"
}

# malloc_stats: linked only where it is called, and it prints the heap's figures without printf.
check_stats() {
    core=$1
    library=$2
    LIBC_FLAGS="$warnings" sh test/libc/build.sh "$core" "$library" cairn "stats_$library" test/libc/stats.c
    out=build/libc/$core/stats_$library
    timeout 120 sh port/board/qemu.sh "$(core_machine "$core")" "$out.elf" >"$out.txt" 2>"$out.stderr" || say "$core $library: stats.c fails"
    diff -u "$out.txt" "$out.stderr" || say "$core $library: malloc_stats prints something else"
    found=$(own_malloc "$out.map")
    [ -z "$found" ] || say "$core $library: malloc_stats linked" $found
    tools=$(core_tools "$core")
    "${tools}nm" "$out.elf" | grep -q ' malloc_stats$' || say "$core $library: malloc_stats is not found where it is"
    ! "${tools}nm" "build/libc/$core/libc_$library.elf" | grep ' malloc_stats$' || say "$core $library: malloc_stats is linked where nobody calls it"
    ! "${tools}nm" -u "build/libc/$core/$library/malloc/stats.o" | grep printf || say "$core $library: malloc_stats brings printf"
}

check_same() {
    core=$1
    library=$2
    for malloc in own cairn; do
        LIBC_FLAGS="$warnings -fno-builtin" sh test/libc/build.sh "$core" "$library" $malloc "same_${library}_$malloc" \
            test/libc/same.c test/libc/span.c
        run "$core" "same_${library}_$malloc" || say "$core $library: same.c fails"
    done
    [ -n "$(own_malloc "build/libc/$core/same_${library}_own.map")" ] || say "$core $library: its own malloc is not found where it is"
    diff -u "build/libc/$core/same_${library}_own.txt" "build/libc/$core/same_${library}_cairn.txt" || say "$core $library: cairn answers otherwise"
}

# check_preempt CORE LIBRARY HOOKED SEEDS: test/libc/lock.c says what HOOKED is.
check_preempt() {
    core=$1
    library=$2
    hooked=$3
    what="$core $library, $([ "$hooked" = 1 ] && echo "its hooks" || echo "interrupts off")"
    program=preempt_${library}_$hooked
    for unlocked in 0 1; do
        LIBC_FLAGS="$warnings -Itest/libc -DHOOKED=$hooked -DUNLOCKED=$unlocked" sh test/libc/build.sh "$core" "$library" cairn "${program}_$unlocked" \
            test/libc/preempt.c test/libc/lock.c test/libc/switch.c
    done
    seed=0
    switches=0
    while [ $seed -lt "$4" ]; do
        seed=$((seed + 1))
        if run "$core" "${program}_0" 5000 $seed; then
            switches=$((switches + $(sed -n 's/.*, \([0-9]*\) switches/\1/p' "build/libc/$core/${program}_0.txt")))
        else
            say "$what: preempt $seed: $(head -c 500 "build/libc/$core/${program}_0.txt")"
        fi
        status=0
        run "$core" "${program}_1" 5000 $seed || status=$?
        case $status in
        3 | 4 | 70 | 124) ;; # it noticed; a fault; it hangs
        *) say "$what: without the lock preempt $seed ends with $status: the test finds nothing" ;;
        esac
    done
    echo "$what: $4 seeds, $switches switches; without the lock each fails"
}

check_example() {
    core=$1
    LIBC_FLAGS="$warnings" sh test/libc/build.sh "$core" nano cairn libc_malloc examples/libc_malloc/main.c
    if ! run "$core" libc_malloc || ! diff -u examples/libc_malloc/expected.txt "build/libc/$core/libc_malloc.txt"; then
        say "$core: examples/libc_malloc fails"
    fi
}

# check_lto CORE LIBRARY: a warning is an error, at the link too.
check_lto() {
    name=lto/$1/libc_malloc_$2
    LIBC_OUT=build/libc/lto LIBC_ALL=-flto LIBC_FLAGS="$warnings" sh test/libc/build.sh "$1" "$2" cairn "libc_malloc_$2" examples/libc_malloc/main.c || {
        say "$1 $2: it does not link with -flto"
        return
    }
    timeout 120 sh port/board/qemu.sh "$(core_machine "$1")" "build/libc/$name.elf" >"build/libc/$name.txt" 2>&1 || say "$1 $2: with -flto it fails"
    # Where a granule is 16, small blocks take more.
    sed 's/blocks more, [0-9]* bytes/blocks more/' "build/libc/$name.txt" >"build/libc/$name.said"
    sed 's/blocks more, [0-9]* bytes/blocks more/' examples/libc_malloc/expected.txt | diff -u - "build/libc/$name.said" || say "$1 $2: with -flto it prints this"
    found=$(own_malloc "build/libc/$name.map")
    [ -z "$found" ] || say "$1 $2: with -flto it links" $found
}

for core in m0 m3 m4 m7 m33; do
    rm -rf "build/libc/$core"
    for library in newlib nano picolibc; do
        check_library $core $library
    done
    check_example $core
done
rm -rf build/libc/rv32
check_library rv32 picolibc
rm -rf build/libc/lto
for pair in "m0 nano" "m4 newlib" "m4 picolibc" "rv32 picolibc"; do
    # shellcheck disable=SC2086
    check_lto $pair
done
for library in newlib nano picolibc; do
    check_same m4 $library
    check_stats m4 $library
done
check_same rv32 picolibc
check_stats rv32 picolibc
for core in m0 m3 m4; do
    check_preempt $core nano 0 $seeds
    check_preempt $core nano 1 $other_seeds
    for library in newlib picolibc; do
        check_preempt $core $library 0 $other_seeds
        check_preempt $core $library 1 $other_seeds
    done
done
[ $bad -eq 0 ] || exit 1
echo "libc: all in order"
