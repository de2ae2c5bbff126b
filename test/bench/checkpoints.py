# SPDX-License-Identifier: MIT
#
# OWNS     what checkpoints write beside the pages that were stored to, by size of page (checkpoint.c).
# CALLERS  run.py.
import bench

HEADER = ("page_bytes", "pages", "stored", "saves", "beside", "percent")


def rows():
    program = bench.OUT / "checkpoint"
    bench.OUT.mkdir(parents=True, exist_ok=True)
    bench.run(["gcc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Wundef", "-Wconversion", "-Wshadow", "-Werror", "-Ilib", "-Ilib/include", "-Itest/support",
               "test/bench/checkpoint.c", *sorted((bench.ROOT / "lib").glob("*/*.c")), "-o", program])
    return [line.split(",") for line in bench.run([program]).splitlines()]
