# SPDX-License-Identifier: Apache-2.0
"""One gateway with many peers that all have traffic.

    gateway (first core) ---- veth ---- peers-0   daemons of 250 realms each, one
                         ---- veth ---- peers-1   realm a peer, all on the last core
                         ...

Peer i is joined in IP mode, with one address on each side: 10.64.0.0 + i at the
gateway, 10.128.0.0 + i behind the peer.  The gateway's side is one realm with as many
<peer>s; the far side is that many identities, SAs and TAPs, in as few daemons as the
bounds of a configuration permit.
"""
import ipaddress
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from contenders import B, PSK
from measures import cpu_ns
from topology import CORE, MTU, end_all, sh, until

STREAMS = B / "test" / "bench" / "streams"
PORT = "5410"
PER_DAEMON = 250
HERE, THERE = ipaddress.ip_address("10.64.0.0"), ipaddress.ip_address("10.128.0.0")


class Many:
    """n peers of one gateway; per is how many of them one far daemon holds."""

    def __init__(self, n, per=PER_DAEMON):
        tag = f"tm{os.getpid()}"
        self.n, self.dir = n, pathlib.Path(tempfile.mkdtemp(prefix="tapir-bench."))
        self.far = [f"{tag}-{k}" for k in range((n + per - 1) // per)]
        self.per, self.gw, self.procs = per, f"{tag}-gw", []

    # ---- the network ------------------------------------------------------------

    def core(self, ns):
        return CORE["a" if ns == self.gw else "b"]

    def argv(self, ns, *argv):
        return ["ip", "netns", "exec", ns, "taskset", "-c", self.core(ns), *map(str, argv)]

    def batch(self, ns, lines):
        subprocess.run(["ip", "-n", ns, "-batch", "-"], input="\n".join(lines) + "\n", text=True,
                       check=True, timeout=60, stdout=subprocess.DEVNULL)

    def start(self, ns, *argv, **kw):
        with open(self.dir / f"log-{ns}", "ab") as log:
            p = subprocess.Popen(self.argv(ns, *argv), stdin=kw.pop("stdin", subprocess.DEVNULL),
                                 stdout=kw.pop("stdout", log), stderr=log, text=True,
                                 start_new_session=True)
        self.procs.append(p)
        return p

    def members(self, k):
        return range(k * self.per, min(self.n, (k + 1) * self.per))

    def up(self):
        for ns in (self.gw, *self.far):
            sh("ip", "netns", "add", ns)
            self.batch(ns, ["link set lo up"])
        for k, ns in enumerate(self.far):
            sh("ip", "link", "add", f"wan{k}", "netns", self.gw, "type", "veth",
               "peer", "name", "wan0", "netns", ns)
            self.batch(self.gw, [f"addr add 192.0.2.{k * 4 + 1}/30 dev wan{k}",
                                 f"link set wan{k} up"])
            self.batch(ns, [f"addr add 192.0.2.{k * 4 + 2}/30 dev wan0", "link set wan0 up"] +
                       [f"addr add {THERE + i}/32 dev lo" for i in self.members(k)])
        self.batch(self.gw, [f"addr add {HERE + i}/32 dev lo" for i in range(self.n)])

    # ---- the daemons ------------------------------------------------------------

    def write(self, ns, text):
        d = self.dir / ns
        (d / "keys").mkdir(parents=True, mode=0o700)
        key = d / "keys" / "k.psk"
        key.touch(0o600)
        key.write_text(PSK)
        (d / "tapir.xml").write_text(text)

    def serve(self, ns):
        d = self.dir / ns
        self.start(ns, B / "tapird", "--config", d / "tapir.xml", "--run-dir", d / "run",
                   "--foreground", "--no-web")
        if not until((d / "run" / "ctl.sock").is_socket, 30):
            raise RuntimeError(f"{ns} does not start: {self.logs()}")

    def begin(self):
        """Start all; seconds until every peer is up."""
        net = '<net local="{}/32" remote="{}/32"/>'
        peers = "".join(f'<peer id="p{i}">{net.format(HERE + i, THERE + i)}</peer>\n'
                        for i in range(self.n))
        self.write(self.gw, '<vpn workers="1" half-open-max="4096"><realm name="many" mode="ip" '
                   f'encap="udp" mtu="{MTU}"><me id="gw" psk="k.psk"/>\n{peers}</realm></vpn>\n')
        for k, ns in enumerate(self.far):
            realms = "".join(
                f'<realm name="r{i}" tap="t{i}" mode="ip" encap="udp" mtu="{MTU}">'
                f'<me id="p{i}" psk="k.psk"/><peer id="gw" at="192.0.2.{k * 4 + 1}"/>'
                f'{net.format(THERE + i, HERE + i)}</realm>\n' for i in self.members(k))
            self.write(ns, f'<vpn workers="1">{realms}</vpn>\n')
        self.serve(self.gw)
        begin = time.monotonic()
        for ns in self.far:
            self.serve(ns)
        if not until(lambda: self.n_up() == self.n, 90, 0.25):
            raise RuntimeError(f"{self.n_up()} of {self.n} peers are up: {self.logs()}")
        took = time.monotonic() - begin
        self.neighbours()
        return took

    def neighbours(self):
        """The kernel keeps 1024 learned neighbours for all namespaces together, unless
        net.ipv4.neigh.default.gc_thresh3 says otherwise: give it those of the tunnels."""
        def macs(ns):
            return [(p["realm"], p["port"], p["mac"]) for p in
                    json.loads(self.tapir("--json", "hub", ns=ns))["ports"] if p["kind"] == "ip"]
        self.batch(self.gw, [f"neigh replace {THERE + int(port[1:])} lladdr {mac} dev tap-many"
                             for _, port, mac in macs(self.gw)])
        for ns in self.far:
            self.batch(ns, [f"neigh replace {HERE + int(r[1:])} lladdr {mac} dev t{r[1:]}"
                            for r, _, mac in macs(ns)])

    def tapir(self, *argv, ns=None):
        ns = ns or self.gw
        return sh("ip", "netns", "exec", ns, B / "tapir", "--run-dir", self.dir / ns / "run",
                  *argv, check=False).stdout

    def n_up(self):
        return len(re.findall(r'"state":"up"', self.tapir("--json", "status").split('"peers"', 1)
                              [-1]))

    def pids(self, ns):
        return [int(p) for p in sh("ip", "netns", "pids", ns, check=False).stdout.split()]

    def logs(self):
        return "".join(line for f in sorted(self.dir.glob("log-*"))
                       for line in f.read_text(errors="replace").splitlines(True)[-6:])[-2000:]

    def down(self):
        end_all(self.procs, 20,
                lambda: [pid for ns in (self.gw, *self.far) for pid in self.pids(ns)])
        for ns in (self.gw, *self.far):
            sh("ip", "netns", "del", ns, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    # ---- what is measured ---------------------------------------------------------

    def transfer(self, streams, peers, seconds, beside=lambda: None):
        """Streams from the gateway to that many peers: Gbit/s, and ns/byte of the gateway."""
        far = self.far[:(peers + self.per - 1) // self.per]
        daemons = self.pids(self.gw)
        sinks = [self.start(ns, STREAMS, "recv", PORT, seconds, stdout=subprocess.PIPE) for ns in far]
        for s in sinks:
            s.stdout.readline()
        src = self.start(self.gw, STREAMS, "send", HERE, THERE, PORT, streams, peers,
                         seconds + 0.3, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if src.stdout.readline().strip() != "ready":
            raise RuntimeError(f"streams do not connect: {self.logs()}")
        before = cpu_ns(daemons)
        src.stdin.write("\n")
        src.stdin.flush()
        beside()
        total = sum(int(s.communicate(timeout=seconds + 20)[0]) for s in sinks)
        spent = cpu_ns(daemons) - before
        src.wait(20)
        return total * 8 / seconds / 1e9, spent / total

    def flood(self, peers, seconds):
        """UDP to each of the peers in turn: Gbit/s that the gateway seals and sends, and
        its ns/byte.  The sender has the other core, and the far daemons stand still
        meanwhile, so that the gateway is what is measured."""
        def counted():
            doc = json.loads(self.tapir("--json", "stats"))
            return time.monotonic(), doc["workers"][0]["cpu_ns"], sum(
                s["n_bytes"] for s in doc["stages"] if s["stage"] == "net-out")
        argv = ["ip", "netns", "exec", self.gw, "taskset", "-c", CORE["b"], STREAMS, "flood",
                HERE, THERE, PORT, peers, seconds + 0.5]
        still = [pid for ns in self.far for pid in self.pids(ns)]
        try:
            for pid in still:
                os.kill(pid, signal.SIGSTOP)
            with subprocess.Popen([str(x) for x in argv], stdin=subprocess.DEVNULL) as p:
                time.sleep(0.3)
                at, cpu, sent = counted()
                time.sleep(seconds)
                at2, cpu2, sent2 = counted()
                p.wait(20)
        finally:
            for pid in still:
                os.kill(pid, signal.SIGCONT)
        return (sent2 - sent) * 8 / (at2 - at) / 1e9, (cpu2 - cpu) / (sent2 - sent)

    def ping(self, i, count, interval=0.01):
        """Median round trip to peer i in us, and how many were lost."""
        r = sh(*self.argv(self.gw, "ping", "-n", "-c", count, "-i", interval, "-W", "1", "-I",
                          HERE + i, THERE + i), check=False, timeout=count * interval + 20)
        us = [float(x) * 1000 for x in re.findall(r"time=([\d.]+)", r.stdout)]
        return statistics.median(us) if us else None, count - len(us)


def thousand(e, rounds, n=1000):
    """What the gateway sends to one peer and to n; TCP with n streams either way."""
    m = Many(n)
    one, all_ = "UDP to 1 peer", f"UDP to {n}"
    tcp = {"TCP, 1 peer": (n, 1), f"TCP, {n} peers": (n, n)}
    out = {name: [] for name in (one, all_, *tcp)}
    try:
        m.up()
        setup = m.begin()
        for _ in range(rounds):
            for name, peers in ((one, 1), (all_, n)):
                gbit, ns = m.flood(peers, e.seconds)
                out[name].append({"gbit": gbit, "ns": ns})
            for name, (streams, peers) in tcp.items():
                gbit, ns = m.transfer(streams, peers, e.seconds)
                out[name].append({"gbit": gbit, "ns": ns})
        out[all_][0]["setup_s"] = setup
    finally:
        m.down()
    return out


def fair(e, rounds):
    """Pings of one peer, alone and beside four streams of another."""
    m, out = Many(2, 1), {"alone": [], "beside bulk": []}
    try:
        m.up()
        m.begin()
        for _ in range(rounds):
            us, lost = m.ping(1, int(e.seconds / 0.02))
            out["alone"].append({"rtt_us": us, "lost": lost})
            got = {}

            def beside(got=got):
                time.sleep(0.25)
                got["rtt_us"], got["lost"] = m.ping(1, int((e.seconds - 0.5) / 0.01))
            got["gbit"], _ = m.transfer(4, 1, e.seconds, beside)
            out["beside bulk"].append(got)
    finally:
        m.down()
    return out
