# SPDX-License-Identifier: Apache-2.0
"""Access that ends: who would not be let in any more is disconnected by a reload, with words,
and nobody else notices."""
import pytest

import topo
from gateway import Gateway, vpn
from lab import until
from pki import Pki

GW, RIGHT = "gw.example.com", "192.0.2.2"
KEYS = {"k1.psk": "the key of one of them, long enough", "k2.psk": "and that of the other one"}
WORD, NT = "a pass phrase", "f64b56fd909abe870184896c287b74fe"
USERS = {n: f"{n}@people.example.com" for n in ("u1", "u2")}
ALL = ["c1", "c2", "k1", "k2", "u1", "u2"]

GATEWAY = vpn(f"""  <realm name="offices" tap="tap-o">
    <me id="{GW}"/>
    <peer id="k1" psk="k1.psk"/>
    <peer id="k2" psk="k2.psk"/>
  </realm>
  <realm name="machines" tap="tap-m">
    <match id="*.machines.example.com"/>
    <me id="{GW}" cert="gw.pem"/>
    <peer ca="ca.pem"/>
  </realm>
  <realm name="people" mode="ip" tap="tap-p">
    <match id="*@people.example.com"/>
    <me id="{GW}" cert="gw.pem"/>
    <eap users="people.users"/>
    <pool net="10.20.1.0/24" route="10.1.0.0/24"/>
  </realm>
""")


def side(name):
    """A realm of the left side, which is one client of the gateway."""
    me, more = {
        "k": (f'id="{name}" psk="{name}.psk"', ""),
        "c": (f'id="{name}.machines.example.com" cert="{name}.pem"', 'ca="ca.pem"'),
        "u": (f'eap="{USERS.get(name)}"', 'ca="ca.pem"'),
    }[name[0]]
    net = '<net remote="10.1.0.0/24"/>' if name[0] == "u" else ""
    mode = "ip" if net else "ether"
    return (f'  <realm name="{name}" tap="{name}" mode="{mode}">\n    <me {me}/>\n'
            f'    <peer id="{GW}" name="gw" at="{RIGHT}" {more}/>\n    {net}\n  </realm>\n')


def users(*names):
    """A users file."""
    return "".join(f"{USERS[n]}:nt:{NT}\n" for n in names)


@pytest.fixture(name="lab", scope="module")
def _lab():
    """left and right."""
    made = topo.pair()
    made.batch("right", "addr add 10.1.0.1/32 dev lo\n")
    yield made
    made.close()


@pytest.fixture(scope="module")
def pki(lab):
    """One authority."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.leaf("gw", "ca", GW)
    for n in "c1", "c2":
        p.leaf(n, "ca", f"{n}.machines.example.com")
    return p


@pytest.fixture(scope="module")
def ends(lab, pki):
    """The gateway, and all its clients."""
    b = Gateway(lab, "right", GATEWAY, {
        **KEYS, "ca.pem": pki.text("ca.pem"), "gw.pem": pki.text("gw.pem"),
        "gw.key": pki.text("gw.key"), "people.users": users("u1", "u2")}).start()
    keys = {**KEYS, "ca.pem": pki.text("ca.pem"), **{f"{w}.eap": WORD for w in USERS.values()}}
    for n in "c1", "c2":
        keys |= {f"{n}.pem": pki.text(f"{n}.pem"), f"{n}.key": pki.text(f"{n}.key")}
    a = Gateway(lab, "left", vpn(*map(side, ALL)), keys).start()
    assert until(30, lambda: sorted(up(b)) == ALL, 0.2), (up(b), a.log(), b.log())
    yield a, b
    a.stop()
    b.stop()


def up(gw):
    """Who is connected -> its SPIs."""
    return {p["name"].split(".")[0].split("@")[0]: (p["spi_in"], p["spi_out"])
            for r in gw.json("status")["realms"] for p in r["peers"] if p["state"] == "up"}


def expelled(gw):
    """Who was disconnected -> why."""
    return {x.split(" at ")[0].split("/")[-1].split(".")[0].split("@")[0]: x.split("disconnected: ")[1]
            for x in gw.lines("would not be let in any more")}


def test_nothing_changed_and_nobody_notices(ends):
    """The same keys, read again; and after the secure process was killed."""
    b = ends[1]
    before = up(b)
    b.kill_role("secure")
    assert until(10, lambda: b.lines("the secure process is back")), b.log()
    for _ in range(2):
        assert b.tapir("reload").returncode == 0
    assert up(b) == before and not expelled(b), b.log()


def test_one_of_each_two_is_let_in_no_more(ends, pki):
    """A pre-shared key is another one, a certificate is revoked, a user is deleted."""
    a, b = ends
    before = up(b)
    pki.revoke("c1", "ca")
    pki.crl("ca")
    b.write(GATEWAY, {"k1.psk": "quite another key than before", "ca.crl": pki.text("ca.crl"),
                      "people.users": users("u2")})
    done = b.tapir("reload")
    assert done.returncode == 0, done.stdout
    assert until(5, lambda: set(up(b)) == {"c2", "k2", "u2"}), (up(b), b.log())
    why = expelled(b)
    assert set(why) == {"c1", "k1", "u1"}, why
    assert "revoked" in why["c1"] and "pre-shared key" in why["k1"], why
    assert f'user "{USERS["u1"]}" is not in the users file' in why["u1"], why
    assert {n: s for n, s in before.items() if n[1] == "2"} == up(b)
    # they try again, and are told no
    assert until(10, lambda: all(b.lines("auth", n) for n in ("c1", "k1", "u1"))), b.log()
    assert set(up(b)) == {"c2", "k2", "u2"}
    assert until(5, lambda: set(up(a).values())) and a.proc.popen.poll() is None


def test_another_password(ends):
    """Who logged in by the one before is disconnected, and comes back with the new one only."""
    b = ends[1]
    before = up(b)
    b.write(GATEWAY, {"people.users": f"{USERS['u2']}:nt:{'0' * 31}1\n"})
    assert b.tapir("reload").returncode == 0
    assert until(5, lambda: set(up(b)) == {"c2", "k2"}), (up(b), b.log())
    assert "password" in expelled(b)["u2"], expelled(b)
    assert {n: before[n] for n in ("c2", "k2")} == up(b)
    codes = [e for e in b.json("log", "--code", "peer-expelled")["events"]]
    assert len(codes) == 4, codes
