# SPDX-License-Identifier: Apache-2.0
"""What tapir wants to reach, beside what it reached; and who is ahead of it where.

A gate is what a release must have on the reference machine, a goal what we are
after.  Nothing fails here: figures of another machine, or of a busy one, differ.
"""
import statistics

TAPIR = ("tapir ether", "tapir ip", "tapir AES-128", "tapir raw ESP")


def median(runs, name, key):
    v = [m[key] for m in runs.get(name, []) if key in m]
    return statistics.median(v) if v else None


def peers_of(runs):
    return [n for n in runs if n not in TAPIR and n != "bare veth"]


def times(runs, names):
    """tapir's throughput over the best of names."""
    best = [v for n in names if (v := median(runs, n, "tcp_gbit"))]
    ours = median(runs, "tapir ether", "tcp_gbit")
    return ours / max(best) if ours and best else None


def rtt_added(runs):
    ours, bare = median(runs, "tapir ether", "rtt_us"), median(runs, "bare veth", "rtt_us")
    return ours - bare if ours and bare else None


def peers_lost(groups):
    """Per cent of throughput that a gateway loses over many peers."""
    r = groups.get("peers", {})
    names = [n for n in r if n.startswith("UDP to ")]
    one = median(r, "UDP to 1 peer", "gbit")
    many = [median(r, n, "gbit") for n in names if n != "UDP to 1 peer"]
    return max(0.0, (1 - many[0] / one) * 100) if one and many and many[0] else None


# Title, unit, value of a run, gate, goal.  A goal below its gate, or 0: less is better.
GOALS = (
    ("TCP, one stream, Ethernet in UDP", "Gbit/s", lambda r: median(r, "tapir ether", "tcp_gbit"),
     7, 9),
    ("  the same, of bare veth", "", lambda r: median(r, "tapir ether", "ratio"), 0.25, 0.25),
    ("  the same, AES-128-GCM", "Gbit/s", lambda r: median(r, "tapir AES-128", "tcp_gbit"),
     8, 10),
    ("  the same, times strongSwan", "", lambda r: times(r, ["strongSwan"]), 1, 12),
    ("  the same, times the best peer", "", lambda r: times(r, peers_of(r)), 1, 4),
    ("sealing", "ns/byte", lambda r: median(r, "tapir ether", "seal_ns"), 0.65, 0.50),
    ("opening", "ns/byte", lambda r: median(r, "tapir ether", "open_ns"), 0.50, 0.40),
    ("TCP, one stream, raw ESP", "Gbit/s", lambda r: median(r, "tapir raw ESP", "tcp_gbit"), 3, 4),
    ("64-byte frames without loss", "kpps", lambda r: median(r, "tapir ether", "burst_kpps"),
     600, 1000),
    ("idle RTT added", "us", rtt_added, 150, 80),
    ("RTT under four TCP streams", "us", lambda r: median(r, "tapir ether", "rtt_load_us"),
     2000, 500),
    ("TCP retransmits in 10 s", "", lambda r: median(r, "tapir ether", "retransmits"), 0, 0))
# The same of the groups of rows.
ROW_GOALS = (("1000 peers: throughput lost", "%", peers_lost, 20, 10),)


def word(value, gate, goal):
    lower = goal < gate or goal == 0
    if (value <= goal) if lower else (value >= goal):
        return "goal"
    return "gate" if ((value <= gate) if lower else (value >= gate)) else "short of the gate"


def against(runs, groups):
    out = [f"{'AGAINST THE GOALS':<42}{'measured':>9}{'gate':>8}{'goal':>8}"]
    for (title, unit, of, gate, goal), found in (*((g, runs) for g in GOALS),
                                                 *((g, groups) for g in ROW_GOALS)):
        v = of(found)
        if v is not None:
            what = f"{title}, {unit}" if unit else title
            out.append(f"{what:<42}{v:>9.4g}{gate:>8g}{goal:>8g}  {word(v, gate, goal)}")
    return out if len(out) > 1 else []


def behind(runs, rows):
    """Sentences: the columns where a peer has the better median."""
    out = []
    for key, what, is_more_better in rows:
        ours = median(runs, "tapir ether", key)
        ahead = []
        for n in peers_of(runs):
            v = median(runs, n, key)
            if ours is not None and v is not None and (v > ours if is_more_better else v < ours):
                ahead.append(f"{n} ({v:.4g})")
        if ahead:
            out.append(f"  {what} ({ours:.4g}): {', '.join(ahead)}")
    return ["tapir ether is behind in:"] + out if out else \
        (["tapir ether is behind in no column."] if peers_of(runs) else [])
