#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds a program for a board over one of three C libraries, with cairn behind its malloc or with the library's own.
#
#   sh test/libc/build.sh CORE LIBRARY MALLOC NAME FILE...    ->  build/libc/CORE/NAME.elf and NAME.map
#
#   CORE     m0 m3 m4 m7 m33, and rv32, for which there is picolibc
#   LIBRARY  newlib nano picolibc
#   MALLOC   cairn own       own: give it test/libc/span.c too, newlib has no sbrk
#   LIBC_FLAGS in the environment adds options, for the files given only; LIBC_LINK for the link; LIBC_ALL for everything, with LIBC_OUT, which is another
#   folder than build/libc.
#
# Everything is compiled at -Os. Objects that several programs share are compiled once; a header that changes is not noticed: remove build/libc then.
set -eu
cd "$(dirname "$0")/../.."
core=$1
library=$2
malloc=$3
name=$4
shift 4

. test/bench/target.sh
out=${LIBC_OUT:-build/libc}/$core
case $library in
newlib) specs=nosys board=port/board/newlib/newlib.c link= ;;
nano) specs=nano board=port/board/newlib/newlib.c link= ;;
picolibc) specs=picolibc board=port/board/console.c link=--oslib=semihost ;;
*) echo "$0: no library '$library'" >&2; exit 2 ;;
esac
tools=$(core_tools "$core")
port=$(core_port "$core")
flags="$(core_flags "$core") --specs=$specs.specs -std=c11 -Os -g1 -ffunction-sections -fdata-sections -DCAIRN_BOARD_SMALL=0 -I. -Ilib/include -Iport/board
    -I$port ${LIBC_ALL:-}"
[ "$core" != rv32 ] || flags="$flags -DCAIRN_GRANULE=16" # max_align_t's
warnings="-Wall -Wextra -Wundef -Wconversion -Wshadow -Werror"

# compile FOLDER FILE...: what is not there yet; adds the objects to `objects`.
compile() {
    folder=$1
    mkdir -p "$folder"
    shift
    for source; do
        object=$folder/$(basename "$source" .c).o
        objects="$objects $object"
        if [ ! -f "$object" ] || [ "$source" -nt "$object" ]; then
            # shellcheck disable=SC2086
            "${tools}gcc" $flags $warnings -ffreestanding -Ilib -c "$source" -o "$object"
        fi
    done
}

objects=
compile "$out/$library" "$port/start.c" "$port/fault.c" "$port/counter.c" port/board/program.c port/board/semihost.c $board
if [ "$malloc" = cairn ]; then
    compile "$out/$library/malloc" port/libc/*.c port/baremetal/linker.c port/baremetal/memory.c port/baremetal/lock.c
    # The library is that of the benchmarks, which are of Cortex-M; it asks nothing of a C library.
    if [ "$core" != rv32 ] && [ -z "${LIBC_ALL:-}" ] && [ ! -d "$out/lib" ]; then
        mkdir "$out/lib"
        # shellcheck disable=SC2046
        cp -p $(lib_objects "$core" Os "build/bench/$core-Os/lib") "$out/lib"
        (cd lib/vm && for source in *.c; do rm "$OLDPWD/$out/lib/${source%.c}.o"; done)
    fi
    compile "$out/lib" lib/base/*.c lib/heap/*.c lib/arena/*.c lib/pool/*.c
fi

# shellcheck disable=SC2086
"${tools}gcc" $flags ${LIBC_FLAGS-$warnings} $link -nostartfiles -T"$port/ld/$(core_machine "$core").ld" -Lport/board \
    -Wl,--gc-sections -Wl,--no-warn-rwx-segments -Wl,-Map="$out/$name.map" "$@" $objects ${LIBC_LINK:-} -o "$out/$name.elf"
