# SPDX-License-Identifier: Apache-2.0
"""What is told of peers: the evidence of a state, and that doubt comes before the end."""
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import time

import pytest

import schema
from gateway import PSK, TAPIR, Gateway, office
from lab import until


def conf(me, **kw):
    """An office that gives up after 6 s of silence, and stays on its path of IPv4."""
    return office(me, attrs='bridge="br-lan" mobike="no"', **kw).replace('dead="3"', 'dead="6"')


@pytest.fixture(scope="module")
def ends(lab):
    """Tunnel up; gw-a dials."""
    b = Gateway(lab, "gw-b", conf("osaka")).start()
    a = Gateway(lab, "gw-a", conf("tokyo", at="192.0.2.2"))
    a.start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    yield a, b
    a.stop()
    b.stop()


def peer(gw):
    """The only peer of a gateway."""
    return gw.json("status")["realms"][0]["peers"][0]


def cut(lab, on):
    """Nothing passes between the gateways, or everything again."""
    lab.need("inet", "ip", "link", "set", "p2", "down" if on else "up")


class Screen:
    """A command of tapir on a terminal of 80 columns."""

    def __init__(self, lab, gw, *words):
        self.text = ""
        env = dict(os.environ, TERM="xterm", COLUMNS="80")
        self.fd, side = pty.openpty()
        self.proc = subprocess.Popen(
            lab.argv(gw.node, [TAPIR, "--run-dir", gw.run_dir, *words]), stdin=side, stdout=side,
            stderr=side, env=env, close_fds=True)
        os.close(side)

    def until(self, seconds, check):
        """Read until the last whole frame satisfies."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode()
                except OSError:
                    break
            if check(self.frame()):
                return True
        return check(self.frame())

    def frame(self):
        """The last picture, without colours."""
        last = self.text.split("\033[H")[-1]
        return re.sub("\033\\[[0-9;?]*[a-zA-Z]", "", last)

    def close(self):
        """End it as a person does."""
        os.write(self.fd, b"q")
        try:
            status = self.proc.wait(5)
            self.until(0.2, lambda f: False)
            return status
        finally:
            self.proc.kill()
            os.close(self.fd)


def test_state_has_its_evidence(ends):
    """Who is up was heard of, and nothing is overdue."""
    up = peer(ends[0])
    assert up["state"] == "up" and up["intent"] == "dial" and up["down_s"] == -1
    assert 0 <= up["last_packet_s"] <= 5 and up["ike_heard_s"] >= 0 and up["n_failed"] == 0
    assert peer(ends[1])["intent"] == "wait"


def test_doubt_before_the_end_and_nothing_disappears(lab, ends):
    """Silence: suspect with its count, then down with a reason and the next try, then up."""
    a = ends[0]
    screen = Screen(lab, a, "status", "-w")
    assert screen.until(5, lambda f: "1 of 1 peer up" in f)
    cut(lab, True)
    try:
        lab.run("host-a", "ping", "-c", "1", "-W", "1", "10.0.0.2")
        assert until(8, lambda: peer(a)["state"] == "suspect")
        one = peer(a)
        assert one["try"] >= 3 and 0 <= one["dead_in_s"] <= 6 and one["asked_s"] >= 0
        words = lab.run("gw-a", TAPIR, "--run-dir", a.run_dir, "status", "branches/osaka").stdout
        assert "no answer yet; counts as dead in" in words
        assert screen.until(3, lambda f: "no answer yet" in f), screen.text
        assert until(12, lambda: peer(a)["state"] in ("connecting", "down"))
        one = peer(a)
        assert one["name"] == "osaka" and one["down_s"] >= 0 and "no answer" in one["why"]
        assert screen.until(3, lambda f: "0 of 1 peer up" in f and "no answer" in f), screen.text
    finally:
        cut(lab, False)
    assert until(15, lambda: peer(a)["state"] == "up")
    assert screen.until(3, lambda f: "1 of 1 peer up" in f)
    assert screen.close() == 0
    assert screen.text.startswith("\033[?1049h") and screen.text.rstrip().endswith("\033[?1049l")
    assert all(len(line) <= 80 for line in screen.frame().splitlines())
    codes = [e["event"] for e in a.json("log", "--peer", "osaka")["events"]]
    assert codes.index("peer-suspect") < codes.index("peer-down") and "child-up" in codes
    down = a.json("log", "--code", "peer-down")["events"][-1]
    assert down["up_s"] > 0 and "no answer" in down["why"]


def test_doubt_that_was_wrong(lab, ends):
    """A short silence: suspect, then alive; no second peer-up."""
    a = ends[0]
    ups = len(a.json("log", "--code", "peer-up")["events"])
    cut(lab, True)
    try:
        lab.run("host-a", "ping", "-c", "1", "-W", "1", "10.0.0.2")
        assert until(8, lambda: peer(a)["state"] == "suspect")
    finally:
        cut(lab, False)
    assert until(8, lambda: peer(a)["state"] == "up")
    assert a.json("log", "--code", "peer-alive")["events"]
    assert len(a.json("log", "--code", "peer-up")["events"]) == ups


# ---- ping -------------------------------------------------------------------

def ping(gw, *words):
    """Exit status and document of tapir ping."""
    got = gw.tapir("--json", "ping", *words)
    return got.returncode, json.loads(got.stdout)


def test_ping_asks_both_ways(lab, ends):
    """IKE and echo answer with times; words fit; what is unknown is refused."""
    a = ends[0]
    lab.batch("gw-a", "addr add 10.0.0.254/24 dev br-lan\n")
    assert until(5, lambda: lab.ping("gw-a", "10.0.0.2"))
    status, doc = ping(a, "-c", "3", "-i", "0.05", "osaka", "10.0.0.2")
    assert status == 0 and doc["ike"]["address"].startswith("192.0.2.2:")
    for one in doc["ike"], doc["inner"]:
        assert one["asked"] == one["answered"] == 3 and one["loss_percent"] == 0
        assert 0 < one["min_us"] <= one["mean_us"] <= one["max_us"] < 2_000_000
    got = a.tapir("ping", "-c", "1", "branches/osaka")
    assert got.returncode == 0 and "3 asked" not in got.stdout
    assert re.search(r"IKE: 1 asked, 1 answered, 0 % lost\n  \d+\.\d\d / ", got.stdout)
    assert "inner 10.0.0." in got.stdout and max(map(len, got.stdout.splitlines())) <= 80
    status, doc = ping(a, "-c", "1", "--inner", "-W", "0.2", "osaka", "10.0.0.77")
    assert status == 1 and doc["inner"]["answered"] == 0 and doc["inner"]["why"] == "no answer"
    status, doc = ping(a, "-c", "1", "--inner", "osaka", "203.0.113.9")
    assert status == 1 and "no route" in doc["inner"]["why"]
    status, doc = ping(a, "oosaka")
    assert status == 1 and "osaka" in doc["hint"]
    assert a.tapir("ping", "osaka", "nowhere").returncode == 2


def test_ping_without_an_answer(lab, ends):
    """Silence is counted."""
    a = ends[0]
    cut(lab, True)
    try:
        status, doc = ping(a, "--ike", "-c", "2", "-i", "0.1", "-W", "0.4", "osaka")
        assert status == 1 and doc["ike"]["answered"] == 0 and doc["ike"]["loss_percent"] == 100
    finally:
        cut(lab, False)
    assert until(8, lambda: peer(a)["state"] == "up")


def netcheck(gw, *words):
    """Exit status, and results by (of, check)."""
    got = gw.tapir("--json", "netcheck", *words)
    checks = json.loads(got.stdout)["checks"]
    return got.returncode, {(c["of"], c["check"]): c["result"] for c in checks}


def test_netcheck_finds_the_port_that_is_shut(lab, ends):
    """Open: both ports answer.  4500 filtered: said, and only that."""
    a, of = ends[0], "branches/osaka"
    status, found = netcheck(a)
    assert status == 0 and found[of, "port-500"] == found[of, "port-4500"] == "ok", found
    assert found[of, "nat"] == "ok" and ("", "clock") in found and ("", "offloads") in found
    assert netcheck(ends[1])[1]["branches/tokyo", "address"] == "ok"
    rules = ("table ip shut { chain in {\n type filter hook input priority 0;\n"
             " udp dport 4500 drop;\n }\n}\n")
    lab.need("gw-b", "nft", "-f", "-", text=rules)
    try:
        status, found = netcheck(a, "osaka")
        assert found[of, "port-500"] == "ok" and found[of, "port-4500"] in ("note", "bad")
    finally:
        lab.need("gw-b", "nft", "delete", "table", "ip", "shut")
    words = a.tapir("netcheck").stdout
    assert "UDP port 4500 of 192.0.2.2 answers" in words, words
    assert max(map(len, words.splitlines())) <= 80
    assert until(8, lambda: peer(a)["state"] == "up")


# ---- history ----------------------------------------------------------------

def history(gw, *words):
    """The rows of a timeline, oldest first."""
    return gw.json("history", *words)["events"]


def test_history_has_causes_and_sums(ends):
    """Up, doubt, down with its reason, failures as one row; words and sums."""
    a = ends[0]
    assert until(3, lambda: "peer-alive" in [r["code"] for r in history(a, "branches/osaka")])
    rows = history(a, "osaka")
    codes = [r["code"] for r in rows]
    assert codes[0] == "daemon-started"
    assert codes.index("peer-up") < codes.index("peer-suspect") < codes.index("peer-down")
    down = rows[codes.index("peer-down")]
    assert "no answer" in down["why"] and down["up_s"] > 0 and down["realm"] == "branches"
    doc = a.json("history", "osaka")
    assert doc["up"] and doc["n_down"] == 1 and 0 < doc["up_s"] < doc["watched_s"] + 1
    words = a.lab.run("gw-a", TAPIR, "--run-dir", a.run_dir, "history", "osaka").stdout
    assert "1 time down, now up" in words and "suspect" in words
    assert len(history(a, "-n", "2", "osaka")) == 2
    assert not history(a, "--since", "2999-01-01", "osaka")


def test_diary_that_is_killed_is_back(ends):
    """Nothing else notices; the history goes on."""
    a = ends[0]
    main, n = a.pid("main"), len(history(a))
    old = a.kill_role("diary")
    assert until(5, lambda: a.pid("diary") not in (0, old))
    assert until(5, lambda: a.tapir("history").returncode == 0 and len(history(a)) >= n)
    assert a.pid("main") == main and peer(a)["state"] == "up"
    a.lab.need("gw-a", TAPIR, "--run-dir", a.run_dir, "down", "branches/osaka")
    a.lab.need("gw-a", TAPIR, "--run-dir", a.run_dir, "up", "branches/osaka")
    assert until(5, lambda: peer(a)["state"] == "up")
    assert until(3, lambda: [r["why"] for r in history(a) if r["code"] == "command"][-2:] ==
                 ["down", "up"])


def test_who_changed_what(ends):
    """Commands and a reload leave events with before and after; filters find them."""
    a = ends[0]
    ran = a.json("log", "--code", "command", "--since", "1h")["events"]
    assert [(e["before"], e["after"]) for e in ran][-2:] == [("up", "down, held"),
                                                            ("down, held", "down")] or \
        ran[-1]["after"] in ("connecting", "down"), ran
    assert ran[-1]["uid"] == 0 and "-> down, held" in ran[-2]["sentence"]
    a.write(conf("tokyo", at="192.0.2.2").replace('dpd="1"', 'dpd="2"'), {"branches.psk": PSK})
    a.json("reload")
    change = a.json("log", "--component", "conf", "--code", "config-changed")["events"][-1]
    assert (change["realm"], change["name"]) == ("branches", "dpd")
    assert (change["before"], change["after"]) == ("1", "2")
    assert not a.json("log", "--since", "2999-01-01")["events"]
    assert {e["severity"] for e in a.json("log", "--level", "warn")["events"]} <= {"warn", "error"}
    assert a.tapir("log", "--component", "moon").returncode == 2
    assert a.tapir("log", "--level", "loud").returncode == 2


def test_json_keeps_to_its_schemas(ends):
    """Documents of the commands, and of one that fails."""
    a = ends[0]
    for name, words in (("status", ()), ("history", ("osaka",)), ("log", ()), ("netcheck", ()),
                        ("ping", ("--ike", "-c", "1", "osaka"))):
        schema.check(name, a.json(name, *words))
    schema.check("failure", json.loads(a.tapir("--json", "ping", "nobody").stdout))
    assert schema.wrong({"type": "object", "required": ["x"]}, {}) == ["$: x is missing"]
    assert schema.wrong({"type": "integer", "minimum": 0}, -1) and schema.wrong(
        {"enum": ["a"]}, "b") and schema.wrong({"items": {"type": "string"}}, [1])


# ---- logs -------------------------------------------------------------------

JOURNAL = ('mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal && '
           'exec "$@"')


def field(datagram, key):
    """A field of a record of the journal."""
    found = re.search(rf"^{key}=(.*)$", datagram, re.M)
    return found.group(1) if found else None


def test_logs_and_history_outlive_restarts(lab, ends):
    """Journal with fields, a file with its filters and rotation, history of two lives."""
    a = ends[0]
    before = len(history(a))
    a.stop()
    place, log = lab.mkdir("journal"), os.path.join(a.dir, "ike.log")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(os.path.join(place, "socket"))
        os.chmod(os.path.join(place, "socket"), 0o777)
        journal.settimeout(1)
        a.write(office("tokyo", at="192.0.2.2").replace(
            "<realm ", f'<log/><log to="file" file="{log}" level="info" component="ike esp"/>'
            '<realm ', 1), {"branches.psk": PSK})
        a.wrap = ("unshare", "-m", "sh", "-c", JOURNAL, place)
        a.launch()
        assert until(10, lambda: os.path.exists(os.path.join(a.run_dir, "ctl.sock")))
        assert lab.until_ping("host-a", "10.0.0.2", 10)
        records = []
        assert until(5, lambda: records.append(journal.recv(65536).decode()) or
                     field(records[-1], "TAPIR_EVENT") == "peer-up")
    up = records[-1]
    assert field(up, "TAPIR_PEER") == "osaka" and field(up, "TAPIR_REALM") == "branches"
    assert field(up, "PRIORITY") == "5" and field(up, "SYSLOG_IDENTIFIER") == "tapird"
    assert field(up, "TAPIR_COMPONENT") == "ike" and "is up from" in field(up, "MESSAGE")
    assert field(records[0], "TAPIR_EVENT") or field(records[0], "MESSAGE")

    def text():
        with open(log, encoding="utf-8") as f:
            return f.read()
    assert until(3, lambda: " NOTICE ike peer-up: branches/osaka is up" in text())
    assert "realm-ready" not in text() and os.stat(log).st_mode & 0o777 == 0o600
    os.rename(log, log + ".1")
    os.kill(a.pid("super") or a.proc.pid, signal.SIGHUP)
    assert until(3, lambda: os.path.exists(log))
    lab.need("gw-a", TAPIR, "--run-dir", a.run_dir, "rekey", "branches/osaka")
    assert until(5, lambda: " INFO ike peer-rekeyed: " in text())
    assert until(3, lambda: len(history(a)) > before)
    codes = [r["code"] for r in history(a)]
    assert codes.count("daemon-started") == 2 and "daemon-stopping" in codes
