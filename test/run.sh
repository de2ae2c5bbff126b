#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Builds everything and runs every test, from a fresh clone on a fresh Debian 12 or Ubuntu 24.04.
#
#   sh test/run.sh [full] [STEP...]     full: everything at its full length; steps given by name: those only
#   sh test/run.sh --help               the names of the steps
#
# A step is a preset (configure, build, ctest), or a check: an executable-by-sh script test/check/<name>.sh, which passes when it
# returns 0 and is told "fast" or "full" as its argument. A preset counts as many tests as ctest ran, and one failure more if it
# does not configure, does not build, or has no test; a check counts as one. Presets run one after the other, each with as many jobs
# as there are processors; then the checks, as many at once. Logs stay in build/log. The last line is "N passed, M failed".
set -eu
cd "$(dirname "$0")/.."
case $PWD in
*[[:space:]:]*) echo "test/run.sh: $PWD has a blank or a colon in it: ld.so ends names in LD_PRELOAD there, and QEMU arguments of a program" >&2; exit 1 ;;
esac

presets="host host32 host-clang host-san m0 m3 m4 m7 m33 rv32"
more=host-cov # by name only: coverage.sh builds it
tier=fast
if [ "${1:-}" = full ]; then
    tier=full
    shift
fi
export CAIRN_TIER=$tier

# usage: also the steps that there are.
usage() {
    echo "usage: sh test/run.sh [full] [STEP...]"
    echo "presets: $presets $more"
    echo "checks: $(cd test/check && echo *.sh | sed 's/\.sh//g')"
}

for step; do
    case " $presets $more " in *" $step "*) continue ;; esac
    case $step in
    -h | --help) usage; exit 0 ;;
    */*) ;;
    *) [ ! -f "test/check/$step.sh" ] || continue ;;
    esac
    { echo "test/run.sh: no step is called '$step'"; usage; } >&2
    exit 2
done

passed=0
failed=0
failures=
logs=build/log
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# fail STEP LOG: a step that could not run to its end counts as one failure, and shows why.
fail() {
    failed=$((failed + 1))
    failures="$failures $1"
    echo "--- $1 FAILED, the end of $2:"
    tail -n 60 "$2"
}

# What ctest said: "97% tests passed, 2 tests failed out of 66".
count() {
    line=$(sed -n 's/^[0-9]*% tests passed, \([0-9]*\) tests\{0,1\} failed out of \([0-9]*\).*/\1 \2/p' "$1" | tail -n 1)
    lost=${line% *}
    all=${line#* }
}

step_preset() {
    log=$logs/$1.log
    if ! cmake --preset "$1" >"$log" 2>&1; then fail "$1" "$log"; return; fi
    if ! cmake --build --preset "$1" --parallel "$jobs" >>"$log" 2>&1; then fail "$1" "$log"; return; fi
    status=0
    ctest --preset "$1" --parallel "$jobs" >"$log.ctest" 2>&1 || status=$?
    count "$log.ctest"
    if [ -z "$line" ] || { [ $status -ne 0 ] && [ "$lost" -eq 0 ]; }; then fail "$1" "$log.ctest"; return; fi
    passed=$((passed + all - lost))
    failed=$((failed + lost))
    echo "$1: $((all - lost)) passed, $lost failed"
    if [ "$lost" -ne 0 ]; then
        failures="$failures $1"
        tail -n 100 "$log.ctest"
    fi
}

# step_checks NAME...: no check writes where another reads, but for objects that are kept under a lock (lib_objects).
step_checks() {
    rm -f "$logs"/check-*.status
    printf '%s\n' "$@" | xargs -P "$jobs" -I NAME sh -c 'status=0
        sh test/check/NAME.sh "$0" >"$1/check-NAME.log" 2>&1 || status=$?
        echo $status >"$1/check-NAME.status"' "$tier" "$logs"
    for name; do
        log=$logs/check-$name.log
        if [ "$(cat "$logs/check-$name.status")" = 0 ]; then
            passed=$((passed + 1))
            echo "$name: passed"
        else
            fail "$name" "$log"
        fi
    done
}

sh port/setup.sh
mkdir -p "$logs"

checks=
if [ $# -gt 0 ]; then
    presets=
    for step; do
        if [ -f "test/check/$step.sh" ]; then checks="$checks $step"; else presets="$presets $step"; fi
    done
else
    checks="budget package" # the longest first, so that the last one does not run alone
    for script in test/check/*.sh; do
        name=${script##*/}
        case $name in budget.sh | package.sh) ;; *) checks="$checks ${name%.sh}" ;; esac
    done
fi

for preset in $presets; do
    step_preset "$preset"
done
# shellcheck disable=SC2086
[ -z "$checks" ] || step_checks $checks

[ -z "$failures" ] || echo "failed in:$failures"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
