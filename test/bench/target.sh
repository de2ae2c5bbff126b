# SPDX-License-Identifier: MIT
#
# Sourced in the top folder, by the scripts beside it and those of test/libc: how a core's code is compiled and on which machine it runs. The
# benchmarks are of Cortex-M.

core_machine() {
    case $1 in
    m0 | m3) echo mps2-an385 ;; # the microbit has 16 KB: an385 runs Armv6-M code too
    m4) echo mps2-an386 ;;
    m7) echo mps2-an500 ;;
    m33) echo mps2-an505 ;;
    rv32) echo virt ;;
    *) echo "there is no core '$1'" >&2; return 1 ;;
    esac
}

core_flags() {
    case $1 in
    m0 | m3) echo "-mcpu=cortex-$1 -mthumb -mfloat-abi=soft -masm-syntax-unified" ;;
    rv32) echo "-march=rv32imac -mabi=ilp32" ;;
    *) echo "-mcpu=cortex-$1 -mthumb -mfloat-abi=hard -masm-syntax-unified" ;;
    esac
}

# What the names of a core's tools begin with, and the folder of its port.
core_tools() {
    case $1 in
    rv32) echo riscv64-unknown-elf- ;;
    *) echo arm-none-eabi- ;;
    esac
}

core_port() {
    case $1 in
    rv32) echo port/riscv ;;
    *) echo port/cortexm ;;
    esac
}

# lib_objects CORE OPT FOLDER: compiles the library as its CMakeLists.txt does, as many files at once as there are processors, and prints the objects' names.
# What was compiled before, of the same text, by the same compiler and with the same options, stays. One at a time looks after a folder.
lib_objects() (
    mkdir -p "$3"
    exec 9>"$3.lock"
    flock 9
    for source in lib/*/*.c; do
        echo "$3/$(basename "$source" .c).o"
    done
    # shellcheck disable=SC2116
    options=$(echo $(core_flags "$1") --specs=picolibc.specs -std=c11 -$2 -ffreestanding -ffunction-sections -fdata-sections -fstack-usage \
        ${BENCH_DEFINES:-}) # one blank between any two: a defines' end is no other option
    made=$( (arm-none-eabi-gcc --version; echo "$options"; cat lib/*/*.[ch] lib/include/cairn/*.h) | cksum)
    [ "$made" != "$(cat "$3/made" 2>/dev/null)" ] || return 0
    rm -f "$3"/*
    for source in lib/*/*.c; do
        echo "$source -o $3/$(basename "$source" .c).o"
    done | xargs -P "$(getconf _NPROCESSORS_ONLN)" -L 1 arm-none-eabi-gcc $options -Ilib -Ilib/include -c >&2 && echo "$made" >"$3/made"
)
