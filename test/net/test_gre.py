# SPDX-License-Identifier: Apache-2.0
"""GRE (RFC 2784) in ESP transport mode: with the GRE and ESP of another kernel, whose SAs
strongSwan negotiates, and between two tapirs."""
import pytest

import topo
import uml
import wire
from gateway import Gateway, realm, vpn
from lab import until, within

V4 = ("192.0.2.1", "192.0.2.2")
V6 = ("2001:db8:1::1", "2001:db8:1::2")
TAP = 'tap="tap0" address="10.9.0.1/24 fd00:9::1/64"'
# name: encap, outer addresses, who dials, selectors of strongSwan, its GRE
CASES = {
    "esp": ("esp", V4, "left", "dynamic[gre]", "gre"),
    "udp-guest-dials-with-any-protocol": ("udp", V4, "right", "dynamic", "gre"),
    "esp-ipv6": ("esp", V6, "left", "dynamic[gre]", "ip6gre"),
}


def is_error(frame):
    """Our kernel about what the guest sends to a daemon that is gone."""
    return (frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 3) or \
        (frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] in (1, 4))


@pytest.fixture(scope="module")
def world():
    """left is tapir's node; the guest stands where right would."""
    why = uml.missing()
    if why:
        pytest.skip(f"no other kernel to test against: {why}")
    lab = topo.pair()
    try:
        lab.batch("inet", "link set p2 nomaster\n")
        guest = uml.Guest(lab, "inet", (V4[1] + "/24 dev vec0", V6[1] + "/64 dev vec0",
                                        "10.2.0.1/32 dev lo", "fd00:2::1/128 dev lo"))
        guest.need("/run/modprobe -a ip_gre ip6_gre")
        yield lab, guest
    finally:
        lab.close()


class Joined:
    """tapir and a router: its kernel has GRE, and below it transport mode."""

    def __init__(self, world, name, inner=""):
        self.lab, self.guest = world
        self.encap, (left, right), dials, ts, gre = CASES[name]
        self.a = Gateway(self.lab, "left", vpn(realm(
            "tokyo", "osaka", right if dials == "left" else "",
            f'mode="gre" encap="{self.encap}" resources="off" {TAP}', inner=inner),
            attrs='log="info"'))
        top = "encap = yes" if self.encap == "udp" else ""
        self.b = uml.KernelCharon(
            self.guest, local=right, remote=left, local_id="osaka", remote_id="tokyo", top=top,
            local_ts=ts, remote_ts=ts, ike="aes256gcm16-prfsha384-x25519",
            esp="aes256gcm16-esn-x25519\n    mode = transport")
        self.guest.need(f"ip link add gre1 type {gre} local {right} remote {left} ttl 64; "
                        "ip link set gre1 mtu 1380 up; "
                        "ip addr add 10.9.0.2/24 dev gre1; "
                        "ip addr add fd00:9::2/64 dev gre1 nodad")
        self.capture = wire.Capture(self.lab, "inet", "p1", "gre-" + name)
        try:
            self.b.start()
            self.a.start()
            said = "" if dials == "left" else self.b.initiate()
            assert until(12, self.a.is_up), said + self.a.log() + self.b.log()[-3000:]
            assert until(8, lambda: self.ping("left")), self.a.log() + self.b.log()[-3000:]
        except BaseException:
            self.stop()
            raise

    def ping(self, node, count=1, size=56, six=False, **kw):
        """Echoes to the other end of the GRE link."""
        net = "fd00:9::" if six else "10.9.0."
        if node == "left":
            return self.lab.ping("left", net + "2", count, size=size, **kw)
        return self.guest.ping(net + "1", count, size)

    def stop(self):
        """End both; the GRE device first, or it would speak in clear."""
        if self.guest.proc.popen.poll() is None:
            self.guest.run("ip link del gre1")
        self.a.stop()
        self.b.stop()
        self.capture.proc.stop()


def test_flags_of_the_routers_gre(world):
    """Only the networks of <net> pass; a key is refused by name and counted."""
    made = Joined(world, "esp", '    <net local="10.9.0.0/24 10.1.0.0/24" '
                                'remote="10.9.0.0/24 10.2.0.0/24"/>\n')
    try:
        lab, guest, a = made.lab, made.guest, made.a
        assert "10.2.0.0/24" in lab.need("left", "ip", "route", "show", "dev", "tap0")
        guest.need("ip route replace 10.1.0.1/32 via 10.9.0.1")
        assert lab.ping("left", "10.2.0.1", 2, source="10.1.0.1") == 2
        guest.need("ip addr add 10.66.0.1/32 dev lo")
        assert guest.ping("10.9.0.1", source="10.66.0.1") == 0
        assert a.stat("esp-selector") >= 1, a.json("stats", "--all")
        guest.need("ip link set gre1 type gre ocsum")
        assert guest.ping("10.9.0.1", 2, 200) == 2 and a.stat("gre") == 0
        guest.need("ip link set gre1 type gre okey 7")
        assert guest.ping("10.9.0.1") == 0
        assert a.stat("gre") >= 1, a.json("stats", "--all")
        guest.need("ip link del gre1; ip link add gre1 type gretap local 192.0.2.2 remote "
                   "192.0.2.1; ip link set gre1 up; ip addr add 10.9.0.2/24 dev gre1")
        assert guest.ping("10.9.0.1") == 0
        assert a.stat("gre-type") >= 1, a.json("stats", "--all")
    finally:
        made.stop()


def test_a_peer_without_gre_is_refused_and_told_why(world):
    """Tunnel mode where GRE is wanted."""
    lab, guest = world
    a = Gateway(lab, "left", vpn(realm("tokyo", "osaka", "192.0.2.2", f'mode="gre" {TAP}')))
    b = uml.KernelCharon(guest, local=V4[1], remote=V4[0], local_id="osaka", remote_id="tokyo",
                         local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24")
    try:
        b.start()
        a.start()
        assert until(8, lambda: a.lines("TS_UNACCEPTABLE")), a.log()
        b.initiate()
        assert until(8, lambda: a.lines("does not ask for GRE")), a.log()
    finally:
        a.stop()
        b.stop()


@pytest.fixture(scope="module", params=list(CASES))
def joined(world, request):
    """A new pair for each case."""
    made = Joined(world, request.param)
    yield made
    made.stop()


def test_a_router_with_gre_is_reached(joined):
    """IPv4 and IPv6, small and large, both ways; status says gre; ESP alone outside."""
    for size in 0, 1300:
        assert joined.ping("left", 2, size) == 2, (size, joined.a.log())
        assert joined.ping("right", 2, size) == 2, size
    assert until(4, lambda: joined.ping("left", six=True))
    assert joined.ping("right", 2, 1000, six=True) == 2
    peer = joined.a.peer()
    assert (peer["mode"], peer["encap"]) == ("gre", joined.encap), peer
    assert "mode transport" in joined.guest.need("ip xfrm state")
    assert joined.a.json("hub", "branches", "ports")["ports"][1]["kind"] == "ip"
    # a route of the administrator's, as over any link
    joined.lab.batch("left", "route replace 10.2.0.1/32 via 10.9.0.2\n")
    joined.guest.need("ip route replace 10.1.0.1/32 via 10.9.0.1")
    assert joined.lab.ping("left", "10.2.0.1", 2, source="10.1.0.1") == 2
    for name in "gre", "gre-type", "esp-selector", "esp-inner":
        assert joined.a.stat(name) == 0, (name, joined.a.json("stats", "--all"))


def test_multicast_crosses(joined):
    """All nodes answer on a link, and routers find each other by multicast."""
    assert joined.lab.run("left", "ping", "-n", "-q", "-c", "2", "-i", "0.1", "-W", "1", "-I",
                          "tap0", "ff02::1").stdout.count("0 received") == 0
    before = joined.guest.need("cat /sys/class/net/gre1/statistics/rx_packets")
    joined.lab.run("left", "ping", "-c", "1", "-W", "1", "-I", "tap0", "224.0.0.5")
    assert int(joined.guest.need("cat /sys/class/net/gre1/statistics/rx_packets")) > int(before)


def test_new_keys_and_tcp(joined):
    """Rekeying from either end, and bulk that is cut into segments."""
    old = joined.a.peer()["spi_in"]
    joined.b.ctl("--rekey", "--child", "c")
    assert until(5, lambda: joined.a.peer()["spi_in"] != old), joined.b.log()[-2000:]
    old = joined.a.peer()["spi_in"]
    assert joined.a.tapir("rekey", "branches/osaka", "child").returncode == 0
    assert until(5, lambda: joined.a.peer()["spi_in"] != old), joined.a.log()
    assert joined.a.peer()["mode"] == "gre"
    assert joined.ping("left", 3) == 3
    joined.guest.need("setsid timeout 20 iperf3 -s -1 -p 5201 >/run/iperf3.log 2>&1 &")
    done = None
    for _ in range(20):
        done = joined.lab.run("left", "iperf3", "-J", "-c", "10.9.0.2", "-n", "1M", timeout=30)
        if done.returncode == 0:
            break
        within(0.1, lambda: False)
    assert done.returncode == 0, done.stdout[-500:]


def test_nothing_in_clear(joined):
    """(Last: it ends the tunnel.)"""
    mac = bytes.fromhex(joined.lab.need(
        "left", "cat", "/sys/class/net/wan0/address").strip().replace(":", ""))
    joined.stop()
    seen = wire.kinds(f for f in joined.capture.done() if f[6:12] == mac and not is_error(f))
    want = "udp-esp" if joined.encap == "udp" else "esp"
    assert want in seen and seen <= {want, "ike", "keepalive", "arp", "nd", "fragment"}, seen
    assert not joined.a.lines(level="ERROR"), joined.a.log()


def test_two_tapirs_with_gre():
    """Both ends with GRE, over UDP and IPv6, with a link's own addresses."""
    lab = topo.pair()
    attrs = 'mode="gre" tap="tap0" address="10.9.0.{0}/24 fd00:9::{0}/64"'
    b = Gateway(lab, "right", vpn(realm("osaka", "tokyo", "", attrs.format(2))))
    a = Gateway(lab, "left", vpn(realm("tokyo", "osaka", V6[1], attrs.format(1))))
    try:
        b.start()
        a.start()
        assert lab.until_ping("left", "10.9.0.2"), a.log() + b.log()
        assert lab.ping("right", "10.9.0.1", 3, size=3000) == 3
        assert lab.until_ping("left", "fd00:9::2", 4)
        assert {g.peer()["mode"] for g in (a, b)} == {"gre"}
        assert lab.tcp("right", "left", "10.9.0.2", size="4M") > 1e5
        assert not a.lines(level="ERROR") and not b.lines(level="ERROR"), a.log() + b.log()
    finally:
        a.stop()
        b.stop()
        lab.close()
