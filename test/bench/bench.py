#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: tapir beside a bare wire and beside other VPNs, in one run.

Each round measures every contender once, one after the other, so that a busy
moment of the machine hits all of them.  Numbers are medians over the rounds,
with the range below.  Nothing is asserted here: this prints and records.

    bench.py [--all | --quick] [--only NAME,...] [--rounds N] [--seconds S]
             [--rows GROUP,...] [--profile NAME [--load stream|frames]]
             [--json FILE] [--record] [--wireguard-go PATH]

--all adds the VPNs of peers.py and every group of rows.py; --rows measures these
groups alone; --profile shows where the daemons of one contender or row spend their
time.  --record is --all, then doc/performance.md gets the new figures
(test/bench/record).
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys

import hotspots
import hub
import many
import rows
import table
from contenders import B, StrongSwan, Tapir, Veth
from measures import PPS, Effort, measure
from peers import peers
from topology import MTU

RECORD = pathlib.Path(__file__).resolve().parent / "record"
ROOT = RECORD.parents[2]


def commit():
    """Of the tree that was built, if it is one of git; "+" with changes."""
    try:
        r = subprocess.run(["git", "-C", RECORD.parent, "-c", f"safe.directory={ROOT}",
                            "describe", "--always", "--dirty=+"], capture_output=True, text=True,
                           timeout=20, check=False)
        return r.stdout.strip()
    except OSError:
        return ""


def system():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*:\s*(.*)", info, re.M)
    osr = re.search(r'^PRETTY_NAME="(.*)"', pathlib.Path("/etc/os-release").read_text(), re.M)
    flags = re.search(r"^flags\s*:\s*(.*)", info, re.M)
    has = [f for f in ("aes", "vaes", "avx2", "avx512f") if flags and f in flags[1].split()]
    return {"date": datetime.date.today().isoformat(), "os": osr[1] if osr else "",
            "cpu": (cpu[1] if cpu else platform.machine()) + f" ({', '.join(has)})",
            "cores": os.cpu_count(), "kernel": platform.release(),
            "load": [os.getloadavg()[0]], "mtu": MTU, "commit": commit()}


def contenders(a):
    out = [Veth(), Tapir("tapir ether", "ether", "udp"), Tapir("tapir ip", "ip", "udp"),
           Tapir("tapir AES-128", suite="AES-128-GCM", realm='cipher="aes128"'),
           Tapir("tapir raw ESP", "ether", "esp"), StrongSwan()]
    if a.all:
        out += peers(a.wireguard_go)
    if a.quick:
        out = [c for c in out if c.name in ("bare veth", "tapir ether", "strongSwan")]
    if a.only:
        out = [c for c in out if any(o in c.name for o in a.only.split(","))]
    return out


def arguments():
    ap = argparse.ArgumentParser(description="tapir beside a bare wire and other VPNs")
    ap.add_argument("--quick", action="store_true", help="one short round, three contenders")
    ap.add_argument("--all", action="store_true", help="with every peer that is here")
    ap.add_argument("--record", action="store_true", help="--all, into doc/performance.md")
    ap.add_argument("--only", help="contenders whose name has one of these words")
    ap.add_argument("--rows", help=f"groups alone: {', '.join(rows.GROUPS)}")
    ap.add_argument("--profile", metavar="NAME", help="perf on a contender or row")
    ap.add_argument("--load", choices=tuple(hotspots.LOADS), default="stream",
                    help="what is carried meanwhile")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seconds", type=int, default=3, help="of each iperf3 run")
    ap.add_argument("--json", default=str(B / "bench.json"))
    ap.add_argument("--wireguard-go", default=os.environ.get("WIREGUARD_GO"),
                    help="a second release of it")
    a = ap.parse_args()
    a.all = a.all or a.record
    a.groups = a.rows.split(",") if a.rows else list(rows.GROUPS) if a.all else []
    unknown = [g for g in a.groups if g not in rows.GROUPS]
    if unknown:
        ap.error(f"no rows {', '.join(unknown)}: there are {', '.join(rows.GROUPS)}")
    return a


def lacking(programs):
    return [str(p) for p in programs if shutil.which(p) is None]


def rounds(who, a, effort, runs, failed):
    for i in range(a.rounds):
        for c in who:
            print(f"round {i + 1} of {a.rounds}: {c.name}", file=sys.stderr, flush=True)
            try:
                runs[c.name].append(measure(c, effort))
            except (RuntimeError, OSError, ValueError, KeyError,
                    subprocess.SubprocessError) as e:
                failed[c.name] = str(e).split("\n", 1)[0][:90]
                runs[c.name].append({})
                print(f"  failed: {e}", file=sys.stderr, flush=True)


def profile(a):
    """--profile: the first contender or row whose name holds the word."""
    known = contenders(a) + [c for g in rows.GROUPS.values() if hasattr(g, "make")
                             for c in g.make()]
    found = [c for c in known if a.profile == c.name] or \
        [c for c in known if a.profile in c.name]
    if not found or lacking(("perf",)):
        sys.exit("bench: perf is not here" if found else
                 f"bench: --profile {a.profile}: there are {', '.join(c.name for c in known)}")
    print("\n".join(hotspots.profile(found[0], Effort(max(a.seconds, 3), 0, 0, 0),
                                      a.load)))
    return 0


def row_groups(a, effort, failed):
    out = {}
    for g in a.groups:
        print(f"rows: {g}", file=sys.stderr, flush=True)
        out[g] = rows.GROUPS[g].run(effort, min(a.rounds, rows.ROUNDS), failed)
    return out


def ended(signum, _frame):
    raise SystemExit(128 + signum)              # so that the namespaces are taken down


def main():
    a = arguments()
    missing = lacking(("ip", "ping", "iperf3", "taskset", "tcpdump", "ss", B / "tapird", PPS,
                       many.STREAMS, hub.BENCH))
    if os.geteuid() != 0 or missing:
        sys.exit("bench: needs root" if not missing else
                 f"bench: missing {' '.join(missing)}: make bench builds and installs all")
    signal.signal(signal.SIGTERM, ended)
    signal.signal(signal.SIGHUP, ended)
    if a.quick:
        a.rounds, a.seconds, effort = 1, 2, Effort(2, 0.15, 5, 300)
    else:
        effort = Effort(a.seconds, 0.3, 8, 1000)
    if a.profile:
        return profile(a)
    all_of_them, m = [] if a.rows else contenders(a), system()
    who = [c for c in all_of_them if not lacking(c.needs)]
    runs, failed = {c.name: [] for c in all_of_them}, {}
    rounds(who, a, effort, runs, failed)
    groups = row_groups(a, effort, failed)

    absent = {c.name: "not here" for c in all_of_them if c not in who}
    absent |= {n: f"failed: {why}" for n, why in failed.items()
               if not any(runs.get(n, []))}
    m["load"].append(os.getloadavg()[0])
    m |= {"rounds": a.rounds, "seconds": a.seconds,
          "others_cores": statistics.median([x["others_cores"] for r in runs.values()
                                             for x in r if x] or [0]),
          "versions": {c.name: ", ".join(x for x in (c.version(), c.suite) if x)
                       for c in who if c.version()}}
    table.add_ratio(runs)
    found = {"machine": m, "runs": runs, "groups": groups, "absent": absent, "failed": failed}
    pathlib.Path(a.json).write_text(json.dumps(found, indent=1) + "\n")
    print(table.text(found))
    if a.record:
        subprocess.run([RECORD, a.json], check=True, timeout=60)
    ours = ("tapir", *(n for g in groups.values() for n in g), *(g.title for g in
                                                                rows.GROUPS.values()))
    return 1 if any(n.startswith(ours) for n in failed) else 0


if __name__ == "__main__":
    sys.exit(main())
