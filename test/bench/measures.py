# SPDX-License-Identifier: Apache-2.0
"""What is measured of a contender, on a fresh wire each time.

Side a sends and seals, side b receives and opens.  "The daemons" of a side are all
processes of its namespace once the tunnel is up and nothing else runs there.
"""
import json
import os
import pathlib
import re
import signal
import statistics
import struct
import time

from topology import Wire, until

B = pathlib.Path(os.environ.get("B", "build")).resolve()
PPS = B / "test" / "bench" / "pps"
PORT = "5400"
MAY_LOSE = 0.001        # what is still "no loss"
PAYLOAD = 18            # of the smallest frame, 64 bytes
PER_MESSAGE = {"single": 1, "burst": 64}


class Effort:
    """How long each thing is measured."""

    def __init__(self, seconds, pps_s, pps_steps, pings):
        self.seconds, self.pps_s, self.pps_steps, self.pings = seconds, pps_s, pps_steps, pings


# ---- processes -------------------------------------------------------------------

def cpu_ns(pids):
    """Time on a CPU of all threads, user and system, in ns."""
    total = 0
    for pid in pids:
        for f in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            total += int(f.read_text().split()[0])
    return total


def pss_mb(pids):
    return sum(int(re.search(r"^Pss:\s+(\d+)", pathlib.Path(f"/proc/{pid}/smaps_rollup")
                             .read_text(), re.M)[1]) for pid in pids) / 1024


def others_cores(seconds=0.2):
    """Cores that are busy while we do nothing: the noise of the machine."""
    def idle():
        f = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()
        return (int(f[4]) + int(f[5])) / os.sysconf("SC_CLK_TCK")
    before, begin = idle(), time.monotonic()
    time.sleep(seconds)
    span = time.monotonic() - begin
    return max(0.0, (os.cpu_count() or 1) - (idle() - before) / span)


# ---- measuring programs ---------------------------------------------------------------

def iperf(w, c, *opts, seconds, beside=lambda: None):
    """One run of iperf3 from a to b; beside() is called once it has begun.

    With cubic, Linux's default: a machine that is set to bbr shows more
    retransmits and other rates, on the bare wire as well.
    """
    s = w.start("b", "iperf3", "-s", "-1", "-p", PORT)
    if not until(lambda: f":{PORT}" in w.run("b", "ss", "-ltn").stdout, 5):
        raise RuntimeError("iperf3 -s does not listen")
    out = w.dir / "iperf.json"
    p = w.start("a", "iperf3", "-c", c.target, "-B", c.source, "-p", PORT, "-t", seconds,
                "-J", "-C", "cubic", "--logfile", out, *opts)
    beside()
    p.wait(seconds + 20)
    s.wait(10)
    end = json.loads(out.read_text())
    out.unlink()
    if "error" in end:
        raise RuntimeError(f"{c.name}: iperf3: {end['error']}")
    return end["end"]


def pings(w, c, count, interval):
    """Round trips in us, in ascending order, and how many were lost."""
    r = w.run("a", "ping", "-n", "-c", count, "-i", interval, "-W", "1", "-I", c.source,
              c.target, check=False, timeout=count * interval + 20)
    us = sorted(float(x) * 1000 for x in re.findall(r"time=([\d.]+)", r.stdout))
    if not us:
        raise RuntimeError(f"{c.name}: no ping came back")
    return us, count - len(us)


class Pps:
    """The highest rate of frames (the smallest, unless said) that arrives whole, by halving."""

    def __init__(self, w, c, effort, per_message, payload=PAYLOAD):
        self.w, self.c, self.effort, self.per = w, c, effort, per_message
        self.payload = payload

    def trial(self, rate):
        """Send for a moment; rate that was reached, rate that arrived."""
        w, c = self.w, self.c
        r = w.start("b", PPS, "recv", c.target, PORT, self.payload, stdout=-1)
        if r.stdout.readline().strip() != "ready":
            raise RuntimeError(f"pps recv does not start: {w.logs()}")
        sent = w.run("a", PPS, "send", c.source, c.target, PORT, int(rate), self.effort.pps_s,
                     self.per, self.payload).stdout.split()
        got = int(r.communicate(timeout=20)[0])
        seconds = float(sent[1])
        return int(sent[0]) / seconds, got / seconds

    def is_whole(self, rate):
        """Rate reached without loss, or 0.  A second try, as others use the machine."""
        for _ in range(2):
            reached, arrived = self.trial(rate)
            if arrived >= reached * (1 - MAY_LOSE):
                return reached
        return 0

    def search(self):
        flood, arrived = self.trial(0)
        if arrived >= flood * (1 - MAY_LOSE):
            return arrived
        best, high = 0, flood
        low = max(arrived / 2, 2000)
        for _ in range(self.effort.pps_steps):
            if best == 0:
                rate = low
            else:
                rate = (best * high) ** 0.5
            got = self.is_whole(rate)
            if got:
                best = max(best, got)
                if got < rate * 0.97:           # the sender itself cannot do more
                    break
            else:
                high, low = rate, low / 2
        return best


# ---- the tunnel -----------------------------------------------------------------------

def handshake_ms(pcap):
    """From the first IKE datagram to the last one before the first ESP."""
    d, o, first, last = pcap.read_bytes(), 24, None, None
    while o + 16 <= len(d):
        sec, usec, n = struct.unpack_from("<III", d, o)
        f, o = d[o + 16:o + 16 + n], o + 16 + n
        if f[12:14] != b"\x08\x00":
            continue
        if f[23] == 50:
            break
        if f[23] != 17:
            continue
        ports = set(struct.unpack(">HH", f[34:38]))
        if 500 not in ports and 4500 not in ports:
            continue
        if 500 not in ports and f[42:46] != bytes(4) and len(f) > 46:
            break                                       # ESP
        t = sec * 1000 + usec / 1000
        first, last = t if first is None else first, t
    return None if first is None else last - first


def set_up(w, c):
    """Start the daemons; ms to the first ping, ms of an IKE handshake or None."""
    cap, log = w.dir / "hs.pcap", w.dir / "tcpdump"
    t = w.start("b", "tcpdump", "-i", "wan0", "-U", "--immediate-mode", "-Z", "root",
                "-s", "128", "-w", cap, log="tcpdump")
    until(lambda: "listening" in log.read_text(), 5)
    c.prepare(w)
    begin = time.monotonic()
    c.start(w)

    def answers():
        # A ping before the tunnel is up leaves an unanswered ARP request, and the
        # kernel asks again after a second only: forget it, it is the probe's own doing.
        w.run("a", "ip", "neigh", "flush", "nud", "incomplete", "nud", "failed", check=False)
        return w.run("a", "ping", "-n", "-q", "-c", "1", "-W", "0.05", "-I", c.source,
                     c.target, check=False).returncode == 0
    ok = until(answers, 25)
    ms = (time.monotonic() - begin) * 1000
    if not ok:
        raise RuntimeError(f"no ping\n{w.logs()}")
    t.send_signal(signal.SIGINT)
    t.wait(5)
    return ms, handshake_ms(cap)


def transfer(w, c, e, m, daemons):
    before = {s: cpu_ns(daemons[s]) for s in "ab"}
    end = iperf(w, c, seconds=e.seconds)
    m["tcp_gbit"] = end["sum_received"]["bits_per_second"] / 1e9
    m["retransmits"] = end["sum_sent"]["retransmits"] * 10 / end["sum_sent"]["seconds"]
    bytes_ = end["sum_received"]["bytes"]
    for s, key in (("a", "seal_ns"), ("b", "open_ns")):
        if daemons[s]:
            m[key] = (cpu_ns(daemons[s]) - before[s]) / bytes_


def under_load(w, c, e, m):
    """Pings beside four TCP streams, of which the first quarter second is left out."""
    def beside():
        time.sleep(0.25)
        us, lost = pings(w, c, int((e.seconds - 0.4) / 0.01), 0.01)
        m["rtt_load_us"], m["lost_pings"] = statistics.median(us), lost
    end = iperf(w, c, "-P", "4", seconds=e.seconds, beside=beside)
    m["tcp4_gbit"] = end["sum_received"]["bits_per_second"] / 1e9


def measure_bulk(c, e):
    """Only TCP: one stream with its cost, four streams, pings beside them."""
    w, m = Wire(c.core), {}
    try:
        w.up()
        set_up(w, c)
        transfer(w, c, e, m, {s: w.pids(s) for s in "ab"})
        under_load(w, c, e, m)
    finally:
        w.down()
    return m


def measure(c, e):
    w, m = Wire(), {}
    try:
        w.up()
        m["others_cores"] = others_cores()
        setup, shake = set_up(w, c)
        daemons = {s: w.pids(s) for s in "ab"}
        m["load"] = os.getloadavg()[0]
        if daemons["a"]:
            m["setup_ms"] = setup
            if shake is not None:
                m["handshake_ms"] = shake
        us, _ = pings(w, c, e.pings, 0.002)
        m["rtt_us"], m["rtt_p99_us"] = statistics.median(us), us[int(len(us) * 0.99)]
        transfer(w, c, e, m, daemons)
        under_load(w, c, e, m)
        for how, per in PER_MESSAGE.items():
            m[f"{how}_kpps"] = Pps(w, c, e, per).search() / 1e3
        if daemons["a"]:
            m["pss_mb"] = pss_mb(daemons["a"] + daemons["b"])
    finally:
        w.down()
    return m
