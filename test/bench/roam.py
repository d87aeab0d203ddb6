# SPDX-License-Identifier: Apache-2.0
"""How long nothing passes when the path between two daemons breaks (MOBIKE).

    a  wan0 192.0.2.1   ========  192.0.2.2   wan0  b
       wan1 203.0.113.1 ========  203.0.113.2 wan1

An echo goes through the tunnel each millisecond; the gap is the longest time between
two answers, so in milliseconds what a thousand packets a second lose.  (ping itself
asks less often while nothing comes back.)
"""
import re
import signal
import time

from contenders import Tapir
from measures import set_up
from topology import OUT, SIDES, Wire, sh

SECOND = {"a": "203.0.113.1", "b": "203.0.113.2"}
MOVED = {"a": "192.0.2.11", "b": "192.0.2.22"}
CUT = "table inet cut { chain i { type filter hook input priority 0; iifname wan0 drop; }; }"
BEFORE_S, AFTER_S = 0.5, 3


def second_uplink(w):
    sh("ip", "link", "add", "wan1", "netns", w.ns["a"], "type", "veth",
       "peer", "name", "wan1", "netns", w.ns["b"])
    for s in SIDES:
        w.ip(s, "addr", "add", f"{SECOND[s]}/24", "dev", "wan1")
        w.ip(s, "link", "set", "wan1", "up")


def readdress(w, side):
    w.ip(side, "addr", "add", f"{MOVED[side]}/24", "dev", "wan0")
    w.ip(side, "addr", "del", f"{OUT[side]}/24", "dev", "wan0")
    # without promotion of secondary addresses the new one went along
    w.ip(side, "addr", "replace", f"{MOVED[side]}/24", "dev", "wan0")


def link_down(w, _):
    w.ip("a", "link", "set", "wan0", "down")


def silence(w, _):
    """Nothing says that the way is cut."""
    for s in SIDES:
        w.run(s, "nft", CUT)


BREAKS = (("we get another address", readdress, "a"), ("the peer gets another", readdress, "b"),
          ("an uplink goes down", link_down, "a"), ("an uplink falls silent", silence, "a"))


def gap(fn, side):
    w, c = Wire(), Tapir("roam", "ip")
    try:
        w.up()
        for s in SIDES:
            w.ip(s, "-6", "addr", "flush", "dev", "wan0")
        if fn is not readdress:
            second_uplink(w)
        set_up(w, c)
        time.sleep(1)
        p = w.start("a", "ping", "-n", "-D", "-i", "0.001", "-W", "1", "-I", c.source, c.target,
                    log="ping")
        time.sleep(BEFORE_S)
        fn(w, side)
        time.sleep(AFTER_S)
        p.send_signal(signal.SIGINT)
        p.wait(5)
        at = [float(t) for t in re.findall(r"^\[([0-9.]+)\] \d+ bytes from",
                                           (w.dir / "ping").read_text(), re.M)]
        if len(at) < 2 or time.time() - at[-1] > 1:
            raise RuntimeError(f"nothing comes back\n{w.logs()}")
        return {"gap_ms": max(b - a for a, b in zip(at, at[1:])) * 1000}
    finally:
        w.down()


def roam(_, rounds):
    out = {name: [] for name, _, _ in BREAKS}
    for _ in range(rounds):
        for name, fn, side in BREAKS:
            out[name].append(gap(fn, side))
    return out
