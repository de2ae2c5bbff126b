#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds what the benchmarks run and weigh, straight with the compiler: for each core and each level of optimisation.
#
#   sh test/bench/build.sh CORE OPT PEER    ->  build/bench/CORE-OPT/PEER.elf    peers: cairn newlib nano picolibc;
#                                                               lock: the times the lock is held;
#                                                               pool: the calls of a pool;
#                                                               deferred: frees from an interrupt;
#                                                               compress: pages of a file through the compressed store;
#                                                               arena: the calls of an arena, and of a heap beside it;
#                                                               vm: accesses through the software MMU, page, tables and TLB fixed at build time;
#                                                               vm_any: the same where each vm has its own;
#                                                               share: objects, fork and ranges, fixed as vm; share_any: where each vm has its own
#
# CORE is m0 m3 m4 m7 m33, OPT is O2 or Os. No LTO, the library's default configuration; BENCH_DEFINES adds -D options.
set -eu
cd "$(dirname "$0")/../.."
core=$1
opt=$2
peer=$3

. test/bench/target.sh
out=build/bench/$core-$opt
mkdir -p "$out"

main="main.c workload.c holes.c"
replay="trace_read.c trace_text.c trace_compact.c replay.c"
port=
objects=
defines=
case $peer in
vm | share) defines="-DCAIRN_PAGE_SHIFT=10 -DCAIRN_TLB_SHIFT=4 -DCAIRN_TABLE_LEVELS=2 -DCAIRN_TABLE_TOP_BITS=7 -DCAIRN_TABLE_BITS=6" ;;
esac
lib() { objects=$(BENCH_DEFINES="${BENCH_DEFINES:-} $defines" lib_objects "$core" "$opt" "$out/$1"); }
case $peer in
newlib | nano | picolibc) ;;
vm | share) lib vm ;;
*) lib lib ;;
esac
case $peer in
cairn) sources="peer_cairn.c" board=console.c specs=picolibc ;;
lock) main=lock.c sources= board=console.c specs=picolibc ;;
pool) main=pool.c sources= board=console.c specs=picolibc ;;
deferred) main=deferred.c sources= board=console.c specs=picolibc ;;
compress) main=compress.c sources= board=console.c specs=picolibc ;;
vm | vm_any) main=vm.c sources= board=console.c specs=picolibc ;;
share | share_any) main=share.c sources= board=console.c specs=picolibc ;;
arena) sources="peer_arena.c" board=console.c specs=picolibc port="memory.c lock.c" ;;
picolibc) sources="peer_libc.c" board=console.c specs=picolibc ;;
newlib) sources="peer_libc.c newlib_port.c" board= specs=nosys ;;
nano) sources="peer_libc.c newlib_port.c" board= specs=nano ;;
*) echo "$0: no peer '$peer'" >&2; exit 2 ;;
esac
files=
for source in $main print.c $sources; do files="$files test/bench/target/$source"; done
for source in start.c fault.c counter.c; do files="$files port/cortexm/$source"; done
for source in program.c semihost.c $board; do files="$files port/board/$source"; done
for source in $port; do files="$files port/baremetal/$source"; done
case $main in main.c*) ;; *) replay= ;; esac
for source in $replay; do files="$files port/replay/$source"; done

# The bench itself is the same code at the same level whatever is measured; memcpy is the C library's.
arm-none-eabi-gcc $(core_flags "$core") --specs=$specs.specs -std=c11 -O2 -g -Wall -Wextra -Wundef -Wconversion -Wshadow -Werror \
    -ffunction-sections -fdata-sections -DCAIRN_BOARD_SMALL=0 ${BENCH_DEFINES:-} $defines -Ilib/include -Ilib -Iport/board -Iport/cortexm -Iport/replay -Itest/bench/target -I. \
    -nostartfiles -T"port/cortexm/ld/$(core_machine "$core").ld" -Lport/board -Wl,--gc-sections -Wl,--no-warn-rwx-segments \
    $files $objects -o "$out/$peer.elf"
