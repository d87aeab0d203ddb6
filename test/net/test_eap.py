# SPDX-License-Identifier: Apache-2.0
"""People log in by EAP: a gateway with passwords and one with certificates, asked by
strongSwan and by tapir; tapir as a client of strongSwan; and who must be refused."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import termios

import pytest

import memory
import topo
from charon import Charon, PLUGINS
from browser import Client
from gateway import TAPIR, Gateway, vpn
from lab import until
from pki import Pki
from webdriver import Driver

TOPOLOGY = topo.pair  # left is tapir
LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
GW = "vpn.example.com"
HANAKO, TARO = "hanako@sales.example.com", "taro@staff.example.com"
KEN = "ken@vault.example.com"
WORD = "a pass phrase"
MOMO, SECRET = "momo@sales.example.com", "Tq7-horse-0451-battery"
MOMO_NT = "642df26647d1ba720b3d7f17031376bd"
NT = "f64b56fd909abe870184896c287b74fe"  # MD4 of it in UTF-16
EAP_PLUGINS = "load = " + PLUGINS + " md4 eap-identity eap-mschapv2 eap-tls"
GATEWAY = vpn(f"""  <realm name="sales" mode="ip" dpd="1" dead="3" tap="tap-sales">
    <match id="*@sales.example.com"/>
    <me id="{GW}" cert="gw.pem"/>
    <eap users="sales.users"/>
    <pool net="10.20.1.0/24" route="10.1.0.0/24"/>
  </realm>
  <realm name="staff" mode="ip" dpd="1" dead="3" tap="tap-staff">
    <match id="*@staff.example.com"/>
    <me id="{GW}" cert="gw.pem"/>
    <eap method="tls" ca="ca.pem" tls12="yes"/>
    <pool net="10.20.2.0/24" route="10.1.0.0/24"/>
  </realm>
  <realm name="vault" mode="ip" dpd="1" dead="3" tap="tap-vault">
    <match id="*@vault.example.com"/>
    <me id="{GW}" cert="gw.pem"/>
    <eap method="tls" ca="ca.pem" tls12="yes" only="yes"/>
    <pool net="10.20.3.0/24" route="10.1.0.0/24"/>
  </realm>
""", attrs='log="info"')


@pytest.fixture(scope="module")
def pki(lab):
    """One authority, and one nobody believes."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.ca("other")
    p.leaf("gw", "ca", GW)
    p.leaf("taro", "ca", f"email:{TARO}")
    p.leaf("ken", "ca", f"email:{KEN}")
    p.leaf("other", "other", f"email:{TARO}")
    return p


@pytest.fixture(scope="module")
def gateway(lab, pki):
    """tapir with the three realms; it stays for all tests."""
    gw = Gateway(lab, "left", GATEWAY, {
        "gw.pem": pki.text("gw.pem"), "gw.key": pki.text("gw.key"), "ca.pem": pki.text("ca.pem"),
        "sales.users": f"# people of the sales department\n{HANAKO}:nt:{NT}\n"
                       f"{MOMO}:nt:{MOMO_NT}\n"})
    gw.start()
    yield gw
    gw.stop()


def client(lab, pki, method, who, word="", cert="taro", ike="default", own=None,
           gw_auth="pubkey"):
    """strongSwan as a client at right."""
    files = {"x509ca/ca.pem": pki.text("ca.pem"), "x509/me.pem": pki.text(f"{cert}.pem"),
             "private/me.key": pki.text(f"{cert}.key")}
    c = Charon(lab, "right", files, options=EAP_PLUGINS + "\ninstall_virtual_ip = yes",
               local=RIGHT, remote=LEFT, local_id=f'"{own or who}"', remote_id=GW, top="vips = 0.0.0.0",
               local_auth=f"auth = eap-{method}\n" + ("certs = me.pem" if method == "tls" else
                                                      f"eap_id = {who}"),
               remote_auth=f"auth = {gw_auth}", local_ts="dynamic", remote_ts="10.1.0.0/24", ike=ike,
               psk=f'x"\n}}\neap-1 {{ id = {who}\n secret = "{word}')
    return c.start()


def refused(gw, log_from, *words):
    """A line of the gateway since, with these words."""
    return until(5, lambda: [x for x in gw.log()[log_from:].splitlines()
                             if all(w in x for w in words)])


@pytest.mark.parametrize("method,who", [("mschapv2", HANAKO), ("tls", TARO)])
def test_strongswan_logs_in(lab, pki, gateway, method, who):
    """A password or a certificate, an address from the pool, packets both ways."""
    c = client(lab, pki, method, who, WORD)
    try:
        out = c.initiate()
        assert "initiate completed successfully" in out, out + gateway.log()
        assert until(8, lambda: lab.ping("right", "10.1.0.1", 1)), c.log()
        realm = ("sales", "staff").index(who.split("@")[1].split(".")[0])
        peer = gateway.peer(realm, name=who)
        assert peer["state"] == "up", gateway.json("status")
        assert "EAP method EAP_" + method.upper() + " succeeded" in c.log()
    finally:
        c.stop()
    assert until(10, lambda: gateway.peer(realm, name=who).get("state") != "up")


def test_an_address_names_nobody(lab, pki, gateway):
    """Windows calls itself by its address: the name in EAP chooses the realm, and a name of
    somebody else than the one IKE was told is refused."""
    c = client(lab, pki, "mschapv2", HANAKO, WORD, own=RIGHT)
    try:
        out = c.initiate()
        assert "initiate completed successfully" in out, out + gateway.log()
        assert until(5, lambda: any(p["state"] == "up" for p in
                                    gateway.json("status")["realms"][0]["peers"]))
        assert not any(p["state"] == "up" for p in gateway.json("status")["realms"][1]["peers"])
    finally:
        c.stop()
    at = len(gateway.log())
    c = client(lab, pki, "mschapv2", HANAKO, WORD, own="jiro@sales.example.com")
    try:
        assert "failed" in c.initiate()
        assert refused(gateway, at, "jiro@sales.example.com"), gateway.log()[at:]
    finally:
        c.stop()


# What tapir why says of somebody who is not configured by name.
NAMED = {(HANAKO, "wrong password"): "eap-password",
         ("jiro@sales.example.com", "no such user"): "eap-user"}


@pytest.mark.parametrize("method,who,word,cert,why", [
    ("mschapv2", HANAKO, "not this one", "taro", "wrong password"),
    ("mschapv2", "jiro@sales.example.com", WORD, "taro", "no such user"),
    ("mschapv2", TARO, WORD, "taro", "none of our methods"),
    ("tls", TARO, "", "other", "no authority of ca="),
    ("tls", "jiro@staff.example.com", "", "taro", "did not return a certificate"),
    ("tls", HANAKO, "", "taro", "none of our methods"),
    ("mschapv2", "x@elsewhere.example.com", WORD, "taro", "no realm"),
])
def test_refused(lab, pki, gateway, method, who, word, cert, why):
    """The gateway says why in its log, and nothing but no to the peer."""
    c = client(lab, pki, method, who, word, cert)
    try:
        at = len(gateway.log())
        out = c.initiate()
        assert "failed" in out, out
        assert refused(gateway, at, why), gateway.log()[at:]
        assert not re.search(r"\bINSTALLED\b", c.sas())
        assert all(p["state"] != "up" for r in gateway.json("status")["realms"]
                   for p in r["peers"])
        if (who, why) in NAMED:
            doc = gateway.json("why", who)
            assert doc["code"] == NAMED[who, why] and doc["peer"] == who, doc
    finally:
        c.stop()


def test_who_guesses_is_not_listened_to(lab, pki, gateway):
    """Six times a wrong name: then it is not even looked at, and tapir why says so."""
    who = "saburo@sales.example.com"
    c = client(lab, pki, "mschapv2", who, WORD)
    try:
        assert until(15, lambda: "failed" in c.initiate() and gateway.json(
            "why", f"sales/{who}")["code"] == "eap-wait", 0), gateway.json("why", who)
        assert gateway.json("why", "sales/any")["peer"] == "any"
        assert gateway.json("why", "sales/any")["causes"][0]["why"].count(who) == 1
        # another name of the same pattern never came
        assert gateway.json("why", "shiro@sales.example.com")["code"] == "waiting"
    finally:
        c.stop()


def office(me, files, keys):
    """tapir as a client at right."""
    return vpn(f'  <realm name="office" mode="ip" dpd="1" dead="3" tap="tap0">\n    {me}\n'
               f'    <peer id="{GW}" name="gw" at="{LEFT}" ca="ca.pem"/>\n'
               '    <net remote="10.1.0.0/24"/>\n  </realm>\n', attrs='log="info"'), {**files, **keys}


@pytest.mark.parametrize("who", [HANAKO, TARO])
def test_tapir_logs_in(lab, pki, gateway, who):
    """The same with tapir on both ends; the password is a file."""
    keys = {"ca.pem": pki.text("ca.pem")}
    me = f'<me eap="{who}"/>'
    if who == TARO:
        me = f'<me eap="{who}" cert="me.pem"/>'
        keys.update({"me.pem": pki.text("taro.pem"), "me.key": pki.text("taro.key")})
    else:
        keys[f"{who}.eap"] = WORD + "\n"
    c = Gateway(lab, "right", *office(me, keys, {}))
    try:
        c.start()
        assert until(10, lambda: lab.ping("right", "10.1.0.1", 1)), c.log() + gateway.log()
        assert until(3, c.is_up)
    finally:
        c.stop()


def typist(c, word):
    """A program that types this, and counts how often."""
    path = os.path.join(c.dir, "askpass")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\necho "$1" >>{c.dir}/asked\necho \'{word}\'\n')
    os.chmod(path, 0o755)
    return path


def forget(c):
    """What tests before left where this client is: its password, what it was asked."""
    for name in ("keys/" + HANAKO + ".eap", "asked"):
        path = os.path.join(c.dir, name)
        if os.path.exists(path):
            os.unlink(path)


def asked(c):
    """The questions that were put to a person."""
    path = os.path.join(c.dir, "asked")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def held(c):
    """Does the client wait for a person?"""
    return c.peer(name="gw").get("intent") == "password"


def test_wrong_password_is_said_once(lab, pki, gateway):
    """A client with a wrong password in a file does not go on until somebody says so."""
    keys = {"ca.pem": pki.text("ca.pem"), f"{HANAKO}.eap": "wrong"}
    c = Gateway(lab, "right", *office(f'<me eap="{HANAKO}"/>', keys, {}))
    why = "wrong user name or password"
    try:
        c.start()
        assert until(10, lambda: held(c)), c.log()
        said = c.tapir("why", "gw").stdout
        assert "W169" in said and why in said, said
        assert c.lines("peer-asks") or c.lines("waits for a password"), c.log()
        assert c.log().count("connecting to") == 1, c.log()
        # somebody types the right one over it
        out = c.tapir("--json", "up", "--askpass", typist(c, WORD), "office")
        assert out.returncode == 0 and json.loads(out.stdout)["code"] == "connected", out
        assert c.is_up(), c.log()
        assert asked(c) == [f"Password of {HANAKO} for realm office"]
    finally:
        c.stop()


def test_password_is_typed(lab, pki, gateway):
    """Without a file: asked for, refused, asked for again; what was typed is in no log, file or
    memory of tapird."""
    word = "typed " + WORD
    c = Gateway(lab, "right", *office(f'<me eap="{HANAKO}"/>', {"ca.pem": pki.text("ca.pem")}, {}))
    forget(c)
    at = len(gateway.log())
    try:
        c.start()
        assert until(10, lambda: held(c)), c.log()
        assert HANAKO not in gateway.log()[at:], "the gateway heard of the user"
        out = c.tapir("up", "office")
        assert out.returncode == 1 and "--askpass" in out.stdout, out
        out = c.tapir("up", "--askpass", typist(c, word), "office")
        assert out.returncode == 1 and "wrong user name or password" in out.stdout, out
        assert len(asked(c)) == 3
        out = c.tapir("up", "--askpass", typist(c, WORD), "office")
        assert out.returncode == 0 and len(asked(c)) == 4, out
        assert until(5, lambda: lab.ping("right", "10.1.0.1", 1)), c.log()
        assert WORD not in c.log()
    finally:
        c.stop()


def test_no_password_for_a_stranger(lab, pki, gateway):
    """A gateway of another authority is refused before it hears of the user."""
    key = {"other-ca.pem": pki.text("other.pem"), f"{HANAKO}.eap": WORD}
    text, keys = office(f'<me eap="{HANAKO}"/>', key, {"ca.pem": pki.text("other.pem")})
    c = Gateway(lab, "right", text, keys)
    at = len(gateway.log())
    try:
        c.start()
        assert until(10, lambda: c.lines("authentication", "failed")), c.log()
        assert "user" not in gateway.log()[at:]
    finally:
        c.stop()


def test_password_is_typed_in_the_browser(lab, pki, gateway):
    """POST /password reaches the secure process, also one that was started again, or that a
    reload has brought."""
    c = Gateway(lab, "right", *office(f'<me eap="{HANAKO}"/>', {"ca.pem": pki.text("ca.pem")}, {}),
                web=True)
    forget(c)

    def post(word):
        done = lab.run("right", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                       "--unix-socket", os.path.join(c.run_dir, "bus.sock"),
                       "-H", "Content-Type: application/json", "http://x/password",
                       "-d", json.dumps({"realm": "office", "password": word}))
        return done.stdout
    try:
        c.start()
        assert until(10, lambda: held(c)), c.log()
        c.kill_role("secure")
        assert until(10, lambda: post(WORD) == "204"), c.log()
        for n in (1, 2):
            old = c.pid("secure")
            with open(c.conf_path, encoding="utf-8") as f:
                text = f.read()
            c.write(text.replace("</vpn>", f'<realm name="more{n}"><me id="a{n}" psk="a.psk"/>'
                                 f'<peer id="b{n}"/></realm></vpn>'), {"a.psk": "0123456789abcdef"})
            assert c.tapir("reload").returncode == 0 and until(5, lambda: c.pid("secure") != old)
            assert until(10, lambda: post(WORD) == "204"), c.log()
        assert c.tapir("up", "office").returncode == 0
        assert until(10, c.is_up), c.log()
        assert WORD not in c.log()
    finally:
        c.stop()


def holders(c, word):
    """The processes of it in whose memory this is."""
    return {pid for pid in c.pids_left() if memory.holds(pid, [word.encode()])}


class Terminal:
    """A command at a terminal of its own."""

    def __init__(self, c, *argv):
        self.ours, self.its = pty.openpty()
        self.text = ""
        self.proc = subprocess.Popen(
            ["ip", "netns", "exec", c.lab.ns(c.node), TAPIR, "--run-dir", c.run_dir, *argv],
            stdin=self.its, stdout=self.its, stderr=self.its, start_new_session=True)
        os.set_blocking(self.ours, False)

    def is_echoing(self):
        """Does it show what is typed?"""
        return bool(termios.tcgetattr(self.its)[3] & termios.ECHO)

    def waits(self, n):
        """Has it asked so many times?"""
        try:
            self.text += os.read(self.ours, 4096).decode()
        except BlockingIOError:
            pass
        return self.text.count("password: ") == n and not self.is_echoing()

    def types(self, line):
        """As a person does."""
        os.write(self.ours, line.encode() + b"\n")

    def end(self):
        """Its status, once it is over."""
        try:
            return self.proc.wait(30)
        finally:
            self.waits(0)
            self.proc.kill()
            self.proc.wait()
            os.close(self.ours)
            os.close(self.its)


def test_password_is_typed_at_a_terminal(lab, pki, gateway):
    """Nothing is shown; the terminal is as before when somebody gives up; with keep=0 nobody has
    the password once it has served."""
    c = Gateway(lab, "right", *office(f'<me eap="{MOMO}" keep="0"/>',
                                      {"ca.pem": pki.text("ca.pem")}, {}))
    try:
        c.start()
        assert until(10, lambda: held(c)), c.log()
        t = Terminal(c, "up", "office")
        assert until(5, lambda: t.waits(1)), t.text
        assert MOMO in t.text
        t.proc.send_signal(signal.SIGINT)
        assert t.proc.wait(5) == -signal.SIGINT and t.is_echoing()
        t.end()
        t = Terminal(c, "up", "office")
        assert until(5, lambda: t.waits(1)), t.text
        t.types("no horse")
        assert until(10, lambda: t.waits(2)), t.text
        assert "wrong user name or password" in t.text
        t.types(SECRET)
        assert t.end() == 0, t.text
        assert "horse" not in t.text and "connected" in t.text and c.is_up(), t.text
        assert holders(c, SECRET) == set()
        way = os.stat(os.path.join(c.run_dir, "password.sock"))
        assert way.st_uid == 0 and way.st_mode & 0o777 == 0o600, "tapird could type, too"
    finally:
        c.stop()


def test_password_is_typed_in_connect(lab, pki, gateway):
    """By a person with Chromium: wrong, said so, right; what was typed is in the memory of
    tapir-secure and in that of no other process."""
    if not shutil.which("chromedriver"):
        pytest.skip("the distribution has no chromium-driver")
    c = Gateway(lab, "right", *office(f'<me eap="{MOMO}"/>', {"ca.pem": pki.text("ca.pem")}, {}),
                web=True)
    driver = None

    def types(word):
        b.wait("return !!document.querySelector('main input[type=password]')")
        b.js("document.querySelector('main input[type=password]').focus()")
        b.keys(word)
        b.click("main button", "Connect")
    try:
        c.start()
        assert until(10, lambda: held(c)), c.log()
        if Client(lab, "right").ask("GET", "/lib/preact.js")[0] != 200:
            pytest.skip("built without the screens: npm was not at hand")
        driver = Driver(lab, "right")
        b = driver.browser()
        b.open(c.json("web")["url"])
        b.wait_text("gw", "main")
        b.go("connect")
        b.wait_text(f"password of {MOMO}", "main")
        types("no horse")
        b.wait_text("wrong user name or password", "main")
        types(SECRET)
        assert until(10, c.is_up), c.log()
        b.wait_text("Disconnect", "main")
        assert holders(c, SECRET) == {c.pid("secure")}
        assert SECRET not in c.log() and SECRET not in json.dumps(c.json("log"))
    finally:
        if driver:
            driver.stop()
        c.stop()


def test_eap_only_with_strongswan(lab, pki, gateway):
    """RFC 5998: a client that asks for it gets no AUTH before EAP-TLS has proved both ends."""
    c = client(lab, pki, "tls", KEN, cert="ken", gw_auth="eap-tls")
    try:
        out = c.initiate()
        assert "initiate completed successfully" in out, out + gateway.log()
        assert "allow mutual EAP-only authentication" in c.log(), c.log()
        assert until(8, lambda: lab.ping("right", "10.1.0.1", 1)), c.log()
    finally:
        c.stop()


@pytest.mark.parametrize("ca,ok", [("ca", True), ("other", False)])
def test_eap_only_with_tapir(lab, pki, gateway, ca, ok):
    """The same with tapir on both ends; a gateway whose certificate within EAP is of nobody we
    believe is refused, and never sees the client's."""
    keys = {"ca.pem": pki.text(f"{ca}.pem"), "me.pem": pki.text("ken.pem"),
            "me.key": pki.text("ken.key")}
    c = Gateway(lab, "right", *office(f'<me eap="{KEN}" cert="me.pem" only="yes"/>', keys, {}))
    at = len(gateway.log())
    try:
        c.start()
        if ok:
            assert until(10, lambda: lab.ping("right", "10.1.0.1", 1)), c.log() + gateway.log()
            assert c.peer(name="gw")["auth"] == "eap", c.json("status")
        else:
            assert until(10, lambda: c.lines("no authority of ca=")), c.log()
            assert not c.is_up()
            assert "peer-up" not in gateway.log()[at:]
    finally:
        c.stop()


def test_no_eap_only_unasked(lab, pki, gateway):
    """A client that does not permit it gets the gateway's AUTH from the same realm."""
    keys = {"ca.pem": pki.text("ca.pem"), "me.pem": pki.text("ken.pem"),
            "me.key": pki.text("ken.key")}
    c = Gateway(lab, "right", *office(f'<me eap="{KEN}" cert="me.pem"/>', keys, {}))
    try:
        c.start()
        assert until(10, c.is_up), c.log() + gateway.log()
        assert c.peer(name="gw")["auth"] != "eap", c.json("status")
    finally:
        c.stop()
