# SPDX-License-Identifier: Apache-2.0
"""Frames behind a path that changes their order: as they come, or in order."""
import os

import pytest

from gateway import Gateway, office
from lab import Lab, until

TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tools.py")
COUNT = 1500


@pytest.fixture(scope="module")
def lab():
    """left dials a relay that delivers every fifth datagram up to 200 ms late."""
    made = Lab()
    made.add("left", "mid", "right")
    made.wire("left", "wan0", "mid", "l0")
    made.wire("mid", "r0", "right", "wan0")
    made.batch("left", "addr add 192.0.2.2/24 dev wan0\n")
    made.batch("mid", "addr add 192.0.2.1/24 dev l0\naddr add 198.51.100.1/24 dev r0\n")
    made.batch("right", "addr add 198.51.100.2/24 dev wan0\n"
                        "route add 192.0.2.0/24 via 198.51.100.1\n")
    relay = made.spawn("mid", "/usr/bin/python3", TOOLS, "relay", "192.0.2.1", "198.51.100.2",
                       0, 0, 20, name="relay")
    assert until(5, lambda: "relaying" in relay.text()), relay.text()
    yield made
    made.close()


@pytest.mark.parametrize("order", ["any", "strict"])
def test_order_is_kept_where_it_is_wanted(lab, order):
    """Without the option they come as they came; with it none comes behind a later one."""
    attrs = 'mode="ether" encap="udp" address="10.9.0.{}/24" ' + f'order="{order}"'
    right = Gateway(lab, "right", office("osaka", attrs=attrs.format(2))).start()
    left = Gateway(lab, "left", office("tokyo", at="192.0.2.1", attrs=attrs.format(1))).start()
    try:
        assert lab.until_ping("left", "10.9.0.2", 20)
        sink = lab.spawn("right", "/usr/bin/python3", TOOLS, "seq-sink", "10.9.0.2", 7777, 2,
                         name=f"sink-{order}")
        assert until(5, lambda: "listening" in sink.text())
        lab.need("left", "/usr/bin/python3", TOOLS, "seq-source", "10.9.0.2", "7777",
                 str(COUNT), timeout=40)
        assert sink.wait(20) == 0
        came, behind = (int(x) for x in sink.text().splitlines()[-1].split())
        late = right.stat("esp-late")
        if order == "any":
            assert came == COUNT and behind > COUNT // 20 and late == 0
        else:
            assert behind == 0 and came > COUNT * 2 // 3
            assert late >= COUNT - came > 0
        # it is about packets of the tunnel; nobody is any the worse for it
        assert right.peer()["state"] == "up"
    finally:
        left.stop()
        right.stop()
