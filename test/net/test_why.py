# SPDX-License-Identifier: Apache-2.0
"""tapir why: each fault, put into a pair of gateways, is named first by the one that can know
it, and as what it looks like by the other."""
import os
import time

import pytest

import topo
from charon import Charon
from gateway import PSK, Gateway, vpn
from lab import until
from pki import LEAF_EXT, Pki

TOPOLOGY = topo.pair  # two gateways, nothing behind them but an address of their own

LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
KEYS = {"p.psk": PSK}
RUDE = os.path.join(os.path.dirname(__file__), "rude.py")
WAIT_S = 12     # for a cause that needs some retransmissions


@pytest.fixture(scope="module")
def pki(lab):
    """An authority that is believed, one that is not, and leaves with one fault each."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.ca("other")
    p.leaf("tokyo", "ca", "tokyo")
    p.leaf("good", "ca", "osaka")
    p.leaf("long", "ca", "DNS:tokyo," + ",".join(f"DNS:{i}.office.example.com" for i in range(70)))
    p.leaf("ca-other", "other", "osaka")
    p.leaf("old", "ca", "osaka", days=("20200101000000Z", "20210101000000Z"))
    p.leaf("later", "ca", "osaka", days=(stamp(40 * 86400), stamp(80 * 86400)))
    p.leaf("clock", "ca", "osaka", days=(stamp(3 * 3600), stamp(80 * 86400)))
    p.leaf("name", "ca", "nagoya")
    p.leaf("weak", "ca", "osaka", kind="rsa1024")
    p.leaf("usage", "ca", "osaka", ext=LEAF_EXT.replace("serverAuth,clientAuth", "codeSigning"))
    p.leaf("gone", "ca", "osaka")
    p.revoke("gone", "ca")
    p.crl("ca")
    return p


def stamp(ahead_s):
    """A time from now as openssl ca writes it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + ahead_s))


def end(me, peer, at="", mode="ip", own='psk="p.psk"', trust="", net="", attrs="", peer_attrs=""):
    """The configuration of one end."""
    at = f' at="{at}"' if at else ""
    net = net or ('<net local="10.1.0.0/24" remote="10.2.0.0/24"/>' if me == "tokyo" else
                  '<net local="10.2.0.0/24" remote="10.1.0.0/24"/>')
    return vpn(f'  <realm name="r" dpd="1" dead="3" mode="{mode}" {attrs}>\n'
               f'    <me id="{me}" {own}/>\n    <peer id="{peer}"{at} {trust} {peer_attrs}/>\n'
               f'    {net if mode != "ether" else ""}\n  </realm>\n', attrs='log="info"')


class Ends:
    """tokyo at left dials osaka at right."""

    def __init__(self, lab):
        self.lab = lab
        self.a = Gateway(lab, "left", end("tokyo", "osaka", RIGHT), KEYS)
        self.b = Gateway(lab, "right", end("osaka", "tokyo"), KEYS)

    def restart(self, a, b, a_keys=None, b_keys=None):
        """New configurations; None: not started."""
        self.stop()
        for gw, conf, keys in (self.b, b, b_keys), (self.a, a, a_keys):
            if conf is not None:
                gw.write(conf, keys or KEYS)
                gw.start()

    def stop(self):
        """End both, and take filters away."""
        for gw in self.a, self.b:
            if gw.proc is not None:
                gw.stop()
                gw.proc = None
        for node in "left", "right", "inet":
            self.lab.run(node, "nft", "flush", "ruleset")

    def filter(self, node, rules, hook="input", family="inet"):
        """Drop what fits, in a node."""
        self.lab.need(node, "nft", "-f", "-", text=f"table {family} f {{ chain c {{ type filter "
                      f"hook {hook} priority 0;\n{rules}\n}}\n}}\n")


def why(gw, peer, *more):
    """The document of `tapir why`."""
    return gw.json("why", peer, *more)


def first(gw, peer, want, *more, seconds=WAIT_S):
    """The document, once its first cause is the one wanted."""
    last = {}

    def is_it():
        last.update(why(gw, peer, *more))
        return last["code"] == want
    assert until(seconds, is_it, 0.2), f"{last.get('code')}, not {want}: {last.get('causes')}"
    assert last["causes"][0]["code"] == want
    return last


@pytest.fixture(scope="module")
def ends(lab):
    """The two, for all tests of this file."""
    made = Ends(lab)
    yield made
    made.stop()


def result(doc, check):
    """What a check said."""
    return {c["check"]: c["result"] for c in doc["checks"]}[check]


# ---- before they talk ------------------------------------------------------------------------

def test_nothing_is_wrong(ends):
    """Up: no cause that fails, all of the way there is ok."""
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokyo"))
    assert until(10, ends.a.is_up)
    assert ends.lab.until_ping("left", "10.2.0.1", source="10.1.0.1")
    doc = why(ends.a, "osaka")
    assert doc["state"] == "up" and doc["causes"] == []
    for check in "name", "route", "answer", "proposal", "identity", "proof", "tunnel", "receive":
        assert result(doc, check) == "ok", check
    text = ends.a.tapir("why", "r/osaka").stdout
    assert "Nothing is wrong" in text and max(map(len, text.splitlines())) <= 80
    assert ends.a.tapir("why", "osaca").returncode == 1
    assert ends.a.json("why", "osaka", "--lang", "ja")["checks"][0]["text"].startswith("接続")
    ends.a.tapir("down", "r/osaka")
    first(ends.a, "osaka", "down-by-command")


def test_no_name_no_route_nobody(ends):
    """Nothing can be sent, or nobody is there."""
    ends.restart(end("tokyo", "osaka", "osaka.invalid"), None)
    first(ends.a, "osaka", "name-unresolved")
    ends.restart(end("tokyo", "osaka", "198.18.0.1"), None)
    doc = first(ends.a, "osaka", "no-route")
    assert result(doc, "answer") == "not-reached"
    ends.restart(None, end("osaka", "tokyo"))
    first(ends.b, "tokyo", "waiting")


def test_ports(ends):
    """Filters: both ports, one of them, a closed one."""
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokyo"))
    assert until(10, ends.a.is_up)
    ends.stop()
    ends.filter("right", "udp dport { 500, 4500 } drop")
    ends.b.start()
    ends.a.start()
    first(ends.a, "osaka", "no-answer")

    def is_trying():        # it is so for a second or two
        ends.a.tapir("down", "r/osaka")
        ends.a.tapir("up", "r/osaka")
        return why(ends.a, "osaka")["code"] == "trying"
    assert until(WAIT_S, is_trying), why(ends.a, "osaka")
    ends.stop()
    ends.filter("right", "udp dport 4500 drop")
    ends.b.start()
    ends.a.start()
    first(ends.a, "osaka", "port-4500-blocked")


def test_icmp(ends):
    """Routers and hosts that say why."""
    ends.restart(end("tokyo", "osaka", RIGHT), None)
    doc = first(ends.a, "osaka", "port-unreachable")
    assert RIGHT in doc["causes"][0]["why"]
    for how in "host-unreachable", "admin-prohibited":
        ends.stop()
        ends.filter("right", f"udp dport {{ 500, 4500 }} reject with icmpx type {how}")
        ends.a.start()
        first(ends.a, "osaka", "unreachable")


# ---- who they are ------------------------------------------------------------------------------

def test_wrong_psk(ends):
    """Both ends name it; only the one that checked is sure."""
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokyo"), KEYS,
                 {"p.psk": PSK + "x"})
    first(ends.b, "tokyo", "psk-wrong")
    first(ends.a, "osaka", "refused-psk")
    marks = [why(gw, peer)["fingerprint"] for gw, peer in ((ends.a, "osaka"), (ends.b, "tokyo"))]
    assert all(len(m) == 3 for m in marks), marks
    for gw, peer in (ends.a, "osaka"), (ends.b, "tokyo"):
        assert PSK not in gw.tapir("why", peer).stdout
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokyo"))
    assert until(10, ends.a.is_up)
    assert why(ends.a, "osaka")["fingerprint"] == why(ends.b, "tokyo")["fingerprint"] == marks[0]


def test_unknown_identity(ends):
    """tokyo is called otherwise there."""
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokio"))
    doc = first(ends.b, "tokio", "identity-unknown")
    assert '"tokyo"' in doc["causes"][0]["why"] and '"tokio"' in doc["causes"][0]["why"]
    first(ends.a, "osaka", "refused-psk")


def test_names_in_capitals(ends):
    """A host name is the same in capitals, to both."""
    ends.restart(end("tokyo", "OSAKA", RIGHT), end("osaka", "TOKYO"))
    assert until(10, ends.a.is_up), ends.a.log()


def test_other_identity(ends):
    """Who answers has another name than the one that is dialled."""
    ends.restart(end("tokyo", "osaka", RIGHT), end("kobe", "tokyo"))
    first(ends.b, "tokyo", "identity-ours")
    first(ends.a, "osaka", "refused-psk")


CERTS = {
    "ca-other": "cert-unknown-ca", "old": "cert-expired", "later": "cert-not-yet",
    "clock": "clock-off", "name": "cert-name", "usage": "cert-usage", "gone": "cert-revoked",
}


@pytest.mark.parametrize("leaf", CERTS)
def test_certificates(ends, pki, leaf):
    """osaka shows a certificate with a fault: tokyo, which checks it, says which."""
    keys = {"ca.pem": pki.text("ca.pem"), "ca.crl": pki.text("ca.crl")}
    cert = {"own": 'cert="own.pem"', "trust": 'ca="ca.pem"'}
    ends.restart(end("tokyo", "osaka", RIGHT, **cert), end("osaka", "tokyo", **cert),
                 {**keys, "own.pem": pki.text("tokyo.pem"), "own.key": pki.text("tokyo.key")},
                 {**keys, "own.pem": pki.text(f"{leaf}.pem"),
                  "own.key": pki.text(f"{leaf}.key")})
    first(ends.a, "osaka", CERTS[leaf])
    first(ends.b, "tokyo", "own-cert-expired" if leaf == "old" else "refused-cert")


def test_ways_of_proving(ends, pki):
    """One end by pre-shared key, the other expects a certificate."""
    keys = {"ca.pem": pki.text("ca.pem"), **KEYS, "own.pem": pki.text("good.pem"),
            "own.key": pki.text("good.key")}
    ends.restart(end("tokyo", "osaka", RIGHT),
                 end("osaka", "tokyo", own='cert="own.pem"', trust='ca="ca.pem"'), KEYS, keys)
    first(ends.b, "tokyo", "method-differs")


# ---- what they agree on ------------------------------------------------------------------------

def test_selectors(ends):
    """Networks that do not meet: both lists where both are known."""
    ends.restart(end("tokyo", "osaka", RIGHT),
                 end("osaka", "tokyo", net='<net local="10.9.0.0/24" remote="10.1.0.0/24"/>'))
    doc = first(ends.b, "tokyo", "ts-unacceptable")
    rows = {r["what"]: r for r in doc["compared"]}
    assert rows["our side"]["own"] == "10.9.0.0/24"
    assert rows["our side"]["theirs"] == "10.2.0.0/24" and not rows["our side"]["same"]
    assert rows["its side"]["same"]
    doc = first(ends.a, "osaka", "ts-unacceptable")
    assert {r["theirs"] for r in doc["compared"]} == {""}
    text = ends.b.tapir("why", "tokyo").stdout
    assert "10.9.0.0/24" in text and max(map(len, text.splitlines())) <= 80


def test_modes(ends):
    """Ethernet here, IP there."""
    ends.restart(end("tokyo", "osaka", RIGHT, mode="ether"), end("osaka", "tokyo"))
    first(ends.a, "osaka", "mode-differs")
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokyo", mode="ether"))
    first(ends.b, "tokyo", "mode-differs")


# ---- up, and yet ---------------------------------------------------------------------------------

def test_one_way(ends):
    """What osaka sends does not arrive; IKE does."""
    ends.restart(end("tokyo", "osaka", RIGHT), end("osaka", "tokyo"))
    assert until(10, ends.a.is_up)
    # ESP in UDP has no zero marker in front
    ends.filter("left", "udp sport 4500 @th,64,32 != 0 drop")
    ends.lab.ping("left", "10.2.0.1", count=20, source="10.1.0.1")
    first(ends.a, "osaka", "one-way", seconds=20)


# ---- a peer that is not ours -----------------------------------------------------------------------

OTHERS = {
    "aes256gcm16-prfsha384-modp4096": ("no-group", {"group"}),
    "aes256-sha256-modp2048": ("no-proposal", {"encryption", "integrity", "group"}),
}


@pytest.mark.parametrize("ike", OTHERS)
def test_algorithms(ends, ike):
    """strongSwan dials with algorithms that we do not have: both columns, and what differs."""
    ends.stop()
    charon = Charon(ends.lab, "right", local=RIGHT, remote=LEFT, local_id="osaka",
                    remote_id="tokyo", local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24", ike=ike)
    try:
        ends.a.write(end("tokyo", "osaka"), KEYS)
        ends.a.start()
        charon.start()
        charon.initiate()
        code, differ = OTHERS[ike]
        doc = first(ends.a, "osaka", code)
        rows = {r["what"]: r for r in doc["compared"]}
        assert all(r["own"] or r["what"] == "integrity" for r in rows.values())
        assert {w for w, r in rows.items() if not r["same"]} == differ - {"integrity"}
    finally:
        charon.stop()


def swan(ends, **more):
    """strongSwan as osaka, which waits."""
    conn = {"local": RIGHT, "remote": LEFT, "local_id": "osaka", "remote_id": "tokyo",
            "local_ts": "10.2.0.0/24", "remote_ts": "10.1.0.0/24", **more}
    return Charon(ends.lab, "right", **conn)


def test_a_peer_without_ethernet(ends):
    """It knows IP only: that is used and said; without networks for it nothing is."""
    ends.stop()
    charon = swan(ends).start()
    try:
        ends.a.write(end("tokyo", "osaka", RIGHT, mode="auto"), KEYS)
        ends.a.start()
        doc = first(ends.a, "osaka", "ip-mode-instead")
        assert doc["state"] == "up" and result(doc, "tunnel") == "warning"
        ends.a.stop()
        ends.a.write(end("tokyo", "osaka", RIGHT, mode="auto", net=" "), KEYS)
        ends.a.start()
        first(ends.a, "osaka", "no-net")
    finally:
        charon.stop()


def by_cert(ends, pki, leaf="good", **more):
    """strongSwan with a certificate, and tapir, which has one as well."""
    ends.stop()
    charon = swan(ends, local_auth="auth = pubkey\n    certs = own.pem",
                  remote_auth="auth = pubkey\n    cacerts = ca.pem",
                  files={"x509/own.pem": pki.text(f"{leaf}.pem"),
                         "x509ca/ca.pem": pki.text("ca.pem"),
                         "private/own.key": pki.text(f"{leaf}.key")}, **more).start()
    ends.a.write(end("tokyo", "osaka", RIGHT, own='cert="own.pem"', trust='ca="ca.pem"'),
                 {"ca.pem": pki.text("ca.pem"), "own.pem": pki.text("tokyo.pem"),
                  "own.key": pki.text("tokyo.key")})
    ends.a.start()
    return charon


def test_a_weak_key(ends, pki):
    """RSA with 1024 bits was good once."""
    charon = by_cert(ends, pki, "weak")
    try:
        assert "weak" in first(ends.a, "osaka", "cert-weak")["causes"][0]["why"]
    finally:
        charon.stop()


def test_a_peer_that_knows_old_signatures_only(ends, pki):
    """Without RFC 7427 we have nothing to sign with, unless suite="compat"."""
    charon = by_cert(ends, pki, options="signature_authentication = no")
    try:
        assert "compat" in first(ends.a, "osaka", "own-key")["causes"][0]["why"]
    finally:
        charon.stop()


@pytest.mark.parametrize("ways,code", [
    ([f"{RIGHT}=192.0.2.3", f"192.0.2.3={RIGHT}"], "redirect-loop"),
    ([f"{RIGHT}=gw.example.com"], "redirect-failed")])
def test_gateways_that_send_away(ends, ways, code):
    """In a circle, or to a name."""
    ends.stop()
    ends.lab.batch("right", "addr replace 192.0.2.3/24 dev wan0\n")
    rude = ends.lab.spawn("right", "/usr/bin/python3", RUDE, *ways)
    try:
        assert until(5, lambda: "ready" in rude.text()), rude.text()
        ends.a.write(end("tokyo", "osaka", RIGHT, peer_attrs='redirect="yes"'), KEYS)
        ends.a.start()
        said = first(ends.a, "osaka", code)["causes"][0]["why"]
        assert RIGHT in said and ways[-1].split("=")[1] in said
    finally:
        rude.stop()
        ends.lab.batch("right", "addr del 192.0.2.3/24 dev wan0\n")


def test_large_messages_are_lost(ends, pki):
    """IP fragments are dropped, and osaka cannot fragment IKE: our certificate is long."""
    ends.stop()
    charon = swan(ends, top="fragmentation = no",
                  local_auth="auth = pubkey\n    certs = good.pem",
                  remote_auth="auth = pubkey\n    cacerts = ca.pem",
                  files={"x509/good.pem": pki.text("good.pem"), "x509ca/ca.pem": pki.text("ca.pem"),
                         "private/good.key": pki.text("good.key")}).start()
    try:
        ends.lab.need("right", "nft", "-f", "-", text="table ip f { chain c { type filter hook "
                      "prerouting priority -450;\nip frag-off & 0x3fff != 0 drop\n}\n}\n")
        ends.a.write(end("tokyo", "osaka", RIGHT, own='cert="own.pem"', trust='ca="ca.pem"'),
                     {"ca.pem": pki.text("ca.pem"), "own.pem": pki.text("long.pem"),
                      "own.key": pki.text("long.key")})
        ends.a.start()
        doc = first(ends.a, "osaka", "big-message-lost", seconds=30)
        assert result(doc, "answer") == "failed"
    finally:
        charon.stop()
