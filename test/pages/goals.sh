#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the policies of replacement promise, on the recorded traces.
#
#   sh goals.sh CAIRN_PAGES TRACES_FOLDER
#
# INVARIANTS  1. adaptive: a geometric mean of at most 1.52 times OPT's faults, and in no case more than 1.11 times those of the best other policy.
#             2. S3-FIFO: at most 1.60.
#             3. Behind a TLB of 16 no policy has more than 3 times the faults of the best, in any case: none collapses.
#             4. With prefetching, adaptive has on each streaming trace fewer faults than without, and over them fewer than OPT without; in no case of any
#                policy are there more than 1.03 times as many as without.
set -u

pages=$1
traces=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$pages" --quiet "$traces"/*.ctp >"$dir/all" || exit 1
"$pages" --quiet --tlb 16 "$traces"/*.ctp >"$dir/tlb" || exit 1
"$pages" --quiet --prefetch "$traces"/*.ctp >"$dir/ahead" || exit 1

awk -F, '
    function wrong(text) { print "goals: " text; bad = 1 }
    FNR == 1 { file++; next }
    { key = $1 "," $3; x[file, key, $5] = $11; if ($5 != "opt") faults[file, key, $5] = $6; keys[key] = $1; names[$5] = 1 }
    END {
        for (key in keys) {
            cases++
            best = tlb_best = 1e9
            for (name in names) if (name != "opt") {
                if (name != "adaptive" && x[1, key, name] < best) best = x[1, key, name]
                if (x[2, key, name] < tlb_best) tlb_best = x[2, key, name]
                ratio = faults[3, key, name] / faults[1, key, name]
                if (ratio > 1.03) wrong(key ": " name " has " ratio " times the faults with prefetching")
            }
            for (name in names) if (name != "opt" && x[2, key, name] > 3 * tlb_best) wrong(key ": " name " behind a TLB: " x[2, key, name] ", the best " tlb_best)
            if (x[1, key, "adaptive"] > 1.11 * best) wrong(key ": adaptive " x[1, key, "adaptive"] ", the best " best)
            adaptive += log(x[1, key, "adaptive"])
            s3fifo += log(x[1, key, "s3fifo"])
            if (keys[key] ~ /^(cyclic_scan|mergesort|matmul_block|fft)$/) {
                streaming++
                ahead += log(x[3, key, "adaptive"])
                without[keys[key]] += log(x[1, key, "adaptive"])
                with[keys[key]] += log(x[3, key, "adaptive"])
            }
        }
        if (cases != 48) wrong(cases " cases, not 48")
        if (exp(adaptive / cases) > 1.52) wrong("adaptive: " exp(adaptive / cases))
        if (exp(s3fifo / cases) > 1.60) wrong("s3fifo: " exp(s3fifo / cases))
        if (exp(ahead / streaming) > 0.9) wrong("adaptive with prefetching, streaming traces: " exp(ahead / streaming))
        for (trace in with) if (with[trace] > without[trace]) wrong(trace ": prefetching has not helped")
        printf "goals: adaptive %.4f, s3fifo %.4f; with prefetching on streaming traces %.4f\n", exp(adaptive / cases), exp(s3fifo / cases), exp(ahead / streaming)
        exit bad
    }' "$dir/all" "$dir/tlb" "$dir/ahead"
