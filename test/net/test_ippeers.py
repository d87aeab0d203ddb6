# SPDX-License-Identifier: Apache-2.0
"""Peers in IP mode and peers with Ethernet in one realm: one gateway, a strongSwan and a
tapir that have one address each, a tapir with EtherIP; and hosts behind a bridge."""
import json
import socket
import struct

import pytest

import forge
import wire
from charon import Charon
from gateway import Gateway
from lab import Lab, until

# node: identity, outer address, inner addresses
PEERS = {"swan": ("swan", "192.0.2.11", "10.0.0.11", "fd00::11"),
         "laptop": ("laptop", "192.0.2.12", "10.0.0.12", "fd00::12"),
         "branch": ("branch", "192.0.2.13", "10.0.0.13", "fd00::13")}
GATEWAY = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" {attrs}>
    <me id="gw" psk="r.psk"/>
    <peer id="swan" mode="ip"><net local="10.0.0.0/24 fd00::/64"
      remote="10.0.0.11 fd00::11"/></peer>
    <peer id="laptop" mode="ip"><net local="10.0.0.0/24 fd00::/64 10.7.0.0/24"
      remote="10.0.0.12 fd00::12"/></peer>
    <peer id="branch" mode="ether"/>
  </realm>
</vpn>
"""
LAPTOP = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" address="10.0.0.12/32 fd00::12/128">
    <me id="laptop" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1"><net local="10.0.0.12 fd00::12"
      remote="10.0.0.0/24 fd00::/64 10.7.0.0/24"/></peer>
  </realm>
</vpn>
"""
BRANCH = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ether" address="10.0.0.13/24 fd00::13/64">
    <me id="branch" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1"/>
  </realm>
</vpn>
"""
PSK = "one key for all of them, which a test may have"
PYTHON = "/usr/bin/python3"
# frames of standard input out of the interface of the first word
SEND = ("import socket,sys;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);"
        "s.bind((sys.argv[1],0));[s.send(bytes.fromhex(x)) for x in sys.stdin.read().split()]")


@pytest.fixture(scope="module")
def lab():
    """gw and its peers around a bridge; host behind gw."""
    made = Lab()
    try:
        made.add("inet", "gw", "host", *PEERS)
        made.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set br0 up\n")
        outer = {"gw": "192.0.2.1", **{n: p[1] for n, p in PEERS.items()}}
        for node, addr in outer.items():
            made.wire(node, "wan0", "inet", f"p-{node}")
            made.batch("inet", f"link set p-{node} master br0\n")
            made.batch(node, f"addr add {addr}/24 dev wan0\n")
        made.batch("swan", "addr add 10.0.0.11/32 dev lo\naddr add fd00::11/128 dev lo\n")
        made.wire("host", "eth0", "gw", "lan0")
        made.batch("host", "addr add 10.0.0.2/24 dev eth0\naddr add fd00::2/64 dev eth0 nodad\n")
        made.batch("gw", "link add br-lan type bridge forward_delay 0 mcast_snooping 0\n"
                         "link set lan0 master br-lan\nlink set br-lan up\n")
        yield made
    finally:
        made.close()


class Realm:
    """All of them up."""

    def __init__(self, lab, attrs):
        self.lab = lab
        self.gw = Gateway(lab, "gw", GATEWAY.format(attrs=attrs), {"r.psk": PSK})
        self.laptop = Gateway(lab, "laptop", LAPTOP, {"r.psk": PSK})
        self.branch = Gateway(lab, "branch", BRANCH, {"r.psk": PSK})
        self.swan = Charon(lab, "swan", local="192.0.2.11", remote="192.0.2.1", local_id="swan",
                           remote_id="gw", local_ts="10.0.0.11/32,fd00::11/128",
                           remote_ts="10.0.0.0/24,fd00::/64", psk=PSK)
        try:
            for one in self.gw, self.swan, self.laptop, self.branch:
                one.start()
            said = self.swan.initiate()
            assert until(12, lambda: {p["state"] for p in self.peers().values()} == {"up"}), \
                said + self.gw.log()
        except BaseException:
            self.stop()
            raise

    def peers(self):
        """Rows of status by name."""
        return {p["name"]: p for p in self.gw.json("status")["realms"][0]["peers"]}

    def macs(self):
        """Pseudo addresses of the peers in IP mode."""
        rows = self.gw.json("hub", "r", "ports")["ports"]
        return {r["port"]: r["mac"] for r in rows if r["kind"] == "ip"}

    def reach(self, node, to, source=None):
        """Do two echoes in a row come back, at the latest after a while?"""
        return self.lab.until_ping(node, to, 5, source=source) and \
            self.lab.ping(node, to, 2, source=source) == 2

    def missing(self, nodes, six=False):
        """Pairs of nodes (name: source address or None, address) without echo."""
        at = 3 if six else 2
        nodes = {**{n: (p[at] if n == "swan" else None, p[at]) for n, p in PEERS.items()},
                 **nodes}
        return [(a, b) for a, (source, _) in nodes.items() for b, (_, to) in nodes.items()
                if a != b and not self.reach(a, to, source)]

    def stop(self):
        """End all."""
        for one in self.laptop, self.branch, self.swan, self.gw:
            one.stop()


@pytest.fixture(scope="module")
def routed(lab):
    """The gateway has an address in the network; its kernel forwards nothing."""
    lab.need("gw", "sysctl", "-qw", "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0")
    made = Realm(lab, 'address="10.0.0.1/24 fd00::1/64"')
    yield made
    made.stop()


def test_all_reach_each_other(routed):
    """IP to IP, IP to Ethernet and back, each of them and the gateway; without routing."""
    modes = {n: p["mode"] for n, p in routed.peers().items()}
    assert modes == {"swan": "ip", "laptop": "ip", "branch": "ether"}
    assert routed.missing({"gw": (None, "10.0.0.1")}) == []
    assert routed.missing({"gw": (None, "fd00::1")}, six=True) == []


def test_beyond_the_realm_the_kernel_routes(lab, routed):
    """A host in another network of the gateway's, once its kernel forwards."""
    lab.batch("gw", "addr add 10.7.0.1/24 dev br-lan\n")
    lab.batch("host", "addr add 10.7.0.2/24 dev eth0\nroute add 10.0.0.12 via 10.7.0.1\n")
    try:
        assert lab.ping("laptop", "10.7.0.2") == 0
        lab.need("gw", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        assert lab.until_ping("laptop", "10.7.0.2", 5), routed.gw.log()
    finally:
        lab.need("gw", "sysctl", "-qw", "net.ipv4.ip_forward=0")
        lab.batch("host", "route del 10.0.0.12\naddr del 10.7.0.2/24 dev eth0\n")
        lab.batch("gw", "addr del 10.7.0.1/24 dev br-lan\n")


def test_arp_and_nd_give_the_pseudo_address(routed):
    """What branch believes of the peers in IP mode."""
    neigh = json.loads(routed.lab.need("branch", "ip", "-j", "neigh", "show", "dev", "tap0"))
    seen = {n["dst"]: n.get("lladdr") for n in neigh}
    macs = routed.macs()
    said = {n["ip"]: (n["mac"], n["port"]) for n in
            routed.gw.json("hub", "r", "arp")["neighbours"] if n["static"]}
    for name, at in ("swan", 2), ("swan", 3), ("laptop", 2), ("laptop", 3):
        assert seen[PEERS[name][at]] == macs[name], (seen, macs)
        assert said[PEERS[name][at]] == (macs[name], name), said
    # an address nobody has: no answer, and nothing that waits for ever
    assert routed.lab.ping("branch", "10.0.0.99") == 0
    before = routed.gw.stat("hub-noneigh")
    assert routed.lab.ping("laptop", "10.0.0.99", 3) == 0
    assert until(5, lambda: routed.gw.stat("hub-noneigh") >= before + 3)


def altered(frame, seq_add=0, n=None, flip=False, source=None, spi=None):
    """A copy of a frame with ESP over IPv4: another number, length, last byte, sender or SPI."""
    out = bytearray(frame)
    at = 34 + (8 if out[23] == 17 else 0)
    if spi is not None:
        struct.pack_into(">I", out, at, spi)
    struct.pack_into(">I", out, at + 4, struct.unpack_from(">I", out, at + 4)[0] + seq_add)
    if flip:
        out[-1] ^= 1
    if source:
        out[26:30] = socket.inet_aton(source)
    if n is not None:
        del out[at + n:]
        struct.pack_into(">H", out, 16, len(out) - 14)
        if out[23] == 17:
            struct.pack_into(">H", out, 38, len(out) - 34)
    out[24:26] = bytes(2)
    struct.pack_into(">H", out, 24, forge.checksum(bytes(out[14:34])))
    if out[23] == 17:
        out[40:42] = bytes(2)       # no checksum
    return bytes(out)


@pytest.mark.parametrize("name", ["branch", "laptop", "swan"])
def test_drops_are_told_at_the_peer_whose_sa_it_was(routed, name):
    """Repeated, forged and cut ESP, from its address and from another; nobody else's counter."""
    lab, gw = routed.lab, routed.gw
    source = PEERS[name][2] if name == "swan" else None
    capture = wire.Capture(lab, "inet", f"p-{name}")
    assert lab.ping(name, "10.0.0.1", 3, source=source) == 3
    mine = [f for f in capture.done() if wire.kind(f) in ("esp", "udp-esp") and
            f[26:30] == socket.inet_aton(PEERS[name][1])]
    assert len(mine) >= 3

    def counted():
        doc = gw.json("stats", "--all")
        of = {(r["realm"], r["peer"], r["name"]): r["value"] for r in doc["peer_drops"]}
        return of | {r["name"]: r["value"] for r in doc["drops"]}
    before, rx = counted(), routed.peers()[name]["rx_packets"]
    other = "192.0.2.66"
    send = [f for sender in (None, other) for f in (
        *(altered(f, source=sender) for f in mine[:3]),                         # esp-replay
        *(altered(f, 1000, flip=True, source=sender) for f in mine[:2]),        # esp-icv
        altered(mine[0], 1000, n=20, source=sender),                            # esp-runt
        *(altered(mine[0], spi=0x7fffff41, source=sender) for _ in range(4)))]  # nobody's
    lab.need("inet", PYTHON, "-c", SEND, "p-gw", text="\n".join(f.hex() for f in send))
    want = {("r", name, "esp-replay"): 6, ("r", name, "esp-icv"): 4, ("r", name, "esp-runt"): 2,
            "esp-replay": 6, "esp-icv": 4, "esp-runt": 2, "esp-spi": 8}

    def new():
        return {k: v - before.get(k, 0) for k, v in counted().items() if v > before.get(k, 0)}
    assert until(3, lambda: new().items() >= want.items()), new()
    told = {k: v for k, v in new().items() if isinstance(k, tuple)}
    assert told == {k: v for k, v in want.items() if isinstance(k, tuple)}
    assert routed.peers()[name]["rx_packets"] - rx < 3      # none of them; neighbours ask
    assert routed.peers()[name]["remote"].startswith(PEERS[name][1]), "a forger moved the peer"
    rows = [x.split(None, 3) for x in gw.tapir("stats").stdout.splitlines()]
    assert ["r/" + name, "esp-icv", str(counted()["r", name, "esp-icv"]),
            "ESP integrity check failed"] in rows
    assert lab.ping(name, "10.0.0.1", 3, source=source) == 3


def test_duplicate_addresses_are_noticed(routed):
    """branch must not take an address that is a peer's; it may take a free one."""
    lab = routed.lab
    lab.batch("branch", "addr add fd00::12/64 dev tap0\naddr add fd00::77/64 dev tap0\n")

    def flags(addr):
        return [f for a in json.loads(lab.need("branch", "ip", "-j", "addr", "show", "tap0"))
                for i in a["addr_info"] if i["local"] == addr for f in i if i[f] is True]
    try:
        assert until(4, lambda: "dadfailed" in flags("fd00::12")), flags("fd00::12")
        assert until(4, lambda: "tentative" not in flags("fd00::77"))
        assert "dadfailed" not in flags("fd00::77")
    finally:
        lab.batch("branch", "addr del fd00::12/64 dev tap0\naddr del fd00::77/64 dev tap0\n")
    assert routed.reach("gw", "fd00::12")


def test_pseudo_addresses_stay_when_peers_come_back(routed):
    """In another order, too, and when the gateway was away; and traffic goes on."""
    before = routed.macs()
    assert len(set(before.values())) == 2
    routed.laptop.stop()
    routed.swan.stop()
    assert until(5, lambda: not routed.macs()), routed.macs()
    routed.laptop.start()
    routed.swan.start()
    routed.swan.initiate()
    assert until(10, lambda: len(routed.macs()) == 2), routed.gw.log()
    assert routed.macs() == before
    assert routed.reach("branch", "10.0.0.12") and routed.reach("branch", "10.0.0.11")
    routed.gw.stop()
    routed.gw.start()
    assert until(15, lambda: "laptop" in routed.macs()), routed.gw.log()
    assert routed.macs()["laptop"] == before["laptop"]
    routed.swan.initiate()
    assert until(10, lambda: routed.macs() == before), (routed.macs(), routed.swan.sas())


def test_the_same_in_a_bridge(lab, routed):
    """A host behind the gateway's bridge, which has no address in the network."""
    routed.stop()
    made = Realm(lab, 'bridge="br-lan"')
    try:
        assert made.missing({"host": (None, "10.0.0.2")}) == []
        assert made.missing({"host": (None, "fd00::2")}, six=True) == []
    finally:
        made.stop()
