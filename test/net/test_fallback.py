# SPDX-License-Identifier: Apache-2.0
"""The packet path without what a kernel may lack: slower, but nothing is lost or changed."""
import pytest

from gateway import Offices

V4, V6 = "192.0.2.2", "2001:db8:1::2"
LACKING = ("tap-gso", "uso", "udp-gso", "udp-gro", "packet-ring")
# name: what both ends do without, outer address, encap, names that `tapir stats` must show
FORMS = {
    "nothing": ("", V4, "udp", ()),
    "nothing-ipv6": ("", V6, "udp", ()),
    "uso": ("uso", V4, "udp", ("uso",)),
    "tap-gso": ("tap-gso", V4, "udp", ("tap-gso", "uso")),
    "udp-gso": ("udp-gso", V4, "udp", ("udp-gso",)),
    "udp-gso-ipv6": ("udp-gso", V6, "udp", ("udp-gso",)),
    "udp-gro": ("udp-gro", V4, "udp", ("udp-gro",)),
    "udp-gro-ipv6": ("udp-gro", V6, "udp", ("udp-gro",)),
    "everything": ("tap-gso,uso,udp-gso,udp-gro,packet-ring", V4, "esp",
                   ("tap-gso", "uso", "udp-gso", "udp-gro", "packet-ring")),
    "mangled": ("gso-mangled", V4, "udp", ("udp-gso",)),
    "refused": ("gso-refused", V4, "udp", ()),
    "refused-ipv6": ("gso-refused", V6, "udp", ()),
}


class Joined(Offices):
    """Both gateways up in one of FORMS."""

    def __init__(self, lab, form):
        words, addr, encap, self.shown = FORMS[form]
        self.form = form
        super().__init__(lab, addr, f'encap="{encap}"', 'log="info" workers="2"',
                         ("--force-fallback", words) if words else ())

    def count(self, key):
        """A counter of gw-a's workers."""
        return sum(self.a.stat(f"worker{i}-{key}") for i in range(2))


@pytest.fixture(scope="module", params=list(FORMS))
def joined(lab, request):
    """Both ends up, a new pair for each form."""
    made = Joined(lab, request.param)
    yield made
    made.stop()


def test_echoes_of_every_size_cross(joined):
    """Inside IPv4 and IPv6, whole and in pieces outside."""
    for to in "10.0.0.2", "fd00::2":
        for size in (0, 600, 1400, 1452, 9000):
            assert joined.lab.ping("host-a", to, 2, size=size) == 2, (to, size)


def test_bulk_crosses_both_ways(joined):
    """Every byte of a stream arrives, whichever end sends."""
    for reverse in False, True:
        assert joined.lab.tcp("host-b", "host-a", "10.0.0.2", size="16M", reverse=reverse) > 0
    assert joined.lab.tcp("host-b", "host-a", "fd00::2", size="4M") > 0
    for gw in joined.a, joined.b:
        for name in "esp-icv", "esp-replay", "send-failed":
            assert gw.stat(name) == 0, name


def test_what_is_lacking_is_shown(joined):
    """And nothing else."""
    for gw in joined.a, joined.b:
        for name in LACKING:
            assert gw.stat(f"without-{name}") == (name in joined.shown), name
    trains, refused = joined.count("sent-trains"), joined.count("refused-trains")
    if "udp-gso" in joined.shown or joined.form.startswith("refused"):
        assert trains == 0
    elif joined.form not in ("tap-gso", "everything"):
        assert trains > 100, "bulk leaves in trains"
    if joined.form.startswith("refused"):
        assert refused > 0
    if joined.form == "mangled":
        assert joined.a.lines("changes packets", level="WARN")
