#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What cairn_page_recorder writes is a trace that cairn-pages reads.
#
#   sh record_pages.sh RECORD_PAGES CAIRN_PAGES
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$1" >"$dir/work.trace"
[ "$(head -n 2 "$dir/work.trace")" = "# page 256
# source record_pages" ]
[ "$(wc -l <"$dir/work.trace")" -gt 1000 ]
"$2" --quiet --policy lru,opt --frames 8 "$dir/work.trace" >"$dir/table" 2>"$dir/said"
cat "$dir/table" "$dir/said"
[ ! -s "$dir/said" ]
[ "$(grep -c '^work[.a-z]*,256,8,' "$dir/table")" -eq 2 ]
