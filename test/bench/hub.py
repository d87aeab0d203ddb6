# SPDX-License-Identifier: Apache-2.0
"""The virtual hub: alone, with ESP behind it, and what a broadcast costs.

alone    test/bench/hub_bench.c: one thread, frames in batches, nothing sealed or sent.
frames   UDP datagrams between two gateways' own TAPs, in frames of a size; the highest
         rate that arrives whole, as in the columns of the big table.
copies   a gateway with a peer for each copy: datagrams to the broadcast address of its
         TAP, sealed and sent once for each peer.  The far daemons stand still
         meanwhile, so that the gateway is what is measured.
"""
import json
import os
import re
import signal
import subprocess
import time

from contenders import B, Tapir
from many import Many, until
from measures import PER_MESSAGE, PPS, Pps, set_up
from topology import CORE, MTU, Wire, sh

BENCH = B / "test" / "bench" / "hub_bench"
HEADERS = 46            # of a frame: Ethernet, IPv4, UDP, check sum
SIZES = (64, 512, 1400)
MESSAGE = 65000         # bytes of datagrams that may share one
PEERS = (1, 10, 100)
PORT = "5420"


def alone(_e, rounds):
    """A row for each line of hub_bench."""
    out = {}
    for _ in range(rounds):
        for line in sh("taskset", "-c", CORE["a"], BENCH).stdout.splitlines():
            name = re.sub(r"\s+", " ", line[:21]).strip()
            n = [float(x) for x in re.findall(r"[\d.]+", line[21:])]
            if name.startswith("memory"):
                row = {"kib": n[0], "bytes": n[1]}
            elif name.startswith("flood"):
                row = {"ns": n[0], "copy_ns": n[1], "mps": 1e3 / n[0]}
            else:
                row = {"ns": n[0], "mps": 1e3 / n[0]}
            out.setdefault(name, []).append(row)
    return out


def frames(e, rounds):
    """Singly and in trains, from TAP to TAP."""
    out = {f"{size} bytes": [] for size in SIZES}
    c = Tapir("frames")
    for _ in range(rounds):
        w = Wire(c.core)
        try:
            w.up()
            set_up(w, c)
            for size in SIZES:
                m = {}
                for how, per in PER_MESSAGE.items():
                    per = min(per, MESSAGE // (size - HEADERS))
                    rate = Pps(w, c, e, per, size - HEADERS).search()
                    m[f"{how}_kpps"], m[f"{how}_gbit"] = rate / 1e3, rate * size * 8 / 1e9
                out[f"{size} bytes"].append(m)
        finally:
            w.down()
    return out


class Copies(Many):
    """n offices, each a realm of one far daemon, in one Ethernet with the gateway."""

    def begin(self):
        """Start both; none limits what is flooded."""
        free = 'storm-broadcast="0" storm-copies="0" loop="off"'
        self.write(self.gw, '<vpn workers="1" half-open-max="4096"><realm name="many" '
                   f'mode="ether" encap="udp" mtu="{MTU}" address="10.64.0.1/16" {free}>'
                   '<me id="gw" psk="k.psk"/>' +
                   "".join(f'<peer id="p{i}"/>' for i in range(self.n)) + '</realm></vpn>\n')
        for k, ns in enumerate(self.far):
            realms = "".join(
                f'<realm name="r{i}" tap="t{i}" mode="ether" encap="udp" mtu="{MTU}" {free}>'
                f'<me id="p{i}" psk="k.psk"/><peer id="gw" at="192.0.2.{k * 4 + 1}"/></realm>\n'
                for i in self.members(k))
            self.write(ns, f'<vpn workers="1">{realms}</vpn>\n')
        self.serve(self.gw)
        for ns in self.far:
            self.serve(ns)
        if not until(lambda: self.n_up() == self.n, 60, 0.1):
            raise RuntimeError(f"{self.n_up()} of {self.n} peers are up: {self.logs()}")

    def counted(self):
        """When, CPU time of the worker, datagrams sent, frames read."""
        doc = json.loads(self.tapir("--json", "stats"))
        n = {s["stage"]: s["n_packets"] for s in doc["stages"]}
        return time.monotonic(), doc["workers"][0]["cpu_ns"], n["net-out"], n["tap-in"]

    def broadcast(self, seconds):
        """A sender as fast as it can on the other core."""
        argv = ["ip", "netns", "exec", self.gw, "taskset", "-c", CORE["b"], PPS, "send",
                "10.64.0.1", "10.64.255.255", PORT, "0", seconds + 0.6, "1"]
        still = [pid for ns in self.far for pid in self.pids(ns)]
        try:
            for pid in still:
                os.kill(pid, signal.SIGSTOP)
            with subprocess.Popen([str(x) for x in argv], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL) as p:
                time.sleep(0.3)
                a = self.counted()
                time.sleep(seconds)
                b = self.counted()
                p.wait(20)
        finally:
            for pid in still:
                os.kill(pid, signal.SIGCONT)
        t, cpu, sent, read = (y - x for x, y in zip(a, b))
        return {"ns": cpu / sent, "kcopies": sent / t / 1e3, "kframes": read / t / 1e3}


def copies(e, rounds):
    """To each number of peers in turn."""
    out = {}
    for n in PEERS:
        m = Copies(n)
        try:
            m.up()
            m.begin()
            rows = [m.broadcast(e.seconds) for _ in range(rounds)]
        finally:
            m.down()
        out[f"to {n} peer{'s' if n > 1 else ''}"] = rows
    return out
