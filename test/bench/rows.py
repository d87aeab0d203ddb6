# SPDX-License-Identifier: Apache-2.0
"""Further rows: tapir beside itself, in groups (--rows=GROUP,...; --all has them all).

    fallback   without what the kernel offers, one by one and all at once
    paths      IPv6 outside, a VLAN inside, the other provider of cryptography
    workers    both cores for both ends: one worker and two
    peers      a gateway with a thousand peers that all have traffic
    fair       pings of one peer beside bulk of another
    flood      forged IKE_SA_INIT requests beside bulk, and peers that come in meanwhile
    control    what commands and IKE take, idle and beside all the data there can be
    scale      what commands, start and memory cost with ten thousand peers configured
    ike        IKE SAs a second and their latency, by authentication, beside strongSwan
    memory     what thousands of IKE SAs with a child SA each cost, beside strongSwan
    people     who logs in by EAP-MSCHAPv2: alone and a thousand at once, beside strongSwan
    warrior    a laptop that connects, and that comes back by a ticket
    hub        what the virtual hub costs alone: without tunnel and network
    frames     frames of three sizes through hub and ESP
    copies     a broadcast through hub and ESP to 1, 10 and 100 peers
    web        the browser interface: held reads, events, 1,000 events a second
    page       its page: bytes, and when something is seen in Chromium
    roam       what is lost when an address changes or an uplink goes
"""
import subprocess
import sys

import control
import flood
import hub
import ike
import many
import page
import people
import roam
import scale
import web
from contenders import Tapir
from measures import measure_bulk
from topology import OUT6, sh

BULK = (("tcp_gbit", "TCP 1", "Gbit/s", 2), ("tcp4_gbit", "TCP 4", "Gbit/s", 2),
        ("retransmits", "retransm.", "in 10 s", 0), ("seal_ns", "sealing", "ns/byte", 2),
        ("open_ns", "opening", "ns/byte", 2), ("rtt_load_us", "RTT loaded", "us", 0))
FALLBACKS = ("tap-gso", "uso", "udp-gso", "udp-gro", "packet-ring")
RAW_ONLY = ("packet-ring",)
ROUNDS = 2              # at most: there are many
BOTH = {"a": "0-1", "b": "0-1"}


def without(word):
    return Tapir(f"no {word}", args=("--force-fallback", word))


def fallback():
    return [Tapir("everything"), *(without(w) for w in FALLBACKS if w not in RAW_ONLY),
            Tapir("none of them", args=("--force-fallback", ",".join(FALLBACKS))),
            Tapir("the same, raw ESP", encap="esp",
                  args=("--force-fallback", ",".join(FALLBACKS)))]


def has_vlan():
    """Does the kernel have VLAN devices?"""
    made = sh("ip", "link", "add", "link", "lo", "name", "tb-vlan", "type", "vlan", "id", "10",
              check=False).returncode == 0
    if made:
        sh("ip", "link", "del", "tb-vlan", check=False)
    return made


def paths():
    return [Tapir("IPv4, UDP"), Tapir("IPv6, UDP", at=OUT6["b"]),
            Tapir("IPv6, raw ESP", encap="esp", at=OUT6["b"]),
            Tapir("IPv6, IP mode", "ip", at=OUT6["b"]),
            Tapir("IPv4, GRE", "gre"),
            *([Tapir("VLAN inside", vlan=10)] if has_vlan() else []),
            Tapir("provider openssl", vpn='workers="1" esp-provider="openssl"')]


def workers():
    two = 'workers="2" rule="{}"'
    return [Tapir("1 worker", core=BOTH),
            Tapir("2, destination", vpn=two.format("destination"), core=BOTH),
            Tapir("2, SAs of its own", vpn=two.format("queue"), realm='resources="2"', core=BOTH),
            Tapir("1, raw ESP", encap="esp", core=BOTH),
            Tapir("2, raw ESP", encap="esp", vpn=two.format("queue"), core=BOTH),
            Tapir("2, raw ESP, no ring", encap="esp", vpn=two.format("queue"), core=BOTH,
                  args=("--force-fallback", "packet-ring"))]


class Bulk:
    """A group of contenders that are measured by bulk TCP alone, in turns."""
    cols = BULK

    def __init__(self, title, make):
        self.title, self.make = title, make

    def run(self, e, rounds, failed):
        who = self.make()
        runs = {c.name: [] for c in who}
        for _ in range(rounds):
            for c in who:
                print(f"  {c.name}", file=sys.stderr, flush=True)
                try:
                    runs[c.name].append(measure_bulk(c, e))
                except (RuntimeError, OSError, ValueError, KeyError,
                        subprocess.SubprocessError) as err:
                    failed[c.name] = str(err).split("\n", 1)[0][:90]
                    print(f"  failed: {err}", file=sys.stderr, flush=True)
        return runs


class Own:
    """A group with a topology of its own."""

    def __init__(self, title, cols, fn):
        self.title, self.cols, self.fn = title, cols, fn

    def run(self, e, rounds, failed):
        try:
            return self.fn(e, rounds)
        except (RuntimeError, OSError, ValueError, KeyError, subprocess.SubprocessError) as err:
            failed[self.title] = str(err).split("\n", 1)[0][:90]
            print(f"  failed: {err}", file=sys.stderr, flush=True)
            return {}


GROUPS = {
    "fallback": Bulk("WITHOUT", fallback),
    "paths": Bulk("PATHS", paths),
    "workers": Bulk("WORKERS, 2 CORES", workers),
    "peers": Own("PEERS", (("gbit", "throughput", "Gbit/s", 2), ("ns", "gateway", "ns/byte", 2),
                           ("setup_s", "all up", "s", 1)), many.thousand),
    "fair": Own("ONE PEER'S PINGS", (("rtt_us", "RTT", "us", 0), ("lost", "lost", "pings", 0),
                                     ("gbit", "bulk", "Gbit/s", 2)), many.fair),
    "flood": Own("A FLOOD", (("gbit", "data", "Gbit/s", 2), ("in", "came in", "of all", 2),
                             ("in_ms", "after", "ms", 0)), flood.flood),
    "control": Own("CONTROL", (("status_ms", "tapir status", "ms", 1),
                               ("status_max_ms", "worst", "ms", 1),
                               ("info_ms", "INFORMAT.", "ms", 2), ("info_max_ms", "worst", "ms", 2),
                               ("child_ms", "CREATE_CH.", "ms", 2),
                               ("child_max_ms", "worst", "ms", 2), ("gbit", "data", "Gbit/s", 2)),
                   control.control),
    "scale": Own("MANY CONFIGURED", (("check_ms", "check", "ms", 0), ("start_ms", "start", "ms", 0),
                                     ("status_ms", "status", "ms JSON", 0),
                                     ("metrics_ms", "metrics", "ms", 0),
                                     ("dry_ms", "reload -n", "ms", 0),
                                     ("reload_ms", "reload", "ms", 0),
                                     ("mb", "memory", "PSS MB", 1)), scale.scale),
    "ike": Own("IKE SET-UP", (("rate", "set-ups", "1/s", 0), ("cpu_ms", "gateway", "ms CPU", 2),
                              ("ms", "latency", "ms", 2), ("p99_ms", "99 %", "ms", 1)), ike.ike),
    "memory": Own("MANY IKE SAs", (("before_mb", "without", "PSS MB", 1),
                                    ("after_mb", "with them", "PSS MB", 1),
                                    ("kb", "each", "KiB", 2), ("setup_s", "all up", "s", 1)),
                  ike.memory),
    "people": Own("PEOPLE", (("ms", "alone", "ms", 2), ("p99_ms", "99 %", "ms", 1),
                             ("crowd_s", "1,000 at once", "s", 2),
                             ("crowd_p99_ms", "99 %", "ms", 0),
                             ("kb", "each", "KiB", 1)), people.people),
    "warrior": Own("A LAPTOP", (("cold_ms", "cold", "ms", 1),
                                ("resumed_ms", "resumed", "ms", 1)), people.warrior),
    "hub": Own("THE HUB ALONE", (("ns", "each", "ns", 1), ("mps", "rate", "M/s", 2),
                                 ("copy_ns", "a copy", "ns", 1),
                                 ("bytes", "an address", "bytes", 1),
                                 ("kib", "a hub", "KiB", 0)), hub.alone),
    "frames": Own("FRAMES", (("single_kpps", "singly", "kpps", 0),
                             ("single_gbit", "singly", "Gbit/s", 2),
                             ("burst_kpps", "trains", "kpps", 0),
                             ("burst_gbit", "trains", "Gbit/s", 2)), hub.frames),
    "copies": Own("A BROADCAST", (("ns", "gateway", "ns/copy", 0),
                                  ("kcopies", "copies", "1000/s", 0),
                                  ("kframes", "frames", "1000/s", 1)), hub.copies),
    "web": Own("BROWSERS", (("web_mb", "tapir-web", "PSS MB", 1),
                            ("idle_cpu", "idle", "% of core", 2),
                            ("event_ms", "an event", "ms", 1), ("event_p99_ms", "99 %", "ms", 1),
                            ("load_cpu", "1,000 ev/s", "% of core", 1),
                            ("load_core_cpu", "tapird", "% of core", 1),
                            ("load_ms", "event then", "ms", 0), ("load_p99_ms", "99 %", "ms", 0),
                            ("got", "got", "of all", 2)), web.reads),
    "page": Own("THE PAGE", (("kb", "comes", "kB", 1), ("files", "files", "", 0),
                             ("first_ms", "first paint", "ms", 0), ("seen_ms", "all seen", "ms", 0)),
                page.page),
    "roam": Own("MOVING", (("gap_ms", "nothing", "for ms", 0),), roam.roam),
}
