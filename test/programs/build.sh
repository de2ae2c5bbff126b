#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds Lua and cJSON: for the host, and for the Cortex-M4 with each C library's own malloc and with cairn behind it.
#
#   sh test/programs/build.sh    ->  build/programs/host/{lua,json}, build/programs/m4/{lua,json}_LIBRARY_MALLOC.elf
set -eu
cd "$(dirname "$0")/../.."
. test/bench/target.sh
source=build/programs/source
# Chance is the same in every run: what Lua would take from the clock and from addresses.
lua_defines="-Dluai_makeseed(L)=0x5EEDu"
warnings="-Wall -Wextra -Wundef -Wconversion -Wshadow -Werror"
sources=
for file in "$source"/lua/src/*.c; do
    case ${file##*/} in
    lua.c | luac.c | linit.c | liolib.c | loslib.c | ldblib.c | loadlib.c) ;;
    *) sources="$sources $file" ;;
    esac
done

# archive FOLDER TOOLS FLAGS...: their code, with the warnings that it has.
archive() {
    folder=$1
    tools=$2
    shift 2
    mkdir -p "$folder"
    [ ! -f "$folder/libprograms.a" ] || return 0
    # shellcheck disable=SC2086
    for file in $sources "$source/cjson/cJSON.c"; do
        printf '%s -o %s/%s.o\n' "$file" "$folder" "$(basename "$file" .c)"
    done | xargs -P 2 -L 1 ${tools}gcc -w -std=gnu99 "$lua_defines" "$@" -c
    ${tools}ar rcs "$folder/libprograms.a" "$folder"/*.o
}

archive build/programs/host "" -O1
for program in lua json; do
    # shellcheck disable=SC2086
    gcc -std=c11 -O1 -g $warnings -DCAIRN_TEST_BOARD=0 -isystem "$source/lua/src" -isystem "$source/cjson" \
        test/programs/run_$program.c test/programs/clock.c build/programs/host/libprograms.a -lm -o build/programs/host/$program
done

rm -rf build/programs/m4
export LIBC_OUT=build/programs
for library in newlib nano picolibc; do
    case $library in
    nano) specs=nano link="-u _printf_float -u _scanf_float" ;;
    newlib) specs=nosys link= ;;
    picolibc) specs=picolibc link= ;;
    esac
    # shellcheck disable=SC2046
    archive build/programs/$library arm-none-eabi- $(core_flags m4) --specs=$specs.specs -Os -ffunction-sections -fdata-sections
    for malloc in own cairn; do
        for program in lua json; do
            LIBC_FLAGS="$warnings -DCAIRN_TEST_BOARD=1 -isystem $source/lua/src -isystem $source/cjson" \
                LIBC_LINK="build/programs/$library/libprograms.a -lm $link" sh test/libc/build.sh m4 $library $malloc \
                ${program}_${library}_$malloc test/programs/run_$program.c test/programs/clock.c test/libc/span.c
        done
    done
done
