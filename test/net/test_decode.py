# SPDX-License-Identifier: Apache-2.0
"""tshark, with the keys of --key-log, finds nothing malformed in what we send."""
import os

import pytest

import wire
from gateway import Gateway, office
from lab import within

FORMS = {
    "ether-udp": ('bridge="br-lan"', "", "etherip"),
    "ether-esp": ('bridge="br-lan" encap="esp"', "", "etherip"),
    "ip-udp": ('mode="ip" address="10.{n}.0.1/24"',
               '    <net local="10.{n}.0.0/24" remote="10.{m}.0.0/24"/>\n', "icmp"),
}


@pytest.fixture(scope="module", params=list(FORMS))
def captured(lab, request):
    """A whole life on the wire: set-up, traffic, rekeys, delete.  (pcap, key file, inner)"""
    attrs, inner, proto = FORMS[request.param]
    keys = os.path.join(lab.dir, f"{request.param}.keys")
    # A train would be captured as one long datagram: let the kernel cut it before.
    for node, ifname in ("inet", "p2"), ("gw-b", "wan0"):
        lab.batch(node, f"link set {ifname} gso_max_segs 1\n")
    capture = wire.Capture(lab, "inet", "p2", request.param)
    b = Gateway(lab, "gw-b", office("osaka", "", attrs.format(n=2, m=1),
                                    inner=inner.format(n=2, m=1)))
    a = Gateway(lab, "gw-a", office("tokyo", "192.0.2.2", attrs.format(n=1, m=2),
                                    inner=inner.format(n=1, m=2)), args=["--key-log", keys])
    try:
        b.start()
        a.start()
        there = ("gw-a", "10.2.0.1") if inner else ("host-a", "10.0.0.2")
        assert lab.until_ping(*there, 10), a.log()
        for what in "child", "ike":
            assert a.tapir("rekey", "branches/osaka", what).returncode == 0
            within(0.7, lambda: False)
            assert lab.ping(*there, 3) == 3
    finally:
        a.stop()
        b.stop()
    capture.done()
    yield capture.path, keys, proto


def test_key_file_is_private(captured):
    """It is as secret as what it decrypts."""
    assert os.stat(captured[1]).st_mode & 0o077 == 0


def test_nothing_is_malformed(captured):
    """No frame, decrypted, that Wireshark calls malformed."""
    bad = wire.tshark(captured[0], "_ws.malformed || _ws.short", key_log=captured[1])
    assert bad == []


def test_ike_decrypts(captured):
    """AUTH, SA and traffic selectors are to be seen in every protected exchange."""
    types = wire.tshark(captured[0], "isakmp.exchangetype == 35", ["isakmp.typepayload"],
                        captured[1])
    assert len(types) == 2
    for line in types:
        assert {"39", "33", "44", "45"} <= set(line.split(",")), line
    rekeys = wire.tshark(captured[0], "isakmp.exchangetype == 36", ["isakmp.typepayload"],
                         captured[1])
    assert len(rekeys) == 4
    assert all("33" in line.split(",") for line in rekeys), rekeys
    deletes = wire.tshark(captured[0], "isakmp.exchangetype == 37", ["isakmp.typepayload"],
                          captured[1])
    assert any("42" in line.split(",") for line in deletes), deletes


def test_ike_integrity_is_right(captured):
    """No bad checksum in Wireshark's eyes."""
    bad = wire.tshark(captured[0], "isakmp && _ws.expert.severity >= 6291456",
                      key_log=captured[1])
    assert bad == []


def test_esp_decrypts(captured):
    """Every ESP packet opens with the exported keys and shows what it carries."""
    every = wire.tshark(captured[0], "esp", ["esp.sequence"], captured[1])
    opened = wire.tshark(captured[0], f"esp && {captured[2]}", ["esp.sequence"], captured[1])
    assert len(every) >= 12
    assert len(opened) == len(every)
    assert wire.tshark(captured[0], "esp && icmp", key_log=captured[1])


def test_without_keys_nothing_shows(captured):
    """The other way round: the capture alone tells nothing."""
    assert wire.tshark(captured[0], "icmp || etherip || icmpv6.type == 128") == []
