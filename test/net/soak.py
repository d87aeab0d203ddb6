#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Mixed traffic and bad luck for a while, and a verdict.

    soak.py [SECONDS [SEED [FORM]]]        host-a -- gw-a -- [nat] -- inet -- gw-b -- host-b

FORM is "udp", ESP in UDP over IPv4 and through a NAT, or "esp6", raw ESP over IPv6;
without it both have half of the time.

Phases come in random order: TCP both ways, UDP of every size, pings in floods, frames
with tags or without sense, rekeying all the time by the shortest lives, restarts and
crashes of one end, a NAT that forgets, a wire that loses, repeats and reorders, forged
and mangled datagrams.  Meant for daemons with sanitizers (make soak).  It fails on a
report of theirs, a process that ended, UDP that arrived changed, descriptors that stay
open, memory that grows, or counters that contradict each other at the end.
"""
import os
import random
import sys
import time

import topo
import wire
from gateway import Gateway, office
from lab import until, within

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tools.py")
SOAKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "soaker.py")
LIVES = 'bridge="br-lan" child-life="10" ike-life="30"'
RSS_GROWTH_MB = 96          # with what sanitizers keep back of freed memory
MAY_WAIT = 64               # datagrams with lost pieces that a worker keeps: core/frag.h
REPORTS = ("AddressSanitizer", "runtime error:", "LeakSanitizer", "Assertion", "assert",
           "ended (killed", "ended (exit")
PORT = "5999"


FORMS = {"udp": ("192.0.2.2", LIVES), "esp6": ("2001:db8:1::2", LIVES + ' encap="esp"')}


class Soak:
    """The lab, the two gateways, and what happens to them."""

    def __init__(self, seed, form="udp", say=print):
        self.rng, self.say, self.form = random.Random(seed), say, form
        at, attrs = FORMS[form]
        os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0:quarantine_size_mb=8")
        os.environ.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
        self.lab, self.logs, self.wrong = topo.sites(nat=form == "udp"), "", []
        self.b = Gateway(self.lab, "gw-b", office("osaka", attrs=attrs))
        self.a = Gateway(self.lab, "gw-a", office("tokyo", at=at, attrs=attrs,
                                                  top='workers="2" rule="destination"'))
        self.n = self.n_frames = 0
        self.sink = self.sink2 = None

    # ---- phases: each ends within some seconds --------------------------------------

    def seed(self):
        return self.rng.randrange(1 << 30)

    def tcp(self):
        sinks = [self.lab.spawn(h, "iperf3", "-s", "-1", "-p", p, name="iperf3")
                 for h, p in (("host-b", 5201), ("host-a", 5202))]
        until(3, lambda: all(self.lab.run(h, "ss", "-Hltn", f"sport = :{p}").stdout.strip()
                             for h, p in (("host-b", 5201), ("host-a", 5202))))
        runs = [self.lab.spawn(h, "iperf3", "-c", to, "-p", p, "-t", 2, "-P", self.rng.choice(
            (1, 4)), *self.rng.choice(((), ("-R",), ("-l", "100"))), name="iperf3")
                for h, to, p in (("host-a", self.rng.choice(("10.0.0.2", "fd00::2")), 5201),
                                 ("host-b", "10.0.0.1", 5202))]
        for p in runs:
            p.wait(8)
            p.kill()
        for p in sinks:
            p.stop(1)

    def udp(self):
        runs = [self.lab.spawn(h, sys.executable, SOAKER, "sizes", to, PORT, 2000, self.seed(),
                               name="sizes")
                for h, to in (("host-a", "10.0.0.2"), ("host-b", "fd00::1"),
                              ("host-b", "10.0.0.1"), ("host-a", "fd00::2"))]
        for p in runs:
            p.wait(10)
            p.kill()

    def pings(self):
        for to, size in (("10.0.0.2", self.rng.randrange(1400)), ("fd00::2", 1000),
                         ("10.0.0.2", self.rng.randrange(60000))):
            self.lab.run("host-a", "ping", "-n", "-q", "-f", "-c", "300", "-w", "2", "-s", size,
                         to)

    def frames(self):
        for host in "ab":
            out = self.lab.run(f"host-{host}", sys.executable, SOAKER, "frames", "eth0", 1500,
                               self.seed()).stdout.split()
            self.n_frames += int(out[1]) if out[:1] == ["sent"] else 0

    def rekey(self):
        for gw in (self.a, self.b):
            for what in ("child", "ike", "child"):
                gw.tapir("rekey", "branches/osaka" if gw is self.a else "branches/tokyo", what)

    def look(self):
        """Every question there is, while data flows."""
        ping = self.lab.spawn("host-a", "ping", "-n", "-q", "-f", "-w", "1", "10.0.0.2",
                              name="ping")
        for gw in (self.a, self.b):
            for words in (("status",), ("stats", "-a"), ("hub",), ("hub", "branches", "mac"),
                          ("hub", "branches", "arp"), ("log",), ("status", "nobody")):
                gw.tapir(*words)
        ping.wait(3)
        ping.kill()

    def restart(self):
        self.keep(self.b)
        self.b.stop()
        self.b.start()

    def crash(self):
        self.keep(self.b)
        self.b.kill()
        self.b.start()

    def rebind(self):
        """The NAT's port changes under way."""
        rules = self.rng.choice((topo.NAT_RULES, topo.NAT_RULES.replace(
            "masquerade;", "ip protocol udp masquerade to :40000-50000 random;")))
        self.lab.need("nat", "nft", "flush", "ruleset")
        self.lab.need("nat", "nft", "-f", "-", text=rules)
        self.lab.batch("nat", "link set out0 down\n")
        within(1.2, lambda: False)
        self.lab.batch("nat", "link set out0 up\n")

    def weather(self):
        """A relay in place of the bridge of inet."""
        self.lab.batch("inet", "link set p1 nomaster\nlink set p2 nomaster\n")
        relay = self.lab.spawn("inet", sys.executable, SOAKER, "relay", "p1", "p2", 4, self.seed(),
                               name="relay")
        until(2, lambda: "relaying" in relay.text())
        self.rng.choice((self.tcp, self.udp, self.pings, self.rekey))()
        relay.wait(5)
        relay.kill()
        self.lab.batch("inet", "link set p1 master br0\nlink set p2 master br0\n")

    def noise(self):
        """Strangers, and copies of the peers' own datagrams with other bits."""
        capture = wire.Capture(self.lab, "inet", "p2")
        self.lab.run("host-a", "ping", "-n", "-q", "-f", "-c", "100", "-w", "1", "10.0.0.2")
        self.rekey()
        capture.done()
        self.lab.run("inet", sys.executable, TOOLS, "mangle", "p2", capture.path, "192.0.2.2", 600)
        self.lab.run("nat", sys.executable, TOOLS, "noise", "192.0.2.2", 300)

    # ---- looking ---------------------------------------------------------------------

    def keep(self, gw):
        """What a daemon wrote; a new one has a new log."""
        self.logs += gw.log()

    def check_logs(self, when):
        for line in (self.logs + self.a.log() + self.b.log()).splitlines():
            if any(word in line for word in REPORTS):
                self.wrong.append(f"{when}: {line}")
        bad = [x for x in self.sink.text().splitlines() + self.sink2.text().splitlines()
               if "WRONG" in x or "Traceback" in x]
        self.wrong += [f"{when}: {x}" for x in bad[:3]]

    def n_good(self):
        """Datagrams that arrived as they were sent."""
        return sum(int((["0"] + [x[5:] for x in s.text().splitlines() if x.startswith("good ")])
                       [-1]) for s in (self.sink, self.sink2))

    @staticmethod
    def n_fd(gw):
        return {r: len(os.listdir(f"/proc/{gw.pid(r)}/fd")) for r in ("super", "main", "secure")}

    @staticmethod
    def rss_mb(gw, role="main"):
        with open(f"/proc/{gw.pid(role)}/status", encoding="ascii") as f:
            return next(int(x.split()[1]) for x in f if x.startswith("VmRSS")) / 1024

    def up(self, seconds=25):
        return self.lab.until_ping("host-a", "10.0.0.2", seconds)

    def quiet(self):
        """At the end: nothing is left of what was, and the numbers agree."""
        if not self.up(40):
            self.wrong.append("the tunnel does not come back")
            return
        until(6, lambda: self.a.stat("child-sa") == 1 and self.b.stat("child-sa") == 1 and
              self.a.stat("ike-half-open") + self.b.stat("ike-half-open") == 0)
        for gw in (self.a, self.b):
            doc, name = gw.json("stats", "--all"), gw.node
            flat = {r["name"]: r["value"] for r in doc["stats"]}
            for key, want in (("ike-sa", 1), ("ike-half-open", 0)):
                if flat[key] != want:
                    self.wrong.append(f"{name}: {key} is {flat[key]}, not {want}")
            for key, value in flat.items():
                may = MAY_WAIT if "big-" in key and self.form == "esp6" else 0
                if key.endswith(("buffers-used", "-queued")) and value > may:
                    self.wrong.append(f"{name}: {key} is {value} when nothing is under way")
            for s in doc["stages"]:
                if s["n_in_trains"] > s["n_packets"] or s["n_trains"] > s["n_in_trains"]:
                    self.wrong.append(f"{name}: {s}")
            for q in doc["queues"]:
                if q["n_now"] > q["n_high"] or (q["limit"] and q["n_now"] > q["limit"]):
                    self.wrong.append(f"{name}: {q}")
            dropped = sum(r["value"] for r in doc["drops"])
            if sum(w["n_drop"] for w in doc["workers"]) > dropped:
                self.wrong.append(f"{name}: workers dropped more than all threads together")
            opened = sum(s["rx_packets"] for s in doc["sas"])
            got = sum(s["n_packets"] for s in doc["stages"] if s["stage"] == "net-in")
            if opened > got:
                self.wrong.append(f"{name}: {opened} packets opened of {got} that came")

    # ---- the whole -------------------------------------------------------------------

    def begin(self):
        self.b.start()
        self.a.start()
        self.sink = self.lab.spawn("host-b", sys.executable, SOAKER, "sink", PORT, name="sink")
        self.sink2 = self.lab.spawn("host-a", sys.executable, SOAKER, "sink", PORT, name="sink")
        if not self.up():
            raise RuntimeError(f"no tunnel:\n{self.a.log()}\n{self.b.log()}")

    def run(self, seconds):
        """Lines that say what was wrong; none is good."""
        phases = [self.tcp, self.udp, self.pings, self.frames, self.rekey, self.look,
                  self.restart, self.crash, self.weather]
        if self.form == "udp":                      # what a NAT and UDP are needed for
            phases += [self.rebind, self.noise]
        end, bag = time.monotonic() + seconds, []
        self.begin()
        for phase in (self.tcp, self.udp, self.frames):     # what it takes at first
            phase()
        mains = self.a.pid("main"), self.a.pid("secure")
        fds = {gw: self.n_fd(gw) for gw in (self.a, self.b)}
        rss = self.rss_mb(self.a)
        while time.monotonic() < end and not self.wrong:
            if not bag:
                bag = self.rng.sample(phases, len(phases))
            phase = bag.pop()
            self.n += 1
            self.say(f"{self.n:4} {phase.__name__:<8} {max(0, end - time.monotonic()):5.0f} s left,"
                     f" main of gw-a {self.rss_mb(self.a):.0f} MB", flush=True)
            phase()
            if not self.up():
                self.wrong.append(f"no tunnel after phase {self.n}, {phase.__name__}")
            self.check_logs(f"phase {self.n}, {phase.__name__}")
        self.quiet()
        if self.n_good() < 1000 or self.n_frames < 500:
            self.wrong.append(f"only {self.n_good()} datagrams arrived, {self.n_frames} frames "
                              "were sent")
        if (self.a.pid("main"), self.a.pid("secure")) != mains:
            self.wrong.append("gw-a: a process was replaced")
        for gw, was in fds.items():
            now = self.n_fd(gw)
            if any(now[r] > was[r] + 2 for r in was):
                self.wrong.append(f"{gw.node}: descriptors {was} became {now}")
        grown = self.rss_mb(self.a) - rss
        if grown > RSS_GROWTH_MB:
            self.wrong.append(f"gw-a: main grew by {grown:.0f} MB from {rss:.0f} MB")
        for gw in (self.a, self.b):
            if gw.stop() != 0:
                self.wrong.append(f"{gw.node} did not end cleanly")
            self.keep(gw)
        self.check_logs("the end")
        self.say(f"{self.n} phases, {self.n_good()} datagrams checked, {self.n_frames} odd frames, "
                 f"memory of gw-a {grown:+.0f} MB, descriptors "
                 f"{sum(fds[self.a].values())}", flush=True)
        return self.wrong


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    forms = [sys.argv[3]] if len(sys.argv) > 3 else list(FORMS)
    wrong = []
    for form in forms:
        print(f"soak: {form}, {seconds / len(forms):.0f} s, seed {seed}", flush=True)
        soak = Soak(seed, form)
        try:
            found = soak.run(seconds / len(forms))
            if found:
                print(soak.logs[-6000:], soak.a.log()[-6000:], soak.b.log()[-6000:])
        finally:
            soak.lab.close()
        wrong += [f"{form}: {line}" for line in found]
    for line in wrong:
        print(f"WRONG: {line}")
    print("soak: " + (f"{len(wrong)} things are wrong" if wrong else "good"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
