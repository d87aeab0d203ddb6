# SPDX-License-Identifier: Apache-2.0
"""Lists of what was revoked from hostile and from private places: an address in a certificate may
make us ask a public server for a list, and nothing else."""
import os

import pytest

import topo
from gateway import Gateway, vpn
from lab import until
from pki import LEAF_EXT, Pki

LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
PRIVATE = "10.77.0.2"
WEB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "badweb.py")
# where the certificate says its list is: what the log says of it
PLACES = {
    f"http://{RIGHT}:8080/redirect": "the server does not give it",
    f"http://{RIGHT}:8080/chunks": "the server does not give it",
    f"http://{RIGHT}:8080/huge": "too long",
    f"http://{RIGHT}:8080/stranger": "no list of what was revoked",
    "http://localhost:8081/inside": "not a public address",
    f"http://{LEFT}:8081/inside": "not a public address",
    f"http://{RIGHT}:8080/drip": "time",
}


@pytest.fixture(scope="module")
def lab():
    """Two machines; the right one has a private address that the left one can reach."""
    made = topo.pair()
    made.batch("right", f"addr add {PRIVATE}/32 dev lo\n")
    made.batch("left", f"route add {PRIVATE}/32 via {RIGHT}\n")
    yield made
    made.close()


@pytest.fixture(scope="module")
def pki(lab):
    """Certificates of the right gateway with many addresses, and with one."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.leaf("left", "ca", "left.example")
    for name, urls in ("many", PLACES), ("private", [f"http://{PRIVATE}:8080/good"]), (
            "zip", [f"http://{RIGHT}:8080/zip", f"http://{RIGHT}:8080/good"]):
        points = "crlDistributionPoints=" + ",".join(f"URI:{u}" for u in urls) + "\n"
        p.leaf(name, "ca", "right.example", ext=LEAF_EXT + points)
    p.crl("ca")
    return p


@pytest.fixture(scope="module")
def web(lab, pki):
    """Bad servers where a certificate points, and inside where nobody may be led."""
    crl = pki.path("ca.crl")
    made = {"bad": lab.spawn("right", WEB, "0.0.0.0", 8080, crl, name="web-bad"),
            "inside": lab.spawn("left", WEB, "0.0.0.0", 8081, crl, name="web-inside")}
    for node, port in ("right", 8080), ("left", 8081):
        assert until(5, lambda n=node, p=port: str(p) in lab.run(n, "ss", "-Hltn").stdout)
    return made


@pytest.fixture
def ends(lab, pki, web):
    """Two gateways: right shows a certificate, left looks at it."""
    made = []

    def make(cert, left="revocation='soft'"):
        def conf(me, peer, n, attrs):
            return vpn(f"  <realm name='r' address='10.9.0.{n}/24'><me id='{me}.example' "
                       f"cert='{me}.pem'/>\n    <peer id='{peer}.example' name='{peer}' "
                       f"ca='ca.pem' {attrs}/></realm>\n")
        made.append(Gateway(lab, "right", conf("right", "left", 2, "revocation='off'"), {
            "ca.pem": pki.text("ca.pem"), "right.pem": pki.text(f"{cert}.pem"),
            "right.key": pki.text(f"{cert}.key")}).start())
        made.append(Gateway(lab, "left", conf("left", "right", 1, f"at='{RIGHT}' {left}"), {
            "ca.pem": pki.text("ca.pem"), "left.pem": pki.text("left.pem"),
            "left.key": pki.text("left.key")}).start())
        return made[1]
    yield make
    for one in made:
        one.stop()


def test_hostile_places(lab, ends, web):
    """Each is left alone or given up within its bounds; the tunnel does not wait for any."""
    left = ends("many")
    assert until(8, lambda: lab.ping("left", "10.9.0.2", 1)), left.log()
    assert until(20, lambda: all(left.lines(url, word) for url, word in PLACES.items())), (
        [u for u, w in PLACES.items() if not left.lines(u, w)], left.log())
    assert "asked for" not in web["inside"].text(), web["inside"].text()
    assert "asked for /good" not in web["bad"].text(), web["bad"].text()
    assert until(5, lambda: "gone while at /drip" in web["bad"].text()), web["bad"].text()
    assert not left.lines("fetched http")


def test_private_place_of_a_certificate(lab, ends, web):
    """strict has no list then, and says what to do."""
    left = ends("private", "revocation='strict'")
    assert until(10, lambda: left.lines("name it in crl=")), left.log()
    assert until(10, lambda: left.lines("nobody says")), left.log()
    assert not lab.ping("left", "10.9.0.2", 1)
    assert "asked for /good" not in web["bad"].text(), web["bad"].text()


def test_private_place_of_the_configuration(lab, ends):
    """crl= is our own word: that list is fetched, and strict is content."""
    left = ends("private", f"revocation='strict' crl='http://{PRIVATE}:8080/good'")
    assert until(20, lambda: lab.ping("left", "10.9.0.2", 1)), left.log()
    assert left.lines("fetched http", PRIVATE), left.log()


def test_the_second_place_has_it(lab, ends):
    """Of two addresses in a certificate the first gives nothing that can be used."""
    left = ends("zip", "revocation='strict'")
    assert until(20, lambda: lab.ping("left", "10.9.0.2", 1)), left.log()
    assert left.lines("fetched http", "/good"), left.log()
    assert left.lines("/zip", "the server does not give it"), left.log()
