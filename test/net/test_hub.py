# SPDX-License-Identifier: Apache-2.0
"""The hub as a switch: loops are cut, VLANs carried and filtered, addresses fixed."""
import secrets

import pytest

from gateway import Gateway, office
from lab import until

CABLE = """link add cable type veth peer name cable netns {ns}
link set cable master br-lan
"""


def joined(lab, attrs="", inner=""):
    """Both gateways up."""
    attrs = f'bridge="br-lan" {attrs}'
    b = Gateway(lab, "gw-b", office("osaka", attrs=attrs)).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", attrs=attrs, inner=inner)).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10), a.log() + b.log()
    return a, b


@pytest.fixture(scope="module")
def plain(lab):
    """Both gateways with the usual settings."""
    pair = joined(lab)
    yield pair
    for gw in pair:
        gw.stop()


def ports(gw):
    """Rows of `tapir hub ports` by kind."""
    return {r["kind"]: r for r in gw.json("hub", "branches", "ports")["ports"]}


# Wait for frames with a marker and print how many there were.
LISTEN = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
end, n = time.monotonic() + float(sys.argv[2]), 0
print("ready", flush=True)
while (left := end - time.monotonic()) > 0:
    s.settimeout(left)
    try:
        n += s.recv(70000).count(sys.argv[1].encode())    # several may come as one
    except TimeoutError:
        break
print("frames", n, flush=True)
"""
SEND = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
for frame in sys.argv[1:]:
    s.send(bytes.fromhex(frame))
"""


def crossed(lab, *tags, src="host-a", dst="host-b"):
    """How many of a few broadcasts with these tags (hexadecimal) arrive."""
    mac = lab.need(src, "cat", "/sys/class/net/eth0/address").strip().replace(":", "")
    marker = "crossed-" + secrets.token_hex(6)
    frame = "ff" * 6 + mac + "".join(tags) + "88b6" + marker.encode().hex() + "00" * 30
    ear = lab.spawn(dst, "/usr/bin/python3", "-c", LISTEN, marker, 1.5, name="listen")
    assert until(5, lambda: "ready" in ear.text()), ear.text()
    lab.need(src, "/usr/bin/python3", "-c", SEND, *[frame] * 3)
    ear.wait(5)
    return int(ear.text().split()[-1])


def tagged_arp(lab, tag, ip):
    """host-b says in a VLAN that it has an address."""
    mac = lab.need("host-b", "cat", "/sys/class/net/eth0/address").strip().replace(":", "")
    lab.need("host-b", "/usr/bin/python3", "-c", SEND, "ff" * 6 + mac + tag + "0806"
             "0001080006040001" + mac + ip + "00" * 6 + ip + "00" * 18)


def test_a_trunk_crosses_and_each_vlan_has_its_addresses(lab, plain):
    """Tagged frames, once and twice, arrive whole; the tables say in which VLAN."""
    assert crossed(lab, "8100000a") == 3
    assert crossed(lab, "81000014", src="host-b", dst="host-a") == 3
    assert crossed(lab, "88a80064", "8100000a") == 3
    near = lab.need("host-a", "cat", "/sys/class/net/eth0/address").strip()
    macs = plain[0].json("hub", "branches", "mac")["macs"]
    assert {r["vlan"] for r in macs if r["mac"] == near} >= {10, 100}
    tagged_arp(lab, "8100000a", "0a0a0002")
    assert until(3, lambda: [r["vlan"] for r in
                             plain[0].json("hub", "branches", "arp")["neighbours"]
                             if r["ip"] == "10.10.0.2"] == [10])


def test_nothing_is_blocked_where_there_is_no_loop(plain):
    """Probes go round for a while and change nothing."""
    for gw in plain:
        assert not gw.lines("a loop"), gw.log()
        assert {r["state"] for r in ports(gw).values()} == {"forwarding"}


def test_a_second_path_is_cut_and_comes_back(lab, plain):
    """A cable between the two LANs closes a ring: one tunnel is blocked, named, and tried again."""
    lab.batch("gw-a", CABLE.format(ns=lab.ns("gw-b")))
    lab.batch("gw-b", "link set cable master br-lan up\n")
    lab.batch("gw-a", "link set cable up\n")
    lab.run("host-a", "ping", "-c1", "-W1", "10.0.0.99")    # a broadcast to go round
    assert until(15, lambda: any(gw.lines("is blocked") for gw in plain)), plain[0].log()
    assert any(ports(gw)["ether"]["state"] == "blocked" for gw in plain)
    assert {ports(gw)["tap"]["state"] for gw in plain} == {"forwarding"}
    # By the cable, once bridges and hosts noticed: a host asks again after some seconds.
    assert lab.until_ping("host-a", "10.0.0.2", 40)
    rx = [ports(gw)["tap"]["rx_packets"] for gw in plain]
    assert lab.ping("host-a", "10.0.0.2", 5) == 5
    for gw, before in zip(plain, rx):
        assert ports(gw)["tap"]["rx_packets"] - before < 2000, "a storm goes on"
    lab.batch("gw-a", "link del cable\n")
    assert until(60, lambda: all(ports(gw)["ether"]["state"] == "forwarding" for gw in plain))
    assert lab.until_ping("host-a", "10.0.0.2", 10)


def test_vlans_are_filtered(lab, plain):
    """Only what the port permits crosses; the rest is a named drop."""
    for gw in plain:
        gw.stop()
    a, b = joined(lab, 'vlans="10"')
    try:
        assert crossed(lab, "8100000a") == 3
        assert crossed(lab, "81000014") == 0
        assert crossed(lab, "88a80014", "8100000a") == 0
        assert a.stat("hub-vlan") == 6
    finally:
        a.stop()
        b.stop()


def test_a_static_address_elsewhere_is_refused(lab):
    """An address of host-a's side is not believed from the tunnel, and the other way round."""
    far = lab.need("host-b", "cat", "/sys/class/net/eth0/address").strip()
    a = b = None
    try:
        b = Gateway(lab, "gw-b", office("osaka")).start()
        a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2",
                                        inner=f'    <static mac="{far}"/>\n')).start()
        assert until(10, lambda: a.peer()["state"] == "up")
        lab.need("host-a", "ip", "neigh", "flush", "dev", "eth0")    # it asks all
        assert lab.ping("host-a", "10.0.0.2", 2) == 0
        assert lab.ping("host-b", "10.0.0.1", 2) == 0
        assert until(5, lambda: a.lines("a loop or a forgery")), a.log()
    finally:
        for gw in a, b:
            if gw:
                gw.stop()


# ---- multicast ----------------------------------------------------------------

JOIN = """
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
             socket.inet_aton(sys.argv[1]) + socket.inet_aton(sys.argv[2]))
print("ready", flush=True)
time.sleep(60)
"""


def checksum(data):
    """RFC 1071."""
    total = sum(int.from_bytes(data[i:i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return (~total & 0xffff).to_bytes(2, "big")


def query(lab, host, ip):
    """A general query of IGMPv2 from a host, as a router sends it; its MAC address."""
    mac = lab.need(host, "cat", "/sys/class/net/eth0/address").strip().replace(":", "")
    msg = bytearray(bytes.fromhex("1114000000000000"))
    msg[2:4] = checksum(msg)
    head = bytearray(bytes.fromhex("46c0002000000000010200000a000000e000000194040000"))
    head[12:16] = bytes(map(int, ip.split(".")))
    head[10:12] = checksum(head)
    lab.need(host, "/usr/bin/python3", "-c", SEND,
             "01005e000001" + mac + "0800" + head.hex() + msg.hex() + "00" * 14)
    return mac


def stream(lab, group):
    """How many of three datagrams from host-a to a group reach host-b's wire."""
    marker = "stream-" + secrets.token_hex(6)
    ear = lab.spawn("host-b", "/usr/bin/python3", "-c", LISTEN, marker, 1.5, name="listen")
    assert until(5, lambda: "ready" in ear.text()), ear.text()
    lab.need("host-a", "/usr/bin/python3", "-c",
             "import socket, sys\n"
             "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
             "s.setsockopt(0, socket.IP_MULTICAST_IF, socket.inet_aton('10.0.0.1'))\n"
             "for i in range(3): s.sendto(sys.argv[2].encode(), (sys.argv[1], 5000))\n",
             group, marker)
    ear.wait(5)
    return int(ear.text().split()[-1])


def test_multicast_goes_to_listeners_once_somebody_asks(lab):
    """Everywhere without a querier; with one, only groups that somebody joined."""
    a, b = joined(lab, 'multicast="strict"')
    try:
        assert stream(lab, "239.1.1.1") == 3 and stream(lab, "239.1.1.2") == 3
        ear = lab.spawn("host-b", "/usr/bin/python3", "-c", JOIN, "239.1.1.1", "10.0.0.2",
                        name="join")
        assert until(5, lambda: "ready" in ear.text()), ear.text()
        query(lab, "host-a", "10.0.0.1")
        assert until(5, lambda: "239.1.1.1" in
                     {g["ip"] for g in a.json("hub", "branches", "groups")["groups"]})
        rows = b.json("hub", "branches", "groups")["groups"]
        assert [r["port"] for r in rows if r["kind"] == "router4"] == ["tokyo"]
        assert until(40, lambda: stream(lab, "239.1.1.2") == 0)
        assert stream(lab, "239.1.1.1") == 3
        assert stream(lab, "224.0.0.200") == 3
        assert a.stat("hub-nolistener") >= 3
        ear.stop()
    finally:
        a.stop()
        b.stop()


# ---- three offices --------------------------------------------------------------

def third(lab):
    """A third office, nagoya, at gw-c: host-c has 10.0.0.3."""
    lab.add("gw-c", "host-c")
    lab.wire("gw-c", "wan0", "inet", "p3")
    lab.batch("inet", "link set p3 master br0\n")
    lab.batch("gw-c", "addr add 192.0.2.3/24 dev wan0\n")
    lab.wire("host-c", "eth0", "gw-c", "lan0")
    lab.batch("gw-c", "link add br-lan type bridge forward_delay 0 mcast_snooping 0\n"
                      "link set lan0 master br-lan\nlink set br-lan up\n")
    lab.batch("host-c", "addr add 10.0.0.3/24 dev eth0\n")


def centre(isolate):
    """osaka, to which tokyo and nagoya come."""
    return ('<vpn log="info"><realm name="branches" dpd="1" dead="3" bridge="br-lan"'
            f' isolate="{isolate}"><me id="osaka" psk="branches.psk"/>'
            '<peer id="tokyo"/><peer id="nagoya"/></realm></vpn>')


def branch(me):
    """An office of that centre."""
    return ('<vpn log="info"><realm name="branches" dpd="1" dead="3" bridge="br-lan">'
            f'<me id="{me}" psk="branches.psk"/><peer id="osaka" at="192.0.2.2"/></realm></vpn>')


def test_branches_reach_each_other_unless_they_are_isolated(lab):
    """Mesh through the centre; with isolate the centre alone."""
    third(lab)
    running = []
    try:
        for isolate, across in ("no", 3), ("yes", 0):
            running = [Gateway(lab, "gw-b", centre(isolate)).start(),
                       Gateway(lab, "gw-a", branch("tokyo")).start(),
                       Gateway(lab, "gw-c", branch("nagoya")).start()]
            assert lab.until_ping("host-a", "10.0.0.2", 10)
            assert lab.until_ping("host-c", "10.0.0.2", 10)
            assert lab.ping("host-a", "10.0.0.3", 3) == across
            rows = running[0].json("hub", "branches", "ports")["ports"]
            assert {r["isolated"] for r in rows if r["kind"] == "ether"} == {isolate == "yes"}
            for gw in running:
                gw.stop()
    finally:
        for gw in running:
            gw.stop()
