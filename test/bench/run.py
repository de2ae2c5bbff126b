# SPDX-License-Identifier: MIT
#
# OWNS     the order of the measurements, and the files in build/bench (run.sh says how it is called).
# COST     see run.sh. Steps that need the smallest regions take them from build/bench/memory.csv where the step `memory` is left out.
# CALLERS  run.sh.
import argparse
import pathlib
import sys

import bench
import checkpoints
import host
import measure
import plot
import preload
import summary

STEPS = ("memory", "instructions", "holes", "lock", "pools", "deferred", "arena", "vm", "objects",
         "checkpoints", "compress", "pages", "sizes", "libc", "host", "preload", "summary", "plots")

def regions_known(traces, peers):
    """From memory.csv of an earlier run."""
    known = {}
    for row in bench.load(bench.OUT / "memory.csv"):
        name = row["fit"] if row["fit"] in map(bench.libc_name, bench.LIBCS) else f"cairn-{row['fit']}"
        known[(name, row["trace"])] = (int(row["ops"]), int(row["peak_bytes"]), int(row["region_bytes"]))
    missing = [f"{name} {trace.stem}" for _, _, name in peers for trace in traces if (name, trace.stem) not in known]
    if missing:
        raise bench.BenchError(f"build/bench/memory.csv lacks {missing[0]}: run the step `memory` too")
    return known


def step_memory(options):
    found = measure.regions(options.traces, bench.peers(), options.jobs)
    rows = measure.memory_rows(found)
    means = [f"geometric mean of region/peak, {len(options.traces)} traces"]
    for name in dict.fromkeys(row[1] for row in rows):
        means.append(f"  {name} {bench.geometric_mean(float(row[6]) for row in rows if row[1] == name):.4f}")
        print(means[-1].strip(), flush=True)
    bench.write("memory.csv", bench.MEMORY, rows, means)


def step_instructions(options):
    known = regions_known(options.traces, bench.peers())
    rows, bars = [], []
    for core in options.cores:
        core_rows, core_bars = measure.trace_rows(core, options.traces, bench.peers(), known, options.jobs)
        rows += core_rows
        bars += core_bars
    notes = ["instructions a call, counted on QEMU with -icount; they are not cycles", "trace `all`: avg is the mean of the traces' averages"]
    bench.write("instructions.csv", bench.INSTRUCTIONS, rows, notes)
    bench.write("histogram.csv", ("what", "core", "opt", "trace", "instructions", "calls"), bars)


def step_holes(options):
    rows = [row for core in options.cores for row in measure.hole_rows(core, bench.peers(), bench.HOLES, options.jobs)]
    bench.write("holes.csv", bench.INSTRUCTIONS, rows, ["instructions a call with N free holes; trace: holes_N.SITUATION, holes_N for all of the call's"])


def step_lock(options):
    rows, control = [], []
    for core in options.cores:
        core_rows, sizes = measure.lock_rows(core)
        rows += core_rows
        control += [(core, size, handle_and_control) for size, handle_and_control in sorted(sizes.items())]
    bench.write("lock_held.csv", bench.INSTRUCTIONS, rows, ["instructions between the lock hook and the unlock hook; `all`: every call but *_64KB"])
    bench.write("control.csv", ("core", "heap_bytes", "control_bytes"), control, ["handle, heads, counters: all but the tags"])


def step_pools(options):
    count_calls(options, "pool", "pools.csv")


def step_deferred(options):
    count_calls(options, "deferred", "deferred.csv")


def count_calls(options, peer, name):
    rows = [row for core in options.cores for row in measure.call_rows(core, peer)]
    for row in rows:
        print(",".join(map(str, row)), flush=True)
    bench.write(name, bench.INSTRUCTIONS, rows, ["instructions a call; trace: the situation, `all` for every call that does its work"])


def step_arena(options):
    known = regions_known(options.traces, bench.peers()[:1])
    rows = [row for core in options.cores for row in measure.arena_rows(core, options.traces, known, options.jobs)]
    for row in rows:
        if row[3] == "all":
            print(",".join(map(str, row)), flush=True)
    notes = ["instructions a call below the threshold. grows: the arena's, with the calls that move the break",
             "heap: cairn_heap_* in the same memory. extra: each call of the arena less the same call of that heap; -primask: with a lock in the arena;",
             "heap-primask: that heap with the same lock as hooks; extra-both-primask: the arena's calls less those"]
    bench.write("arena.csv", bench.INSTRUCTIONS, rows, notes)


def step_vm(options):
    rows = [row for core in options.cores for row in measure.vm_rows(core)]
    for row in rows:
        if row[1] == "m4":
            print(",".join(map(str, row)), flush=True)
    bench.write("vm.csv", bench.INSTRUCTIONS, rows,
                ["instructions an access; minor, major: without the zeroing or the transfer; bytes.*: bytes",
                 "vm: page, tables and TLB fixed at build time, CLOCK; vm-any: each vm's own, CLOCK; vm-POLICY: fixed, that policy"])


def step_objects(options):
    rows = [row for core in options.cores for row in measure.object_rows(core)]
    for row in rows:
        if row[1] == "m4":
            print(",".join(map(str, row)), flush=True)
    bench.write("objects.csv", bench.INSTRUCTIONS, rows,
                ["instructions a call; copy: without the copy of the page", "objects: page, tables and TLB fixed at build time; objects-any: each vm's own"])


def step_checkpoints(_):
    bench.write("checkpoints.csv", checkpoints.HEADER, checkpoints.rows(), ["slots that are written beside the pages that were stored to"])


def step_compress(_):
    print(bench.run(["sh", "test/bench/compress.sh"]), flush=True)


def step_pages(_):
    for options in ((), ("--tlb", "16"), ("--prefetch",)):
        print(bench.run(["sh", "test/bench/pages.sh", "--quiet", *options]), flush=True)


def step_sizes(options):
    rows, ram, stack = [], [], []
    for core in options.cores:
        bench.say(f"sizes {core}")
        rows += measure.size_rows(core)
        for opt in ("Os", "O2"):
            bench.build(core, opt, "cairn")
            ram.append((core, opt, measure.static_ram(core, opt)))
            stack += measure.stack_rows(core, opt)
    bench.write("size.csv", bench.SIZES, rows, ["text + rodata + data that the calls add to a program"])
    bench.write("static_ram.csv", ("core", "opt", "bytes"), ram)
    bench.write("stack.csv", ("function", "core", "opt", "bytes", "kind"), stack, ["one frame each, from -fstack-usage"])


def step_libc(options):
    rows = [(core, library, measure.drop_in_ram(core, library)) for core in options.cores for library in bench.LIBCS]
    for row in rows:
        print(",".join(map(str, row)), flush=True)
    bench.write("libc_ram.csv", ("core", "library", "bytes"), rows, ["bytes of .data and .bss of port/libc, the break and the library, over each C library"])


def step_host(options):
    rows = host.rows(options.traces)
    bench.write("host.csv", host.HEADER, rows, ["this machine; ns_per_op is a timing, noisy, stamping included; the bytes are exact"])


def step_preload(_):
    rows = preload.rows()
    for row in rows:
        print(",".join(map(str, row)), flush=True)
    bench.write("preload.csv", preload.HEADER, rows, ["this machine; seconds are a timing, the least of the runs; rss_kb is the median of the peaks"])


def step_summary(_):
    rows = summary.rows()
    bench.write("summary.csv", summary.HEADER, rows)
    for row in rows:
        print("  ".join(f"{str(cell):<{width}}" for cell, width in zip(row, (64, 16, 12, 12, 8))).rstrip(), flush=True)


def step_plots(_):
    plot.draw_all()


def main():
    parser = argparse.ArgumentParser(prog="sh test/bench/run.sh")
    parser.add_argument("--cores", default=",".join(bench.CORES))
    parser.add_argument("--only", default=",".join(STEPS))
    bench.add_jobs(parser)
    parser.add_argument("traces", nargs="*", metavar="TRACE")
    options = parser.parse_args()
    options.cores = options.cores.split(",")
    steps = options.only.split(",")
    unknown = [core for core in options.cores if core not in bench.CORES] + [step for step in steps if step not in STEPS]
    if unknown:
        parser.error(f"unknown: {unknown[0]} (cores {' '.join(bench.CORES)}, steps {' '.join(STEPS)})")
    try:
        options.traces = bench.traces(options.traces)
        bench.say(f"{len(options.traces)} traces from {pathlib.Path(options.traces[0]).parent.name}, cores {' '.join(options.cores)}")
        for step in (step for step in STEPS if step in steps):
            bench.say(f"step {step}")
            globals()[f"step_{step}"](options)
    except bench.BenchError as error:
        sys.exit(f"bench: {error}")


main()
