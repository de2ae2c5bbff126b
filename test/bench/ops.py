# SPDX-License-Identifier: MIT
#
# Turns a recorded trace into the flat stream of operations that the bench program reads (target/ops.h).
#
#   python3 test/bench/ops.py TRACE.rep OUT.ops
#
# PICTURE  word 0 magic, 1 operations, 2 slots, 3 peak live payload; then two words an operation:
#          kind << 28 | log2 of the alignment << 23 | slot, size
# An id becomes a slot of its own while it lives, so that the table of live blocks is as small as the peak of their number.
import struct
import sys

MAGIC = 0x31504F43  # "COP1"
ALLOC, FREE, REALLOC = 1, 2, 3
SLOT_BITS = 23


class TraceError(Exception):
    pass


def read(path):
    """Yields (line number, kind, id, alignment, size) for each operation; sizes of 0 count as 1."""
    with open(path, encoding="ascii") as trace:
        for number, line in enumerate(trace, 1):
            if number <= 4:
                continue
            word = line.split()
            if not word:
                continue
            try:
                values = [int(value) for value in word[1:]]
                kind, shape = word[0], len(values)
                if (kind, shape) in (("a", 2), ("r", 2)):
                    yield number, ALLOC if kind == "a" else REALLOC, values[0], 1, max(values[1], 1)
                elif (kind, shape) == ("m", 3):
                    yield number, ALLOC, values[0], values[1], max(values[2], 1)
                elif (kind, shape) == ("f", 1):
                    yield number, FREE, values[0], 1, 0
                else:
                    raise ValueError
            except ValueError:
                raise TraceError(f"{path}:{number}: not an operation: {line.strip()!r}") from None


def convert(path):
    """Returns (words, operations, slots, peak)."""
    words, live, spare, slots = [], {}, [], 0
    total = peak = 0
    for number, kind, name, alignment, size in read(path):
        if kind == ALLOC:
            if name in live:
                raise TraceError(f"{path}:{number}: id {name} is live already")
            slot = spare.pop() if spare else slots
            slots = max(slots, slot + 1)
        elif name not in live:
            raise TraceError(f"{path}:{number}: id {name} is not live")
        else:
            slot, old = live.pop(name)
            total -= old
        if kind == FREE:
            spare.append(slot)
        else:
            live[name] = (slot, size)
            total += size
            peak = max(peak, total)
        words += [kind << 28 | (alignment.bit_length() - 1) << SLOT_BITS | slot, size]
    if slots >> SLOT_BITS:
        raise TraceError(f"{path}: more than {1 << SLOT_BITS} blocks are live at one time")
    return words, len(words) // 2, slots, peak


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: ops.py TRACE.rep OUT.ops")
    try:
        words, operations, slots, peak = convert(sys.argv[1])
    except (TraceError, OSError) as error:
        sys.exit(f"ops.py: {error}")
    with open(sys.argv[2], "wb") as out:
        out.write(struct.pack(f"<{len(words) + 4}I", MAGIC, operations, slots, peak, *words))


main()
