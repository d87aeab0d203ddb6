# SPDX-License-Identifier: Apache-2.0
"""A gateway behind a NAT."""
import pytest

import topo
import wire
from gateway import Gateway, office
from lab import until, within

OTHER_PORTS = topo.NAT_RULES.replace(
    "masquerade;", "ip protocol udp masquerade to :40000-50000 random;")


@pytest.fixture(scope="module")
def lab():
    """gw-a behind a masquerading router."""
    made = topo.sites(nat=True)
    yield made
    made.close()


@pytest.fixture(scope="module")
def joined(lab):
    """Tunnel up through the NAT."""
    capture = wire.Capture(lab, "inet", "p2")
    b = Gateway(lab, "gw-b", office("osaka")).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2")).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    yield a, b, capture
    a.stop()
    b.stop()


def test_traffic_passes_the_nat(lab, joined):
    """Echoes and TCP, both ways."""
    assert lab.ping("host-a", "10.0.0.2", 5) == 5
    assert lab.ping("host-b", "10.0.0.1", 5, size=1400) == 5
    assert lab.tcp("host-b", "host-a", "10.0.0.2") > 1e6


def test_both_ends_know_of_the_nat(joined):
    """The inner end sees itself behind it, the outer end sees the NAT's address."""
    a, b, _ = joined
    assert a.peer()["nat"] == "here"
    assert b.peer()["nat"] == "there"
    assert b.peer()["remote"].startswith("192.0.2.1:")
    assert a.peer()["encap"] == b.peer()["encap"] == "udp"


def test_tunnel_follows_a_new_port(lab, joined):
    """The NAT forgets its mapping: an authenticated packet from elsewhere moves the peer."""
    _, b, _ = joined
    old = b.peer()["remote"]
    lab.need("nat", "nft", "flush", "ruleset")
    lab.need("nat", "nft", "-f", "-", text=OTHER_PORTS)
    # what the connection tracker knows must have gone before the link is back
    lab.batch("nat", "link set out0 down\n")
    lab.need("nat", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=1",
             "net.netfilter.nf_conntrack_udp_timeout_stream=1")
    within(2.5, lambda: False)
    lab.batch("nat", "link set out0 up\n")
    assert lab.until_ping("host-a", "10.0.0.2", 15)
    assert until(5, lambda: b.peer()["remote"] not in ("", old)), b.log()
    assert lab.until_ping("host-b", "10.0.0.1", 5)


def test_only_udp_was_on_the_wire(lab, joined):
    """(Last.)"""
    seen = wire.kinds(joined[2].done())
    assert "udp-esp" in seen
    # the NAT refuses what still goes to the port it has forgotten
    assert seen <= {"udp-esp", "ike", "keepalive", "arp", "nd", "fragment", "unreachable"}
