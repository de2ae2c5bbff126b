# SPDX-License-Identifier: MIT
#
# Writes the whole library as two files, cairn.h and cairn.c, for a project that would rather copy two files than a folder.
#
#   python3 port/single/single.py FOLDER       writes FOLDER/cairn.h and FOLDER/cairn.c; makes the folder
#
# OWNS        the two files. Nothing in them is written here but their first lines: the rest is lib/, file by file, comments and all.
# PICTURE     cairn.h   licence | lib/include/cairn/*.h, each behind those that it includes
#             cairn.c   licence | #include "cairn.h" | each .c file of lib, before it the private headers that are new to it
#             Folders stand in the order of their includes, lowest first; in a folder, by name.
# INVARIANTS  1. The same lib gives the same bytes.
#             2. An external name of cairn.c is one that cairn.h declares: what private headers declare becomes static.
#             3. A macro of a .c file ends with it. Where two .c files have a static function of one name, that of the second has another, by
#                a macro that ends with the file too.
#             4. cairn.c is not larger than the library: gcc is told not to lay out functions in others by itself, nor to take their arguments apart, which it would do across all files
#                that are one there.
#             5. An include of lib is not inside an #if. (A header's guard aside.)
#             6. Where a private header defines another's guard it stands in for that one: the headers that include the other stand before each .c file that
#                includes the stand-in once more, behind it. All their static functions have other names there, and its macros end with the file. What is so
#                repeated has no types, but for what includes the stand-in itself, which stands there only.
# COST        nothing at run time. Python's own library is enough.
# CALLERS     a user; test/single, test/check/package.sh and docs_pages.py.
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIB = ROOT / "lib"
PUBLIC = LIB / "include"
INCLUDE = re.compile(r'#[ \t]*include[ \t]*(?:"([^"]+)"|(<[^>]+>))')
DECLARED = re.compile(r"(?:[A-Za-z_]\w*[ *]+)+?(cairn_\w+)[(\[]|(?:extern )?const struct \w+ (cairn_\w+)(?:;| = )")
STATIC = re.compile(r"(?:static|CAIRN_INLINE|CAIRN_SHARED|CAIRN_APART|CAIRN_COLD|CAIRN_NOINLINE)\b[\w *]*?\b(\w+)\(")
MACRO = re.compile(r"#[ \t]*define[ \t]+(\w+)")
GUARD = re.compile(r"^#ifndef (\w+)\n#define \1\n", re.M)
LICENCE_LINE = "// SPDX-License-Identifier: MIT\n"


def fail(what):
    sys.exit(f"single: {what}")


def name_of(path):
    """What an #include calls it."""
    return str(path.relative_to(PUBLIC if PUBLIC in path.parents else LIB))


def is_public(name):
    return (PUBLIC / name).exists()


def includes_of(text):
    return [found[1] for line in text.splitlines() if (found := INCLUDE.match(line.lstrip())) and found[1]]


def in_order(names, needs):
    """Each name behind those that needs(name) gives, otherwise as they come."""
    done, open_ = [], []

    def visit(name):
        if name in open_:
            fail(f"these include each other: {' '.join(open_[open_.index(name):])}")
        if name not in done:
            open_.append(name)
            for other in needs(name):
                visit(other)
            open_.pop()
            done.append(name)

    for name in names:
        visit(name)
    return done


def external_in(line):
    """The name with external linkage that a line declares or defines, or None."""
    found = DECLARED.match(line)
    if found is None or re.search(r"\b(static|typedef|CAIRN_INLINE|CAIRN_SHARED|CAIRN_APART|_Static_assert)\b", line[:found.start(found.lastindex)]):
        return None
    return found[found.lastindex]


def statics_in(text):
    """The static functions that a text defines."""
    return {found[1] for line in text.splitlines() if (found := STATIC.match(line))}


def macros_in(text):
    """The macros that a text defines, but for its guard."""
    guard = GUARD.search(text)
    return {found[1] for line in text.splitlines() if (found := MACRO.match(line))} - {guard and guard[1]}


class Library:
    """The texts of lib by name; those of lib/include apart from the others; the names that private headers share."""

    def __init__(self):
        self.texts = {name_of(path): path.read_text(encoding="utf-8") for path in sorted(LIB.rglob("*.[ch]"))}
        names = sorted(self.texts)
        self.public = [name for name in names if is_public(name)]
        self.private = [name for name in names if name.endswith(".h") and not is_public(name)]
        folders = in_order(sorted({str(pathlib.Path(name).parent) for name in names if not is_public(name)}), self.folders_of)
        self.sources = [name for folder in folders for name in names if name.endswith(".c") and str(pathlib.Path(name).parent) == folder]
        self.shared = {external_in(line) for name in self.private for line in self.texts[name].splitlines()} - {None}
        self.shared -= {external_in(line) for name in self.public for line in self.texts[name].splitlines()}
        guards = {GUARD.search(self.texts[name])[1]: name for name in self.private}
        self.stand_ins = {name: guards[macro] for name in self.private for macro in macros_in(self.texts[name]) if macro in guards}
        self.behind = {name for name in self.private if any(self.reaches(name, header) or name == header for header in self.stand_ins)}
        self.repeated = {name: self.repeated_in(name) for name in self.sources}
        self.clashes = {}  # of a .c file: its static functions, and those that are repeated for it, that a file before it has too
        taken = {name for header in self.private if header not in self.behind for name in statics_in(self.texts[header])}
        for name in self.sources:
            own = {static for part in [name, *self.repeated[name]] for static in statics_in(self.texts[part])}
            macros = {macro for part in self.repeated[name] if part in self.stand_ins for macro in macros_in(self.texts[part])}
            self.clashes[name] = sorted((own & taken) - macros)
            taken |= own

    def needs(self, name):
        found = includes_of(self.texts[name])
        return [other for other in found if other in self.texts or fail(f"{name} includes {other}, which lib has not")]

    def reaches(self, name, other):
        return other in in_order([name], self.needs) and name != other

    def repeated_in(self, name):
        """The headers that stand before a .c file once more: a stand-in, if it includes one, and behind it what includes the other."""
        found = [header for header in in_order(self.needs(name), self.needs) if header in self.stand_ins]
        if not found:
            return []
        if len(found) > 1:
            fail(f"{name} includes two stand-ins: {' '.join(found)}")
        own = in_order([found[0]], self.needs)
        users = [header for header in in_order(self.needs(name), self.needs) if self.reaches(header, self.stand_ins[found[0]])]
        if set(users) & set(own):
            fail(f"{found[0]} includes what it stands in for")
        return [found[0], *users]

    def folders_of(self, folder):
        inside = [name for name in self.texts if str(pathlib.Path(name).parent) == folder and not is_public(name)]
        found = {str(pathlib.Path(other).parent) for name in inside for other in self.needs(name) if not is_public(other)}
        return sorted(found - {folder})

    def body(self, name, seen_system):
        """A file without its licence line and its includes of lib, the shared names static; before it what is repeated for it."""
        repeated = self.repeated.get(name, [])
        stood_in = macros_in(self.texts[repeated[0]]) if repeated else set()
        before = sorted(stood_in - {GUARD.search(self.texts[self.stand_ins[part]])[1] for part in repeated[:1]})
        text = "".join(f"#undef {macro}\n" for macro in before)
        text += "".join(f"#undef {GUARD.search(self.texts[part])[1]}\n" for part in repeated[1:])
        text += "\n" if text else ""
        clashes = self.clashes.get(name, [])
        place = re.sub(r"\W", "_", name.removesuffix(".c"))
        text += "".join(f"#define {clash} {clash}_of_{place}\n" for clash in clashes)
        if repeated:  # not all of it is wanted once more
            text += "\n#if defined(__clang__)\n#pragma clang diagnostic push\n#pragma clang diagnostic ignored \"-Wunused-function\"\n#endif\n"
            text += "".join("\n" + self.part(part, seen_system) for part in repeated)
            text += "\n#if defined(__clang__)\n#pragma clang diagnostic pop\n#endif\n\n"
        text += self.part(name, seen_system)
        text += "".join(f"#undef {clash}\n" for clash in clashes) + "".join(f"#undef {macro}\n" for macro in before)
        text = re.sub(r"\n{3,}", "\n\n", text).strip("\n")
        rule = f"// ==== {name} "
        return f"{rule}{'=' * (140 - len(rule))}\n{text}\n\n"

    def part(self, name, seen_system):
        lines, macros, depth = [], [], 0
        for number, line in enumerate(self.texts[name].splitlines(), 1):
            if number == 1 and line + "\n" == LICENCE_LINE:
                continue
            word = re.match(r"#[ \t]*(\w+)", line)
            depth += {"if": 1, "ifdef": 1, "ifndef": 1, "endif": -1}.get(word[1], 0) if word else 0
            found = INCLUDE.match(line.lstrip())
            if found and depth > (1 if name.endswith(".h") else 0):
                fail(f"{name}:{number}: an include inside an #if")
            if found and (found[1] or found[2] in seen_system):
                continue
            if found:
                seen_system.add(found[2])
            if name.endswith(".c") and (macro := MACRO.match(line)):
                macros.append(macro[1])
            if external_in(line) in self.shared:
                line = "static " + line.removeprefix("extern ")
            lines.append(line)
        lines += ["", *(f"#undef {macro}" for macro in dict.fromkeys(macros))] if macros else []
        return "\n".join(lines).strip("\n") + "\n"


def opening(library, what):
    version = dict(re.findall(r"#define CAIRN_VERSION_(\w+) (\d+)", library.texts["cairn/types.h"]))
    number = ".".join(version[part] for part in ("MAJOR", "MINOR", "PATCH"))
    licence = "".join(f"// {line}".rstrip() + "\n" for line in (ROOT / "LICENSE").read_text(encoding="utf-8").splitlines())
    return f"{LICENCE_LINE}//\n// cairn {number}: {what}\n// Written by port/single/single.py; change lib, not this.\n//\n{licence}\n"


def header(library):
    seen = set()
    names = in_order(library.public, library.needs)
    return opening(library, "the interface, all of it. The library is cairn.c.") + "".join(library.body(name, seen) for name in names)


# Invariant 4.
APART = """#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-inline-functions", "no-ipa-sra")
#endif

"""


def source(library):
    seen = set()
    names = [name for name in in_order(library.sources, library.needs) if not is_public(name)]
    names += [name for name in library.private if name not in names]
    names = [name for name in names if name not in library.behind]
    return opening(library, "the library, all of it. Compile this one file as C11.") + APART + '#include "cairn.h"\n\n' + \
        "".join(library.body(name, seen) for name in names)


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python3 single.py FOLDER")
    folder = pathlib.Path(sys.argv[1])
    library = Library()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in (("cairn.h", header(library)), ("cairn.c", source(library))):
            (folder / name).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}")


main()
