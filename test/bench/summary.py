# SPDX-License-Identifier: MIT
#
# OWNS     the figures that the project promises, each with its limits: what they are today, out of build/bench/*.csv.
# CALLERS  run.py, publish.py.
import bench

HEADER = ("figure", "measured", "must", "stretch", "met", "default", "elsewhere")


def instructions(what, trace, field, core="m4"):
    for row in bench.load(bench.OUT / ("holes.csv" if trace.startswith("holes_") else "instructions.csv")):
        if (row["what"], row["core"], row["trace"]) == (what, core, trace):
            return float(row[field]) if field == "avg" else int(row[field])
    return None


def counted(name, what, field, core="m4"):
    """Of the rows that sum up a step of its own: pools.csv, deferred.csv, arena.csv."""
    for row in bench.load(bench.OUT / name):
        if (row["what"], row["core"], row["trace"]) == (what, core, "all"):
            return float(row[field]) if field == "avg" else int(row[field])
    return None


def vm(name, field="avg", core="m4", peer="vm"):
    """Of vm.csv."""
    return counted("vm.csv", f"{peer}.{name}", field, core)


def objects(name, field="avg", core="m4", peer="objects"):
    """Of objects.csv."""
    return counted("objects.csv", f"{peer}.{name}", field, core)


CHECKPOINT_FROM = 64  # pages that were stored to


def checkpoint():
    """Per cent that a checkpoint of 1024 pages of 1 KB writes beside those that were stored to, where they are CHECKPOINT_FROM or more: the most of what was counted."""
    found = [float(row["percent"]) for row in bench.load(bench.OUT / "checkpoints.csv") if row["page_bytes"] == "1024" and int(row["stored"]) >= CHECKPOINT_FROM]
    return max(found, default=None)


def compressed(field):
    """Of compress.csv, all sources weighing the same: of a ratio the harmonic mean, of instructions a word the mean."""
    found = [float(row[field]) for row in bench.load(bench.OUT / "compress.csv")]
    if not found:
        return None
    return round(len(found) / sum(1 / value for value in found), 2) if field in ("ratio", "in_area") else round(sum(found) / len(found), 1)


def objects_code():
    """What memory objects, exec, compression, images, checkpoints and malloc in spaces add to the software MMU."""
    whole, below = size("vm_malloc"), size("vm_all")
    return None if whole is None or below is None else whole - below


def policies(name="pages"):
    """{policy: geometric mean of its faults as multiples of OPT's}, of the traces with pages of 1 KB."""
    logs = {}
    for row in bench.load(bench.OUT / f"{name}.csv"):
        logs.setdefault(row["policy"], []).append(float(row["x_opt"]))
    return {policy: round(bench.geometric_mean(values), 3) for policy, values in logs.items()}


STREAMING = ("cyclic_scan", "mergesort", "matmul_block", "fft")


def prefetched(policy="adaptive"):
    """Demand faults with prefetch as multiples of OPT's without, geometric mean over the streaming traces."""
    found = [float(row["x_opt"]) for row in bench.load(bench.OUT / "pages_prefetch.csv") if row["policy"] == policy and row["trace"] in STREAMING]
    return round(bench.geometric_mean(found), 3) if found else None


def size(calls, core="m4", opt="Os", harden="1", peer="cairn"):
    for row in bench.load(bench.OUT / "size.csv"):
        if (row["calls"], row["core"], row["opt"], row["harden"], row["peer"]) == (calls, core, opt, harden, peer):
            return int(row["bytes"])
    return None


def control(heap_bytes, core="m4"):
    for row in bench.load(bench.OUT / "control.csv"):
        if (row["core"], row["heap_bytes"]) == (core, str(heap_bytes)):
            return int(row["control_bytes"])
    return None


def static_ram():
    found = [int(row["bytes"]) for row in bench.load(bench.OUT / "static_ram.csv")]
    return max(found) if found else None


def drop_in_ram():
    found = [int(row["bytes"]) for row in bench.load(bench.OUT / "libc_ram.csv")]
    return max(found) if found else None


def ratios():
    """{fit or library: {trace: ratio}}"""
    table = {}
    for row in bench.load(bench.OUT / "memory.csv"):
        table.setdefault(row["fit"], {})[row["trace"]] = float(row["ratio"])
    return table


def mean(fit):
    return round(bench.geometric_mean(ratios()[fit].values()), 4) if fit in ratios() else None


def worst(fit, kind, traces=("all", "holes_100", "holes_1000", "holes_4000")):
    """None where one of them was not measured."""
    found = [instructions(f"cairn-{fit}.{kind}", trace, "max") for trace in traces]
    return None if None in found else max(found)


def row(figure, measured, must, stretch, default="", elsewhere=""):
    met = "-" if measured is None else "stretch" if stretch is not None and measured <= stretch else "must" if measured <= must else "no"
    return (figure, "-" if measured is None else measured, must, "" if stretch is None else stretch, met, default, elsewhere)


def fixed(figure, of, name, field, must, stretch):
    """Of the software MMU, page, tables and TLB fixed at build time: on a Cortex-M4; there by default, each vm having its own; and on the other cores with the same
    instructions that do not meet what it does."""
    peer = of.__name__
    measured = of(name, field)
    default = of(name, field, peer=f"{peer}-any")
    return row(f"{figure}; page and table shape fixed at build time", measured, must, stretch, "" if default is None else default,
               missed(measured, must, lambda core: of(name, field, core)))


def missed(measured, must, on):
    """Of the other cores with a Cortex-M4's instructions, those that do not meet what it does. on(core): the figure there."""
    others = {core: on(core) for core in ("m3", "m7", "m33")}
    return ", ".join(f"{core.upper()} {figure}" for core, figure in others.items() if figure is not None and measured is not None and measured <= must < figure)


def rows():
    table = [row("region/peak, geometric mean, best fit", mean("best"), 1.145, 1.12)]
    for kind, limits in (("malloc", (95, 190, 60, 130)), ("free", (110, 180, 75, 130))):
        table.append(row(f"{kind} on traces, best fit, average", instructions(f"cairn-best.{kind}", "all", "avg"), limits[0], limits[2]))
        table.append(row(f"{kind} on traces, best fit, maximum", instructions(f"cairn-best.{kind}", "all", "max"), limits[1], limits[3]))
    for fit in ("best", "bounded"):
        for kind in bench.KINDS:
            few = instructions(f"cairn-{fit}.{kind}", "holes_100", "max")
            many = instructions(f"cairn-{fit}.{kind}", "holes_4000", "max")
            table.append(row(f"{kind}, {fit} fit, maximum with 4000 holes (must: that with 100)", None if few is None else many, few, None))
    table.append(row("malloc, bounded fit, maximum, traces and holes", worst("bounded", "malloc"), 150, 100))
    table.append(row("free, bounded fit, maximum, traces and holes", worst("bounded", "free"), 150, 100))
    for call, kind in (("alloc", "malloc"), ("free", "free")):
        for field, word in (("avg", "average"), ("max", "maximum")):
            extra = counted("arena.csv", f"cairn-arena-extra.{kind}", field)
            table.append(row(f"arena {call} beyond the heap's, on traces, {word}", extra, 25, None))
            extra = counted("arena.csv", f"cairn-arena-extra-both-primask.{kind}", field)
            table.append(row(f"the same with one lock in both, {word}", extra, 25, None))
    for call in ("alloc", "free"):
        table.append(row(f"pool {call}, maximum", counted("pools.csv", f"cairn-pool.{call}", "max"), 25, None))
    mark = counted("deferred.csv", "cairn-deferred.free", "max")
    table.append(row("free from an interrupt, maximum", mark, 30, None,
                     elsewhere=missed(mark, 30, lambda core: counted("deferred.csv", "cairn-deferred.free", "max", core))))
    table.append(row("code -Os, init + alloc + free", size("alloc"), 1200, 1000))
    table.append(row("code -Os, with realloc and aligned", size("realloc"), 2000, 1500))
    table.append(row("control of a 32 KB heap", control(32 << 10), 320, 256))
    table.append(row("control of a 1 MB heap", control(1 << 20), 448, 384))
    table.append(row("static RAM of the library", static_ram(), 0, 0))
    table.append(row("static RAM of the newlib drop-in, any core", drop_in_ram(), 64, None))
    return table + vm_rows()


def vm_table_bytes():
    """Of page tables, for each of 128 pages in use."""
    bytes_of_tables = vm("bytes.tables_128_pages", "max")
    return None if bytes_of_tables is None else round(bytes_of_tables / 128, 2)


def vm_rows():
    """The software MMU."""
    return [fixed("a load that hits in the TLB, in a loop, the load included", vm, "load_hit", "avg", 10, 7),
            fixed("a store that hits, the store included", vm, "store_hit", "avg", 10, 7),
            fixed("a load by a cursor", vm, "cursor", "avg", 5, 4),
            fixed("a load that misses in the TLB, the page resident, two levels, CLOCK", vm, "tlb_miss", "avg", 60, 40),
            fixed("a store that does", vm, "tlb_miss_store", "avg", 60, 40),
            fixed("a minor fault, CLOCK, a frame is free, without the zeroing", vm, "minor", "avg", 250, 150),
            fixed("a minor fault that makes a table, too", vm, "minor_with_table", "avg", 250, 150),
            fixed("a major fault that makes a clean page leave, CLOCK, without the transfer", vm, "major", "avg", 400, 300),
            fixed("a switch of space", vm, "switch", "max", 20, None),
            row("adaptive, times OPT, every access seen", policies().get("adaptive"), 1.629, 1.52),
            row("adaptive with prefetch, streaming traces, times OPT without", prefetched(), 1.0, 0.9),
            row("vm code -Os: paging over RAM, one policy", size("vm"), 5120, 4096),
            row("vm code -Os: everything, all policies and stores", size("vm_all"), 16384, 12288),
            row("RAM of a frame, the policy's left out", vm("bytes.frame", "max"), 16, 12),
            row("RAM of a mapped page, in tables of 64", vm_table_bytes(), 4, None),
            row("RAM of an empty space, its root table left out", vm("bytes.space", "max"), 256, 128),
            fixed("fork of a space with one page", objects, "fork_1", "max", 30 + 500, None),
            fixed("fork of a space with 48 pages", objects, "fork_48", "max", 30 * 48 + 500, 15 * 48),
            fixed("a store to a page that another space has too, without the copy", objects, "copy", "avg", 350, 250),
            fixed("map an untouched range, any length", objects, "map_most", "max", 400, 250),
            fixed("unmap one", objects, "unmap_most", "max", 400, 250),
            row(f"a checkpoint beside the pages that were stored to, per cent, from {CHECKPOINT_FROM} of 1024 pages of 1 KB on; of fewer, and of smaller pages, it is more",
                checkpoint(), 2.0, None),
            row("compressed pages of real programs, bytes for 100", compressed("ratio") and round(100 / compressed("ratio"), 1), 80.0, 73.5),
            row("decompression, instructions a word", compressed("decode"), 12, None),
            row("code -Os of memory objects, exec, compression, images, checkpoints, malloc", objects_code(), 20480, 14336)]
