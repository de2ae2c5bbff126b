# SPDX-License-Identifier: MIT
#
# OWNS        the check of README.md and docs/**/*.md, and in them what stands between `<!-- results:NAME -->` and `<!-- /results -->`, and
#             in the blocks marked `prints`. docs_pages.py says what is true of the code in docs/PORTING.md and docs/porting: that is followed.
# PICTURE     a mark on the line before a fenced block says what must be true of it:
#                 <!-- runs -->      c: a whole program; it compiles without a warning as 64 and as 32 bit code, and returns 0
#                                    sh: runs in a folder with main.c (the last c program of the file before it) and cairn, the repository
#                 <!-- prints -->    what the c program before it prints, on both
#                 <!-- compiles -->  c: a whole program, or statements where `heap` is a struct cairn_heap *
#                 <!-- configures --> cmake: a CMakeLists.txt beside main.c and third_party/cairn; it configures and builds
# INVARIANTS  1. Each c, sh-with-mark and cmake block is checked; a c or cmake block without a mark is an error.
#             2. Each relative link leads to a file, and to a heading in it where it has a `#`.
#             3. Each numbers block has a name that test/bench/publish.py knows, is closed, and is not empty; each results block one that
#                docs_results.py knows.
#             4. Nothing is written but by --prints and --results.
#             5. Each test that docs/CONCEPTS.md names runs in test/concepts, and each that runs there is named once.
# COST        some 10 seconds, and those of docs_pages.py.
# CALLERS     docs.sh.
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import docs_pages
import docs_results

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCE = re.compile(r"(?:^<!-- (runs|prints|compiles|configures) -->\n)?^```(\w*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
NUMBERS = re.compile(r"<!-- numbers:([a-z0-9_]+) -->(.*?)<!-- (/?)numbers", re.DOTALL)
FLAGS = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/lib/include", f"-I{ROOT}/lib"]
BODY = '#include <cairn/heap.h>\nvoid example(struct cairn_heap *heap);\nvoid example(struct cairn_heap *heap)\n{{\n{}}}\nint main(void)\n{{\n    return 0;\n}}\n'

problems = []


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def problem(path, text, at, what):
    problems.append(f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, at) + 1}: {what}")


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


# ------------------------------------------------------------------------------------------------------------------- code


def build_library(folder):
    """As 64 and as 32 bit code. Returns {flag: archive}."""
    sources = sorted(str(path) for path in (ROOT / "lib").glob("*/*.c"))
    archives = {}
    for bits in ("-m64", "-m32"):
        where = folder / bits
        where.mkdir()
        status, _, said = run(["gcc", bits, *FLAGS, "-O0", "-c", *sources], where)
        if status == 0:
            status, _, said = run(["ar", "rcs", "libcairn.a", *sorted(path.name for path in where.glob("*.o"))], where)
        if status != 0:
            sys.exit(f"docs: the library does not build: {said}")
        archives[bits] = where / "libcairn.a"
    return archives


def run_program(code, is_run, archives, folder):
    """Returns (what is wrong or None, what it prints)."""
    source = folder / "main.c"
    source.write_text(code if "int main(" in code else BODY.format(code), encoding="utf-8")
    printed = None
    for bits, archive in archives.items():
        status, _, said = run(["gcc", bits, *FLAGS, "main.c", str(archive), "-o", "main"], folder)
        if status != 0:
            return f"does not compile: {said}", ""
        if is_run:
            status, out, said = run(["./main"], folder)
            if status != 0:
                return f"returns {status}: {out}{said}", ""
            if printed is not None and out != printed:
                return f"prints something else as {bits[2:]} bit code: {out}", ""
            printed = out
    return None, printed


def run_cmake(code, program, folder):
    project = folder / "project"
    (project / "third_party").mkdir(parents=True, exist_ok=True)
    if not (project / "third_party" / "cairn").exists():
        os.symlink(ROOT, project / "third_party" / "cairn")
    (project / "main.c").write_text(program, encoding="utf-8")
    (project / "CMakeLists.txt").write_text(code, encoding="utf-8")
    for command in (["cmake", "-S", ".", "-B", "out", "-G", "Ninja"], ["cmake", "--build", "out"]):
        status, out, said = run(command, project)
        if status != 0:
            return f"{' '.join(command)} fails: {out}{said}"
    return None


def check_code(path, text, archives, folder, is_writing):
    """Returns the text, with what the programs print where is_writing."""
    program = printed = None
    edits = []
    for block in FENCE.finditer(text):
        mark, language, code = block.groups()
        wrong = None
        if language == "c" and mark in ("runs", "compiles"):
            wrong, printed = run_program(code, mark == "runs", archives, folder)
            program = code if "int main(" in code else program
        elif language == "cmake" and mark == "configures" and program is not None:
            wrong = run_cmake(code, program, folder)
        elif language == "sh" and mark == "runs" and program is not None:
            (folder / "main.c").write_text(program, encoding="utf-8")
            if not (folder / "cairn").exists():
                os.symlink(ROOT, folder / "cairn")
            status, out, said = run(["sh", "-eu", "-c", code], folder)
            wrong = None if status == 0 else f"fails: {out}{said}"
        elif mark == "prints" and printed is not None:
            if is_writing:
                edits.append((block.start(3), block.end(3), printed))
            elif printed != code:
                wrong = f"the program before it prints:\n{printed}"
        elif language in ("c", "cmake") or mark is not None:
            wrong = f"a {language} block with the mark '{mark}', which means nothing here"
        if wrong is not None:
            problem(path, text, block.start(), wrong)
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return text


def write(path, old, new):
    if new != old:
        path.write_text(new, encoding="utf-8")
        print(f"docs: wrote {path.relative_to(ROOT)}")


def check_page(path, shared, folder, is_writing):
    """Follows one page. Returns the files that it makes."""
    old = path.read_text(encoding="utf-8")
    work = folder / path.stem
    work.mkdir()
    wrong, files, new = docs_pages.check(old, shared, folder / "repository", work, is_writing)
    write(path, old, new)
    if path.stem != "PORTING" and "<!-- runs -->" not in old:
        problem(path, old, 0, "a page that runs nothing")
    for at, what in wrong:
        problem(path, old, at, what)
    return files


def check_pages(only, folder, is_writing):
    """Follows docs/PORTING.md, whose files the others share, and then those of docs/porting that are called `only`, each of them if it is None: as many at once
    as there are processors."""
    docs_pages.clone(ROOT, folder / "repository")
    index, *others = docs_pages.pages(ROOT)
    shared = check_page(index, {}, folder, is_writing)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda path: check_page(path, shared, folder, is_writing), [path for path in others if only in (None, path.stem)]))


# ------------------------------------------------------------------------------------------------------- links and numbers


def anchors(path):
    """What a heading is called in a link, as the usual renderers do."""
    headings = re.findall(r"^#+ +(.*?) *$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links(path, text):
    for link in LINK.finditer(re.sub(r"`[^`\n]*`", lambda code: "x" * len(code[0]), text)):
        target, _, anchor = link[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        to = (path.parent / target).resolve() if target else path
        if not to.exists():
            problem(path, text, link.start(), f"there is no {target}")
        elif anchor and to.suffix == ".md" and anchor not in anchors(to):
            problem(path, text, link.start(), f"{to.name} has no heading '#{anchor}'")


def published_names():
    """Those that publish.py can fill: the numbers inside a line, and the tables."""
    names = set(re.findall(r'^        "([a-z0-9_]+)": ', (ROOT / "test/bench/publish.py").read_text(encoding="utf-8"), re.MULTILINE))
    return names | set(re.findall(r"^def ([a-z0-9_]+)\((?:before)?\):", (ROOT / "test/bench/tables.py").read_text(encoding="utf-8"), re.MULTILINE))


def check_numbers(path, text, names):
    opened = text.count("<!-- numbers:")
    blocks = list(NUMBERS.finditer(text))
    if opened != len(blocks) or opened != text.count("<!-- /numbers -->"):
        problem(path, text, 0, "a numbers block is not closed")
    for block in blocks:
        if block[3] != "/":
            problem(path, text, block.start(), f"numbers:{block[1]} is not closed")
        elif block[1] not in names:
            problem(path, text, block.start(), f"publish.py knows no numbers '{block[1]}'")
        elif not block[2].strip():
            problem(path, text, block.start(), f"numbers:{block[1]} is empty: sh test/bench/run.sh, then python3 test/bench/publish.py")

    for block in docs_results.BLOCK.finditer(text):
        if block[2] not in docs_results.TABLES:
            problem(path, text, block.start(), f"docs_results.py knows no results '{block[2]}'")
        elif not block[3].strip():
            problem(path, text, block.start(), f"results:{block[2]} is empty: sh test/run.sh full, then sh test/check/docs.sh --results")


def check_concepts():
    path = ROOT / "docs" / "CONCEPTS.md"
    text = path.read_text(encoding="utf-8")
    sources = "".join(source.read_text(encoding="utf-8") for source in sorted((ROOT / "test" / "concepts").glob("test_*.c")))
    tests = set(re.findall(r"cmocka_unit_test\((concept_\w+)\)", sources))
    named = list(re.finditer(r"^\| .* \| `(concept_\w+)` \|$", text, re.MULTILINE))
    for row in named:
        if row[1] not in tests or sum(other[1] == row[1] for other in named) != 1:
            problem(path, text, row.start(), f"{row[1]} is no test of test/concepts, or is named twice")
    for test in tests - {row[1] for row in named}:
        problem(path, text, 0, f"the test {test} has no row")


def check_documents(folder, is_writing):
    check_concepts()
    names = published_names()
    archives = build_library(folder)
    for path in documents():
        text = path.read_text(encoding="utf-8")
        if path not in docs_pages.pages(ROOT):
            old = text
            text = check_code(path, old, archives, folder, is_writing)
            write(path, old, text)
        check_links(path, text)
        check_numbers(path, text, names)


def main():
    mode, only = (sys.argv + ["", ""])[1:3]
    if mode not in ("", "--prints", "--results", "--page") or len(sys.argv) > 3 or (only != "") != (mode == "--page"):
        sys.exit("usage: docs.py [--prints | --results | --page NAME]")
    if mode == "--results":
        docs_results.write(ROOT, documents())
        return
    if only and only not in [path.stem for path in docs_pages.pages(ROOT)]:
        sys.exit(f"docs: there is no page docs/porting/{only}.md")
    with tempfile.TemporaryDirectory() as folder:
        check_pages(only or None, pathlib.Path(folder), mode == "--prints")
        if not only:
            check_documents(pathlib.Path(folder), mode == "--prints")
    for line in sorted(problems):
        print(line)
    if problems:
        sys.exit(f"docs: {len(problems)} problems")
    print(f"docs: {only or f'{len(documents())} documents'} hold{'s' if only else ''}")


main()
