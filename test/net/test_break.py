# SPDX-License-Identifier: Apache-2.0
"""tapir lab break: each fault the lab can have, and that tapir why names it first."""
import json
import subprocess

import pytest

from gateway import TAPIR
from lab import until

SECONDS = 15        # for a fault to show; those called slow in the list take more
SLOW_SECONDS = 40


def tapir(*argv, ok=True):
    """Run it; its JSON document."""
    done = subprocess.run([TAPIR, "--json", *argv], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    assert not ok or done.returncode == 0, f"tapir {' '.join(argv)}: {done.stdout}"
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["ethernet", "ip", "strongswan"])
def built(request):
    """A lab of tapir's own; its id."""
    more = {"ethernet": [], "ip": ["--ip"], "strongswan": ["--peer", "strongswan"]}
    doc = tapir("lab", "up", *more[request.param])
    yield doc["id"], request.param
    tapir("lab", "down", doc["id"])


# A fault is tried in the first kind of lab that can have it.
DONE = set()


def test_faults(built):
    """One after the other, in one lab; slow ones are looked at as long as they need."""
    lab, _ = built
    wrong = []
    for fault in tapir("lab", "break", "--lab", lab)["faults"]:
        if fault["name"] in DONE:
            continue
        DONE.add(fault["name"])
        tapir("lab", "break", fault["name"], "--lab", lab)
        doc = {}

        def is_named():
            doc.update(tapir("--run-dir", fault["run_dir"], "why", fault["peer"], ok=False))
            return doc.get("code") == fault["code"]
        if not until(SLOW_SECONDS if fault["slow"] else SECONDS, is_named, 0.2):
            wrong.append(f"{fault['name']}: {doc.get('code')}, not {fault['code']}")
    assert not wrong, wrong


def test_mend(built):
    """As it was: up, nothing to say."""
    lab, _ = built
    tapir("lab", "mend", "--lab", lab)
    faults = tapir("lab", "break", "--lab", lab)["faults"]
    run_dir = next(f["run_dir"] for f in faults if f["node"] == "gw-a")
    assert until(SECONDS, lambda: tapir("--run-dir", run_dir, "why", "osaka", ok=False).get(
        "state") == "up", 0.2)
    assert tapir("lab", "break", "nonsense", "--lab", lab, ok=False)["code"] == "not-found"
