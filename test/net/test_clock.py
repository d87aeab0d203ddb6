# SPDX-License-Identifier: Apache-2.0
"""The clock of a machine is set, by hours and by years, forward and back: timers, tunnels, leases
and tickets do not notice, certificates do, and words say so."""
import os
import struct
import time

import pytest

import schema
import topo
from gateway import BUILD, Gateway
from lab import until
from pki import Pki

TOPOLOGY = topo.pair  # two gateways

HOUR, DAY, YEAR = 3600, 86400, 365 * 86400
CLOCKED = os.path.join(BUILD, "test", "clock", "tapird")
# in the place of the program that Gateway would start
INSTEAD = ("sh", "-c", 'shift; exec "$0" "$@"', CLOCKED)
GATEWAY = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" address="10.20.0.1/24">
    <me id="osaka.example.com" cert="osaka.pem"/>
    <peer id="tokyo.example.com" name="tokyo" ca="ca.pem"/>
    <pool net="10.20.1.0/24"/>
  </realm>
</vpn>
"""
CLIENT = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip">
    <me id="tokyo.example.com" cert="tokyo.pem"/>
    <peer id="osaka.example.com" name="osaka" ca="ca.pem" at="192.0.2.2">
      <net local="dynamic" remote="10.20.0.0/24"/></peer>
  </realm>
</vpn>
"""


class Clocked(Gateway):
    """A tapird whose clock is set here."""

    def __init__(self, lab, node, conf, keys):
        self.clock = os.path.join(lab.dir, f"{node}.clock")
        with open(self.clock, "wb") as f:
            f.write(bytes(8))
        super().__init__(lab, node, conf, keys, wrap=(
            "env", f"TAPIR_TEST_CLOCK={self.clock}", *INSTEAD))
        self.args = ("--state-dir", os.path.join(self.dir, "state"))

    def set(self, seconds):
        """So far ahead of the true time; None: shortly after 1970 began."""
        if seconds is None:
            seconds = 100 - int(os.stat(self.clock).st_ctime)
        fd = os.open(self.clock, os.O_WRONLY)
        os.pwrite(fd, struct.pack("q", seconds), 0)
        os.close(fd)

    def events(self, code):
        """Events with a code so far."""
        return self.json("log", "--code", code)["events"]

    def address(self):
        """The address it was given."""
        out = self.lab.run(self.node, "ip", "-br", "-4", "addr", "show", "dev", "tap0").stdout
        return out.split()[2] if len(out.split()) > 2 else ""


@pytest.fixture(scope="module")
def ends(lab):
    """tokyo dials osaka and is given an address; certificates of 20 days."""
    assert os.access(CLOCKED, os.X_OK), f"no {CLOCKED}: make check builds it"
    pki = Pki(lab.mkdir("pki"))
    pki.ca("ca")
    keys = {}
    for end in "tokyo", "osaka":
        pki.leaf(end, "ca", f"{end}.example.com")
        keys[end] = {"ca.pem": pki.text("ca.pem"), f"{end}.pem": pki.text(f"{end}.pem"),
                     f"{end}.key": pki.text(f"{end}.key")}
    b = Clocked(lab, "right", GATEWAY, keys["osaka"]).start()
    a = Clocked(lab, "left", CLIENT, keys["tokyo"]).start()
    assert lab.until_ping("left", "10.20.0.1", 10), a.log() + b.log()
    yield a, b
    a.stop()
    b.stop()


def spis(gw):
    """Names of its ESP SAs."""
    return sorted((c["spi_in"], c["spi_out"]) for c in gw.peer()["children"])


@pytest.mark.parametrize("end", [0, 1])
def test_a_tunnel_does_not_notice(lab, ends, end):
    """Forward and back, by hours and years: no packet is lost, no key changes, no age is absurd;
    each time is told, with how far and what it was."""
    gw = ends[end]
    was, before = spis(gw), len(gw.events("clock-set"))
    said = []
    flow = lab.spawn("left", "ping", "-n", "-i", "0.05", "-c", "120", "-W", "2", "10.20.0.1")
    for seconds in 3 * HOUR, -3 * HOUR, 10 * YEAR, None, 0:
        gw.set(seconds)
        assert until(5, lambda: len(gw.events("clock-set")) > before + len(said)), gw.log()
        said.append(gw.events("clock-set")[-1]["what"])
        peer = gw.peer()
        assert peer["state"] == "up" and 0 <= peer["last_packet_s"] < 10, peer
        for words in (("status",), ("history",), ("log",)):
            schema.check(words[0], gw.json(*words))
        assert gw.tapir("why", gw.peer()["name"]).returncode == 0
    flow.wait(20)
    assert " 120 received" in flow.text(), flow.text()[-300:]
    assert said[:4] == ["3 h forward", "6 h back", "10 years forward", said[3]], said
    assert said[3].endswith("years back") and said[4].endswith("years forward"), said
    assert spis(gw) == was and not gw.events("peer-suspect") and not gw.events("peer-down")
    assert gw.lines("the clock of this machine was set 3 h forward", level="WARN"), gw.log()
    rows = [r["code"] for r in gw.json("history")["events"]]
    assert rows.count("clock-set") >= 5 and rows.count("peer-up") == 1, rows
    up = gw.json("history", gw.peer()["name"])
    assert up["watched_s"] < 600 and up["up_s"] <= up["watched_s"], up


def test_certificates_follow_the_clock(lab, ends):
    """Ten years ahead they are too old, and why says what our clock says; set right, it connects
    by itself."""
    a = ends[0]
    a.set(10 * YEAR)
    assert a.tapir("rekey", "osaka").returncode == 0
    assert lab.ping("left", "10.20.0.1"), "new keys need no certificate"
    for word in "down", "up":
        done = a.tapir(word, "r/osaka")
        assert done.returncode == 0, done.stdout
    assert until(10, lambda: "W151" in a.tapir("why", "osaka").stdout), a.tapir("why", "osaka").stdout
    words = a.tapir("why", "osaka").stdout
    year = time.gmtime(time.time() + 10 * YEAR).tm_year
    assert f"Our clock says {year}" in " ".join(words.split()), words
    # it would wait longer and longer
    assert until(20, lambda: a.peer()["next_try_s"] > 5), a.peer()
    a.set(0)
    assert until(5, a.is_up), a.log()[-2000:]


def test_a_lease_and_a_ticket_outlive_it(lab, ends):
    """The gateway's clock is a year ahead: who lost the connection is resumed by its ticket and
    has its address; that of the client goes back, with the same end."""
    a, b = ends
    assert lab.until_ping("left", "10.20.0.1", 10)
    own = a.address()
    assert own.startswith("10.20.1."), own
    for gw, seconds in (b, 12 * HOUR), (a, -YEAR):
        n = len(a.events("peer-down"))
        resumed = len(a.lines("resumed by a ticket"))
        gw.set(seconds)
        lab.batch("inet", "link set p1 nomaster\n")
        try:
            assert until(15, lambda n=n: len(a.events("peer-down")) > n), a.log()[-2000:]
            assert until(10, lambda: not b.is_up())
        finally:
            lab.batch("inet", "link set p1 master br0\n")
        assert until(20, a.is_up, 0.2), a.log()[-2000:] + b.log()[-2000:]
        assert a.address() == own
        assert len(a.lines("resumed by a ticket")) == resumed + 1, a.log()[-3000:]
        gw.set(0)


def test_a_start_with_a_wrong_clock(lab, ends):
    """A machine without a battery begins in 1970: it serves, says what is wrong, and connects once
    its clock is right; what it wrote before is still there."""
    a = ends[0]
    first = a.json("history")["events"][0]
    assert a.stop() == 0
    a.set(None)
    a.start()
    assert until(10, lambda: "W152" in a.tapir("why", "osaka").stdout or
                 "W157" in a.tapir("why", "osaka").stdout), a.tapir("why", "osaka").stdout
    assert "Our clock says 1970" in " ".join(a.tapir("why", "osaka").stdout.split())
    a.set(0)
    assert until(5, a.is_up), a.log()[-2000:]
    rows = a.json("history")["events"]
    assert rows[0] == first and rows[-1]["code"] in ("peer-up", "clock-set"), rows
    assert until(3, lambda: any(e["what"].endswith("years forward")
                                for e in a.events("clock-set")))
