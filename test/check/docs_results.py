# SPDX-License-Identifier: MIT
#
# OWNS     what the last run of the tests counted, as Markdown: read from build/log, build/<preset>/Testing and build/*.csv, which
#          `sh test/run.sh full` leaves. A block of which nothing ran stays as it was, and that is said.
# CALLERS  docs.py --results.
import csv
import re

BLOCK = re.compile(r"(<!-- results:([a-z_]+) -->\n)(.*?)(<!-- /results -->)", re.DOTALL)
PRESETS = ("host", "host32", "host-clang", "host-san", "m0", "m3", "m4", "m7", "m33", "rv32")


def text_of(path):
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def last_output(root, test):
    """What a test of the preset host printed."""
    log = text_of(root / "build/host/Testing/Temporary/LastTest.log")
    found = re.search(rf"Testing: {test}\n.*?Output:\n-+\n(.*?)\n<end of output>", log, re.DOTALL)
    return found[1].strip() if found else ""


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def presets(root):
    rows = []
    for name in PRESETS:
        found = re.search(r"% tests passed, (\d+) tests? failed out of (\d+)", text_of(root / f"build/log/{name}.log.ctest"))
        rows.append((f"`{name}`", found[2] if found else "not run", found[1] if found else ""))
    return table(("preset", "tests", "failed"), rows) if any(row[2] for row in rows) else None


def explored(what, states, operations, sparing):
    return f"exploration, {what}", f"{states:,} states, {states - sparing:,} of them completely, {sparing:,} sparingly; {operations:,} operations"


def explorations(root):
    """A row for each test of the preset host that explores; of the full tier, one for all its heaps."""
    rows = []
    for test, granules in (("small", 4), ("middle", 8)):
        found = re.search(r"heaps of 1 to (\d+) granules.*^(\d+) distinct states, (\d+) operations: \d+ states completely, (\d+) sparingly",
                          last_output(root, f"explore_{test}_pairs"), re.DOTALL | re.MULTILINE)
        if found:
            rows.append(explored(f"up to {found[1]} granules, {granules} a pair of tag words", *(int(number) for number in found.groups()[1:])))
    full = root / "build/explore-full.csv"
    if full.is_file():
        lines = list(csv.DictReader(line for line in full.read_text(encoding="utf-8").splitlines() if not line.startswith("#")))
        states, operations = (sum(int(line[what]) for line in lines) for what in ("states", "operations"))
        rows.append(explored("full", states, operations, sum(int(line["states"]) for line in lines if line["sparing"] == "1")))
    return rows


def counts(root):
    rows = explorations(root)
    for target in ("heap", "attach", "elf", "codec", "image", "checkpoint", "calls"):
        log = text_of(root / f"build/fuzz/{target}.log")
        units = re.search(r"stat::number_of_executed_units:\s*(\d+)", log)
        if units:
            rows.append((f"fuzzing, `fuzz_{target}`", f"{int(units[1]):,} inputs"))
    random = re.search(r"seed (\d+), (\d+) operations for each fit", last_output(root, "test_random"))
    if random:
        rows.append(("random operations against the model", f"seed {random[1]}, {int(random[2]):,} operations for each fit"))
    coverage = text_of(root / "build/log/check-coverage.log")
    for what in ("lines", "branches"):
        found = re.search(rf"^{what}: (\S+) \((.*?)\)", coverage, re.MULTILINE)
        if found:
            rows.append((f"{what} of `lib` reached by the unit tests", f"{found[1]} ({found[2]})"))
    return table(("what", "counted"), rows) if rows else None


def bound_games(root):
    rows = re.findall(r"(plain|aligned)\s+M\s+(\d+) n\s+(\d+) bound\s+(\d+)(?: need\s+(\d+): (\d+) positions)?(.*)", last_output(root, "bound_games"))
    return table(("requests", "M", "n", "bound", "needed", "positions at the bound"),
                 [(kind, most, n, bound, need or "not finished", f"{int(count):,}" if count else rest.strip(" :")) for kind, most, n, bound, need, count, rest in rows]) if rows else None


def bound_attack(root):
    rows = re.findall(r"unit (\d+): M\s+(\d+) n\s+(\d+) bound\s+(\d+), Robson's program needs\s+(\d+), the climb\s+(\d+), (\S+) of the bound, (\d+) programs",
                      last_output(root, "bound_attack"))
    return table(("granules a unit", "M", "n", "bound", "Robson's program needs", "the climb needs", "of the bound", "programs"),
                 [(*row[:7], f"{int(row[7]):,}") for row in rows]) if rows else None


TABLES = {"presets": presets, "counts": counts, "bound_games": bound_games, "bound_attack": bound_attack}


def filled(root, name, old):
    new = TABLES[name](root)
    if new is None:
        print(f"docs: of {name} nothing ran; its block stays")
    return old if new is None else new


def write(root, documents):
    for path in documents:
        old = path.read_text(encoding="utf-8")
        new = BLOCK.sub(lambda block: block[1] + filled(root, block[2], block[3]) + block[4], old)
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(f"docs: wrote {path.relative_to(root)}")
