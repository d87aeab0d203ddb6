# SPDX-License-Identifier: Apache-2.0
"""Nobody is, or stays, in a realm that is not his: identities that do not fit each other,
rules that change while he is connected, tickets from before, gateways that say otherwise.

    hanako --- inet --- one: sales, dev      two: the same name, other rules
"""
import json

import pytest

from charon import Charon, PLUGINS
from gateway import Gateway
from lab import Lab, until
from pki import Pki

ONE, TWO, HER = "192.0.2.1", "192.0.2.2", "192.0.2.11"
GW, HANAKO = "vpn.example.com", "hanako@sales.example.com"
KEN = "ken@dev.example.com"
WORD, NT = "a pass phrase", "f64b56fd909abe870184896c287b74fe"
SALES = f"""  <realm name="sales" mode="ip" dpd="1" dead="3" tap="tap-sales">
    <match id="*@sales.example.com"/>
    <me id="{GW}" cert="gw.pem"/>
    <eap users="sales.users"/>
    <pool net="10.20.1.0/24" route="10.1.0.0/24"/>
  </realm>
"""
# Who is named whole goes before who fits a pattern, wherever the rule stands.
DEV = f"""  <realm name="dev" mode="ip" dpd="1" dead="3" tap="tap-dev">
    <match id="*@dev.example.com"/>{{more}}
    <me id="{GW}" cert="gw.pem"/>
    <eap users="dev.users"/>
    <pool net="10.20.2.0/24" route="10.1.0.0/24"/>
  </realm>
"""
CLIENT = f"""<vpn log="info">
  <realm name="office" mode="ip" dpd="1" dead="3" tap="tap0">
    <me eap="{HANAKO}"/>
    <peer id="{GW}" name="gw" at="{ONE}" ca="ca.pem" redirect="yes"/>
  </realm>
</vpn>
"""


def rules(more=""):
    """Both realms; more of the rules of dev."""
    return f'<vpn log="info">\n{SALES}{DEV.format(more=more)}</vpn>\n'


@pytest.fixture(scope="module")
def lab():
    """Two gateways and a laptop around a bridge."""
    made = Lab()
    try:
        made.add("inet", "one", "two", "her")
        made.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set br0 up\n")
        for node, ip in (("one", ONE), ("two", TWO), ("her", HER)):
            made.wire(node, "wan0", "inet", f"p-{node}")
            made.batch("inet", f"link set p-{node} master br0\n")
            made.batch(node, f"addr add {ip}/24 dev wan0\n")
            if node != "her":
                made.batch(node, "addr add 10.1.0.1/32 dev lo\n")
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def keys(lab):
    """One authority, one certificate that both gateways have, and an impostor's."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.leaf("gw", "ca", GW)
    p.leaf("mail", "ca", "mail.example.com")
    return p


def made(lab, keys, node, conf, cert="gw"):
    """A gateway."""
    return Gateway(lab, node, conf, {
        "gw.pem": keys.text(f"{cert}.pem"), "gw.key": keys.text(f"{cert}.key"),
        "sales.users": f"{HANAKO}:nt:{NT}\n", "dev.users": f"{KEN}:nt:{NT}\n{HANAKO}:nt:{NT}\n"})


@pytest.fixture
def laptop(lab, keys):
    """A tapir that logs in as hanako."""
    her = Gateway(lab, "her", CLIENT, {"ca.pem": keys.text("ca.pem"),
                                       f"{HANAKO}.eap": WORD + "\n"})
    yield her
    her.stop()


def address(lab, pool):
    """Has she one of this pool, and none beside?"""
    out = lab.run("her", "ip", "-j", "-4", "addr", "show", "dev", "tap0").stdout
    try:
        got = [a["local"] for a in json.loads(out)[0]["addr_info"]]
    except (ValueError, IndexError, KeyError):
        return False
    return len(got) == 1 and got[0].startswith(pool)


def where(gw):
    """Realm -> names of who is up."""
    return {r["name"]: [p["name"] for p in r["peers"] if p["state"] == "up"]
            for r in gw.json("status")["realms"]}


def test_a_new_rule_elsewhere_takes_her_along(lab, keys, laptop):
    """She is connected when a rule of another realm begins to name her: the dry run says so, the
    reload ends it, the ticket from before opens nothing, and she is where she belongs."""
    gw = made(lab, keys, "one", rules()).start()
    try:
        laptop.start()
        assert until(10, lambda: address(lab, "10.20.1.")), laptop.log() + gw.log()
        assert where(gw) == {"sales": [HANAKO], "dev": []}
        gw.write(rules(f'\n    <match id="{HANAKO}"/>'), {})
        dry = gw.tapir("reload", "--dry-run")
        assert dry.returncode == 0 and where(gw)["sales"] == [HANAKO]
        assert "sales" in dry.stdout and "interrupt" in dry.stdout, dry.stdout
        assert gw.tapir("reload").returncode == 0
        assert until(15, lambda: address(lab, "10.20.2.")), laptop.log() + gw.log()
        assert where(gw) == {"sales": [], "dev": [HANAKO]}
        assert not gw.lines("resumed"), gw.log()
        assert lab.until_ping("her", "10.1.0.1", 5)
    finally:
        laptop.stop()
        gw.stop()


def test_who_is_sent_on_belongs_where_the_other_gateway_says(lab, keys, laptop):
    """RFC 5685: the second gateway proves the same name and has rules of its own; the ticket of
    the first is nothing to it."""
    one, two = made(lab, keys, "one", rules()).start(), None
    try:
        two = made(lab, keys, "two", rules(f'\n    <match id="{HANAKO}"/>')).start()
        laptop.start()
        assert until(10, lambda: address(lab, "10.20.1.")), laptop.log() + one.log()
        assert one.tapir("drain", "--to", TWO).returncode == 0
        assert until(15, lambda: address(lab, "10.20.2.")), laptop.log() + two.log()
        assert where(two) == {"sales": [], "dev": [HANAKO]}
        assert until(5, lambda: where(one) == {"sales": [], "dev": []}), one.log()
        assert not two.lines("resumed"), two.log()
    finally:
        laptop.stop()
        one.stop()
        if two:
            two.stop()


def test_who_is_sent_to_another_name_does_not_log_in_there(lab, keys, laptop):
    """The gateway it is sent to has a good certificate of the same authority, for another name:
    no password, no challenge, and no traffic."""
    one, two = made(lab, keys, "one", rules()).start(), None
    try:
        two = made(lab, keys, "two", rules(), cert="mail").start()
        laptop.start()
        assert until(10, lambda: address(lab, "10.20.1.")), laptop.log() + one.log()
        assert one.tapir("drain", "--to", TWO).returncode == 0
        assert until(15, lambda: laptop.lines("identity is not in its certificate")), \
            laptop.log() + two.log()
        assert where(two) == {"sales": [], "dev": []}
        assert not two.lines("is up"), two.log()
    finally:
        laptop.stop()
        one.stop()
        if two:
            two.stop()


@pytest.mark.parametrize("own,who", [(KEN, HANAKO), (HANAKO, KEN), ("x@dev.example.com", HANAKO)])
def test_one_name_in_ike_and_another_in_eap(lab, keys, own, who):
    """strongSwan as one person in IKE, and in EAP as one of another realm with the right
    password: in neither of them."""
    gw = made(lab, keys, "one", rules()).start()
    swan = Charon(lab, "her", {"x509ca/ca.pem": keys.text("ca.pem")},
                  options=f"load = {PLUGINS} md4 eap-identity eap-mschapv2\n"
                          "install_virtual_ip = yes",
                  local=HER, remote=ONE, local_id=f'"{own}"', remote_id=GW, top="vips = 0.0.0.0",
                  local_auth=f"auth = eap-mschapv2\neap_id = {who}", remote_auth="auth = pubkey",
                  local_ts="dynamic", remote_ts="10.1.0.0/24",
                  psk=f'x"\n}}\neap-1 {{ id = {who}\n secret = "{WORD}')
    try:
        swan.start()
        said = swan.initiate()
        assert "completed successfully" not in said, said
        assert where(gw) == {"sales": [], "dev": []}
        assert until(3, lambda: gw.lines(f"authentication of {own}", f'user "{who}"',
                                         "is not the one of IKE")), gw.log()
    finally:
        swan.stop()
        gw.stop()
