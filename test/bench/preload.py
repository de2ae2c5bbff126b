# SPDX-License-Identifier: MIT
#
# OWNS        real programs over libcairn-malloc.so, beside the same over glibc's malloc, jemalloc and mimalloc: time and peak resident memory.
# PICTURE     round 1: program 1 with each allocator, program 2 with each ..    round 2: the same, so that a busy minute hits all alike
# INVARIANTS  1. A program prints, and writes, the same with every allocator, or the step fails.
#             2. The allocator named is the one that is loaded.
#             3. The time is of a run that nothing else looks into, the peak of another one (peak.c).
# COST        some twenty minutes. One program at a time.
# CALLERS     run.py.
import hashlib
import os
import pathlib
import statistics
import subprocess
import tempfile

import bench

HEADER = ("what", "allocator", "seconds", "rss_kb", "user_seconds")
ALLOCATORS = ("glibc", "cairn", "jemalloc", "mimalloc")
RUNS = 7
# Programs of less than so many seconds run so often in a round: a machine's busy moment may be longer than they are, and where the system lays them
# out, at random, changes their peak by up to 100 KB.
SHORT, REPEATS = 1.0, 5
SLOWER = 1.5  # times glibc's time that are promised


def named(*names):
    """Where the linker finds the first of these libraries that there is."""
    for name in names:
        path = bench.run(["gcc", f"-print-file-name={name}"]).strip()
        if os.sep in path:
            return path
    raise bench.BenchError(f"{names[0]} is missing: sh port/setup.sh tools installs it")


def libraries():
    bench.run(["cmake", "--preset", "host"])
    bench.run(["cmake", "--build", "--preset", "host", "--target", "cairn-malloc"])
    own = bench.ROOT / "build" / "host" / "lib" / "libcairn-malloc.so"
    paths = {"glibc": "", "cairn": str(own), "jemalloc": named("libjemalloc.so.2"), "mimalloc": named("libmimalloc.so.2", "libmimalloc.so.3")}
    for name, path in paths.items():
        maps = bench.run(["cat", "/proc/self/maps"], env={**os.environ, "LD_PRELOAD": path})
        loaded = [other for other in ALLOCATORS[1:] if other in maps.replace(str(bench.ROOT), "")]
        if loaded != [name] * (name != "glibc"):
            raise bench.BenchError(f"{name}: loaded is {loaded}")
    return paths


def programs():
    here = pathlib.Path("test") / "preload"
    sources = sorted(str(path.relative_to(bench.ROOT)) for path in (bench.ROOT / "lib").glob("*/*.c"))
    one = "cd \"$1\" && shift && top=$1 && shift && for f; do gcc -std=c11 -O2 -g0 -I\"$top/lib\" -I\"$top/lib/include\" -c \"$top/$f\" || exit 1; done"
    return {
        "sqlite3": ["sqlite3", ":memory:", f".read {here}/work.sql"],
        "lua5.4": ["lua5.4", f"{here}/work.lua"],
        "python3": ["python3", f"{here}/work.py"],
        "gcc": ["sh", "-c", one, "sh", "FOLDER", str(bench.ROOT), *sources],
    }


def run(tool, command, library):
    """(what the tool found, what the program printed and wrote) of one run; children count with their parent."""
    with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile("r") as figures:
        words = [folder if word == "FOLDER" else word for word in command]
        done = subprocess.run([tool, figures.name, library, *words], cwd=bench.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0 or (not done.stdout and not os.listdir(folder)):
            raise bench.BenchError(f"{words[0]} with '{library}': status {done.returncode}, prints {done.stdout[-300:]}")
        digest = hashlib.sha256(done.stdout)
        for path in sorted(pathlib.Path(folder).iterdir()):
            digest.update(path.name.encode() + path.read_bytes())
        return figures.read().split(","), digest.hexdigest()


def run_both(tools, command, library):
    """(seconds, user seconds, the peaks of resident KB, what it printed and wrote)"""
    times, peaks, printed = [], [], set()
    while not times or (len(times) < REPEATS and min(times)[0] < SHORT):
        (peak,), first = run(tools["peak"], command, library)
        (seconds, user), second = run(tools["spend"], command, library)
        printed |= {first, second}
        peaks.append(int(peak))
        times.append((float(seconds), float(user)))
    if len(printed) != 1:
        raise bench.BenchError(f"{command[0]} with '{library}': prints or writes something else each time")
    return *min(times), peaks, printed.pop()


def tools():
    """Programs that run others: {name: path}"""
    bench.OUT.mkdir(parents=True, exist_ok=True)
    built = {name: bench.OUT / name for name in ("spend", "peak")}
    for name, path in built.items():
        bench.run(["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Wundef", "-Wconversion", "-Wshadow", "-Werror", f"test/bench/{name}.c", "-o", path])
    return built


def rows():
    built = tools()
    paths = libraries()
    commands = programs()
    found = {(what, name): [] for what in commands for name in ALLOCATORS}
    for number in range(RUNS):
        for what, command in commands.items():
            for name in ALLOCATORS:
                found[(what, name)].append(run_both(built, command, paths[name]))
        bench.say(f"preload, round {number + 1} of {RUNS}")
    for (what, name), runs in found.items():
        if {digest for *_, digest in runs} != {found[(what, "glibc")][0][3]}:
            raise bench.BenchError(f"{what} with {name}: prints or writes something else than with glibc")
    return [(what, name, f"{min(run[0] for run in runs):.3f}", int(statistics.median(peak for run in runs for peak in run[2])), f"{min(run[1] for run in runs):.3f}")
            for (what, name), runs in found.items()]
