#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check that the drawings of `make graph` have every row of the engine's tables.

  B=build test/lint/graph.py

Reads ikev2/state.c and ikev2/path.c as text, and what the simulator draws of them
through their functions: two ways to the same tables.  The last line is "N passed,
M failed".
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.environ.get("B", "build")
STATES_OF = {"ESTABLISHED": {"UP", "REKEYED", "DELETING"}}


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)


def drawn(what):
    sim = os.path.join(ROOT, B, "test/sim/sim")
    return subprocess.run([sim, "--graph", what], check=True, stdout=subprocess.PIPE,
                          timeout=30).stdout.decode()


def state_rows():
    """(table, from, event, to), as the source has them."""
    out = []
    for prefix, ev, table in (("IKE_SA_", "IKE_EV_", "sa"),
                              ("IKE_CHILD_", "IKE_EV_CHILD_", "child")):
        row = r"\{ %s(\w+),\s*%s(\w+),\s*%s(\w+) \}" % (prefix, ev, prefix)
        for a, e, b in re.findall(row, read("ikev2/state.c")):
            out.append((table, a, e.lower().replace("_", "-"), b))
    return out


def state_arrows():
    out = []
    for a, b, e in re.findall(r'(\w+) -> (\w+) \[label="([\w-]+)"\]', drawn("states")):
        table = "child" if a.startswith("c_") else "sa"
        out.append((table, a.removeprefix("c_"), e, b.removeprefix("c_")))
    return out


def form_names():
    return dict(re.findall(r'\[(IKE_FORM_\w+)\] = "([^"]+)"', read("ikev2/wire/rules.c")))


def path_rows():
    """(exchange, direction, form, states, steps), as the source has them."""
    text = read("ikev2/path.c")
    forms = form_names()
    lists = {}
    for name, body in re.findall(r"ike_step_fn \*const (\w+)\[\] = \{(.*?)\};", text, re.S):
        lists[name] = tuple(re.findall(r"ike_step_(\w+)", body))
    out = []
    row = r"\{ IKE_XCHG_(\w+), (true|false), (IKE_FORM_\w+),\s*([^,]+),\s*(\w+) \}"
    for xchg, is_rsp, form, states, steps in re.findall(row, text):
        names = set(re.findall(r"S\((\w+)\)", states))
        for group, members in STATES_OF.items():
            if group in states:
                names |= members
        out.append((xchg, "response" if is_rsp == "true" else "request", forms[form],
                    frozenset(names), lists[steps]))
    return out


def path_boxes():
    text = drawn("paths")
    out = []
    for xchg, body in re.findall(r'subgraph cluster_\d+ \{\s*label="(\w+)";(.*?)\n\t\}', text, re.S):
        steps = dict(re.findall(r'(p\d+) \[style.*?label="(.*?)"\]', body))
        goes = dict(re.findall(r"(m\d+) -> (p\d+);", body))
        for m, label in re.findall(r'(m\d+) \[label="(.*?)"\]', body):
            what, _, states = label.split("\\n")
            direction, _, form = what.partition(": ")
            out.append((xchg, direction, form, frozenset(states.split()[1:]),
                        tuple(steps[goes[m]].split("\\n")[:-1])))
    return out


def compare(what, rows, boxes):
    good = bad = 0
    for r in rows:
        if boxes.count(r) == 1:
            good += 1
        else:
            bad += 1
            print(f"{what}: a row is drawn {boxes.count(r)} times: {r}")
    for b in boxes:
        if b not in rows:
            bad += 1
            print(f"{what}: drawn, but no row: {b}")
    if not rows:
        bad += 1
        print(f"{what}: no rows found in the source")
    return good, bad


def main():
    s = compare("ikev2/state.c", state_rows(), state_arrows())
    p = compare("ikev2/path.c", path_rows(), path_boxes())
    print(f"{s[0] + p[0]} passed, {s[1] + p[1]} failed")
    return 0 if s[1] + p[1] == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
