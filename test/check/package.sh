#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Every way in which cairn gets into a program of somebody else's, with settings that are not the defaults (with those: docs/porting,
# which docs.sh follows). Three minutes of a processor in the fast tier.
#
# INVARIANTS  1. add_subdirectory, FetchContent, find_package and pkg-config, in C and in C++, on the host and on a board: the program has the
#                settings that its library was built with, whether they were given as options or in a header.
#                With link-time optimisation a board's programs link, print what they should, and tell their faults.
#             2. An installation may be moved, and its folder and the header's name may have blanks. It is found by those for whom it is, and not
#                by another minor version or another word size.
#             3. A program of another granule than its library does not link, and the linker names the reason.
#             4. The two files: the same bytes each time; they compile without a warning by gcc and clang, 32 and 64 bit, for Armv6-M and
#                Armv7E-M, with and without settings, by each compiler at two levels, in the full tier at three; what cairn.c defines for others,
#                cairn.h declares; no .data, no .bss; linked, at most 32 bytes larger than the library.
set -eu
cd "$(dirname "$0")/../.."
tier=${1:-fast}
. test/bench/target.sh
export LC_ALL=C
unset PKG_CONFIG_PATH PKG_CONFIG_LIBDIR 2>/dev/null || true

root=$PWD
consumer=$root/test/package
scratch=$(mktemp -d)
work="$scratch/a folder"
mkdir "$work"
trap 'rm -rf "$scratch"' EXIT
sections="-ffreestanding -ffunction-sections -fdata-sections"
warnings="-Wall -Wextra -Wundef -Wconversion -Wshadow -Werror"
version=$(sed -n 's/^#define CAIRN_VERSION_[A-Z]* \([0-9]*\)$/\1/p' lib/include/cairn/types.h | paste -sd. -)
passed=0
bad=0
log=$work/log

# pass WHAT COMMAND...: the command must return 0. ok WHAT COMMAND...: and the last that it prints must be "consumer: ok".
pass() {
    what=$1
    shift
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
    else
        bad=1
        echo "package: $what: fails"
        tail -n 30 "$log"
    fi
}

ok() {
    pass "$@"
    [ "$(tail -n 1 "$log")" = "consumer: ok" ] || { bad=1 && echo "package: $1: did not say that all is well"; }
}

# refused WHAT PATTERN COMMAND...: the command must fail, and say why.
refused() {
    what=$1
    pattern=$2
    shift 2
    if "$@" >"$log" 2>&1; then
        bad=1
        echo "package: $what: passes"
        return
    fi
    if grep -q "$pattern" "$log"; then
        passed=$((passed + 1))
    else
        bad=1
        echo "package: $what: does not say '$pattern'"
        tail -n 30 "$log"
    fi
}

build() {
    cmake -G Ninja "$@" && cmake --build "$build_folder"
}

# project WAY GRANULE HARDEN OPTION...: the CMake project, built in its own folder, and both its programs run.
project() {
    way=$1
    granule=$2
    harden=$3
    shift 3
    count=$((${count:-0} + 1))
    build_folder=$work/project$count
    pass "$way, $*" build -S "$consumer/cmake" -B "$build_folder" -D WAY="$way" -D CAIRN="$root" "$@"
    ok "$way runs in C, $*" "$build_folder/consumer" "$version" "$granule" "$harden"
    ok "$way runs in C++, $*" "$build_folder/consumer_cxx" "$version" "$granule" "$harden"
}

# installed NAME OPTION...: an installation at $work/NAME, moved there from where it was written.
installed() {
    name=$1
    shift
    build_folder=$work/build-$name
    pass "building $name" build -S . -B "$build_folder" -D CAIRN_TESTS=OFF -D CMAKE_INSTALL_LIBDIR=lib -D CMAKE_BUILD_TYPE=Debug "$@"
    pass "installing $name" cmake --install "$build_folder" --prefix "$work/elsewhere/$name"
    mv "$work/elsewhere/$name" "$work/$name"
}

# flags NAME WHAT: what pkg-config says of an installation, and of nothing else on this machine.
flags() {
    PKG_CONFIG_LIBDIR=$work/$1/lib/pkgconfig pkg-config "$2" cairn
}

# by_make NAME GRANULE HARDEN: a Makefile that asks pkg-config; in C, and in C++.
by_make() {
    export PKG_CONFIG_LIBDIR="$work/$1/lib/pkgconfig"
    mkdir -p "$work/make-$1"
    for language in c c++; do
        cat >"$work/make-$1/Makefile" <<END
consumer: $consumer/consumer.c
	\$(CC) -x $language $warnings \$(shell pkg-config --cflags cairn) \$< -x none \$(shell pkg-config --libs cairn) -o \$@
END
        rm -f "$work/make-$1/consumer"
        pass "pkg-config, $language, $1" make -C "$work/make-$1"
        ok "pkg-config runs, $language, $1" "$work/make-$1/consumer" "$version" "$2" "$3"
    done
    pass "the version of cairn.pc" test "$(pkg-config --modversion cairn)" = "$version"
    unset PKG_CONFIG_LIBDIR
}

# ------------------------------------------------------------------------------------------------------------ on the host

printf '#define CAIRN_GRANULE 16\n#define CAIRN_HARDEN 2\n' >"$work/my cairn's.h"

host() {
    installed plain -D CAIRN_MALLOC=ON
    installed options -D CAIRN_MALLOC=OFF -D CAIRN_GRANULE=16 -D CAIRN_HARDEN=2
    installed header -D CAIRN_MALLOC=OFF -D CAIRN_CONFIG_FILE="$work/my cairn's.h"

    project folder 16 2 -D CAIRN_GRANULE=16 -D CAIRN_HARDEN=2
    project folder 16 2 -D CAIRN_CONFIG_FILE="$work/my cairn's.h" -D CAIRN_GRANULE=16 -D CMAKE_UNITY_BUILD=ON # which says what the header does
    refused "a granule that the header contradicts" "CAIRN_GRANULE is 8, and " \
        cmake -G Ninja -S "$consumer/cmake" -B "$work/contradicted" -D WAY=folder -D CAIRN="$root" \
        -D CAIRN_CONFIG_FILE="$work/my cairn's.h" -D CAIRN_GRANULE=8
    project fetch 16 2 -D CAIRN_GRANULE=16 -D CAIRN_HARDEN=2
    mv "$work/my cairn's.h" "$work/gone.h" # what is installed does without it
    project package 8 1 -D cairn_DIR="$work/plain/lib/cmake/cairn" -D WANTED="${version%.*}"
    project package 16 2 -D CMAKE_PREFIX_PATH="$work/options"
    project package 16 2 -D CMAKE_PREFIX_PATH="$work/header"
    # shellcheck disable=SC2016
    ok "libcairn-malloc.so of an installation" env LD_LIBRARY_PATH="$work/plain/lib" LD_PRELOAD=libcairn-malloc.so \
        sh -c 'grep -q "/plain/lib/libcairn-malloc.so" /proc/self/maps && echo "consumer: ok"'
    pass "an installation without it" test ! -e "$work/options/lib/libcairn-malloc.so"
    by_make plain 8 1
    by_make options 16 2
    by_make header 16 2
    if grep -rIl "$work\|$root" "$work/plain/lib/cmake" "$work/plain/lib/pkgconfig"; then
        bad=1
        echo "package: that names a folder of this build"
    fi

    for wanted in $major.$((minor - 1)) $major.$((minor + 1)) $((major + 1)); do
        refused "version $wanted asked for" 'with requested version' \
            cmake -G Ninja -S "$consumer/cmake" -B "$work/wanted-$wanted" -D WAY=package -D WANTED="$wanted" \
            -D CMAKE_PREFIX_PATH="$work/plain"
    done
    for setting in HARDEN=ON HARDEN=4 HARDEN=01 GRANULE=12 GRANULE=on; do
        refused "CAIRN_$setting" "CAIRN_${setting%=*}: set it to one of: .* (it is '${setting#*=}')" \
            cmake -G Ninja -S "$consumer/cmake" -B "$work/setting-$setting" -D WAY=folder -D CAIRN="$root" -D "CAIRN_$setting"
    done
    for name in plain options; do
        other=16
        missing=cairn_heap_init_granule16
        [ $name = plain ] || { other=8 && missing=cairn_heap_init; }
        refused "another granule than that of $name" "undefined reference to .$missing'" \
            cc -D CAIRN_GRANULE=$other "-I$work/$name/include" "$consumer/consumer.c" "$work/$name/lib/libcairn.a" -o "$work/never"
    done
}

# ------------------------------------------------------------------------------------------------------------- on a board

board() {
    toolchain=port/cortexm/toolchain.cmake
    installed m4 --toolchain "$root/$toolchain" -D CAIRN_CORE=m4 -D CAIRN_GRANULE=16 -D CAIRN_HARDEN=2 -D CMAKE_BUILD_TYPE=MinSizeRel
    build_folder=$work/project-m4
    pass "find_package on the board" build -S "$consumer/cmake" -B "$build_folder" --toolchain "$root/$toolchain" -D CAIRN_CORE=m4 \
        -D WAY=package -D CAIRN="$root" -D cairn_DIR="$work/m4/lib/cmake/cairn"
    ok "find_package runs on the board" sh port/board/qemu.sh mps2-an386 "$build_folder/consumer" "$version" 16 2
    pass "pkg-config for the board" sh -c "arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -Os -masm-syntax-unified \
        --specs=picolibc.specs -nostartfiles -D CAIRN_BOARD_SMALL=0 -Iport/board -Iport/cortexm \
        $(flags m4 --cflags) '$consumer/consumer.c' port/board/*.c port/cortexm/*.c $(flags m4 --libs) \
        -Tport/cortexm/ld/mps2-an386.ld -Lport/board -Wl,--no-warn-rwx-segments -o '$work/pc.elf'"
    ok "pkg-config runs on the board" sh port/board/qemu.sh mps2-an386 "$work/pc.elf" "$version" 16 2
    # What only the C library or an instruction calls is in the board's files: optimised with the program, it is there.
    build_folder=$work/lto
    pass "a board with link-time optimisation" cmake --preset m4 -B "$build_folder" -D CMAKE_INTERPROCEDURAL_OPTIMIZATION=ON
    pass "its programs link without a warning" sh -c "cmake --build '$build_folder' --target hello_heap fault_program 2>&1 | tee '$work/lto-said' &&
        test -f '$build_folder/bin/fault_program.elf' && ! grep -E 'warning:|error:' '$work/lto-said'"
    pass "its programs run" ctest --test-dir "$build_folder" --no-tests=error -R '^(example_hello_heap|fault_.*)$'
    refused "the board's library asked for by the host" '32bit' \
        cmake -G Ninja -S "$consumer/cmake" -B "$work/wrong" -D WAY=package -D WANTED="$version" -D CMAKE_PREFIX_PATH="$work/m4"
}

# ---------------------------------------------------------------------------------------------------------- the two files

# compiled NAME COMPILER...: the pair at each level, with and without settings; and what an object of it shows to others. The fast tier: -O2 without, -Os with
# settings, and what is weighed. NAME-O2.o, NAME-Os.o stay: without settings, on a board with $sections; and NAME-set-Os.o: a granule of 16, nothing checked.
compiled() {
    name=$1
    shift
    for level in -O0 -O2 -Os; do
        for settings in "" "-DCAIRN_GRANULE=16 -DCAIRN_HARDEN=0"; do
            object=$name${settings:+-set}$level
            case $tier:$1:$object in fast:*-O0 | fast:*-set-O2) continue ;; fast:arm-*) ;; fast:*64-Os | fast:*32-Os) continue ;; esac
            case $1 in arm-*) flags="$settings $sections" ;; *) flags=$settings ;; esac
            # shellcheck disable=SC2086
            pass "cairn.c by $* $level $flags" "$@" -std=c11 -pedantic $level $flags $warnings -c "$work/pair/cairn.c" -o "$work/$object.o"
            nm -g --defined-only "$work/$object.o" 2>/dev/null | awk '$3 !~ /^__x86/ { print $3 }' | sed 's/_granule16$//' | sort -u >"$work/shown"
            [ -s "$work/shown" ] || { bad=1 && echo "package: cairn.c by $* defines nothing"; }
            comm -23 "$work/shown" "$work/declared" >"$work/hidden"
            [ ! -s "$work/hidden" ] || { bad=1 && echo "package: cairn.c by $* shows what cairn.h does not declare:" && cat "$work/hidden"; }
            # Constants that hold addresses are .data.rel.ro where code may lie anywhere: read-only once it is loaded.
            size -A "$work/$object.o" | awk '$1 ~ /^\.(data|bss|tdata|tbss)/ && $1 !~ /^\.data\.rel\.ro/ && $2 != 0 { print "package: cairn.c has " $1; exit 1 }' || bad=1
        done
    done
}

# bytes CORE CALLS OBJECT...: what the linker keeps of a program that makes these calls.
bytes() {
    core=$1
    names=
    for name in $2; do names="$names CALL($name)"; done
    shift 2
    # shellcheck disable=SC2046
    arm-none-eabi-gcc $(core_flags "$core") --specs=picolibc.specs -Os -fno-builtin -nostartfiles "-DCALLS=$names" \
        -Ttest/bench/target/weigh.ld -Wl,--gc-sections -Wl,--no-warn-rwx-segments test/bench/target/weigh.c "$@" -o "$work/weighed.elf"
    arm-none-eabi-size "$work/weighed.elf" | awk 'NR == 2 { print $1 + $2 }'
}

# weighed CORE LEVEL: the pair against the library.
weighed() {
    objects=$(lib_objects "$1" "${2#-}" "build/bench/$1-${2#-}/lib") # those of budget.sh
    whole=$(arm-none-eabi-nm -g --defined-only "$work/$1$2.o" | awk '$2 == "T" { print $3 }')
    for calls in "cairn_heap_init cairn_heap_alloc cairn_heap_free" "$whole"; do
        # shellcheck disable=SC2086
        library=$(bytes "$1" "$calls" $objects)
        pair=$(bytes "$1" "$calls" "$work/$1$2.o")
        echo "package: $1 $2, $(echo "$calls" | wc -w) calls: the library $library bytes, the two files $pair"
        [ "$pair" -le $((library + 32)) ] || { bad=1 && echo "package: the two files are larger"; }
    done
}

pair() {
    pass "single.py" env PYTHONHASHSEED=1 python3 port/single/single.py "$work/pair"
    pass "single.py again" env PYTHONHASHSEED=2 python3 port/single/single.py "$work/again"
    pass "the two files twice" diff -r "$work/pair" "$work/again"
    pass "their version" grep -q "^// cairn $version: " "$work/pair/cairn.h"

    sed -n 's/^extern const struct [a-z_]* \([a-z_0-9]*\);.*/\1(/p; p' "$work/pair/cairn.h" | grep -oE '\b[a-z_0-9]+\(' | tr -d '(' | sort -u >"$work/declared"
    compiled gcc64 gcc
    compiled gcc32 gcc -m32
    compiled clang64 clang
    compiled clang32 clang -m32
    # shellcheck disable=SC2046
    for core in m0 m4; do compiled $core arm-none-eabi-gcc $(core_flags $core) --specs=picolibc.specs; done
    for compiler in gcc clang; do
        for language in c c++; do
            program=$work/pair-$compiler-$language
            # shellcheck disable=SC2086
            pass "the two files, $language by $compiler" $compiler $warnings -D CAIRN_GRANULE=16 -D CAIRN_HARDEN=0 -D CONSUMER_SINGLE \
                "-I$work/pair" -x $language "$consumer/consumer.c" -x none "$work/${compiler}64-set-Os.o" -o "$program"
            ok "the two files run, $language by $compiler" "$program" "$version" 16 0
        done
    done
    refused "the two files with two granules" "undefined reference to .cairn_heap_init'" \
        cc -D CONSUMER_SINGLE "-I$work/pair" "$consumer/consumer.c" "$work/gcc64-set-Os.o" -o "$work/never"
    for core in m0 m4; do
        weighed $core -Os
        weighed $core -O2
    done
}

major=${version%%.*}
minor=${version#*.}
minor=${minor%.*}
[ "$minor" -ge 1 ] || { echo "package: write down another version that must be refused"; exit 1; }
# The two files have nothing to do with the rest: beside it.
(
    log=$work/log-pair
    pair
    echo "$passed $bad" >"$work/counts"
) >"$work/said" 2>&1 &
host
board
wait $! || bad=1
cat "$work/said"
read -r its its_bad <"$work/counts"
passed=$((passed + its))
bad=$((bad + its_bad))

[ $bad -eq 0 ] || exit 1
echo "package: $passed of $passed hold"
