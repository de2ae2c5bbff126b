#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The policies of replacement on traces of pages, as multiples of OPT's faults.
#
#   sh test/bench/pages.sh [options of cairn-pages] [-- TRACE...]
#
# Without traces those in test/traces/pages are run; without options every access is seen, and frames are 1/16, 1/8, 1/4 and 1/2 of a trace's pages, 4 at least.
#
# OWNS     build/bench/pages.csv, or pages_<options>.csv.
# COST     some seconds.
# CALLERS  the user.
set -eu
cd "$(dirname "$0")/../.."

options=
name=pages
while [ $# -gt 0 ]; do
    case $1 in
    --) shift; break ;;
    --quiet) options="$options $1"; shift ;;
    --policy | --policy=* | --frames | --frames=* | --tlb | --tlb=* | --prefetch | --plot | --plot=* | [!-]*)
        options="$options $1"
        name="${name}_$(echo "$1" | tr -dc 'a-z0-9')"
        shift
        ;;
    *) echo "usage: sh test/bench/pages.sh [options of cairn-pages] [-- TRACE...]" >&2; exit 2 ;;
    esac
done
[ $# -gt 0 ] || set -- test/traces/pages/*
[ -e build/host/build.ninja ] || cmake --preset host >/dev/null
cmake --build --preset host --target cairn-pages >/dev/null
mkdir -p build/bench
out=build/bench/$name.csv
# shellcheck disable=SC2086
build/host/bin/cairn-pages $options "$@" >"$out.new" || { status=$?; rm "$out.new"; exit $status; }
mv "$out.new" "$out"
awk -F, 'NR > 1 && $5 != "opt" {
        key = $1 "," $3
        if (!(key in best) || $11 < best[key]) best[key] = $11
        logs[$5] += log($11); cases[$5]++; row[$5 "," key] = $11
        if (!($5 in at)) { at[$5] = ++count; names[count] = $5 }
    }
    END {
        printf "%-10s %8s %12s\n", "policy", "x OPT", "worst / best"
        for (i = 1; i <= count; i++) {
            worst = 0
            for (key in best) if ((names[i] "," key) in row && row[names[i] "," key] / best[key] > worst) worst = row[names[i] "," key] / best[key]
            printf "%-10s %8.4f %12.3f\n", names[i], exp(logs[names[i]] / cases[names[i]]), worst
        }
        printf "geometric means over %d cases; worst / best: furthest above the best policy of a case\n", cases[names[1]]
    }' "$out"
echo "wrote $out"
