# SPDX-License-Identifier: Apache-2.0
"""People whom a RADIUS server knows: freeradius behind a gateway of ours, asked by strongSwan
with EAP-TTLS, EAP-MSCHAPv2 and EAP-MD5 and by tapir with EAP-TTLS; one server of two is
silent.  (That all of them are is a fault of the lab, in test_break.py.)"""
import os

import pytest

import topo
from charon import Charon, PLUGINS
from freeradius import RADIUSD, FreeRadius
from gateway import Gateway, vpn
from lab import until
from pki import Pki

pytestmark = pytest.mark.skipif(not os.path.exists(RADIUSD), reason="freeradius is not there")

TOPOLOGY = topo.pair  # left is tapir, inet has the servers
LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
SERVER, DEAD, OTHER = "192.0.2.5", "192.0.2.6", "192.0.2.7"
GW = "vpn.example.com"
AAA = "aaa.example.com"
HANAKO, TARO = "hanako@corp.example.com", "taro@twice.example.com"
JIRO, KEN = "jiro@corp.example.com", "ken@peap.example.com"
WORD = "a pass phrase"
NET = {"corp": 1, "twice": 2, "peap": 3}
SECRET = "tapir-test-radius-secret-0123456789"
EAP_PLUGINS = "load = " + PLUGINS + " md5 md4 eap-identity eap-ttls eap-md5 eap-mschapv2"


def realm(name, at):
    """A realm whose people a RADIUS server knows."""
    return (f'  <realm name="{name}" mode="ip" dpd="1" dead="3" tap="tap-{name}">\n'
            f'    <match id="*@{name}.example.com"/>\n    <me id="{GW}" cert="gw.pem"/>\n'
            f'    <eap method="radius" at="{at}" secret="{name}.secret"/>\n'
            f'    <pool net="10.20.{NET[name]}.0/24" route="10.1.0.0/24"/>\n  </realm>\n')


@pytest.fixture(scope="module")
def pki(lab):
    """One authority for gateway and server."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.leaf("gw", "ca", GW)
    p.leaf("aaa", "ca", AAA)
    return p


@pytest.fixture(scope="module")
def server(lab, pki):
    """freeradius; it stays until a test wants silence."""
    lab.batch("inet", f"addr add {SERVER}/24 dev br0\naddr add {DEAD}/24 dev br0\n"
              f"addr add {OTHER}/24 dev br0\n")
    s = FreeRadius(lab, "inet", SERVER, LEFT, SECRET,
                   {HANAKO: WORD, TARO: WORD, JIRO: WORD}, pki, "aaa",
                   more={JIRO: "\tSession-Timeout := 900\n"})
    s.start()
    yield s
    s.stop()


@pytest.fixture(scope="module")
def other(lab, pki, server):
    """One that asks by PEAP."""
    s = FreeRadius(lab, "inet", OTHER, LEFT, SECRET, {KEN: WORD}, pki, "aaa", method="peap",
                   name="other")
    s.start()
    yield s
    s.stop()


@pytest.fixture(scope="module")
def gateway(lab, pki, server):
    """tapir with realms of one server each, and one whose first server is dead."""
    gw = Gateway(lab, "left", vpn(realm("corp", SERVER), realm("twice", f"{DEAD} {SERVER}:1812"),
                                  realm("peap", OTHER)), {
        "peap.secret": SECRET + "\n", "gw.pem": pki.text("gw.pem"), "gw.key": pki.text("gw.key"),
        "corp.secret": SECRET + "\n", "twice.secret": f"not-the-one-of-the-other\n{SECRET}\n"})
    gw.start()
    yield gw
    gw.stop()


def strongswan(lab, pki, who, word, method="eap-ttls"):
    """strongSwan as a client at right."""
    c = Charon(lab, "right", {"x509ca/ca.pem": pki.text("ca.pem")},
               options=EAP_PLUGINS + "\ninstall_virtual_ip = yes", local=RIGHT, remote=LEFT,
               local_id=f'"{who}"', remote_id=GW, top="vips = 0.0.0.0",
               local_auth=f'auth = {method}\neap_id = {who}\naaa_id = {AAA}',
               remote_auth="auth = pubkey", local_ts="dynamic", remote_ts="10.1.0.0/24",
               psk=f'x"\n}}\neap-1 {{ id = {who}\n secret = "{word}')
    return c.start()


def test_strongswan_by_ttls(lab, pki, gateway, server):
    """TTLS with a password inside, by a gateway that knows neither."""
    c = strongswan(lab, pki, HANAKO, WORD)
    try:
        out = c.initiate()
        assert "initiate completed successfully" in out, out + gateway.log() + server.end_of_log()
        assert until(8, lambda: lab.ping("right", "10.1.0.1", 1)), c.log()
        assert gateway.peer(0, name=HANAKO)["state"] == "up", gateway.json("status")
        assert "Message-Authenticator" in server.log()
        assert SECRET not in gateway.log() and WORD not in gateway.log()
    finally:
        c.stop()


def test_wrong_password(lab, pki, gateway, server):
    """The server refuses: the gateway says who, and why it cannot say more."""
    at = len(gateway.log())
    c = strongswan(lab, pki, HANAKO, "not this one")
    try:
        assert "failed" in c.initiate()
        assert until(5, lambda: "the RADIUS server refused" in gateway.log()[at:]), gateway.log()[at:]
        assert gateway.json("why", HANAKO)["code"] == "radius-refused"
    finally:
        c.stop()


def test_mschapv2_without_a_tunnel(lab, pki, gateway):
    """The client says no to TTLS, which the server asks for first."""
    c = strongswan(lab, pki, HANAKO, WORD, "eap-mschapv2")
    try:
        out = c.initiate()
        assert "initiate completed successfully" in out, out + gateway.log()
    finally:
        c.stop()


def test_a_session_ends(lab, pki, gateway):
    """What the server says about its time is said to the client, which keeps to it."""
    c = strongswan(lab, pki, JIRO, WORD, "eap-mschapv2")
    try:
        out = c.initiate()
        assert "initiate completed successfully" in out, out + gateway.log()
        assert until(5, lambda: "received AUTH_LIFETIME of 900s" in c.log() or
                     "received AUTH_LIFETIME of 899s" in c.log()), c.log()
    finally:
        c.stop()


def test_a_method_without_a_key_is_not_enough(lab, pki, gateway):
    """The server would let in who comes by EAP-MD5; the gateway does not."""
    at = len(gateway.log())
    c = strongswan(lab, pki, HANAKO, WORD, "eap-md5")
    try:
        assert "failed" in c.initiate()
        assert until(5, lambda: "accepts and gives no key" in gateway.log()[at:]), gateway.log()[at:]
        assert gateway.json("why", HANAKO)["code"] == "radius-no-key"
    finally:
        c.stop()


def tapir(lab, pki, who, more):
    """A client of ours at right."""
    return Gateway(lab, "right", vpn(
        f'  <realm name="office" tap="tap-office">\n    <me eap="{who}"{more}/>\n'
        f'    <peer name="gw" id="{GW}" at="{LEFT}" ca="ca.pem"/>\n  </realm>\n'),
        {"ca.pem": pki.text("ca.pem"), f"{who}.eap": WORD})


def tunnel(lab, pki, gateway, radius, at_realm, who):
    """It comes up by the tunnel of a server whose name it was told; what that server said."""
    c = tapir(lab, pki, who, f' eap-server="{AAA}"')
    at = len(radius.log())
    try:
        c.start()
        assert until(20, lambda: lab.ping("right", "10.1.0.1", 1)), \
            c.log() + gateway.log() + radius.end_of_log()
        assert gateway.peer(at_realm, name=who)["state"] == "up", gateway.json("status")
    finally:
        c.stop()
    return radius.log()[at:]


def test_tapir_by_ttls_and_the_second_server(lab, pki, gateway, server):
    """The first server of this realm is dead."""
    said = tunnel(lab, pki, gateway, server, 1, TARO)
    assert "EAP TTLS" in said and "TLS 1.3" in said


def test_tapir_by_peap(lab, pki, gateway, other):
    """The same by PEAP, which ends with a Result in the tunnel."""
    said = tunnel(lab, pki, gateway, other, 2, KEN)
    assert "EAP PEAP" in said and "TLS 1.3" in said


def test_tapir_in_no_tunnel_of_another(lab, pki, gateway):
    """Without that name the server is none the client would say anything to."""
    c = tapir(lab, pki, TARO, "")
    try:
        c.start()
        assert until(10, lambda: "authentication of vpn.example.com" in c.log()), c.log()
        assert "aaa.example.com" in c.log()
    finally:
        c.stop()
