#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs an ELF on one of QEMU's machines, Cortex-M or RISC-V; the program's exit status is QEMU's.
#
#   sh port/board/qemu.sh [-i] [-e FILE] [-s STATUS] MACHINE ELF [ARGUMENT...]
#
#   -i       count instructions: -icount shift=8, one instruction takes 256 ns of virtual time (counter.h)
#   -e FILE  what the program prints must equal FILE
#   -s N     the program must end with status N (default 0)
#   ARGUMENT becomes argv[1], argv[2] ... (no blanks inside: the target splits its command line at blanks)
#
# Files that the program names are opened relative to the current folder.
set -eu

icount=
expect=
wanted=0
while getopts ie:s: option; do
    case $option in
    i) icount="-icount shift=8" ;;
    e) expect=$OPTARG ;;
    s) wanted=$OPTARG ;;
    *) echo "usage: $0 [-i] [-e file] [-s status] machine elf [argument...]" >&2; exit 2 ;;
    esac
done
shift $((OPTIND - 1))
machine=$1
elf=$2
shift 2

# argv[0] is the bare name: a long path would not fit the small boards' buffer. QEMU wants a comma doubled.
name=${elf##*/}
semihosting="enable=on,target=native,arg=${name%.elf}"
for argument; do
    semihosting="$semihosting,arg=$(printf '%s' "$argument" | sed 's/,/,,/g')"
done

case $machine in
virt) qemu="qemu-system-riscv32 -bios none" ;;
*) qemu=qemu-system-arm ;;
esac

run() {
    # $qemu is one word or three, $icount two or none.
    $qemu -M "$machine" -kernel "$elf" -display none -monitor none -serial none \
        -semihosting-config "$semihosting" $icount </dev/null
}

status=0
if [ -z "$expect" ]; then
    run || status=$?
else
    printed=$(mktemp)
    trap 'rm -f "$printed"' EXIT
    run >"$printed" || status=$?
    cat "$printed"
    diff -u "$expect" "$printed" >&2 || { echo "$0: the output differs from $expect" >&2; exit 1; }
fi
if [ "$wanted" -eq 0 ]; then
    exit "$status"
fi
[ "$status" -eq "$wanted" ] || { echo "$0: status $status, expected $wanted" >&2; exit 1; }
