# SPDX-License-Identifier: Apache-2.0
"""Paths of every size: found with the word of routers and without it, and nothing that could
leave whole leaves in pieces."""
import re

import pytest

from gateway import Gateway, office
from lab import Lab, until

FAMILIES = {4: ("192.0.2.2", "198.51.100.2"), 6: ("2001:db8:a::2", "2001:db8:b::2")}
SILENT = """table inet silent {{
  chain out {{ type filter hook output priority 0; {rules} }}
}}
"""
DROP = ("icmp type destination-unreachable drop; icmpv6 type packet-too-big drop;")


class Path:
    """host-a - gw-a - m1 - m2 - gw-b - host-b, jumbo frames all over but from m1 to m2."""

    def __init__(self):
        self.lab = lab = Lab()
        lab.add("gw-a", "m1", "m2", "gw-b", "host-a", "host-b")
        lab.wire("gw-a", "wan0", "m1", "in0")
        lab.wire("m1", "out0", "m2", "out0")
        lab.wire("m2", "in0", "gw-b", "wan0")
        for node, dev in (("gw-a", "wan0"), ("m1", "in0"), ("m2", "in0"), ("gw-b", "wan0")):
            lab.batch(node, f"link set {dev} mtu 9000\n")
        for n, node, gw, v4, v6 in ((1, "m1", "gw-a", "192.0.2", "2001:db8:a::"),
                                    (2, "m2", "gw-b", "198.51.100", "2001:db8:b::")):
            far4, far6 = (("198.51.100.0/24", "2001:db8:b::/64") if n == 1 else
                          ("192.0.2.0/24", "2001:db8:a::/64"))
            lab.batch(node, f"addr add {v4}.1/24 dev in0\naddr add {v6}1/64 dev in0 nodad\n"
                            f"addr add 203.0.113.{n}/24 dev out0\n"
                            f"addr add 2001:db8:c::{n}/64 dev out0 nodad\n"
                            f"route add {far4} via 203.0.113.{3 - n}\n"
                            f"route add {far6} via 2001:db8:c::{3 - n}\n")
            lab.need(node, "sysctl", "-qw", "net.ipv4.ip_forward=1",
                     "net.ipv6.conf.all.forwarding=1")
            lab.batch(gw, f"addr add {v4}.2/24 dev wan0\naddr add {v6}2/64 dev wan0 nodad\n"
                          f"route add default via {v4}.1\nroute add ::/0 via {v6}1\n"
                          "link add br-lan type bridge forward_delay 0 mcast_snooping 0\n"
                          "link set br-lan up\n")
            host = f"host-{'ab'[n - 1]}"
            lab.wire(host, "eth0", gw, "lan0")
            lab.batch(gw, "link set lan0 master br-lan\n")
            lab.batch(host, f"addr add 10.0.0.{n}/24 dev eth0\n"
                            f"addr add fd00::{n}/64 dev eth0 nodad\n")
        self.a = self.b = None

    def squeeze(self, mtu, silent=False):
        """What the wire in the middle takes, and whether its ends say so."""
        for node in ("m1", "m2"):
            self.lab.batch(node, f"link set out0 mtu {mtu}\n")
            self.lab.need(node, "nft", "flush", "ruleset")
            if silent:
                self.lab.need(node, "nft", "-f", "-", text=SILENT.format(rules=DROP))
        for gw in ("gw-a", "gw-b", "host-a", "host-b"):     # what they learned before
            self.lab.run(gw, "ip", "route", "flush", "cache")
            self.lab.run(gw, "ip", "-6", "route", "flush", "cache")

    def up(self, family=4, attrs='bridge="br-lan"', routed=False):
        """Both gateways, the second one dialled."""
        more = ('address="10.9.0.{}/24 fd00:9::{}/64"' if routed else "") + attrs
        self.b = Gateway(self.lab, "gw-b", office("osaka", attrs=more.format(2, 2))).start()
        self.a = Gateway(self.lab, "gw-a", office("tokyo", at=FAMILIES[family][1],
                                                  attrs=more.format(1, 1))).start()

    def down(self):
        """End both."""
        for gw in (self.a, self.b):
            if gw is not None:
                gw.stop()
        self.a = self.b = None

    def found(self, mtu, slack=8, seconds=20):
        """Both ends know the path, less a few bytes."""
        def known():
            return all(mtu - slack <= gw.peer().get("path_mtu", 0) <= mtu
                       for gw in (self.a, self.b))
        assert until(seconds, known, 0.2), (mtu, self.a.peer(), self.b.peer())

    def pieces(self, family=4):
        """Outer packets that were cut up, anywhere."""
        n = 0
        for node in ("gw-a", "m1", "m2", "gw-b"):
            if family == 6:
                rows = dict(x.split() for x in
                            self.lab.need(node, "cat", "/proc/net/snmp6").splitlines())
                n += int(rows["Ip6FragOKs"])
            else:
                names, values = (x.split() for x in self.lab.need(
                    node, "cat", "/proc/net/snmp").splitlines()[:2])
                n += int(values[names.index("FragOKs")])
        return n

    def told(self, to, size):
        """What host-a is told about a packet that is too large."""
        said = self.lab.run("host-a", "ping", "-c", "1", "-W", "2", "-M", "do", "-s", str(size),
                            to)
        found = re.search(r"mtu ?= ?(\d+)", str(said))
        return int(found.group(1)) if found else str(said)

    def tap_mtu(self, node):
        """MTU of the TAP."""
        return int(self.lab.need(node, "cat", "/sys/class/net/tap-branches/mtu"))


@pytest.fixture(scope="module")
def path():
    """One for all tests."""
    made = Path()
    yield made
    made.down()
    made.lab.close()


@pytest.fixture(autouse=True)
def ended(path):
    """No daemon is left to the next test."""
    yield
    path.down()


@pytest.mark.parametrize("family, mtu", [(4, 1400), (4, 9000), (6, 1280), (6, 1492)])
def test_a_routed_realm_follows_its_path(path, family, mtu):
    """Exact where routers speak: the TAP, TCP and UDP of both families inside."""
    lab = path.lab
    path.squeeze(mtu)
    path.up(family, attrs=' mode="ether"', routed=True)
    assert lab.until_ping("gw-a", "10.9.0.2", 10)
    path.found(mtu, slack=0)
    inside = path.a.peer()["mtu"]
    want = min(max(inside, 1280), 1500)
    assert until(15, lambda: path.tap_mtu("gw-a") == path.tap_mtu("gw-b") == want, 0.3)
    cut = path.pieces(family)
    assert lab.tcp("gw-b", "gw-a", "10.9.0.2", size="8M") > 1e6
    assert lab.tcp("gw-b", "gw-a", "fd00:9::2", size="8M", reverse=True, port=5202) > 1e6
    if inside >= 1280:
        assert lab.ping("gw-a", "10.9.0.2", 2, size=want - 28, more=("-M", "do")) == 2
    assert path.pieces(family) - cut <= 4     # the beginning of a connection at 576
    for to in ("10.9.0.2", "fd00:9::2"):
        assert lab.ping("gw-a", to, 2, size=4000) == 2


@pytest.mark.parametrize("family", [4, 6])
def test_a_black_hole_is_found_and_passed_by(path, family):
    """Nobody says that 1400 bytes are the end; full frames of a bridge cross all the same."""
    lab = path.lab
    path.squeeze(1400, silent=True)
    for gw in ("gw-a", "gw-b"):
        lab.batch(gw, "link set wan0 mtu 1500\n")
    path.up(family)
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    path.found(1400, slack=0)
    cut = path.pieces(family)
    for to, port in (("10.0.0.2", 5201), ("fd00::2", 5202)):
        assert lab.tcp("host-b", "host-a", to, size="8M", port=port) > 1e6
        assert lab.tcp("host-b", "host-a", to, size="8M", port=port + 2, reverse=True) > 1e6
    assert path.pieces(family) == cut
    assert lab.ping("host-a", "10.0.0.2", 3, size=1472, more=("-M", "dont")) == 3
    assert path.pieces(family) > cut
    for to, size in (("10.0.0.2", 1472), ("fd00::2", 1452)):
        if family == 4:     # routers cut what has no DF outside
            assert lab.ping("host-a", to, 3, size=size, more=("-M", "do")) == 3
        else:
            assert path.told(to, size) == path.a.peer()["mtu"]
    assert not path.a.lines("suspect") and path.a.peer()["state"] == "up"


def test_hosts_are_told_what_is_too_large(path):
    """mtu= of a bridge below its LAN's: the hub answers for a router that is not there."""
    lab = path.lab
    path.squeeze(1400)
    path.up(4, 'bridge="br-lan" mtu="1380" mss="1200"')
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    for to, size in (("10.0.0.2", 1472), ("fd00::2", 1452)):
        assert path.told(to, size) == 1380
        assert lab.ping("host-a", to, 1, size=1380 - (28 if "." in to else 48),
                        more=("-M", "do")) == 1
    assert path.a.stat("hub-too-big") >= 2


def test_the_least_that_ipv4_has(path):
    """The last one: Linux takes the IPv6 addresses of so small a link away."""
    test_a_routed_realm_follows_its_path(path, 4, 576)
