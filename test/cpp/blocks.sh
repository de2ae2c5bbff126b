#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each C++ block of a document is a whole program: it compiles without a warning, with and without exceptions, and returns 0.
#
#   sh test/cpp/blocks.sh DOCUMENT BLOCKS LIBRARY COMPILER [FLAG...]      BLOCKS: how many there must be
set -eu
document=$1
blocks=$2
library=$3
shift 3
include=$(cd "$(dirname "$0")/../../lib/include" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v to="$work" '/^```cpp$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside { print > (to "/" n ".cpp") }' "$document"
found=$(find "$work" -name '*.cpp' | wc -l)
[ "$found" -eq "$blocks" ] || { echo "$document: $found blocks of C++, not $blocks" >&2; exit 1; }
for source in "$work"/*.cpp; do
    for without in "" "-fno-exceptions -fno-rtti"; do
        # shellcheck disable=SC2086
        "$@" -std=c++17 -O1 $without -Wall -Wextra -Wundef -Wconversion -Wshadow -Werror -I"$include" "$source" "$library" -o "$work/program"
        "$work/program" || { echo "$document: block ${source##*/} returns $?" >&2; exit 1; }
    done
done
echo "$found blocks"
