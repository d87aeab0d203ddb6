# SPDX-License-Identifier: Apache-2.0
"""Raw ESP (protocol 50): through rings, through raw sockets, whole and in pieces."""
import os
import sys

import pytest

import topo
from gateway import Offices
from lab import until

TOOLS = os.path.join(os.path.dirname(__file__), "tools.py")
V4, V6 = "192.0.2.2", "2001:db8:1::2"
# name: outer address of gw-b, workers, fallback, is there a ring
FORMS = {
    "ring": (V4, 2, "", True),
    "ring-ipv6": (V6, 2, "", True),
    "socket": (V4, 2, "packet-ring", False),
    "socket-ipv6": (V6, 2, "packet-ring", False),
    "one-worker": (V4, 1, "", False),
}
INNER = ("10.0.0.2", "fd00::2")


NO_ESP = """table inet filter {
  chain in { type filter hook input priority 0;
    ip protocol esp counter drop; }
}
"""


class Joined(Offices):
    """Both gateways up in one of FORMS."""

    def __init__(self, lab, form):
        self.form = form
        addr, workers, fallback, self.has_ring = FORMS[form]
        super().__init__(lab, addr, 'encap="esp"', f'log="info" workers="{workers}"',
                         ("--force-fallback", fallback) if fallback else ())

    def strange(self, kind, count, dst=V4):
        """Packets without keys at gw-b, as if from the wire."""
        mac = self.lab.need("gw-b", "cat", "/sys/class/net/wan0/address").strip()
        self.lab.need("inet", sys.executable, TOOLS, "esp", "p2", mac, "192.0.2.77", dst, kind,
                      str(count), timeout=30)


@pytest.fixture(scope="module", params=list(FORMS))
def joined(lab, request):
    """Both ends up, a new pair for each form."""
    made = Joined(lab, request.param)
    yield made
    made.stop()


def test_echoes_of_every_size_cross(joined):
    """Sizes around what fits the wire whole: larger ones are in pieces outside."""
    for to in INNER:
        for size in (0, 1, 64, 500, 1300, 1380, 1400, 1420, 1440, 1452, 4000, 20000):
            assert joined.lab.ping("host-a", to, 3, size=size) == 3, (to, size)


def test_tcp_both_ways(joined):
    """Bulk: its segments are made to fit the path outside."""
    for reverse in False, True:
        assert joined.lab.tcp("host-b", "host-a", INNER[0], size="20M", reverse=reverse) > 0
    assert joined.lab.tcp("host-b", "host-a", INNER[1], size="4M") > 0


def test_bulk_waits_in_queues_of_its_own(joined):
    """As much as can be sealed: what queues is bounded, senders hear of it, no echo is lost."""
    lab, gw = joined.lab, joined.b
    server = lab.spawn("host-a", "iperf3", "-s", "-1", "-p", "5400")
    try:
        assert until(3, lambda: ":5400" in lab.need("host-a", "ss", "-ltn"))
        bulk = lab.spawn("host-b", "iperf3", "-c", "10.0.0.1", "-p", "5400", "-P", "4", "-t", "3")
        assert lab.ping("host-b", "10.0.0.1", 100) == 100
        assert bulk.wait(15) == 0, bulk.text()
    finally:
        server.wait(3)
    rows = [q for q in gw.json("stats")["queues"] if q["queue"] == "tap"]
    assert all(q["n_high"] <= q["limit"] for q in rows), rows
    assert sum(q["n_drop"] for q in rows) == gw.stat("queue-tap")


def test_packets_come_by_the_way_that_is_there(joined):
    """The ring takes them where there is one; what is done without is told."""
    joined.lab.need("host-a", "ping", "-q", "-c", "3", "-i", "0.05", "-s", "1472", INNER[0])
    for gw in joined.a, joined.b:
        packets, ring, pieces = (sum(gw.stat(f"worker{i}-{key}") for i in range(2))
                                 for key in ("raw-packets", "ring-packets", "ring-pieces"))
        assert packets > 0
        assert (ring > 0) == joined.has_ring
        assert (pieces > 0) == joined.has_ring
        forced = "packet-ring" in FORMS[joined.form]
        assert gw.stat("without-packet-ring") == forced
        if joined.has_ring:
            assert gw.stat("esp-replay") == 0, "packets came both ways"


def test_the_main_process_comes_back_to_its_ring(joined):
    """The ring outlives the process; the next one finds its place in it."""
    if joined.form != "ring":
        return              # test_restart.py has the others
    joined.b.kill_role("main")
    assert until(20, lambda: joined.b.is_up() and joined.a.is_up(), 0.2)
    assert joined.lab.until_ping("host-a", INNER[0], 20)
    assert joined.lab.ping("host-a", INNER[0], 20, size=1400) == 20


def test_strangers_are_counted_and_do_no_harm(joined):
    """Packets for others, broken headers, pieces that overlap or never end."""
    gw = joined.b
    if not joined.has_ring or joined.form == "ring-ipv6":
        joined.strange("first", 500)
        joined.strange("overlap", 100)
    else:
        def counted(name, kind, count, want, dst=V4):
            before = gw.stat(name)
            joined.strange(kind, count, dst)
            assert until(5, lambda: gw.stat(name) - before >= want), (name, gw.stat(name))
        foreign = gw.stat("esp-spi")
        transit = sum(gw.stat(f"worker{i}-ring-transit") for i in range(2))
        joined.strange("whole", 200, "203.0.113.9")
        assert until(5, lambda: sum(gw.stat(f"worker{i}-ring-transit") for i in range(2))
                     - transit == 200)
        assert gw.stat("esp-spi") == foreign, "a packet for somebody else was looked into"
        counted("esp-spi", "whole", 50, 50)
        counted("esp-spi", "options", 50, 50)
        counted("raw-ip", "bad-sum", 50, 50)
        counted("frag-overlap", "overlap", 100, 100)
        counted("frag-full", "first", 500, 400)
    assert joined.lab.ping("host-a", INNER[0], 5, size=1472) == 5


@pytest.mark.parametrize("ring", ["yes", "no"])
def test_a_firewall_sees_it_where_that_is_asked_for(ring):
    """INPUT drops raw ESP, except what a packet socket takes (doc/security.md)."""
    lab = topo.sites()          # the other one has gateways of the last form
    try:
        ends = Offices(lab, V4, 'encap="esp"', f'log="info" workers="2" packet-ring="{ring}"')
        assert ends.a.stat("without-packet-ring") == 0
        lab.need("gw-a", "nft", "-f", "-", text=NO_ESP)
        assert lab.ping("host-b", INNER[0].replace(".2", ".1"), 5) == (5 if ring == "yes" else 0)
    finally:
        lab.close()
