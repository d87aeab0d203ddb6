# SPDX-License-Identifier: Apache-2.0
"""New keys while traffic flows: no packet is lost."""
import pytest

from gateway import Gateway, office
from lab import until, within


@pytest.fixture(scope="module")
def ends(lab):
    """Tunnel up."""
    attrs = 'bridge="br-lan" resources="off"'
    b = Gateway(lab, "gw-b", office("osaka", attrs=attrs)).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", attrs=attrs)).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    yield a, b
    a.stop()
    b.stop()


def flow(lab):
    """Three seconds of echoes, 50 a second."""
    return lab.spawn("host-a", "ping", "-n", "-i", "0.02", "-c", "150", "-W", "2", "10.0.0.2",
                     name="flow")


@pytest.mark.parametrize("end", [0, 1])
@pytest.mark.parametrize("what", ["child", "ike"])
def test_rekey_by_command_loses_nothing(lab, ends, end, what):
    """Twice in a row, from either end."""
    gw, peer = ends[end], ("osaka", "tokyo")[end]
    run = flow(lab)
    for _ in range(2):
        old = gw.peer()["spi_in"], gw.stat("ike-rekeys")
        done = gw.tapir("rekey", f"branches/{peer}", what)
        assert done.returncode == 0, done.stdout
        changed = (lambda: gw.peer()["spi_in"] != old[0]) if what == "child" else \
            (lambda: gw.stat("ike-rekeys") > old[1])
        assert until(4, changed), gw.log()
    run.wait(15)
    assert " 150 received" in run.text(), run.text()[-300:]
    for x in ends:
        assert x.is_up()
        assert until(5, lambda x=x: x.stat("child-sa") == 1), "the old SA stays"
        # one that was closed may still repeat its last answer
        assert until(12, lambda x=x: x.stat("ike-sa") == 1, 0.5)


def test_both_ends_at_once(lab, ends):
    """A collision: one of two survives, traffic goes on."""
    run = flow(lab)
    for what in "child", "ike":
        procs = [lab.spawn(gw.node, *_cli(gw), "rekey", f"branches/{peer}", what)
                 for gw, peer in zip(ends, ("osaka", "tokyo"))]
        for p in procs:
            assert p.wait(5) == 0, p.text()
        within(0.8, lambda: False)
    run.wait(15)
    assert " 150 received" in run.text(), run.text()[-300:]
    for x in ends:
        assert until(12, lambda x=x: x.stat("child-sa") == 1 and x.stat("ike-sa") == 1,
                     0.5)


def _cli(gw):
    from gateway import TAPIR
    return TAPIR, "--run-dir", gw.run_dir


def test_short_life_rekeys_by_itself(lab, ends):
    """child-life=10: replaced before it ends, nothing lost."""
    for gw in ends:
        gw.stop()
    attrs = 'bridge="br-lan" resources="off" child-life="10"'
    b = Gateway(lab, "gw-b", office("osaka", attrs=attrs)).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", attrs=attrs)).start()
    try:
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        old = a.peer()["spi_in"]
        run = lab.spawn("host-a", "ping", "-n", "-i", "0.05", "-c", "240", "-W", "2", "10.0.0.2")
        assert until(12, lambda: a.peer()["spi_in"] != old, 0.2), a.log()
        run.wait(20)
        assert " 240 received" in run.text(), run.text()[-300:]
    finally:
        a.stop()
        b.stop()


@pytest.mark.parametrize("life", ['child-packets="1000"', 'child-bytes="1"'])
def test_life_in_packets_or_bytes(lab, ends, life):
    """New keys before a thousand packets or a mebibyte, and nothing is lost."""
    for gw in ends:
        gw.stop()
    attrs = f'bridge="br-lan" resources="off" {life}'
    b = Gateway(lab, "gw-b", office("osaka", attrs=attrs)).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", attrs=attrs)).start()
    try:
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        run = lab.spawn("host-a", "ping", "-n", "-i", "0.002", "-c", "2500", "-s", "800", "-W", "2",
                        "10.0.0.2")
        run.wait(30)
        assert " 2500 received" in run.text(), run.text()[-300:]
        assert a.stat("ike-rekeys") >= 2 and b.stat("ike-rekeys") >= 2
        assert a.is_up() and b.is_up()
    finally:
        a.stop()
        b.stop()
