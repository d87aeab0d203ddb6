# SPDX-License-Identifier: Apache-2.0
"""A flood of forged IKE_SA_INIT requests: tunnels stay, and a peer still comes in."""
import os
import re
import time

import pytest

import topo
from gateway import Gateway, office
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
