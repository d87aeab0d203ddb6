# SPDX-License-Identifier: Apache-2.0
"""Two gateways with certificates of `tapir ca`: revoked ones, lists fetched by HTTP, the process
that looks at certificates killed, and what it may still do."""
import base64
import os
import signal
import subprocess

import pytest

import topo
from gateway import TAPIR, Gateway, vpn
from lab import until

TOPOLOGY = topo.pair  # two machines on one wire

LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
URL = f"http://{RIGHT}:8080/ca.crl"


class Authority:
    """A directory that `tapir ca` keeps."""

    def __init__(self, path):
        self.dir = path
        os.chmod(path, 0o700)

    def __call__(self, *words):
        """tapir ca WORDS; what it printed."""
        return subprocess.run([TAPIR, "ca", "-d", self.dir, *words], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    def text(self, name):
        """A file of it."""
        with open(os.path.join(self.dir, name), encoding="ascii") as f:
            return f.read()

    def keys(self, name, *more):
        """The files a gateway needs."""
        return {x: self.text(x) for x in (f"{name}.pem", f"{name}.key", "ca.pem", *more)}


@pytest.fixture(scope="module")
def ca(lab):
    """An authority with two gateways and one that was revoked."""
    made = Authority(lab.mkdir("authority"))
    made("init", "Two offices", "--crl-url", URL)
    made("issue", "tokyo.example")
    made("issue", "osaka.example", "--type", "ed25519")
    made("issue", "gone.example")
    made("revoke", "gone.example")
    return made


def gateway(lab, ca, node, name, peer, *more, at="", policy="strict"):
    """One end, by certificate both ways; no id of our own: the certificate has it."""
    end = 1 if node == "left" else 2
    at = f' at="{at}"' if at else ""
    old = os.path.join(lab.mkdir(node), "keys", "ca.crl")
    if os.path.exists(old):
        os.unlink(old)          # of the test before
    return Gateway(lab, node, vpn(
        f'  <realm name="offices" address="10.9.0.{end}/24" dpd="1" dead="3">\n'
        f'    <me cert="{name}.pem"/>\n'
        f'    <peer id="{peer}" name="other"{at} ca="ca.pem" revocation="{policy}"/>\n'
        '  </realm>\n'), ca.keys(name, *more))


def echo(lab, seconds=15):
    """A ping from left to right through the tunnel."""
    return until(seconds, lambda: lab.ping("left", "10.9.0.2", 1))


@pytest.fixture
def ends():
    """Gateways that end with the test."""
    made = []
    yield made
    for one in made:
        one.stop()


def verify_pids(gate):
    """The processes that look at certificates."""
    out = []
    for pid in gate.pids_left():
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as f:
                if f.read().strip() == "tapir-verify":
                    out.append(pid)
        except FileNotFoundError:
            pass                # it ended meanwhile
    return out


def test_two_gateways_with_one_authority(lab, ca, ends):
    """Up by certificates of both kinds, with the list in a file; killing the child costs nothing."""
    ends.append(gateway(lab, ca, "right", "osaka.example", "tokyo.example", "ca.crl").start())
    ends.append(gateway(lab, ca, "left", "tokyo.example", "osaka.example", "ca.crl",
                        at=RIGHT).start())
    right, left = ends
    assert echo(lab), left.log() + right.log()
    pids = verify_pids(right)
    assert len(pids) == 1
    os.kill(pids[0], signal.SIGKILL)
    assert until(5, lambda: verify_pids(right) and verify_pids(right) != pids)
    left.stop()
    left.start()
    assert echo(lab), left.log() + right.log()


def test_the_child_has_nothing(lab, ca, ends):
    """No capability, no file, the filter, and no key in its memory."""
    ends.append(gateway(lab, ca, "right", "osaka.example", "tokyo.example", "ca.crl").start())
    pid = verify_pids(ends[0])[0]
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        status = dict(line.split(":\t", 1) for line in f.read().splitlines() if ":\t" in line)
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
    assert int(status["CapBnd"], 16) == 0
    assert status["Seccomp"].strip() == "2"
    assert status["NoNewPrivs"].strip() == "1"
    links = [os.readlink(f"/proc/{pid}/fd/{x}") for x in os.listdir(f"/proc/{pid}/fd")]
    assert not [x for x in links if x.endswith((".key", ".pem", ".crl", "tun"))], links
    # The private key is DER within the PEM: its last bytes are the secret of Ed25519.
    pem = ca.text("osaka.example.key").splitlines()
    secret = base64.b64decode("".join(pem[1:-1]))[-32:]
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, mode = line.split()[:2]
            if "r" not in mode or "[v" in line:
                continue
            lo, hi = (int(x, 16) for x in span.split("-"))
            mem.seek(lo)
            assert secret not in mem.read(hi - lo), line


def test_a_revoked_certificate_is_refused(lab, ca, ends):
    """The list is in a file; the log says why."""
    ends.append(gateway(lab, ca, "right", "gone.example", "tokyo.example", "ca.crl").start())
    ends.append(gateway(lab, ca, "left", "tokyo.example", "gone.example", "ca.crl", at=RIGHT,
                        policy="soft").start())
    left = ends[1]
    assert until(15, lambda: "was revoked" in left.log()), left.log()
    assert not lab.ping("left", "10.9.0.2", 1)


def test_without_a_list_strict_refuses(lab, ca, ends):
    """Nobody serves it: the log says so, and where it should be is tried."""
    ends.append(gateway(lab, ca, "right", "osaka.example", "tokyo.example", "ca.crl").start())
    ends.append(gateway(lab, ca, "left", "tokyo.example", "osaka.example", at=RIGHT).start())
    left = ends[1]
    assert until(15, lambda: "nobody says" in left.log()), left.log()
    assert until(15, lambda: URL in left.log()), left.log()
    assert not lab.ping("left", "10.9.0.2", 1)


def test_the_list_is_fetched(lab, ca, ends):
    """From the distribution point in the certificate, by HTTP; then strict is content."""
    server = lab.spawn("right", "/usr/bin/python3", "-m", "http.server", "--bind", RIGHT,
                       "--directory", ca.dir, "8080", name="http")
    try:
        assert until(5, lambda: lab.run("left", "/usr/bin/python3", "-c",
                                        f"import urllib.request as u; u.urlopen('{URL}')").returncode == 0)
        ends.append(gateway(lab, ca, "right", "osaka.example", "tokyo.example", "ca.crl").start())
        ends.append(gateway(lab, ca, "left", "tokyo.example", "osaka.example", at=RIGHT).start())
        assert echo(lab, 30), ends[1].log() + server.text()
        assert until(5, lambda: f"fetched {URL}" in ends[1].log()), ends[1].log()
    finally:
        server.kill()
