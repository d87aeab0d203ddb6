# SPDX-License-Identifier: Apache-2.0
"""One peer, or one flow, that sends more than fits is in nobody else's way.

    x ----\
    y -----  hub       one realm, three peers of one gateway; 10.9.0.N inside
    z ----/

The hub's packet process is stopped while somebody floods it, so that a queue is
full for certain; whoever is in another one loses nothing.
"""
import os
import signal

import pytest

import tools
from gateway import PSK, Gateway
from lab import Lab, until, within

NUMBER = {"hub": 1, "x": 2, "y": 3, "z": 4}
PEERS = ("x", "y", "z")
LANES = 4                       # of a worker: VPN_LANES
INSIDE = {n: f"10.9.0.{i}" for n, i in NUMBER.items()}


def config(node):
    """One worker, so that all share it."""
    peer = '<peer id="*.peers"/>' if node == "hub" else '<peer id="hub" at="192.0.2.1"/>'
    me = node if node == "hub" else f"{node}.peers"
    return (f'<vpn log="info" workers="1"><realm name="star" mode="ether" encap="udp" mtu="1400" '
            f'dpd="3" dead="20" address="{INSIDE[node]}/24"><me id="{me}" psk="star.psk"/>{peer}'
            f'</realm></vpn>\n')


@pytest.fixture(scope="module")
def star():
    """The hub and its peers, all up: dict of gateways, with "lab"."""
    lab = Lab()
    try:
        lab.add(*NUMBER)
        lab.batch("hub", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                         "addr add 192.0.2.1/24 dev br0\nlink set br0 up\n")
        made = {"lab": lab}
        for node in NUMBER:
            if node != "hub":
                lab.wire(node, "wan0", "hub", f"to-{node}")
                lab.batch("hub", f"link set to-{node} master br0\n")
                lab.batch(node, f"addr add 192.0.2.{NUMBER[node]}/24 dev wan0\n")
            made[node] = Gateway(lab, node, config(node), {"star.psk": PSK}).start()
        for node in PEERS:
            assert lab.until_ping(node, INSIDE["hub"], 10), made[node].log()
        yield made
    finally:
        lab.close()


class Stopped:
    """The hub's packet process does not run inside of this."""

    def __init__(self, star):
        self.pid = star["hub"].pid("main")

    def __enter__(self):
        os.kill(self.pid, signal.SIGSTOP)

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGCONT)


def flood(star, source, target, port, seconds):
    """UDP as fast as it goes, in full packets."""
    star["lab"].need(source, "/usr/bin/python3", tools.__file__, "udp-source", target, port,
                     seconds, 1300)


def pings(star, source, target):
    """Six that are on their way already; returns how many come back."""
    return star["lab"].spawn(source, "ping", "-n", "-q", "-c", 6, "-i", 0.05, "-W", 8, target)


def came_back(proc):
    """All that ping heard of."""
    assert proc.wait(15) is not None, proc.text()
    return int(proc.text().split(" received")[0].split()[-1])


def lane_of(star, peer):
    """The lane in which the hub receives from a peer."""
    spi = [s["spi_in"] for s in star["hub"].json("stats", "--all")["sas"]
           if s["peer"] == f"{peer}.peers"]
    return {x >> 6 & LANES - 1 for x in spi}


def queue(star, name):
    """A row of the hub's queues."""
    return [q for q in star["hub"].json("stats")["queues"] if q["queue"] == name][0]


def apart(star, one, other):
    """New keys until two peers are in different lanes."""
    for _ in range(30):
        a, b = lane_of(star, one), lane_of(star, other)
        if len(a) == len(b) == 1 and a != b:
            return a.pop(), b.pop()
        assert star[other].tapir("rekey", "star/hub", "child").returncode == 0
        within(0.4, lambda: False)
    pytest.fail(f"{one} and {other} stay in one lane")


def test_a_peer_that_floods_costs_others_nothing(star):
    """The full socket is its own; IKE of anybody waits behind no data."""
    of_x, of_y = apart(star, "x", "y")
    before = queue(star, f"udp4.{of_x}")["n_drop"], queue(star, f"udp4.{of_y}")["n_drop"]
    with Stopped(star):
        flood(star, "x", INSIDE["hub"], 9, 1.5)
        sent = pings(star, "y", INSIDE["hub"])
        assert star["z"].tapir("rekey", "star/hub", "ike").returncode == 0
        within(0.6, lambda: False)
    assert came_back(sent) == 6
    assert queue(star, f"udp4.{of_x}")["n_drop"] > before[0], "nothing was full"
    assert queue(star, f"udp4.{of_y}")["n_drop"] == before[1]
    assert until(6, lambda: star["z"].lines("ike SA has new keys")), star["z"].log()


def lost_at_tap(star):
    """Frames that found the hub's TAP full."""
    out = star["lab"].need("hub", "cat", "/sys/class/net/tap-star/statistics/tx_dropped")
    return int(out)


def test_a_flow_that_floods_costs_others_nothing(star):
    """Towards the tunnels as well: four lanes, so four tries do not all meet."""
    for port in range(9, 21):
        dropped = lost_at_tap(star)
        assert star["lab"].ping("hub", INSIDE["y"], 2) == 2
        with Stopped(star):
            flood(star, "hub", INSIDE["x"], port, 0.2)
            sent = pings(star, "hub", INSIDE["y"])
            within(0.5, lambda: False)
        assert lost_at_tap(star) > dropped, "nothing was full"
        if came_back(sent) == 6:
            return
    pytest.fail("each of twelve flows was in the way")


def test_control_answers_under_full_load(star):
    """Commands and liveness checks while all are busy; nobody is taken for dead."""
    lab = star["lab"]
    before = {n: star[n].stat("ike-auth-ok") for n in NUMBER}
    load = [lab.spawn("hub", "/usr/bin/python3", tools.__file__, "udp-source", INSIDE["x"], 9, 6,
                      1300),
            lab.spawn("y", "/usr/bin/python3", tools.__file__, "udp-source", INSIDE["z"], 9, 6,
                      1300)]
    for _ in range(20):
        assert len(star["hub"].json("status")["realms"][0]["peers"]) == 3
        assert star["hub"].tapir("rekey", "star/z.peers", "child").returncode == 0
    for proc in load:
        assert proc.wait(15) is not None
    assert {n: star[n].stat("ike-auth-ok") for n in NUMBER} == before
    assert all(star[n].peer()["state"] == "up" for n in PEERS)
