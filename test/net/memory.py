# SPDX-License-Identifier: Apache-2.0
"""What is in the memory of a process, as root sees it."""
import re


def holds(pid, needles):
    """Which of these byte strings are somewhere in a process' writable memory."""
    found = set()
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r...)", line)
            if not m or "[vsyscall]" in line or "[vvar" in line:
                continue
            at, end = int(m[1], 16), int(m[2], 16)
            keep = b""
            while at < end:
                try:
                    mem.seek(at)
                    part = mem.read(min(end - at, 1 << 20))
                except (OSError, ValueError):
                    break
                found |= {n for n in needles if n in keep + part}
                keep, at = part[-64:], at + max(len(part), 1)
    return found
