# SPDX-License-Identifier: MIT
#
# OWNS     one measurement each: it takes cores, traces and peers, and returns rows.
# CALLERS  run.py (everything), budget.py (the short form). bench.py is below.
import os
import shutil

import bench


def regions(traces, peers, jobs, core="m4"):
    """The smallest region of each trace and peer: {(table name, trace): (ops, peak, region)}. Not counted, hence faster."""
    programs = {peer: bench.build(core, "O2", peer) for peer in dict.fromkeys(peer for peer, _, _ in peers)}

    def one(item):
        (peer, fit, name), trace = item
        ops, peak, region = map(int, bench.qemu(core, programs[peer], "region", trace, fit, bench.SEARCH, counted=False)[0])
        bench.say(f"region {name} {trace.stem}: {region / peak:.3f}")
        return (name, trace.stem), (ops, peak, region)

    return dict(bench.in_parallel(one, [(peer, trace) for peer in peers for trace in traces], jobs))


def memory_rows(found):
    return [(trace, name.removeprefix("cairn-"), bench.SEARCH if name.startswith("cairn-") else 0, ops, peak, region, f"{region / peak:.4f}", 0)
            for (name, trace), (ops, peak, region) in found.items()]


def split(lines):
    """(rows name,calls,avg,max; bars name,instructions,calls) of what the program printed."""
    return [line for line in lines if not line[0].startswith("bar ")], [[line[0][4:], *line[1:]] for line in lines if line[0].startswith("bar ")]


def trace_rows(core, traces, peers, found, jobs, opt="O2"):
    """Instructions of each call kind on each trace, in 1.5 x its smallest region. Returns (rows, histogram rows)."""
    programs = {peer: bench.build(core, opt, peer) for peer in dict.fromkeys(peer for peer, _, _ in peers)}

    def one(item):
        (peer, fit, name), trace = item
        size = found[(name, trace.stem)][2] * 3 // 2
        rows, bars = split(bench.qemu(core, programs[peer], "trace", trace, fit, bench.SEARCH, size))
        bench.say(f"instructions {core} {name} {trace.stem}: malloc {rows[0][2]} / {rows[0][3]}, free {rows[1][2]} / {rows[1][3]}")
        return ([(f"{name}.{kind}", core, opt, trace.stem, calls, average, most) for kind, calls, average, most in rows if calls != "0"],
                [(f"{name}.{kind}", core, opt, trace.stem, at, calls) for kind, at, calls in bars])

    done = bench.in_parallel(one, [(peer, trace) for peer in peers for trace in traces], jobs)
    rows = [row for part, _ in done for row in part]
    return rows + summary_rows(core, opt, rows), [bar for _, part in done for bar in part]


def summary_rows(core, opt, rows):
    """Trace `all`: calls of all traces, the mean of the traces' averages, the largest of the maxima."""
    sums = []
    for what in dict.fromkeys(row[0] for row in rows):
        mine = [row for row in rows if row[0] == what]
        average = sum(float(row[5]) for row in mine) / len(mine)
        sums.append((what, core, opt, "all", sum(int(row[4]) for row in mine), f"{average:.1f}", max(int(row[6]) for row in mine)))
    return sums


def hole_rows(core, peers, counts, jobs, opt="O2"):
    """Maxima with N free holes; trace is holes_N.SITUATION, and holes_N for the largest of the call's situations."""
    programs = {peer: bench.build(core, opt, peer) for peer in dict.fromkeys(peer for peer, _, _ in peers)}
    kinds = {"none": "malloc", "exact": "malloc", "rest": "malloc", "alone": "free", "between": "free", "grows": "realloc", "moves": "realloc"}

    def one(item):
        (peer, fit, name), count = item
        lines, _ = split(bench.qemu(core, programs[peer], "holes", count, fit, bench.SEARCH))
        rows = [(f"{name}.{kinds[case]}", core, opt, f"holes_{count}.{case}", *figures) for case, *figures in lines]
        for kind in bench.KINDS:
            mine = [row for row in rows if row[0] == f"{name}.{kind}"]
            calls = sum(int(row[4]) for row in mine)
            average = sum(int(row[4]) * float(row[5]) for row in mine) / calls
            rows.append((f"{name}.{kind}", core, opt, f"holes_{count}", calls, f"{average:.1f}", max(int(row[6]) for row in mine)))
        bench.say(f"holes {core} {name} {count}: malloc {rows[-3][6]}, free {rows[-2][6]}, realloc {rows[-1][6]}")
        return rows

    return [row for part in bench.in_parallel(one, [(peer, count) for peer in peers for count in counts], jobs) for row in part]


def lock_rows(core, opt="O2"):
    """The time the lock is held by each public call, and the bytes of control: (rows, {heap bytes: control bytes})."""
    program = bench.build(core, opt, "lock")
    rows, control = [], {}
    for fit in ("best", "bounded"):
        longest = []
        for line in bench.qemu(core, program, fit, bench.SEARCH):
            if line[0] == "control":
                control[int(line[1])] = int(line[2])
                continue
            rows.append((f"cairn-{fit}.lock_held", core, opt, line[0], *line[1:]))
            if not line[0].endswith("_64KB"):  # those look at the whole region: walk and check say so
                longest.append(line)
        calls = sum(int(line[1]) for line in longest)
        average = sum(int(line[1]) * float(line[2]) for line in longest) / calls
        rows.append((f"cairn-{fit}.lock_held", core, opt, "all", calls, f"{average:.1f}", max(int(line[3]) for line in longest)))
    return rows, control


def call_rows(core, peer, opt="O2"):
    """Each call of a pool (pool), or that of an interrupt that frees (deferred), by situation."""
    rows = []
    for name, *figures in bench.qemu(core, bench.build(core, opt, peer)):
        call, _, situation = name.partition(".")
        rows.append((f"cairn-{peer}.{call}", core, opt, situation or "all", *figures))
    return rows


ARENA_LEAD = 10000  # as in peer_arena.c: what the arena's call takes beyond the heap's may be less than nothing


ARENA_MODES = {"grows": "grows", "heap": "heap", "extra": "extra", "extra_primask": "extra-primask", "heap_primask": "heap-primask",
               "both_primask": "extra-both-primask"}


def arena_rows(core, traces, found, jobs, opt="O2", modes=tuple(ARENA_MODES)):
    """Each call of an arena, growing; the heap's own in the same memory; and what the arena's took beyond it: without a lock, with PRIMASK in the arena alone,
    and with the same lock in both."""
    program = bench.build(core, opt, "arena")

    def one(item):
        (mode, name), trace = item
        size = found[("cairn-best", trace.stem)][2] * 3 // 2
        rows, _ = split(bench.qemu(core, program, "trace", trace, mode, bench.SEARCH, size))
        lead = 0 if name in ("grows", "heap", "heap-primask") else ARENA_LEAD
        return [(f"cairn-arena-{name}.{kind}", core, opt, trace.stem, calls, f"{float(average) - lead:.1f}", int(most) - lead)
                for kind, calls, average, most in rows if calls != "0"]

    rows = [row for part in bench.in_parallel(one, [((mode, ARENA_MODES[mode]), trace) for mode in modes for trace in traces], jobs) for row in part]
    return rows + summary_rows(core, opt, rows)


def vm_rows(core, opt="O2"):
    """Accesses through the software MMU by what they meet, page, tables and TLB fixed at build time (vm), or each vm's own (vm-any); and, fixed, those that a
    policy has a part in, for each policy (vm-POLICY)."""
    rows = []
    for peer in ("vm", "vm_any"):
        for name, *figures in bench.qemu(core, bench.build(core, opt, peer)):
            rows.append((f"{peer.replace('_', '-')}.{name}", core, opt, "all", *figures))
    for policy in bench.POLICIES:
        for name, *figures in bench.qemu(core, bench.build(core, opt, "vm"), policy):
            if name in bench.POLICY_ACCESSES:
                rows.append((f"vm-{policy}.{name}", core, opt, "all", *figures))
    return rows


def object_rows(core, opt="O2"):
    """Fork, pages that spaces share, ranges: page, tables and TLB fixed at build time (objects), or each vm's own (objects-any)."""
    return [(f"{what}.{name}", core, opt, "all", *figures) for what, peer in (("objects", "share"), ("objects-any", "share_any"))
            for name, *figures in bench.qemu(core, bench.build(core, opt, peer))]


def size_rows(core, opts=("Os", "O2"), hardens=(1, 0), libcs=True):
    lines = []
    for opt in opts:
        for harden in hardens:
            lines += bench.run(["sh", "test/bench/weigh.sh", core, opt, harden]).splitlines()
    if libcs:
        lines += bench.run(["sh", "test/bench/weigh.sh", core, "Os", "libc"]).splitlines()
    return [tuple(line.split(",")) for line in lines]


def static_ram(core, opt="O2"):
    """Bytes of .data and .bss in the library's objects."""
    return ram_of((bench.OUT / f"{core}-{opt}" / "lib").glob("*.o"))


def ram_of(objects):
    lines = bench.run(["arm-none-eabi-size", *sorted(objects)]).splitlines()[1:]
    return sum(int(line.split()[1]) + int(line.split()[2]) for line in lines)


def drop_in_ram(core, library):
    """The same of port/libc over a C library, what it needs of port/baremetal and the heap with it; compiled anew, at -Os."""
    out = bench.OUT / "libc"
    shutil.rmtree(out / core / library, ignore_errors=True)
    shutil.rmtree(out / core / "lib", ignore_errors=True)
    bench.run(["sh", "test/libc/build.sh", core, library, "cairn", f"stats_{library}", "test/libc/stats.c"], env={**os.environ, "LIBC_OUT": str(out.relative_to(bench.ROOT))})
    return ram_of([*(out / core / library / "malloc").glob("*.o"), *(out / core / "lib").glob("*.o")])


def stack_rows(core, opt="O2"):
    """(function, core, opt, bytes, kind) of the library, the deepest frames first. A frame is one function's own, not its callees'."""
    rows = []
    for path in sorted((bench.OUT / f"{core}-{opt}" / "lib").glob("*.su")):
        for line in path.read_text(encoding="ascii").splitlines():
            place, size, kind = line.split("\t")
            rows.append((place.split(":")[-1], core, opt, int(size), kind))
    return sorted(rows, key=lambda row: (-row[3], row[0]))
