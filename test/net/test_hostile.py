# SPDX-License-Identifier: Apache-2.0
"""What strangers and the wire may send: counted by name, survived, not answered twice."""
import os

import pytest

import topo
import wire
from gateway import Gateway, office
from lab import within

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tools.py")
PYTHON = "/usr/bin/python3"


@pytest.fixture(scope="module")
def lab():
    """Two offices and a stranger on the wire between them."""
    made = topo.sites()
    made.batch("inet", "addr add 192.0.2.66/24 dev br0\naddr add 2001:db8:1::66/64 dev br0 nodad\n")
    yield made
    made.close()


@pytest.fixture(scope="module")
def ends(lab):
    """Tunnel up; its beginning is captured."""
    capture = wire.Capture(lab, "inet", "p2")
    b = Gateway(lab, "gw-b", office("osaka")).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2")).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    assert lab.ping("host-a", "10.0.0.2", 20) == 20
    capture.done()
    yield a, b, capture.path
    a.stop()
    b.stop()


def drops(gw):
    """Counters of drops by name."""
    return {r["name"]: r["value"] for r in gw.json("stats", "--all")["drops"]}


def survived(lab, ends, before):
    """Same processes, same tunnel, traffic flows."""
    a, b = ends[:2]
    assert [g.pid(r) for g in (a, b) for r in ("main", "secure")] == before
    assert lab.ping("host-a", "10.0.0.2", 5) == 5
    assert a.is_up() and b.is_up()


def pids(ends):
    """Processes that must be the same afterwards."""
    return [g.pid(r) for g in ends[:2] for r in ("main", "secure")]


@pytest.mark.parametrize("addr", ["192.0.2.2", "2001:db8:1::2"])
def test_noise_from_a_stranger(lab, ends, addr):
    """Random and nearly right datagrams at both ports."""
    before, log_lines = pids(ends), len(ends[1].log().splitlines())
    old = sum(drops(ends[1]).values())
    lab.need("inet", PYTHON, TOOLS, "noise", addr, 4000, timeout=30)
    survived(lab, ends, before)
    assert sum(drops(ends[1]).values()) > old + 1000
    assert ends[1].stat("ike-half-open") == 0
    assert len(ends[1].log().splitlines()) - log_lines < 50, "a stranger fills the log"


def test_reasons_are_named(ends):
    """The noise left more than one kind of reason, and each explains itself."""
    rows = [r for r in ends[1].json("stats")["drops"] if r["value"]]
    names = {r["name"] for r in rows}
    assert {"ike-version", "esp-spi"} <= names and names & {"ike-runt", "ike-long", "udp-runt"}
    assert all(r["text"] and r["owner"] for r in rows)


def test_changed_copies_of_real_messages(lab, ends):
    """Cut, flipped and repeated copies of what the peer really sent."""
    before = pids(ends)
    rx = ends[1].peer()["rx_packets"]
    lab.need("inet", PYTHON, TOOLS, "mangle", "p2", ends[2], "192.0.2.2", 4000, timeout=30)
    within(0.5, lambda: False)
    survived(lab, ends, before)
    assert ends[1].peer()["rx_packets"] - rx < 60, "changed or repeated packets were accepted"
    counted = drops(ends[1])
    assert counted.get("esp-replay", 0) > 0 and counted.get("esp-icv", 0) > 0


def replay(lab, ends, flip):
    """Send ESP of the capture again to gw-b, a bit flipped or not."""
    import socket
    sent = 0
    code = ("import socket,sys;s=socket.socket(socket.AF_PACKET,socket.SOCK_RAW);"
            "s.bind(('p2',0));[s.send(bytes.fromhex(x)) for x in sys.stdin.read().split()]")
    lines = []
    for frame in wire.frames(ends[2]):
        if wire.kind(frame) == "udp-esp" and frame[30:34] == socket.inet_aton("192.0.2.2"):
            copy = bytearray(frame)
            copy[-1] ^= flip
            copy[40:42] = bytes(2)
            lines.append(copy.hex())
            sent += 1
    lab.need("inet", PYTHON, "-c", code, text="\n".join(lines))
    within(0.3, lambda: False)
    return sent


@pytest.mark.parametrize("flip,name", [(0, "esp-replay"), (1, "esp-replay")])
def test_replayed_esp_is_counted_and_not_delivered(lab, ends, flip, name):
    """Every copy, no more and no less."""
    old, rx = drops(ends[1]), ends[1].peer()["rx_packets"]
    sent = replay(lab, ends, flip)
    assert sent >= 20
    assert drops(ends[1])[name] - old.get(name, 0) == sent
    assert ends[1].peer()["rx_packets"] - rx < 5


def test_nothing_was_sent_to_the_stranger_but_refusals(lab, ends):
    """Not amplified: less goes back than came, and never ESP."""
    capture = wire.Capture(lab, "inet", "br0", "answers")
    lab.need("inet", PYTHON, TOOLS, "noise", "192.0.2.2", 2000, timeout=30)
    within(0.3, lambda: False)
    sent = back = 0
    for frame in capture.done():
        if frame[12:14] != b"\x08\x00" or frame[23] != 17:
            continue
        if frame[30:34] == bytes((192, 0, 2, 66)):
            assert wire.kind(frame) == "ike"
            back += len(frame)
        else:
            sent += len(frame)
    assert back * 2 < sent
