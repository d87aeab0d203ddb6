# SPDX-License-Identifier: Apache-2.0
"""Either end moves, uplinks die, and what the tunnel carries goes on (MOBIKE, RFC 4555)."""
import signal

import pytest

import topo
from charon import Charon
from gateway import Gateway, realm, vpn
from lab import until

INNER = '    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n'
INNER_B = '    <net local="10.2.0.0/24" remote="10.1.0.0/24"/>\n'
ATTRS = 'mode="ip" encap="udp"'
MAIN = "link set wan0 up\naddr flush dev wan0 scope global\naddr add {0}/24 dev wan0\n"


@pytest.fixture(name="lab")
def _lab():
    """left and right, IPv4 alone; each with a second uplink that is not in use yet."""
    made = topo.pair()
    for n, node in (1, "left"), (2, "right"):
        made.batch(node, MAIN.format(f"192.0.2.{n}"))
    for n, node in (3, "left"), (4, "right"):
        made.wire(node, "wan1", "inet", f"p{n}")
        made.batch("inet", f"link set p{n} master br0\n")
    yield made
    made.close()


def tokyo(lab, at):
    """tapir on the left; it dials if it knows where."""
    return Gateway(lab, "left", vpn(realm("tokyo", "osaka", at, ATTRS, inner=INNER)))


def osaka(lab):
    """tapir on the right, which waits."""
    return Gateway(lab, "right", vpn(realm("osaka", "tokyo", "", ATTRS, inner=INNER_B)))


def echo(lab, seconds=5):
    """From left to right, inside."""
    return lab.until_ping("left", "10.2.0.1", seconds, source="10.1.0.1")


def echo_back(lab, seconds=5):
    """From right to left, inside."""
    return lab.until_ping("right", "10.1.0.1", seconds, source="10.2.0.1")


def move(lab, node, old, new):
    """One address in place of another."""
    lab.batch(node, f"addr add {new}/24 dev wan0\naddr del {old}/24 dev wan0\n")
    # without promotion of secondary addresses the new one went along
    lab.run(node, "ip", "addr", "add", f"{new}/24", "dev", "wan0")


def was_never_down(gateway):
    """Its peer came up once, and stayed."""
    return len(gateway.lines("is up from")) == 1 and not gateway.lines("is down:")


def test_who_dials_moves_and_comes_back(lab):
    """The SAs stay, both ways, and both ends say where the other is."""
    b = osaka(lab).start()
    a = tokyo(lab, "192.0.2.2").start()
    try:
        assert echo(lab, 10), a.log()
        for old, new in ("192.0.2.1", "192.0.2.11"), ("192.0.2.11", "192.0.2.1"):
            move(lab, "left", old, new)
            assert echo(lab, 3), a.log() + b.log()
            assert echo_back(lab, 3), a.log() + b.log()
            assert until(3, lambda at=new: b.peer()["remote"].startswith(at)), b.log()
        assert was_never_down(a), a.log()
        assert was_never_down(b), b.log()
    finally:
        a.stop()
        b.stop()


def test_who_was_dialled_moves(lab):
    """It tells its new address from there."""
    b = osaka(lab).start()
    a = tokyo(lab, "192.0.2.2").start()
    try:
        assert echo(lab, 10), a.log()
        move(lab, "right", "192.0.2.2", "192.0.2.22")
        assert echo(lab, 5), a.log() + b.log()
        assert until(3, lambda: a.peer()["remote"].startswith("192.0.2.22")), a.log()
        assert was_never_down(a), a.log()
    finally:
        a.stop()
        b.stop()


def test_an_uplink_dies_without_a_word(lab):
    """The second pair of addresses carries, within a second of silence."""
    for n, node in (1, "left"), (2, "right"):
        lab.batch(node, f"addr add 203.0.113.{n}/24 dev wan1\n")
    b = osaka(lab).start()
    a = tokyo(lab, "192.0.2.2").start()
    try:
        assert echo(lab, 10), a.log()
        lab.batch("inet", "link set p1 nomaster\n")
        assert echo(lab, 2), a.log() + b.log()
        assert echo_back(lab, 2), a.log() + b.log()
        assert until(3, lambda: b.peer()["remote"].startswith("203.0.113.1")), b.log()
        assert was_never_down(a), a.log()
    finally:
        a.stop()
        b.stop()


# Numbers over one TCP connection, until SIGINT; at the other end one line for each.
SOURCE = """
import signal, socket, struct, time
s = socket.create_connection(("10.2.0.1", 7000), source_address=("10.1.0.1", 0))
n = 0
try:
    while True:
        s.sendall(struct.pack(">I", n) * 256)
        n += 1
        time.sleep(0.005)
except KeyboardInterrupt:
    s.close()
"""
SINK = """
import socket, struct
s = socket.create_server(("10.2.0.1", 7000))
print("listening", flush=True)
f = s.accept()[0].makefile("rb")
n, good = 0, True
while True:
    got = f.read(1024)
    if len(got) < 1024:
        break
    good &= got == struct.pack(">I", n) * 256
    n += 1
    print("come", n, flush=True)
print("in order" if good else "not as it was sent", flush=True)
"""


def count(sink):
    """What has come so far."""
    return sink.text().count("come")


def test_tcp_goes_on_when_an_uplink_falls_silent(lab):
    """Both gateways have two uplinks; a connection inside lives through the change, and
    the second change back, when the other one falls silent."""
    for n, node in (1, "left"), (2, "right"):
        lab.batch(node, f"addr add 203.0.113.{n}/24 dev wan1\n")
        # both uplinks are on one wire here: none answers for the other's address
        lab.need(node, "sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1")
    b = osaka(lab).start()
    a = tokyo(lab, "192.0.2.2").start()
    try:
        assert echo(lab, 10), a.log()
        sink = lab.spawn("right", "/usr/bin/python3", "-c", SINK, name="sink")
        assert until(5, lambda: "listening" in sink.text())
        flow = lab.spawn("left", "/usr/bin/python3", "-c", SOURCE, name="flow")
        assert until(5, lambda: "come" in sink.text()), flow.text()
        for dead, alive, at in ("p1", "p3", "203.0.113.1"), ("p3", "p1", "192.0.2.1"):
            lab.batch("inet", f"link set {alive} master br0\nlink set {dead} nomaster\n")
            assert until(5, lambda to=at: b.peer()["remote"].startswith(to)), b.log()
            # it goes on by the way that is left
            n = count(sink)
            assert until(5, lambda was=n: count(sink) > was + 50), sink.text()[-80:] + a.log()
        flow.signal_group(signal.SIGINT)
        assert flow.wait(5) == 0 and sink.wait(5) == 0, flow.text() + sink.text()[-80:]
        assert sink.text().endswith("in order\n")
        assert was_never_down(a), a.log()
    finally:
        a.stop()
        b.stop()


def nat(lab, is_on):
    """A NAT in front of who dials appears, or is gone."""
    rules = ("table ip nat { chain post { type nat hook postrouting priority 100;\n"
             "oifname \"wan0\" ip protocol udp masquerade to :40000-50000 random; }; }\n")
    lab.need("left", "nft", "-f", "-", text="flush ruleset\n" + (rules if is_on else ""))


def test_a_nat_appears_and_disappears(lab):
    """While packets go both ways; each time the other end follows, and no SA is made anew."""
    b = osaka(lab).start()
    a = tokyo(lab, "192.0.2.2").start()
    try:
        assert echo(lab, 10), a.log()
        for is_on in True, False:
            nat(lab, is_on)
            assert echo(lab, 8), a.log() + b.log()
            assert echo_back(lab, 3), a.log() + b.log()
            assert until(8, lambda on=is_on: (":4500" not in b.peer()["remote"]) == on), b.log()
        assert was_never_down(a), a.log()
        assert was_never_down(b), b.log()
    finally:
        nat(lab, False)
        a.stop()
        b.stop()


@pytest.mark.parametrize("who", ["tapir", "strongswan"])
def test_with_strongswan_who_dials_moves(lab, who):
    """tapir dials strongSwan, or the other way round; the dialling end moves."""
    dials = who == "tapir"
    peer = Charon(lab, "right", local="%any", remote="192.0.2.1" if not dials else "%any",
                  local_id="osaka", remote_id="tokyo", local_ts="10.2.0.0/24",
                  remote_ts="10.1.0.0/24", top="mobike = yes").start()
    a = tokyo(lab, "192.0.2.2" if dials else "").start()
    try:
        if not dials:
            peer.initiate()
        assert echo(lab, 10), a.log() + peer.log()[-2000:]
        if dials:
            move(lab, "left", "192.0.2.1", "192.0.2.11")
            assert until(10, lambda: "192.0.2.11" in peer.sas()), peer.log()[-3000:]
        else:
            move(lab, "right", "192.0.2.2", "192.0.2.22")
            assert until(10, lambda: a.peer()["remote"].startswith("192.0.2.22")), a.log()
        assert echo(lab, 5), a.log() + peer.log()[-2000:]
        assert echo_back(lab, 5), a.log() + peer.log()[-2000:]
        assert was_never_down(a), a.log()
    finally:
        a.stop()
        peer.stop()
