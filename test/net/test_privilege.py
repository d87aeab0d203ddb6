# SPDX-License-Identifier: Apache-2.0
"""Who may do what once the daemon serves, and where the key is not."""
import os
import stat

import pytest

import memory
from gateway import BUILD, PSK, Gateway, office
from lab import until

CAP = {"chown": 0, "dac_read_search": 2, "kill": 5, "setgid": 6, "setuid": 7, "setpcap": 8, "net_admin": 12,
       "ipc_lock": 14, "sys_resource": 24}
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


@pytest.fixture(scope="module")
def ends(lab):
    """Tunnel up, so that everything that is ever read was read."""
    b = Gateway(lab, "gw-b", office("osaka")).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2")).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    yield a, b
    a.stop()
    b.stop()


def status(pid):
    """/proc/PID/status as a dict; capabilities as numbers."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        out = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    out.update({k: int(out[k], 16) for k in SETS})
    return out


def test_main_has_no_rights(ends):
    """No capability, its own user, locked, filtered."""
    for gw in ends:
        st = status(gw.pid("main"))
        assert [st[k] for k in SETS] == [0] * len(SETS)
        assert set(st["Uid"].split()) != {"0"} and "0" not in st["Uid"].split()
        assert st["NoNewPrivs"].strip() == "1" and st["Seccomp"].strip() == "2"
        assert st["Groups"].strip() in ("", st["Gid"].split()[0])


def test_every_thread_of_main_is_confined(ends):
    """A filter on the first thread alone would be no filter."""
    pid = ends[0].pid("main")
    tasks = os.listdir(f"/proc/{pid}/task")
    assert len(tasks) > 1
    for task in tasks:
        st = status(f"{pid}/task/{task}")
        assert st["Seccomp"].strip() == "2" and st["CapPrm"] == 0, st["Name"]


def test_secure_may_only_administer_the_network(ends):
    """NET_ADMIN and nothing else, another user than main."""
    for gw in ends:
        st = status(gw.pid("secure"))
        assert st["CapEff"] == st["CapPrm"] == 1 << CAP["net_admin"]
        assert st["CapBnd"] & ~(1 << CAP["net_admin"]) == 0
        assert st["NoNewPrivs"].strip() == "1" and st["Seccomp"].strip() == "2"
        uids = {status(gw.pid(r))["Uid"].split()[0] for r in ("main", "secure")}
        assert len(uids) == 2 and "0" not in uids


def levels(pid):
    """Name and nice level of every thread."""
    out = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as f:
            text = f.read()
        name = text[text.index("(") + 1:text.rindex(")")]
        out.append((name, int(text[text.rindex(")"):].split()[17])))
    return out


def test_packets_go_before_other_programs(ends):
    """Loop and workers have their turn first; strangers and puzzles the last."""
    other = {"tapir-job": 0, "tapir-door": 19, "tapir-slow": 19}
    if os.getpriority(os.PRIO_PROCESS, 0) > 0:
        pytest.skip("started with a lower priority")
    for gw in ends:
        got = levels(gw.pid("main"))
        assert any(n.startswith("tapir-work") for n, _ in got)
        for name, nice in got:
            assert nice == other.get(name, -12), name
        assert set(other) <= {name for name, _ in got}
        for role in "secure", "resolve":
            assert {nice for _, nice in levels(gw.pid(role))} == {0}, role
        group = f"/proc/{gw.pid('main')}/autogroup"
        if os.path.exists(group):       # the kernel weighs sessions
            with open(group, encoding="ascii") as f:
                assert f.read().split()[-1] == "-12"


def test_supervisor_keeps_what_a_restart_needs(ends):
    """Named tapir-super; a few capabilities, and the bounding set no wider."""
    st = status(ends[0].pid("super"))
    few = sum(1 << bit for bit in CAP.values())
    assert st["Name"] == "tapir-super"
    assert st["CapEff"] & ~few == 0 and st["CapBnd"] & ~few == 0
    assert st["NoNewPrivs"].strip() == "1"


def test_resolver_has_no_rights(ends):
    """It asks name servers for us and may do nothing else."""
    pid = ends[0].pid("resolve")
    if not pid:
        pytest.fail("there is no resolver process:\n" + ends[0].log())
    st = status(pid)
    assert st["CapEff"] == st["CapPrm"] == 0 and st["NoNewPrivs"].strip() == "1"
    assert "0" not in st["Uid"].split()


def open_files(pid):
    """Regular files a process has open beside its standard descriptors."""
    out = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        path = f"/proc/{pid}/fd/{fd}"
        if int(fd) > 2 and stat.S_ISREG(os.stat(path).st_mode):
            out.append(os.readlink(path))
    return out


def test_main_has_no_file_open(ends):
    """Configuration and keys are closed; what stays are sockets, TAPs, timers and the
    one file it writes: who has which address."""
    for gw in ends:
        assert open_files(gw.pid("main")) == [f"{gw.run_dir}.state/leases"]


def test_secure_has_no_file_open(ends):
    """The keys are read once."""
    assert open_files(ends[0].pid("secure")) == []


def test_main_cannot_be_traced_by_its_own_user(ends):
    """Not dumpable: /proc/PID belongs to root, so memory is closed to the same uid."""
    for role in "main", "secure":
        assert os.stat(f"/proc/{ends[0].pid(role)}/mem").st_uid == 0


@pytest.mark.parametrize("role", ["main", "super", "resolve"])
def test_no_psk_in_memory(ends, role):
    """The scan finds what is there (a plain word) and not the key."""
    for gw in ends:
        found = memory.holds(gw.pid(role), [PSK.encode(), b"tapir"])
        assert found == {b"tapir"}


def test_programs_hold_no_key_of_the_tests(ends):
    """No key is built in."""
    for name in "tapird", "tapir-secure", "tapir":
        with open(os.path.join(BUILD, name), "rb") as f:
            assert PSK.encode() not in f.read()


def test_core_dumps_are_off_for_secrets(ends):
    """No process that holds keys may be dumped."""
    for role in "main", "secure":
        with open(f"/proc/{ends[0].pid(role)}/limits", encoding="ascii") as f:
            core = [line.split() for line in f if line.startswith("Max core")][0]
        assert core[4] == "0"


def test_nothing_is_world_writable(ends):
    """The run directory and what is in it, but for the socket that checks credentials."""
    for gw in ends:
        for name in os.listdir(gw.run_dir):
            mode = os.lstat(os.path.join(gw.run_dir, name)).st_mode
            assert stat.S_ISSOCK(mode) or not mode & 0o022, name


def test_strangers_may_look_but_not_act(lab, ends):
    """The control socket knows who asks: nobody may see, only root may change."""
    a = ends[0]
    as_nobody = ("setpriv", "--reuid", "65534", "--clear-groups", os.path.join(BUILD, "tapir"),
                 "--run-dir", a.run_dir)
    done = lab.run("gw-a", *as_nobody, "down", "branches")
    assert done.returncode == 1, done.stdout
    assert until(1, a.is_up)
    assert lab.ping("host-a", "10.0.0.2") == 1
