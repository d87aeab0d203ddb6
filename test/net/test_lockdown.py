# SPDX-License-Identifier: Apache-2.0
"""lockdown=: whatever ends, begins or dies, nothing leaves outside of the tunnel."""
import os
import signal

import pytest

import wire
from gateway import Gateway
from lab import Lab, until

PSK = "a key that is the same for both of them, of a test"
GATEWAY = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" address="10.20.0.1/24 fd00:20::1/64">
    <me id="gw" psk="r.psk"/>
    <peer id="c1"/>
    <pool net="10.20.1.0/24 fd00:20:1::/64" dns="10.20.0.53"/>
  </realm>
</vpn>
"""
CLIENT = """<vpn log="{level}">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" {lock}>
    <me id="c1" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1"><net local="dynamic"/></peer>
  </realm>
</vpn>
"""
LOCKED = 'lockdown="yes"'
SEND = """
import socket, sys, time
goals = [(socket.AF_INET, "203.0.113.9", 9), (socket.AF_INET, "192.0.2.254", 9),
         (socket.AF_INET, "203.0.113.9", 53), (socket.AF_INET, "192.0.2.1", 4500),
         (socket.AF_INET, "224.0.0.251", 5353), (socket.AF_INET, "192.0.2.255", 137),
         (socket.AF_INET6, "2001:db8:9::1", 9), (socket.AF_INET6, "2001:db8:1::254", 53),
         (socket.AF_INET6, "ff02::fb", 5353)]
n = 0
print("goes", flush=True)
while True:
    for family, to, port in goals:
        s = socket.socket(family, socket.SOCK_DGRAM)
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            if to[:4] == "ff02":
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                             socket.if_nametoindex("wan0"))
            s.sendto(b"leak-me-not", (to, port))
        except OSError:
            pass
        s.close()
    t = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    t.connect_ex(("203.0.113.9", 80))
    t.close()
    time.sleep(0.002)
"""


@pytest.fixture(scope="module")
def lab():
    """gw and c1 around a bridge; beyond is a router that answers."""
    made = Lab()
    try:
        made.add("inet", "gw", "c1", "beyond")
        made.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set br0 up\n")
        for n, node in ((1, "gw"), (11, "c1"), (254, "beyond")):
            made.wire(node, "wan0", "inet", f"p-{node}")
            made.batch("inet", f"link set p-{node} master br0\n")
            made.batch(node, f"addr add 192.0.2.{n}/24 dev wan0\n"
                             f"addr add 2001:db8:1::{n}/64 dev wan0 nodad\n")
        made.batch("c1", "route add default via 192.0.2.254\n"
                         "route add 2001:db8:9::/64 via 2001:db8:1::254\n")
        made.batch("gw", "addr add 203.0.113.9/32 dev lo\n")
        yield made
    finally:
        made.close()


def leaked(frames, mac):
    """Frames of c1 that are neither the tunnel's nor a matter of its link."""
    return [f for f in frames if f[6:12] == mac and
            wire.kind(f) not in ("ike", "esp", "udp-esp", "keepalive", "arp", "nd")
            or b"leak-me-not" in f and f[6:12] == mac]


def table(lab):
    """The lock that is on."""
    return lab.run("c1", "nft", "list", "tables").stdout


def test_twenty_ways_out_are_none(lab):
    """Packets of all kinds, all the time, while everything happens to the client."""
    gw = Gateway(lab, "gw", GATEWAY, {"r.psk": PSK}).start()
    c1 = Gateway(lab, "c1", CLIENT.format(lock=LOCKED, level="info"), {"r.psk": PSK}).start()
    mac = bytes.fromhex(lab.run("c1", "cat", "/sys/class/net/wan0/address").stdout
                        .strip().replace(":", ""))
    capture = wire.Capture(lab, "inet", "p-c1", "lock")
    sender = lab.spawn("c1", "/usr/bin/python3", "-c", SEND, name="sender")

    def says(*words):
        def act():
            done = c1.tapir(*words)
            assert done.returncode == 0, done.stdout
        return act

    def is_back():
        return until(20, c1.is_up)

    def dies(role):
        def act():
            old = c1.kill_role(role)
            assert until(10, lambda: c1.pid(role) not in (0, old)), c1.log()
        return act

    def reload_as(level):
        def act():
            c1.write(CLIENT.format(lock=LOCKED, level=level), {"r.psk": PSK})
            assert c1.tapir("reload").returncode == 0
        return act

    def all_die():
        c1.kill()
        assert "tapir-lockdown" in table(lab)
        c1.start()

    def super_dies():
        os.kill(c1.pid("super"), signal.SIGKILL)
        until(8, lambda: not c1.pids_left())
        c1.kill()
        c1.start()

    def gateway_dies():
        gw.kill()
        assert until(10, lambda: not c1.is_up())
        gw.start()

    def link_away():
        lab.batch("c1", "link set wan0 down\n")
        until(6, lambda: not c1.is_up())
        lab.batch("c1", "link set wan0 up\nroute replace default via 192.0.2.254\n"
                        "addr replace 2001:db8:1::11/64 dev wan0 nodad\n"
                        "route replace 2001:db8:9::/64 via 2001:db8:1::254\n")

    ways = [dies("main"), dies("secure"), dies("resolve"), dies("diary"), all_die, super_dies,
            gateway_dies, link_away, says("down", "r/gw"),
            says("up", "r/gw"), says("rekey", "r/gw", "ike"),
            says("rekey", "r/gw", "child"), reload_as("debug"), reload_as("info"),
            dies("secure"), dies("main"), all_die, gateway_dies,
            lambda: lab.run("c1", "ip", "link", "set", "tap0", "down"), all_die]
    try:
        assert until(5, lambda: "goes" in sender.text())
        assert len(ways) == 20 and is_back(), c1.log()
        for n, way in enumerate(ways):
            way()
            assert n in (8, 18) or is_back(), f"way {n}: {c1.log()}"
        assert lab.until_ping("c1", "203.0.113.9", 5), c1.log()
        frames = capture.done()
        assert any(wire.kind(f) == "udp-esp" for f in frames)
        bad = leaked(frames, mac)
        assert not bad, f"{len(bad)} of {len(frames)}: {bad[0].hex()}"
        # A clean end opens what was closed.
        assert c1.stop() == 0
        assert "tapir-lockdown" not in table(lab)
        assert lab.until_ping("c1", "192.0.2.254", 3)
    finally:
        sender.stop()
        c1.stop()
        gw.stop()


def test_the_next_start_without_it_opens_what_a_killed_one_closed(lab):
    """And a reload opens and closes, too."""
    c1 = Gateway(lab, "c1", CLIENT.format(lock=LOCKED, level="info"), {"r.psk": PSK}).start()
    try:
        assert "tapir-lockdown" in table(lab) and not lab.ping("c1", "192.0.2.254")
        c1.kill()
        assert not lab.ping("c1", "192.0.2.254")
        c1.write(CLIENT.format(lock="", level="info"), {"r.psk": PSK})
        c1.start()
        assert "tapir-lockdown" not in table(lab) and lab.until_ping("c1", "192.0.2.254", 3)
        c1.write(CLIENT.format(lock=LOCKED, level="info"), {"r.psk": PSK})
        assert c1.tapir("reload").returncode == 0
        assert until(5, lambda: "tapir-lockdown" in table(lab))
        assert not lab.ping("c1", "192.0.2.254")
    finally:
        c1.stop()
    assert "tapir-lockdown" not in table(lab)


# ---- by who is on the machine, and means to get out --------------------------------------

# Each line is a way; MARK is in whatever is sent.  Some fail at once, which is as good.
TRICKS = """
import socket, struct
MARK = b"leak-me-not"

def udp(to, port, sport=0, *opts, family=socket.AF_INET, own="", n=3):
    s = socket.socket(family, socket.SOCK_DGRAM)
    for opt in ((socket.SOL_SOCKET, socket.SO_BROADCAST, 1), *opts):
        s.setsockopt(*opt)
    if sport or own:
        s.bind((own, sport))
    s.sendto(MARK * n, (to, port))

BIND = (socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"wan0")
V6 = socket.AF_INET6
ways = {
    "bound to the uplink": lambda: udp("203.0.113.9", 9, 0, BIND),
    "bound, to a neighbour": lambda: udp("192.0.2.254", 9, 0, BIND),
    "from the uplink's address": lambda: udp("203.0.113.9", 9, own="192.0.2.11"),
    "past the routes": lambda: udp("192.0.2.254", 9, 0, (socket.SOL_SOCKET, socket.SO_DONTROUTE, 1)),
    "by the ports of DHCP": lambda: udp("203.0.113.9", 67, 68),
    "the same, to the router": lambda: udp("192.0.2.254", 67, 68),
    "by the ports of DHCPv6": lambda: udp("2001:db8:9::1", 547, 546, family=V6),
    "DNS": lambda: udp("192.0.2.254", 53, 0, BIND),
    "from the ports of IKE": lambda: udp("203.0.113.9", 500),
    "to the gateway, beside the tunnel": lambda: udp("192.0.2.1", 80, 0, BIND),
    "in fragments": lambda: udp("203.0.113.9", 9, 0, BIND, n=300),
    "IPv6 of the link": lambda: udp("fe80::1%wan0", 9, family=V6),
    "IPv6 multicast": lambda: udp("ff02::fb%wan0", 5353, family=V6),
    "with another mark": lambda: udp("203.0.113.9", 9, 0, BIND, (socket.SOL_SOCKET, socket.SO_MARK, 1)),
}

def raw(proto, to, data, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_RAW, proto)
    s.setsockopt(*BIND)
    s.sendto(data, (to, 0))

ways["an echo"] = lambda: raw(1, "203.0.113.9", struct.pack(">BBHHH", 8, 0, 0, 1, 1) + MARK)
ways["a protocol nobody knows"] = lambda: raw(253, "203.0.113.9", MARK)
ways["foreign ESP"] = lambda: raw(50, "203.0.113.9", bytes(8) + MARK)
ways["a listener's report to one machine"] = lambda: raw(
    58, "2001:db8:9::1", bytes((143, 0, 0, 0)) + bytes(4) + MARK, socket.AF_INET6)
ways["a router solicitation to one machine"] = lambda: raw(
    58, "2001:db8:9::1", bytes((133, 0, 0, 0)) + bytes(4) + MARK, socket.AF_INET6)

def stream():
    t = socket.socket()
    t.setsockopt(*BIND)
    t.settimeout(0.3)
    t.connect(("192.0.2.254", 80))

ways["a stream"] = stream
for name, way in ways.items():
    try:
        way()
        print("sent:", name)
    except OSError as e:
        print("refused:", name, e)
print(len(ways), "ways")
"""


def test_no_trick_of_the_machine_itself_gets_out(lab):
    """Sockets of root with every option but the mark, with the tunnel up and without a
    gateway; another route, another uplink, another namespace behind the machine."""
    gw = Gateway(lab, "gw", GATEWAY, {"r.psk": PSK}).start()
    c1 = Gateway(lab, "c1", CLIENT.format(lock=LOCKED, level="info"), {"r.psk": PSK}).start()
    mac = bytes.fromhex(lab.run("c1", "cat", "/sys/class/net/wan0/address").stdout
                        .strip().replace(":", ""))
    try:
        lab.add("behind")
        lab.wire("c1", "lan0", "behind", "eth0")
        lab.batch("c1", "addr add 10.99.0.1/24 dev lan0\n")
        lab.batch("behind", "addr add 10.99.0.2/24 dev eth0\nroute add default via 10.99.0.1\n")
        lab.need("c1", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        assert until(20, c1.is_up), c1.log()
        capture = wire.Capture(lab, "inet", "p-c1", "tricks")
        for is_up in (True, False):
            if not is_up:
                gw.kill()
                assert until(15, lambda: not c1.is_up())
            # a way that is better than any: what an administrator or DHCP might add
            lab.run("c1", "ip", "route", "replace", "203.0.113.9/32", "via", "192.0.2.254")
            said = lab.run("c1", "/usr/bin/python3", "-c", TRICKS, timeout=30)
            assert "20 ways" in said.stdout, said.stdout
            lab.run("behind", "/usr/bin/python3", "-c",
                    "import socket; socket.socket(2, 2).sendto(b'leak-me-not', ('203.0.113.9', 9))")
            lab.run("c1", "ip", "route", "del", "203.0.113.9/32")
        bad = leaked(capture.done(), mac)
        assert not bad, f"{len(bad)}: {bad[0].hex()}"
    finally:
        lab.run("c1", "ip", "link", "del", "lan0")
        c1.stop()
        gw.stop()
