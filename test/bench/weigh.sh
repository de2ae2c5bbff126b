#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Weighs the code: text + rodata + data of a program that references the named calls, linked with --gc-sections, minus the same
# program over stubs of no size. Prints lines `core,opt,harden,peer,calls,bytes,bytes_without_mem`.
#
#   sh test/bench/weigh.sh CORE OPT [HARDEN]          cairn, with CAIRN_HARDEN=HARDEN (default 1)
#   sh test/bench/weigh.sh CORE OPT libc              newlib, newlib-nano, picolibc as the toolchain has them (OPT changes nothing)
#
# bytes: all that the linker adds. bytes_without_mem: memcpy, memmove and memset taken as given, which a firmware has anyway.
set -eu
cd "$(dirname "$0")/../.."
core=$1
opt=$2
harden=${3:-1}

. test/bench/target.sh
out=build/bench/$core-$opt/weigh-$harden
mkdir -p "$out"

mem="memcpy memmove memset"
lists='alloc:cairn_heap_init cairn_heap_alloc cairn_heap_free
realloc:cairn_heap_init cairn_heap_alloc cairn_heap_free cairn_heap_realloc cairn_heap_aligned_alloc cairn_heap_aligned_realloc'

# weight SPECS STUBS CALLS FILES: bytes of the program; the names in STUBS become labels at its start.
weight() {
    specs=$1 stubs=$2 calls= labels=
    for name in $3; do calls="$calls CALL($name)"; done
    for name in $stubs; do labels="$labels -Wl,--defsym=$name=start"; done
    shift 3
    arm-none-eabi-gcc $(core_flags "$core") --specs=$specs.specs -Os -fno-builtin -ffunction-sections -fdata-sections "-DCALLS=$calls" \
        -nostartfiles -Ttest/bench/target/weigh.ld -Wl,--gc-sections -Wl,--no-warn-rwx-segments \
        $labels test/bench/target/weigh.c "$@" -o "$out/weigh.elf"
    arm-none-eabi-size "$out/weigh.elf" | awk 'NR == 2 { print $1 + $2 }'
}

# row PEER NAME SPECS GLUE CALLS FILES
row() {
    peer=$1 name=$2 specs=$3 glue=$4 calls=$5
    shift 5
    empty=$(weight "$specs" "$glue $mem $calls" "$calls")
    all=$(weight "$specs" "$glue" "$calls" "$@")
    own=$(weight "$specs" "$glue $mem" "$calls" "$@")
    echo "$core,$opt,$harden,$peer,$name,$((all - empty)),$((own - empty))"
}

if [ "$harden" = libc ]; then
    harden=-
    for specs in nosys nano picolibc; do
        case $specs in nosys) peer=newlib ;; nano) peer=nano ;; *) peer=picolibc ;; esac
        row $peer alloc $specs "sbrk _sbrk" "malloc free"
        row $peer realloc $specs "sbrk _sbrk" "malloc free realloc memalign"
    done
    exit 0
fi

folder=build/bench/$core-$opt/lib
if [ "$harden" != 1 ]; then
    folder=$out
    BENCH_DEFINES="${BENCH_DEFINES:-} -DCAIRN_HARDEN=$harden"
fi
objects=$(lib_objects "$core" "$opt" "$folder")
echo "$lists" | while IFS=: read -r name calls; do
    row cairn "$name" picolibc "" "$calls" $objects
done
# The software MMU: what pages a space over RAM, with one policy; all of it, with every policy and store; with memory objects, exec, compression, images and
# checkpoints, too; with malloc in spaces.
if [ "$harden" = 1 ]; then
    row cairn vm picolibc "" "cairn_vm_init cairn_space_init cairn_space_map cairn_space_switch cairn_vm_load_ cairn_vm_store_ cairn_store_ram_init" $objects
    above='^(share|share_load|share_pool|object|mapping|advise|fork|merge|brk|exec|elf|elf_reason|stack|codec|store_compressed|image.*|checkpoint.*)\.c$'
    # calls_of: the names of cairn that the sources of lib/vm have, which are read.
    calls_of() {
        sed "s|\\(.*\\)\\.c|$folder/\\1.o|" | xargs arm-none-eabi-nm --defined-only | awk '($2 == "T" || $2 == "R") && $3 ~ /^cairn_/ { print $3 }' | sort -u
    }
    row cairn vm_all picolibc "" "$(ls lib/vm | grep '\.c$' | grep -vE "$above" | calls_of | tr '\n' ' ')" $objects
    row cairn vm_whole picolibc "" "$(ls lib/vm | grep '\.c$' | calls_of | tr '\n' ' ')" $objects
    row cairn vm_malloc picolibc "" "$(ls lib/vm lib/inner | grep '\.c$' | calls_of | tr '\n' ' ')" $objects
fi
# The whole API: each external function of the header that the library defines.
whole=$(arm-none-eabi-nm --defined-only $objects | awk '$2 == "T" && $3 ~ /^cairn_/ { print $3 }' | sort -u)
row cairn whole picolibc "" "$(echo $whole)" $objects
