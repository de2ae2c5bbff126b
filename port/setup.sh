#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes sure that the Debian packages that a build or the tests need are installed.
#
#   sh port/setup.sh [GROUP...]     groups: host target tools; none given: all
#
# Debian 12, Ubuntu 24.04 and their relatives. Installs what is missing through apt-get when run as root or where sudo asks no
# password; otherwise prints the one line to run and fails. Run again, with nothing missing, it calls nothing.
set -eu

# A package's name, or name|name where releases differ: the first that is installed, or that apt knows, counts.
host="build-essential python3 sqlite3 lua5.4 cmake ninja-build libcmocka-dev gcc-multilib g++-multilib clang lld libclang-rt-dev"
target="python3 cmake ninja-build gcc-arm-none-eabi libnewlib-arm-none-eabi picolibc-arm-none-eabi libstdc++-arm-none-eabi-picolibc
    qemu-system-arm gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc"
tools="python3 pkgconf|pkg-config valgrind gnuplot-nox librsvg2-bin xz-utils gcovr git
    libjemalloc2 libmimalloc2.0|libmimalloc2.1|libmimalloc3"

is_installed() {
    dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed'
}

is_known() {
    apt-cache policy "$1" 2>/dev/null | grep 'Candidate:' | grep -qv '(none)'
}

# Sets `missing` to the choices of which nothing is installed, and `packages` to one name each.
look() {
    missing=
    packages=
    for choice in $wanted; do
        names=$(echo "$choice" | tr '|' ' ')
        found=
        for name in $names; do
            if is_installed "$name"; then found=$name; break; fi
        done
        [ -z "$found" ] || continue
        missing="$missing $choice"
        for name in $names; do
            if is_known "$name"; then found=$name; break; fi
        done
        [ -n "$found" ] || unknown=yes
        packages="$packages ${found:-${names%% *}}"
    done
}

wanted=
for group in ${*:-host target tools}; do
    case $group in
    host) wanted="$wanted $host" ;;
    target) wanted="$wanted $target" ;;
    tools) wanted="$wanted $tools" ;;
    *) echo "usage: $0 [host] [target] [tools]" >&2; exit 2 ;;
    esac
done
wanted=$(echo "$wanted" | tr ' ' '\n' | awk 'NF && !seen[$0]++')

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: this is not a Debian-like system; install by hand:" $wanted >&2
    exit 1
fi

unknown=
look
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    else
        # Without the lists a name with a choice cannot be settled here; the first is Debian 12's.
        echo "setup: packages are missing. Run this, then start again:" >&2
        echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends$packages" >&2
        exit 1
    fi
fi

# The lists are fetched only where apt does not know a name, or where an install fails because they are old.
if [ -n "$unknown" ]; then
    echo "setup: apt-get update"
    $as_root apt-get update -q
    look
fi
echo "setup: apt-get install$packages"
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages; then
    echo "setup: once more, with fresh lists"
    $as_root apt-get update -q
    look
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages
fi
look
[ -z "$missing" ] || { echo "setup: still missing:$missing" >&2; exit 1; }
