# SPDX-License-Identifier: Apache-2.0
"""Bridges of the system: made by brctl and by ip, late, gone and back; what crosses them."""
import os

import pytest

from gateway import Gateway, Offices, office
from lab import until

MAKE = {
    "ip": (("ip", "link", "add", "br-lan", "type", "bridge", "forward_delay", "0"),
           ("ip", "link", "set", "lan0", "master", "br-lan"),
           ("ip", "link", "set", "br-lan", "up")),
    "brctl": (("brctl", "addbr", "br-lan"), ("brctl", "setfd", "br-lan", "0"),
              ("brctl", "addif", "br-lan", "lan0"),
              ("ip", "link", "set", "br-lan", "up")),
}
REMOVE = {
    "ip": (("ip", "link", "del", "br-lan"),),
    "brctl": (("ip", "link", "set", "br-lan", "down"), ("brctl", "delif", "br-lan", "lan0"),
              ("brctl", "delbr", "br-lan")),
}


def do(lab, node, commands):
    """A few commands that must succeed."""
    for words in commands:
        lab.need(node, *words)


def realm_state(gw):
    """State and reason of the first realm, as status says it."""
    r = gw.json("status")["realms"][0]
    return r["state"], r.get("why", "")


@pytest.mark.parametrize("tool", list(MAKE))
def test_a_bridge_may_come_late_and_come_back(lab, tool):
    """The realm waits with words, joins by itself, and again after the bridge was made anew."""
    do(lab, "gw-a", REMOVE[tool])
    b = Gateway(lab, "gw-b", office("osaka")).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2")).start()
    try:
        for again in False, True:
            assert until(5, lambda: realm_state(a)[0] == "waiting"), a.log()
            assert "br-lan does not exist" in realm_state(a)[1]
            assert "waiting" in a.tapir("status").stdout or "does not exist" in \
                a.tapir("status").stdout
            assert until(5, a.is_up)                 # the tunnel does not wait
            assert ",UP" not in lab.need("gw-a", "ip", "link", "show", "tap-branches")
            do(lab, "gw-a", MAKE[tool])
            assert lab.until_ping("host-a", "10.0.0.2", 5), a.log()
            assert realm_state(a) == ("up", "")
            assert len(a.lines("has joined bridge br-lan")) == 1 + again
            assert len(a.lines("realm branches waits")) == 1 + again
            if not again:
                do(lab, "gw-a", REMOVE[tool])
        do(lab, "gw-a", REMOVE[tool] + MAKE[tool])   # faster than anybody looks
        assert lab.until_ping("host-a", "10.0.0.2", 5), a.log()
    finally:
        a.stop()
        b.stop()


# ---- what people have on a LAN ---------------------------------------------------

@pytest.fixture(scope="module")
def joined(lab):
    """Both gateways up in their bridges."""
    pair = Offices(lab, "192.0.2.2")
    yield pair
    pair.stop()


# What udhcpc tells: the lease and where to boot from.
LEASE = """#!/bin/sh
[ "$1" = bound ] && echo "lease $ip from $serverid boot $bootfile$boot_file at $siaddr"
exit 0
"""
BOOT = os.urandom(300000)


@pytest.fixture(scope="module")
def boot_server(lab, joined):
    """DHCP, router advertisements and TFTP at host-a."""
    root = lab.mkdir("tftp")
    os.chmod(root, 0o755)
    with open(os.path.join(root, "pxelinux.0"), "wb") as f:
        f.write(BOOT)
    proc = lab.spawn(
        "host-a", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
        "--user=root", "--no-ping", "--interface=eth0", "--bind-interfaces", "--log-facility=-",
        "--dhcp-range=10.0.0.100,10.0.0.150,5m", "--dhcp-boot=pxelinux.0",
        "--dhcp-range=fd00:77::,ra-only", "--enable-ra", f"--dhcp-leasefile={root}/leases",
        "--enable-tftp", f"--tftp-root={root}", "--tftp-mtu=9000", "--ra-param=eth0,4,60")
    yield proc
    proc.stop()


def test_dhcp_crosses_and_says_where_to_boot(lab, boot_server):
    """A whole exchange of four messages, before the client has an address."""
    script = os.path.join(lab.dir, "lease.sh")
    with open(os.open(script, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as f:
        f.write(LEASE)
    out = lab.need("host-b", "busybox", "udhcpc", "-f", "-n", "-q", "-i", "eth0", "-s", script,
                   "-O", "bootfile", "-t", "8", "-T", "1")
    assert "lease 10.0.0.1" in out and "boot pxelinux.0" in out, out + boot_server.text()


@pytest.mark.parametrize("size", [512, 1468, 8192])
def test_pxe_fetches_its_file_in_blocks_of_any_size(lab, boot_server, size):
    """TFTP as boot loaders do it; 8192 bytes are six IP fragments each."""
    del boot_server
    lab.need("host-b", "busybox", "tftp", "-g", "-b", size, "-r", "pxelinux.0",
             "-l", f"{lab.dir}/got", "10.0.0.1")
    with open(f"{lab.dir}/got", "rb") as f:
        assert f.read() == BOOT


def test_router_advertisements_cross(lab, boot_server):
    """A host of the far office makes itself an address of the advertised prefix."""
    lab.batch("host-a", "addr add fd00:77::1/64 dev eth0 nodad\n")
    lab.need("host-b", "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2")
    lab.batch("host-b", "link set eth0 down\nlink set eth0 up\n")    # it solicits
    assert until(15, lambda: "fd00:77::" in lab.need("host-b", "ip", "-6", "addr", "show",
                                                     "dev", "eth0")), boot_server.text()
    lab.batch("host-b", "addr replace fd00::2/64 dev eth0 nodad\n")


# Answer discovery: mDNS by multicast of both families, NetBIOS by broadcast.
ANSWER = """
import select, socket, struct, sys
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
four.bind(("", 5353))
four.setsockopt(0, socket.IP_ADD_MEMBERSHIP,
                socket.inet_aton("224.0.0.251") + socket.inet_aton("10.0.0.2"))
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
six.setsockopt(41, socket.IPV6_V6ONLY, 1)
six.bind(("::", 5353))
nic = socket.if_nametoindex("eth0")
six.setsockopt(41, socket.IPV6_JOIN_GROUP,
               socket.inet_pton(socket.AF_INET6, "ff02::fb") + struct.pack("@I", nic))
bios = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
bios.bind(("", 137))
print("ready", flush=True)
while True:
    for s in select.select([four, six, bios], [], [])[0]:
        data, who = s.recvfrom(9000)
        s.sendto(b"answer to " + data, who)
"""
ASK = """
import socket, sys
family, to, port = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, sys.argv[1], sys.argv[2]
s = socket.socket(family, socket.SOCK_DGRAM)
if family == socket.AF_INET:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    s.setsockopt(0, socket.IP_MULTICAST_IF, socket.inet_aton("10.0.0.1"))
s.settimeout(0.5)
for i in range(10):
    s.sendto(b"who is there", (to, int(port), 0, socket.if_nametoindex("eth0"))
             if family == socket.AF_INET6 else (to, int(port)))
    try:
        print(s.recv(9000).decode())
        break
    except TimeoutError:
        pass
"""


@pytest.fixture(scope="module")
def answerer(lab, joined):
    """host-b answers what looks for services."""
    del joined
    proc = lab.spawn("host-b", "/usr/bin/python3", "-c", ANSWER, name="answer")
    assert until(5, lambda: "ready" in proc.text()), proc.text()
    yield proc
    proc.stop()


@pytest.mark.parametrize("to,port", [("224.0.0.251", 5353), ("ff02::fb", 5353),
                                     ("10.0.0.255", 137)],
                         ids=["mdns", "mdns6", "netbios"])
def test_services_are_found_across(lab, answerer, to, port):
    """The question reaches every host, the answer comes back."""
    out = lab.need("host-a", "/usr/bin/python3", "-c", ASK, to, port)
    assert "answer to who is there" in out, answerer.text()


def test_a_bridge_learns_who_is_behind_the_tunnel(lab, joined):
    """The bridge's own table has the far host at the TAP: what brctl shows is true."""
    assert lab.ping("host-a", "10.0.0.2", 2) == 2
    far = lab.need("host-b", "cat", "/sys/class/net/eth0/address").strip()
    assert joined.a.json("status")["realms"][0]["bridge"] == "br-lan"
    assert f"{far} dev tap-branches" in lab.need("gw-a", "bridge", "fdb", "show", "br", "br-lan")
    assert far in lab.need("gw-a", "brctl", "showmacs", "br-lan")
    assert "tap-branches" in lab.need("gw-a", "brctl", "show", "br-lan")


# ---- settings of a bridge ----------------------------------------------------------

def mac_of(lab, node, link="eth0"):
    """An interface's Ethernet address."""
    return lab.need(node, "cat", f"/sys/class/net/{link}/address").strip()


def test_a_trunk_crosses_bridges_that_filter_vlans(lab, joined):
    """Hosts in VLANs 10 and 20; bridges let 10 into the tunnel and 20 not."""
    del joined
    if lab.run("gw-a", "ip", "link", "set", "br-lan", "type", "bridge", "vlan_filtering",
               "1").returncode or lab.run("host-a", "ip", "link", "add", "link", "eth0", "name",
                                          "v9", "type", "vlan", "id", "9").returncode:
        pytest.skip("this kernel has no VLANs (CONFIG_BRIDGE_VLAN_FILTERING, VLAN_8021Q)")
    lab.batch("host-a", "link del v9\n")
    for n, side in (1, "a"), (2, "b"):
        lab.batch(f"gw-{side}", "link set br-lan type bridge vlan_filtering 1\n")
        for link, vids in ("lan0", (10, 20)), ("tap-branches", (10,)):
            for vid in vids:
                lab.need(f"gw-{side}", "bridge", "vlan", "add", "dev", link, "vid", vid)
        for vid in 10, 20:
            lab.batch(f"host-{side}",
                      f"link add link eth0 name v{vid} type vlan id {vid}\n"
                      f"addr add 10.0.{vid}.{n}/24 dev v{vid}\nlink set v{vid} up\n")
    try:
        assert lab.until_ping("host-a", "10.0.10.2", 5)
        assert lab.ping("host-a", "10.0.20.2", 2) == 0
        assert lab.ping("host-a", "10.0.0.2", 2) == 2       # untagged: VLAN 1 of the bridges
    finally:
        for side in "ab":
            lab.batch(f"host-{side}", "link del v10\nlink del v20\n")
            lab.batch(f"gw-{side}", "link set br-lan type bridge vlan_filtering 0\n")


def test_jumbo_frames_cross_whole(lab, joined):
    """mtu="9000": what the LANs can do between themselves they can do across."""
    joined.stop()
    pair = None
    size = (("host-a", "eth0"), ("host-b", "eth0"), ("gw-a", "lan0"), ("gw-b", "lan0"),
            ("gw-a", "br-lan"), ("gw-b", "br-lan"))
    try:
        for node, link in size:
            lab.batch(node, f"link set {link} mtu 9000\n")
        pair = Offices(lab, "192.0.2.2", 'mtu="9000"')
        assert "mtu 9000" in lab.need("gw-a", "ip", "link", "show", "tap-branches")
        for to, most in ("10.0.0.2", 8972), ("fd00::2", 8952):
            assert lab.until_ping("host-a", to, 5)
            assert lab.ping("host-a", to, 3, size=most, more=("-M", "do")) == 3
        assert lab.tcp("host-b", "host-a", "10.0.0.2") > 1e6
    finally:
        if pair:
            pair.stop()
        for node, link in reversed(size):
            lab.batch(node, f"link set {link} mtu 1500\n")


# ---- spanning tree ------------------------------------------------------------------

STP = ("forward_delay", "200", "hello_time", "100", "max_age", "600")
CABLE = "link add cable type veth peer name cable netns {ns}\nlink set cable master br-lan\n"


def port_states(lab, node):
    """What the bridge of a gateway does with each of its ports."""
    out = {}
    for line in lab.need(node, "bridge", "link", "show").splitlines():
        words = line.split()
        out[words[1].rstrip(":").split("@")[0]] = words[words.index("state") + 1]
    return out


@pytest.fixture(scope="module")
def ring(lab):
    """Both LANs with spanning tree, joined by a cable as well; the hub does nothing."""
    pair = None
    for side in "ab":
        lab.need(f"gw-{side}", "ip", "link", "set", "br-lan", "type", "bridge", *STP,
                 "stp_state", "1")
    try:
        pair = Offices(lab, "192.0.2.2", 'stp="pass" loop="off"')
        lab.batch("gw-a", CABLE.format(ns=lab.ns("gw-b")))
        lab.batch("gw-b", "link set cable master br-lan\n")
        for side in "ab":                          # the cable is the better way
            lab.need(f"gw-{side}", "bridge", "link", "set", "dev", "cable", "cost", "2")
        lab.batch("gw-b", "link set cable up\n")
        lab.batch("gw-a", "link set cable up\n")
        yield pair
    finally:
        if pair:
            pair.stop()
        for side in "ab":
            lab.run(f"gw-{side}", "ip", "link", "del", "cable")
            lab.need(f"gw-{side}", "ip", "link", "set", "br-lan", "type", "bridge", "stp_state",
                     "0")
            lab.need(f"gw-{side}", "ip", "link", "set", "br-lan", "type", "bridge",
                     "forward_delay", "0")


def all_states(lab):
    """Of every port that closes the ring."""
    return [state for side in "ab" for link, state in port_states(lab, f"gw-{side}").items()
            if link != "lan0"]


def test_spanning_tree_breaks_a_ring_of_tunnel_and_cable(lab, ring):
    """BPDUs cross the tunnel: one port of the four is blocked, and nothing goes round."""
    assert until(20, lambda: sorted(all_states(lab)) == ["blocking"] + ["forwarding"] * 3), \
        (port_states(lab, "gw-a"), port_states(lab, "gw-b"))
    assert lab.until_ping("host-a", "10.0.0.2", 10)

    def seen():
        rows = ring.a.json("hub", "branches", "ports")["ports"]
        return sum(r["rx_packets"] for r in rows)
    before = seen()
    assert lab.ping("host-a", "10.0.0.2", 5) == 5
    lab.run("host-a", "ping", "-c1", "-W1", "10.0.0.99")
    assert seen() - before < 500, "a storm goes on"


def test_the_tunnel_takes_over_when_the_cable_is_cut(lab, ring):
    """The blocked port forwards, and what was learned on the way of the cable is forgotten."""
    del ring
    lab.batch("gw-a", "link del cable\n")
    assert lab.until_ping("host-a", "10.0.0.2", 20)
    assert set(all_states(lab)) == {"forwarding"}
