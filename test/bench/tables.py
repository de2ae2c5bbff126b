# SPDX-License-Identifier: MIT
#
# OWNS     the tables of the documents, as Markdown, made from build/bench/*.csv.
# CALLERS  publish.py.
import bench
import preload as preload_bench
import summary

NAMES = ("cairn-best", "cairn-first", "cairn-bounded", "newlib", "newlib-nano", "picolibc")


def markdown(header, rows, left=1):
    """The first `left` columns are words, the others numbers."""
    lines = [header, ["---"] * left + ["--:"] * (len(header) - left), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def need(rows, name):
    if not rows:
        raise bench.BenchError(f"build/bench/{name} is missing or empty: run sh test/bench/run.sh")
    return rows


def promised(before):
    """Every figure of the project with its limits. What was not measured here stays as it was in the table before."""
    words = {"no": "**not met**", "must": "met", "stretch": "met, and the stretch", "-": "not measured"}
    known = {}  # a figure may stand there twice: in order
    for line in before.splitlines():
        known.setdefault(line.split(" | ")[0].removeprefix("| "), []).append(line)
    table = []
    for figure, measured, must, stretch, met, default, elsewhere in summary.rows():
        old = known[figure].pop(0) if known.get(figure) else None
        if measured == "-" and old is not None:
            table.append(old.removeprefix("| ").removesuffix(" |").split(" | "))
            continue
        standing = words[met]
        if met in ("must", "stretch") and default != "" and default > must:
            standing += "; by default **not met**"
        if elsewhere != "":
            standing += f"; **not met** on {elsewhere}"
        table.append((figure, measured if default == "" else f"{measured}; by default {default}", must, stretch, standing))
    return markdown(("figure", "measured", "must be at most", "stretch", "standing"), table)


def memory():
    ratios = summary.ratios()
    glibc = [row for row in bench.load(bench.OUT / "host.csv") if row["allocator"] == "glibc"]
    host = {row["trace"]: float(row["ratio"]) for row in glibc}
    names = [name for name in ("best", "first", "bounded", "newlib", "newlib-nano", "picolibc") if name in need(ratios, "memory.csv")]
    header = ["trace", *(f"cairn {name}" if name in ("best", "first", "bounded") else name for name in names), f"glibc, {glibc[0]['bits']} bit" if glibc else "glibc"]
    rows = []
    for trace in sorted(ratios["best"]):
        least = min(ratios[name][trace] for name in names)
        cells = [f"**{ratios[name][trace]:.3f}**" if ratios[name][trace] == least else f"{ratios[name][trace]:.3f}" for name in names]
        rows.append([trace, *cells, f"{host[trace]:.3f}" if trace in host else "-"])
    means = [f"**{summary.mean(name):.3f}**" for name in names]
    rows.append(["**geometric mean**", *means, f"**{bench.geometric_mean(host.values()):.3f}**" if host else "-"])
    return markdown(header, rows)


def pair(what, trace, core="m4"):
    average, most = (summary.instructions(what, trace, field, core) for field in ("avg", "max"))
    return "-" if most is None else f"{average:.0f} / {most:,}"


def most(what, trace, core="m4"):
    found = summary.instructions(what, trace, "max", core)
    return "-" if found is None else f"{found:,}"


def speed():
    need(bench.load(bench.OUT / "instructions.csv"), "instructions.csv")
    return markdown(("", *(f"{kind}, average / maximum" for kind in bench.KINDS)),
                    [(name, *(pair(f"{name}.{kind}", "all") for kind in bench.KINDS)) for name in NAMES])


def headline():
    """What README says first: cairn beside the mallocs that a Cortex-M toolchain brings along."""
    sizes = {(row["peer"], row["opt"], row["calls"]): int(row["bytes"]) for row in need(bench.load(bench.OUT / "size.csv"), "size.csv")
             if row["core"] == "m4" and row["harden"] in ("1", "-")}
    peers = ("cairn", "newlib", "nano", "picolibc")
    runs = {"cairn": "cairn-best", **{peer: bench.libc_name(peer) for peer in peers[1:]}}
    ratios = {"cairn": "best", **{peer: bench.libc_name(peer) for peer in peers[1:]}}

    def size(peer, calls):
        optimised = ("Os", "O2") if peer == "cairn" else ("Os",)  # theirs are built already
        return " / ".join(f"{sizes[(peer, opt, calls)]:,}" if (peer, opt, calls) in sizes else "-" for opt in optimised)

    rows = [("smallest region over peak, geometric mean", *(f"{summary.mean(ratios[peer]):.3f}" for peer in peers))]
    rows += [(f"{kind}, instructions, average / slowest", *(pair(f"{runs[peer]}.{kind}", "all") for peer in peers)) for kind in ("malloc", "free")]
    rows += [(f"slowest {kind} with 4000 free holes", *(most(f"{runs[peer]}.{kind}", "holes_4000") for peer in peers)) for kind in ("malloc", "free")]
    rows += [(f"code, bytes: {words}", *(size(peer, calls) for peer in peers)) for calls, words in (("alloc", "malloc and free"), ("realloc", "with realloc and memalign"))]
    return markdown(("", "cairn", *(bench.libc_name(peer) for peer in peers[1:])), rows)


def holes():
    need(bench.load(bench.OUT / "holes.csv"), "holes.csv")
    header = ("slowest call, by free holes", *(f"{kind}, {count}" for kind in ("malloc", "free") for count in bench.HOLES))
    return markdown(header, [(name, *(most(f"{name}.{kind}", f"holes_{count}") for kind in ("malloc", "free") for count in bench.HOLES))
                             for name in NAMES])


def holes_realloc():
    words = {"grows": "into the hole behind", "moves": "to another place"}
    need(bench.load(bench.OUT / "holes.csv"), "holes.csv")
    header = ("slowest realloc, by free holes", *(f"{word}, {count}" for word in words.values() for count in bench.HOLES))
    return markdown(header, [(name, *(most(f"{name}.realloc", f"holes_{count}.{case}") for case in words for count in bench.HOLES)) for name in NAMES])


def cores():
    measured = [core for core in bench.CORES if summary.instructions("cairn-best.malloc", "all", "max", core) is not None]
    return markdown(("core", "malloc best", "free best", "realloc best", "malloc bounded", "free bounded", "malloc best, 4000 holes",
                     "free best, 4000 holes"),
                    [(core, *(pair(f"cairn-best.{kind}", "all", core) for kind in bench.KINDS),
                      *(pair(f"cairn-bounded.{kind}", "all", core) for kind in ("malloc", "free")),
                      *(most(f"cairn-best.{kind}", "holes_4000", core) for kind in ("malloc", "free"))) for core in measured])


def lock():
    held = {(row["what"], row["trace"]): row for row in need(bench.load(bench.OUT / "lock_held.csv"), "lock_held.csv") if row["core"] == "m4"}
    calls = dict.fromkeys(trace for _, trace in held if trace != "all")
    rows = [(call, *(f"{held[(f'cairn-{fit}.lock_held', call)]['avg']} / {int(held[(f'cairn-{fit}.lock_held', call)]['max']):,}"
                     for fit in ("best", "bounded"))) for call in calls]
    return markdown(("lock held by", "best fit, average / maximum", "bounded fit"), rows)


def arena():
    found = {row["what"]: row for row in need(bench.load(bench.OUT / "arena.csv"), "arena.csv") if (row["core"], row["trace"]) == ("m4", "all")}
    words = {"heap": "the heap's own calls, in memory of the same size", "extra": "the arena's calls, beyond those",
             "extra-primask": "with the PRIMASK lock in the arena, and none in the heap", "heap-primask": "the heap's own calls with the PRIMASK lock, its hooks",
             "extra-both-primask": "the arena's calls with that lock, beyond those", "grows": "an arena that grows and trims, all in all"}
    rows = [(word, *(f"{float(row['avg']):.1f} / {int(row['max']):,}" for row in (found[f"cairn-arena-{mode}.{kind}"] for kind in bench.KINDS)))
            for mode, word in words.items()]
    return markdown(("", *(f"{kind}, average / maximum" for kind in bench.KINDS)), rows)


def vm():
    words = {"load_hit": "load, hit in the TLB (in a loop, the load itself included)", "store_hit": "store, the same", "cursor": "load by a cursor",
             "victim_hit": "load, hit in the victim set", "tlb_miss": "load, missed, the page resident", "tlb_miss_store": "store, the same",
             "minor": "minor fault, a frame is free", "minor_with_table": "minor fault that makes a table", "minor_evicting": "minor fault, another page leaves",
             "major": "major fault, a clean page leaves", "major_evicting_dirty": "major fault, a dirty page leaves", "switch": "switch of space"}
    return fixed_and_own(summary.vm, "load_hit", words)


def fixed_and_own(of, some, words):
    """A row for each access or call: on each core, page, tables and TLB fixed at build time; on a Cortex-M4, each vm its own."""
    peer = of.__name__
    cores = need([core for core in bench.CORES if of(some, "max", core) is not None], f"{peer}.csv")

    def cell(name, core, peer):
        average, most = (of(name, field, core, peer) for field in ("avg", "max"))
        return "-" if most is None else f"{average:,.0f} / {most:,}"

    return markdown(("average / maximum", *cores, "m4, each vm its own"),
                    [(word, *(cell(name, core, peer) for core in cores), cell(name, "m4", f"{peer}-any")) for name, word in words.items()])


def policy_cost():
    """What a policy has a part in, page, tables and TLB fixed at build time."""
    words = {"tlb_miss": "load, missed, the page resident", "minor": "minor fault, a frame is free", "minor_evicting": "minor fault, another page leaves",
             "major": "major fault, a clean page leaves", "major_evicting_dirty": "major fault, a dirty page leaves"}
    need(bench.load(bench.OUT / "vm.csv"), "vm.csv")

    def cell(name, policy):
        average, most = (summary.vm(name, field, peer=f"vm-{policy}") for field in ("avg", "max"))
        return "-" if most is None else f"{average:,.0f}" if average == most else f"{average:,.0f} / {most:,}"

    return markdown(("policy", *words.values()), [(f"`{policy}`", *(cell(name, policy) for name in words)) for policy in bench.POLICIES])


def checkpoints():
    """Per cent beside what was stored to, by size of page."""
    rows = need(bench.load(bench.OUT / "checkpoints.csv"), "checkpoints.csv")
    cell = {(row["page_bytes"], row["stored"]): row["percent"] for row in rows}
    sizes = list(dict.fromkeys(row["page_bytes"] for row in rows))
    return markdown((f"stored to, of {int(rows[0]['pages']):,} pages", *(f"pages of {size} bytes" for size in sizes)),
                    [(stored, *(f"{cell[(size, stored)]} %" for size in sizes)) for stored in dict.fromkeys(row["stored"] for row in rows)])


def objects():
    words = {"fork_1": "fork of a space with one page", "fork_48": "fork of a space with 48 pages", "copy": "a store to a page that another space has too, without the copy",
             "last_sharer": "a store to one that no other space has any more", "shared_miss": "a load from a page that spaces share, missed in the TLB",
             "map_1": "map a range of a page", "map_most": "map a range of 6,144 pages", "unmap_1": "unmap the one", "unmap_most": "unmap the other",
             "malloc": "malloc of 8 to 600 bytes in a space, its pages resident", "free": "free of them",
             "malloc_mapped": "malloc of 200 KB in a space", "free_mapped": "free of it"}
    return fixed_and_own(summary.objects, "fork_1", words)


def compress():
    words = {"elf": "data segments of programs", "lua32": "lua, 32 bits"}
    rows = need(bench.load(bench.OUT / "compress.csv"), "compress.csv")
    digits = {"ratio": 2, "in_area": 2, "lz4": 2, "decode": 1, "read": 1, "encode": 0, "write": 0}

    def cell(value, field):
        return value if value == "-" else f"{float(value):.{digits[field]}f}"

    table = [(words.get(row["source"], row["source"]), row["pages"], *(cell(row[field], field) for field in digits)) for row in rows]
    table.append(("all, weighing the same", "", *(cell(summary.compressed(field), field) if field in ("ratio", "in_area", "decode") else "" for field in digits)))
    return markdown(("source", "pages", "ratio", "ratio in the area", "LZ4", "decode", "read", "encode", "write"), table)


def policies():
    every, filtered, ahead = (summary.policies(name) for name in ("pages", "pages_tlb_16", "pages_prefetch"))
    return markdown(("policy", "every access seen", "behind a TLB of 16", "with prefetch"),
                    [(f"`{name}`", *(f"{table[name]:.3f}" if name in table else "-" for table in (every, filtered, ahead)))
                     for name in need(every, "pages.csv") if name != "opt"])


def sizes():
    table = {}
    for row in need(bench.load(bench.OUT / "size.csv"), "size.csv"):
        table[(row["core"], row["opt"], row["harden"], row["peer"], row["calls"])] = row
    measured = [core for core in bench.CORES if (core, "Os", "1", "cairn", "alloc") in table]

    def cell(core, opt, harden, peer, calls):
        found = table.get((core, opt, harden, peer, calls))
        return "-" if found is None else f"{int(found['bytes']):,}"

    rows = []
    for opt, harden in (("Os", "1"), ("Os", "0"), ("O2", "1"), ("O2", "0")):
        for calls, words in (("alloc", "init + alloc + free"), ("realloc", "with realloc and aligned"), ("vm", "paging over RAM, one policy"),
                             ("vm_all", "the software MMU, all of it"), ("vm_whole", "with memory objects"), ("vm_malloc", "with malloc in spaces"), ("whole", "whole API")):
            if (measured[0], opt, harden, "cairn", calls) not in table:
                continue
            rows.append((f"cairn -{opt}, CAIRN_HARDEN={harden}: {words}", *(cell(core, opt, harden, "cairn", calls) for core in measured)))
    for peer in ("newlib", "nano", "picolibc"):
        for calls, words in (("alloc", "malloc + free"), ("realloc", "with realloc and memalign")):
            rows.append((f"{bench.libc_name(peer)}: {words}", *(cell(core, "Os", "-", peer, calls) for core in measured)))
    return markdown(("bytes", *measured), rows)


def control():
    rows = need(bench.load(bench.OUT / "control.csv"), "control.csv")
    return markdown(("heap of", "bytes"), [(f"{int(row['heap_bytes']) >> 10} KB", row["control_bytes"]) for row in rows if row["core"] == rows[0]["core"]])


def stack():
    rows = [row for row in need(bench.load(bench.OUT / "stack.csv"), "stack.csv") if (row["core"], row["opt"]) == ("m4", "O2")]
    return markdown(("function", "bytes of stack"), [(f"`{row['function']}`", row["bytes"]) for row in rows[:8]])


def host():
    rows = need(bench.load(bench.OUT / "host.csv"), "host.csv")
    names = list(dict.fromkeys(row["allocator"] for row in rows))
    cell = {(row["trace"], row["allocator"]): row["ns_per_op"] for row in rows}
    return markdown(("ns an operation (a timing)", *names),
                    [(trace, *(cell.get((trace, name), "-") for name in names)) for trace in dict.fromkeys(row["trace"] for row in rows)])


def preload_rows():
    """{program: {allocator: (seconds, peak resident KB)}}"""
    found = {}
    for row in need(bench.load(bench.OUT / "preload.csv"), "preload.csv"):
        found.setdefault(row["what"], {})[row["allocator"]] = (float(row["seconds"]), int(row["rss_kb"]))
    return found


def preload():
    rows = []
    for what, its in preload_rows().items():
        rows += [(what if name == "glibc" else "", name, f"{seconds:.3f}", f"{seconds / its['glibc'][0]:.2f}", f"{peak:,}", f"{peak / its['glibc'][1]:.3f}")
                 for name, (seconds, peak) in its.items()]
    return markdown(("program", "malloc", "seconds", "of glibc's", "peak resident KB", "of glibc's"), rows, left=2)


def preload_promised():
    """Within 1.5 times glibc's time, with no more than its peak resident memory."""
    rows = []
    for what, its in preload_rows().items():
        (slow, large), (seconds, peak) = its["cairn"], its["glibc"]
        time = "met" if slow <= preload_bench.SLOWER * seconds else f"**not met** by {slow - preload_bench.SLOWER * seconds:.3f} s"
        memory = f"met, by {peak - large:,} KB" if large <= peak else f"**not met** by {large - peak:,} KB ({100 * (large - peak) / peak:.1f} %)"
        rows.append((what, f"{slow / seconds:.2f}", time, f"{large / peak:.3f}", memory))
    return markdown(("program", f"time, of glibc's: at most {preload_bench.SLOWER}", "", "peak resident, of glibc's: at most 1", ""), rows)


TABLES = {table.__name__: table for table in (promised, headline, memory, speed, holes, holes_realloc, cores, lock, arena, vm, policy_cost, objects, checkpoints, compress, policies, sizes, control, stack, host, preload, preload_promised)}
