#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The compressed store on pages of real programs: what they are compressed to, and the instructions on a Cortex-M4 (QEMU -icount), for each source by
# itself.
#
#   sh test/bench/compress.sh [PAGE [CHUNK [OPT]]]       default 1024, 32, O2
#
# The pages are gathered where build/bench/real_pages_PAGE is not there: remove it to have others. They are what this machine's programs have in memory:
# the figures differ from one machine to another, and a little from run to run. No page is zeros, one word repeated, or a duplicate.
#
#   ratio    bytes of the pages / bytes of the encodings, where a page that is not accepted (three quarters of a page) counts whole
#   in area  the same with what the store holds of its area for them: whole chunks, and the 2 bytes beside each
#   lz4      the same as ratio, by liblz4's fast compressor, each page alone; - where that is not installed
#   accepted pages of a hundred that are kept compressed
#   decode   instructions a word, of the pages that are accepted: the codec alone. encode: the same, of every page. read, write: the store's, with all
#            that they do, of every page
#
# OWNS     build/bench/compress.csv. COST  half a minute. CALLERS  run.py; the user.
set -eu
cd "$(dirname "$0")/../.."
page=${1:-1024}
chunk=${2:-32}
opt=${3:-O2}
pages=build/bench/real_pages_$page
[ -f "$pages/sources.csv" ] || python3 test/bench/real_pages.py --page "$page" "$pages"
sh test/bench/build.sh m4 "$opt" compress
out=build/bench/compress.csv
echo "source,page,chunk,opt,pages,ratio,in_area,lz4,accepted,decode,read,encode,write" >"$out"
printf '%-9s %6s %6s %8s %6s %9s %7s %7s %7s %7s\n' source pages ratio "in area" lz4 accepted decode read encode write
for file in "$pages"/*.pages; do
    source=$(basename "$file" .pages)
    lz4=$(python3 test/bench/real_pages.py --page "$page" --lz4 "$file")
    sh port/board/qemu.sh -i mps2-an386 "build/bench/m4-$opt/compress.elf" "$file" "$page" "$chunk" |
        awk -F, -v source="$source" -v page="$page" -v chunk="$chunk" -v lz4="$lz4" -v opt="$opt" -v out="$out" '{ calls[$1] = $2; value[$1] = $3 }
            END {
                all = calls["page.encoded"] * page
                held = value["page.held"] * (1 + 2 / chunk)
                words = page / 4
                accepted = 100 * calls["decode"] / calls["encode"]
                printf "%-9s %6d %6.3f %8.3f %6s %9.1f %7.2f %7.2f %7.1f %7.1f\n", source, calls["encode"], all / value["page.encoded"], all / held,
                    lz4, accepted, value["decode"] / words, value["read"] / words, value["encode"] / words, value["write"] / words
                printf "%s,%d,%d,%s,%d,%.3f,%.3f,%s,%.1f,%.2f,%.2f,%.1f,%.1f\n", source, page, chunk, opt, calls["encode"], all / value["page.encoded"],
                    all / held, lz4, accepted, value["decode"] / words, value["read"] / words, value["encode"] / words, value["write"] / words >>out
            }'
done
