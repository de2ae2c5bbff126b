# SPDX-License-Identifier: MIT
#
# OWNS     the comparison with the malloc of the machine this runs on.
# CALLERS  run.py.
import bench

HEADER = ("trace", "allocator", "bits", "ops", "peak_bytes", "region_bytes", "ratio", "ns_per_op")


def build():
    """(program, bits of a pointer): 32 where the compiler can, as the traces and a microcontroller have it."""
    program = bench.OUT / "host"
    sources = sorted((bench.ROOT / "lib").glob("*/*.c"))
    sources += [bench.ROOT / "port" / "replay" / name for name in ("trace_read.c", "trace_text.c", "trace_compact.c", "replay.c")]
    bench.OUT.mkdir(parents=True, exist_ok=True)
    command = ["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Wundef", "-Wconversion", "-Wshadow", "-Werror", "-Ilib", "-Ilib/include",
               "-Iport/replay", "test/bench/host.c", *sources, "-o", program]
    try:
        bench.run([*command, "-m32"])
        return program, 32
    except bench.BenchError:
        bench.run(command)
        return program, 64


def rows(traces):
    """One after the other: two at a time would disturb each other. cairn's region is 1.5 x the smallest, as in the counted runs."""
    program, bits = build()
    smallest = {(row["fit"], row["trace"]): int(row["region_bytes"]) for row in bench.load(bench.OUT / "memory.csv")}
    table = []
    for trace in traces:
        for allocator in ("glibc", "best", "bounded"):
            found = smallest.get((allocator, trace.stem))
            if allocator != "glibc" and found is None:
                continue
            line = bench.run([program, trace, allocator, found * 3 // 2 if found else 0]).strip()
            ops, peak, taken, ns = line.split(",")
            taken = int(taken) if found is None else found
            name = allocator if allocator == "glibc" else f"cairn-{allocator}"
            table.append((trace.stem, name, bits, ops, peak, taken, f"{taken / int(peak):.4f}", ns))
        bench.say(f"host {trace.stem}: " + ", ".join(f"{row[1]} {row[7]} ns" for row in table if row[0] == trace.stem))
    return table
