# SPDX-License-Identifier: Apache-2.0
"""A flood of forged IKE_SA_INIT requests: tunnels stay, and a peer still comes in."""
import os
import re
import time

import pytest

import topo
from charon import Charon
from gateway import Gateway, office, realm, vpn
from lab import until

B = os.path.abspath(os.environ.get("B", "build"))
FLOOD = os.path.join(B, "test", "bench", "flood")
RATE, SECONDS = 10000, 12
TOP = 'log="info" cookie-threshold="20"'


@pytest.fixture(scope="module")
def lab():
    """Two offices and a stranger on the wire between them, to whom answers to forged sources go."""
    if not os.path.exists(FLOOD):
        pytest.skip("make build/test/bench/flood")
    made = topo.sites()
    made.batch("inet", "addr add 192.0.2.66/24 dev br0\n")
    made.batch("gw-b", "route add 198.18.0.0/15 via 192.0.2.66\n")
    yield made
    made.close()


@pytest.fixture(scope="module")
def ends(lab):
    """The tunnel is up."""
    b = Gateway(lab, "gw-b", office("osaka", top=TOP)).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2")).start()
    assert lab.until_ping("host-a", "10.0.0.2", 10)
    yield a, b
    a.stop()
    b.stop()


def cpu_s(pid, name):
    """CPU seconds of the threads of a process with this name."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as f:
            left, right = f.read().rsplit(")", 1)
        if left.split("(", 1)[1] == name:
            total += sum(int(x) for x in right.split()[11:13])
    return total / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("port", [500, 4500])
def test_tunnels_stay_and_a_peer_comes_in(lab, ends, port):
    """Requests of random sources: the thread of strangers has the work, nobody else."""
    a, b = ends
    main = b.pid("main")
    before = {n: cpu_s(main, n) for n in ("tapird", "tapir-door")}
    asked = b.stat("ike-cookies-asked")
    flood = lab.spawn("inet", FLOOD, "192.0.2.2", port, RATE, SECONDS, name=f"flood{port}")
    assert until(5, lambda: b.stat("ike-attack-level") >= 1)
    assert until(5, lambda: b.stat("ike-cookies-asked") > asked + 1000)
    assert "cookie" in b.tapir("status").stdout
    assert lab.ping("host-a", "10.0.0.2", 20) == 20
    # a peer that was restarted has to get in like everybody
    a.kill()
    begin = time.monotonic()
    a.start()
    assert lab.until_ping("host-a", "10.0.0.2", 8), b.log()
    took = time.monotonic() - begin
    assert until(SECONDS + 3, lambda: flood.popen.poll() is not None)
    sent = int(re.match(r"\d+", flood.text())[0])
    assert sent == RATE * SECONDS
    used = {n: cpu_s(main, n) - before[n] for n in before}
    print(f"port {port}: in after {took:.1f} s; CPU {used}")
    assert b.pid("main") == main
    assert used["tapir-door"] > used["tapird"], used
    assert b.stat("ike-half-open") < 200


def test_the_log_is_not_filled(ends):
    """A flood is some lines, not one for each datagram."""
    b = ends[1]
    assert len(b.log().splitlines()) < 100
    assert b.lines("cookie")


PATIENT = "retransmit_tries = 30\n  retransmit_timeout = 1.0\n  retransmit_base = 1.0"


@pytest.mark.skipif(not os.path.exists(FLOOD), reason="make build/test/bench/flood")
@pytest.mark.parametrize("puzzles", [False, True], ids=["cookies", "puzzles"])
def test_strongswan_comes_in_while_strangers_are_asked(puzzles):
    """It returns cookies; puzzles it leaves alone, and is let in by chance (RFC 8019 7.1)."""
    pair = topo.pair()
    try:
        pair.batch("inet", "addr add 192.0.2.66/24 dev br0\n")
        pair.batch("left", "route add 198.18.0.0/15 via 192.0.2.66\n")
        level = 2 if puzzles else 1
        a = Gateway(pair, "left", vpn(realm(
            "tokyo", "osaka", attrs='mode="ip"',
            inner='    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n'),
            attrs=f'log="info" cookie-threshold="3" puzzle-threshold="{3 if puzzles else 0}"'))
        b = Charon(pair, "right", local="192.0.2.2", remote="192.0.2.1", local_id="osaka",
                   remote_id="tokyo", local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24",
                   ike="aes256gcm16-prfsha384-x25519", esp="aes256gcm16", options=PATIENT)
        a.start()
        b.start()
        pair.spawn("inet", FLOOD, "192.0.2.1", 500, 50, 60, name="slow-flood")
        assert until(5, lambda: a.stat("ike-attack-level") == level)
        b.ctl("--initiate", "--child", "c", "--timeout", "40")
        assert pair.ping("right", "10.1.0.1", 3, source="10.2.0.1") == 3, b.log()[-3000:]
        assert (a.stat("ike-puzzles-excused") > 0) == puzzles
        assert a.stat("ike-puzzles-solved") == 0
        a.stop()
        b.stop()
    finally:
        pair.close()


def test_a_peer_solves_its_puzzle(lab, ends):
    """Both ends are ours: no chance is needed."""
    a, b = ends
    a.stop()
    b.stop()
    b.write(office("osaka", top='log="info" cookie-threshold="3" puzzle-threshold="3"'), {})
    b.start()
    lab.spawn("inet", FLOOD, "192.0.2.2", 500, 50, 30, name="puzzling")
    assert until(5, lambda: b.stat("ike-attack-level") == 2)
    a.start()
    assert lab.until_ping("host-a", "10.0.0.2", 15), b.log()
    assert b.stat("ike-puzzles-solved") > 0
    assert "puzzles" in b.tapir("status").stdout
