# SPDX-License-Identifier: MIT
#
# OWNS     where things are, how a program is built and run, and how a table becomes a CSV file.
# CALLERS  the other scripts of this folder. Standard library only.
import concurrent.futures
import csv
import functools
import math
import os
import pathlib
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "bench"
CORES = ("m0", "m3", "m4", "m7", "m33")
MACHINES = {"m0": "mps2-an385", "m3": "mps2-an385", "m4": "mps2-an386", "m7": "mps2-an500", "m33": "mps2-an505"}
LIBCS = ("newlib", "nano", "picolibc")
SEARCH = 4
KINDS = ("malloc", "free", "realloc")
HOLES = (100, 1000, 4000)
POLICIES = ("fifo", "lru", "clock", "nru", "lfu", "random", "2q", "clockpro", "s3fifo", "wsclock", "adaptive")
POLICY_ACCESSES = ("tlb_miss", "minor", "minor_evicting", "major", "major_evicting_dirty")
PATIENCE = int(os.environ.get("BENCH_TIMEOUT", 1200))  # seconds for one run of QEMU: many times what the longest takes
SHORT = ("coap_client", "lwip_tcp_udp", "nanopb_reports")  # the traces of the short form

INSTRUCTIONS = ("what", "core", "opt", "trace", "calls", "avg", "max")
MEMORY = ("trace", "fit", "search", "ops", "peak_bytes", "region_bytes", "ratio", "failed")
SIZES = ("core", "opt", "harden", "peer", "calls", "bytes", "bytes_without_mem")


class BenchError(Exception):
    pass


def say(text):
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def run(command, **extra):
    """Runs a command in the top folder and returns what it printed; what it complained about is in the error."""
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **extra)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stderr.strip()}")
    return done.stdout


def run_limited(command, seconds):
    """As run, but returns None where it has not ended in time: then it and all that it started are killed."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True) as started:
        try:
            printed, complaint = started.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)  # QEMU is the shell's child, and holds the pipes
            started.communicate()
            return None
    if started.returncode != 0:
        raise BenchError(f"{' '.join(words)}: status {started.returncode}\n{complaint.strip()}")
    return printed


@functools.lru_cache(maxsize=None)
def build(core, opt, peer):
    """Returns the program's path in build/bench."""
    run(["sh", "test/bench/build.sh", core, opt, peer])
    return OUT / f"{core}-{opt}" / f"{peer}.elf"


def qemu(core, elf, *words, counted=True):
    """Returns the lines that the program printed, split at commas. A run that does not end is tried once more: the counts do not depend on it."""
    flags = ["-i"] if counted else []
    command = ["sh", "port/board/qemu.sh", *flags, MACHINES[core], elf, *words]
    printed = run_limited(command, PATIENCE)
    if printed is None:
        say(f"no end after {PATIENCE} s, once more: {' '.join(map(str, command))}")
        printed = run_limited(command, PATIENCE)
    if printed is None:
        raise BenchError(f"{' '.join(map(str, command))}: no end after {PATIENCE} s, twice")
    return [line.split(",") for line in printed.splitlines()]


def traces(arguments):
    """The traces named, or all of ../shared/traces/heap, or those of the repository. By name, sorted."""
    paths = [pathlib.Path(argument).resolve() for argument in arguments]
    if not paths:
        paths = sorted((ROOT.parent / "shared" / "traces" / "heap").glob("*.rep")) or sorted((ROOT / "test" / "traces").glob("*.ctr"))
    for path in paths:
        if not path.is_file():
            raise BenchError(f"{path}: no such trace")
        if " " in str(path):
            raise BenchError(f"{path}: a blank in a path does not reach the target")
    return sorted(paths, key=lambda path: path.stem)


def short_traces():
    return [ROOT / "test" / "traces" / f"{name}.ctr" for name in SHORT]


def peers():
    """(peer, fit for the program, name in the tables): all that is measured on the target."""
    return [("cairn", fit, f"cairn-{fit}") for fit in ("best", "first", "bounded")] + [(peer, "libc", libc_name(peer)) for peer in LIBCS]


def libc_name(peer):
    return "newlib-nano" if peer == "nano" else peer


def in_parallel(work, items, jobs):
    """work(item) for each, `jobs` at a time; the results in order. The first that fails ends it."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(work, items))


def add_jobs(parser):
    """The option --jobs of a command line."""
    def positive(text):
        jobs = int(text)
        if jobs < 1:
            raise ValueError
        return jobs
    positive.__name__ = "number of jobs"  # as argparse names it
    parser.add_argument("--jobs", type=positive, default=os.environ.get("BENCH_JOBS", str(os.cpu_count() or 1)))


def write(name, header, rows, comments=()):
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / name
    with open(path, "w", newline="", encoding="ascii") as out:
        for comment in comments:
            out.write(f"# {comment}\n")
        table = csv.writer(out, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)
    say(f"wrote {path.relative_to(ROOT)}, {len(rows)} rows")


def load(path):
    """Rows of a CSV file as dictionaries, comments left out. Empty where there is no such file."""
    if not path.is_file():
        return []
    with open(path, encoding="ascii") as text:
        return list(csv.DictReader(line for line in text if not line.startswith("#")))


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def compiler():
    return "arm-none-eabi-gcc " + run(["arm-none-eabi-gcc", "-dumpfullversion"]).strip()
