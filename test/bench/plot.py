# SPDX-License-Identifier: MIT
#
# OWNS     the pictures build/bench/{memory,holes,distribution}.svg, drawn by gnuplot from the CSV files beside them.
# PICTURE  colours are Okabe and Ito's (2008), which colour-blind readers tell apart; every line has a mark of its own too.
# CALLERS  run.py.
import bench

CORE = "m4"
BAR = 4  # instructions a bar of histogram.csv, as target/tally.h has it
LAST_BAR = 508
# name in the tables: (label, colour, point type)
LOOKS = {
    "cairn-best": ("cairn, best fit", "#0072B2", 7),
    "cairn-bounded": ("cairn, bounded fit", "#56B4E9", 9),
    "newlib": ("newlib", "#D55E00", 5),
    "newlib-nano": ("newlib-nano", "#E69F00", 13),
    "picolibc": ("picolibc", "#009E73", 11),
}
HEAD = """set terminal svg size {width},{height} font 'DejaVu Sans,13' background rgb 'white'
set output '{out}'
set border 3 lc rgb '#404040'
set tics nomirror out textcolor rgb '#202020'
set grid ytics lc rgb '#dddddd' lt 1 lw 0.5
"""


def draw(name, width, height, script):
    out = bench.OUT / f"{name}.svg"
    path = bench.OUT / "plot" / f"{name}.gp"
    path.write_text(HEAD.format(width=width, height=height, out=out) + script, encoding="utf-8")
    bench.run(["gnuplot", path])
    bench.say(f"drew {out.relative_to(bench.ROOT)}")


def data(name, lines):
    """Writes lines of words for gnuplot; returns the path, quoted."""
    path = bench.OUT / "plot" / f"{name}.dat"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(" ".join(f'"{word}"' if isinstance(word, str) else str(word) for word in line) + "\n" for line in lines),
                    encoding="ascii")
    return f"'{path}'"


def look(name, size=1.0):
    _, colour, mark = LOOKS[name]
    return f"lc rgb '{colour}' pt {mark} ps {size}"


def draw_memory():
    table = {}
    for row in bench.load(bench.OUT / "memory.csv"):
        name = row["fit"] if row["fit"] in LOOKS else f"cairn-{row['fit']}"
        table.setdefault(name, {})[row["trace"]] = float(row["ratio"])
    if "cairn-best" not in table:
        return
    order = sorted(table["cairn-best"], key=lambda trace: table["cairn-best"][trace])
    plots = []
    for name in ("newlib", "newlib-nano", "picolibc", "cairn-best"):
        points = [(trace.replace("_", " "), place, table[name][trace]) for place, trace in enumerate(order) if trace in table.get(name, {})]
        if points:
            mean = bench.geometric_mean(table[name].values())
            plots.append(f"{data('memory-' + name, points)} using 2:3:xtic(1) with points {look(name, 0.9)} title '{LOOKS[name][0]} (mean {mean:.3f})'")
    draw("memory", 1000, 560, f"""
set title 'Smallest region in which the whole trace runs, over the peak of the requested bytes (1 is the limit)'
set xtics rotate by -40 scale 0.4
set grid xtics
set bmargin 8
set xrange [-0.7:{len(order) - 0.3}]
set yrange [1:*]
set ylabel 'region / peak'
set key top left Left reverse samplen 1
plot {", ".join(plots)}
""")


def holes_of(rows, name, kind):
    points = []
    for count in bench.HOLES:
        for row in rows:
            if (row["what"], row["core"], row["trace"]) == (f"{name}.{kind}", CORE, f"holes_{count}"):
                points.append((count, int(row["max"])))
    return points


def draw_holes():
    rows = bench.load(bench.OUT / "holes.csv")
    panels = []
    for kind in ("malloc", "free"):
        plots = []
        for name in LOOKS:
            points = holes_of(rows, name, kind)
            if points:
                title = f"title '{LOOKS[name][0]}'" if kind == "malloc" else "notitle"
                plots.append(f"{data(f'holes-{kind}-{name}', points)} using 1:2 with linespoints lw 2 {look(name)} {title}")
        panels.append(f"set title '{kind}'\nplot {', '.join(plots)}\n" if plots else "")
    if not all(panels):
        return
    draw("holes", 1000, 460, f"""
set multiplot layout 1,2 title 'Cortex-M4, -O2: instructions of the slowest call, by the number of free holes in the heap'
set logscale xy
set xrange [80:5000]
set yrange [30:1000000]
set format y '%.0f'
set xtics (100, 1000, 4000)
set xlabel 'free holes'
set ylabel 'instructions (not cycles)'
set key top left Left reverse samplen 2
{panels[0]}
set ylabel ''
unset key
{panels[1]}
unset multiplot
""")


def shares(rows, what):
    """[(instructions, percent of all calls that take no more)] over all traces; the calls above the last bar are not reached."""
    bars = {}
    for row in rows:
        if row["what"] == what and row["core"] == CORE:
            at = int(row["instructions"])
            bars[at] = bars.get(at, 0) + int(row["calls"])
    calls, below, points = sum(bars.values()), 0, []
    for at in range(0, LAST_BAR, BAR):
        below += bars.get(at, 0)
        if calls != 0 and at >= 16:
            points.append((at + BAR, 100 * below / calls))
    return points


def draw_distribution():
    rows = bench.load(bench.OUT / "histogram.csv")
    panels = []
    for kind in ("malloc", "free"):
        plots = []
        for name in LOOKS:
            points = shares(rows, f"{name}.{kind}")
            if points:
                title = f"title '{LOOKS[name][0]}'" if kind == "free" else "notitle"
                plots.append(f"{data(f'distribution-{kind}-{name}', points)} using 1:2 with linespoints lw 2 {look(name)} pi 12 {title}")
        panels.append(f"set title '{kind}'\nplot {', '.join(plots)}\n" if plots else "")
    if not all(panels):
        return
    draw("distribution", 1000, 460, f"""
set multiplot layout 1,2 title 'Cortex-M4, -O2, all traces: the share of calls that take no more instructions than that'
set xrange [20:{LAST_BAR}]
set logscale x
set yrange [0:101]
set xtics (25, 50, 100, 200, 400)
set grid xtics
set xlabel 'instructions (not cycles)'
set ylabel 'percent of calls'
unset key
{panels[0]}
set ylabel ''
set key bottom right
{panels[1]}
unset multiplot
""")


def draw_all():
    (bench.OUT / "plot").mkdir(parents=True, exist_ok=True)
    draw_memory()
    draw_holes()
    draw_distribution()
