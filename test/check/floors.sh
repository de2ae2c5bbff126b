#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The floors of lib: what a file may include, what the code may call, and that it has no memory of its own. Both tiers alike.
#
# INVARIANTS  1. A header includes only headers that stand before it in `floors`; a .c file of base none of heap's, pool's, arena's or vm's, and heap and
#                pool none of each other's or of what stands above them; vm those of base, a policy those of base; inner those of heap and vm. Nothing of lib includes port,
#                examples or test.
#             2. System headers are <stdbool.h> <stddef.h> <stdint.h> <string.h>; <string.h> is for memcpy, memmove, memset.
#             3. The objects for Cortex-M0, M4 and RV32IMAC, at -O2 and -Os, call only each other, those three, and libgcc's integer helpers;
#                they have no .data and no .bss. On cores without atomic words, Armv6-M and RV32IMC, no compiler makes heap, arena or the spinlock call a
#                library for one; clang warns of nothing there. vm and inner compile without a warning where an address of a vm is shorter than a pointer.
#             4. No two files of lib have the same name, so that a flat copy works.
#             5. Each public header compiles alone, as C11 and as C++. Each .hpp includes only .hpp that stand before it in `cpp_floors`, public C headers, and
#                the standard headers of `cpp_system`; it compiles alone with g++ and clang++ for every standard from its own on, with exceptions and
#                RTTI and without, and there is no other .hpp in lib.
#             6. In a clone, nothing is tracked at the top but what `top` names.
set -eu
cd "$(dirname "$0")/../.."
. test/bench/target.sh
export LC_ALL=C

floors="cairn/config.h cairn/types.h cairn/report.h cairn/port.h cairn/store.h cairn/compressed.h cairn/image.h cairn/heap.h cairn/deferred.h cairn/recorder.h
    cairn/pool.h cairn/arena.h cairn/policy.h cairn/vm.h cairn/access.h cairn/object.h cairn/checkpoint.h cairn/space_heap.h cairn/elf.h cairn/exec.h cairn/page_recorder.h
    base/compiler.h base/bits.h base/atomic.h base/checksum.h base/bulk.h
    heap/words.h heap/control.h heap/handle.h heap/floor.h heap/tags.h heap/bins.h heap/layout.h heap/core.h heap/moves.h heap/fit.h heap/quick.h
    heap/change.h heap/fence.h
    pool/bitmap.h
    arena/arena_core.h
    vm/policy_parts.h vm/policy_loop.h vm/stream.h vm/pte.h vm/table.h vm/tlb.h vm/frame.h vm/bring.h vm/share.h vm/flash_layout.h vm/codec.h vm/image_layout.h vm/checkpoint_layout.h
    inner/space_floor.h inner/inner_core.h inner/operation.h"
system="stdbool.h stddef.h stdint.h string.h"
top=".ci .gitignore CMakeLists.txt CMakePresets.json LICENSE README.md docs examples lib port test"
cpp_floors="cairn/backing.hpp cairn/allocator.hpp cairn/memory_resource.hpp cairn/new.hpp"
cpp_system="cstddef cstdint cstdlib memory_resource new type_traits"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

say() {
    echo "floors: $*"
    bad=1
}

# includes FILES: a line for each include of lib, FILE LINE NAME, the name with its < or ".
includes() {
    grep -rnoE --include="$1" '^[[:space:]]*#[[:space:]]*include[[:space:]]*(<[^>]*>|"[^"]*"|[A-Za-z_]+)' lib |
        sed -E 's/^([^:]*):([0-9]+):.*include[[:space:]]*([<"]?[^>"]*)[>"]?$/\1 \2 \3/'
}

# floor_of NAME: its place in the list, 0 for none.
floor_of() {
    at=0
    for floor in $floors; do
        at=$((at + 1))
        if [ "$floor" = "$1" ]; then echo $at; return; fi
    done
    echo 0
}

check_include() {
    file=$1
    line=$2
    name=${3#?}
    case $3 in
    CAIRN_CONFIG_FILE) [ "$file" = lib/include/cairn/config.h ] || say "$file:$line includes $3"; return ;;
    "<"*) case " $system " in *" $name "*) ;; *) say "$file:$line includes <$name>, which is not freestanding" ;; esac; return ;;
    esac
    own=${file#lib/}
    own=${own#include/}
    its=$(floor_of "$name")
    if [ "$its" -eq 0 ]; then say "$file:$line includes \"$name\", which has no floor"; return; fi
    case $own in
    cairn/*.h | base/*.h | heap/*.h | pool/*.h | arena/*.h | vm/*.h | inner/*.h)
        mine=$(floor_of "$own")
        if [ "$mine" -eq 0 ]; then say "$own has no floor: enter it in test/check/floors.sh"; return; fi
        [ "$its" -lt "$mine" ] || say "$file:$line includes the higher floor \"$name\""
        case $own:$name in cairn/*:cairn/*) ;; cairn/*) say "$file:$line: a public header includes the private \"$name\"" ;; esac
        ;;
    esac
    case $own:$name in
    inner/*:heap/* | inner/*:vm/* | inner/*:base/* | inner/*:inner/* | inner/*:cairn/space_heap.h | inner/*:cairn/vm.h) ;;
    inner/*) say "$file:$line: inner includes \"$name\"" ;;
    *:inner/*) say "$file:$line includes \"$name\" of inner" ;;
    base/*:heap/* | base/*:pool/* | base/*:arena/* | base/*:vm/*) say "$file:$line: base includes \"$name\"" ;;
    base/*:cairn/heap.h | base/*:cairn/recorder.h | base/*:cairn/pool.h | base/*:cairn/arena.h | base/*:cairn/store.h | base/*:cairn/image.h) say "$file:$line: base includes \"$name\"" ;;
    pool/*:heap/* | pool/*:arena/* | pool/*:cairn/heap.h | pool/*:cairn/recorder.h | pool/*:cairn/arena.h) say "$file:$line: pool includes \"$name\"" ;;
    base/*:cairn/policy.h | pool/*:vm/* | pool/*:cairn/policy.h | heap/*:vm/* | heap/*:cairn/policy.h | arena/*:vm/* | arena/*:cairn/policy.h)
        say "$file:$line: what is below vm includes \"$name\"" ;;
    vm/policy_*:base/* | vm/policy_*:vm/policy_* | vm/policy_*:cairn/policy.h) ;;
    vm/policy_*) say "$file:$line: a policy includes \"$name\"" ;;
    vm/*:heap/* | vm/*:pool/* | vm/*:arena/* | vm/*:deferred/* | vm/*:cairn/heap.h | vm/*:cairn/pool.h | vm/*:cairn/arena.h) say "$file:$line: vm includes \"$name\"" ;;
    heap/*:pool/* | heap/*:arena/* | heap/*:deferred/* | heap/*:cairn/pool.h | heap/*:cairn/arena.h) say "$file:$line: heap includes \"$name\"" ;;
    heap/*:vm/* | pool/*:vm/* | arena/*:vm/* | deferred/*:vm/*) say "$file:$line: $own includes \"$name\" of vm" ;;
    esac
}

# compile_rv32 LEVEL FOLDER
compile_rv32() {
    flags="$(core_flags rv32) --specs=picolibc.specs $1 -std=c11 -ffreestanding -ffunction-sections -fdata-sections -Ilib -Ilib/include"
    for source in lib/*/*.c; do
        printf '%s -o %s/%s.o\n' "$source" "$2" "$(basename "$source" .c)"
    done | xargs -P 4 -L 1 riscv64-unknown-elf-gcc $flags -c
}

# copy_of CORE LEVEL FOLDER: of Cortex-M, the objects of the benchmarks.
copy_of() {
    made=$(lib_objects "$1" "${2#-}" "build/bench/$1$2/lib") || return 1
    # shellcheck disable=SC2086
    cp $made "$3"
}

# objects CORE LEVEL: compiles lib, and looks at what it calls and holds.
objects() {
    at=$work/$1$2
    mkdir "$at"
    case $1 in
    rv32) tools=riscv64-unknown-elf && compile_rv32 "$2" "$at" ;;
    *) tools=arm-none-eabi && copy_of "$1" "$2" "$at" ;;
    esac || { say "lib does not compile for $1 with $2"; return; }
    $tools-nm -A "$at"/*.o >"$at/names"
    awk '$(NF-1) ~ /^[A-TV-Z]$/ { print $NF }' "$at/names" | sort -u >"$at/defined"
    awk '$(NF-1) == "U" { print $NF }' "$at/names" | sort -u | comm -23 - "$at/defined" >"$at/foreign"
    allowed='^(memcpy|memmove|memset|__aeabi_(u?i|u?l)div(mod)?|__aeabi_(lmul|llsl|llsr|lasr|u?lcmp)|__gnu_thumb1_case_[us](qi|hi|si)|__(u?div|u?mod|mul|ashl|lshr|ashr)di3)$'
    for name in $(grep -vE "$allowed" "$at/foreign" || true); do
        say "$1 $2: $(grep " U $name\$" "$at/names" | sed 's/.*\/\([^:]*\)\.o:.*/\1.c/' | sort -u | tr '\n' ' ')calls $name"
    done
    $tools-size "$at"/*.o | awk 'NR > 1 && $2 + $3 != 0 { print $NF, $2 + $3 }' >"$at/ram"
    while read -r object bytes; do
        say "$1 $2: $(basename "$object" .o).c has $bytes bytes of .data and .bss"
    done <"$at/ram"
}

# The floors of C++: check_cpp_include FILE LINE NAME.
check_cpp_include() {
    name=${3#?}
    case $3 in
    "<"*) case " $cpp_system " in *" $name "*) ;; *) say "$1:$2 includes <$name>, which is not in cpp_system" ;; esac; return ;;
    '"cairn/'*.h) [ "$(floor_of "$name")" -ne 0 ] || say "$1:$2 includes \"$name\", which has no floor"; return ;;
    esac
    case " ${cpp_floors%%"${1#lib/include/}"*} " in *" $name "*) ;; *) say "$1:$2 includes the higher floor \"$name\"" ;; esac
}

# alone_cpp STANDARD HEADER: with each compiler, exceptions and RTTI on and off.
alone_cpp() {
    printf '#include "cairn/arena.h"\nextern cairn_arena arena;\n#define CAIRN_NEW_ARENA (&arena)\n' >"$work/alone.cpp"
    case $2 in cairn/new.hpp) ;; *) : >"$work/alone.cpp" ;; esac
    printf '#include "%s"\n' "$2" >>"$work/alone.cpp"
    for compiler in g++ clang++ arm-none-eabi-g++; do
        for without in "" "-fno-exceptions -fno-rtti"; do
            # shellcheck disable=SC2086
            $compiler -std=$1 $without -Wall -Wextra -Wundef -Wconversion -Wshadow -Werror -pedantic -Ilib/include -fsyntax-only "$work/alone.cpp" ||
                say "lib/include/$2 does not compile alone: $compiler -std=$1 $without"
        done
    done
}

includes '*.[ch]' >"$work/includes"
[ -s "$work/includes" ] || say "no includes found"
while read -r file line name; do
    check_include "$file" "$line" "$name"
done <"$work/includes"

includes '*.hpp' >"$work/cpp_includes"
[ -s "$work/cpp_includes" ] || say "no includes found in C++"
while read -r file line name; do
    check_cpp_include "$file" "$line" "$name"
done <"$work/cpp_includes"

for header in $(find lib -name '*.hpp' | sort); do
    case " $cpp_floors " in *" ${header#lib/include/} "*) ;; *) say "$header has no floor: enter it in test/check/floors.sh" ;; esac
done

for name in $(find lib \( -name '*.[ch]' -o -name '*.hpp' \) -exec basename {} \; | sort | uniq -d); do
    say "two files of lib are called $name: $(find lib -name "$name" | tr '\n' ' ')"
done

for core in m0 m4 rv32; do
    for level in -O2 -Os; do
        objects $core $level
    done
done

# without_atomics NAME COMPILER OPTION...: for a core that has no atomic words. What string.h declares is all that is asked of the C library.
without_atomics() {
    at=$work/$1
    shift
    mkdir "$at"
    for source in lib/heap/*.c lib/arena/*.c port/baremetal/spin.c port/baremetal/lock.c; do
        "$@" -O2 -std=c11 -ffreestanding -Wall -Wextra -Werror "-I$work/string" -I. -Ilib -Ilib/include -c "$source" \
            -o "$at/$(basename "$source" .c).o" || say "$source does not compile: $*"
    done
    if nm -A -u "$at"/*.o | grep __atomic; then say "$* calls a library for atomic words"; fi
}

mkdir "$work/string"
cat >"$work/string/string.h" <<'END'
#include <stddef.h>
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
END
gcc -std=c11 -D CAIRN_VADDR_BITS=32 -Wall -Wextra -Wconversion -Werror -Ilib -Ilib/include -fsyntax-only lib/vm/*.c lib/inner/*.c ||
    say "lib does not compile where an address of a vm has fewer bits than a pointer"
without_atomics clang-m0 clang --target=arm-none-eabi -mcpu=cortex-m0 -mthumb
without_atomics clang-rv32imc clang --target=riscv32-unknown-elf -march=rv32imc -mabi=ilp32
without_atomics gcc-rv32imc riscv64-unknown-elf-gcc -march=rv32imc -mabi=ilp32

for header in lib/include/cairn/*.h; do
    printf '#include "cairn/%s"\ntypedef int alone;\n' "$(basename "$header")" >"$work/alone.c"
    gcc -std=c11 -Wall -Wextra -Werror -pedantic -Ilib/include -fsyntax-only "$work/alone.c" || say "$header does not compile alone"
    g++ -x c++ -std=c++11 -Wall -Wextra -Wundef -Wconversion -Wshadow -Werror -pedantic -Ilib/include -fsyntax-only "$work/alone.c" || say "$header is no C++"
done

for header in $cpp_floors; do
    case $header in cairn/backing.hpp | cairn/allocator.hpp) standards="c++11 c++14 c++17 c++20" ;; *) standards="c++17 c++20" ;; esac
    for standard in $standards; do
        alone_cpp $standard "$header"
    done
done

if git ls-files >"$work/tracked" 2>/dev/null; then
    for name in $(cut -d/ -f1 "$work/tracked" | sort -u); do
        case " $top " in *" $name "*) ;; *) say "$name stands at the top" ;; esac
    done
fi

[ $bad -eq 0 ] || exit 1
echo "floors: $(cat "$work/includes" "$work/cpp_includes" | wc -l) includes, $(ls "$work/m4-O2"/*.o | wc -l) files, all in order"
