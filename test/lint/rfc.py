# SPDX-License-Identifier: Apache-2.0
"""The tables of RFC sections in doc/ikev2.md: is every row whole, does each test exist?

A row is "| section | what | spoken | remark | proof |".  Spoken is yes, in part, no or
none (nothing to be spoken).  "yes" and "in part" name a proof, "in part" and "no" have a
remark that says why.  Proofs stand in code spans:

    `sim NAME`           test/sim/NAME.play
    `unit FILE NAME`     TEST(NAME) in test/unit/FILE.c
    `net FILE NAME`      def NAME in test/net/FILE.py
    `fuzz NAME`          test/fuzz/fz_NAME.c

A NAME may end in *.
"""
import fnmatch
import glob
import os
import re

PAGE = "doc/ikev2.md"
SPOKEN = ("yes", "in part", "no", "none")


class Proofs:
    """Everything that can be named."""

    def __init__(self, root):
        def names(pattern, regex):
            out = {}
            for path in glob.glob(os.path.join(root, pattern), recursive=True):
                with open(path, encoding="utf-8") as f:
                    out[os.path.splitext(os.path.relpath(path, root))[0]] = \
                        set(re.findall(regex, f.read(), re.M))
            return out
        self.plays = {os.path.basename(p)[:-5] for p in
                      glob.glob(os.path.join(root, "test/sim/*.play"))}
        self.unit = names("test/unit/**/t_*.c", r"^TEST\((\w+)\)")
        self.net = names("test/net/test_*.py", r"^def (test_\w+)")
        self.fuzz = {os.path.basename(p)[3:-2] for p in
                     glob.glob(os.path.join(root, "test/fuzz/fz_*.c"))}

    def exists(self, proof):
        kind, *rest = proof.split()
        if kind == "sim" and len(rest) == 1:
            return bool(fnmatch.filter(self.plays, rest[0]))
        if kind == "fuzz" and len(rest) == 1:
            return rest[0] in self.fuzz
        if kind == "unit" and len(rest) == 2:
            return bool(fnmatch.filter(self.unit.get("test/unit/" + rest[0], ()), rest[1]))
        if kind == "net" and len(rest) == 2:
            return bool(fnmatch.filter(self.net.get("test/net/" + rest[0], ()), rest[1]))
        return False


def wrong(cells, proofs):
    """What is wrong with a row; None when nothing is."""
    if len(cells) != 5 or not all(cells[:3]):
        return "a row has section, what, spoken, remark, proof"
    _, _, spoken, remark, proof = cells
    spans = re.findall(r"`([^`]+)`", proof)
    if spoken not in SPOKEN:
        return f"spoken is {', '.join(SPOKEN)}, not {spoken}"
    if spoken in ("no", "in part") and not remark:
        return f"'{spoken}' without a why"
    if spoken in ("yes", "in part") and not spans:
        return f"'{spoken}' without a test"
    missing = [s for s in spans if not proofs.exists(s)]
    return f"there is no test {', '.join(missing)}" if missing else None


def check(docs, root):
    """Add the rows of the page as tests to docs."""
    path = os.path.join(root, PAGE)
    if not os.path.exists(path):
        docs.test(False, PAGE, "is missing")
        return
    proofs, n = Proofs(root), 0
    with open(path, encoding="utf-8") as f:
        lines = f.read().splitlines()
    in_table = False
    for at, line in enumerate(lines, 1):
        if not line.startswith("|"):
            in_table = False
            continue
        cells = [c.strip() for c in line.strip("|").split("|")]
        if cells[:2] == ["section", "what"]:
            in_table = True
        elif in_table and not re.match(r"[-: ]+$", cells[0]):
            what = wrong(cells, proofs)
            n += 1
            docs.test(what is None, f"{PAGE}:{at}", what)
    docs.test(n > 0, PAGE, "has no rows")
