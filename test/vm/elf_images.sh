#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What cairn_elf_read makes of images of today's linkers is what readelf says of them; what is not for it is refused by its name.
#
#   sh elf_images.sh READ_ELF
#
# PICTURE  program.c -> compiler for ARM or RISC-V, as linked by default, in separate pages, into one segment, ... -> image -> read_elf == readelf
set -eu
export LC_ALL=C
reader=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
bad=0
images=0

cat >"$dir/program.c" <<'END'
int data[5] = {1, 2, 3, 4, 5};
static volatile int zeros[3000];
const char text[] = "constant";
#ifdef LOCAL
static __thread volatile int local = 7;
#else
#define local 7
#endif
#ifndef BEGIN
#define BEGIN _start
#endif
void BEGIN(void);
void BEGIN(void)
{
    for (;;)
        zeros[2] = data[zeros[1]] + text[zeros[0]] + local;
}
END

say() {
    echo "elf_images: $*"
    bad=1
}

# build NAME COMPILER FLAG...
build() {
    name=$1
    case $2 in
    arm) compiler="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb -nostdlib -static -z max-page-size=0x1000" ;; # 64 KB, the default of some: in page 0
    newlib) compiler="arm-none-eabi-gcc -mcpu=cortex-m4 -mthumb --specs=nosys.specs -z max-page-size=0x1000" ;;
    riscv) compiler="riscv64-unknown-elf-gcc -march=rv32imac -mabi=ilp32 -nostdlib -static" ;;
    riscv64) compiler="riscv64-unknown-elf-gcc -nostdlib -static" ;;
    esac
    shift 2
    $compiler "$@" -O1 -w -o "$dir/$name" "$dir/program.c" 2>"$dir/said" || { cat "$dir/said"; say "$name does not build"; }
}

# What read_elf should print, from what readelf prints.
expected() {
    readelf -hlW "$1" >"$dir/readelf"
    sed -n -E 's/^ *LOAD +0x([^ ]+) 0x([^ ]+) 0x[^ ]+ 0x([^ ]+) 0x([^ ]+) (...) .*/\2 \4 \1 \3 \5/p' "$dir/readelf" | grep -v '^[0-9a-f]* 00000 ' |
        sed -E 's/(^| )0+([0-9a-f])/\1\2/g; s/RWE$/rwx/; s/RW $/rw-/; s/R E$/r-x/; s/R  $/r--/; s/  E$/--x/; s/ W $/rw-/' >"$dir/loads"
    cat "$dir/loads"
    count=$(sed -n 's/.*Number of program headers: *//p' "$dir/readelf")
    at=$(sed -n 's/.*Start of program headers: *\([0-9]*\).*/\1/p' "$dir/readelf")
    entry=$(sed -n 's/.*Entry point address: *0x//p' "$dir/readelf")
    phdr=0
    while read -r address size offset file_size _; do
        end=$((0x$address + 0x$size))
        if [ $((0x$offset)) -le "$at" ] && [ $((at + 32 * count)) -le $((0x$offset + 0x$file_size)) ]; then phdr=$((0x$address + at - 0x$offset)); fi
    done <"$dir/loads"
    stack=rw-
    if grep -q 'GNU_STACK.* RWE ' "$dir/readelf"; then stack=rwx; fi
    printf 'entry %s phdr %x phnum %x end %x stack %s\n' "$entry" "$phdr" "$count" "$end" "$stack"
}

# reads NAME PAGE LIMIT [OPTION]
reads() {
    images=$((images + 1))
    expected "$dir/$1" >"$dir/expected"
    # shellcheck disable=SC2086
    "$reader" ${4:-} "$2" "$3" "$dir/$1" >"$dir/found" || say "$1 is refused"
    diff "$dir/expected" "$dir/found" || say "$1 is read otherwise than readelf does"
}

# refuses NAME PAGE LIMIT REASON [OPTION]
refuses() {
    images=$((images + 1))
    # shellcheck disable=SC2086
    if "$reader" ${5:-} "$2" "$3" "$dir/$1" >"$dir/found"; then say "$1 is not refused"; fi
    [ "$(cat "$dir/found")" = "refused $4" ] || say "$1: \"$(cat "$dir/found")\" in place of \"$4\""
}

command -v readelf >/dev/null || { echo "elf_images: readelf is missing: sh port/setup.sh"; exit 1; }

for machine in arm riscv; do
    build plain $machine
    reads plain 1024 0x100000
    reads plain 4096 0x100000
    refuses plain 1024 0x8000 "p_vaddr, p_memsz: beyond the limit"
    build pages $machine -z separate-code -z max-page-size=0x400 -Wl,-Ttext-segment=0x10000
    reads pages 1024 0x100000
    build large $machine -z max-page-size=0x10000 -Wl,-Ttext-segment=0x20000
    reads large 1024 0x100000
    build stack $machine -z execstack
    reads stack 1024 0x100000
    build small $machine -z max-page-size=0x100
    reads small 256 0x100000
    refuses small 4096 0x100000 "p_vaddr: shares a page with the segment before" --copies
    build zero $machine -Wl,-Ttext=0
    refuses zero 1024 0x100000 "p_vaddr: in page 0"
    build object $machine -c
    refuses object 1024 0x100000 "e_type: not ET_EXEC"
    build big $machine -mbig-endian
    refuses big 1024 0x100000 "EI_DATA: not little-endian"
done

build one arm -Wl,-N # one segment, wherever it stands in the file
refuses one 1024 0x100000 "p_offset, p_vaddr: differ modulo the page"
reads one 1024 0x100000 --copies
build pie arm -fpie -Wl,-pie
refuses pie 1024 0x100000 "e_type: not ET_EXEC"
build newlib newlib -DBEGIN=main
reads newlib 1024 0x100000
build local riscv -DLOCAL
refuses local 1024 0x100000 "PT_TLS: thread-local data"
reads local 1024 0x100000 --tls
build wide riscv64
refuses wide 1024 0x100000 "EI_CLASS: not 32 bits"
: >"$dir/empty"
refuses empty 1024 0x100000 "image: shorter than its header"
refuses program.c 1024 0x100000 "e_ident: no ELF image"

[ $bad -eq 0 ] || exit 1
echo "elf_images: $images images, all as they should be"
