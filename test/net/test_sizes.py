# SPDX-License-Identifier: Apache-2.0
"""Packets larger than usual: jumbo frames outside, and frames that the wire is too small for."""
import pytest

import topo
from gateway import Offices

V4, V6 = "192.0.2.2", "2001:db8:1::2"
JUMBO = {               # name: address of gw-b, encap, workers
    "ring": (V4, "esp", 2),
    "ring-ipv6": (V6, "esp", 2),
    "socket": (V4, "esp", 1),
    "udp": (V4, "udp", 1),
}
WIRES = (("gw-a", "wan0"), ("inet", "p1"), ("inet", "br0"), ("inet", "p2"), ("gw-b", "wan0"))
LANS = (("host-a", "eth0"), ("gw-a", "lan0"), ("gw-b", "lan0"), ("host-b", "eth0"))


def offices(lab, addr, encap, workers, mtu=1500):
    """Both ends up."""
    return Offices(lab, addr, f'encap="{encap}" mtu="{mtu}"', f'log="info" workers="{workers}"')


def netstat(lab, node, name, fam=V4):
    """A counter of the kernel's IP layer."""
    if fam == V6:
        rows = dict(line.split() for line in
                    lab.need(node, "cat", "/proc/net/snmp6").splitlines())
        return int(rows["Ip6" + name])
    names, values = (line.split() for line in
                     lab.need(node, "cat", "/proc/net/snmp").splitlines()[:2])
    return int(values[names.index(name)])


def total(gw, name):
    """A statistic of all workers."""
    return sum(gw.stat(f"worker{i}-{name}") for i in range(2))


@pytest.fixture(scope="module")
def jumbo():
    """Everything takes 9000 bytes; inside 8000."""
    lab = topo.sites()
    for node, dev in WIRES:
        lab.batch(node, f"link set {dev} mtu 9000\n")
    for node, dev in LANS:
        lab.batch(node, f"link set {dev} mtu 8000\n")
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def small():
    """1500 bytes everywhere, inside as well."""
    lab = topo.sites()
    yield lab
    lab.close()


@pytest.mark.parametrize("name", JUMBO)
def test_jumbo_frames_cross_whole(jumbo, name):
    """Larger than a frame of the ring: by its socket, in order with the others."""
    addr, encap, workers = JUMBO[name]
    ends = offices(jumbo, addr, encap, workers, 8000)
    try:
        pieces = netstat(jumbo, "gw-b", "FragCreates", addr)
        for size in (56, 1800, 1900, 1950, 2000, 2100, 4000, 7900):
            assert jumbo.ping("host-b", "10.0.0.1", 3, size=size, more=("-M", "do")) == 3, size
        for reverse in False, True:
            assert jumbo.tcp("host-a", "host-b", "10.0.0.1", size="40M", reverse=reverse) > 0
        assert netstat(jumbo, "gw-b", "FragCreates", addr) == pieces
        for gw in ends.a, ends.b:
            if encap == "esp":
                assert (total(gw, "ring-large") > 100) == (workers > 1)
            for name in ("too-big", "esp-replay", "esp-icv", "raw-ip", "no-buffer"):
                assert gw.stat(name) == 0, name
    finally:
        ends.stop()


@pytest.mark.parametrize("addr", [V4, V6])
def test_frames_the_wire_is_too_small_for_leave_in_pieces(small, addr):
    """UDP around them: the kernel cuts and puts together; DF inside is none of its business."""
    ends = offices(small, addr, "udp", 1)
    try:
        cut = netstat(small, "gw-b", "FragCreates", addr)
        whole = netstat(small, "gw-a", "ReasmOKs", addr)
        for size in (1380, 1420, 1440, 1472):
            assert small.ping("host-b", "10.0.0.1", 5, size=size, more=("-M", "do")) == 5, size
        assert small.ping("host-b", "10.0.0.1", 5, size=20000) == 5
        assert small.ping("host-b", "fd00::1", 5, size=1452, more=("-M", "do")) == 5
        assert netstat(small, "gw-b", "FragCreates", addr) - cut >= 20
        assert netstat(small, "gw-a", "ReasmOKs", addr) - whole >= 10
        assert all(gw.stat(n) == 0 for gw in (ends.a, ends.b) for n in ("too-big", "send-failed"))
    finally:
        ends.stop()
