# SPDX-License-Identifier: Apache-2.0
"""tapir lab break: each fault the lab can have, and that tapir why names it first, at both ends
where both can know it; and that every cause of why.def is named live somewhere."""
import json
import os
import re
import subprocess
import unicodedata
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import pytest

import schema
from gateway import TAPIR
from lab import until

SECONDS = 20        # for a fault to show; those called slow in the list take more
SLOW_SECONDS = 60
WAYS = {"ethernet": [], "ip": ["--ip"], "strongswan": ["--peer", "strongswan"]}
LABS = {"a": "ethernet", "b": "ethernet", "c": "ethernet", "ip": "ip", "swan": "strongswan"}
# What is up and carries nothing, or not well: looked at with --traffic as well.
TRAFFIC = {"one-way", "esp-integrity", "esp-replay", "mtu-black-hole", "loop", "mac-moving",
           "mac-duplicate", "arp-silent", "no-mac", "peer-silent", "rekey-refused"}
# Causes that no fault of the lab has: they need another peer than the lab's.
ELSEWHERE = {"trying": "test_why.py", "cert-weak": "test_why.py", "own-key": "test_why.py",
             "redirect-loop": "test_why.py", "eap-wait": "test_eap.py",
             "radius-refused": "test_radius.py", "radius-no-key": "test_radius.py",
             "identity-other": "../unit/why/t_why.c", "we-refuse": "../unit/why/t_why.c"}
HOME = os.path.dirname(__file__)


def tapir(*argv, ok=True):
    """Run it; its JSON document."""
    done = subprocess.run([TAPIR, "--json", *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert not ok or done.returncode == 0, f"tapir {' '.join(argv)}: {done.stdout}"
    return json.loads(done.stdout)


@pytest.fixture(scope="module", name="labs")
def built():
    """Labs of tapir's own: name -> id.  Faults mostly wait, so the labs do it together."""
    ids = {}

    def up(name):
        ids[name] = tapir("lab", "up", *WAYS[LABS[name]])["id"]
    try:
        with ThreadPoolExecutor(len(LABS)) as pool:
            list(pool.map(up, LABS))
        yield ids
    finally:
        for lab in ids.values():
            tapir("lab", "down", lab)


@pytest.fixture(scope="module", name="faults")
def shared_out(labs):
    """Each fault goes to the first kind of lab that can have it, the slow ones first."""
    faults, seen = {way: [] for way in WAYS}, set()
    for way in WAYS:
        lab = next(labs[name] for name in LABS if LABS[name] == way)
        for fault in tapir("lab", "break", "--lab", lab)["faults"]:
            if fault["name"] not in seen:
                seen.add(fault["name"])
                faults[way].append(fault)
        faults[way].sort(key=lambda f: not f["slow"])
    return faults


def why(end, *more):
    """The document of tapir why at one end."""
    return tapir("--run-dir", end["run_dir"], "why", end["peer"], *more, ok=False)


def width(line):
    """Columns of a terminal."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def wrong_form(end, doc):
    """What is not as it is promised of the answer, whatever the cause."""
    out = []
    try:
        schema.check("why", doc)
    except AssertionError as e:
        out.append(str(e))
    checks = {c["check"]: c["result"] for c in doc["checks"]}
    first = doc["causes"][0]
    if len(checks) < 17 or checks[first["check"]] not in ("failed", "warning"):
        out.append(f"check {first['check']}: {checks}")
    for lang in "en", "ja":
        text = subprocess.run([TAPIR, "--run-dir", end["run_dir"], "why", end["peer"], "--lang",
                               lang], stdout=subprocess.PIPE, text=True, check=False).stdout
        if f"{first['number']} {first['code']}" not in text:
            out.append(f"{lang}: {text}")
        out += [f"{lang}: too wide: {x}" for x in text.splitlines() if width(x) > 80]
    return out


def named(end, code, seconds):
    """Is this cause the first at that end?  The document, and what is wrong."""
    doc = {}

    def is_it():
        doc.update(why(end))
        return doc.get("code") == code
    if until(seconds, is_it, 0.2):
        return doc, []
    return doc, [f"{doc.get('code')}, not {code}: {doc.get('causes')}"]


def try_one(lab, name):
    """Put it in; what is wrong with what is said of it."""
    fault = tapir("lab", "break", name, "--lab", lab)
    doc, out = named(fault, fault["code"], SLOW_SECONDS if fault["slow"] else SECONDS)
    if out:
        return out
    out += wrong_form(fault, doc)
    if fault["code"] in TRAFFIC:
        doc = why(fault, "--traffic")
        if doc["code"] != fault["code"]:
            out.append(f"--traffic: {doc['code']}")
    if "there" in fault:
        out += ["there: " + x for x in named(fault["there"], fault["there"]["code"], SECONDS)[1]]
    return out


def test_faults(labs, faults):
    """One after the other in each lab; slow ones are looked at as long as they need."""
    left = {way: deque(f["name"] for f in faults[way]) for way in WAYS}
    wrong = []

    def work(name):
        while left[LABS[name]]:
            try:
                fault = left[LABS[name]].popleft()
            except IndexError:      # another lab of this kind took the last one
                return
            wrong.extend(f"{name}: {fault}: {x}" for x in try_one(labs[name], fault))
    with ThreadPoolExecutor(len(LABS)) as pool:
        list(pool.map(work, LABS))
    assert not wrong, "\n".join(wrong)


def test_mend(labs):
    """As it was: up, nothing to say."""
    for name in "a", "swan":
        lab = labs[name]
        tapir("lab", "mend", "--lab", lab)
        end = next(f for f in tapir("lab", "break", "--lab", lab)["faults"]
                   if f["node"] == "gw-a")
        assert until(SECONDS, lambda: why(end).get("state") == "up", 0.2)
        assert why(end)["causes"] == []
        assert tapir("lab", "break", "nonsense", "--lab", lab, ok=False)["code"] == "not-found"


def test_every_cause_is_named_live(faults):
    """A rule without a fault that shows it would be a guess."""
    def text(name):
        with open(os.path.join(HOME, name), encoding="utf-8") as f:
            return f.read()
    codes = set(re.findall(r'^WHY_RULE\(\d+, \w+, "([a-z0-9-]+)"', text("../../why/why.def"), re.M))
    mine = [f for some in faults.values() for f in some]
    shown = {f["code"] for f in mine} | {f["there"]["code"] for f in mine if "there" in f}
    assert codes - shown == set(ELSEWHERE)
    for code, place in ELSEWHERE.items():
        assert f'"{code}"' in text(place), code
