#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What must not compile or link does not, and the compiler says why; what is beside it, and right, does.
#
#   sh test/cpp/wrong_use.sh LIBRARY COMPILER [FLAG...]
set -eu
library=$1
shift
include=$(cd "$(dirname "$0")/../../lib/include" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# builds STANDARD SOURCE...
builds() {
    standard=$1
    shift
    "$compiler" $flags -std="$standard" -I"$include" "$@" "$library" -o program >said 2>&1
}

# refused WHY STANDARD SOURCE...: it does not build, and WHY is what is said.
refused() {
    why=$1
    shift
    if builds "$@"; then echo "wrong_use: builds, and should not: $*" >&2; exit 1; fi
    grep -q "$why" said || { echo "wrong_use: $* does not say '$why' but:" >&2; cat said >&2; exit 1; }
}

right() {
    builds "$@" || { echo "wrong_use: does not build: $*" >&2; cat said >&2; exit 1; }
}

compiler=$1
shift
flags=$*

cat >memory.cpp <<END
#include <cairn/arena.h>
cairn_arena arena;
int main() { return 0; }
END
cat >replace.cpp <<END
#include <cairn/arena.h>
extern cairn_arena arena;
#define CAIRN_NEW_ARENA (&arena)
#include <cairn/new.hpp>
END
cp replace.cpp again.cpp
echo '#include <cairn/new.hpp>' >nothing.cpp
{ echo '#define CAIRN_NEW_HEAP nullptr'; cat replace.cpp; } >both.cpp
cat >aimless.cpp <<END
#include <cairn/allocator.hpp>
#include <vector>
cairn_arena arena;
#ifdef RIGHT
std::vector<int, cairn::allocator<int>> numbers(&arena);
#else
std::vector<int, cairn::allocator<int>> numbers;
#endif
int main() { return numbers.empty() ? 0 : 1; }
END
cat >mixed.cpp <<END
#include <cairn/allocator.hpp>
#ifdef RIGHT
bool same(cairn::allocator<int> a, cairn::allocator<long> b) { return a == b; }
#else
bool same(cairn::allocator<int> a, cairn::allocator<int, cairn_heap> b) { return a == b; }
#endif
int main() { return 0; }
END

right c++17 memory.cpp replace.cpp
refused 'multiple definition' c++17 memory.cpp replace.cpp again.cpp
refused 'define CAIRN_NEW_ARENA or CAIRN_NEW_HEAP' c++17 memory.cpp nothing.cpp
refused 'define CAIRN_NEW_ARENA or CAIRN_NEW_HEAP' c++17 memory.cpp both.cpp
refused 'compile the file that includes it as C++17' c++14 memory.cpp replace.cpp
right c++11 aimless.cpp -DRIGHT
refused 'no matching' c++11 aimless.cpp
right c++11 mixed.cpp -DRIGHT
refused 'operator==' c++11 mixed.cpp
echo "6 uses refused"
