# SPDX-License-Identifier: Apache-2.0
"""Two commands join two offices that have nothing but the programs, and a laptop to a gateway."""
import os
import shutil

import pytest

import topo
from gateway import TAPIR, Gateway
from lab import until

TOPOLOGY = topo.sites  # bridges br-lan, hosts behind them


class Office(Gateway):
    """A gateway whose configuration is written by commands."""

    def __init__(self, lab, node):
        super().__init__(lab, node, "", {"x": ""})
        os.unlink(self.conf_path)
        shutil.rmtree(os.path.join(self.dir, "keys"))

    def does(self, *argv):
        """A command that changes it."""
        done = self.lab.run(self.node, TAPIR, *argv, "-c", self.conf_path)
        assert done.returncode == 0, done.stdout
        return done.stdout


@pytest.fixture(scope="module")
def offices(lab):
    """Nothing is there but two names of files."""
    a, b = Office(lab, "gw-a"), Office(lab, "gw-b")
    yield a, b
    a.stop()
    b.stop()


def test_two_commands_join_two_offices(lab, offices):
    """invite here, join there: the hosts behind both are in one Ethernet."""
    a, b = offices
    paper = os.path.join(a.dir, "osaka.invite")
    a.does("invite", "osaka", "--at", "192.0.2.1", "--name", "tokyo", "--lan", "br-lan", "-o",
           paper)
    b.does("join", paper, "--lan", "br-lan", "--yes")
    a.start()
    b.start()
    assert lab.until_ping("host-a", "10.0.0.2", 10), a.log() + b.log()
    assert a.is_up() and b.is_up()


def test_a_third_office_joins_while_the_first_two_work(lab, offices):
    """One more peer by reload; each has a key of its own."""
    a, b = offices
    if not a.is_up():
        pytest.skip("the first two are not joined")
    paper = os.path.join(a.dir, "nara.invite")
    a.does("invite", "nara", "--at", "192.0.2.1", "-o", paper)
    assert a.tapir("reload").returncode == 0
    assert until(5, lambda: any(p["name"] == "nara" for r in a.json("status")["realms"]
                                for p in r["peers"]))
    assert lab.ping("host-a", "10.0.0.2")
    keys = {name: open(os.path.join(a.dir, "keys", name), encoding="ascii").read()
            for name in ("branches-osaka.psk", "branches-nara.psk")}
    assert len(set(keys.values())) == 2


def fetched(lab, node, link):
    """What a browser in a node gets: status line and body."""
    host, path = link.removeprefix("http://").split("/", 1)
    host, port = host.rsplit(":", 1)
    done = lab.run(node, "busybox", "nc", "-w", "3", host, port, text=f"GET /{path} HTTP/1.0\r\n\r\n")
    head, _, body = done.stdout.partition("\n\n")
    return head.splitlines()[0] if head else "", body


def linked(lab, office, *argv):
    """A command that waits for its link to be followed, and the link."""
    proc = lab.spawn(office.node, TAPIR, *argv, "--link", "192.0.2.1:8080", "-c",
                     office.conf_path, name="invite")
    assert until(5, lambda: "http://" in proc.text()), proc.text()
    return proc, next(x for x in proc.text().splitlines() if x.startswith("http://"))


def test_an_invitation_by_a_link_works_once(lab, offices):
    """Who guesses gets nothing, who listens cannot read it, and the second one is too late."""
    a = offices[0]
    proc, link = linked(lab, a, "invite", "kobe", "--at", "192.0.2.1")
    wrong = "http://192.0.2.1:8080/" + "0" * 32
    assert "404" in fetched(lab, "gw-b", wrong)[0]
    idle = lab.spawn("gw-b", "sh", "-c", "sleep 5 | busybox nc 192.0.2.1 8080", name="idle")
    conf = os.path.join(lab.mkdir("kobe"), "tapir.xml")
    bad = lab.run("gw-b", TAPIR, "join", link[:-1] + ("A" if link[-1] != "A" else "E"), "--yes",
                  "-c", conf)
    assert bad.returncode == 1 and "not what the link was made for" in bad.stdout
    assert until(5, lambda: proc.popen.poll() is not None) and proc.popen.poll() == 0
    proc, link = linked(lab, a, "invite", "kobe", "--at", "192.0.2.1")
    good = lab.run("gw-b", TAPIR, "join", link, "--yes", "-c", conf)
    assert good.returncode == 0, good.stdout
    assert until(5, lambda: proc.popen.poll() is not None) and proc.popen.poll() == 0
    late = lab.run("gw-b", TAPIR, "join", link, "--yes", "-c", conf)
    assert late.returncode == 1 and "cannot be reached" in late.stdout
    with open(os.path.join(lab.mkdir("kobe", "keys"), "branches-kobe.psk"), encoding="ascii") as f:
        key = f.read()
    with open(os.path.join(a.dir, "keys", "branches-kobe.psk"), encoding="ascii") as f:
        assert f.read() == key
    idle.kill()


POOL = """<vpn log="info">
  <realm name="dev" mode="ip" address="10.20.1.1/24" tap="t-dev">
    <match id="*.dev.example.com"/>
    <me id="vpn.example.com" cert="vpn.example.com"/>
    <peer ca="ca.pem"/>
    <pool net="10.20.1.0/24" route="10.20.0.0/16"/>
  </realm>
</vpn>
"""


def test_a_laptop_joins_by_a_certificate(lab, offices):
    """A gateway with a pool and an authority of its own: invite makes key and certificate, join
    a client that gets an address; a name no rule admits gets no certificate."""
    for office in offices:
        office.stop()
    office, laptop = Office(lab, "gw-b"), Office(lab, "gw-a")
    keys = os.path.join(office.dir, "keys")
    for argv in ("init", "Example"), ("issue", "vpn.example.com"):
        assert lab.run("gw-b", TAPIR, "ca", *argv, "-d", keys).returncode == 0
    with open(office.conf_path, "w", encoding="utf-8") as f:
        f.write(POOL)
    paper = os.path.join(office.dir, "pc7.invite")
    office.does("invite", "pc7.dev.example.com", "--at", "192.0.2.2", "-o", paper)
    assert lab.run("gw-b", TAPIR, "invite", "pc7.example.com", "--at", "192.0.2.2", "-o",
                   "-", "-c", office.conf_path).returncode == 1
    laptop.does("join", paper, "--yes")
    try:
        office.start()
        laptop.start()
        assert until(10, laptop.is_up), laptop.log() + office.log()
        assert lab.until_ping("gw-a", "10.20.1.1", 10), laptop.log() + office.log()
    finally:
        laptop.stop()
        office.stop()


STAFF = """<vpn log="info">
  <realm name="staff">
    <match id="*@staff.example.com"/>
    <me id="vpn.example.com" cert="vpn.example.com"/>
    <eap method="tls" ca="ca.pem"/>
    <pool net="10.20.1.0/24" route="10.20.0.0/16"/>
  </realm>
</vpn>
"""


def test_somebody_joins_by_eap_with_a_certificate(lab, offices):
    """EAP-TLS: invite makes key and certificate, join asks for no password; a certificate that
    was taken back gets nowhere."""
    for office in offices:
        office.stop()
    office, laptop = Office(lab, "gw-b"), Office(lab, "gw-a")
    keys, who = os.path.join(office.dir, "keys"), "taro@staff.example.com"
    lab.need("gw-b", "ip", "address", "replace", "10.20.0.53/32", "dev", "lo")
    for argv in ("init", "Example"), ("issue", "vpn.example.com"):
        assert lab.run("gw-b", TAPIR, "ca", *argv, "-d", keys).returncode == 0
    with open(office.conf_path, "w", encoding="utf-8") as f:
        f.write(STAFF)
    paper = os.path.join(office.dir, "taro.invite")
    office.does("invite", who, "--at", "192.0.2.2", "-o", paper)
    laptop.does("join", paper, "--yes")
    with open(laptop.conf_path, encoding="utf-8") as f:
        assert f'<me eap="{who}" cert="{who}.pem"/>' in f.read()
    try:
        office.start()
        laptop.start()
        assert lab.until_ping("gw-a", "10.20.0.53", 10), laptop.log() + office.log()
        assert lab.run("gw-b", TAPIR, "ca", "revoke", who, "-d", keys).returncode == 0
        office.stop()
        office.start()
        assert until(10, lambda: office.lines("revoked")), office.log()
        assert not lab.ping("gw-a", "10.20.0.53")
    finally:
        laptop.stop()
        office.stop()


PEOPLE = """<vpn log="info">
  <realm name="sales">
    <match id="*@sales.example.com"/>
    <me id="vpn.example.com" cert="vpn.example.com"/>
    <eap users="sales.users"/>
    <pool net="10.20.1.0/24" route="10.20.0.0/16"/>
  </realm>
</vpn>
"""


def test_somebody_with_a_password_joins(lab, offices):
    """user add, invite, join: the password is in neither configuration nor invitation; a wrong
    one gets nowhere, and after user del the right one does not either."""
    for office in offices:
        office.stop()
    office, laptop = Office(lab, "gw-b"), Office(lab, "gw-a")
    keys, who = os.path.join(office.dir, "keys"), "hanako@sales.example.com"
    lab.need("gw-b", "ip", "address", "replace", "10.20.0.53/32", "dev", "lo")
    for argv in ("init", "Example"), ("issue", "vpn.example.com"):
        assert lab.run("gw-b", TAPIR, "ca", *argv, "-d", keys).returncode == 0
    with open(office.conf_path, "w", encoding="utf-8") as f:
        f.write(PEOPLE)
    word = os.path.join(office.dir, "word")
    with open(word, "w", encoding="utf-8") as f:
        f.write("a pass phrase\n")
    office.does("user", "add", "sales", who, "--pass", word)
    assert office.does("user", "list", "sales").strip() == who
    paper = os.path.join(office.dir, "hanako.invite")
    office.does("invite", who, "--at", "192.0.2.2", "-o", paper)
    with open(paper, encoding="ascii") as f:
        assert "secret" not in f.read()
    laptop.does("join", paper, "--yes", "--pass", word)
    try:
        office.start()
        laptop.start()
        assert lab.until_ping("gw-a", "10.20.0.53", 10), laptop.log() + office.log()
        office.does("user", "del", "sales", who)
        office.stop()
        office.start()
        assert until(10, lambda: office.lines("no such user")), office.log()
        assert not lab.ping("gw-a", "10.20.0.53")
    finally:
        laptop.stop()
        office.stop()
