# SPDX-License-Identifier: Apache-2.0
"""The command line against a running daemon: JSON that scripts rely on, 80 columns."""
import json
import os
import re
import shutil
import subprocess

import pytest

import schema
from gateway import BUILD, Gateway, office
from lab import until, within

PEER_KEYS = {"name", "state", "mode", "encap", "suite", "remote", "rx_bytes", "tx_bytes",
             "last_packet_s"}


@pytest.fixture(scope="module")
def ends(lab):
    """Tunnel up; gw-a also waits for one who never comes."""
    extra = '/>\n    <peer id="sapporo.a-very-long-name-of-a-branch.example.co.jp"'
    b = Gateway(lab, "gw-b", office("osaka")).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", peer_attrs=extra)).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    yield a, b
    a.stop()
    b.stop()


def test_status(ends):
    """The contract: keys and words; a peer that is not there is in it too."""
    doc = ends[0].json("status")
    realm = doc["realms"][0]
    assert realm["name"] == "branches" and realm["tap"] == "tap-branches"
    up, down = sorted(realm["peers"], key=lambda p: p["state"], reverse=True)
    for peer in up, down:
        assert PEER_KEYS <= set(peer)
    assert (up["name"], up["state"], up["mode"], up["encap"]) == ("osaka", "up", "ether", "udp")
    assert up["remote"] == "192.0.2.2:4500"
    assert isinstance(up["rx_bytes"], int) and isinstance(up["last_packet_s"], int)
    assert down["state"] == "down" and down["rx_bytes"] == 0


def test_status_of_one_peer(ends):
    """REALM/PEER and the realm alone."""
    doc = ends[0].json("status", "branches/osaka")
    assert [p["name"] for p in doc["realms"][0]["peers"]] == ["osaka"]
    assert len(ends[0].json("status", "branches")["realms"][0]["peers"]) == 2


def test_hub(ends):
    """Ports, MAC addresses, neighbours."""
    ports = ends[0].json("hub", "branches", "ports")["ports"]
    assert {p["kind"] for p in ports} == {"tap", "ether"}
    assert all({"realm", "port", "rx_packets", "tx_packets", "n_drop"} <= set(p) for p in ports)
    macs = ends[0].json("hub", "branches", "mac")["macs"]
    assert macs and all({"mac", "port", "age_s", "static"} <= set(m) for m in macs)
    assert isinstance(ends[0].json("hub", "branches", "arp")["neighbours"], list)


def test_stats(ends):
    """Numbers have a name, drops also a sentence."""
    doc = ends[0].json("stats", "--all")
    stats = {r["name"]: r["value"] for r in doc["stats"]}
    assert stats["ike-sa"] == 1 and stats["child-sa"] == 1 and stats["ike-auth-ok"] >= 1
    assert stats["worker0-udp-packets"] > 0
    assert all({"name", "value", "text", "owner"} <= set(r) for r in doc["drops"])


SCHEMAS = {
    "why": ("why", "osaka"), "hub-ports": ("hub", "branches"), "hub-mac": ("hub", "branches", "mac"),
    "hub-arp": ("hub", "branches", "arp"), "hub-groups": ("hub", "branches", "groups"),
    "stats": ("stats", "--all"), "metrics": ("metrics",), "reload": ("reload", "--dry-run"),
    "act": ("rekey", "branches/osaka"), "capture-list": ("capture", "--list"),
    "version": ("version",), "help": ("help",), "lab-list": ("lab", "list"),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_json_keeps_to_its_schema(ends, name):
    """What scripts rely on: keys that are always there, and their types."""
    schema.check(name, ends[0].json(*SCHEMAS[name]))


def test_json_of_mistakes_keeps_to_its_schema(ends, tmp_path):
    """A wrong configuration, which is status 1."""
    wrong = tmp_path / "c.xml"
    wrong.write_text("<vpn log='loud'><realm name='r'/></vpn>")
    doc = json.loads(ends[0].tapir("check", str(wrong), "--json").stdout)
    schema.check("check", doc)
    assert not doc["ok"] and {e["code"] for e in doc["errors"]} >= {"bad-word", "missing"}


COMPLETED = (("tapir sta", {"stats", "status"}), ("tapir rekey branches/osaka i", {"ike"}),
             ("tapir log --level w", {"warn"}), ("tapir capture --s", {"--seconds", "--snap",
                                                                        "--stop"}),
             ("tapir hub branches a", {"arp"}), ("tapir why --lang e", {"en"}),
             ("tapir --run-dir RUN why branches/o", {"branches/osaka"}),
             ("tapir --run-dir RUN log --peer branches/o", {"branches/osaka"}))


def by_bash(script, line, env):
    words = line.split(" ")
    done = subprocess.run(
        ["bash", "--norc", "-c", 'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); '
         '_tapir; printf "%s\n" "${COMPREPLY[@]}"', script, *words],
        stdout=subprocess.PIPE, env=env, text=True, check=True, timeout=20)
    return set(done.stdout.split())


def by_fish(script, line, env):
    done = subprocess.run(["fish", "--no-config", "-c", 'source $argv[1]; complete -C "$argv[2]"',
                           script, line],
                          stdout=subprocess.PIPE, env=env, text=True, check=True, timeout=20)
    return {x.split("\t")[0] for x in done.stdout.splitlines()}


def by_zsh(script, line, env):
    """compadd says what it was given instead of drawing a menu; it matches itself."""
    done = subprocess.run(
        ["zsh", "-f", "-c", 'compadd() { shift; print -l -- "$@" }; _files() { }; '
         'script=$1; shift; words=("$@"); CURRENT=$#; source $script', "zsh", script,
         *line.split(" ")],
        stdout=subprocess.PIPE, env=env, text=True, check=True, timeout=20)
    return {x for x in done.stdout.split() if x.startswith(line.split(" ")[-1])}


@pytest.mark.parametrize("shell, ask", (("bash", by_bash), ("fish", by_fish), ("zsh", by_zsh)))
def test_completion(ends, shell, ask, tmp_path):
    """Commands, words, options, their values, and the names tapird knows."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    script = tmp_path / "tapir"
    script.write_text(ends[0].tapir("help", "--completion", shell).stdout)
    env = dict(os.environ, PATH=f"{BUILD}:{os.environ['PATH']}", HOME=str(tmp_path))
    for line, wanted in COMPLETED:
        line = line.replace("RUN", ends[0].run_dir)
        assert ask(str(script), line, env) == wanted, line


def samples(text):
    """Prometheus text, strictly: {name{labels}: value}; each family in one piece."""
    out, family, seen = {}, None, set()
    for line in text.splitlines():
        head = re.fullmatch(r"# (HELP|TYPE) (\w+) (.+)", line)
        if head and head[1] == "HELP":
            family = head[2]
            assert family not in seen, line
            seen.add(family)
        elif not head:
            m = re.fullmatch(r'(\w+)((?:\{\w+="(?:[^"\\]|\\.)*"(?:,\w+="(?:[^"\\]|\\.)*")*\})?) '
                             r"(-?[0-9.]+)", line)
            assert m and m[1] in (family, f"{family}_bucket", f"{family}_sum", f"{family}_count"), line
            assert m[1] + m[2] not in out, line
            out[m[1] + m[2]] = float(m[3])
    return out


def test_metrics(lab, ends):
    """As Prometheus reads them: who is down is there, counters grow, promtool finds no fault."""
    text = ends[0].tapir("metrics").stdout
    first = samples(text)
    osaka = 'realm="branches",peer="osaka"'
    assert first[f"tapir_peer_up{{{osaka}}}"] == 1
    assert [v for k, v in first.items() if k.startswith("tapir_peer_up{") and "sapporo" in k] == [0]
    assert first['tapir_realm_peers{realm="branches"}'] == 2
    assert first['tapir_realm_peers_up{realm="branches"}'] == 1
    assert first['tapir_handshakes_total{result="ok",code=""}'] >= 1
    assert first["tapir_handshake_duration_seconds_count"] == 1
    assert first['tapir_handshake_duration_seconds_bucket{le="+Inf"}'] == 1
    assert first['tapir_hub_ports{realm="branches"}'] == 2
    assert first['tapir_drops_total{reason="esp-replay",part="esp"}'] == 0
    assert lab.ping("host-a", "10.0.0.2", 5) == 5
    second = samples(ends[0].tapir("metrics").stdout)
    grown = f"tapir_peer_transmit_bytes_total{{{osaka}}}"
    assert second[grown] >= first[grown] + 5 * 98
    doc = ends[0].json("metrics")["metrics"]
    assert {f["name"] for f in doc} == set(re.findall(r"# HELP (\w+)", text))
    up = next(f for f in doc if f["name"] == "tapir_peer_up")
    assert {s["labels"]["peer"]: s["value"] for s in up["samples"]}["osaka"] == 1
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert done.returncode == 0, done.stdout


def test_stats_of_the_packet_path(lab, ends):
    """Workers, stages, queues and SAs agree with each other and with the traffic."""
    before = ends[0].json("stats")
    assert lab.tcp("host-b", "host-a", "10.0.0.2", size="20M") > 0
    doc = ends[0].json("stats")
    path = doc["datapath"]
    assert path["provider"] in ("ipsecmb", "openssl") and path["rule"] == "queue"
    assert path["n_workers"] == len(doc["workers"])
    for worker in doc["workers"]:
        assert worker["cpu_ns"] > 0 and worker["n_wake"] > 0 and worker["ns_per_byte"] > 0

    def total(of, stage, key):
        return sum(r[key] for r in of["stages"] if r["stage"] == stage)
    for stage, least in (("tap-in", 10e6), ("net-out", 10e6), ("net-in", 100), ("tap-out", 100)):
        assert total(doc, stage, "n_bytes") - total(before, stage, "n_bytes") > least
        assert total(doc, stage, "n_packets") >= total(doc, stage, "n_in_trains")
    assert {r["queue"] for r in doc["queues"]} >= {"in", "out", "udp4.0"}
    assert all(r["n_now"] <= r["n_high"] for r in doc["queues"])
    assert sum(s["tx_packets"] for s in doc["sas"]) <= total(doc, "net-out", "n_packets")
    assert doc["sas"][0]["peer"] == "osaka" and doc["sas"][0]["seq_out"] > 0
    assert ends[0].json("stats")["workers"][0]["cpu_ns"] >= doc["workers"][0]["cpu_ns"]


def test_log(ends):
    """Events in order, filtered by code."""
    events = ends[0].json("log")["events"]
    numbers = [e["seq"] for e in events]
    assert numbers == sorted(set(numbers))
    codes = [e["event"] for e in events]
    assert codes[0] == "daemon-started" and {"realm-ready", "peer-up"} <= set(codes)
    assert all(e["sentence"] and e["severity"] and e["time_ms"] > 1e12 for e in events)
    only = ends[0].json("log", "--code", "peer-up")["events"]
    assert only and {e["event"] for e in only} == {"peer-up"}
    assert only[0]["peer"] == "osaka" and only[0]["realm"] == "branches"


def test_log_follows(lab, ends):
    """An event that happens meanwhile arrives."""
    from gateway import TAPIR
    follow = lab.spawn("gw-a", TAPIR, "--run-dir", ends[0].run_dir, "--json", "log", "-f")
    within(0.3, lambda: False)
    assert ends[0].tapir("rekey", "branches/osaka", "child").returncode == 0
    assert until(4, lambda: "peer-rekeyed" in follow.text() or "child-up" in follow.text()), \
        follow.text()
    for line in follow.text().splitlines():
        json.loads(line)
    follow.stop()


@pytest.mark.parametrize("argv", [
    ("up", "branches/osaka"), ("rekey", "branches/osaka", "child"),
    ("rekey", "branches/osaka", "ike")])
def test_actions_answer(lab, ends, argv):
    """One document: done, or why not."""
    doc = ends[0].json(*argv)
    assert doc["ok"] is True and "text" in doc
    assert lab.until_ping("host-a", "10.0.0.2", 5)


@pytest.mark.parametrize("argv,status,word", [
    (("up", "branches/osakka"), 1, "osaka"), (("down", "brunches"), 1, "branches"),
    (("rekey", "branches/sapporo.a-very-long-name-of-a-branch.example.co.jp"), 1, "not up"),
    (("sttaus",), 2, "status"), (("rekey", "branches/osaka", "all"), 2, "child"),
    (("hub", "nowhere"), 1, "no realm nowhere"), (("confirm",), 1, "confirmed")])
def test_what_fails_says_why(ends, argv, status, word):
    """Exit status by the contract, a hint to go on with, and JSON for failures too."""
    done = ends[0].tapir(*argv)
    assert done.returncode == status, done.stdout
    assert word in done.stdout
    doc = json.loads(ends[0].tapir("--json", *argv).stdout)
    assert doc["ok"] is False and {"code", "text", "hint"} <= set(doc)


def test_no_daemon(lab, ends):
    """Exit status 3."""
    from gateway import TAPIR
    done = lab.run("gw-a", TAPIR, "--run-dir", "/nonexistent", "status")
    assert done.returncode == 3 and "/nonexistent" in done.stdout


def test_check(ends):
    """A good file."""
    doc = ends[0].json("check", ends[0].conf_path)
    assert doc["ok"] is True and doc["n_realms"] == 1 and doc["n_peers"] == 2
    assert doc["errors"] == []


@pytest.mark.parametrize("argv", [
    ("status",), ("status", "branches/osaka"), ("hub",), ("hub", "branches", "mac"),
    ("hub", "branches", "arp"), ("stats",), ("stats", "-a"), ("help",),
    ("help", "lab")])
def test_people_read_80_columns(ends, argv):
    """No line is longer, none holds a control character.  (A log that is not shown
    on a terminal is for grep, and not folded.)"""
    out = ends[0].tapir(*argv).stdout
    assert out.strip()
    for line in out.splitlines():
        assert len(line) <= 80 and line.isprintable(), repr(line)
