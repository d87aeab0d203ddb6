# SPDX-License-Identifier: Apache-2.0
"""Another configuration while tunnels stand: who is touched, who is not."""
import json
import time

import pytest

import topo
from gateway import Gateway
from lab import until

PEERS = 100
KEYS = {"hub.psk": "the key of the hub, long enough", "one.psk": "of one peer alone, long enough"}


def hub(names, attrs="", extra="", one="", top='log="info"'):
    """The right side: one realm, a peer for each name; attributes of p7 in one."""
    peers = "".join(f'    <peer id="{n}" {one if n == "p7" else ""}/>\n' for n in names)
    return (f'<vpn {top}>\n  <realm name="hub" tap="hub0" address="10.9.0.254/16" {attrs}>\n'
            f'    <me id="hub" psk="hub.psk"/>\n{peers}  </realm>\n{extra}</vpn>\n')


def spoke(n):
    """A realm of the left side, which is one peer of the hub."""
    return (f'  <realm name="p{n}" tap="p{n}" address="10.9.1.{n}/16" dpd="1" dead="3">\n'
            f'    <me id="p{n}" psk="hub.psk"/>\n'
            f'    <peer id="hub" name="hub{n}" at="192.0.2.2"/>\n  </realm>\n')


NAMES = [f"p{n}" for n in range(1, PEERS + 1)]


@pytest.fixture(scope="module")
def lab():
    """Two gateways."""
    made = topo.pair()
    made.need("left", "sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
              "net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2")
    yield made
    made.close()


def states(gw):
    """Name -> (state, SPIs) of the hub's peers."""
    peers = gw.json("status", "hub")["realms"][0]["peers"]
    return {p["name"]: (p["state"], p.get("spi_in"), p.get("spi_out")) for p in peers}


def all_up(gw, names=None):
    """Are all (or these) up?"""
    now = states(gw)
    return all(now.get(n, ("",))[0] == "up" for n in names or NAMES)


@pytest.fixture(scope="module")
def ends(lab):
    """All peers up."""
    b = Gateway(lab, "right", hub(NAMES), KEYS).start()
    a = Gateway(lab, "left", "<vpn>\n" + "".join(spoke(n) for n in range(1, PEERS + 1)) +
                "</vpn>\n", KEYS).start(30)
    assert until(40, lambda: all_up(b), 0.5), b.log()[-3000:]
    yield a, b
    a.stop()
    b.stop()


def put(gw, text):
    """Write another configuration."""
    gw.write(text, KEYS)


def test_dry_run_says_what_would_change(ends):
    """In words, and who would be interrupted; nothing happens."""
    b, before = ends[1], states(ends[1])
    put(b, hub(NAMES[:-1] + ["new"], one='encap="udp"', attrs='dpd="7"'))
    done = b.tapir("reload", "--dry-run")
    assert done.returncode == 0, done.stdout
    for word in ("p100 is removed", "new is new", "p7: encap changes from", "p7 is interrupted",
                 'dpd changes from "10" to "7"', "1 peer is interrupted, 98 peers are not touched"):
        assert word in " ".join(done.stdout.split()), done.stdout
    doc = b.json("reload", "--dry-run")
    assert doc["dry_run"] and doc["sum"]["n_kept"] == 98 and doc["sum"]["n_interrupted"] == 1
    assert {"what", "realm", "peer", "name", "before", "after", "kind", "text"} <= set(
        doc["changes"][0])
    assert states(b) == before


def test_one_of_a_hundred(lab, ends):
    """One peer's encap= changes: 99 keep their SPIs and lose no packet."""
    b, before = ends[1], states(ends[1])
    flow = lab.spawn("left", "ping", "-q", "-i", "0.005", "-c", "600", "-I", "p3", "10.9.0.254")
    time.sleep(0.3)
    put(b, hub(NAMES, one='encap="udp"'))
    done = b.tapir("reload")
    assert done.returncode == 0, done.stdout + b.log()[-3000:]
    assert until(20, lambda: all_up(b), 0.2), states(b)
    after = states(b)
    flow.wait(10)
    assert "600 packets transmitted, 600 received" in flow.text(), flow.text()
    changed = [n for n in NAMES if after[n] != before[n]]
    assert changed == ["p7"]


def test_comes_and_goes(lab, ends):
    """A peer less, and one more; the rest notices nothing."""
    b, before = ends[1], states(ends[1])
    put(b, hub(NAMES[:-1]))
    assert b.tapir("reload").returncode == 0
    assert until(3, lambda: "p100" not in states(b))
    put(b, hub(["new"] + NAMES))
    assert b.tapir("reload").returncode == 0
    assert until(30, lambda: all_up(b), 0.3), states(b)["p100"]
    after = states(b)
    assert after["new"][0] == "down"
    assert [n for n in NAMES if after[n] != before[n] and n not in ("p7", "p100")] == []


def test_wrong_is_refused_whole(ends):
    """Every mistake is told, with its line; the daemon goes on."""
    b, before = ends[1], states(ends[1])
    put(b, hub(NAMES, attrs='dpd="x" brigde="y"'))
    done = b.tapir("reload")
    assert done.returncode == 1
    assert ":2:" in done.stdout and "bridge" in done.stdout and "dpd" in done.stdout
    assert len(b.json("status")["realms"]) == 1 and states(b) == before
    doc = json.loads(b.tapir("--json", "reload").stdout)
    assert doc["ok"] is False and len(doc["errors"]) == 2
    put(b, hub(NAMES, one='psk="nowhere.psk"'))
    done = b.tapir("reload")
    assert done.returncode == 1 and "nowhere.psk" in done.stdout
    assert states(b) == before


def test_undone_unless_confirmed(ends):
    """reload --confirm: the former configuration comes back, the file stays."""
    b = ends[1]
    put(b, hub(NAMES))
    assert b.tapir("reload").returncode == 0
    assert b.tapir("confirm").returncode == 1
    text = hub(NAMES + ["guest"])
    put(b, text)
    done = b.tapir("reload", "--confirm", "2")
    assert done.returncode == 0 and "tapir confirm" in done.stdout, done.stdout
    assert "guest" in states(b)
    assert "confirm" in b.tapir("reload").stdout
    assert until(6, lambda: "guest" not in states(b), 0.2), b.log()[-2000:]
    with open(b.conf_path, encoding="utf-8") as f:
        assert f.read() == text
    done = b.tapir("reload", "--confirm", "3")
    assert done.returncode == 0, done.stdout
    assert b.tapir("confirm").returncode == 0
    time.sleep(3.3)
    assert "guest" in states(b)
    assert until(20, lambda: all_up(b), 0.3)


def test_realms_come_and_go(lab, ends):
    """A realm more, another address for its TAP, and without it again."""
    b, before = ends[1], states(ends[1])
    more = ('  <realm name="more" tap="more0" address="10.8.0.1/24">\n    <me id="m" psk="one.psk"/>\n'
            '    <peer id="n"/>\n  </realm>\n')
    put(b, hub(NAMES, extra=more))
    done = b.tapir("reload")
    assert done.returncode == 0 and "realm more is new" in done.stdout, done.stdout
    assert [r["name"] for r in b.json("status")["realms"]] == ["hub", "more"]
    assert "10.8.0.1/24" in lab.need("right", "ip", "addr", "show", "dev", "more0")
    put(b, hub(NAMES, extra=more.replace("10.8.0.1", "10.8.0.9")))
    done = b.tapir("reload")
    assert done.returncode == 0 and "is taken down and set up again" in " ".join(
        done.stdout.split()), done.stdout
    assert "10.8.0.9/24" in lab.need("right", "ip", "addr", "show", "dev", "more0")
    put(b, hub(NAMES))
    assert b.tapir("reload").returncode == 0
    assert lab.run("right", "ip", "link", "show", "dev", "more0").returncode != 0
    assert [n for n in NAMES if states(b)[n] != before[n]] == []
    put(b, hub(NAMES, extra=more.replace('<me', '<match id="x"/><me').replace(
        'tap="more0"', 'tap="lo"')))
    done = b.tapir("reload")
    assert "cannot be set up" in done.stdout and b.lines("realm more cannot be set up")
    put(b, hub(NAMES))
    assert b.tapir("reload").returncode == 0


def test_sighup(ends):
    """A signal reloads, too."""
    b = ends[1]
    put(b, hub(NAMES + ["visitor"]))
    b.proc.popen.send_signal(1)
    assert until(5, lambda: "visitor" in states(b)), b.log()[-2000:]


def test_secure_process_is_one(ends):
    """The former one has ended, and a new one is taken over when it dies."""
    b = ends[1]
    assert until(3, lambda: len([p for p in b.pids_left()]) <= 5)
    b.kill_role("secure")
    assert until(5, lambda: b.lines("secure process is back")), b.log()[-2000:]
    put(b, hub(NAMES))
    assert b.tapir("reload").returncode == 0
    assert all_up(b)
