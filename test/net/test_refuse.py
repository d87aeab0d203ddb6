# SPDX-License-Identifier: Apache-2.0
"""What must not work: each gives one clear line, and nothing comes up."""
import os

import pytest

from charon import Charon
from gateway import PSK, TAPIRD, Gateway, office, realm, vpn
from lab import until, within

OTHER = "a-quite-different-text-of-a-key-0123456789"
TOOLS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tools.py")


@pytest.fixture
def ends(lab):
    """A place for gateways that are always ended."""
    made = []
    yield made
    for gw in made:
        gw.stop()


def no_secret(*gateways):
    """No key in any log, as text or as hexadecimal."""
    for gw in gateways:
        for key in PSK, OTHER:
            assert key not in gw.log()
            assert key.encode().hex() not in gw.log().lower()


def refused(lab, a, b):
    """Neither end came up, and there is no way across."""
    within(1.5, lambda: False)
    assert a.peer()["state"] != "up"
    assert not b.is_up()
    assert not lab.ping("host-a", "10.0.0.2")


@pytest.mark.parametrize("wrong", ["dialler", "listener"])
def test_wrong_psk(lab, ends, wrong):
    """Both ends say so; debug logs hold no key."""
    keys = [{"branches.psk": PSK}, {"branches.psk": OTHER}]
    b = Gateway(lab, "gw-b", office("osaka"), keys[wrong == "listener"], ["--log-level", "debug"])
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"), keys[wrong == "dialler"],
                ["--log-level", "debug"])
    ends += [b.start(), a.start()]
    assert until(5, lambda: b.lines("authentication of tokyo", "failed")), b.log()
    assert until(5, lambda: a.peer().get("why")), a.log()
    refused(lab, a, b)
    said = b.lines("authentication of tokyo", "tokyo", "failed", level="WARN")
    assert said and "pre-shared key" in said[0] and "192.0.2.1" in said[0], b.log()
    tries = a.lines("connecting to")
    assert len(said) <= len(tries), "one line for each try"
    refusals = a.lines("authentication of osaka", "192.0.2.2", "failed", "psk", level="WARN")
    assert 0 < len(refusals) <= len(tries), a.log()
    assert b.stat("ike-auth-failed") >= 1
    no_secret(a, b)


def test_unknown_identity(lab, ends):
    """The listener names who came; the dialler learns only that it was refused."""
    b = Gateway(lab, "gw-b", office("osaka"), args=["--log-level", "debug"])
    a = Gateway(lab, "gw-a", vpn(realm("kyoto", "osaka", "192.0.2.2")),
                args=["--log-level", "debug"])
    ends += [b.start(), a.start()]
    assert until(5, lambda: b.lines("kyoto", "failed", level="WARN")), b.log()
    refused(lab, a, b)
    assert len(b.lines("kyoto", "failed")) <= len(a.lines("connecting to"))
    assert a.lines("osaka", level="WARN"), a.log()
    no_secret(a, b)


def foreign(lab, **more):
    """A strongSwan in gw-b whose algorithms nobody shares."""
    return Charon(lab, "gw-b", local="192.0.2.2", remote="192.0.2.1", local_id="osaka",
                  remote_id="tokyo", local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24",
                  ike="aes256-sha512-modp8192", esp="aes256-sha512", **more)


IP_ATTRS = 'mode="ip"'
IP_NET = '    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n'


def test_no_algorithm_in_common_as_initiator(lab, ends):
    """The line says what was refused and what to do."""
    other = foreign(lab)
    ends.append(other.start())
    a = Gateway(lab, "gw-a", office("tokyo", "192.0.2.2", IP_ATTRS, inner=IP_NET))
    ends.append(a.start())
    assert until(6, lambda: a.lines("cannot be reached", level="WARN")), a.log()
    line = a.lines("cannot be reached", level="WARN")[0]
    assert "proposal" in line or "algorithm" in line or "suite" in line, line
    assert a.peer()["state"] != "up"
    no_secret(a)


def test_no_algorithm_in_common_as_responder(lab, ends):
    """Counted by name, and one line."""
    a = Gateway(lab, "gw-a", office("tokyo", "", IP_ATTRS, inner=IP_NET))
    ends.append(a.start())
    other = foreign(lab)
    ends.append(other.start())
    assert "NO_PROP" in other.initiate() or "NO_PROP" in other.log()
    assert a.stat("ike-noprop") >= 1
    assert a.stat("ike-half-open") == 0
    assert not a.is_up()


def test_second_instance_on_the_same_run_directory(lab, ends):
    """It says who is there already, ends with 1, and the first one does not notice."""
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"))
    ends.append(a.start())
    done = lab.run("gw-a", TAPIRD, "--config", a.conf_path, "--run-dir", a.run_dir,
                   "--foreground")
    assert done.returncode == 1
    assert "another tapird runs" in done.stdout and str(a.proc.pid) in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert a.json("status")["realms"][0]["name"] == "branches"


@pytest.mark.parametrize("port", [500, 4500])
def test_port_in_use(lab, ends, port):
    """Which port, and what to do; nothing is left behind."""
    hold = lab.spawn("gw-a", "/usr/bin/python3", TOOLS, "hold", port)
    assert until(5, lambda: "held" in hold.text())
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"))
    ends.append(a.launch())
    try:
        assert a.proc.wait(5) == 1
    finally:
        hold.stop()
    assert len(a.lines(f"port {port} is in use", level="ERROR")) == 1, a.log()
    assert len(a.lines(level="ERROR")) == 1, a.log()
    assert not os.path.exists(os.path.join(a.run_dir, "ctl.sock"))


def ended_with(gw, status, *words):
    """It ended with this status and exactly one error line, which holds all words."""
    assert gw.proc.wait(8) == status, gw.log()
    said = gw.lines(level="ERROR")
    assert len(said) == 1, gw.log()
    for word in words:
        assert word in said[0], said[0]
    assert not gw.pids_left()
    assert not os.path.exists(os.path.join(gw.run_dir, "ctl.sock"))


def test_no_tun_device(lab, ends):
    """A container without /dev/net/tun."""
    hide = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /dev/net && exec "$0" "$@"')
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"), wrap=hide)
    ends.append(a.launch())
    ended_with(a, 1, "/dev/net/tun")


def test_missing_bridge(lab, ends):
    """Named, with what to do; it is waited for (test_bridge.py), and the rest works."""
    a = Gateway(lab, "gw-a", office("tokyo", "192.0.2.2", 'bridge="br-none"')).start()
    ends.append(a)
    assert until(5, lambda: a.lines("branches", "br-none", "ip link add", level="WARN")), a.log()
    assert "tap-branches" in lab.need("gw-a", "ip", "link")


def test_tap_name_taken(lab, ends):
    """Another interface has the name."""
    lab.batch("gw-a", "link add tap-branches type bridge\n")
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"))
    ends.append(a.launch())
    try:
        ended_with(a, 1, "tap-branches")
        assert "tap-branches" in lab.need("gw-a", "ip", "link"), "not ours to remove"
    finally:
        lab.batch("gw-a", "link del tap-branches\n")


def test_no_rights(lab, ends):
    """As nobody: status 1, what is missing, what to do."""
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"),
                wrap=("setpriv", "--reuid", "65534", "--clear-groups"))
    ends.append(a.launch())
    ended_with(a, 1, "root")


BROKEN = """<vpn>
  <realm name="branches" bridge="br-lan" siute="2026">
    <me id="tokyo" psk="branches.psk"/>
    <peer id="osaka" at="300.1.2.3:99999"/>
    <pear id="kobe"/>
  </realm>
  <realm name="branches" encap="gre">
    <me id="tokyo-2" psk="no-such-file.psk"/>
    <peer id="nara"/>
  </realm>
</vpn>
"""
BROKEN_LINES = (2, 4, 5, 7, 8)


def test_broken_configuration_names_every_mistake(lab, ends):
    """Status 2 and all lines, from the daemon and from the tool alike."""
    a = Gateway(lab, "gw-a", BROKEN)
    ends.append(a.launch())
    assert a.proc.wait(5) == 2, a.log()
    check = a.tapir("check", a.conf_path)
    assert check.returncode == 1
    for text in a.log(), check.stdout:
        for line in BROKEN_LINES:
            assert f"tapir.xml:{line}:" in text, text
        assert "suite" in text and "peer" in text, "did you mean"
    assert not os.path.exists(os.path.join(a.run_dir, "ctl.sock"))


def test_world_readable_key_is_refused(lab, ends):
    """Named with its mode."""
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2"))
    path = os.path.join(a.dir, "keys", "branches.psk")
    os.chmod(path, 0o644)
    ends.append(a.launch())
    try:
        assert a.proc.wait(5) == 2, a.log()
    finally:
        os.chmod(path, 0o600)
    assert "branches.psk is open to others (mode 0644)" in a.log()
    no_secret(a)
