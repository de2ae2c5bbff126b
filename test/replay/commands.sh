#!/bin/sh
# SPDX-License-Identifier: MIT
#
# cairn-replay and cairn-trace from the outside: what they print, write and refuse.
#
#   sh commands.sh CAIRN_REPLAY CAIRN_TRACE TRACES_FOLDER THIS_FOLDER
set -u

replay=$1
trace=$2
traces=$3
here=$4
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
checks=0

# expect WHAT STATUS COMMAND...: it ends with STATUS; what it prints is in $dir/out and $dir/err.
expect() {
    what=$1
    wanted=$2
    shift 2
    checks=$((checks + 1))
    status=0
    "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
    [ "$status" -eq "$wanted" ] && return
    bad "status $status, not $wanted: $*"
    cat "$dir/err" >&2
}

bad() {
    failures=$((failures + 1))
    echo "FAILED: $what: $*" >&2
}

# prints TEXT: the last command printed it. complains TEXT: it is in what it said on standard error.
prints() { [ "$(cat "$dir/out")" = "$1" ] || bad "printed: $(cat "$dir/out")"; }
complains() { grep -qF -- "$1" "$dir/err" || bad "said: $(cat "$dir/err")"; }

head='trace,fit,search,ops,peak_bytes,region_bytes,ratio,failed'
printf '0\n0\n0\n1\na 0 100\na 1 0\nr 0 400\nm 2 64 200\nf 1\nf 0\n' >"$dir/tiny.one.rep"

# ---------------------------------------------------------------------------------------------------------------- the command line
expect "no argument" 2 "$replay"; complains "no trace"
expect "unknown option" 2 "$replay" --frob "$dir/tiny.one.rep"
expect "unknown fit" 2 "$replay" --fit next "$dir/tiny.one.rep"; complains "not: next"
for k in x -1 65535 4x ''; do expect "search $k" 2 "$replay" --search "$k" "$dir/tiny.one.rep"; complains "--search"; done
for r in 0 -8 x 8k 99999999999999999999; do expect "region $r" 2 "$replay" --region "$r" "$dir/tiny.one.rep"; complains "--region"; done
expect "both regions" 2 "$replay" --region 4096 --min-region "$dir/tiny.one.rep"; complains "one of them"
expect "two maps" 2 "$replay" --map "$dir/m.svg" "$dir/tiny.one.rep" "$dir/tiny.one.rep"; complains "one trace only"
cp "$dir/tiny.one.rep" "$dir/kept.rep"
expect "a map over the trace" 2 "$replay" --map "$dir/tiny.one.rep" "$dir/tiny.one.rep"; complains "written over the trace"
cmp -s "$dir/tiny.one.rep" "$dir/kept.rep" || bad "the trace is another one"
expect "help" 0 "$replay" --help; grep -q '^usage: cairn-replay' "$dir/out" || bad "no usage"
expect "trace: no argument" 2 "$trace"
expect "trace: one argument" 2 "$trace" "$dir/tiny.one.rep"
expect "trace: info of nothing" 2 "$trace" --info
expect "trace: help" 0 "$trace" --help

# ------------------------------------------------------------------------------------------------------------------------ the table
expect "a row" 0 "$replay" --region 2048 "$dir/tiny.one.rep"
prints "$head
tiny.one,best,4,6,601,2048,3.4077,0"
expect "a default region" 0 "$replay" "$dir/tiny.one.rep"
prints "$head
tiny.one,best,4,6,601,1202,2.0000,0"
for fit in first best worst bounded; do
    expect "fit $fit" 0 "$replay" --fit $fit --search 0 --region 4096 "$dir/tiny.one.rep"
    prints "$head
tiny.one,$fit,0,6,601,4096,6.8153,0"
done
expect "a region too small" 1 "$replay" --region 700 "$dir/tiny.one.rep"
sed -n 2p "$dir/out" | grep -Eq '^tiny.one,best,4,6,601,700,1.1647,[1-9]$' || bad "printed: $(cat "$dir/out")"
expect "no heap at all" 1 "$replay" --region 21 "$dir/tiny.one.rep"; complains "no heap can be made in a region of 21 bytes"
prints "$head
tiny.one,best,4,6,601,21,0.0349,6"
printf '0\n0\n0\n1\n' >"$dir/empty.rep"
expect "no operations" 0 "$replay" --region 1000 "$dir/empty.rep"
prints "$head
empty,best,4,0,0,1000,0.0000,0"
expect "no operations, no region" 0 "$replay" "$dir/empty.rep"
prints "$head
empty,best,4,0,0,1024,0.0000,0"
printf '5\n1\n2\n1\na 0 5\nf 0\n' >"$dir/5.rep"
expect "a default region of a few bytes" 0 "$replay" "$dir/5.rep"
prints "$head
5,best,4,2,5,1024,204.8000,0"
cp "$dir/tiny.one.rep" "$dir/one, \"two\".rep"
expect "a name with commas and quotes" 0 "$replay" --region 2048 "$dir/one, \"two\".rep"
prints "$head
\"one, \"\"two\"\"\",best,4,6,601,2048,3.4077,0"
expect "the same told" 0 "$trace" --info "$dir/one, \"two\".rep"
[ "$(sed -n 2p "$dir/out")" = '"one, ""two""",text,6,3,601,3' ] || bad "printed: $(cat "$dir/out")"
long=$(printf 'ä%.0s' $(seq 100))
cp "$dir/tiny.one.rep" "$dir/$long.1.rep"
expect "a long name" 0 "$replay" --region 2048 --map "$dir/long.svg" "$dir/$long.1.rep"
prints "$head
$long.1,best,4,6,601,2048,3.4077,0"
expect "two traces" 0 "$replay" --region 2404 "$dir/tiny.one.rep" "$dir/tiny.one.rep"
[ "$(tail -n 1 "$dir/out")" = "# geometric mean of 2 ratios: 4.0000" ] || bad "printed: $(cat "$dir/out")"

# ------------------------------------------------------------------------------------------------------------------- bad traces
expect "no file" 1 "$replay" "$dir/none.rep"; complains "none.rep: No such file"
printf '0\n0\n0\n1\na 0 100\nf 1\n' >"$dir/bad.rep"
expect "a bad trace" 1 "$replay" "$dir/bad.rep"; complains "cairn-replay: $dir/bad.rep: line 6: id 1 was never allocated"
expect "bad among good" 1 "$replay" --region 2048 "$dir/bad.rep" "$dir/tiny.one.rep"; grep -q '^tiny.one' "$dir/out" || bad "the good one is missing"
head -c 1000 "$traces/png_zlib.ctr" >"$dir/cut.ctr"
expect "a cut trace" 1 "$replay" "$dir/cut.ctr"; complains "byte 1000:"
printf 'cairntr\1\0\377\377\377\377\17\0\1' >"$dir/ids.ctr"
expect "a header of 4 G ids" 1 "$replay" "$dir/ids.ctr"; complains "more than there is room for"
expect "a folder" 1 "$replay" "$dir"
if [ -c /dev/full ]; then
    full='"$@" >/dev/full'
    expect "no room for the table" 1 sh -c "$full" sh "$replay" --region 2048 "$dir/tiny.one.rep"; complains "standard output: No space"
    for tool in "$replay" "$trace"; do expect "no room for help" 1 sh -c "$full" sh "$tool" --help; complains "standard output: No space"; done
    expect "no room for what is told" 1 sh -c "$full" sh "$trace" --info "$dir/tiny.one.rep"; complains "standard output: No space"
fi

# ------------------------------------------------------------------------------------------------------------------- conversions
for file in "$traces"/*.ctr; do
    expect "to text: $file" 0 "$trace" "$file" "$dir/a.rep"
    expect "and back: $file" 0 "$trace" "$dir/a.rep" "$dir/b.ctr"
    cmp -s "$file" "$dir/b.ctr" || bad "the bytes differ"
done
expect "info" 0 "$trace" --info "$traces"/*.ctr
[ "$(wc -l <"$dir/out")" -eq 22 ] || bad "not 21 traces"
[ "$(awk -F, 'NR > 1 { n += $3 } END { print n }' "$dir/out")" -eq 2035221 ] || bad "not all operations"
grep -q '^lua_events,compact,85425,41693,167275,3065$' "$dir/out" || bad "lua_events"
expect "fill" 0 "$trace" --fill "$dir/tiny.one.rep" -
[ "$(head -n 4 "$dir/out" | tr '\n' ' ')" = "601 3 6 1 " ] || bad "printed: $(cat "$dir/out")"
expect "no room to write" 1 "$trace" "$dir/tiny.one.rep" "$dir/none/out.ctr"; complains "none/out.ctr"

# ------------------------------------------------------------------------------------------------------------ the smallest region
# One size less fails, and the figure does not depend on the form of the trace.
expect "smallest region" 0 "$replay" --min-region --quiet "$here/short.rep"
row=$(sed -n 2p "$dir/out")
region=$(echo "$row" | cut -d, -f6)
peak=$(echo "$row" | cut -d, -f5)
[ "$peak" -eq 50823 ] || bad "peak $peak"
echo "$row" | grep -q ',0$' || bad "it failed: $row"
[ "$region" -gt "$peak" ] && [ "$region" -le $((peak * 112 / 100)) ] || bad "region $region"
[ $((region % 8)) -eq 0 ] || bad "region $region is not a multiple of 8"
expect "it works" 0 "$replay" --region "$region" "$here/short.rep"
for step in 1 2 16 32; do expect "64 * $step less fails" 1 "$replay" --region $((region - 64 * step)) "$here/short.rep"; done
expect "short, compact" 0 "$trace" "$here/short.rep" "$dir/short.ctr"
expect "smallest region, compact" 0 "$replay" --min-region --quiet "$dir/short.ctr"
[ "$(sed -n 2p "$dir/out")" = "$row" ] || bad "printed: $(cat "$dir/out")"

# More than half of the largest region.
printf '0\n0\n0\n1\na 0 700000000\nf 0\n' >"$dir/large.rep"
expect "smallest region, large" 0 "$replay" --min-region --quiet "$dir/large.rep"
sed -n 2p "$dir/out" | grep -Eq '^large,best,4,2,700000000,[0-9]*,1.03[0-9]*,0$' || bad "printed: $(cat "$dir/out")"
expect "a default region, large" 0 "$replay" --quiet "$dir/large.rep"
sed -n 2p "$dir/out" | grep -q '^large,best,4,2,700000000,1073741824,1.5339,0$' || bad "printed: $(cat "$dir/out")"
printf '0\n0\n0\n1\na 0 1073741824\nf 0\n' >"$dir/larger.rep"
expect "no region is enough" 1 "$replay" --min-region --quiet "$dir/larger.rep"; complains "no region of up to 1073741824 bytes"

# ---------------------------------------------------------------------------------------------------------------------- progress
# From the second second on: the second trace comes late.
late='{ sleep 2; cat "$2"; } | "$1" --region 2000000 $3 "$2" -'
expect "progress" 0 sh -c "$late" sh "$replay" "$traces/lua_events.ctr" ""; complains "cairn-replay: input: 2000000 bytes, operation 4096 of 85425"
expect "no progress" 0 sh -c "$late" sh "$replay" "$traces/lua_events.ctr" --quiet; [ ! -s "$dir/err" ] || bad "said: $(cat "$dir/err")"

# -------------------------------------------------------------------------------------------------------------------------- maps
well_formed='import sys, xml.dom.minidom; print(len(xml.dom.minidom.parse(sys.argv[1]).getElementsByTagName("path")))'
cp "$dir/tiny.one.rep" "$dir/a <b> & \"c\".rep"
for file in "$here/short.rep" "$dir/empty.rep" "$dir/a <b> & \"c\".rep" "$traces/nanopb_reports.ctr"; do
    expect "a map" 0 "$replay" --region 60000 --map "$dir/map.svg" "$file"
    expect "well-formed" 0 python3 -c "$well_formed" "$dir/map.svg"
    [ "$(cat "$dir/out")" -ge 8 ] || bad "only $(cat "$dir/out") paths"
    [ "$(wc -c <"$dir/map.svg")" -lt 600000 ] || bad "it is larger than 600 KB"
done
expect "a map of no operations" 0 "$replay" --region 1000 --map "$dir/map.svg" "$dir/empty.rep"
[ "$(grep -c 'd="M[0-9. ]*\(L[0-9. ]*\)*H1142' "$dir/map.svg")" -eq 4 ] || bad "a curve does not reach the right edge"
expect "a map of failures" 1 "$replay" --region 700 --map "$dir/map.svg" "$dir/tiny.one.rep"
grep -q 'failed operations: ' "$dir/map.svg" || bad "they are not named"
# Of 264 bytes each has more than a row, and each row shows what its byte is.
expect "a map of few bytes" 0 "$replay" --region 288 --map "$dir/map.svg" "$dir/5.rep"
rows='import sys, re; t = open(sys.argv[1]).read()
d = [int(y) for y in re.findall(r"m-?\d+ (-?\d+)h", re.search(r"stroke=\"#f6bd3b\" d=\"M0 0(.*?)\"", t).group(1))]
print(len(d), set(d[1:]), "#f7e3ae" in t.split("<g ")[1])'
expect "its rows" 0 python3 -c "$rows" "$dir/map.svg"; prints "12 {1} False"
expect "a map of no heap" 1 "$replay" --region 10 --map "$dir/map.svg" "$dir/tiny.one.rep"
expect "a map nowhere" 1 "$replay" --map "$dir/none/map.svg" "$dir/tiny.one.rep"; complains "none/map.svg"
[ ! -s "$dir/out" ] || bad "it was replayed first"
expect "a map of nothing" 1 "$replay" --map "$dir/nothing.svg" "$dir/none.rep"; [ ! -e "$dir/nothing.svg" ] || bad "it left a file"

# README's picture is the one that its command draws: the figures, and each cell. (Curves are rounded, which 32-bit machines do another way.)
expect "README's picture" 0 "$replay" --min-region --quiet --map "$dir/map.svg" "$traces/lvgl_screens.ctr"
for file in "$dir/map.svg" "$traces/../../docs/heap-map.svg"; do grep -E 'class="figures"|^<path stroke=' "$file" >"$dir/${file##*/}.cells"; done
[ "$(wc -l <"$dir/heap-map.svg.cells")" -gt 8 ] || bad "no cells"
cmp -s "$dir/map.svg.cells" "$dir/heap-map.svg.cells" || bad "draw docs/heap-map.svg anew, as README.md says"

echo "$checks commands run, $failures failures"
[ "$failures" -eq 0 ]
