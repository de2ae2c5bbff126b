# SPDX-License-Identifier: MIT
#
# Gathers what real programs keep in memory on this machine: pages to measure compression with.
#
#   python3 test/bench/real_pages.py [--page BYTES] [FOLDER]      FOLDER: default build/bench/real_pages
#   python3 test/bench/real_pages.py [--page BYTES] --lz4 FILE    the ratio that LZ4 reaches on the pages of a file
#
# OWNS        FOLDER/SOURCE.pages, whole pages one behind the other: of each source those that are neither zeros, nor one word repeated, nor seen before in
#             it; FOLDER/sources.csv, how many there were of each kind.
# PICTURE     elf      the writable segments of installed programs, as the files have them
#             others   the heap of a program that has worked, and waits: read through /proc/PID/mem
# INVARIANTS  1. A source gives at most MOST pages: every n-th of what there is. Nothing that was gathered is ever committed.
# COST        some seconds. CALLERS  compress.sh; the user. Linux; standard library only. A program that is not installed is left out, and that is said.
import argparse
import csv
import ctypes
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOST = 1024
LEAST = 64
ELF_FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")
DONE = "work is done"

PERL = r'my %h; for my $i (1 .. 20000) { $h{"key$i"} = { name => "name of $i", list => [$i, $i * 2, "$i"] }; } $| = 1; print "work is done\n"; <STDIN>;'
NODE = 'const m = new Map(); for (let i = 0; i < 20000; i++) m.set("key" + i, {n: i, s: "s" + i}); console.log("work is done"); process.stdin.resume()'
GDB = "set pagination off\nfile /usr/bin/gdb\ninfo line main\necho work is done\\n\n"


def lua32():
    """Lua built for 32 bits, words and pointers as on the target, from the sources that test/programs/sources.sh gets; where they are not, a name that is
    not there."""
    program = ROOT / "build" / "bench" / "lua32"
    sources = [str(path) for path in sorted((ROOT / "build" / "programs" / "source" / "lua" / "src").glob("*.c")) if path.name != "luac.c"]
    if not program.exists() and sources:
        subprocess.run(["gcc", "-m32", "-O2", "-w", *sources, "-lm", "-o", str(program)], check=True)
    return str(program)


# name: (command, what it reads). What is printed last tells that it has worked; then it waits for more to read.
def programs():
    folder = ROOT / "test" / "preload"
    lua = f'dofile("{folder}/work.lua") print("{DONE}") io.stdout:flush() io.read()'
    python = f'exec(open("{folder}/work.py").read()); print("{DONE}", flush=True); input()'
    return {
        "sqlite3": (["sqlite3"], (folder / "work.sql").read_text() + f".print {DONE}\n"),
        "python3": ([sys.executable, "-c", python], ""),
        "lua5.4": (["lua5.4", "-e", lua], ""),
        "lua32": ([lua32(), "-e", lua], ""),
        "perl": (["perl", "-e", PERL], ""),
        "gdb": (["gdb", "-q", "-nx"], GDB),
        "bash": (["bash", "--norc"], "for i in {1..5000}; do a[$i]=\"word $i\"; done; f() { local x; for x in $1; do echo $x; done; }; "
                                     f"declare -A m; for i in {{1..500}}; do m[k$i]=$((i * i)); done; echo {DONE}\n"),
    }


def elf_segments(path):
    """The bytes of the writable segments of an ELF file, of either size, little-endian."""
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    if data[:4] != b"\x7fELF" or data[5] != 1:
        return b""
    wide = data[4] == 2
    at, = struct.unpack_from("<Q" if wide else "<I", data, 32 if wide else 28)
    size, count = struct.unpack_from("<HH", data, 54 if wide else 42)
    parts = []
    for entry in (at + size * i for i in range(count)):
        if wide:
            kind, flags, offset, _, _, bytes_in_file = struct.unpack_from("<IIQQQQ", data, entry)
        else:
            kind, offset, _, _, bytes_in_file, _, flags = struct.unpack_from("<IIIIIII", data, entry)
        if kind == 1 and flags & 2:
            parts.append(data[offset : offset + bytes_in_file])
    return b"".join(parts)


def elf_pages(page):
    """Up to 32 pages of each program, so that no large one outweighs the others."""
    pages = []
    for folder in ELF_FOLDERS:
        for path in sorted(pathlib.Path(folder).glob("*")) if os.path.isdir(folder) else []:
            if path.is_file() and not path.is_symlink():
                pages += sample(cut(elf_segments(path), page), 32)
    return pages


def heap_of(pid):
    """The heap, and what else is anonymous and writable, but the stack."""
    parts = []
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw.. \S+ \S+ 0\s*(\[heap\])?$", line.strip())
            if found:
                start, end = (int(found[i], 16) for i in (1, 2))
                try:
                    memory.seek(start)
                    parts.append(memory.read(min(end - start, 64 << 20)))
                except (OSError, OverflowError):
                    pass
    return b"".join(parts)


def heap_pages(command, text, page):
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/tmp",
                          env={"PATH": os.environ["PATH"], "LC_ALL": "C", "PYTHONHASHSEED": "1"}) as child:
        child.stdin.write(text.encode())
        child.stdin.flush()
        for line in child.stdout:
            if DONE.encode() in line:
                break
        heap = heap_of(child.pid)
        child.kill()
    return cut(heap, page)


def cut(data, page):
    return [data[at : at + page] for at in range(0, len(data) - page + 1, page)]


def sample(pages, most):
    step = max(1, -(-len(pages) // most))
    return pages[::step]


def sort_out(pages):
    """(unique pages, zeros, filled, duplicates)"""
    seen, unique, zeros, filled, duplicates = set(), [], 0, 0, 0
    for page in pages:
        if page == bytes(len(page)):
            zeros += 1
        elif page == page[:4] * (len(page) // 4):
            filled += 1
        elif page in seen:
            duplicates += 1
        else:
            seen.add(page)
            unique.append(page)
    return unique, zeros, filled, duplicates


def lz4_ratio(path, page):
    """What liblz4's fast compressor makes of the pages of a file, each alone, with the store's threshold; "-" where it is not installed."""
    try:
        compress = ctypes.CDLL("liblz4.so.1").LZ4_compress_default
    except OSError:
        return "-"
    out = ctypes.create_string_buffer(2 * page)
    pages = cut(path.read_bytes(), page)
    sizes = [compress(one, out, page, 2 * page) for one in pages]
    return f"{len(pages) * page / sum(size if size <= page // 4 * 3 else page for size in sizes):.3f}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--page", type=int, default=1024)
    parser.add_argument("--lz4", type=pathlib.Path, metavar="FILE")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=ROOT / "build" / "bench" / "real_pages")
    options = parser.parse_args()
    if options.lz4 is not None:
        print(lz4_ratio(options.lz4, options.page))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    rows = []

    def gather(name, pages):
        unique, zeros, filled, duplicates = sort_out(pages)
        kept = sample(unique, MOST)
        if len(kept) < LEAST:
            print(f"real_pages: {name} gave {len(kept)} pages: left out", file=sys.stderr)
            return
        (options.folder / f"{name}.pages").write_bytes(b"".join(kept))
        rows.append((name, options.page, len(pages), zeros, filled, duplicates, len(unique), len(kept)))

    gather("elf", elf_pages(options.page))
    for name, (command, text) in programs().items():
        if shutil.which(command[0]):
            gather(name, heap_pages(command, text, options.page))
        else:
            print(f"real_pages: {command[0]} is not installed: left out", file=sys.stderr)
    with open(options.folder / "sources.csv", "w", newline="", encoding="ascii") as out:
        table = csv.writer(out, lineterminator="\n")
        table.writerow(("source", "page", "pages", "zeros", "filled", "duplicates", "unique", "kept"))
        table.writerows(rows)


if __name__ == "__main__":
    main()
