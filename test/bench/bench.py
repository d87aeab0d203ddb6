#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: tapir beside a bare wire and beside strongSwan, in one run.

    gw-a (core 0) ==== veth ==== gw-b (core 1)

Each round measures every contender once, one after the other, so that a busy
moment of the machine hits all of them.  Numbers are medians over the rounds,
with the range below.  Nothing is asserted here: this prints and records.

    bench.py [--quick] [--rounds N] [--seconds S] [--json FILE]
"""
import argparse
import itertools
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

B = pathlib.Path(os.environ.get("B", "build")).resolve()
CHARON = "/usr/lib/ipsec/charon"
PSK = "a-key-for-measuring-only-0123456789"
SIDES = "ab"
CORE = {"a": "0", "b": str(min(1, (os.cpu_count() or 1) - 1))}
OUT = {"a": "192.0.2.1", "b": "192.0.2.2"}
LAN = {"a": "10.1.0.1", "b": "10.2.0.1"}
PORT = "5400"
_serial = itertools.count()


def sh(*argv, timeout=60, check=True, **kw):
    r = subprocess.run([str(a) for a in argv], capture_output=True, text=True,
                       timeout=timeout, **kw)
    if check and r.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {r.stdout}{r.stderr}")
    return r


def until(what, seconds, step=0.005):
    end = time.monotonic() + seconds
    while not (got := what()) and time.monotonic() < end:
        time.sleep(step)
    return got


class Wire:
    """Two namespaces and a veth between them, with what runs in them."""

    def __init__(self):
        tag = f"tb{os.getpid()}x{next(_serial)}"
        self.ns = {s: f"{tag}-{s}" for s in SIDES}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tapir-bench."))
        self.procs = []

    def up(self):
        for s in SIDES:
            sh("ip", "netns", "add", self.ns[s])
        sh("ip", "link", "add", "wan0", "netns", self.ns["a"], "type", "veth",
           "peer", "name", "wan0", "netns", self.ns["b"])
        for s in SIDES:
            for words in (f"addr add {OUT[s]}/24 dev wan0", "link set lo up",
                          "link set wan0 up", f"addr add {LAN[s]}/32 dev lo"):
                sh("ip", "-n", self.ns[s], *words.split())

    def argv(self, side, *argv):
        return ["ip", "netns", "exec", self.ns[side], "taskset", "-c", CORE[side],
                *map(str, argv)]

    def run(self, side, *argv, **kw):
        return sh(*self.argv(side, *argv), **kw)

    def start(self, side, *argv, log=None, env=None):
        out = open(log, "ab") if log else subprocess.DEVNULL
        p = subprocess.Popen(self.argv(side, *argv), stdin=subprocess.DEVNULL,
                             stdout=out, stderr=subprocess.STDOUT,
                             start_new_session=True,
                             env=dict(os.environ, **(env or {})))
        if log:
            out.close()
        self.procs.append(p)
        return p

    def down(self):
        for p in self.procs:
            if p.poll() is None:
                p.terminate()
        for p in self.procs:
            try:
                p.wait(6)
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait(6)
        for ns in self.ns.values():
            for pid in sh("ip", "netns", "pids", ns, check=False).stdout.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            sh("ip", "netns", "del", ns, check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- contenders: start(wire) -> daemons; address of b, source address of a ------

class Veth:
    name, target, source = "bare veth", OUT["b"], OUT["a"]

    def start(self, w):
        return []


class Tapir:
    def __init__(self, mode):
        self.mode = mode
        self.name = f"tapir {mode}"
        if mode == "ether":
            self.target, self.source = "10.9.0.2", "10.9.0.1"
        else:
            self.target, self.source = LAN["b"], LAN["a"]

    def start(self, w):
        out = []
        for s, me, peer in (("b", "osaka", "tokyo"), ("a", "tokyo", "osaka")):
            d = w.dir / s
            (d / "keys").mkdir(parents=True, mode=0o700)
            key = d / "keys" / "k.psk"
            key.touch(0o600)
            key.write_text(PSK)
            at = f' at="{OUT["b"]}"' if s == "a" else ""
            o = "b" if s == "a" else "a"
            addr = f' address="10.9.0.{1 + (s == "b")}/24"' if self.mode == "ether" else ""
            net = f'<net local="{LAN[s]}/32" remote="{LAN[o]}/32"/>' if self.mode == "ip" else ""
            (d / "tapir.xml").write_text(
                f'<vpn workers="1"><realm name="bench" mode="{self.mode}" encap="udp"{addr}>'
                f'<me id="{me}" psk="k.psk"/><peer id="{peer}"{at}/>{net}</realm></vpn>\n')
            out.append(w.start(s, B / "tapird", "--config", d / "tapir.xml", "--run-dir",
                               d / "run", "--foreground", "--no-web", log=w.dir / f"log-{s}"))
            if s == "b":
                until((d / "run" / "ctl.sock").is_socket, 5)
        return [p.pid for p in out]


class StrongSwan:
    name, target, source = "strongSwan", LAN["b"], LAN["a"]

    def start(self, w):
        out = []
        for s, me, peer in (("b", "osaka", "tokyo"), ("a", "tokyo", "osaka")):
            d, o = w.dir / s, "b" if s == "a" else "a"
            (d / "run").mkdir(parents=True)
            (d / "run" / "strongswan.conf").write_text(
                "charon {\n load = random nonce openssl kdf hmac sha1 sha2 aes gcm curve25519 "
                "chapoly pem pkcs1 x509 pubkey kernel-libipsec kernel-netlink socket-default "
                "vici updown\n install_virtual_ip = no\n filelog { log {\n path = /run/log\n "
                "default = 0\n } }\n plugins { vici {\n socket = unix:///run/charon.vici\n } }\n}\n")
            (d / "swanctl.conf").write_text(
                f"connections {{ t {{\n version = 2\n local_addrs = {OUT[s]}\n"
                f" remote_addrs = {OUT[o]}\n proposals = aes256gcm16-prfsha384-x25519\n"
                f" local {{\n auth = psk\n id = {me}\n }}\n remote {{\n auth = psk\n id = {peer}\n }}\n"
                f" children {{ t0 {{\n local_ts = {LAN[s]}/32\n remote_ts = {LAN[o]}/32\n"
                f" esp_proposals = aes256gcm16\n start_action = {'start' if s == 'a' else 'none'}\n"
                f" }} }}\n}} }}\nsecrets {{ ike-1 {{\n id-a = tokyo\n id-b = osaka\n"
                f" secret = \"{PSK}\"\n }} }}\n")
            out.append(w.start(s, "unshare", "-m", "--propagation", "private", "sh", "-c",
                               'mount --bind "$0" /run && exec "$1"', d / "run", CHARON,
                               env={"STRONGSWAN_CONF": "/run/strongswan.conf"},
                               log=w.dir / f"log-{s}"))
            until((d / "run" / "charon.vici").is_socket, 8)
            sh("swanctl", "--load-all", "--uri", f"unix://{d}/run/charon.vici",
               env=dict(os.environ, SWANCTL_DIR=str(d)))
        return [p.pid for p in out]


# ---- what is measured ---------------------------------------------------------------

def family(pids):
    """A daemon's processes: the given ones and all below them."""
    out = []
    for pid in pids:
        out.append(pid)
        for t in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            out += family(int(c) for c in t.read_text().split())
    return out


def cpu_s(pids):
    tick, total = os.sysconf("SC_CLK_TCK"), 0
    for pid in family(pids):
        f = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(f[11]) + int(f[12])
    return total / tick


def memory_mb(pids):
    rss = pss = 0
    for pid in family(pids):
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        rss += int(re.search(r"^Rss:\s+(\d+)", text, re.M)[1])
        pss += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
    return rss / 1024, pss / 1024


def handshake_ms(pcap):
    """From the first IKE datagram to the last one before the first ESP."""
    d, o, first, last = pcap.read_bytes(), 24, None, None
    while o + 16 <= len(d):
        sec, usec, n = struct.unpack_from("<III", d, o)
        f, o = d[o + 16:o + 16 + n], o + 16 + n
        if f[12:14] != b"\x08\x00" or f[23] != 17:
            continue
        ports = set(struct.unpack(">HH", f[34:38]))
        if 500 not in ports and 4500 not in ports:
            continue
        if 500 not in ports and f[42:46] != bytes(4) and len(f) > 46:
            break                                       # ESP
        t = sec * 1000 + usec / 1000
        first, last = t if first is None else first, t
    return None if first is None else last - first


def iperf(w, c, *opts, seconds):
    s = w.start("b", "iperf3", "-s", "-1", "-p", PORT)
    if not until(lambda: f":{PORT}" in sh("ip", "netns", "exec", w.ns["b"], "ss", "-ltn").stdout, 5):
        raise RuntimeError("iperf3 -s does not listen")
    r = w.run("a", "iperf3", "-c", c.target, "-B", c.source, "-p", PORT, "-t", str(seconds),
              "-J", *opts, timeout=seconds + 30)
    s.wait(10)
    return json.loads(r.stdout)["end"]


def set_up(w, c):
    """Start the daemons; daemons, ms to the first ping, ms of the handshake."""
    cap, log = w.dir / "hs.pcap", w.dir / "hs.log"
    t = w.start("b", "tcpdump", "-i", "wan0", "-U", "--immediate-mode", "-Z", "root",
                "-s", "128", "-w", cap, log=log)
    until(lambda: "listening" in log.read_text(), 5)
    begin = time.monotonic()
    pids = c.start(w)

    def answers():
        # A ping before the tunnel is up leaves an unanswered ARP request, and the
        # kernel asks again after a second only: forget it, it is the probe's own doing.
        w.run("a", "ip", "neigh", "flush", "nud", "incomplete", "nud", "failed", check=False)
        return w.run("a", "ping", "-n", "-q", "-c", "1", "-W", "0.05", "-I", c.source,
                     c.target, check=False).returncode == 0
    ok = until(answers, 20)
    ms = (time.monotonic() - begin) * 1000
    if not ok:
        logs = "".join(f.read_text(errors="replace") for f in sorted(w.dir.glob("log-*")))
        raise RuntimeError(f"{c.name}: no ping\n{logs}")
    t.send_signal(signal.SIGINT)
    t.wait(5)
    return pids, ms, handshake_ms(cap)


def measure(c, seconds):
    w, m = Wire(), {}
    try:
        w.up()
        pids, setup, shake = set_up(w, c)
        if pids:
            m["setup_ms"] = setup
            if shake is not None:
                m["handshake_ms"] = shake
        before = cpu_s(pids)
        end = iperf(w, c, seconds=seconds)["sum_received"]
        m["tcp_gbit"] = end["bits_per_second"] / 1e9
        if pids:
            m["cpu_s_per_gb"] = (cpu_s(pids) - before) / (end["bytes"] / 1e9)
        u = iperf(w, c, "-u", "-b", "0", "-l", "64", seconds=seconds)["sum"]
        m["small_kpps"] = (u["packets"] - u["lost_packets"]) / u["seconds"] / 1e3
        r = w.run("a", "ping", "-n", "-c", "300", "-i", "0.002", "-I", c.source, c.target)
        m["rtt_us"] = statistics.median(
            float(x) * 1000 for x in re.findall(r"time=([\d.]+)", r.stdout))
        if pids:
            m["rss_mb"], m["pss_mb"] = memory_mb(pids)
    finally:
        w.down()
    return m


# ---- the table ------------------------------------------------------------------------

ROWS = [("tcp_gbit", "TCP, one stream", "Gbit/s", 2), ("small_kpps", "UDP of 64 bytes", "kpps", 0),
        ("rtt_us", "round trip", "us", 0), ("setup_ms", "start to ping", "ms", 0),
        ("handshake_ms", "handshake", "ms", 1), ("cpu_s_per_gb", "CPU a gigabyte", "s", 2),
        ("rss_mb", "memory, RSS", "MB", 1), ("pss_mb", "memory, PSS", "MB", 1)]


def table(names, runs):
    lines = [f"{'both ends together':<23}" + "".join(f"{n:>14}" for n in names)]
    for key, title, unit, digits in ROWS:
        mid, span = f"{title + ', ' + unit:<23}", " " * 23
        for n in names:
            v = [r[key] for r in runs[n] if key in r]
            if not v:
                mid, span = mid + f"{'-':>14}", span + " " * 14
                continue
            mid += f"{statistics.median(v):>14.{digits}f}"
            both = f"{min(v):.{digits}f}-{max(v):.{digits}f}"
            span += f"{both:>14}"
        lines.append(mid.rstrip())
        if span.strip() and any(len(runs[n]) > 1 for n in names):
            lines.append(span.rstrip())
    return "\n".join(lines)


def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*:\s*(.*)", info, re.M)
    return {"cpu": cpu[1] if cpu else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "load": os.getloadavg()[0],
            "tapir": sh(B / "tapir", "--version").stdout.strip(),
            "strongswan": sh("dpkg-query", "-W", "-f", "${Version}", "strongswan-charon",
                             check=False).stdout.strip()}


def main():
    ap = argparse.ArgumentParser(description="tapir beside a bare wire and strongSwan")
    ap.add_argument("--quick", action="store_true", help="one short round")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--seconds", type=int, default=3, help="of each iperf3 run")
    ap.add_argument("--json", default=str(B / "bench.json"))
    a = ap.parse_args()
    if a.quick:
        a.rounds, a.seconds = 1, 1
    lacking = [t for t in ("ip", "ping", "iperf3", "taskset", "tcpdump", "ss", "swanctl", CHARON)
               if shutil.which(t) is None]
    if os.geteuid() != 0 or lacking:
        sys.exit("bench: needs root" if not lacking else
                 f"bench: missing {' '.join(lacking)}: packaging/deps bench test")
    who = [Veth(), Tapir("ether"), Tapir("ip"), StrongSwan()]
    runs, m = {c.name: [] for c in who}, machine()
    for i in range(a.rounds):
        for c in who:
            print(f"round {i + 1} of {a.rounds}: {c.name}", file=sys.stderr, flush=True)
            runs[c.name].append(measure(c, a.seconds))
    print(f"{m['cpu']}, {m['cores']} cores, Linux {m['kernel']}")
    print(f"{m['tapir']}; strongSwan {m['strongswan']} kernel-libipsec; "
          f"{a.rounds} x {a.seconds} s, median and range")
    print(table([c.name for c in who], runs))
    pathlib.Path(a.json).write_text(json.dumps({"machine": m, "rounds": a.rounds,
                                                "seconds": a.seconds, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
