# SPDX-License-Identifier: Apache-2.0
"""Disk full, no descriptors, no memory: less is done, words say what, and nobody dies."""
import os
import resource
import socket
import subprocess

import pytest

import topo
from gateway import PSK, TAPIR, Gateway, office
from lab import until

TOPOLOGY = topo.pair  # two gateways

ACROSS = 'address="10.9.{}.1/16"'


@pytest.fixture(scope="module")
def disk(lab):
    """A small file system."""
    path = lab.mkdir("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "none", path], check=True)
    yield path
    subprocess.run(["umount", "-l", path], check=True)


@pytest.fixture(scope="module")
def ends(lab, disk):
    """tokyo writes its log and its history there."""
    b = Gateway(lab, "right", office("osaka", attrs=ACROSS.format(2))).start()
    conf = office("tokyo", at="192.0.2.2", attrs=ACROSS.format(1)).replace(
        "<realm ", f'<log to="file" file="{disk}/tapir.log" level="info"/><realm ', 1)
    a = Gateway(lab, "left", conf, args=("--state-dir", f"{disk}/state"))
    a.launch()
    assert until(10, lambda: os.path.exists(os.path.join(a.run_dir, "ctl.sock")))
    assert lab.until_ping("left", "10.9.2.1", 10), a.log()
    yield a, b
    a.stop()
    b.stop()


def fill(disk):
    """Not a byte is left."""
    with open(os.path.join(disk, "ballast"), "wb", 0) as f:
        for size in 65536, 4096, 1:
            try:
                while True:
                    f.write(bytes(size))
            except OSError:
                pass


def warnings(gw):
    """Codes of the warnings so far."""
    return {e["code"] for e in gw.json("log", "--code", "warning")["events"]}


def test_a_full_disk_stops_the_log_and_nothing_else(lab, ends, disk):
    """The tunnel gets new keys, goes down and comes up; the log goes on afterwards."""
    a = ends[0]
    log = os.path.join(disk, "tapir.log")
    fill(disk)
    size = os.path.getsize(log)
    for words in (("rekey", "branches/osaka"), ("down", "branches/osaka"), ("up", "branches/osaka")):
        assert a.tapir(*words).returncode == 0
    assert lab.until_ping("left", "10.9.2.1", 10), a.log()
    for _ in range(40):
        assert a.tapir("rekey", "branches/osaka").returncode == 0
    assert until(5, lambda: "log-lost" in warnings(a)), a.json("log", "--code", "warning")
    pids = [a.pid(r) for r in ("main", "diary", "secure")]
    assert all(pids) and lab.ping("left", "10.9.2.1", 3) == 3
    os.unlink(os.path.join(disk, "ballast"))
    assert until(5, lambda: a.tapir("rekey", "branches/osaka").returncode == 0 and
                 os.path.getsize(log) > size)
    assert pids == [a.pid(r) for r in ("main", "diary", "secure")]


def test_what_is_written_for_a_user_fails_whole(lab, ends, disk):
    """set, bugreport and capture say why; no file is half written, none is left."""
    a = ends[0]
    conf = os.path.join(disk, "vpn.xml")
    with open(a.conf_path, encoding="utf-8") as f:
        text = f.read()
    os.makedirs(os.path.join(disk, "keys"), mode=0o700, exist_ok=True)
    with open(os.open(os.path.join(disk, "keys", "branches.psk"), os.O_WRONLY | os.O_CREAT, 0o600),
              "w", encoding="utf-8") as f:
        f.write(PSK)
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text)
    fill(disk)
    before = sorted(os.listdir(disk))
    try:
        done = a.tapir("set", "branches/dpd", "7", "-c", conf)
        assert done.returncode == 1 and "No space left" in done.stdout, done.stdout
        with open(conf, encoding="utf-8") as f:
            assert f.read() == text
        done = a.tapir("bugreport", "-c", a.conf_path, "-o", f"{disk}/bug.tar.gz")
        assert done.returncode == 1 and "No space left" in done.stdout, done.stdout
        assert sorted(os.listdir(disk)) == before
        done = a.tapir("capture", "-w", f"{disk}/x.pcapng", "--seconds", "1")
        assert done.returncode == 1 and "No space left" in done.stdout, done.stdout
    finally:
        os.unlink(os.path.join(disk, "ballast"))
    assert lab.ping("left", "10.9.2.1") == 1


def say_nothing(gw, mute, most, seconds):
    """Connect up to so many mute clients, until one is not let in; all go to mute."""
    for _ in range(most):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(seconds)
        mute.append(s)
        try:
            s.connect(os.path.join(gw.run_dir, "ctl.sock"))
        except OSError:
            break


def test_clients_without_number_keep_nobody_out(lab, ends):
    """Connections that say nothing: they are bounded, and root is still answered."""
    a = ends[0]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    mute = []
    try:
        say_nothing(a, mute, 600, 0.2)
        assert until(10, lambda: a.tapir("status").returncode == 0), a.tapir("status").stdout
        assert lab.ping("left", "10.9.2.1", 3) == 3
    finally:
        for s in mute:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def again(gw, *limits):
    """Start it anew under limits; does it serve?"""
    gw.stop()
    gw.wrap = ("prlimit", *limits, "--") if limits else ()
    gw.launch()
    return until(10, lambda: gw.tapir("status").returncode == 0 or
                 gw.proc.popen.poll() is not None) and gw.proc.popen.poll() is None


def test_no_descriptors(lab, ends):
    """Just enough to start: clients wait their turn, a dead helper comes back, the tunnel
    stays.  Not enough: it says so and ends."""
    a = ends[0]
    most = max(len(os.listdir(f"/proc/{a.pid(r)}/fd")) for r in ("super", "main"))
    assert again(a, f"--nofile={most + 3}:{most + 3}"), a.log()
    assert lab.until_ping("left", "10.9.2.1", 15), a.log()
    pid = a.pid("main")
    mute = []
    say_nothing(a, mute, 20, 0.1)
    assert lab.ping("left", "10.9.2.1", 3) == 3
    dead = a.kill_role("diary")
    for s in mute:
        s.close()
    assert until(8, lambda: a.pid("diary") not in (0, dead)), a.log()
    assert until(5, lambda: a.tapir("status").returncode == 0), a.log()
    assert a.pid("main") == pid and lab.ping("left", "10.9.2.1", 3) == 3
    assert not again(a, "--nofile=12:12")
    assert a.log().strip() and a.stop() == 1, a.log()


def test_no_memory(lab, ends):
    """main gets little: it refuses work and carries on."""
    a = ends[0]
    assert again(a)
    with open(f"/proc/{a.pid('main')}/status", encoding="ascii") as f:
        peak = next(int(x.split()[1]) * 1024 for x in f if x.startswith("VmPeak"))
    assert again(a, f"--as={peak + (1 << 20)}"), a.log()
    assert lab.until_ping("left", "10.9.2.1", 15), a.log()
    pid = a.pid("main")
    with open(f"/proc/{pid}/limits", encoding="ascii") as f:
        assert f" {peak + (1 << 20)} " in f.read()
    for words in (("status",), ("metrics",), ("stats", "-a"), ("rekey", "branches/osaka"),
                  ("log",), ("reload",), ("history",), ("capture", "--seconds", "1"),
                  ("rekey", "branches/osaka", "ike"), ("status",)):
        a.tapir(*words)
    assert lab.ping("left", "10.9.2.1", 3) == 3, a.log()
    assert a.pid("main") == pid and a.is_up()
    assert again(a) and lab.until_ping("left", "10.9.2.1", 15)


# ---- leases -----------------------------------------------------------------

POOL = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" address="10.20.0.1/24">
    <me id="gw" psk="r.psk"/>
    <peer id="*.example"/>
    <pool net="10.20.1.0/24"/>
  </realm>
</vpn>
"""
CLIENT = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip">
    <me id="{}.example" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1"><net local="dynamic" remote="10.20.0.0/24"/></peer>
  </realm>
</vpn>
"""


def join(lab, name):
    """A client comes, is given an address, and goes: the address."""
    c = Gateway(lab, "right", CLIENT.format(name), {"r.psk": PSK}).start()
    try:
        assert until(10, c.is_up), c.log()
        out = lab.need("right", "ip", "-br", "-4", "addr", "show", "dev", "tap0").split()
        assert lab.until_ping("right", "10.20.0.1", 5), c.log()
        return out[2]
    finally:
        c.stop()


@pytest.fixture(scope="module")
def pool(lab, ends, disk):
    """A gateway whose state is on the small disk; the ends before are gone."""
    for gw in ends:
        gw.stop()
    gw = Gateway(lab, "left", POOL, {"r.psk": PSK}, args=("--state-dir", f"{disk}/pool"))
    yield gw.start()
    gw.stop()


def test_leases_on_a_full_disk(lab, pool, disk):
    """Who comes has an address all the same, words say what may be lost, and what was not
    written is, once there is room: after a restart each has its own again."""
    fill(disk)
    first, second = join(lab, "one"), join(lab, "two")
    assert first != second and join(lab, "one") == first, "it keeps its own"
    assert pool.lines("cannot write the file of leases", "No space left", level="WARN"), pool.log()
    assert os.path.getsize(os.path.join(disk, "pool", "leases")) == 0
    os.unlink(os.path.join(disk, "ballast"))
    third = join(lab, "three")
    assert pool.stop() == 0
    pool.start()
    assert pool.lines("3 leases are kept from before"), pool.log()
    assert [join(lab, n) for n in ("three", "two", "one")] == [third, second, first]


def test_a_state_directory_that_cannot_be_written(lab, pool, disk):
    """Mounted read-only, before the start: it serves, and says what is not kept."""
    assert pool.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        pool.start()
        for word in "history", "leases":
            assert [x for x in pool.lines(word) if " WARN " in x], (word, pool.log())
        own = join(lab, "one")
        assert own.startswith("10.20.1.") and join(lab, "one") == own
        assert pool.tapir("history").returncode in (0, 1)
        assert pool.stop() == 0
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
