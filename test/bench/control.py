# SPDX-License-Identifier: Apache-2.0
"""How fast the daemons answer while they carry all the data they can.

`tapir status` is a process that starts, asks and ends, on the core of its side, as its
user would see it.  The IKE answer is taken from the wire: INFORMATIONAL request to
response (the Delete that follows each replacement of a child SA), and CREATE_CHILD_SA.
"""
import signal
import statistics
import struct
import time

from contenders import B, Tapir
from measures import iperf, set_up
from topology import Wire, until

INFORMATIONAL, CREATE_CHILD = 37, 36
RESPONSE = 0x20


def exchanges(pcap, kind):
    """Milliseconds from each request of a kind to its response."""
    d, o, asked, out = pcap.read_bytes(), 24, {}, []
    while o + 16 <= len(d):
        sec, usec, n = struct.unpack_from("<III", d, o)
        f, o = d[o + 16:o + 16 + n], o + 16 + n
        ike = f[14 + 20 + 8 + 4:]                       # behind the non-ESP marker
        if f[12:14] != b"\x08\x00" or len(ike) < 28 or ike[18] != kind:
            continue
        key, t = (ike[:16], ike[20:24], ike[19] & 0x08), sec * 1000 + usec / 1000
        if not ike[19] & RESPONSE:
            asked.setdefault(key, t)
        else:
            key = (ike[:16], ike[20:24], 0 if key[2] else 0x08)
            if key in asked:
                out.append(t - asked.pop(key))
    return out


def look(w, seconds):
    """Ask and rekey for a while: medians and the worst."""
    run = [B / "tapir", "--run-dir", w.dir / "a" / "run"]
    cap = w.dir / "ike.pcap"
    t = w.start("a", "tcpdump", "-i", "wan0", "-U", "--immediate-mode", "-Z", "root", "-s", "128",
                "-w", cap, "udp port 4500 and udp[8:4] = 0", log="tcpdump-ike")
    until(lambda: "listening" in (w.dir / "tcpdump-ike").read_text(), 5)
    ms, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.monotonic()
        w.run("a", *run, "--json", "status")
        ms.append((time.monotonic() - begin) * 1000)
        w.run("a", *run, "rekey", "bench/osaka", "child")
        time.sleep(0.05)
    t.send_signal(signal.SIGINT)
    t.wait(5)
    out = {"status_ms": statistics.median(ms), "status_max_ms": max(ms)}
    for key, kind in (("info", INFORMATIONAL), ("child", CREATE_CHILD)):
        v = exchanges(cap, kind)
        if v:
            out |= {f"{key}_ms": statistics.median(v), f"{key}_max_ms": max(v)}
    return out


def control(e, rounds):
    out = {"idle": [], "four streams": []}
    for _ in range(rounds):
        w, c = Wire(), Tapir("tapir ether")
        try:
            w.up()
            set_up(w, c)
            out["idle"].append(look(w, e.seconds))
            got = {}

            def beside(w=w, got=got):
                time.sleep(0.25)
                got |= look(w, e.seconds - 0.5)
            end = iperf(w, c, "-P", "4", seconds=e.seconds + 0.5, beside=beside)
            got["gbit"] = end["sum_received"]["bits_per_second"] / 1e9
            out["four streams"].append(got)
        finally:
            w.down()
    return out
