# SPDX-License-Identifier: MIT
#
# Writes the measured numbers into the documents.
#
#   python3 test/bench/publish.py [--check] [NAME...]     --check: changes nothing, fails where a document is not up to date. Names: those blocks only
#
# OWNS        what stands between `<!-- numbers:NAME -->` and `<!-- /numbers -->` in README.md and docs/*.md, and docs/pictures/bench-*.svg.
#             A block whose marks stand on lines of their own gets a table; one inside a line gets a single number.
# INVARIANTS  1. A name without a figure is an error, not a gap. In the table of what is promised a row that was not measured here stays as it was.
# CALLERS     whoever has run test/bench/run.sh.
import re
import shutil
import sys

import bench
import summary
import tables

BLOCK = re.compile(r"(<!-- numbers:([a-z0-9_]+) -->)(.*?)(<!-- /numbers -->)", re.DOTALL)


def number(value):
    """For a sentence: three digits behind the point of a ratio, thousands with a comma."""
    if value is None:
        raise bench.BenchError("a figure is missing in build/bench: run sh test/bench/run.sh")
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if value < 10 else f"{value:.0f}"


def lock_longest(fit):
    found = [int(row["max"]) for row in bench.load(bench.OUT / "lock_held.csv")
             if (row["what"], row["core"], row["trace"]) == (f"cairn-{fit}.lock_held", "m4", "all")]
    return found[0] if found else None


def firsts():
    """Traces on which the best fit needs the least memory of all that was measured here."""
    ratios = summary.ratios()
    best = ratios.pop("best", {})
    peers = [table for name, table in ratios.items() if name not in ("first", "bounded")]
    return sum(all(ratio <= table[trace] for table in peers if trace in table) for trace, ratio in best.items())


def inline():
    worst = summary.worst
    figure = summary.instructions
    return {
        "ratio": lambda: summary.mean("best"),
        "ratio_first": lambda: summary.mean("first"),
        "ratio_bounded": lambda: summary.mean("bounded"),
        "ratio_newlib": lambda: summary.mean("newlib"),
        "ratio_nano": lambda: summary.mean("newlib-nano"),
        "ratio_picolibc": lambda: summary.mean("picolibc"),
        "traces": lambda: len(summary.ratios().get("best", {})) or None,
        "firsts": lambda: firsts() or None,
        "malloc_average": lambda: figure("cairn-best.malloc", "all", "avg"),
        "malloc_max": lambda: figure("cairn-best.malloc", "all", "max"),
        "free_average": lambda: figure("cairn-best.free", "all", "avg"),
        "free_max": lambda: figure("cairn-best.free", "all", "max"),
        "malloc_worst": lambda: worst("best", "malloc"),
        "free_worst": lambda: worst("best", "free"),
        "bounded_malloc_worst": lambda: worst("bounded", "malloc"),
        "bounded_free_worst": lambda: worst("bounded", "free"),
        "newlib_malloc_holes": lambda: figure("newlib.malloc", "holes_4000", "max"),
        "lock_held": lambda: lock_longest("best"),
        "code_alloc": lambda: summary.size("alloc"),
        "code_realloc": lambda: summary.size("realloc"),
        "code_whole": lambda: summary.size("whole"),
        "control_32k": lambda: summary.control(32 << 10),
        "control_1m": lambda: summary.control(1 << 20),
        "static_ram": summary.static_ram,
    }


def text_of(name, is_inline, before):
    if is_inline:
        names = inline()
        if name not in names:
            raise bench.BenchError(f"no number is called '{name}': {' '.join(sorted(names))}")
        return number(names[name]())
    if name not in tables.TABLES:
        raise bench.BenchError(f"no table is called '{name}': {' '.join(sorted(tables.TABLES))}")
    return "\n" + tables.TABLES[name](*([before] if name == "promised" else [])) + "\n"


def rewritten(path, names):
    text = path.read_text(encoding="utf-8")
    return text, BLOCK.sub(lambda m: m[0] if names and m[2] not in names else m[1] + text_of(m[2], "\n" not in m[3], m[3]) + m[4], text)


def pictures(check):
    """Copies what changed; returns the names of those."""
    changed = []
    for name in ("memory", "holes", "distribution"):
        source = bench.OUT / f"{name}.svg"
        target = bench.ROOT / "docs" / "pictures" / f"bench-{name}.svg"
        if source.is_file() and not (target.is_file() and target.read_bytes() == source.read_bytes()):
            changed.append(str(target.relative_to(bench.ROOT)))
            if not check:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
    return changed


def main():
    check = sys.argv[1:2] == ["--check"]
    names = sys.argv[2 if check else 1:]
    if any(name.startswith("-") for name in names):
        sys.exit("usage: publish.py [--check] [NAME...]")
    changed = []
    try:
        for path in [bench.ROOT / "README.md", *sorted((bench.ROOT / "docs").glob("*.md"))]:
            if not path.is_file():
                continue
            old, new = rewritten(path, names)
            if old != new:
                changed.append(str(path.relative_to(bench.ROOT)))
                if not check:
                    path.write_text(new, encoding="utf-8")
        changed += [] if names else pictures(check)
    except bench.BenchError as error:
        sys.exit(f"publish: {error}")
    print("publish: " + (("behind: " if check else "wrote ") + " ".join(changed) if changed else "all is up to date"))
    if check and changed:
        sys.exit(1)


main()
