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
