# SPDX-License-Identifier: MIT
#
# Holds the library to the figures of budget.csv: no call may take more instructions at worst, no build more bytes.
#
#   python3 test/bench/budget.py [--update] [--cores m4,...] [--jobs N]
#
# OWNS        budget.csv: figure,core,budget. --update writes today's figures into it, exactly: there is no slack, because the counts
#             and the sizes are exact. With --cores, the other cores' lines stay.
# INVARIANTS  1. Every figure of the file is measured, and every figure that is measured is in the file: nothing is dropped in silence.
#             2. Another compiler than the file's makes other code: then FOREIGN_SLACK is allowed, and said.
# COST        a minute for five cores on two processors: three traces, holes, pools, marks, the arena, sizes.
# CALLERS     test/check/budget.sh.
import argparse
import sys

import bench
import measure

PATH = bench.ROOT / "test" / "bench" / "budget.csv"
FOREIGN_SLACK = 15  # percent
FITS = [("cairn", fit, f"cairn-{fit}") for fit in ("best", "bounded")]
# Of the arena beyond the heap's calls, where one trace says what three say, and of the heap's with a lock. Not what the arena's take with the lock in both: that
# rises when the heap's hooks get faster.
ARENA_MODES = ("extra", "extra_primask", "heap_primask")
PORTABLE = ("region", "static_ram", "control")  # no compiler changes these


def figures_of(core, traces, found, jobs):
    """{figure: number} of one core."""
    figures = {}
    rows, _ = measure.trace_rows(core, traces, FITS, found, jobs)
    for what, _, _, trace, _, _, most in rows:
        if trace == "all":
            figures[f"{what}.traces"] = int(most)
    for what, _, _, trace, _, _, most in measure.hole_rows(core, FITS, (4000,), jobs):
        if trace == "holes_4000":
            figures[f"{what}.holes_4000"] = int(most)
    for peer in ("pool", "deferred"):
        figures.update({what: int(most) for what, _, _, name, _, _, most in measure.call_rows(core, peer) if name == "all"})
    for what, _, _, trace, _, _, most in measure.arena_rows(core, traces[:1], found, jobs, modes=ARENA_MODES):
        if trace == "all":
            figures[f"{what}.traces"] = int(most)
    rows, control = measure.lock_rows(core)
    figures.update({what: int(most) for what, _, _, name, _, _, most in rows if name == "all"})
    figures.update({f"control.{size >> 10}KB": number for size, number in control.items()})
    figures["static_ram"] = measure.static_ram(core)
    for _, opt, harden, _, calls, size, _ in measure.size_rows(core, hardens=(1,), libcs=False):
        figures[f"size.{opt}.{calls}"] = int(size)
    return figures


def measured(cores, jobs):
    """{(figure, core): number}"""
    traces = bench.short_traces()
    found = measure.regions(traces, FITS, jobs)
    table = {(f"region.{name}.{trace}", "any"): figures[2] for (name, trace), figures in found.items()}
    for core in cores:
        table.update({(figure, core): number for figure, number in figures_of(core, traces, found, jobs).items()})
        bench.say(f"budget {core}: measured")
    return table


def read():
    """({(figure, core): budget}, the compiler it was written with)"""
    if not PATH.is_file():
        return {}, ""
    compiler = ""
    for line in PATH.read_text(encoding="ascii").splitlines():
        if line.startswith("# compiler: "):
            compiler = line.removeprefix("# compiler: ")
    return {(row["figure"], row["core"]): int(row["budget"]) for row in bench.load(PATH)}, compiler


def update(today, cores):
    budget, _ = read()
    kept = {key: number for key, number in budget.items() if key[1] not in (*cores, "any")}
    with open(PATH, "w", encoding="ascii") as out:
        out.write("# SPDX-License-Identifier: MIT\n")
        out.write("# What the library may take: instructions of the worst call (-O2), bytes. Written by test/check/budget.sh --update.\n")
        out.write(f"# compiler: {bench.compiler()}\n")
        out.write("figure,core,budget\n")
        for (figure, core), number in sorted({**kept, **today}.items()):
            out.write(f"{figure},{core},{number}\n")
    print(f"budget: wrote {PATH.relative_to(bench.ROOT)}, {len(kept) + len(today)} figures")


def compare(today, cores):
    """Prints what is over, and what the file and the measurement do not share. Returns how many lines are wrong."""
    budget, compiler = read()
    foreign = compiler != bench.compiler()
    if foreign:
        print(f"budget: written with {compiler or 'no compiler'}, this is {bench.compiler()}: {FOREIGN_SLACK} % of slack")
    wanted = {key: number for key, number in budget.items() if key[1] in (*cores, "any")}
    wrong = better = 0
    for key in sorted(wanted.keys() | today.keys()):
        figure, core = key
        if key not in wanted or key not in today:
            print(f"budget: {figure} {core}: " + ("not measured any more" if key in wanted else f"{today[key]}, without a budget"))
            wrong += 1
            continue
        slack = FOREIGN_SLACK if foreign and not figure.startswith(PORTABLE) else 0
        if today[key] * 100 > wanted[key] * (100 + slack):
            print(f"budget: {figure} {core}: budget {wanted[key]}, measured {today[key]}, over by {today[key] - wanted[key]}")
            wrong += 1
        better += today[key] < wanted[key]
    print(f"budget: {len(today)} figures, {wrong} wrong, {better} better than their budget")
    if wrong or better:
        print("budget: sh test/check/budget.sh --update takes today's figures over")
    return wrong


def main():
    parser = argparse.ArgumentParser(prog="sh test/check/budget.sh")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--cores", default=",".join(bench.CORES))
    bench.add_jobs(parser)
    options = parser.parse_args()
    cores = options.cores.split(",")
    try:
        today = measured(cores, options.jobs)
    except bench.BenchError as error:
        sys.exit(f"budget: {error}")
    if options.update:
        update(today, cores)
    elif compare(today, cores):
        sys.exit(1)


main()
