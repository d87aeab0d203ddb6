# SPDX-License-Identifier: Apache-2.0
"""Who lost its connection comes back by a ticket (session resumption, RFC 5723)."""
import pytest

import topo
from gateway import Gateway, realm, vpn
from lab import until

INNER = '    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n'
INNER_B = '    <net local="10.2.0.0/24" remote="10.1.0.0/24"/>\n'
ATTRS = 'mode="ip" encap="udp"'
WORDS = "resumed by a ticket"


@pytest.fixture(name="lab", scope="module")
def _lab():
    """left and right."""
    made = topo.pair()
    yield made
    made.close()


def ends(lab, attrs=""):
    """The gateway on the right, and who dials it."""
    b = Gateway(lab, "right", vpn(realm("osaka", "tokyo", "", ATTRS, inner=INNER_B))).start()
    a = Gateway(lab, "left", vpn(realm("tokyo", "osaka", "192.0.2.2", f"{ATTRS} {attrs}",
                                       inner=INNER))).start()
    return a, b


def lose(lab, a, b, n=1):
    """Nothing passes until both ends have given the other up n times, and then again."""
    assert lab.until_ping("left", "10.2.0.1", 10, source="10.1.0.1"), a.log() + b.log()
    lab.batch("inet", "link set p1 nomaster\n")
    try:
        assert until(15, lambda: all(len(g.lines("is down: no answer")) >= n for g in (a, b))), a.log() + b.log()
    finally:
        lab.batch("inet", "link set p1 master br0\n")
    assert lab.until_ping("left", "10.2.0.1", 20, source="10.1.0.1"), a.log() + b.log()


def test_a_lost_connection_is_resumed_each_time_by_a_new_ticket(lab):
    """Without the credentials; both ends say so."""
    a, b = ends(lab)
    try:
        for n in 1, 2:
            lose(lab, a, b, n)
            assert len(a.lines(WORDS)) == n, a.log()
            assert len(b.lines(WORDS)) == n, b.log()
    finally:
        a.stop()
        b.stop()


def test_a_gateway_that_began_anew_takes_no_ticket_and_all_goes_on(lab):
    """Its keys of tickets are gone: a full set-up follows."""
    a, b = ends(lab)
    try:
        assert lab.until_ping("left", "10.2.0.1", 10, source="10.1.0.1"), a.log()
        b.kill()
        b.start()
        assert lab.until_ping("left", "10.2.0.1", 20, source="10.1.0.1"), a.log() + b.log()
        assert a.lines("the ticket is not taken"), a.log()
        assert not a.lines(WORDS) and not b.lines(WORDS), a.log()
    finally:
        a.stop()
        b.stop()


def test_resume_no_means_a_full_set_up(lab):
    """Nothing is asked for, so nothing is given."""
    a, b = ends(lab, 'resume="no"')
    try:
        lose(lab, a, b)
        assert not a.lines(WORDS) and not b.lines(WORDS), a.log()
    finally:
        a.stop()
        b.stop()
