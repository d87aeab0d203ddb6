# SPDX-License-Identifier: Apache-2.0
"""500 people at one gateway, all at once: a password and an address each.

    crowd (dial: 500 initiators) --- inet --- gateway: one realm, one pool
    hanako (a tapir of her own)  ---

The crowd is one program with an engine of its own, so that the gateway is what is
on trial; hanako comes while all of them do.
"""
import json
import os
import subprocess
import time

import pytest

from gateway import Gateway
from lab import Lab, until
from pki import Pki

B = os.path.abspath(os.environ.get("B", "build"))
DIAL = os.path.join(B, "test", "bench", "dial")
N, SECONDS = 500, 30
GW, CROWD, HANAKO = "192.0.2.1", "192.0.2.2", "192.0.2.3"
WORD, NT = "a pass phrase", "f64b56fd909abe870184896c287b74fe"
NICE = ("nice", "-n", "10")
CONF = """<vpn log="info" half-open-max="2048">
  <realm name="people" mode="ip" dpd="3" dead="7" tap="tap-p">
    <match id="*@r0.bench"/>
    <me id="gw.bench" cert="gw.pem"/>
    <eap users="people.users"/>
    <pool net="10.60.0.0/16" route="172.16.0.1/32"/>
  </realm>
</vpn>
"""
CLIENT = """<vpn log="info">
  <realm name="office" mode="ip" tap="tap-o">
    <me eap="hanako@r0.bench"/>
    <peer id="gw.bench" name="gw" at="192.0.2.1" ca="ca.pem"/>
    <net remote="172.16.0.1/32"/>
  </realm>
</vpn>
"""


class Dial:
    """The crowd: it connects when it is told to, and stays until it is let go."""

    def __init__(self, lab, n, at_once):
        with open(os.path.join(lab.dir, "dial.log"), "ab") as log:
            self.proc = subprocess.Popen(
                lab.argv("crowd", [*NICE, DIAL, GW, n, at_once, "mschapv2", WORD]), text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True)
        assert self.proc.stdout.readline().strip() == "ready"

    def go(self):
        """Now."""
        self.proc.stdin.write("go\n")
        self.proc.stdin.flush()

    def came(self):
        """How many are up, in how many seconds, with how many different addresses, and a
        sum over who has which."""
        n_up, took, _, _, n_lease, who_has_what = self.proc.stdout.readline().split()
        return int(n_up), float(took), int(n_lease), who_has_what

    def gone(self):
        """They vanish without a word."""
        if self.proc.poll() is None:
            self.proc.kill()
        self.proc.wait(10)
        self.proc.stdin.close()
        self.proc.stdout.close()


@pytest.fixture(scope="module")
def lab():
    """Three nodes on a wire; what is below 10.128.0.0/9 is the crowd."""
    if not os.path.exists(DIAL):
        pytest.skip("make build/test/bench/dial")
    made = Lab()
    try:
        made.add("inet", "gateway", "crowd", "hanako")
        made.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set br0 up\n")
        for node, ip in (("gateway", GW), ("crowd", CROWD), ("hanako", HANAKO)):
            made.wire(node, "wan0", "inet", f"p-{node}")
            made.batch("inet", f"link set p-{node} master br0\n")
            made.batch(node, f"addr add {ip}/24 dev wan0\n")
        made.batch("gateway", f"route add 10.128.0.0/9 via {CROWD}\n"
                              "addr add 172.16.0.1/32 dev lo\n")
        made.batch("crowd", "route add local 10.128.0.0/9 dev lo\n")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def keys(lab):
    """An authority, the gateway's certificate, and everybody's password."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.leaf("gw", "ca", "gw.bench")
    users = "".join(f"{who}@r0.bench:nt:{NT}\n" for who in ("hanako", *(f"p{i}" for i in range(N))))
    return {"gw.pem": p.text("gw.pem"), "gw.key": p.text("gw.key"), "ca.pem": p.text("ca.pem"),
            "people.users": users}


@pytest.fixture(scope="module")
def gateway(lab, keys):
    """It stays for all tests."""
    gw = Gateway(lab, "gateway", CONF, keys).start()
    yield gw
    gw.stop(20)


def n_up(gw):
    """Peers that are up."""
    return sum(p["state"] == "up" for p in gw.json("status")["realms"][0]["peers"])


def n_from(gw, ip):
    """Peers that are up from this address, whatever the port."""
    return sum(p["state"] == "up" and str(p["remote"]).startswith(ip)
               for p in gw.json("status")["realms"][0]["peers"])


def test_all_of_them_behind_one_nat(lab, gateway):
    """One address for everybody, as in an office: nobody waits because others log in, too.
    The first of the tests: who was here before, the gateway would still look for."""
    lab.need("crowd", "nft", "add table ip nat; add chain ip nat out "
             "{ type nat hook postrouting priority 100; }; "
             "add rule ip nat out ip saddr 10.128.0.0/9 oifname wan0 masquerade random")
    crowd = Dial(lab, N, N)
    try:
        crowd.go()
        n, took, n_lease, _ = crowd.came()
        assert (n, n_lease) == (N, N), gateway.log()[-2000:]
        assert took < SECONDS
        assert until(30, lambda: n_from(gateway, CROWD) == N, 0.5), n_from(gateway, CROWD)
        assert not gateway.lines("too many failures"), gateway.log()[-2000:]
    finally:
        crowd.gone()
        lab.need("crowd", "nft", "delete table ip nat")


def test_five_hundred_come_at_once_and_one_more_among_them(lab, gateway, keys):
    """Everybody gets in, with an address of his own; who comes amid that does, too; and
    when they are gone, so is what they took."""
    hanako = Gateway(lab, "hanako", CLIENT, {"ca.pem": keys["ca.pem"],
                                             "hanako@r0.bench.eap": WORD + "\n"})
    crowd = Dial(lab, N, N)
    try:
        crowd.go()
        began = time.monotonic()
        hanako.start()
        assert until(SECONDS, hanako.is_up), hanako.log()
        assert time.monotonic() - began < SECONDS
        n, took, n_lease, _ = crowd.came()
        assert (n, n_lease) == (N, N), gateway.log()[-2000:]
        assert took < SECONDS
        assert until(5, lambda: n_up(gateway) == N + 1), n_up(gateway)
        assert lab.until_ping("hanako", "172.16.0.1", 5), hanako.log()
        text = gateway.tapir("status", "people").stdout
        assert f"{N + 1} of " in text, text[-300:]
        assert max(map(len, text.splitlines())) <= 100
        assert not gateway.lines("tapir-secure", "ended"), gateway.log()[-2000:]
        crowd.gone()
        assert until(60, lambda: n_up(gateway) == 1, 1), n_up(gateway)
        assert hanako.is_up() and lab.until_ping("hanako", "172.16.0.1", 5)
        assert until(15, lambda: "p1@r0.bench" not in json.dumps(
            gateway.json("hub", "people", "ports")), 0.5)
    finally:
        crowd.gone()
        hanako.stop()


def test_they_come_again_and_find_their_addresses(lab, gateway):
    """Each the one it had, whatever the order in which they come."""
    given = []
    for at_once in 32, 200:
        crowd = Dial(lab, N, at_once)
        try:
            crowd.go()
            n, _, n_lease, who_has_what = crowd.came()
            assert (n, n_lease) == (N, N), gateway.log()[-2000:]
            given.append(who_has_what)
        finally:
            crowd.gone()
    assert given[0] == given[1]
