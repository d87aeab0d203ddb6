# SPDX-License-Identifier: Apache-2.0
"""A gateway is emptied: its clients go to another one (RFC 5685), or are told goodbye."""
import os
import shutil

import pytest

import topo
from charon import Charon
from gateway import Gateway, vpn
from lab import until

PSK = {"r.psk": "one key for all of them, which a test may have"}
FIRST, SECOND = "192.0.2.2", "192.0.2.3"
NAME = "gw2.example.com"
INSIDE = '    <net local="10.7.0.0/24" remote="10.1.0.1"/>\n'
# what the first line of a client's log says of the other gateway
SENT = "sends us to the gateway"


@pytest.fixture(name="lab", scope="module")
def _lab():
    """left, which dials; two gateways that lead to the same network."""
    made = topo.pair()
    place = f"/etc/netns/{made.ns('left')}"
    try:
        made.add("third")
        made.wire("third", "wan0", "inet", "p3")
        made.batch("inet", "link set p3 master br0\n")
        made.batch("third", f"addr add {SECOND}/24 dev wan0\n")
        for node in "right", "third":
            made.batch(node, "addr add 10.7.0.1/32 dev lo\n")
        os.makedirs(place)
        with open(os.path.join(place, "hosts"), "w", encoding="ascii") as f:
            f.write(f"127.0.0.1 localhost\n{SECOND} {NAME}\n")
        yield made
    finally:
        made.close()
        shutil.rmtree(place, ignore_errors=True)


def gateway(lab, node, me="gw", other=""):
    """One that lets "left" in."""
    text = vpn(f'  <realm name="r" mode="ip" dpd="1" dead="3" tap="tap0">\n    <me id="{me}" psk="r.psk"/>\n'
               f'    <peer id="left"/>\n{INSIDE}  </realm>\n{other}')
    return Gateway(lab, node, text, PSK).start()


def client(lab, attrs='redirect="yes"'):
    """tapir at left."""
    return Gateway(lab, "left", vpn(
        '  <realm name="r" mode="ip" dpd="1" dead="3" tap="tap0">\n    <me id="left" psk="r.psk"/>\n'
        f'    <peer id="gw" at="{FIRST}" {attrs}/>\n'
        '    <net local="10.1.0.1" remote="10.7.0.0/24"/>\n  </realm>\n'), PSK).start()


@pytest.fixture(name="ends")
def _ends(lab):
    """The gateways, and a tapir that is connected to the first."""
    made = [gateway(lab, "right"), gateway(lab, "third")]
    yield made
    for gw in made:
        gw.stop()


def at(gw, where):
    """Is it connected there?"""
    peer = gw.peer()
    return peer["state"] == "up" and peer["remote"].startswith(where + ":")


def drain(gw, *argv):
    """tapir drain; its answer."""
    done = gw.tapir("drain", *argv)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_to_another_and_back(lab, ends):
    """While connected, without a gap; then both are emptied in turn."""
    first, second = ends
    c = client(lab)
    try:
        assert lab.until_ping("left", "10.7.0.1", 10, source="10.1.0.1"), c.log()
        assert "1 peer is told to go" in drain(first, "--to", SECOND)
        assert until(10, lambda: at(c, SECOND)), c.log()
        assert lab.until_ping("left", "10.7.0.1", 5, source="10.1.0.1"), c.log()
        assert not c.lines("r/gw is down"), c.log()
        assert c.lines(SENT, SECOND), c.log()
        assert until(10, lambda: first.peer()["state"] == "down"), first.json("status")
        # both: nowhere to go
        drain(first)
        assert "1 peer is told goodbye" in drain(second)
        assert until(5, lambda: not c.is_up()), c.log()
        assert until(10, lambda: c.lines("TEMPORARY_FAILURE") or
                     "TEMPORARY_FAILURE" in c.peer()["why"]), (c.log(), c.peer())
        assert "drained" in second.tapir("why", "left").stdout
        drain(first, "--off")
        assert until(20, lambda: at(c, FIRST)), c.log()
        # who is connected may stay
        drain(first, "--keep")
        assert lab.until_ping("left", "10.7.0.1", 5, source="10.1.0.1") and at(c, FIRST)
    finally:
        c.stop()


@pytest.mark.parametrize("how,to", [((), SECOND), (("r",), SECOND), ((), NAME), (("r",), NAME)])
def test_sent_on_when_it_comes(lab, ends, how, to):
    """In IKE_SA_INIT; with a realm drained, in IKE_AUTH; by address, and by name."""
    drain(ends[0], *how, "--to", to)
    c = client(lab)
    try:
        assert until(10, lambda: at(c, SECOND)), c.log() + ends[0].log()
        assert c.lines(SENT, to), c.log()
        assert bool(ends[0].lines("sent to another gateway")) == bool(how), ends[0].log()
        assert lab.until_ping("left", "10.7.0.1", 5, source="10.1.0.1"), c.log()
    finally:
        c.stop()


def test_who_does_not_follow_stays(lab, ends):
    """It does not say that it would."""
    c = client(lab, "")
    try:
        assert until(10, lambda: at(c, FIRST)), c.log()
        assert "0 peers are told to go" in drain(ends[0], "--to", SECOND)
        assert at(c, FIRST) and not c.lines(SENT)
    finally:
        c.stop()


def test_another_identity_is_not_taken_for_ours(lab):
    """Where it is sent to is somebody else, with the same key: it comes back."""
    ends = [gateway(lab, "right"), gateway(lab, "third", "other")]
    drain(ends[0], "--to", SECOND)
    c = client(lab)
    try:
        assert until(10, lambda: c.lines(SENT, SECOND) and c.lines("authentication", "failed")), c.log()
        assert not c.is_up() and not ends[1].is_up()
        drain(ends[0], "--off")
        assert until(30, lambda: at(c, FIRST)), c.log()
    finally:
        for gw in [c, *ends]:
            gw.stop()


def test_where_the_other_gateway_has_other_rules_those_decide(lab):
    """Being sent there opens no realm: a more special rule leads elsewhere, and what is inside
    that one is all that there is."""
    other = ('  <realm name="guests" mode="ip" dpd="1" dead="3" tap="tap1">\n'
             '    <me id="gw" psk="r.psk"/>\n    <peer id="left"/>\n'
             '    <net local="10.8.0.0/24" remote="10.1.0.1"/>\n  </realm>\n')
    ends = [gateway(lab, "right"), Gateway(lab, "third", vpn(
        '  <realm name="r" mode="ip" dpd="1" dead="3" tap="tap0">\n'
        f'    <me id="gw" psk="r.psk"/>\n    <peer id="*"/>\n{INSIDE}  </realm>\n' + other), PSK).start()]
    c = client(lab)
    try:
        assert until(10, lambda: at(c, FIRST)), c.log()
        drain(ends[0], "--to", SECOND)
        assert until(10, lambda: ends[1].lines("guests/left")), c.log() + ends[1].log()
        realms = {r["name"]: r["peers"] for r in ends[1].json("status")["realms"]}
        assert not [p for p in realms["r"] if p["state"] == "up"], realms
        # what it asked for is not there: it is not connected, or stays where it was
        assert not at(c, SECOND) and not ends[1].lines("r/left is up")
    finally:
        for gw in [c, *ends]:
            gw.stop()


@pytest.mark.parametrize("is_late", [False, True])
def test_strongswan_follows(lab, ends, is_late):
    """When it comes, and while it is connected."""
    c = Charon(lab, "left", options="follow_redirects = yes", local="192.0.2.1", remote=FIRST,
               local_id="left", remote_id="gw", psk=PSK["r.psk"], local_ts="10.1.0.1/32",
               remote_ts="10.7.0.0/24").start()
    try:
        if not is_late:
            drain(ends[0], "--to", SECOND)
        out = c.initiate()
        assert is_late or "10.7.0.0/24" in c.sas(), out + c.log() + ends[0].log()
        if is_late:
            assert "initiate completed successfully" in out, out
            drain(ends[0], "--to", SECOND)
        assert until(10, lambda: ends[1].is_up()), c.log() + ends[1].log()
        assert f"'gw' @ {SECOND}[" in c.sas(), c.sas()
        assert until(5, lambda: lab.ping("left", "10.7.0.1", 1, source="10.1.0.1")), c.log()
    finally:
        c.stop()
