# SPDX-License-Identifier: Apache-2.0
"""One realm with 200 peers: a gateway, and a daemon of 200 realms in place of 200 offices.

    many: tap t0 ==\\
          tap t1 ====+== gateway: one hub, one TAP, 200 tunnels
          ...       /
          tap t199 ==

Beside it one more realm of the gateway, with a peer that only wants its pings back.
"""
import json
import os
import re
import secrets

import pytest

from gateway import PSK, Gateway
from lab import Lab, until

N = 200
NICE = ("nice", "-n", "19")
QUIET = "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"


def conf_gateway():
    """200 peers by a pattern in one realm; another realm."""
    return ('<vpn log="info" half-open-max="1024">\n'
            '<realm name="crowd" tap="tap-crowd"><me id="centre" psk="k.psk"/>'
            '<peer id="p*.crowd" macs="64"/></realm>\n'
            '<realm name="calm" tap="tap-calm" address="10.9.0.1/24"><me id="calm" psk="k.psk"/>'
            '<peer id="lone"/></realm></vpn>\n')


def conf_many():
    """As many offices, each a realm of its own."""
    return '<vpn log="info">\n' + "".join(
        f'<realm name="r{i}" tap="t{i}"><me id="p{i}.crowd" psk="k.psk"/>'
        '<peer id="centre" at="192.0.2.1"/></realm>\n' for i in range(N)) + "</vpn>\n"


LONE = ('<vpn log="info"><realm name="calm" address="10.9.0.2/24"><me id="lone" psk="k.psk"/>'
        '<peer id="calm" at="192.0.2.1"/></realm></vpn>\n')


class Crowd:
    """All of them up."""

    def __init__(self):
        self.lab = lab = Lab()
        keys = {"k.psk": PSK}
        lab.add("inet", "gateway", "many", "lone")
        lab.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                          "link set br0 up\n")
        for n, node in enumerate(("gateway", "many", "lone"), 1):
            for word in QUIET:                      # 200 TAPs say nothing by themselves
                lab.need(node, "sysctl", "-qw", word)
            lab.wire(node, "wan0", "inet", f"p{n}")
            lab.batch("inet", f"link set p{n} master br0\n")
            lab.batch(node, f"addr add 192.0.2.{n}/24 dev wan0\n")
        self.gw = Gateway(lab, "gateway", conf_gateway(), keys).start()
        self.lone = Gateway(lab, "lone", LONE, keys).start()
        # Not the far side is on trial, where the machine is short of cores.
        self.many = Gateway(lab, "many", conf_many(), keys, wrap=NICE).start(30)

    def ports(self):
        """Tunnels of the crowded hub, by name."""
        return {p["port"]: p for p in self.gw.json("hub", "crowd", "ports")["ports"]
                if p["kind"] == "ether"}

    def python(self, node, code, *argv):
        """What a small program prints."""
        return self.lab.need(node, "/usr/bin/python3", "-c", code, *argv, timeout=60)

    def rss_kb(self):
        """Memory of the gateway's main process."""
        with open(f"/proc/{self.gw.pid('main')}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])


@pytest.fixture(scope="module")
def crowd():
    """200 tunnels."""
    made = Crowd()
    try:
        assert until(30, lambda: len(made.ports()) == N, 0.3), len(made.ports())
        yield made
        for gw in made.many, made.lone, made.gw:
            gw.stop(20)
    finally:
        made.lab.close()


# A frame from each TAP named, from its own address; then how many arrived where.
SPEAK = """
import socket, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b6))
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)             # SO_RCVBUFFORCE
s.settimeout(1)
n, marker, want = int(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[4])
got, total = [0] * n, 0
for i in map(int, sys.argv[3].split(",")):
    with open(f"/sys/class/net/t{i}/address", encoding="ascii") as f:
        mac = bytes.fromhex(f.read().strip().replace(":", ""))
    s.sendto(b"\\xff" * 6 + mac + b"\\x88\\xb6" + marker + b"\\0" * 40, (f"t{i}", 0x88b6))
    time.sleep(0.002)
try:
    while True:
        data, who = s.recvfrom(2048)
        if who[2] != socket.PACKET_OUTGOING and marker in data:
            got[int(who[0][1:])] += 1
            total += 1
            s.settimeout(0.3 if total >= want else 1)
except TimeoutError:
    pass
print(",".join(map(str, got)))
"""


def test_a_broadcast_reaches_every_other_office_once(crowd):
    """One copy for each of 199; none comes back to where it came from."""
    out = crowd.python("many", SPEAK, N, secrets.token_hex(8), "7", N - 1)
    got = [int(x) for x in out.strip().split(",")]
    assert got == [int(i != 7) for i in range(N)]


def test_tables_hold_every_office_and_can_be_read(crowd):
    """200 addresses behind 200 ports; a table of them has a row each, and no long one."""
    crowd.python("many", SPEAK, N, "all", ",".join(map(str, range(N))), N * (N - 1))
    assert until(5, lambda: sum(p["n_mac"] for p in crowd.ports().values()) == N)
    rows = crowd.gw.json("hub", "crowd", "mac")["macs"]
    assert {r["port"] for r in rows} >= {f"p{i}.crowd" for i in range(N)}
    text = crowd.gw.tapir("hub", "crowd", "ports").stdout.splitlines()
    assert len([x for x in text if ".crowd" in x]) == N
    assert max(map(len, text)) <= 100, max(text, key=len)
    text = crowd.gw.tapir("status", "crowd").stdout
    assert f"{N} of {N} peers up" in text, text[:300]


# So many frames from addresses nobody has, to one that nobody has, by one TAP.
FLOOD = """
import os, socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
dst, n = bytes.fromhex(sys.argv[3]), int(sys.argv[2])
pad = b"\\x88\\xb6" + b"\\0" * 46
for _ in range(n // 1024):
    r = os.urandom(4096)
    for i in range(0, 4096, 4):
        try:
            s.send(dst + b"\\x02\\x99" + r[i:i + 4] + pad)
        except OSError:
            pass
"""


@pytest.mark.parametrize("what,dst", [("new addresses", "02ffffffffff"),
                                      ("broadcasts", "ff" * 6)])
def test_a_flood_of_one_office_is_bounded_and_named(crowd, what, dst):
    """Its own limit of addresses, its own rate of flooding; another realm does not notice."""
    before = {name: crowd.gw.stat(name) for name in ("hub-limit", "hub-storm")}
    rss = crowd.rss_kb()
    lab = crowd.lab
    assert lab.until_ping("lone", "10.9.0.1", 5)
    noise = lab.spawn("many", *NICE, "/usr/bin/python3", "-c", FLOOD, "t3", 200000, dst, name="flood")
    quiet = lab.run("lone", "ping", "-n", "-q", "-i", "0.02", "-c", "100", "10.9.0.1", timeout=30)
    assert noise.wait(60) == 0, noise.text()
    lost = int(re.search(r"([\d.]+)% packet loss", quiet.stdout)[1].split(".")[0])
    assert lost <= 2, (what, quiet.stdout)
    port = crowd.ports()["p3.crowd"]
    assert port["n_mac"] <= 64 and port["state"] == "forwarding"
    assert crowd.gw.stat("hub-limit") > before["hub-limit"] or dst == "ff" * 6
    assert crowd.gw.stat("hub-storm") > before["hub-storm"]
    assert until(5, lambda: crowd.gw.lines("p3.crowd dropped, more than")), what
    assert crowd.rss_kb() - rss < 20000
    assert len(crowd.ports()) == N


def test_offices_that_leave_take_their_rows_along(crowd):
    """Half of the realms go down: their ports, addresses and memory of them."""
    for i in range(0, N, 40):
        crowd.many.tapir("down", f"r{i}")
    left = N - len(range(0, N, 40))
    assert until(10, lambda: len(crowd.ports()) == left), len(crowd.ports())
    rows = crowd.gw.json("hub", "crowd", "mac")["macs"]
    assert not {r["port"] for r in rows} & {f"p{i}.crowd" for i in range(0, N, 40)}
    assert json.dumps(rows).count('"p41.crowd"') == 1
    assert os.path.exists(crowd.gw.run_dir)
