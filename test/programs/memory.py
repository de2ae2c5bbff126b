# SPDX-License-Identifier: MIT
#
# Runs the programs of test/programs on an emulated Cortex-M4, and finds the least memory that each needs.
#
#   python3 test/programs/memory.py compare     each program with all the memory there is: the output must be the host's
#   python3 test/programs/memory.py measure     the same; and by bisection the smallest span of sbrk in which it still is, into build/programs/memory.csv
#   python3 test/programs/memory.py publish     writes docs/porting/libc.md's table from that file
#
# OWNS        build/programs/memory.csv; what stands between `<!-- programs:memory -->` and `<!-- /programs -->` in docs/porting/libc.md.
# INVARIANTS  1. A program runs in a span iff it ends with status 0 and prints what the host's prints.
#             2. The span found is a multiple of STEP: the program runs in it, and does not in one that is STEP shorter.
# COST        a run is a fifth of a second; measure makes some 500.
# CALLERS     test/check/programs.sh; whoever publishes.
import concurrent.futures
import csv
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "programs"
CSV = OUT / "memory.csv"
PAGE = ROOT / "docs" / "porting" / "libc.md"
BLOCK = re.compile(r"(<!-- programs:memory -->\n)(.*?)(<!-- /programs -->)", re.DOTALL)
PROGRAMS = [("lua", name + ".lua") for name in ("closures", "tables", "strings", "coroutines", "garbage")]
PROGRAMS += [("json", name + ".json") for name in ("device", "readings")]
LIBRARIES = ("newlib", "nano", "picolibc")
MALLOCS = ("own", "cairn")
NAMES = {"newlib": "newlib", "nano": "newlib-nano", "picolibc": "picolibc"}
STEP = 64
MOST = 1 << 20
SECONDS = 60


def command(program, document, library, malloc, span):
    file = f"test/programs/scripts/{document}"
    if library is None:
        return [str(OUT / "host" / program), "0", file]
    elf = OUT / "m4" / f"{program}_{library}_{malloc}.elf"
    return ["sh", "port/board/qemu.sh", "mps2-an386", str(elf), str(span), file]


def run(*what):
    """What the program prints; None where it does not end with status 0."""
    try:
        done = subprocess.run(command(*what), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


def expected(program, document):
    printed = run(program, document, None, None, 0)
    if not printed:
        sys.exit(f"programs: {program} {document} fails on the host")
    return printed


def least(program, document, library, malloc, wanted):
    """The smallest span in which it runs; None if it does not even in MOST."""
    high = 4096
    while run(program, document, library, malloc, high) != wanted:
        high *= 2
        if high > MOST:
            return None
    low = high // 2 if high > 4096 else 0  # does not run
    while high - low > STEP:
        middle = (low + high) // 2 // STEP * STEP
        if run(program, document, library, malloc, middle) == wanted:
            high = middle
        else:
            low = middle
    return high


def all_builds():
    return [(*program, library, malloc) for program in PROGRAMS for library in LIBRARIES for malloc in MALLOCS]


def compare(wanted):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        printed = list(pool.map(lambda build: run(*build, 0), all_builds()))
    wrong = [build for build, text in zip(all_builds(), printed) if text != wanted[build[:2]]]
    for program, document, library, malloc in wrong:
        print(f"programs: {document} with {library}, malloc {malloc}: not what the host prints")
    if wrong:
        sys.exit(1)
    print(f"programs: {len(PROGRAMS)} programs in {len(printed)} builds print what the host prints, {sum(map(len, wanted.values()))} bytes")


def measure(wanted):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        spans = list(pool.map(lambda build: least(*build, wanted[build[:2]]), all_builds()))
    if None in spans:
        sys.exit(f"programs: a build does not run in {MOST} bytes")
    with CSV.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["program", "library", "malloc", "bytes"])
        for (_, document, library, malloc), span in zip(all_builds(), spans):
            writer.writerow([document, library, malloc, span])
    print(table(), end="")


def table():
    if not CSV.is_file():
        sys.exit("programs: there is no build/programs/memory.csv: sh test/check/programs.sh full")
    with CSV.open(encoding="utf-8", newline="") as file:
        found = {(row["program"], row["library"], row["malloc"]): int(row["bytes"]) for row in csv.DictReader(file)}
    lines = ["| program | " + " | ".join(f"{NAMES[library]}, its own | cairn" for library in LIBRARIES) + " |", "| --- |" + " --: |" * 6]
    for _, document in PROGRAMS:
        lines.append(f"| `{document}` | " + " | ".join(f"{found[document, library, malloc]:,}" for library in LIBRARIES for malloc in MALLOCS) + " |")
    return "\n".join(lines) + "\n"


def publish():
    old = PAGE.read_text(encoding="utf-8")
    new, count = BLOCK.subn(lambda block: block[1] + table() + block[3], old)
    if count != 1:
        sys.exit(f"programs: {PAGE.name} has {count} places for the table")
    PAGE.write_text(new, encoding="utf-8")


def main():
    mode = sys.argv[1] if len(sys.argv) == 2 else ""
    if mode not in ("compare", "measure", "publish"):
        sys.exit("usage: memory.py compare | measure | publish")
    if mode == "publish":
        publish()
        return
    wanted = {program: expected(*program) for program in PROGRAMS}
    compare(wanted)
    if mode == "measure":
        measure(wanted)


main()
