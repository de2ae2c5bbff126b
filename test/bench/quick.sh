#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The figures to look at while the heap is being tuned, in half a minute: Cortex-M4, instructions at -O2, bytes at -Os.
#
#   sh test/bench/quick.sh [CORE]
set -eu
cd "$(dirname "$0")/../.."
core=${1:-m4}
case $#:$core in
[01]:m0 | [01]:m3 | [01]:m4 | [01]:m7 | [01]:m33) ;;
*) echo "usage: sh test/bench/quick.sh [m0 | m3 | m4 | m7 | m33]" >&2; exit 2 ;;
esac
. test/bench/target.sh

sh test/bench/build.sh "$core" O2 cairn
elf=build/bench/$core-O2/cairn.elf
run() { sh port/board/qemu.sh -i "$(core_machine "$core")" $elf "$@" | grep -v '^bar'; }

peak_of() {
    case $1 in lwip_tcp_udp) echo 59980 ;; lvgl_screens) echo 26410 ;; sqlite_p1k_c16) echo 77321 ;; coap_client) echo 12102 ;; esac
}

echo "fit      where                        calls      avg    max"
for fit in best bounded; do
    for trace in lwip_tcp_udp lvgl_screens sqlite_p1k_c16 coap_client; do
        peak=$(peak_of $trace)
        # 1.5 x the smallest region of best fit, 3 x the peak for bounded: near enough to look at.
        size=$((peak * 17 / 10))
        [ $fit = best ] || size=$((peak * 3))
        run trace test/traces/$trace.ctr $fit 4 $size | awk -F, -v fit=$fit -v trace=$trace '{ printf "%-8s %-16s %-8s %9d %8.1f %6d\n", fit, trace, $1, $2, $3, $4 }'
    done
    for holes in 100 4000; do
        run holes $holes $fit 4 | awk -F, -v fit=$fit -v holes=$holes '{ printf "%-8s holes_%-10s %-8s %9d %8.1f %6d\n", fit, holes, $1, $2, $3, $4 }'
    done
done
for harden in 1 0; do
    sh test/bench/weigh.sh "$core" Os $harden | awk -F, '{ printf "%s -%s harden %s %-8s %5d bytes (%d without memcpy, memmove, memset)\n", $1, $2, $3, $5, $6, $7 }'
done
