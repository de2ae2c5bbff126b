# SPDX-License-Identifier: MIT
"""Objects, JSON, regular expressions, large buffers that grow, processes and threads."""
import json
import os
import re
import subprocess
import threading
import warnings

rows = [{"key%d" % (i % 97): [i, str(i) * 3]} for i in range(60000)]
text = json.dumps(rows)
print(len(text), len(json.loads(text)), sum(len(digits) for digits in re.findall(r"\d+", text)))
buffer = bytearray()
for i in range(2000):
    buffer += bytes([i % 251]) * 1000
print(len(buffer), sum(buffer[::997]))
warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of a fork while they see threads run
done = []


def work(number):
    kept = [bytes(number) * (i % 300) for i in range(20000)]
    done.append((number, sum(len(block) for block in kept)))


threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
for thread in threads:
    thread.start()
children = []
for number in range(4):  # while the threads allocate
    child = os.fork()
    if child == 0:
        kept = [bytes(number + 1) * 100 for i in range(10000)]
        os._exit(len(kept) % 251)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
for thread in threads:
    thread.join()
print(sorted(done))
print(subprocess.run(["sort", "-n"], input="3\n1\n2\n", capture_output=True, text=True, check=True).stdout.split())
