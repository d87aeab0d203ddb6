# SPDX-License-Identifier: Apache-2.0
"""Any process dies, again and again, and the tunnel stays; what a reload gives to processes
that were told at their start."""
import os
import signal

import pytest

import topo
from gateway import PSK, Gateway, office, vpn, realm
from lab import until, within

TOPOLOGY = topo.pair  # two gateways

ACROSS = 'address="10.9.{}.1/16"'


@pytest.fixture(scope="module")
def ends(lab):
    """Tunnel up between two TAPs with addresses."""
    b = Gateway(lab, "right", office("osaka", attrs=ACROSS.format(2))).start()
    a = Gateway(lab, "left", office("tokyo", at="192.0.2.2", attrs=ACROSS.format(1)), web=True)
    a.start()
    assert lab.until_ping("left", "10.9.2.1", 10), a.log()
    assert until(5, lambda: a.pid("web") and a.pid("login"))
    yield a, b
    a.stop()
    b.stop()


@pytest.mark.parametrize("role", ["diary", "resolve", "web", "login"])
def test_a_helper_dies_and_comes_back(lab, ends, role):
    """No packet is lost, and its work goes on."""
    a = ends[0]
    flow = lab.spawn("left", "ping", "-n", "-i", "0.05", "-c", "20", "-W", "2", "10.9.2.1")
    old = a.kill_role(role)
    assert until(5, lambda: a.pid(role) not in (0, old)), a.log()
    flow.wait(10)
    assert " 20 received" in flow.text(), flow.text()
    if role == "diary":
        assert until(5, lambda: a.tapir("history", "osaka").returncode == 0)
    if role in ("web", "login"):
        assert until(5, lambda: a.tapir("web").returncode == 0), a.tapir("web").stdout
    assert a.lines("ended", "killed by signal 9")


@pytest.mark.parametrize("role", ["diary", "secure"])
def test_one_that_dies_again_and_again_takes_nobody_along(lab, ends, role):
    """More often than five times a minute: tapird goes on, and tries it more slowly."""
    a = ends[0]
    pids = {a.pid(r) for r in ("super", "main")}
    for _ in range(7):
        pid = until(2, lambda: a.pid(role))
        if pid:
            os.kill(pid, signal.SIGKILL)
        if within(0.3, lambda: a.lines("again and again", "the " + role)):
            break
    assert until(2, lambda: a.lines("again and again", "the " + role)), a.log()
    assert pids == {a.pid(r) for r in ("super", "main")}
    assert lab.ping("left", "10.9.2.1", 3) == 3
    assert a.is_up()


def test_main_dies_often_and_comes_back(lab, ends):
    """Also when the keys are away meanwhile: it waits for them."""
    b = ends[1]
    keys = os.path.join(b.dir, "keys")
    os.rename(keys, keys + ".away")
    b.kill_role("main")
    assert until(20, lambda: b.lines("again and again")), b.log()
    assert b.proc.popen.poll() is None
    os.rename(keys + ".away", keys)
    assert until(15, lambda: b.pid("main") and b.tapir("status").returncode == 0), b.log()
    assert lab.until_ping("left", "10.9.2.1", 25), b.log()


def test_all_at_once_leave_nothing_behind(lab, ends):
    """SIGKILL to every process: the next start finds sockets and files of the former one."""
    b = ends[1]
    b.kill()
    assert os.path.exists(os.path.join(b.run_dir, "ctl.sock"))
    b.start()
    assert lab.until_ping("left", "10.9.2.1", 25), b.log()
    assert not b.lines(level="ERROR")


# ---- reload -------------------------------------------------------------------

def conf(log="", web=""):
    """tokyo with a line for log or web."""
    return vpn(f"  {log}\n  {web}\n", realm("tokyo", "osaka", "192.0.2.2", ACROSS.format(1)),
               attrs='log="info"')


def test_reload_moves_the_log(lab, ends):
    """To a file, to another level, and back; no tunnel notices."""
    a = ends[0]
    up = a.peer()["up_s"]
    path = os.path.join(a.dir, "moved.log")

    def text():
        return open(path, encoding="utf-8").read() if os.path.exists(path) else ""
    a.write(conf(f'<log to="file" file="{path}" level="info"/>'), {"branches.psk": PSK})
    doc = a.json("reload")
    assert doc["n_restart"] == 0 if "n_restart" in doc else True
    assert until(5, lambda: os.path.exists(path) and a.pid("diary")), a.log()
    assert a.tapir("rekey", "branches/osaka").returncode == 0
    assert until(5, lambda: "peer-rekeyed" in text()), text()
    assert a.json("history")["events"]
    a.write(conf(), {"branches.psk": PSK})
    assert a.tapir("reload").returncode == 0
    assert until(5, lambda: a.pid("diary"))
    size = len(text())
    n = len(a.lines("rekeyed")) + len(a.lines("new keys"))
    assert a.tapir("rekey", "branches/osaka").returncode == 0
    assert until(5, lambda: len(a.lines("rekeyed")) + len(a.lines("new keys")) > n)
    assert len(text()) == size
    assert a.peer()["up_s"] >= up and lab.ping("left", "10.9.2.1") == 1


def test_reload_moves_the_browser_interface(lab, ends):
    """Another address; the old one is free, the new one answers."""
    a = ends[0]
    a.write(conf(web='<web listen="127.0.0.1:4599" sessions="7"/>'), {"branches.psk": PSK})
    assert a.tapir("reload").returncode == 0

    def listens():
        return lab.need("left", "ss", "-ltnH")
    assert until(8, lambda: ":4599" in listens() and ":4580" not in listens()), listens()
    assert until(8, lambda: "127.0.0.1:4599" in a.tapir("web").stdout), a.log()
    assert lab.ping("left", "10.9.2.1") == 1
