# SPDX-License-Identifier: Apache-2.0
"""Several ESP SAs between two gateways, so that both use all their workers (RFC 9611)."""
import json

import pytest

from gateway import Gateway, office
from lab import until, within


def join(lab, a_top, b_top, a_attrs="", b_attrs=""):
    """Both ends up."""
    b = Gateway(lab, "gw-b", office("osaka", top=f'log="info" {b_top}',
                                    attrs=f'bridge="br-lan" {b_attrs}')).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", top=f'log="info" {a_top}',
                                    attrs=f'bridge="br-lan" {a_attrs}')).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    return a, b


def children(gw):
    """Its child SAs that are neither replaced nor going."""
    return [c for c in gw.peer()["children"] if not c["old"]]


def both_have(ends, n, seconds=6):
    """Wait until each end has n child SAs."""
    return until(seconds, lambda: all(len(children(gw)) == n for gw in ends))


def stop(ends):
    """End both."""
    for gw in ends:
        gw.stop()


@pytest.fixture(scope="module")
def ends(lab):
    """Two workers on each end."""
    made = join(lab, 'workers="2"', 'workers="2"')
    yield made
    stop(made)


def test_one_sa_for_each_worker(ends):
    """Each end made its inbound SAs for different workers."""
    assert both_have(ends, 2), [children(gw) for gw in ends]
    for gw in ends:
        assert sorted(c["worker"] for c in children(gw)) == [0, 1]
        assert gw.stat("child-sa") == 2


def overtaken(lab, host):
    """Segments that came to a host before one that was sent earlier."""
    rows = lab.need(host, "cat", "/proc/net/netstat").splitlines()
    names, values = (r.split() for r in rows[:2])
    return int(values[names.index("TCPOFOQueue")])


def streams(lab, reverse):
    """Eight TCP streams at once; how many segments were overtaken."""
    receiver = "host-a" if reverse else "host-b"
    before = overtaken(lab, receiver)
    server = lab.spawn("host-b", "iperf3", "-s", "-1", "-p", "5400", name="iperf-server")
    try:
        assert until(3, lambda: ":5400" in lab.need("host-b", "ss", "-ltn"))
        out = lab.need("host-a", "iperf3", "-c", "10.0.0.2", "-p", "5400", "-P", "8", "-t", "2",
                       "-b", "20M", "-J", *(["-R"] if reverse else []))
    finally:
        server.wait(3)
    assert json.loads(out)["end"]["sum_received"]["bytes"] > 20e6
    return overtaken(lab, receiver) - before


@pytest.mark.parametrize("reverse", [False, True])
def test_streams_use_all_of_them_both_ways_and_keep_their_order(lab, ends, reverse):
    """Every SA carries packets, and those of a stream come as they were sent."""
    before = [{c["spi_in"]: (c["rx_packets"], c["tx_packets"]) for c in children(gw)}
              for gw in ends]
    assert streams(lab, reverse) == 0
    for gw, was in zip(ends, before):
        now = {c["spi_in"]: (c["rx_packets"], c["tx_packets"]) for c in children(gw)}
        used = [spi for spi in was if now[spi][0] - was[spi][0] > 50 and
                now[spi][1] - was[spi][1] > 50]
        assert len(used) == 2, (was, now)


@pytest.mark.parametrize("what", ["child", "ike"])
def test_each_gets_new_keys_and_nothing_is_lost(lab, ends, what):
    """While echoes of many flows cross."""
    a = ends[0]
    old = {c["spi_in"] for c in children(a)}, a.stat("ike-rekeys")
    run = [lab.spawn("host-a", "ping", "-n", "-i", "0.02", "-c", "100", "-W", "2", "10.0.0.2"),
           lab.spawn("host-b", "ping", "-n", "-i", "0.02", "-c", "100", "-W", "2", "fd00::1")]
    assert a.tapir("rekey", "branches/osaka", what).returncode == 0
    if what == "child":
        assert until(4, lambda: len(children(a)) == 2 and
                     not old[0] & {c["spi_in"] for c in children(a)})
    else:
        assert until(4, lambda: a.stat("ike-rekeys") > old[1])
    for r in run:
        r.wait(10)
        assert " 100 received" in r.text(), r.text()[-300:]
    assert both_have(ends, 2)
    assert until(5, lambda: all(gw.stat("child-sa") == 2 for gw in ends))


def test_status_shows_them(ends):
    """In words, too."""
    text = ends[0].tapir("status", "branches/osaka").stdout
    assert text.count("ESP SA") == 2, text


def test_a_single_worker_does_not_ask_but_agrees(lab, ends):
    """osaka alone has two workers: tokyo dials and asks for nothing."""
    stop(ends)
    made = join(lab, 'workers="1"', 'workers="2"')
    assert not within(3, lambda: len(children(made[0])) > 1, 0.5)
    stop(made)
    # asked by the end with two workers, the other makes no difficulty
    made = join(lab, 'workers="2"', 'workers="1"')
    try:
        assert both_have(made, 2), [children(gw) for gw in made]
    finally:
        stop(made)


def test_off_and_a_number_of_ones_own(lab):
    """resources= of either end counts."""
    made = join(lab, 'workers="2"', 'workers="2"', b_attrs='resources="off"')
    assert not within(3, lambda: len(children(made[0])) > 1, 0.5)
    stop(made)
    made = join(lab, 'workers="2"', 'workers="2"', a_attrs='resources="5"')
    try:
        assert both_have(made, 5), [children(gw) for gw in made]
    finally:
        stop(made)
