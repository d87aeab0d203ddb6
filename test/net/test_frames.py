# SPDX-License-Identifier: Apache-2.0
"""What a peer with keys may try: frames of every length, forged EtherIP and GRE, stacks of
tags, lies of ARP and neighbour discovery, packets outside of their selectors, fragments
that overlap.  Each has a name and is counted, memory stays, and nobody else suffers."""
import ipaddress
import os
import random
import struct

import pytest

from forge import checksum
from gateway import Gateway
from lab import Lab, until, within

FORGE = os.path.join(os.path.dirname(__file__), "forge.py")
PEERS = {"good": "192.0.2.11", "eve": "192.0.2.12", "mallory": "192.0.2.13",
         "grete": "192.0.2.14"}
ETHERIP, GRE, IP4, IP6, DUMMY = 97, 47, 4, 41, 59
GATEWAY = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" address="10.0.0.1/24 fd00::1/64" resources="off">
    <me id="gw" psk="r.psk"/>
    <peer id="good" mode="ether"/>
    <peer id="eve" mode="ether"/>
    <peer id="mallory" mode="ip"><net local="10.0.0.0/24 fd00::/64" remote="10.0.0.13"/></peer>
    <peer id="grete" mode="gre"><net local="10.0.0.0/24" remote="10.0.0.14"/></peer>
  </realm>
</vpn>
"""
PEER = """<vpn log="info">
  <realm name="r" dpd="1" dead="30" tap="tap0" mode="{mode}" address="10.0.0.{n}/24"
         resources="off">
    <me id="{me}" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1">{net}</peer>
  </realm>
</vpn>
"""
NET = '<net local="10.0.0.{n}" remote="10.0.0.0/24 fd00::/64"/>'
PSK = "one key for all of them, which a test may have"


class World:
    """A gateway, a peer that behaves, and three that do not."""

    def __init__(self):
        self.lab = lab = Lab()
        lab.add("inet", "gw", *PEERS)
        lab.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                          "link set br0 up\n")
        for node, addr in ("gw", "192.0.2.1"), *PEERS.items():
            lab.wire(node, "wan0", "inet", f"p-{node}")
            lab.batch("inet", f"link set p-{node} master br0 mtu 65535\n")
            lab.batch(node, f"addr add {addr}/24 dev wan0\nlink set wan0 mtu 65535\n")
        self.keys, self.seq = {}, {}
        self.gw = Gateway(lab, "gw", GATEWAY, {"r.psk": PSK})
        self.peer = {}
        for node, addr in PEERS.items():
            n = int(addr.rsplit(".", 1)[1])
            mode = {"mallory": "ip", "grete": "gre"}.get(node, "ether")
            net = "" if mode == "ether" else NET.format(n=n)
            self.seq[node] = 1 << 20
            self.keys[node] = os.path.join(lab.dir, f"{node}.keys")
            self.peer[node] = Gateway(lab, node, PEER.format(mode=mode, n=n, me=node, net=net),
                                      {"r.psk": PSK}, args=["--key-log", self.keys[node]])

    def start(self):
        """All up."""
        self.gw.start()
        for one in self.peer.values():
            one.start()
        assert until(12, lambda: {p["state"] for p in self.gw.json("status")["realms"][0][
            "peers"]} == {"up"}), self.gw.log()
        assert self.lab.until_ping("good", "10.0.0.1"), self.gw.log()
        self.tap = self.mac("gw")
        return self

    def mac(self, node, ifname="tap0"):
        """An interface's address, 6 bytes."""
        return bytes.fromhex(self.lab.need(
            node, "cat", f"/sys/class/net/{ifname}/address").strip().replace(":", ""))

    def send(self, node, packets):
        """Packets (next header, payload[, tail]) sealed with a peer's keys."""
        text = "".join(" ".join([str(p[0]), *(x.hex() for x in p[1:])]) + "\n" for p in packets)
        out = self.lab.run(node, "/usr/bin/python3", FORGE, self.keys[node], PEERS[node],
                           "192.0.2.1", self.seq[node], text=text, timeout=60)
        assert out.returncode == 0, out.stdout
        self.seq[node] = int(out.stdout)

    def drops(self, names):
        """Counters by name."""
        return {n: self.gw.stat(n) for n in names}

    def dropped(self, node, packets, **want):
        """Send; these counters (with _ for -) go up by exactly so much."""
        want = {k.replace("_", "-"): v for k, v in want.items()}
        want["esp-dummy"] = want.get("esp-dummy", 0) + 1
        before = self.drops(want)

        def gone():
            return {k: v - before[k] for k, v in self.drops(want).items()}
        self.send(node, [*packets, (DUMMY, b"")])      # the last one says that all were seen
        until(3, lambda: gone()["esp-dummy"] >= want["esp-dummy"])
        assert gone() == want, gone()

    def rss(self):
        """Kilobytes that the gateway's main process has in memory."""
        with open(f"/proc/{self.gw.pid('main')}/status", encoding="ascii") as f:
            return int(next(x for x in f if x.startswith("VmRSS")).split()[1])


@pytest.fixture(scope="module")
def world():
    """One for all tests; at the end it must be as healthy as at the beginning."""
    made = World()
    try:
        made.start()
        pid, rss = made.gw.pid("main"), made.rss()
        yield made
        assert made.gw.pid("main") == pid and made.rss() < rss + 32768
        assert made.lab.ping("good", "10.0.0.1", 5) == 5
        assert not made.gw.lines(level="ERROR"), made.gw.log()
    finally:
        made.lab.close()


@pytest.fixture(autouse=True)
def nobody_else_suffers(world):
    """Another peer's echoes all come back meanwhile."""
    flow = world.lab.spawn("good", "ping", "-n", "-i", "0.05", "-W", "1", "-w", "60", "10.0.0.1",
                           name="meanwhile")
    yield
    flow.popen.send_signal(2)
    flow.wait(3)
    last = [x for x in flow.text().splitlines() if "packets transmitted" in x]
    sent, got = (int(w) for w in last[0].split()[0:4:3])
    assert sent >= 3 and got >= sent - 1, last       # the last may be under way


def ether(dst, src, kind, payload, tags=()):
    """An Ethernet frame."""
    return dst + src + b"".join(tags) + struct.pack(">H", kind) + payload


def ip4(src, dst, payload=bytes(26), proto=17, ident=0, frag=0, total=None, ihl=5):
    """An IPv4 packet with a right checksum, whatever its length says."""
    head = bytearray(struct.pack(">BBHHHBBH4s4s", 0x40 | ihl, 0, 20 + len(payload)
                                 if total is None else total, ident, frag, 64, proto, 0,
                                 bytes(map(int, src.split("."))),
                                 bytes(map(int, dst.split(".")))))
    head[10:12] = struct.pack(">H", checksum(bytes(head)))
    return bytes(head) + payload


ALL = b"\xff" * 6
MINE = bytes.fromhex("0200000000e1")


def etherip(frame, head=0x3000):
    """In EtherIP."""
    return ETHERIP, struct.pack(">H", head) + frame


def test_what_is_forged_well_arrives(world):
    """Else the other tests would prove nothing."""
    before = world.gw.json("status")
    world.send("eve", [etherip(ether(ALL, MINE, 0x88b5, bytes(50)))])
    assert until(3, lambda: "02:00:00:00:00:e1" in
                 [r["mac"] for r in world.gw.json("hub", "r", "mac")["macs"]]), before
    world.dropped("mallory", [(IP4, ip4("10.0.0.13", "10.0.0.1"))] * 3, esp_selector=0,
                  esp_inner=0)


def test_forged_etherip(world):
    """Every version, every reserved bit, next header and padding (RFC 3378, RFC 4303)."""
    frame = ether(ALL, MINE, 0x88b5, bytes(50))
    heads = [v << 12 for v in range(16) if v != 3] + [0x3000 | 1 << b for b in range(12)]
    world.dropped("eve", [etherip(frame, h) for h in heads] + [(ETHERIP, b""), (ETHERIP, b"0")],
                  etherip=len(heads) + 2)
    world.dropped("eve", [(n, struct.pack(">H", 0x3000) + frame) for n in range(256)
                          if n not in (ETHERIP, DUMMY)], esp_next=254)
    world.dropped("eve", [(DUMMY, bytes(64))] * 3, esp_dummy=3)
    world.dropped("eve", [(ETHERIP, b"0\0" + frame, bytes([1, 2, 4, 3])),
                          (ETHERIP, b"0\0" + frame, bytes([255])),
                          (ETHERIP, b"", b"\x05")], esp_pad=3)


def test_frames_of_every_length(world):
    """0 to what an outer datagram holds: too short ones by name, the others pass."""
    short = [etherip(bytes(n)) for n in range(14)]
    world.dropped("eve", short, esp_inner=14)
    frame = ether(ALL, MINE, 0x88b5, b"")
    sizes = [*range(14, 80), *range(1490, 1530), 4096, 9000, 16384, 32768, 65000, 65400]
    world.dropped("eve", [etherip(frame + bytes(n - 14)) for n in sizes], esp_inner=0,
                  etherip=0, hub_runt=0)
    # each byte of a good one missing
    whole = ether(world.tap, MINE, 0x0800, ip4("10.0.0.12", "10.0.0.1"))
    world.send("eve", [etherip(whole[:n]) for n in range(14, len(whole))])


def test_sources_and_stacks_of_tags(world):
    """Group and null sources, our own address, reserved groups, tags upon tags."""
    tags = [b"\x81\x00\x00\x05"] * 40
    world.dropped("eve", [etherip(ether(ALL, bytes(6), 0x88b5, bytes(46))),
                          etherip(ether(ALL, ALL, 0x88b5, bytes(46))),
                          etherip(ether(ALL, b"\x01" + MINE[1:], 0x88b5, bytes(46))),
                          etherip(ether(ALL, world.tap, 0x88b5, bytes(46)))], hub_source=4)
    world.dropped("eve", [etherip(ether(bytes.fromhex("0180c20000%02x" % n), MINE, 0x88cc,
                                        bytes(46))) for n in range(16)], hub_linklocal=16)
    world.dropped("eve", [etherip(ether(ALL, MINE, 0x88b5, bytes(46), tags[:n]))
                          for n in range(41)] +
                  [etherip(ether(ALL, MINE, 0x88b5, bytes(46), [b"\x88\xa8\x0f\xff"]))],
                  hub_vlan=1, hub_runt=0)
    world.dropped("eve", [etherip(ALL + MINE + b"\x81\x00" + b"\0" * n) for n in range(4)],
                  hub_runt=4)


def arp(op, mac, ip, to=bytes(6), to_ip="10.0.0.1", hw=1, proto=0x800, hlen=6, plen=4):
    """An ARP message."""
    return struct.pack(">HHBBH", hw, proto, hlen, plen, op) + mac + \
        bytes(map(int, ip.split("."))) + to + bytes(map(int, to_ip.split(".")))


def test_lies_of_arp(world):
    """What is not the sender's own is not believed; malformed ones have a name."""
    other = world.mac("good")
    world.dropped("eve", [etherip(ether(ALL, MINE, 0x0806, arp(1, MINE, "10.0.0.12")[:n]))
                          for n in range(28)], hub_runt=28)
    lies = [arp(2, other, "10.0.0.77"), arp(2, ALL, "10.0.0.78"), arp(2, bytes(6), "10.0.0.79"),
            arp(1, MINE, "224.0.0.1"), arp(1, MINE, "255.255.255.255"),
            arp(1, MINE, "127.0.0.1"), arp(9, MINE, "10.0.0.80", hw=6),
            arp(1, MINE, "10.0.0.81", hlen=8)]
    world.send("eve", [etherip(ether(ALL, MINE, 0x0806, x)) for x in lies])
    rows = [r["ip"] for r in world.gw.json("hub", "r", "arp")["neighbours"]]
    for ip in "10.0.0.77", "10.0.0.78", "10.0.0.79", "224.0.0.1", "255.255.255.255", \
            "127.0.0.1", "10.0.0.81":
        assert ip not in rows, rows


def nd(kind=135, hops=255, code=0, target="fd00::77", option=b"\1\1" + MINE, bad_sum=False,
       src="fe80::e1", dst="ff02::1:ff00:77"):
    """A neighbour solicitation or advertisement."""
    a, b = (ipaddress.ip_address(x).packed for x in (src, dst))
    body = bytearray(struct.pack(">BBHI", kind, code, 0, 0) +
                     ipaddress.ip_address(target).packed + option)
    body[2:4] = struct.pack(">H", checksum(a + b + struct.pack(">II", len(body), 58) +
                                           bytes(body)) ^ bad_sum)
    return struct.pack(">IHBB", 6 << 28, len(body), 58, hops) + a + b + bytes(body)


def test_lies_of_neighbour_discovery(world):
    """RFC 4861 7.1: what a host must ignore is not learned."""
    good = ether(bytes.fromhex("3333ff000077"), MINE, 0x86dd, nd(src="fd00::70"))
    world.send("eve", [etherip(good)])
    assert until(3, lambda: "fd00::70" in [
        r["ip"] for r in world.gw.json("hub", "r", "arp")["neighbours"]])
    lies = [nd(hops=254, src="fd00::71"), nd(code=1, src="fd00::72"),
            nd(bad_sum=True, src="fd00::73"), nd(option=b"\1\0" + MINE, src="fd00::74"),
            nd(option=b"\1\2" + MINE, src="fd00::75"), nd(target="ff02::1", src="fd00::76"),
            nd(option=b"\1\1" + ALL, src="fd00::78"),
            nd(option=b"\1\1" + world.mac("good"), src="fd00::79"), nd(src="ff02::7a")]
    lies += [nd(src="fd00::7b")[:n] for n in range(40, 72)]
    world.send("eve", [etherip(ether(bytes.fromhex("3333ff000077"), MINE, 0x86dd, x))
                       for x in lies])
    within(0.3, lambda: False)
    rows = [r["ip"] for r in world.gw.json("hub", "r", "arp")["neighbours"]]
    assert not {f"fd00::{x}" for x in ("71", "72", "73", "74", "75", "76", "78", "79", "7b")} & \
        set(rows), rows
    assert "ff02::7a" not in rows


def test_packets_outside_of_their_selectors(world):
    """RFC 4301 5.2: source, destination, family; and what is not IP or lies of its length."""
    world.dropped("mallory", [
        (IP4, ip4("10.0.0.11", "10.0.0.1")), (IP4, ip4("10.0.0.1", "10.0.0.11")),
        (IP4, ip4("10.0.0.13", "10.9.0.1")), (IP4, ip4("0.0.0.0", "10.0.0.1")),
        (IP4, ip4("10.0.0.13", "224.0.0.1")), (IP4, ip4("10.0.0.13", "255.255.255.255")),
        (IP6, nd(src="fd00::1")), (IP6, nd(src="fd00::13"))], esp_selector=8)
    world.dropped("mallory", [
        (IP4, b""), (IP4, ip4("10.0.0.13", "10.0.0.1")[:19]), (IP6, ip4("10.0.0.13", "10.0.0.1")),
        (IP4, nd()), (IP4, ip4("10.0.0.13", "10.0.0.1", total=19)),
        (IP4, ip4("10.0.0.13", "10.0.0.1", total=200)),
        (IP4, ip4("10.0.0.13", "10.0.0.1", ihl=4)), (IP4, ip4("10.0.0.13", "10.0.0.1", ihl=15)),
        (IP4, b"\x54" + bytes(40)), (IP6, nd()[:39])], esp_inner=10)
    world.dropped("mallory", [(n, ip4("10.0.0.13", "10.0.0.1")) for n in range(256)
                              if n not in (IP4, IP6, DUMMY)], esp_next=253)
    world.dropped("mallory", [etherip(ether(ALL, MINE, 0x0800, bytes(46)))], esp_next=1)


def test_overlapping_fragments(world):
    """Pieces are the receiver's matter, none of ours: they pass, in any order and number."""
    pieces = []
    for ident in range(300):
        for frag in 0x2000, 0x2001, 0x2000, 0x0001, 0x1fff, 0x3fff, 0x0000:
            pieces.append((IP4, ip4("10.0.0.13", "10.0.0.1", bytes(24), ident=ident, frag=frag)))
    world.dropped("mallory", pieces, esp_inner=0, esp_selector=0)


def test_forged_gre(world):
    """Flags, versions, types, checksums, and selectors within (RFC 2784)."""
    inner = ip4("10.0.0.14", "10.0.0.1")
    world.dropped("grete", [(GRE, struct.pack(">HH", 0, 0x0800) + inner)] * 3, gre=0,
                  esp_selector=0)
    bad = [1 << b for b in (10, 11, 12, 13, 14, 0, 1, 2)]
    world.dropped("grete", [(GRE, struct.pack(">HHI", f, 0x0800, 0) + inner) for f in bad] +
                  [(GRE, bytes(n)) for n in range(4)] +
                  [(GRE, struct.pack(">HHHH", 0x8000, 0x0800, 1, 0) + inner),
                   (GRE, struct.pack(">HHH", 0x8000, 0x0800, 0))], gre=14)
    world.dropped("grete", [(GRE, struct.pack(">HH", 0, t) + inner)
                            for t in (0, 1, 0x6558, 0x88be, 0x8847, 0xffff)], gre_type=6)
    world.dropped("grete", [(GRE, struct.pack(">HH", 0, 0x86dd) + inner),
                            (GRE, struct.pack(">HH", 0, 0x0800)),
                            (GRE, struct.pack(">HH", 0, 0x0800) + inner[:30])], esp_inner=3)
    world.dropped("grete", [(GRE, struct.pack(">HH", 0, 0x0800) + ip4("10.0.0.11", "10.0.0.1"))],
                  esp_selector=1)


def test_noise_in_every_mode(world):
    """Random changes of good ones; what comes out of it is not our concern, that we live is."""
    rng = random.Random(7)
    frame = b"0\0" + ether(world.tap, MINE, 0x0800, ip4("10.0.0.12", "10.0.0.1"))
    tagged = b"0\0" + ether(ALL, MINE, 0x86dd, nd(), [b"\x81\x00\x00\x05"])
    for node, head, seeds in ("eve", ETHERIP, (frame, tagged)), \
            ("mallory", IP4, (ip4("10.0.0.13", "10.0.0.1"),)), \
            ("grete", GRE, (struct.pack(">HH", 0, 0x0800) + ip4("10.0.0.14", "10.0.0.1"),)):
        out = []
        for _ in range(800):
            data = bytearray(rng.choice(seeds))
            for _ in range(rng.choice((1, 2, 8, 30))):
                data[rng.randrange(2 if head == ETHERIP else 0, len(data))] = rng.randrange(256)
            out.append((head, bytes(data[:rng.choice((len(data), rng.randrange(len(data)))) or 1])))
        world.send(node, out)
    assert {p["state"] for p in world.gw.json("status")["realms"][0]["peers"]} == {"up"}


def test_a_flood_of_addresses(world):
    """30,000 sources by one peer: its share of the table, and no more memory."""
    rss = world.rss()
    world.send("eve", [etherip(ether(MINE, b"\x02" + struct.pack(">IB", n, 7), 0x88b5, bytes(46)))
                       for n in range(30000)])
    rows = {r["port"]: r for r in world.gw.json("hub", "r", "ports")["ports"]}
    assert 4000 < rows["eve"]["n_mac"] <= 4096, rows["eve"]
    assert world.gw.stat("hub-limit") + world.gw.stat("hub-table") >= 20000
    assert world.rss() < rss + 16384
