# SPDX-License-Identifier: Apache-2.0
"""ESP against another kernel: raw and in UDP, tunnel and transport mode, with and without
extended sequence numbers, IPv4 and IPv6 outside, both roles."""
import os
import sys

import pytest

import topo
import uml
import wire
from gateway import Gateway, realm, vpn
from lab import until, within

TOOLS = os.path.join(os.path.dirname(__file__), "tools.py")
V4 = ("192.0.2.1", "192.0.2.2")
V6 = ("2001:db8:1::1", "2001:db8:1::2")
NET = '    <net local="10.1.0.0/24 fd00:1::/64" remote="10.2.0.0/24 fd00:2::/64"/>\n'
# name: mode, encap, outer addresses, suite, proposal of strongSwan, who dials, ESN, algorithm
CASES = {
    "gcm-esn": ("ip", "esp", V4, "2026", "aes256gcm16-esn-x25519", "left", True, "rfc4106"),
    "gcm-noesn-guest-dials": ("ip", "esp", V4, "2026", "aes128gcm16-noesn-x25519", "right", False,
                              "rfc4106"),
    "chacha-esn-ipv6": ("ip", "esp", V6, "2026", "chacha20poly1305-esn-x25519", "left", True,
                        "rfc7539esp"),
    "cbc-esn": ("ip", "esp", V4, "compat", "aes256-sha256-esn-x25519", "left", True, "sha256"),
    "udp-ipv6": ("ip", "udp", V6, "compat", "aes128-sha512-noesn-x25519", "right", False,
                 "sha512"),
    "etherip": ("ether", "esp", V4, "2026", "aes256gcm16-esn-x25519", "left", True, "rfc4106"),
    "etherip-guest-dials-ipv6": ("ether", "esp", V6, "2026", "aes256gcm16-noesn-x25519", "right",
                                 False, "rfc4106"),
    "etherip-udp": ("ether", "udp", V4, "2026", "aes128gcm16-esn-x25519", "left", True,
                    "rfc4106"),
}


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
        yield lab, guest
    finally:
        lab.close()


def is_error(frame):
    """Our kernel about what the guest sends to a daemon that is gone."""
    return (frame[12:14] == b"\x08\x00" and frame[23] == 1 and frame[34] == 3) or \
        (frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] == 1)


class Joined:
    """tapir and the guest's kernel with an SA between them."""

    def __init__(self, world, name):
        self.lab, self.guest = world
        self.name = name
        (self.mode, self.encap, (left, right), suite, esp, dials, self.esn,
         self.alg) = CASES[name]
        is_ether = self.mode == "ether"
        self.there, self.here = ("10.9.0.2", "10.9.0.1") if is_ether else \
            ("10.2.0.1", "10.1.0.1")
        self.there6, self.here6 = ("fd00:9::2", "fd00:9::1") if is_ether else \
            ("fd00:2::1", "fd00:1::1")
        attrs = f'mode="{self.mode}" encap="{self.encap}" suite="{suite}" resources="off"'
        attrs += ' tap="tap0" address="10.9.0.1/24 fd00:9::1/64"' if is_ether else ""
        top = "encap = yes" if self.encap == "udp" and dials == "right" else ""
        ts = ("dynamic[97]", "dynamic[97]") if is_ether else \
            ("10.2.0.0/24,fd00:2::/64", "10.1.0.0/24,fd00:1::/64")
        self.a = Gateway(self.lab, "left", vpn(realm(
            "tokyo", "osaka", right if dials == "left" else "", attrs,
            inner="" if is_ether else NET), attrs='log="info"'))
        ike = "aes256-sha256-x25519" if suite == "compat" else "aes256gcm16-prfsha384-x25519"
        self.b = uml.KernelCharon(
            self.guest, local=right, remote=left, local_id="osaka", remote_id="tokyo", top=top,
            local_ts=ts[0], remote_ts=ts[1], ike=ike,
            esp=esp + ("\n    mode = transport" if is_ether else ""))
        self.mac = bytes.fromhex(self.lab.need(
            "left", "cat", "/sys/class/net/wan0/address").strip().replace(":", ""))
        self.capture = wire.Capture(self.lab, "inet", "p1", name)
        try:
            self.b.start()
            self.a.start()
            said = "" if dials == "left" else self.b.initiate()
            assert until(12, self.a.is_up), said + self.a.log() + self.b.log()[-3000:]
            if is_ether:
                self.bridge_end(left, right)
            assert until(8, lambda: self.ping("left")), said + self.b.log()[-3000:]
        except BaseException:
            self.stop()
            raise

    def bridge_end(self, left, right):
        """The guest has no EtherIP: a small program makes its end."""
        self.guest.need(f"setsid {sys.executable} {TOOLS} etherip {right} {left} eip0 "
                        ">/run/etherip.log 2>&1 & echo $! >/run/etherip.pid")
        assert until(5, lambda: self.guest.run("test -e /sys/class/net/eip0")[0] == 0)
        self.guest.need("ip link set eip0 mtu 1380 up; ip addr add 10.9.0.2/24 dev eip0; "
                        "ip addr add fd00:9::2/64 dev eip0 nodad")

    def bridge_gone(self):
        """Its end stops before the SA does, or it would speak in clear."""
        if self.mode == "ether" and self.guest.proc.popen.poll() is None:
            self.guest.run("kill $(cat /run/etherip.pid) 2>/dev/null")
            within(0.2, lambda: False)

    def ping(self, node, count=1, size=56, six=False):
        """Echoes to the other end's inner address."""
        there, here = (self.there6, self.here6) if six else (self.there, self.here)
        if node == "left":
            return self.lab.ping("left", there, count, size=size, source=here)
        return self.guest.ping(here, count, size, there)

    def state(self):
        """`ip xfrm state` of the guest."""
        return self.guest.need("ip -s xfrm state")

    def stop(self):
        """End both."""
        self.bridge_gone()
        self.a.stop()
        self.b.stop()
        self.capture.done()


@pytest.fixture(scope="module", params=list(CASES))
def joined(world, request):
    """A new pair for each case."""
    made = Joined(world, request.param)
    yield made
    made.stop()


def test_echoes_cross_both_ways(joined):
    """Small and large, IPv4 and IPv6 inside."""
    for size in 0, 1300:
        assert joined.ping("left", 2, size) == 2, (size, joined.a.log())
        assert joined.ping("right", 2, size) == 2, size
    assert until(4, lambda: joined.ping("left", six=True))
    assert joined.ping("right", 2, 1000, six=True) == 2


def test_tcp_both_ways(joined):
    """Bulk, so that both ends cut and join segments."""
    joined.guest.need("setsid timeout 20 iperf3 -s -p 5201 >/run/iperf3.log 2>&1 &")
    for more in (), ("-R",):
        done = None
        for _ in range(20):
            done = joined.lab.run("left", "iperf3", "-J", "-c", joined.there, "-B", joined.here,
                                  "-n", "1M", *more, timeout=30)
            if done.returncode == 0:
                break
            within(0.1, lambda: False)
        assert done.returncode == 0, done.stdout[-500:]
    joined.guest.run("pkill iperf3")


def test_the_kernel_has_what_was_agreed(joined):
    """Mode, algorithm, extended numbers, encapsulation; and both see it alike."""
    state, peer = joined.state(), joined.a.peer()
    assert (peer["mode"], peer["encap"]) == (joined.mode, joined.encap)
    assert joined.alg in state, state
    assert ("esn" in state) == joined.esn, state
    assert ("espinudp" in state) == (joined.encap == "udp"), state
    assert ("mode transport" in state) == (joined.mode == "ether"), state
    for name in "replay-window", "replay", "failed":
        assert name in state
    assert f"0x{peer['spi_out']:08x}" in state and f"0x{peer['spi_in']:08x}" in state


def test_new_keys_from_either_end(joined):
    """Nothing is lost while the SAs are replaced."""
    run = joined.lab.spawn("left", "ping", "-n", "-i", "0.02", "-c", "50", "-W", "2", "-I",
                           joined.here, joined.there, name="flow")
    old = joined.a.peer()["spi_in"]
    joined.b.ctl("--rekey", "--child", "c")
    assert until(5, lambda: joined.a.peer()["spi_in"] != old), joined.b.log()[-2000:]
    old = joined.a.peer()["spi_in"]
    assert joined.a.tapir("rekey", "branches/osaka", "child").returncode == 0
    assert until(5, lambda: joined.a.peer()["spi_in"] != old), joined.a.log()
    assert run.wait(15) == 0 and " 50 received" in run.text(), run.text()[-300:]
    assert until(8, lambda: joined.b.sas().count("INSTALLED") == 1), joined.b.sas()


def test_what_is_sent_again_is_refused_at_both_ends(joined):
    """The window of the kernel and ours, and traffic goes on."""
    assert joined.ping("left", 5) == 5
    path = joined.capture.path
    within(0.3, lambda: False)
    before = joined.a.stat("esp-replay")
    for ifname in "p1", "uml0":
        sent = joined.lab.need("inet", sys.executable, TOOLS, "again", ifname, path, "20")
        assert int(sent) > 0
    assert until(3, lambda: joined.a.stat("esp-replay") > before), joined.a.log()
    windows = [int(x.split("replay ", 1)[1].split()[0]) for x in joined.state().splitlines()
               if "replay " in x and "replay-window" in x and "failed" in x]
    assert any(windows), joined.state()
    for node in "left", "right":
        assert until(3, lambda n=node: joined.ping(n, 3) == 3), node


def test_nothing_of_ours_in_clear(joined):
    """(Last: it ends the tunnel and the capture.)"""
    joined.bridge_gone()
    assert joined.a.stop() == 0, joined.a.log()
    assert until(3, lambda: "ESTABLISHED" not in joined.b.sas()), "strongSwan was not told"
    seen = wire.kinds(f for f in joined.capture.done()
                      if f[6:12] == joined.mac and not is_error(f))
    want = "udp-esp" if joined.encap == "udp" else "esp"
    assert want in seen and seen <= {want, "ike", "keepalive", "arp", "nd", "fragment"}, seen
    assert not joined.a.lines(level="ERROR"), joined.a.log()
