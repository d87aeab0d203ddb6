# SPDX-License-Identifier: Apache-2.0
"""Five offices in one Ethernet, IPv6 only outside and inside.

    host-0 -- gw-0 ==+== gw-1 -- host-1
                     +== gw-2 -- host-2      gw-0 is the centre: the others
                     +== gw-3 -- host-3      come to it and meet there
                     +== gw-4 -- host-4

gw-N is 2001:db8:1::N, host-N fd00::N, and there is no IPv4 anywhere.
"""
import re
import time

import pytest

import topo
from gateway import Gateway
from lab import Lab, until

N = 5
CABLE = "link add cable type veth peer name cable netns {ns}\nlink set cable master br-lan up\n"


TWIN = "02:00:00:00:77:77"
TALK = f"""
import socket, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for i in range(500):
    s.send(bytes.fromhex("ff" * 6 + "{TWIN.replace(':', '')}" + "88b6" + "00" * 46))
    time.sleep(0.01)
"""


@pytest.fixture(scope="module")
def lab():
    """The offices, without daemons."""
    made = Lab()
    try:
        made.add("inet", *(f"{what}-{n}" for n in range(N) for what in ("gw", "host")), "laptop")
        made.batch("inet", topo.INET)
        for n in range(N):
            gw, host = f"gw-{n}", f"host-{n}"
            made.wire(gw, "wan0", "inet", f"p{n}")
            made.batch("inet", f"link set p{n} master br0\n")
            made.wire(host, "eth0", gw, "lan0")
            made.batch(gw, f"addr add 2001:db8:1::{n}/64 dev wan0 nodad\n"
                           "link add br-lan type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set lan0 master br-lan\nlink set br-lan up\n")
            made.batch(host, f"addr add fd00::{n}/64 dev eth0 nodad\n")
        made.wire("laptop", "eth0", "gw-1", "lap")
        made.batch("gw-1", "link set lap master br-lan\n")
        made.batch("laptop", "addr add fd00::99/64 dev eth0 nodad\n")
        made.need("laptop", "sysctl", "-qw", "net.ipv6.conf.eth0.ndisc_notify=1")
        yield made
    finally:
        made.close()


def conf(n):
    """The centre waits for all, the others dial it."""
    peers = "".join(f'<peer id="office-{i}"/>' for i in range(1, N)) if n == 0 else \
        '<peer id="office-0" at="2001:db8:1::"/>'
    return ('<vpn log="info"><realm name="branches" dpd="1" dead="3" bridge="br-lan">'
            f'<me id="office-{n}" psk="branches.psk"/>{peers}</realm></vpn>')


@pytest.fixture(scope="module")
def offices(lab):
    """All five up."""
    gws = [Gateway(lab, f"gw-{n}", conf(n)).launch() for n in range(N)]
    for n in range(1, N):
        assert lab.until_ping(f"host-{n}", "fd00::", 15), gws[n].log() + gws[0].log()
    yield gws
    for gw in gws:
        gw.stop()


def mac_of(lab, node):
    """Its Ethernet address."""
    return lab.need(node, "cat", "/sys/class/net/eth0/address").strip()


def port_of(gw, mac):
    """Behind which port a hub knows an address; None: it does not."""
    rows = gw.json("hub", "branches", "mac")["macs"]
    return next((r["port"] for r in rows if r["mac"] == mac), None)


def test_every_office_reaches_every_other(lab, offices):
    """Twenty directions, with neighbour discovery across the hub of the centre."""
    for a in range(N):
        for b in range(N):
            assert a == b or lab.until_ping(f"host-{a}", f"fd00::{b}", 3), (a, b)
    for n in range(1, N):
        assert port_of(offices[0], mac_of(lab, f"host-{n}")) == f"office-{n}"
    assert all(p["remote"].startswith("[2001:db8:1::") for gw in offices
               for p in gw.json("status")["realms"][0]["peers"])


def states(offices):
    """Of every port of every hub."""
    return {p["state"] for gw in offices
            for p in gw.json("hub", "branches", "ports")["ports"]}


def test_a_ring_of_two_tunnels_is_cut_and_named(lab, offices):
    """A cable between offices 1 and 2: one tunnel is blocked, all still reach all; without
    the cable it forwards again."""
    lab.batch("gw-1", CABLE.format(ns=lab.ns("gw-2")))
    lab.batch("gw-2", "link set cable master br-lan up\n")
    lab.run("host-1", "ping", "-c1", "-W1", "fd00::77")     # something to go round
    assert until(15, lambda: any(gw.lines("is blocked") for gw in offices)), offices[0].log()
    for n in range(1, N):
        assert lab.until_ping(f"host-{n}", "fd00::", 30), n
    named = [line for gw in offices for line in gw.lines("a loop", "is blocked")]
    assert re.search(r"left by \S+ came back by \S+; office-\d is blocked", named[0]), named

    def is_quiet():
        """Pings pass, and little else."""
        def seen():
            return sum(p["rx_packets"] for p in
                       offices[0].json("hub", "branches", "ports")["ports"])
        before = seen()
        return lab.ping("host-3", "fd00::4", 5) == 5 and seen() - before < 500
    assert until(10, is_quiet), "a storm goes on"
    lab.batch("gw-1", "link del cable\n")
    assert until(30, lambda: states(offices) == {"forwarding"}, 0.5), states(offices)
    assert any(gw.lines("the loop is gone") for gw in offices)
    for n in range(1, N):                                   # tables of the way that was
        assert lab.until_ping(f"host-{n}", "fd00::", 15), n
    assert lab.until_ping("host-2", "fd00::1", 15)


def test_two_hosts_with_one_address_disturb_nobody_else(lab, offices):
    """The same MAC at offices 3 and 4, both talking: told, and the others are well."""
    talk = [lab.spawn(f"host-{n}", "/usr/bin/python3", "-c", TALK, name=f"talk-{n}")
            for n in (3, 4)]
    assert until(10, lambda: offices[0].lines(TWIN, "moved from office")), offices[0].log()
    assert lab.ping("host-1", "fd00::", 20) == 20
    assert lab.ping("host-3", "fd00::4", 20) == 20
    assert states(offices) == {"forwarding"}                # no loop, and none is seen
    assert until(5, lambda: port_of(offices[0], TWIN) in ("office-3", "office-4"))
    for p in talk:                                          # eight moves a second are told
        p.wait(10)


def test_a_laptop_moves_between_offices_while_it_is_talked_to(lab, offices):
    """From office 1 to office 2 under its own addresses: a short gap, and a told move."""
    mac = mac_of(lab, "laptop")
    assert lab.until_ping("host-0", "fd00::99", 5)
    assert port_of(offices[0], mac) == "office-1"
    ping = lab.spawn("host-0", "ping", "-n", "-D", "-i", "0.05", "-W", "1", "-c", "120", "fd00::99",
                     name="ping-laptop")
    time.sleep(1)                                           # some are on their way
    lab.batch("gw-1", f"link set lap netns {lab.ns('gw-2')}\n")
    lab.batch("gw-2", "link set lap master br-lan up\n")
    ping.wait(15)
    at = [float(t) for t in re.findall(r"^\[([\d.]+)\].*icmp_seq", ping.text(), re.M)]
    assert at, ping.text()
    gap = max(b - a for a, b in zip(at, at[1:]))
    assert gap < 5, f"unreachable for {gap:.1f} s"           # a MAC would age in 300 s
    assert port_of(offices[0], mac) == "office-2"
    assert until(3, lambda: offices[0].lines(mac, "moved from office-1 to office-2"))
