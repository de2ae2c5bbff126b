# SPDX-License-Identifier: MIT
#
# OWNS        the check of docs/PORTING.md and docs/porting/*.md: what a page tells a newcomer to write is written, what it tells him to type
#             is run, in a folder where nothing else is. And in them the blocks marked `prints`.
# PICTURE     a page's folder at its start:  cairn/  a clone of the repository as it is now, with one commit on the branch main
#                                            the files of docs/PORTING.md
#             then its blocks from the top:  ```c file=main.c       any language: the block is that file (file=a/b.c: in a folder)
#                                            <!-- runs -->          sh: runs in the page's folder, by `sh -eu`; each block is a new shell
#                                                                   cpp: a whole program; C++17, it compiles without a warning and returns 0
#                                            <!-- prints -->        what the block before it prints, to the letter
#             A new page is a new file docs/porting/NAME.md and a line in docs/PORTING.md: nothing is entered here. It stands alone, so files
#             that it needs of another page it shows again. What its commands call has to be on the machine: enter the package in
#             port/setup.sh. To follow a page alone: sh test/check/docs.sh --page NAME
# INVARIANTS  1. Every block is a file, is run, or is compared: one that is none of them is an error. So is a page that runs nothing.
#             2. A page leaves nothing behind, and the repository as it was.
# COST        about 3 seconds a page.
# CALLERS     docs.py.
import re
import shutil
import subprocess

BLOCK = re.compile(r"(?:^<!-- (\w+) -->\n)?^```(\w*)(?: file=(\S+))?[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
COMMIT = ("git init -q -b main && git add -A && "
          "git -c user.name=cairn -c user.email=cairn@localhost -c commit.gpgsign=false commit -q -m 'cairn, as it is now'")


def pages(root):
    return [root / "docs" / "PORTING.md", *sorted((root / "docs" / "porting").glob("*.md"))]


def clone(root, to):
    """The repository without what builds leave, as a clone with one commit."""
    shutil.copytree(root, to, symlinks=True, ignore=shutil.ignore_patterns(".git", "build", "build-*", "__pycache__"))
    subprocess.run(["sh", "-eu", "-c", COMMIT], cwd=to, check=True, timeout=120)


def write_file(folder, name, code):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(code, encoding="utf-8")


CPP = ("test -f cpp/libcairn.a || (mkdir cpp && cd cpp && gcc -O0 -std=c11 -I../cairn/lib -I../cairn/lib/include -c ../cairn/lib/*/*.c && "
       "ar rcs libcairn.a *.o); "
       "g++ -O1 -std=c++17 -Wall -Wextra -Werror -Icairn/lib/include page.cpp cpp/libcairn.a -o page && ./page")


def check(text, shared, repository, folder, is_writing):
    """Follows a page in a new folder. Returns ([(place, what is wrong)], {file: its text}, the page, with what it prints if is_writing)."""
    shutil.copytree(repository, folder / "cairn", symlinks=True)
    for name, code in shared.items():
        write_file(folder, name, code)
    wrong, edits, files, printed = [], [], {}, None
    for block in BLOCK.finditer(text):
        mark, language, name, code = block.groups()
        if name is not None and mark is None:
            files[name] = code
            write_file(folder, name, code)
        elif mark == "runs" and language in ("sh", "cpp") and name is None:
            if language == "cpp":
                write_file(folder, "page.cpp", code)
            done = subprocess.run(["sh", "-eu", "-c", CPP if language == "cpp" else code], cwd=folder, capture_output=True, text=True, timeout=300)
            printed = done.stdout
            if done.returncode != 0:
                wrong.append((block.start(), f"returns {done.returncode}, and the page ends here: {done.stdout}{done.stderr}"))
                break
        elif mark == "prints" and name is None and printed is not None:
            if is_writing:
                edits.append((block.start(4), block.end(4), printed))
            elif printed != code:
                wrong.append((block.start(), f"what runs before it prints:\n{printed}"))
        else:
            wrong.append((block.start(), f"a {language} block with the mark '{mark}' and the file '{name}': nobody would run it"))
    for start, end, new in reversed(edits):
        text = text[:start] + new + text[end:]
    return wrong, files, text
