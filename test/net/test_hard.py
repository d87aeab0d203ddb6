# SPDX-License-Identifier: Apache-2.0
"""Hard networks: NATs on both sides, several peers behind one, shut ports, bad paths."""
import os

import pytest

import topo
from gateway import Gateway, vpn
from lab import until, within

TOPOLOGY = topo.crowd  # three NATs

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tools.py")
PSK = "of the crowd\n"
INSIDE = {"hub": "10.9.0.9", "x1": "10.9.0.1", "x2": "10.9.0.2", "y1": "10.9.0.3"}
# nobody is believed dead in the time of a test: what is noticed has another reason
PATIENT = 'dpd="300" dead="300"'
SHUT = """table ip shut {
  chain f { type filter hook forward priority 0; udp dport 500 drop; udp sport 500 drop; }
}
"""


def realm(node, peers, times):
    """One realm of a hub or client; peers: (id, at)."""
    rows = "".join(f'    <peer id="{p}"' + (f' at="{at}"' if at else "") + "/>\n"
                   for p, at in peers)
    return (f'  <realm name="crowd" address="{INSIDE[node]}/24" {times}>\n'
            f'    <me id="{node}" psk="crowd.psk"/>\n{rows}  </realm>\n')


def client(lab, node, at="192.0.2.2", times=PATIENT):
    """A gateway that dials the hub."""
    return Gateway(lab, node, vpn(realm(node, [("hub", at)], times)), {"crowd.psk": PSK})


def hub_of(lab, times=PATIENT):
    """The one that is dialled."""
    peers = [(n, None) for n in ("x1", "x2", "y1")]
    return Gateway(lab, "hub", vpn(realm("hub", peers, times)), {"crowd.psk": PSK})


@pytest.fixture(scope="module")
def crowd(lab):
    """Everybody up."""
    hub = hub_of(lab).start()
    clients = [client(lab, n).start() for n in ("x1", "x2", "y1")]
    for gw in clients:
        assert lab.until_ping(gw.node, INSIDE["hub"], 10), gw.log()
    yield hub, clients
    for gw in (*clients, hub):
        gw.stop()


def everybody(lab, seconds=5):
    """Who of all pairs cannot reach each other?"""
    return [(a, b) for a in INSIDE for b in INSIDE
            if a != b and not lab.until_ping(a, INSIDE[b], seconds)]


def test_peers_behind_one_nat_and_with_one_address(lab, crowd):
    """x1 and x2 share a NAT, x1 and y1 an address; transport mode, each for itself."""
    hub, clients = crowd
    assert everybody(lab) == []
    remotes = {p["name"]: p["remote"] for p in hub.json("status")["realms"][0]["peers"]}
    assert len(set(remotes.values())) == 3, remotes
    assert remotes["x1"].split(":")[0] == remotes["x2"].split(":")[0] == "192.0.2.1"
    assert remotes["y1"].startswith("192.0.2.3:")
    for gw in clients:
        assert gw.peer()["nat"] == "both" and gw.peer()["encap"] == "udp"
    assert {p["nat"] for p in hub.json("status")["realms"][0]["peers"]} == {"both"}


@pytest.mark.parametrize("what", ["child", "ike"])
def test_new_keys_through_both_nats(lab, crowd, what):
    """From either end."""
    hub, clients = crowd
    for gw, name in [(clients[0], "hub"), (hub, "x2"), (hub, "y1")]:
        assert gw.tapir("rekey", name, what).returncode == 0
    assert everybody(lab) == []


def test_all_return_when_the_nat_forgets_them(lab, crowd):
    """nat-x gives other ports to x1 and x2; their packets move them at the hub."""
    hub, _ = crowd
    before = {p["name"]: p["remote"] for p in hub.json("status")["realms"][0]["peers"]}
    lab.need("nat-x", "nft", "flush", "ruleset")
    lab.need("nat-x", "nft", "-f", "-", text=topo.NAT_RULES.replace(
        "masquerade;", "ip protocol udp masquerade to :40000-50000 random;"))
    lab.batch("nat-x", "link set out0 down\n")
    lab.need("nat-x", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=1",
             "net.netfilter.nf_conntrack_udp_timeout_stream=1")
    within(2.5, lambda: False)
    lab.batch("nat-x", "link set out0 up\n")
    lab.need("nat-x", "sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=30",
             "net.netfilter.nf_conntrack_udp_timeout_stream=120")
    for node in ("x1", "x2"):
        assert lab.until_ping(node, INSIDE["hub"], 10)
    assert everybody(lab) == []
    after = {p["name"]: p["remote"] for p in hub.json("status")["realms"][0]["peers"]}
    assert after["x1"] != before["x1"] and after["x2"] != before["x2"], (before, after)
    assert after["y1"] == before["y1"]


def test_all_notice_at_once_that_the_hub_was_restarted(lab, crowd):
    """RFC 6290 with several peers at one address; without it, five minutes."""
    hub, clients = crowd
    # who still waits for an answer of before may not have the last token yet
    assert until(15, lambda: {p["state"] for p in hub.json("status")["realms"][0]["peers"]} ==
                 {"up"})
    hub.kill()
    hub.start()
    for gw in clients:
        assert lab.until_ping(gw.node, INSIDE["hub"], 8), gw.log()
        assert gw.lines("proves that it lost this SA"), gw.log()
    assert everybody(lab) == []


@pytest.mark.parametrize("at, seconds", [("192.0.2.2:4500", 5), ("192.0.2.2", 30)])
def test_port_500_is_shut(lab, crowd, at, seconds):
    """4500 from the first message on: as written, or after nobody answered at 500."""
    _, clients = crowd
    clients[2].stop()
    lab.need("nat-h", "nft", "-f", "-", text=SHUT)
    gw = client(lab, "y1", at)
    try:
        gw.start()
        assert lab.until_ping("y1", INSIDE["hub"], seconds), gw.log()
        assert gw.peer()["remote"].endswith(":4500")
    finally:
        gw.stop()
        lab.need("nat-h", "nft", "delete", "table", "ip", "shut")
        clients[2] = client(lab, "y1").start()


def test_a_third_is_lost_and_the_rest_out_of_order(lab, crowd):
    """Handshake, new keys of both kinds from both ends, a restart: all of it arrives."""
    hub, clients = crowd
    clients[2].stop()
    relay = lab.spawn("nat-y", "/usr/bin/python3", TOOLS, "relay", "198.51.100.1", "192.0.2.2",
                      33, 10, 20, name="relay")
    assert until(5, lambda: "relaying" in relay.text()), relay.text()
    gw = client(lab, "y1", "198.51.100.1", 'dpd="5" dead="60"')
    try:
        gw.start()
        assert until(40, gw.is_up), gw.log()
        assert lab.until_ping("y1", INSIDE["hub"], 30), gw.log()
        for end, name in (gw, "hub"), (hub, "y1"):
            for what in "child", "ike":
                assert end.tapir("rekey", name, what).returncode == 0
        assert lab.ping("y1", INSIDE["hub"], 100) > 10
        # what is lost is repeated at least every 4 s; dead="60" is the bound
        assert until(60, gw.is_up) and not gw.lines("is down"), gw.log()
    finally:
        gw.stop()
        relay.stop()
        clients[2] = client(lab, "y1").start()
    assert lab.until_ping("y1", INSIDE["hub"], 10), clients[2].log()
