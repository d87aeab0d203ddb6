# SPDX-License-Identifier: Apache-2.0
"""One Ethernet between two gateways with hosts behind bridges, in every outer form."""
import pytest

import wire
from gateway import Gateway, office

# name: outer addresses of both ends, encap, workers, what the wire may carry
FORMS = {
    "udp": ("192.0.2.1", "192.0.2.2", "udp", 1, {"udp-esp"}),
    "auto": ("192.0.2.1", "192.0.2.2", "auto", 1, {"udp-esp"}),
    "esp": ("192.0.2.1", "192.0.2.2", "esp", 1, {"esp"}),
    "udp-ipv6": ("2001:db8:1::1", "2001:db8:1::2", "udp", 1, {"udp-esp"}),
    "esp-ipv6": ("2001:db8:1::1", "2001:db8:1::2", "esp", 1, {"esp"}),
    "workers": ("192.0.2.1", "192.0.2.2", "udp", 2, {"udp-esp"}),
    "workers-esp": ("192.0.2.1", "192.0.2.2", "esp", 2, {"esp"}),
}
CONTROL = {"ike", "keepalive", "arp", "nd", "fragment"}


class Joined:
    """Both gateways up in one of FORMS."""

    def __init__(self, lab, form):
        self.lab, self.form = lab, form
        _, b_addr, encap, workers, self.carries = FORMS[form]
        top = f'log="info" workers="{workers}"'
        attrs = f'bridge="br-lan" encap="{encap}"'
        self.capture = wire.Capture(lab, "inet", "p2", form)
        self.b = Gateway(lab, "gw-b", office("osaka", attrs=attrs, top=top)).start()
        self.a = Gateway(lab, "gw-a", office("tokyo", at=b_addr, attrs=attrs, top=top)).start()
        assert lab.until_ping("host-a", "10.0.0.2", 10), "no ping across within 10 s"

    def stop(self):
        """End both."""
        self.a.stop()
        self.b.stop()


@pytest.fixture(scope="module", params=list(FORMS))
def joined(lab, request):
    """Both ends up, a new pair for each form."""
    made = Joined(lab, request.param)
    yield made
    made.stop()


def test_ipv4_crosses_both_ways(joined):
    """Every echo of a few comes back."""
    assert joined.lab.ping("host-a", "10.0.0.2", 10) == 10
    assert joined.lab.ping("host-b", "10.0.0.1", 10) == 10


def test_ipv6_crosses_with_its_neighbour_discovery(joined):
    """Neighbour discovery is multicast: flooding works."""
    joined.lab.need("host-a", "ip", "-6", "neigh", "flush", "dev", "eth0")
    assert joined.lab.until_ping("host-a", "fd00::2", 5)
    assert joined.lab.ping("host-b", "fd00::1", 5) == 5


def test_arp_is_answered_by_the_far_host(joined):
    """The neighbour entry holds the far host's own address: a true Ethernet."""
    lab = joined.lab
    lab.need("host-a", "ip", "neigh", "flush", "dev", "eth0")
    assert lab.until_ping("host-a", "10.0.0.2", 5)
    far = lab.need("host-b", "cat", "/sys/class/net/eth0/address").strip()
    assert far in lab.need("host-a", "ip", "neigh", "show", "10.0.0.2")


@pytest.mark.parametrize("size", [0, 1400, 1472])
def test_sizes_up_to_a_full_frame(joined, size):
    """From nothing to a frame that makes the outer packet a fragmented one."""
    more = ("-M", "do")
    assert joined.lab.ping("host-a", "10.0.0.2", 3, size=size, more=more) == 3


def test_tcp_both_directions(joined):
    """iperf3 moves its bytes."""
    assert joined.lab.tcp("host-b", "host-a", "10.0.0.2") > 1e6
    assert joined.lab.tcp("host-b", "host-a", "10.0.0.2", reverse=True, port=5202) > 1e6


def test_status_names_form_and_traffic(joined):
    """Both ends tell the same story."""
    for gw in joined.a, joined.b:
        peer = gw.peer()
        want = "esp" if joined.carries == {"esp"} else "udp"
        assert (peer["state"], peer["mode"], peer["encap"]) == ("up", "ether", want)
        assert peer["suite"] == "aes256-gcm"
        assert {c["suite"] for c in peer["children"]} == {"aes256-gcm-iiv"}    # RFC 8750
        assert peer["rx_bytes"] > 1000 and peer["tx_bytes"] > 1000
        assert 0 <= peer["last_packet_s"] <= 3


def test_hub_learned_both_hosts(joined):
    """Each MAC is behind the port it lives at."""
    lab = joined.lab
    assert lab.until_ping("host-a", "10.0.0.2", 5)
    rows = {r["mac"]: r["port"] for r in joined.a.json("hub", "branches", "mac")["macs"]}
    near = lab.need("host-a", "cat", "/sys/class/net/eth0/address").strip()
    far = lab.need("host-b", "cat", "/sys/class/net/eth0/address").strip()
    assert rows[near] != rows[far]
    assert "osaka" in rows[far]


def test_wire_carries_only_esp(joined):
    """Outside there is IKE, ESP in the form asked for, and nothing else.  (Last.)"""
    joined.lab.ping("host-a", "10.0.0.2", 2)
    seen = wire.kinds(joined.capture.done())
    assert joined.carries <= seen
    assert seen <= joined.carries | CONTROL


def test_no_error_was_logged(joined):
    """Nothing went wrong on the way, and no worker was left out."""
    for gw in joined.a, joined.b:
        assert not gw.lines(level="ERROR"), gw.log()
        assert not gw.lines(level="WARN"), gw.log()
