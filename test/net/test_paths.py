# SPDX-License-Identifier: Apache-2.0
"""The fast path wherever it must be fast: IPv6 outside, every pair of families, VLANs,
several workers, either provider."""
import os
import sys

import pytest

import topo
from gateway import Gateway, realm, vpn
from lab import until

TOPOLOGY = topo.pair  # two gateways, no hosts

SOAKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "soaker.py")
AT = {4: "192.0.2.2", 6: "2001:db8:1::2"}
INSIDE = {4: ("10.1.0.1", "10.2.0.1"), 6: ("fd00:1::1", "fd00:2::1")}
ETHER = {4: ("10.9.0.1", "10.9.0.2"), 6: ("fd00:9::1", "fd00:9::2")}
NETS = ('<net local="{0}/32 {1}/128" remote="{2}/32 {3}/128"/>\n')


class Ends:
    """left dials right; addresses[family] are those inside, left first."""

    def __init__(self, lab, family=4, mode="ether", encap="udp", tops=("", ""), mtu=1400,
                 more=""):
        self.lab, self.addresses = lab, INSIDE if mode == "ip" else ETHER
        self.gw = []
        for i in (1, 0):                            # the one that waits first
            mine, other = ("tokyo", "osaka") if i == 0 else ("osaka", "tokyo")
            attrs = f'mode="{mode}" encap="{encap}" mtu="{mtu}" {more}'
            inner = ""
            if mode == "ip":
                inner = NETS.format(INSIDE[4][i], INSIDE[6][i], INSIDE[4][1 - i], INSIDE[6][1 - i])
            else:
                attrs += f' address="{ETHER[4][i]}/24 {ETHER[6][i]}/64"'
            conf = vpn(realm(mine, other, AT[family] if i == 0 else "", attrs, inner=inner),
                       attrs=f'log="info" {tops[i]}')
            self.gw.insert(0, Gateway(lab, ("left", "right")[i], conf).start())
        for inside in (4, 6):
            assert lab.until_ping("left", self.addresses[inside][1], 10,
                                  source=self.addresses[inside][0])

    def tcp(self, inside, reverse=False):
        here, there = self.addresses[inside]
        return self.lab.tcp("right", "left", there, source=here, size="40M", reverse=reverse)

    def share(self, i, stage):
        """Part of an end's packets that came in super-frames or trains."""
        rows = [r for r in self.gw[i].json("stats")["stages"] if r["stage"] == stage]
        return sum(r["n_in_trains"] for r in rows) / max(1, sum(r["n_packets"] for r in rows))

    def is_fast(self, encap="udp"):
        """What bulk from left to right should show at both ends."""
        assert self.share(0, "tap-in") > 0.5 and self.share(1, "tap-out") > 0.5
        if encap == "udp":
            assert self.share(0, "net-out") > 0.5 and self.share(1, "net-in") > 0.5

    def drops(self, i):
        return {r["name"]: r["value"] for r in self.gw[i].json("stats")["drops"] if r["value"]}

    def stop(self):
        for gw in self.gw:
            gw.stop()


@pytest.fixture(name="ends")
def make_ends(lab):
    """A pair with the options the test asks for; ended with it."""
    made = []

    def make(**kw):
        made.append(Ends(lab, **kw))
        return made[-1]
    yield make
    for ends in made:
        ends.stop()


@pytest.mark.parametrize("encap", ["udp", "esp"])
def test_ipv6_outside_is_as_fast(ends, encap):
    """Super-frames and trains, whatever is outside."""
    e = ends(family=6, encap=encap)
    assert e.gw[0].peer()["remote"].startswith("[2001:db8:1::2]")
    assert e.tcp(4) > 1e7
    e.is_fast(encap)
    assert e.tcp(6, reverse=True) > 1e7


@pytest.mark.parametrize("family", [4, 6])
def test_ip_mode_carries_both_families(lab, ends, family):
    """IPv4 and IPv6 inside of one pair of SAs, over either."""
    e = ends(family=family, mode="ip")
    assert e.gw[0].peer()["mode"] == "ip"
    for inside in (4, 6):
        here, there = INSIDE[inside]
        for size in (0, 1, 1300, 1400, 5000):
            assert lab.ping("left", there, size=size, source=here) == 1
        assert e.tcp(inside) > 1e7
    e.is_fast()


def test_vlan_tags_travel_in_super_frames(lab, ends):
    """Tagged TCP super-frames arrive tagged, with every byte, and were never cut singly."""
    e = ends(mtu=1404)
    before = e.gw[0].json("stats")
    count, vid = 40, 10
    sink = lab.spawn("right", sys.executable, SOAKER, "untag", "tap-branches", count, vid, 3)
    assert until(5, lambda: "listening" in sink.text())
    lab.need("left", sys.executable, SOAKER, "tagged", "tap-branches", count, vid)
    assert until(10, lambda: "right" in sink.text()), sink.text()
    assert f"right {count * 16 * 1300} of {count * 16 * 1300}" in sink.text()

    def trains(doc, stage):
        return sum(r["n_in_trains"] for r in doc["stages"] if r["stage"] == stage)
    after = e.gw[0].json("stats")
    for stage in ("tap-in", "net-out"):
        assert trains(after, stage) - trains(before, stage) >= count * 16 / 2
    assert trains(e.gw[1].json("stats"), "tap-out") >= count * 16 / 2


def test_workers_hand_over_what_is_anothers(ends):
    """Two workers that share flows by destination: nothing is lost or late on the way."""
    two = 'workers="2" rule="destination"'
    e = ends(tops=(two, two), more='resources="off"')
    for inside in (4, 6):
        for reverse in (False, True):
            assert e.tcp(inside, reverse) > 1e7
    handed = [sum(w["n_handed"] for w in gw.json("stats")["workers"]) for gw in e.gw]
    assert sum(handed) > 0, handed
    for i in (0, 1):
        assert not [d for d in e.drops(i) if "queue" in d or "replay" in d], e.drops(i)


@pytest.mark.parametrize("tops", [("openssl", "ipsecmb"), ("ipsecmb", "openssl")])
def test_providers_understand_each_other(lab, ends, tops):
    """One seals, the other one opens."""
    e = ends(tops=[f'esp-provider="{p}"' for p in tops])
    for gw, provider in zip(e.gw, tops):
        assert gw.json("stats")["datapath"]["provider"] == provider
    for size in (0, 1, 100, 1300, 1372):
        assert lab.ping("left", ETHER[4][1], size=size, source=ETHER[4][0]) == 1
    assert e.tcp(4) > 1e7 and e.tcp(4, reverse=True) > 1e7
    for i in (0, 1):
        assert not {"esp-icv", "esp-pad", "esp-next", "esp-runt"} & set(e.drops(i)), e.drops(i)
