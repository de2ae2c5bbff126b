#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cairn-pages from the outside: what it counts, draws and refuses.
#
#   sh commands.sh CAIRN_PAGES
set -u

pages=$1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
checks=0

bad() {
    echo "commands: $*" >&2
    failures=$((failures + 1))
}

# expect STATUS COMMAND...: it ends with STATUS; what it prints is in $dir/out and $dir/err.
expect() {
    wanted=$1
    shift
    checks=$((checks + 1))
    status=0
    "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
    [ "$status" -eq "$wanted" ] && return
    bad "status $status, not $wanted: $*"
    cat "$dir/err" >&2
}

printed() { # FILE TEXT
    checks=$((checks + 1))
    grep -qF -- "$2" "$dir/$1" || { bad "no \"$2\" in:"; cat "$dir/$1" >&2; }
}

# made NAME TEXT: a trace of this text.
made() {
    # shellcheck disable=SC2059
    printf "$2" >"$dir/$1"
}

# refused TEXT MESSAGE
refused() {
    made wrong.trace "$1"
    expect 1 "$pages" --quiet --policy fifo "$dir/wrong.trace"
    printed err "$2"
}

{
    echo "# page 1024"
    for page in 1 2 3 4 1 2 5 1 2 3 4 5; do echo "r $page"; done
} >"$dir/belady.trace"
expect 0 "$pages" --quiet --policy fifo,lru,opt --frames 3,4 "$dir/belady.trace"
printed out "trace,page_bytes,frames,tlb,policy,faults,writebacks,prefetches,useful,opt_faults,x_opt"
for row in 3,0,opt,7,0,0,0,7,1.0000 3,0,fifo,9,0,0,0,7,1.2857 3,0,lru,10,0,0,0,7,1.4286 4,0,opt,6,0,0,0,6,1.0000 4,0,fifo,10,0,0,0,6,1.6667 4,0,lru,8,0,0,0,6,1.3333; do
    printed out "belady,1024,$row"
done

cp "$dir/belady.trace" "$dir/a, \"b\".trace"
expect 0 "$pages" --quiet --policy opt --frames 3 "$dir/a, \"b\".trace"
printed out '"a, ""b""",1024,3,0,opt,7,'
made writes.p1024.trace '# page 256\r\n# anything\n\n w\t0a \nr A\nw ffffffff\nr 1\nr 2\n'
expect 0 "$pages" --quiet --policy lru --frames 1 "$dir/writes.p1024.trace"
printed out "writes,256,1,0,lru,4,2,0,0,4,1.0000"
expect 0 "$pages" --quiet --frames 1,2/3,4 --tlb 4 "$dir/belady.trace"
checks=$((checks + 1))
[ "$(wc -l <"$dir/out")" -eq 37 ] || bad "not 12 policies at 3 sizes: $(wc -l <"$dir/out") lines"

expect 0 "$pages" --quiet --prefetch --frames 1,2,3 --plot "$dir/a.svg" "$dir/belady.trace"
checks=$((checks + 1))
grep -q '</svg>' "$dir/a.svg" || bad "no picture"

expect 0 "$pages" --pack "$dir/b.ctp" "$dir/belady.trace"
expect 0 "$pages" --quiet "$dir/belady.trace"
sed 's/^belady/b/' "$dir/out" >"$dir/text"
expect 0 "$pages" --quiet "$dir/b.ctp"
checks=$((checks + 1))
cmp -s "$dir/out" "$dir/text" || bad "packed and unpacked it is another trace"
size=$(wc -c <"$dir/b.ctp")
for at in $(seq 1 $((size - 1))); do # cut, and a byte changed: refused, or without effect where the last bytes only fill up
    head -c "$at" "$dir/b.ctp" >"$dir/cut.ctp"
    checks=$((checks + 1))
    "$pages" --quiet --policy lru "$dir/cut.ctp" >"$dir/out" 2>"$dir/err" && bad "cut at $at, and taken"
    { head -c "$((at - 1))" "$dir/b.ctp"; printf '\377'; tail -c "+$((at + 1))" "$dir/b.ctp"; } >"$dir/cut.ctp"
    status=0
    "$pages" --quiet --policy lru "$dir/cut.ctp" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" -le 1 ] || bad "byte $at changed: status $status"
done

made apart.trace 'r 0\nr 80000000\n'
expect 1 "$pages" --pack "$dir/apart.ctp" "$dir/apart.trace"
awk 'BEGIN { print "# page 128"; for (page = 0; page < 60000; page++) printf "w %x\n", 3 * page }' >"$dir/many.trace"
small='ulimit -v 262144 && exec "$@"' # KB: for 180 tables, not for one for each page. Sanitizers want more
sh -c "$small" sh "$pages" --help >"$dir/out" 2>&1 || small='exec "$@"'
expect 0 sh -c "$small" sh "$pages" --quiet --policy fifo --frames 64 --tlb 16 "$dir/many.trace"
printed out "many,128,64,16,fifo,60000,59936,0,0,60000,1.0000"

refused '# page 1024\nr 1\nr xyz\n' "wrong.trace:3: the page is not a hexadecimal number"
refused 'r 1\nr 100000000\n' "wrong.trace:2: the page is not a hexadecimal number below 2^32"
refused 'r 1\n\nr 0x12\n' "wrong.trace:3: "
refused 'r 1\nr -1\n' "wrong.trace:2: the page"
refused 'r 1\nr 0X12\n' "wrong.trace:2: the page"
refused 'r\n' "wrong.trace:1: expected"
refused 'r 1\nr 2\000r 3\n' "wrong.trace:2: a byte of 0"
refused 'r 1\n\000' "wrong.trace:2: a byte of 0"
refused 'r 1\nx 2\n' "wrong.trace:2: expected"
refused 'r 1 2\n' "wrong.trace:1: something follows"
refused '# page 0\nr 1\n' "wrong.trace:1: "
refused '# page many\nr 1\n' "wrong.trace:1: "
refused '# page\nr 1\n' "wrong.trace:1: "
refused '# page 000000000000128x\nr 1\n' "wrong.trace:1: "
refused 'r 1\n# page 1024\n' "wrong.trace:2: "
refused '# page 1024\n' "no access"
{ echo "r 1"; head -c 5000 /dev/zero | tr '\0' ' '; echo; } >"$dir/wrong.trace"
expect 1 "$pages" --quiet "$dir/wrong.trace"
printed err "wrong.trace:2: the line is too long"
expect 1 "$pages" --quiet "$dir/none.trace"
printed err "none.trace: No such file"

for wrong in "--policy sieve" "--policy lru,,none" "--policy ," "--policy lru,,clock" "--policy lru," "--frames 0" "--frames 65535" "--frames 3/2" "--frames 1/0" "--frames 4,x" "--frames 000000000000001x/2" "--tlb 6" "--tlb 2" "--tlb 2048" "--tlb 0" "--nonsense"; do
    # shellcheck disable=SC2086
    expect 2 "$pages" $wrong "$dir/belady.trace"
done
expect 2 "$pages" --policy lru,sieve "$dir/belady.trace"
printed err "--policy does not know: sieve"
expect 2 "$pages"
expect 2 "$pages" --plot "$dir/b.svg" "$dir/belady.trace" "$dir/belady.trace"
for output in --plot --pack; do
    expect 1 "$pages" $output "$dir/none/b" "$dir/belady.trace"
    printed err "none/b: No such file"
    [ ! -s "$dir/out" ] || bad "$output: it ran first"
done
cp "$dir/belady.trace" "$dir/kept.trace"
ln -s belady.trace "$dir/linked.trace"
for output in --plot --pack; do
    for name in belady linked; do # by whatever name
        expect 2 "$pages" --quiet $output "$dir/$name.trace" "$dir/belady.trace"
        printed err "this would be written over the trace"
    done
done
expect 2 "$pages" --quiet --plot "$dir/c.svg" --pack "$dir/c.ctp" "$dir/belady.trace"
printed err "--plot and --pack: one of them only"
checks=$((checks + 1))
if ! cmp -s "$dir/belady.trace" "$dir/kept.trace" || [ -e "$dir/c.svg" ] || [ -e "$dir/c.ctp" ]; then bad "what was refused was written"; fi
expect 0 "$pages" --help
printed out "usage: cairn-pages"
if [ -c /dev/full ]; then
    # shellcheck disable=SC2016
    expect 1 sh -c '"$@" >/dev/full' sh "$pages" --help
    printed err "standard output: No space"
fi

[ $failures -eq 0 ] || exit 1
echo "commands: $checks checks"
