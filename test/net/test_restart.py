# SPDX-License-Identifier: Apache-2.0
"""Processes die, whole ends die, and a clean end leaves the machine as it was."""
import json
import os

import pytest

from gateway import Gateway, office, realm, vpn
from lab import until, within

MAIN_SECONDS = 25       # dpd=1 dead=3 and a redial; generous for a busy machine


@pytest.fixture
def joined(lab):
    """Tunnel up, new for each test."""
    b = Gateway(lab, "gw-b", office("osaka"))
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"))
    try:
        b.start()
        a.start()
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        yield a, b
    finally:
        a.stop()
        b.stop()


@pytest.mark.parametrize("who", ["dialler", "listener"])
def test_tunnel_returns_after_an_end_was_killed(lab, joined, who):
    """SIGKILL to every process of one end, a new start, and traffic flows again."""
    gw = joined[0] if who == "dialler" else joined[1]
    gw.kill()
    assert not lab.ping("host-a", "10.0.0.2", wait=1)
    gw.start()
    assert lab.until_ping("host-a", "10.0.0.2", MAIN_SECONDS), joined[0].log()
    assert lab.ping("host-b", "10.0.0.1", 5) == 5
    for end in joined:
        assert [p["state"] for p in end.json("status")["realms"][0]["peers"]] == ["up"]


def patient(text):
    """Nobody is believed dead for minutes: what happens sooner has another reason."""
    return text.replace('dpd="1" dead="3"', 'dpd="300" dead="300"')


@pytest.mark.parametrize("encap", ["udp", "esp"])
def test_a_restart_is_noticed_at_once(lab, encap):
    """RFC 6290: SIGKILL to all of the listener; its peer asks at the first lost packet."""
    attrs = f'bridge="br-lan" encap="{encap}"'
    b = Gateway(lab, "gw-b", patient(office("osaka", attrs=attrs)))
    a = Gateway(lab, "gw-a", patient(office("tokyo", at="192.0.2.2", attrs=attrs)))
    try:
        b.start()
        a.start()
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        for _ in range(2):
            b.kill()
            b.start()
            assert lab.until_ping("host-a", "10.0.0.2", 5), a.log() + b.log()
        assert len(a.lines("proves that it lost this SA")) == 2, a.log()
        secret = os.path.join(b.dir, "keys", "qcd.secret")
        assert os.stat(secret).st_mode & 0o777 == 0o600
    finally:
        a.stop()
        b.stop()


def test_without_tokens_a_restart_is_not_believed(lab):
    """qcd="no" on one end: INVALID_SPI alone ends nothing."""
    b = Gateway(lab, "gw-b", patient(office("osaka", top='log="info" qcd="no"')))
    a = Gateway(lab, "gw-a", patient(office("tokyo", at="192.0.2.2")))
    try:
        b.start()
        a.start()
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        b.kill()
        b.start()
        assert not within(4, lambda: lab.ping("host-a", "10.0.0.2"), 0.1)
        assert not a.lines("proves that it lost this SA")
        assert a.json("status")["realms"][0]["peers"][0]["state"] in ("up", "suspect")
    finally:
        a.stop()
        b.stop()


@pytest.mark.parametrize("who", [0, 1])
def test_secure_process_dies_and_traffic_goes_on(lab, joined, who):
    """No packet is lost, a new one is started, and it authenticates."""
    gw = joined[who]
    flow = lab.spawn("host-a", "ping", "-n", "-i", "0.05", "-c", "40", "-W", "2", "10.0.0.2",
                     name="flow")
    old = gw.kill_role("secure")
    flow.wait(10)
    assert " 40 received" in flow.text(), flow.text()
    assert until(5, lambda: gw.pid("secure") not in (0, old)), gw.log()
    assert until(5, lambda: gw.lines("the secure process is back")), gw.log()
    assert joined[0].tapir("down", "branches/osaka").returncode == 0
    assert until(5, lambda: not joined[0].is_up() and not joined[1].is_up())
    assert joined[0].tapir("up", "branches/osaka").returncode == 0
    assert lab.until_ping("host-a", "10.0.0.2", 15), gw.log()


@pytest.mark.parametrize("who", [0, 1])
def test_main_process_dies_and_is_started_again(lab, joined, who):
    """The supervisor starts both again, with the same TAP and the same MAC address."""
    gw = joined[who]
    before = gw.json("status")["realms"][0]["mac"]
    old = gw.kill_role("main")
    assert until(5, lambda: gw.pid("main") not in (0, old)), gw.log()
    assert lab.until_ping("host-a", "10.0.0.2", MAIN_SECONDS), gw.log()
    assert gw.json("status")["realms"][0]["mac"] == before
    assert gw.lines("the main process ended", level="ERROR")


def test_mac_address_survives_a_restart(lab, joined):
    """Switches outside must not see a new station each time."""
    path = "/sys/class/net/tap-branches/address"
    before = lab.need("gw-a", "cat", path)
    joined[0].stop()
    joined[0].start()
    assert lab.need("gw-a", "cat", path) == before
    assert int(before[:2], 16) & 3 == 2, "locally administered, not a group"
    assert lab.need("gw-b", "cat", path) != before


def test_down_and_up_by_command(lab, joined):
    """The peer is told at once, and comes back when asked."""
    a, b = joined
    assert a.tapir("down", "osaka").returncode != 3
    assert a.tapir("down", "branches").returncode == 0
    assert until(3, lambda: not b.is_up()), b.log()
    assert not lab.ping("host-a", "10.0.0.2")
    assert a.tapir("up", "branches").returncode == 0
    assert lab.until_ping("host-a", "10.0.0.2", 10)


def snapshot(lab, node):
    """Links, addresses, routes, neighbours' tables of a node, without counters."""
    out = {}
    for words in ("-d link", "addr", "route show table all", "-6 route show table all",
                  "rule", "-6 rule"):
        doc = json.loads(lab.need(node, "ip", "-j", *words.split()) or "[]")
        for row in doc:
            for key in ("expires", "valid_life_time", "preferred_life_time"):
                row.pop(key, None)
            info = row.get("linkinfo", {})
            for key in ("info_data", "info_slave_data"):
                for timer in [k for k in info.get(key, {}) if "timer" in k]:
                    info[key].pop(timer)
        out[words] = sorted(json.dumps(row, sort_keys=True) for row in doc)
    return out


def wide_conf(at=""):
    """Two realms: a bridged one, and one with addresses and routes."""
    me, peer = ("tokyo", "osaka") if at else ("osaka", "tokyo")
    n = 1 if at else 2
    second = realm(f"{me}-ip", f"{peer}-ip", at,
                   f'mode="ip" address="10.9.{n}.1/24 fd09:{n}::1/64"', name="routed",
                   inner=f'    <net local="10.9.{n}.0/24 fd09:{n}::/64" '
                         f'remote="10.9.{3 - n}.0/24 fd09:{3 - n}::/64"/>\n')
    return vpn(realm(me, peer, at), second)


def test_clean_end_restores_the_machine(lab):
    """SIGTERM: status 0, the peer is told, links, addresses and routes are as before."""
    keys = {"branches.psk": "0x" + os.urandom(32).hex(), "routed.psk": os.urandom(16).hex()}
    a = Gateway(lab, "gw-a", wide_conf("192.0.2.2"), keys)
    b = Gateway(lab, "gw-b", wide_conf(), keys)
    # what the kernel itself still does after the topology was made
    assert until(5, lambda: not any("tentative" in lab.need(n, "ip", "addr")
                                    for n in ("gw-a", "gw-b")), 0.2)
    before = {n: snapshot(lab, n) for n in ("gw-a", "gw-b")}
    try:
        b.start()
        a.start()
        assert lab.until_ping("gw-a", "10.9.2.1", 10, source="10.9.1.1"), a.log()
        assert lab.until_ping("gw-a", "fd09:2::1", 5, source="fd09:1::1"), a.log()
        assert lab.until_ping("host-a", "10.0.0.2", 5)
        assert snapshot(lab, "gw-a") != before["gw-a"]
        assert a.stop() == 0, a.log()
        assert until(3, lambda: not b.is_up()), "the peer was not told"
        assert not a.pids_left()
        assert b.stop() == 0, b.log()
        for gw in a, b:
            assert until(2, lambda gw=gw: snapshot(lab, gw.node) == before[gw.node], 0.2), \
                diff(before[gw.node], snapshot(lab, gw.node))
            assert sorted(os.listdir(gw.run_dir)) == []
    finally:
        a.stop()
        b.stop()


@pytest.mark.parametrize("how", ["reload", "secure"])
def test_routes_are_still_ours_after_another_secure_process(lab, how):
    """They go with the tunnel and come with it, although another process set them."""
    keys = {"branches.psk": "0x" + os.urandom(32).hex(), "routed.psk": os.urandom(16).hex()}
    b = Gateway(lab, "gw-b", wide_conf(), keys).start()
    a = Gateway(lab, "gw-a", wide_conf("192.0.2.2"), keys).start()

    def routes():
        return lab.need("gw-a", "ip", "route", "show", "proto", "static", "dev", "tap-routed")
    try:
        assert lab.until_ping("gw-a", "10.9.2.1", 10, source="10.9.1.1"), a.log()
        if how == "secure":
            old = a.kill_role("secure")
            assert until(5, lambda: a.pid("secure") not in (0, old) and
                         a.lines("the secure process is back"))
        else:
            a.write(wide_conf("192.0.2.2").replace('mode="ip"', 'mode="ip" child-life="4000"'),
                    keys)
            assert a.tapir("reload").returncode == 0
        assert "10.9.2.0/24" in routes()
        assert lab.ping("gw-a", "10.9.2.1", 3, source="10.9.1.1") == 3
        b.kill()                # the new SA is there before the old one goes
        b.start()
        assert lab.until_ping("gw-a", "10.9.2.1", MAIN_SECONDS, source="10.9.1.1"), a.log()
        assert not within(1, lambda: "10.9.2.0/24" not in routes())
        for _ in range(2):
            assert a.tapir("down", "routed").returncode == 0
            assert until(5, lambda: "10.9.2.0/24" not in routes()), a.log()
            assert a.tapir("up", "routed").returncode == 0
            assert lab.until_ping("gw-a", "10.9.2.1", 10, source="10.9.1.1"), a.log()
            assert "10.9.2.0/24" in routes()
        assert not a.lines("another way")
    finally:
        a.stop()
        b.stop()


def diff(old, new):
    """What is in one snapshot and not in the other."""
    return "\n".join(f"{key}: {sign} {row}" for key in old
                     for sign, some, other in (("-", old, new), ("+", new, old))
                     for row in some[key] if row not in other[key])


def test_nothing_stays_after_a_kill(lab, joined):
    """SIGKILL to all at once: the TAP goes with its descriptors, a new start is clean."""
    a = joined[0]
    a.kill()
    assert until(2, lambda: "tap-branches" not in lab.need("gw-a", "ip", "link"))
    a.start()
    assert not a.lines(level="ERROR")
