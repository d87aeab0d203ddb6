# SPDX-License-Identifier: Apache-2.0
"""Two commands join two offices that have nothing but the programs; the second key of an
invitation opens nothing for a third."""
import os

import pytest

import topo
from gateway import TAPIR, Gateway
from lab import until

TOPOLOGY = topo.sites  # bridges br-lan, hosts behind them


class Office(Gateway):
    """A gateway whose configuration is written by commands."""

    def __init__(self, lab, node):
        super().__init__(lab, node, "", {"x": ""})
        os.unlink(os.path.join(self.dir, "keys", "x"))
        os.unlink(self.conf_path)
        os.rmdir(os.path.join(self.dir, "keys"))

    def does(self, *argv):
        """A command that changes it."""
        done = self.lab.run(self.node, TAPIR, *argv, "-c", self.conf_path)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def offices(lab):
    """Nothing is there but two names of files."""
    a, b = Office(lab, "gw-a"), Office(lab, "gw-b")
    yield a, b
    a.stop()
    b.stop()


def test_two_commands_join_two_offices(lab, offices):
    """invite here, join there: the hosts behind both are in one Ethernet."""
    a, b = offices
    paper = os.path.join(a.dir, "osaka.invite")
    a.does("invite", "osaka", "--at", "192.0.2.1", "--name", "tokyo", "--lan", "br-lan", "-o",
           paper)
    b.does("join", paper, "--lan", "br-lan", "--yes")
    a.start()
    b.start()
    assert lab.until_ping("host-a", "10.0.0.2", 10), a.log() + b.log()
    assert a.is_up() and b.is_up()


def test_a_third_office_joins_while_the_first_two_work(lab, offices):
    """One more peer by reload; each has a key of its own."""
    a, b = offices
    if not a.is_up():
        pytest.skip("the first two are not joined")
    paper = os.path.join(a.dir, "nara.invite")
    a.does("invite", "nara", "--at", "192.0.2.1", "-o", paper)
    assert a.tapir("reload").returncode == 0
    assert until(5, lambda: any(p["name"] == "nara" for r in a.json("status")["realms"]
                                for p in r["peers"]))
    assert lab.ping("host-a", "10.0.0.2")
    keys = {name: open(os.path.join(a.dir, "keys", name), encoding="ascii").read()
            for name in ("branches-osaka.psk", "branches-nara.psk")}
    assert len(set(keys.values())) == 2
