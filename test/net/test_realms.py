# SPDX-License-Identifier: Apache-2.0
"""Several realms on one address and port, told apart by identity."""
import pytest

import topo
from gateway import Gateway, realm, vpn
from lab import until
from pki import Pki

TOPOLOGY = topo.pair  # two gateways

KEYS = {"sales.psk": "the key of sales, long enough", "dev.psk": "0x" + "5a" * 32}


def conf(n, at=""):
    """Realms sales and dev of gateway n."""
    other = 3 - n
    return vpn(*(realm(f"{name}-{n}", f"{name}-{other}", at,
                       f'address="10.{net}.0.{n}/24" tap="t-{name}"', name=name)
                 for name, net in (("sales", 20), ("dev", 30))))


@pytest.fixture(scope="module")
def ends(lab):
    """Both realms up."""
    b = Gateway(lab, "right", conf(2), KEYS).start()
    a = Gateway(lab, "left", conf(1, "192.0.2.2"), KEYS).start()
    yield a, b
    a.stop()
    b.stop()


def test_each_realm_reaches_its_own(lab, ends):
    """Two tunnels between the same two sockets."""
    assert lab.until_ping("left", "10.20.0.2", 10), ends[0].log()
    assert lab.until_ping("left", "10.30.0.2", 5), ends[0].log()
    for gw in ends:
        doc = gw.json("status")["realms"]
        assert [(r["name"], r["tap"], [p["state"] for p in r["peers"]]) for r in doc] == \
            [("sales", "t-sales", ["up"]), ("dev", "t-dev", ["up"])]


def test_realms_do_not_mix(lab, ends):
    """A frame of one hub is never seen in the other."""
    assert lab.until_ping("left", "10.20.0.2", 5) and lab.until_ping("left", "10.30.0.2", 5)
    taps = {name: lab.need("right", "cat", f"/sys/class/net/t-{name}/address").strip()
            for name in ("sales", "dev")}
    macs = {name: {r["mac"] for r in ends[0].json("hub", name, "mac")["macs"]} for name in taps}
    assert taps["sales"] in macs["sales"] and taps["sales"] not in macs["dev"]
    assert taps["dev"] in macs["dev"] and taps["dev"] not in macs["sales"]


def test_one_realm_down_leaves_the_other(lab, ends):
    """By command."""
    assert lab.until_ping("left", "10.20.0.2", 5)
    assert ends[0].tapir("down", "sales").returncode == 0
    assert not lab.ping("left", "10.20.0.2")
    assert lab.ping("left", "10.30.0.2", 5) == 5
    assert ends[0].tapir("up", "sales").returncode == 0
    assert lab.until_ping("left", "10.20.0.2", 10)


def test_a_key_opens_its_own_realm_only(lab, ends):
    """The key of dev with the identity of sales is refused."""
    ends[0].stop()
    mixed = {"sales.psk": KEYS["dev.psk"], "dev.psk": KEYS["dev.psk"]}
    thief = Gateway(lab, "left", conf(1, "192.0.2.2"), mixed)
    try:
        thief.start()
        assert lab.until_ping("left", "10.30.0.2", 10)
        assert until(4, lambda: ends[1].lines("sales-1", "failed")), ends[1].log()
        assert not lab.ping("left", "10.20.0.2")
    finally:
        thief.stop()
        ends[0].write(conf(1, "192.0.2.2"), KEYS)
        ends[0].start()


# ---- by what a certificate says ----------------------------------------------------

NAMES = {  # realm: the rule, subject and subjectAltName of who belongs there
    "sales": ('email="*@sales.example.com"', "/O=Tapir Test/CN=ann",
              "DNS:ann.example.com,email:ann@sales.example.com"),
    "dev": ('dns="*.dev.example.com"', "/O=Tapir Test/CN=bob",
            "DNS:bob.example.com,DNS:pc7.dev.example.com"),
    "lab": ('dn="OU=Lab, O=Tapir Test"', "/O=Tapir Test/OU=Lab/CN=eve", "DNS:eve.example.com"),
}


@pytest.fixture(scope="module")
def pki(lab):
    """An authority for each realm, one for the gateway, somebody for each realm, and a thief:
    an authority's certificate with the names of another realm."""
    p = Pki(lab.mkdir("pki"))
    p.ca("gw-ca")
    p.leaf("gw", "gw-ca", "vpn.example.com")
    for name, (_, subject, san) in NAMES.items():
        p.ca(f"{name}-ca")
        p.leaf(name, f"{name}-ca", san, subject=subject)
    p.leaf("thief", "dev-ca", NAMES["sales"][2], subject="/O=Tapir Test/CN=ann")
    return p


def gateway(lab, pki):
    """Three realms that differ by <match> alone."""
    text = "".join(f'  <realm name="{name}" dpd="1" dead="3" address="10.{40 + i}.0.1/24" '
                   f'tap="t-{name}">\n    <match {rule}/>\n'
                   f'    <me id="vpn.example.com" cert="gw.pem"/>\n'
                   f'    <peer ca="{name}-ca.pem"/>\n  </realm>\n'
                   for i, (name, (rule, *_)) in enumerate(NAMES.items()))
    keys = {f: pki.text(f) for f in ("gw.pem", "gw.key", *(f"{n}-ca.pem" for n in NAMES))}
    return Gateway(lab, "right", vpn(text), keys)


def client(lab, pki, who, cert=None):
    """Somebody with his certificate."""
    host = NAMES[who][2].split(",", maxsplit=1)[0][4:]
    net = 40 + list(NAMES).index(who)
    text = (f'  <realm name="{who}" dpd="1" dead="3" address="10.{net}.0.2/24" tap="c-{who}">\n'
            f'    <me id="{host}" cert="me.pem"/>\n'
            '    <peer id="vpn.example.com" at="192.0.2.2" ca="gw-ca.pem"/>\n  </realm>\n')
    return Gateway(lab, "left", vpn(text), {
        "me.pem": pki.text(f"{cert or who}.pem"), "me.key": pki.text(f"{cert or who}.key"),
        "gw-ca.pem": pki.text("gw-ca.pem")})


def test_names_of_a_certificate_choose_the_realm(lab, ends, pki):
    """E-mail address, host name and subject: each gets into its own, and `realm test` agrees."""
    for end in ends:
        end.stop()
    right = gateway(lab, pki).start()
    try:
        for name, (_, _, san) in NAMES.items():
            left = client(lab, pki, name).start()
            try:
                assert until(8, left.is_up), left.log() + right.log()
                up = [r["name"] for r in right.json("status")["realms"]
                      if any(p["state"] == "up" for p in r["peers"])]
                assert up == [name]
                assert lab.until_ping("left", f"10.{40 + list(NAMES).index(name)}.0.1", 5)
            finally:
                left.stop()
            done = right.json("realm", "test", san.split(",", maxsplit=1)[0][4:], "--cert",
                              pki.path(f"{name}.pem"), "-c", right.conf_path)
            assert done["realm"] == name
        left = client(lab, pki, "sales", cert="thief").start()
        try:
            assert until(5, lambda: left.lines("failed") or left.lines("refused")), left.log()
            assert not left.is_up()
        finally:
            left.stop()
    finally:
        right.stop()
        for end in reversed(ends):
            end.start()
