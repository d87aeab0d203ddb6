# SPDX-License-Identifier: Apache-2.0
"""The hub as a switch: loops are cut, VLANs carried and filtered, addresses fixed."""
import secrets

import pytest

import topo
from gateway import Gateway, office
from lab import until

CABLE = """link add cable type veth peer name cable netns {ns}
link set cable master br-lan
"""


@pytest.fixture(scope="module")
def lab():
    """The topology, shared."""
    made = topo.sites()
    yield made
    made.close()


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
        n += sys.argv[1].encode() in s.recv(2000)
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
        assert lab.ping("host-a", "10.0.0.2", 2) == 0
        assert until(5, lambda: a.lines("a loop or a forgery")), a.log()
    finally:
        for gw in a, b:
            if gw:
                gw.stop()
