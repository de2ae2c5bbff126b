#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Gets the programs that are run on a board: the source packages of Lua and cJSON, from where this machine's own packages come.
#
#   sh test/programs/sources.sh    ->  build/programs/source/lua, build/programs/source/cjson
#
# Debian 12, Ubuntu 24.04 and their relatives. Needs no root: apt-get is given a sources file of its own, with the places of this machine's
# as source packages, and folders of its own under build/programs/apt. Fails, and says so, where the network or a package is not there. Run again, it
# calls nothing.
set -eu
cd "$(dirname "$0")/../.."
out=build/programs
source=$out/source
top=$PWD
[ ! -f "$source/done" ] || exit 0

fail() {
    echo "sources: $*" >&2
    exit 1
}

for tool in apt-get dpkg-source xz; do
    command -v $tool >/dev/null || fail "$tool is missing: sh port/setup.sh host tools"
done
rm -rf "$source" "$out/apt"
mkdir -p "$source" "$out/apt/parts" "$out/apt/lists/partial" "$out/apt/cache/archives/partial"

# One line for each place, suite and component that binary packages come from. They are checked with the distribution's
# keys.
keys=
for key in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/ubuntu-archive-keyring.gpg; do
    [ ! -f $key ] || keys="[signed-by=$key] "
done
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null | sort -u |
    awk -v keys="$keys" 'NF == 3 { print "deb-src " keys $1, $2, $3 }' >"$out/apt/parts/sources.list"
[ -s "$out/apt/parts/sources.list" ] || fail "apt-get knows no place that packages come from"

get() {
    apt-get -q -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$top/$out/apt/parts" -o Dir::State::Lists="$top/$out/apt/lists" \
        -o Dir::Cache="$top/$out/apt/cache" -o APT::Sandbox::User= -o Acquire::Retries=2 "$@"
}

get update >"$out/apt/log" 2>&1 || echo "sources: not all places answered" >&2 # some have no source packages, or other keys
for package in lua5.4 cjson; do
    (cd "$source" && get source $package) >>"$out/apt/log" 2>&1 ||
        fail "there is no source package $package (no network?), the end of $out/apt/log: $(tail -n 3 "$out/apt/log")"
done
mv "$source"/lua5.4-*/ "$source/lua"
mv "$source"/cjson-*/ "$source/cjson"
[ -f "$source/lua/src/lvm.c" ] && [ -f "$source/cjson/cJSON.c" ] || fail "the source packages hold something else than they did"

# Numbers of 32 bits, so that a board and a PC print the same. Lua has no option for it but its configuration file.
sed -i 's/^#define LUA_32BITS.*0$/#define LUA_32BITS 1/' "$source/lua/src/luaconf.h"
grep -q '^#define LUA_32BITS 1' "$source/lua/src/luaconf.h" || fail "luaconf.h says LUA_32BITS in another way"
# A header that the package's own build writes; a path in it, which nothing here looks at.
echo '#define DEB_HOST_MULTIARCH "."' >"$source/lua/src/lua5.4-deb-multiarch.h"
touch "$source/done"
