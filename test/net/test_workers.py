# SPDX-License-Identifier: Apache-2.0
"""Several workers: every rule moves the same traffic, whoever does the work."""
import pytest

from gateway import Gateway, office

WORKERS = 3
RULES = ("queue", "destination", "spi", "peer", "realm", "round-robin")


def moved(gw):
    """Bytes that each worker sealed."""
    return [r["n_bytes"] for r in gw.json("stats")["stages"] if r["stage"] == "net-out"]


@pytest.mark.parametrize("rule", RULES)
def test_rule(lab, rule):
    """TCP both ways and pings of all sizes; no queue overflows, nothing is out of the window."""
    top = f'log="info" workers="{WORKERS}" rule="{rule}"'
    b = Gateway(lab, "gw-b", office("osaka", top=top)).start()
    a = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", top=top)).start()
    try:
        assert lab.until_ping("host-a", "10.0.0.2", 10), a.log()
        for back in False, True:
            assert lab.tcp("host-b", "host-a", "10.0.0.2", size="20M", reverse=back) > 0
        assert lab.ping("host-a", "10.0.0.2", 20, size=1400) == 20
        doc = a.json("stats")
        assert doc["datapath"]["rule"] == rule and doc["datapath"]["n_workers"] == WORKERS
        assert sum(moved(a)) > 15e6
        if rule in ("spi", "peer", "realm", "round-robin"):     # one SA: one sealer
            assert max(moved(a)) > 0.99 * sum(moved(a)), moved(a)
        lost = {d["name"] for gw in (a, b) for d in gw.json("stats", "--all")["drops"]
                if d["value"]}
        assert not lost & {"queue-in", "queue-out", "esp-replay", "no-buffer"}, lost
    finally:
        a.stop()
        b.stop()


def test_a_cpu_for_each_worker(lab):
    """cpus= binds them in turn, and names what cannot be used."""
    top = f'log="info" workers="{WORKERS}" cpus="0,4095"'
    gw = Gateway(lab, "gw-a", office("tokyo", at="192.0.2.2", top=top)).start()
    try:
        bound = {}
        pid = gw.pid("main")
        for task in lab.need("gw-a", "ls", f"/proc/{pid}/task").split():
            text = lab.need("gw-a", "cat", f"/proc/{pid}/task/{task}/status")
            rows = dict(x.split(":\t", 1) for x in text.splitlines() if ":\t" in x)
            bound[rows["Name"]] = rows["Cpus_allowed_list"]
        assert bound["tapir-work0"] == bound["tapir-work2"] == "0"
        assert gw.lines("worker 1: CPU 4095 cannot be used", level="WARN")
    finally:
        gw.stop()
