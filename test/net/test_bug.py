# SPDX-License-Identifier: Apache-2.0
"""tapir bugreport, and no secret in anything that is printed, logged or kept."""
import json
import os
import re
import stat
import tarfile

import pytest

import schema
import topo
from gateway import PSK, TAPIR, Gateway, office, realm, vpn
from lab import until
from pki import Pki

TOPOLOGY = topo.pair  # two gateways

WORD = "correct horse battery"      # a password of the browser interface
EAP = "a-password-of-eap"
NT_HASH = "0cb6948805f797bf2a82807973b89537"
PIN = "pin-9137"
COMMENT = "remember: the old key was kangaroo"
CERTS = ('  <realm name="certs" mode="ip">\n    <me id="tokyo.example.com" cert="tokyo.pem"/>\n'
         '    <peer id="kobe.example.com" at="192.0.2.77" dial="no" ca="ca.pem" ppk="kobe"/>\n'
         '    <net local="10.5.1.0/24" remote="10.5.2.0/24"/>\n  </realm>\n')


@pytest.fixture(scope="module")
def ends(lab):
    """tokyo with every kind of secret; osaka its peer."""
    pki = Pki(lab.mkdir("pki"))
    pki.ca("ca")
    pki.leaf("tokyo", "ca", "tokyo.example.com")
    keys = {"branches.psk": PSK, "kobe.ppk": "0x" + os.urandom(32).hex(), "hanako.eap": EAP + "\n",
            "sales.users": f"taro:nt:{NT_HASH}\n", "ca.pem": pki.text("ca.pem"),
            "tokyo.pem": pki.text("tokyo.pem"), "tokyo.key": pki.text("tokyo.key")}
    b = Gateway(lab, "right", office("osaka", attrs="")).start()
    conf = vpn(realm("tokyo", "osaka", "192.0.2.2", ""), CERTS, attrs='log="info"')
    a = Gateway(lab, "left", conf.replace("<vpn", f"<!-- {COMMENT} -->\n<vpn"), keys, web=True)
    a.start()
    with open(os.path.join(a.dir, "word"), "w", encoding="utf-8") as f:
        f.write(WORD + "\n")
    made = a.tapir("web", "user", "add", "hanako", "--totp", "--pass",
                   os.path.join(a.dir, "word"), "-d", os.path.join(a.dir, "keys"))
    assert made.returncode == 0, made.stdout
    a.totp = re.search(r"secret=(\w+)", made.stdout).group(1)
    a.token = a.json("web")["url"].split("#link=")[1]
    assert until(10, lambda: a.is_up(name="osaka"))
    yield a, b
    a.stop()
    b.stop()


def secrets(a):
    """Whatever must be nowhere, in small letters."""
    keys = os.path.join(a.dir, "keys")

    def text(name, mode="r"):
        with open(os.path.join(keys, name), mode) as f:
            return f.read()
    out = {PSK, PSK.encode().hex(), WORD, EAP, NT_HASH, a.totp, a.token,
           text("kobe.ppk")[2:], text("qcd.secret", "rb")[:16].hex()}
    out |= {x for x in text("tokyo.key").splitlines() if len(x) > 20 and "---" not in x}
    out |= {x for x in text("web/users").strip().split(":") if len(x) > 20}
    assert len(out) > 10 and all(len(x) >= 8 for x in out)
    return {x.lower() for x in out}


def found(a, text):
    """Secrets that are in a text."""
    text = text.lower()
    return [x for x in secrets(a) if x in text]


def report(a, name, *more):
    """Make one and read it: {name: text}."""
    path = os.path.join(a.dir, name)
    done = a.tapir("bugreport", "-c", a.conf_path, "-o", path, *more)
    assert done.returncode == 0, done.stdout
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with tarfile.open(path, "r:gz") as tar:
        return {m.name.split("/", 1)[1]: tar.extractfile(m).read().decode()
                for m in tar.getmembers()}


def test_it_has_what_helps_and_no_secret(ends):
    """Also where a secret stands in a log by some other program's fault."""
    a = ends[0]
    with open(os.path.join(a.run_dir, "tapir.log"), "a", encoding="utf-8") as f:
        f.write(f"somebody says {PSK} and {WORD} and {EAP} and {NT_HASH.upper()}\n")
    got = report(a, "one.tar.gz")
    os.unlink(os.path.join(a.run_dir, "tapir.log"))
    for part, word in (("version.txt", "libcrypto"), ("config/tapir.xml", '<peer id="osaka"'),
                       ("config/check.txt", "correct, 2 realms"), ("config/keys.txt", "branches.psk"),
                       ("daemon/status.txt", "osaka"), ("daemon/status.json", '"realms"'),
                       ("daemon/metrics.txt", "tapir_peer_up"), ("daemon/why.txt", "kobe"),
                       ("daemon/events.txt", "osaka is up"), ("daemon/history.txt", "osaka"),
                       ("daemon/netcheck.txt", "clock"), ("daemon/hub-mac.txt", "MAC"),
                       ("system/network.txt", "tap-branches"), ("system/sysctl.txt", "ip_forward"),
                       ("system/processes.txt", "tapir-diary"), ("log/tapir.log", "somebody says"),
                       ("README.txt", "3 places say [secret]")):
        assert word in got[part], (part, got[part][:2000])
    whole = "\n".join(got.values())
    assert "kangaroo" not in whole
    # the password is known as its hash only: there is no such word to look for
    assert set(found(a, whole)) <= {WORD}
    assert all(WORD not in t for n, t in got.items() if n != "log/tapir.log")


def test_never_over_another_file(ends):
    """Not over a file, not through a link."""
    a = ends[0]
    path = os.path.join(a.dir, "there.tar.gz")
    with open(path, "w", encoding="utf-8") as f:
        f.write("mine")
    os.symlink("/nonexistent/x", path + ".link")
    for name in path, path + ".link", "/nonexistent/x":
        done = a.tapir("bugreport", "-c", a.conf_path, "-o", name)
        assert done.returncode == 1 and "cannot write" in done.stdout
    with open(path, encoding="utf-8") as f:
        assert f.read() == "mine"
    assert a.tapir("bugreport", "--preview", "-o", path).returncode == 2


def test_anonymous(ends):
    """No name, no address, and still a status to read."""
    a = ends[0]
    mac = a.json("status")["realms"][0]["mac"]
    got = report(a, "anon.tar.gz", "--anonymous")
    whole = "\n".join(list(got) + list(got.values())).lower()
    for word in ("osaka", "tokyo", "branches", "kobe", "hanako", "sales", "192.0.2.", "10.5.1.", "example.com", mac):
        assert word not in whole, [x for x in whole.splitlines() if word in x][:5]
    # the same everywhere
    peer = re.search(r'<peer id="(peer-\d+)" at="198', got["config/tapir.xml"]).group(1)
    assert re.search(rf"{peer} +up +ether/udp", got["daemon/status.txt"])
    assert f"{peer} is up" in got["daemon/events.txt"]


def test_preview_and_json(ends):
    """What would be in it; what was put into it."""
    a = ends[0]
    out = a.tapir("bugreport", "-c", a.conf_path, "--preview").stdout
    assert "==== daemon/status.txt ====" in out and not found(a, out)
    doc = a.json("bugreport", "-c", a.conf_path, "-o", os.path.join(a.dir, "json.tar.gz"))
    schema.check("bugreport", doc)
    assert doc["is_running"] and os.path.exists(doc["file"])


def test_a_stranger_may_write_one(lab, ends):
    """Who cannot read the keys: less is in it, and it says so."""
    a = ends[0]
    done = lab.run("left", "setpriv", "--reuid", "65534", "--clear-groups", TAPIR, "--run-dir",
                   a.run_dir, "bugreport", "--preview", "-c", a.conf_path)
    assert done.returncode == 0 and "cannot be read by this user" in done.stdout
    assert "osaka" in done.stdout and not found(a, done.stdout)


COMMANDS = (
    ("status",), ("status", "branches/osaka"), ("why", "osaka"), ("why", "kobe.example.com"),
    ("log",), ("ping", "-c", "1", "osaka"), ("netcheck", "osaka"),
    ("history",), ("hub",), ("hub", "mac"), ("hub", "arp"), ("hub", "groups"), ("stats", "-a"),
    ("metrics",), ("reload", "-n"), ("reload",), ("rekey", "osaka", "ike"), ("up", "osaka"),
    ("get", "-c", "CONF"), ("check", "CONF"), ("web", "user", "list", "-d", "KEYS"),
    ("ca", "list", "-d", "KEYS"), ("capture", "--seconds", "1"), ("confirm",), ("schema",),
    ("version",), ("down", "osaka"), ("help",))


def test_no_secret_is_printed_logged_or_kept(ends):
    """Every command as text and as JSON; logs of all processes; files of the run directory."""
    a = ends[0]
    for words in COMMANDS:
        words = [{"CONF": a.conf_path, "KEYS": os.path.join(a.dir, "keys")}.get(w, w)
                 for w in words]
        for form in [], ["--json"]:
            assert found(a, a.tapir(*form, *words).stdout) == [], words
    assert a.log() and found(a, a.log()) == []
    n = 0
    for at, _, names in os.walk(a.run_dir):
        for name in names:
            path = os.path.join(at, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as f:
                    assert found(a, f.read().decode(errors="replace")) == [], path
                n += 1
    assert n > 0    # the history is one


# schema, words; CONF, KEYS, NEW (a directory) and WORD (a password) are filled in
DOCUMENTS = (
    ("status", "status"), ("why", "why osaka"), ("why", "why kobe.example.com"), ("log", "log"),
    ("ping", "ping --ike -c 1 osaka"), ("netcheck", "netcheck osaka"), ("history", "history"),
    ("hub-ports", "hub"), ("hub-mac", "hub mac"), ("hub-arp", "hub arp"), ("hub-groups", "hub groups"),
    ("stats", "stats"), ("stats", "stats -a"), ("metrics", "metrics"), ("act", "rekey osaka"),
    ("act", "down branches/osaka"), ("act", "up branches"), ("act", "drain --off"),
    ("failure", "confirm"), ("failure", "up nobody"), ("capture-list", "capture --list"),
    ("get", "get -c CONF"), ("get-path", "get branches/dpd -c CONF"),
    ("set", "set branches/dpd 2 -c CONF"), ("reload", "reload -n"), ("reload", "reload"),
    ("set", "set --unset branches/osaka/at -c CONF"),
    ("set", "set branches/osaka/at 192.0.2.2 -c CONF"), ("check", "check CONF"),
    ("check", "check /nonexistent"), ("realm", "realm test osaka -c CONF"),
    ("realm", "realm test nobody -c CONF"), ("init", "init -c NEW/x.xml --name n --peer p"),
    ("user", "user add sales ichiro --pass WORD -d KEYS"), ("user", "user del sales ichiro -d KEYS"),
    ("user-list", "user list sales -d KEYS"), ("web", "web"), ("web-user", "web user list -d KEYS"),
    ("web-user-add", "web user add saburo --pass WORD -d KEYS"),
    ("web-user-add", "web user del saburo -d KEYS"), ("ca", "ca init T -d NEW/k"),
    ("ca", "ca issue h.example -d NEW/k"), ("ca-list", "ca list -d NEW/k"),
    ("ca", "ca renew h.example -d NEW/k"), ("ca", "ca revoke h.example -d NEW/k"),
    ("invite", "invite nara --realm branches --at 192.0.2.1 -o NEW/i.xml -c CONF"),
    ("join", "join NEW/i.xml --yes -c NEW/j/tapir.xml"), ("lab-list", "lab list"),
    ("bugreport", "bugreport -c CONF -o NEW/b.tar.gz"), ("help", "help"), ("version", "version"))
NO_DOCUMENT = {"demo", "schema"}        # text of their own


def test_every_document_keeps_to_its_schema(lab, ends):
    """Every command has one; scripts rely on it."""
    a = ends[0]
    names = {"CONF": a.conf_path, "KEYS": os.path.join(a.dir, "keys"), "NEW": lab.mkdir("new"),
             "WORD": os.path.join(a.dir, "word")}
    os.makedirs(os.path.join(names["NEW"], "j", "keys"), mode=0o700)
    for name, line in DOCUMENTS:
        words = [re.sub("|".join(names), lambda m: names[m[0]], w) for w in line.split()]
        out = a.tapir("--json", *words).stdout
        try:
            schema.check(name, json.loads(out))
        except (ValueError, AssertionError) as err:
            raise AssertionError(f"tapir --json {line}: {err}\n{out[:700]}") from err
    every = {c["name"] for c in a.json("help")["commands"]}
    assert every - NO_DOCUMENT == {line.split()[0] for _, line in DOCUMENTS}
    assert {n for n, _ in DOCUMENTS} == {n[:-5] for n in os.listdir(schema.HOME)}


def test_without_a_daemon(lab, ends):
    """Dead, and with a configuration that holds the key itself, a comment and a PIN."""
    a = ends[0]
    a.kill()
    with open(a.conf_path, encoding="utf-8") as f:
        good = f.read()
    with open(a.conf_path, "w", encoding="utf-8") as f:
        f.write(good.replace('psk="branches.psk"', f'psk="{WORD}"').replace(
            'cert="tokyo.pem"', f'cert="tokyo.pem" key="pkcs11:object=x;pin-value={PIN}"'))
    got = report(a, "dead.tar.gz")
    assert "tapird is not running" in got["daemon/status.txt"]
    assert 'psk="[secret]"' in got["config/tapir.xml"]
    assert "pkcs11:object=x;pin-value=[secret]" in got["config/tapir.xml"]
    assert "mistake" in got["config/check.txt"]
    whole = "\n".join(got.values())
    assert found(a, whole) == [] and PIN not in whole and "kangaroo" not in whole
    assert lab.run("left", "true").returncode == 0
