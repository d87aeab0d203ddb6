# SPDX-License-Identifier: Apache-2.0
"""The unit under a real systemd: `make install` in a machine of its own, one gateway of two.

Started when it serves, reloaded, watched, started again after a crash, not started again with a
wrong configuration, ended; and the hardening of the unit is in nobody's way."""
import json
import os
import re
import signal

import pytest

import topo
from gateway import PSK, Gateway, office
from lab import until
from machine import Machine

TOPOLOGY = topo.pair  # two gateways

ACROSS = 'address="10.9.{}.1/16"'
CONF = office("tokyo", at="192.0.2.2", attrs=ACROSS.format(1), top='log="info"').replace(
    "<realm ", '<log/><log to="file" file="/var/log/tapir/events.log" level="info"/>\n'
    '  <web edit="yes"/>\n  <realm ', 1)
WORST = 2.6     # of systemd-analyze security; CHANGELOG and packaging/README.md say so
# shorter than the 60 s of the unit, so that a test can wait for it
WATCHDOG = "[Service]\nWatchdogSec=3\n"


@pytest.fixture(scope="module")
def machine(lab):
    """systemd in left, tapir installed and not started."""
    m = Machine(lab, "left")
    try:
        why = m.boot()
        if why:
            pytest.skip(why)
        m.install()
        m.write("/etc/systemd/system/tapir.service.d/watchdog.conf", WATCHDOG)
        m.need("systemctl", "daemon-reload")
        yield m
    finally:
        m.close()


@pytest.fixture(scope="module")
def peer(lab):
    """osaka, by hand."""
    gw = Gateway(lab, "right", office("osaka", attrs=ACROSS.format(2))).start()
    yield gw
    gw.stop()


def pids(m):
    """Processes of the unit, by their names."""
    out = {}
    for pid in m.need("systemctl", "show", "-P", "ControlGroup", "tapir").split():
        for line in m.run("sh", "-c", f"cat /sys/fs/cgroup{pid}/cgroup.procs "
                          f"/sys/fs/cgroup/systemd{pid}/cgroup.procs 2>/dev/null").stdout.split():
            words = m.run("tr", "\\0", " ", f"/proc/{line}/cmdline")
            out[int(line)] = words.stdout
    return out


def status(m):
    """The document of tapir status, {} when it does not serve."""
    done = m.run("tapir", "--json", "status")
    return json.loads(done.stdout) if done.returncode == 0 else {}


def is_up(m):
    """Is its one peer up?"""
    doc = status(m)
    return bool(doc) and doc["realms"][0]["peers"][0]["state"] == "up"


def journal(m, *words):
    """Records of the unit, oldest first."""
    out = m.need("journalctl", "-o", "json", "--no-pager", "-q", *words)
    return [json.loads(x) for x in out.splitlines()]


def test_a_wrong_configuration_is_not_tried_again(machine):
    """The mistake with its line is in the journal; the unit has failed, once."""
    machine.write("/etc/tapir/tapir.xml", CONF.replace("psk=", "pks="))
    assert machine.run("systemctl", "start", "tapir").returncode != 0
    assert machine.show("tapir", "ActiveState") == "failed"
    assert machine.show("tapir", "NRestarts") == "0"
    said = ""

    def read():
        """The journal takes its time."""
        nonlocal said
        said = machine.need("journalctl", "-u", "tapir", "--no-pager", "-o", "cat")
        return "did you mean" in said
    assert until(5, read) and re.search(r"tapir\.xml:\d+:\d+", said) and 'did you mean "psk"' in said, said
    machine.need("systemctl", "reset-failed", "tapir")


def test_it_is_started_when_it_serves(machine, peer, lab):
    """Type=notify: at the end of `systemctl start` commands are answered, and the tunnel comes."""
    machine.write("/etc/tapir/tapir.xml", CONF)
    machine.write("/etc/tapir/keys/branches.psk", PSK, 0o600)
    done = machine.run("systemctl", "start", "tapir")
    assert done.returncode == 0, machine.run("journalctl", "-u", "tapir", "--no-pager").stdout
    assert status(machine), "started and does not serve"
    assert machine.show("tapir", "Type") == "notify"
    assert machine.show("tapir", "ActiveState") == "active"
    assert lab.until_ping("left", "10.9.2.1", 10), \
        machine.run("journalctl", "-u", "tapir", "--no-pager").stdout
    assert machine.show("tapir", "StatusText")


def test_each_process_has_its_user(machine):
    """Under the unit as well: roles are apart, and root is the supervisor alone, with the
    process that carries what `tapird` has to do as root later."""
    users = {}

    def apart():
        """One that begins is root for a moment."""
        users.clear()
        for line in machine.need("ps", "-eo", "user:20=,args=").splitlines():
            user, args = line.split(None, 1)
            if "tapir" in args and "journal" not in args:
                users.setdefault(user, []).append(args)
        return {"root", "tapir", "tapir-sec", "tapir-web"} == set(users) and all(
            args.endswith("tapird --foreground") for args in users["root"])
    assert until(5, apart), users


def test_what_the_unit_permits_is_enough(machine, peer):
    """History, log file, journal with fields, MAC address kept, browser, capture, bug report."""
    assert until(5, lambda: machine.run("tapir", "history", "osaka").returncode == 0)
    assert machine.run("test", "-s", "/var/lib/tapir/history/history.db").returncode == 0
    assert until(5, lambda: "peer-up" in machine.run(
        "cat", "/var/log/tapir/events.log").stdout)
    up = []
    assert until(5, lambda: up.extend(journal(machine, "TAPIR_EVENT=peer-up")) or up)
    assert up[-1]["TAPIR_PEER"] == "osaka" and up[-1]["SYSLOG_IDENTIFIER"] == "tapird"
    link = machine.need("tapir", "web").split("#link=")[1].split()[0]
    assert len(link) == 64
    for words in (("netcheck",), ("why", "osaka"), ("rekey", "osaka"), ("rekey", "osaka", "ike"),
                  ("capture", "-w", "/root/x.pcapng", "--seconds", "1"), ("metrics",),
                  ("bugreport", "-o", "/root/bug.tar.gz")):
        done = machine.run("tapir", *words)
        assert done.returncode in (0, 1 if words[0] == "netcheck" else 0), (words, done.stdout)
    # the desk
    curl = ("curl", "-s", "--unix-socket", "/run/tapir/bus.sock", "-H", "Content-Type: application/json")
    token = re.search('token="([0-9a-f]+)"', machine.run(
        *curl, "-d", f'{{"link":"{link}"}}', "http://localhost/login").stdout)[1]
    machine.need("tapir", "ca", "init", "Our offices")
    for more, words in (('"certs"', "Our offices"), ('"ca-issue","name":"kobe.example.com"',
                                                     "kobe.example.com"),
                        ('"account-add","name":"jiro","role":"viewer","password":"correct horse"',
                         '"ok":true')):
        said = machine.run(*curl, "-H", f"Authorization: Bearer {token}", "-d",
                           f'{{"command":"desk","what":{more}}}', "http://localhost/desk").stdout
        assert words in said, (more, said)
    since = machine.show("tapir", "ExecMainStartTimestamp")
    warned = journal(machine, "SYSLOG_IDENTIFIER=tapird", "-p", "warning", "--since", since)
    assert not warned, [w["MESSAGE"] for w in warned]


def test_lines_before_the_log_is_there(machine):
    """What goes to standard error has its level in the journal, and its time once."""
    lines = []

    def read():
        """The journal takes its time."""
        lines[:] = [r for r in journal(machine, "SYSLOG_IDENTIFIER=tapird") if r.get(
            "_TRANSPORT") == "stdout" and "confined: " in r["MESSAGE"]]
        return len(lines) >= 3
    assert until(5, read) and {r["PRIORITY"] for r in lines} == {"6"}, lines
    assert all(re.match(r"\w+: confined", r["MESSAGE"]) for r in lines), lines


def test_reload_touches_what_changed(machine, peer):
    """`systemctl reload`: a new value holds, the SAs stay; a mistake is refused in words."""
    before = status(machine)["realms"][0]["peers"][0]
    machine.write("/etc/tapir/tapir.xml", CONF.replace('dpd="1"', 'dpd="2"'))
    assert machine.run("systemctl", "reload", "tapir").returncode == 0
    assert until(5, lambda: [r["TAPIR_AFTER"] for r in journal(
        machine, "TAPIR_EVENT=config-changed")] == ["2"])
    now = status(machine)["realms"][0]["peers"][0]
    assert [c["spi_in"] for c in now["children"]] == [c["spi_in"] for c in before["children"]]
    machine.write("/etc/tapir/tapir.xml", CONF.replace('dpd="1"', 'dpd="soon"'))
    assert machine.run("systemctl", "reload", "tapir").returncode != 0
    assert until(5, lambda: "soon" in machine.need("journalctl", "-u", "tapir", "--no-pager", "-o",
                                                   "cat"))
    assert machine.show("tapir", "ActiveState") == "active" and is_up(machine)
    machine.write("/etc/tapir/tapir.xml", CONF)
    assert machine.run("systemctl", "reload", "tapir").returncode == 0


def stopped(m, word):
    """SIGSTOP to a process of the unit, by a word of its command line; its id."""
    pid = next(p for p, args in pids(m).items() if re.search(word, args))
    m.need("kill", "-STOP", str(pid))
    return pid


def test_who_hangs_is_ended(machine, peer):
    """The supervisor hangs: systemd's watchdog ends it, starts it again, and the tunnel is back."""
    old = machine.show("tapir", "MainPID")
    assert int(old) > 1, "it does not run"
    machine.need("kill", "-STOP", old)
    assert until(15, lambda: machine.show("tapir", "MainPID") not in ("0", old), 0.3)
    assert until(15, lambda: is_up(machine), 0.2)
    assert int(machine.show("tapir", "NRestarts")) >= 1
    assert until(5, lambda: "watchdog" in machine.need("journalctl", "-u", "tapir",
                                                       "--no-pager").lower())


def test_all_killed_and_back(machine, peer):
    """SIGKILL to every process of it at once: what was left is taken over, nothing twice."""
    old, n = machine.show("tapir", "MainPID"), int(machine.show("tapir", "NRestarts"))
    machine.need("systemctl", "kill", "-s", "KILL", "tapir")
    assert until(15, lambda: machine.show("tapir", "MainPID") not in ("0", old), 0.3)
    assert until(15, lambda: is_up(machine), 0.2)
    assert int(machine.show("tapir", "NRestarts")) == n + 1
    assert machine.need("ip", "-o", "link").count("tap-branches") == 1


def test_its_exposure(machine):
    """systemd-analyze security gives it at most what is promised."""
    said = machine.need("systemd-analyze", "security", "--no-pager", "tapir.service")
    found = re.search(r"Overall exposure level for tapir\.service: ([\d.]+)", said)
    assert found and float(found.group(1)) <= WORST, said


def test_it_ends_cleanly(machine, peer, lab):
    """`systemctl stop`: a Delete is sent, the TAP is gone, the status is 0."""
    machine.need("systemctl", "stop", "tapir")
    assert machine.show("tapir", "Result") == "success"
    assert machine.show("tapir", "ActiveState") == "inactive"
    assert "tap-branches" not in machine.need("ip", "-o", "link")
    assert until(3, lambda: not peer.is_up())
    down = peer.json("log", "--code", "peer-down")["events"][-1]
    assert "closed the connection" in down["why"], down
