# SPDX-License-Identifier: Apache-2.0
"""A peer that knows nothing of us: strongSwan, both roles, each suite, both families."""
import pytest

import topo
import wire
from charon import Charon
from gateway import Gateway, realm, vpn
from lab import until

TOPOLOGY = topo.pair  # left is tapir, right strongSwan

V4 = ("192.0.2.1", "192.0.2.2")
V6 = ("2001:db8:1::1", "2001:db8:1::2")
# name: suite of tapir, IKE and ESP proposal of strongSwan, what both say is used
SUITES = {
    "gcm256": ("2026", "aes256gcm16-prfsha384-x25519", "aes256gcm16-x25519", "aes256-gcm",
               "AES_GCM_16-256"),
    "gcm128-ecp256": ("2026", "aes128gcm16-prfsha256-ecp256", "aes128gcm16", "aes128-gcm",
                      "AES_GCM_16-128"),
    "chacha": ("2026", "chacha20poly1305-prfsha256-x25519", "chacha20poly1305",
               "chacha20-poly1305", "CHACHA20_POLY1305"),
    "gcm256-ecp384": ("2026", "aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp384",
                      "aes256-gcm", "AES_GCM_16-256"),
    "cbc-sha256-modp2048": ("compat", "aes256-sha256-modp2048", "aes256-sha256", "aes256-cbc",
                            "AES_CBC-256/HMAC_SHA2_256_128"),
    "cbc-sha384-modp3072": ("compat", "aes256-sha384-modp3072", "aes256-sha384", "aes256-cbc",
                            "AES_CBC-256/HMAC_SHA2_384_192"),
    "cbc-sha512-modp2048": ("compat", "aes128-sha512-modp2048", "aes128-sha512", "aes128-cbc",
                            "AES_CBC-128/HMAC_SHA2_512_256"),
}
CASES = [(s, role, V4) for s in SUITES for role in ("initiator", "responder")]
CASES += [(s, role, V6) for s in ("gcm256", "cbc-sha256-modp2048")
          for role in ("initiator", "responder")]


def name_of(case):
    """A readable test id; the role is strongSwan's."""
    return f"{case[0]}-{case[1]}-{'ipv6' if case[2] is V6 else 'ipv4'}"


class Joined:
    """A tapir and a strongSwan, one dials the other."""

    def __init__(self, lab, case):
        self.lab = lab
        self.suite, role, (left, right) = SUITES[case[0]], case[1], case[2]
        self.capture = wire.Capture(lab, "inet", "p2", name_of(case))
        attrs = f'mode="ip" suite="{self.suite[0]}"'
        inner = '    <net local="10.1.0.0/24 fd00:1::/64" remote="10.2.0.0/24 fd00:2::/64"/>\n'
        dialled = role == "responder"
        self.a = Gateway(lab, "left", vpn(realm(
            "tokyo", "osaka", right if dialled else "", attrs, inner=inner),
            attrs='log="info"'))
        self.b = Charon(lab, "right", local=right, remote=left, local_id="osaka",
                        remote_id="tokyo", local_ts="10.2.0.0/24,fd00:2::/64",
                        remote_ts="10.1.0.0/24,fd00:1::/64", ike=self.suite[1],
                        esp=self.suite[2])
        try:
            self.b.start()
            self.a.start()
            said = "" if dialled else self.b.initiate()
            assert until(12, lambda: self.ping("left", 1)), said + self.b.log()[-3000:]
        except BaseException:
            self.stop()
            raise

    def ping(self, node, count, size=56):
        """Echoes to the other end's inner address."""
        here, there = ("10.1.0.1", "10.2.0.1") if node == "left" else ("10.2.0.1", "10.1.0.1")
        return self.lab.ping(node, there, count, size=size, source=here)

    def stop(self):
        """End both."""
        self.a.stop()
        self.b.stop()


@pytest.fixture(scope="module", params=CASES, ids=name_of)
def joined(lab, request):
    """A new pair for each case."""
    made = Joined(lab, request.param)
    yield made
    made.stop()


def test_ping_both_ways(joined):
    """Small and large, IPv4 and IPv6 inside."""
    assert joined.ping("left", 5) == 5 and joined.ping("right", 5) == 5
    assert joined.ping("left", 2, 1400) == 2 and joined.ping("right", 2, 1400) == 2
    assert joined.lab.until_ping("left", "fd00:2::1", 4, source="fd00:1::1")
    assert joined.lab.until_ping("right", "fd00:1::1", 4, source="fd00:2::1")


def test_tcp_both_ways(joined):
    """Connections from either end."""
    lab = joined.lab
    assert lab.tcp("right", "left", "10.2.0.1", source="10.1.0.1", size="1M") > 1e5
    assert lab.tcp("left", "right", "10.1.0.1", source="10.2.0.1", size="1M", port=5202) > 1e5


def test_both_agree_on_what_is_used(joined):
    """One IKE SA, one Child SA, the algorithms of the case."""
    peer, sas = joined.a.peer(), joined.b.sas()
    assert (peer["state"], peer["mode"], peer["encap"]) == ("up", "ip", "udp")
    assert peer["suite"].startswith(joined.suite[3]), peer
    assert joined.suite[4] in sas, sas
    assert sas.count("ESTABLISHED") == 1 and sas.count("INSTALLED") == 1, sas


def test_peer_rekeys_and_traffic_goes_on(joined):
    """strongSwan replaces the Child SA, then the IKE SA; then we do."""
    def spis():
        return {w for x in joined.b.sas().splitlines() if x.split()[:1] == ["in"]
                for w in x.split()[1:2]}
    for how in ("--rekey", "--child", "c"), ("--rekey", "--ike", "t"):
        old = spis(), joined.b.sas().split(",")[0]
        joined.b.ctl(*how)
        changed = (lambda: spis() != old[0]) if "--child" in how else \
            (lambda: joined.b.sas().split(",")[0] != old[1])
        assert until(5, changed), joined.b.log()[-2000:]
        assert joined.ping("left", 3) == 3 and joined.ping("right", 3) == 3
    for what, changed in ("child", lambda old: spis() != old[0]), \
            ("ike", lambda old: joined.b.sas().split(",")[0] != old[1]):
        old = spis(), joined.b.sas().split(",")[0]
        assert joined.a.tapir("rekey", "branches/osaka", what).returncode == 0
        assert until(5, lambda: changed(old)), joined.a.log()
        assert joined.ping("left", 3) == 3 and joined.ping("right", 3) == 3
    one = until(8, lambda: joined.b.sas().count("INSTALLED") == 1 and
                joined.b.sas().count("ESTABLISHED") == 1)
    assert one, joined.b.sas()


def test_nothing_in_clear(joined):
    """(Last: it ends the capture, and the tunnel by a clean end.)"""
    assert joined.a.stop() == 0, joined.a.log()
    assert until(3, lambda: "ESTABLISHED" not in joined.b.sas()), "strongSwan was not told"
    seen = wire.kinds(joined.capture.done())
    assert "udp-esp" in seen
    assert seen <= {"udp-esp", "ike", "keepalive", "arp", "nd", "fragment"}
    assert not joined.a.lines(level="ERROR"), joined.a.log()
