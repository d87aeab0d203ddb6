# SPDX-License-Identifier: Apache-2.0
"""What a flood of forged IKE_SA_INIT requests leaves of a tunnel, and of newcomers.

Forged sources send from side a, so the sender's core makes the flood as well.  What
making it costs is seen where the same packets go to a neighbour that does not exist,
so that side b drops them by their Ethernet address: with that row the one of the
flood itself is to be compared.
"""
import statistics
import time

from contenders import B, Tapir
from measures import PPS, iperf, set_up
from topology import OUT, Wire, until

FLOOD = PPS.parent / "flood"
FORGED = "198.18.0.0/15"
NOBODY = "192.0.2.99"
RATES = (10000, 50000)
TRIES = 5


def ways(w):
    """Answers have somewhere to go, and NOBODY a neighbour that does not exist."""
    w.ip("b", "route", "replace", FORGED, "via", OUT["a"])
    w.ip("a", "neigh", "replace", NOBODY, "lladdr", "02:00:00:00:00:99", "dev", "wan0")


def tapir(w, side, *words, check=True):
    return w.run(side, B / "tapir", "--run-dir", w.dir / side / "run", *words, check=check)


def newcomer(w):
    """Take the peer down and up: ms until it stands again, or None."""
    tapir(w, "a", "down", "bench/osaka")
    begin = time.monotonic()
    tapir(w, "a", "up", "bench/osaka")
    if until(lambda: " up " in tapir(w, "a", "status", check=False).stdout, 20, 0.02):
        return (time.monotonic() - begin) * 1000
    return None


def one(w, c, e, rate, target):
    """Throughput, then newcomers, while so many a second are forged."""
    seconds = e.seconds + 1
    if rate:
        w.start("a", FLOOD, target, 500, rate, seconds + 12, log="flood")
        time.sleep(0.5)
    got = iperf(w, c, "-P", "4", seconds=e.seconds)
    m = {"gbit": got["sum_received"]["bits_per_second"] / 1e9}
    ms = [newcomer(w) for _ in range(TRIES if rate else 2)]
    m["in"] = sum(x is not None for x in ms) / len(ms)
    m["in_ms"] = statistics.median(x if x is not None else 20000 for x in ms)
    return m


def flood(e, rounds):
    names = {"no flood": (0, OUT["b"])}
    for r in RATES:
        names[f"{r // 1000}k/s to nobody"] = (r, NOBODY)
        names[f"{r // 1000}k/s"] = (r, OUT["b"])
    out = {n: [] for n in names}
    for _ in range(rounds):
        for name, (rate, target) in names.items():
            w, c = Wire(), Tapir("tapir ether")
            try:
                w.up()
                ways(w)
                set_up(w, c)
                out[name].append(one(w, c, e, rate, target))
            finally:
                w.down()
    return out
