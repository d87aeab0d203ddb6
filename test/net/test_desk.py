# SPDX-License-Identifier: Apache-2.0
"""The desk: accounts, users, certificates and invitations over HTTP, and what must not be seen."""
import os
import re

import pytest

import topo
from browser import Bus, Client
from gateway import Gateway, office
from lab import until

TOPOLOGY = topo.pair  # two gateways

WORD = "correct horse battery"
# the public key of a browser: the base point of P-256, whose private key is 1
SEAL = ("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


@pytest.fixture(scope="module")
def web(lab):
    """tokyo with a browser interface."""
    a = Gateway(lab, "left", office("tokyo", at="192.0.2.2", attrs=""), web=True).start()
    assert until(5, lambda: a.lines("web: confined"))
    yield a
    a.stop()


@pytest.fixture(scope="module")
def root(web):
    """Root's script: by bus.sock, with a link for what changes something."""
    c = logged_in(web)
    c.close()
    c.path = os.path.join(web.run_dir, "bus.sock")
    return c


def desk(client, what, **fields):
    """A deed: status and document."""
    return client.ask("POST", "/desk", {"command": "desk", "what": what, **fields})[:2]


def look(client, what, realm=""):
    """What there is."""
    return client.ask("GET", f"/desk?what={what}" + (f"&realm={realm}" if realm else ""))[:2]


def logged_in(web, *argv):
    """A browser that followed a link."""
    c = Client(web.lab, web.node)
    status, doc, _ = c.ask("POST", "/login", {"link": web.json("web", *argv)["url"].split("#link=")[1]})
    assert status == 200, doc
    c.token = doc["token"]
    return c


def in_memory(web, role, word):
    """Does a process hold it?"""
    pid = web.pid(role)
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            if " rw" not in line or "[v" in line:
                continue
            lo, hi = (int(x, 16) for x in line.split()[0].split("-"))
            try:
                mem.seek(lo)
                if word.encode() in mem.read(hi - lo):
                    return True
            except OSError:
                continue
    return False


def test_accounts(web, root):
    """Made, used, changed, removed; the file stays that of who looks at passwords; the log says who."""
    bus = Bus(root.__class__(web.lab, web.node, path=root.path))
    assert look(root, "accounts") == (200, {"users": []})
    word = "unique-" + os.urandom(8).hex()
    assert desk(root, "account-add", name="hanako", role="operator", password=word)[0] == 200
    assert desk(root, "account-add", name="hanako", password=word)[0] == 409
    event = bus.until(lambda i: i.get("event") == "command" and i["command"] == "account-add")
    assert event["user"] == "root by the web" and "hanako" in event["name"] and word not in str(event)
    path = os.path.join(web.dir, "keys", "web", "users")
    mode = os.stat(path)
    assert mode.st_mode & 0o777 == 0o640 and mode.st_uid == 0 and mode.st_gid != 0
    c = Client(web.lab, web.node)
    status, doc, _ = c.ask("POST", "/login", {"user": "hanako", "password": word})
    assert status == 200 and doc["role"] == "operator"
    for role in "web", "main":
        assert not in_memory(web, role, word), role
    with open(path, encoding="utf-8") as f:
        line = f.read()
    assert word not in line and not any(
        len(x) >= 16 and x in str(look(root, "accounts")) for x in re.split(r"[:\s$]", line))
    assert desk(root, "account-set", name="hanako", role="viewer")[0] == 200
    assert look(root, "accounts")[1]["users"] == [{"name": "hanako", "role": "viewer", "totp": False}]
    assert desk(root, "account-del", name="hanako")[0] == 200
    assert until(5, lambda: c.ask("POST", "/login", {"user": "hanako", "password": word})[0] == 401)


def test_secrets_come_sealed_or_not_at_all(web, root):
    """Codes of an authenticator, for a key that was given; without one nothing is made."""
    status, doc = desk(root, "account-add", name="taro", password=WORD, has_codes=True)
    assert status == 409 and "seal" in doc["text"]
    for bad in "", "04", "05" + SEAL[2:], SEAL[:-1] + "4", "04" + "00" * 64:
        assert desk(root, "account-add", name="taro", password=WORD, has_codes=True, seal=bad)[0] == 409
    assert look(root, "accounts")[1]["users"] == []
    status, doc = desk(root, "account-add", name="taro", password=WORD, has_codes=True, seal=SEAL)
    assert status == 200 and set(doc) == {"ok", "seal", "sealed"} and len(doc["seal"]) == 130
    assert b"totp" not in bytes.fromhex(doc["sealed"])
    assert look(root, "accounts")[1]["users"] == [{"name": "taro", "role": "viewer", "totp": True}]
    status, doc = desk(root, "account-set", name="taro", role="operator")
    assert status == 200 and doc["totp"] == "", "the old secret is told again, and not sealed"
    assert desk(root, "account-del", name="taro")[0] == 200


def test_who_may(web):
    """Admins, with a proof; nobody else, and not by the bus."""
    stranger = Client(web.lab, web.node)
    assert stranger.ask("GET", "/desk?what=accounts")[0] == 401
    assert desk(stranger, "account-del", name="x")[0] == 401
    for role in "viewer", "operator":
        c = logged_in(web, "--role", role)
        assert look(c, "accounts")[0] == 403
        assert desk(c, "ca-init", name="CA")[0] == 403
    assert web.tapir("ca", "list", "-d", os.path.join(web.dir, "keys")).returncode == 1
    bus = Bus(logged_in(web))
    assert bus.write("desk", what="accounts")[1] == 400


@pytest.mark.parametrize("fields", [
    {"what": "lab"}, {"what": "account-del"}, {"what": "account-del", "name": "a\nb"},
    {"what": "account-del", "name": "../users"}, {"what": "user-del", "realm": "../x", "name": "x"},
    {"what": "user-del", "realm": "--config=/etc/passwd", "name": "x"}, {"what": "ca-issue", "name": "../../x"},
    {"what": "ca-issue", "name": "a " * 60}, {"what": "account-add", "name": "x", "password": "short"},
    {"what": "account-add", "name": "x" * 900, "password": WORD},
    {"what": "ca-revoke", "name": "--pass=/etc/shadow"}, {"what": "ca-init", "kind": "rsa512"},
    {"what": "invite", "name": "osaka", "realm": "nowhere", "seal": SEAL},
])
def test_bad_input(web, root, fields):
    """Refused in words, and nothing is written."""
    keys = os.path.join(web.dir, "keys")
    before = sorted(os.listdir(keys))
    what = fields.pop("what")
    status, doc = desk(root, what, **fields)
    assert status in (400, 409, 413) and doc["text"], doc
    assert sorted(os.listdir(keys)) == before or set(os.listdir(keys)) - set(before) == {"web"}


def test_authority(web, root):
    """From nothing to a revoked certificate; no key comes out."""
    status, doc = look(root, "certs")
    assert status == 200 and doc["ok"] is False and doc["code"] == "not-found"
    status, doc = look(root, "users", "--config=x")
    assert status == 200 and doc["ok"] is False
    assert desk(root, "ca-init", name="Example CA")[0] == 200
    assert desk(root, "ca-init", name="Example CA")[0] == 409
    assert desk(root, "ca-issue", name="vpn.example.com 192.0.2.1", days=40)[0] == 200
    assert desk(root, "ca-renew")[0] == 200
    status, doc = look(root, "certs")
    assert status == 200 and "Example CA" in doc["authority"]
    cert = doc["certificates"][0]
    assert cert["names"] == "vpn.example.com,192.0.2.1" and cert["state"] == "valid"
    assert desk(root, "ca-revoke", name=cert["serial"])[0] == 200
    assert look(root, "certs")[1]["certificates"][0]["state"] == "revoked"
    keys = os.path.join(web.dir, "keys")
    with open(os.path.join(keys, "ca.key"), encoding="utf-8") as f:
        secret = f.read().splitlines()[1]
    assert os.stat(os.path.join(keys, "ca.key")).st_mode & 0o077 == 0
    for role in "web", "main":
        assert not in_memory(web, role, secret), role


PEOPLE = """  <realm name="sales" mode="ip" tap="tap-sales">
    <match id="*@sales.example.com"/>
    <me id="gw.example.com" cert="gw.example.com"/>
    <eap users="sales.users"/>
    <pool net="10.20.1.0/24" route="10.1.0.0/24"/>
  </realm>
</vpn>"""


def test_people(web, root):
    """Users of a realm, and a profile for one of them; no hash comes out, the file stays closed."""
    assert desk(root, "ca-issue", name="gw.example.com")[0] == 200
    with open(web.conf_path, encoding="utf-8") as f:
        text = f.read()
    with open(web.conf_path, "w", encoding="utf-8") as f:
        f.write(text.replace("</vpn>", PEOPLE))
    who = "hanako@sales.example.com"
    assert desk(root, "user-add", realm="sales", name=who, password=WORD)[0] == 200
    assert web.tapir("reload").returncode == 0
    assert desk(root, "user-add", realm="sales", name=who, password=WORD)[0] == 409
    assert desk(root, "user-passwd", realm="sales", name=who, password=WORD + "!")[0] == 200
    assert desk(root, "user-add", realm="sales", name="a b", password=WORD)[0] == 409
    status, doc = look(root, "users", "sales")
    assert status == 200 and doc["users"] == [who]
    assert look(root, "users") == (200, {"realms": [{"realm": "sales", "n": 1}]})
    path = os.path.join(web.dir, "keys", "sales.users")
    with open(path, encoding="utf-8") as f:
        line = f.read()
    assert WORD not in line and line.split(":")[-1].strip() not in str(doc)
    assert os.stat(path).st_mode & 0o077 == 0
    status, doc = desk(root, "invite", realm="sales", name=who, kind="apple", remote="192.0.2.1", seal=SEAL)
    assert status == 200 and doc["file"].endswith(".mobileconfig"), doc
    status, body, _ = Client(web.lab, web.node).ask("GET", doc["link"])
    assert status == 200 and b"PayloadContent" in body and WORD.encode() not in body
    assert desk(root, "user-del", realm="sales", name=who)[0] == 200
    assert look(root, "users", "sales")[1]["users"] == []
    with open(web.conf_path, "w", encoding="utf-8") as f:
        f.write(text)
    assert web.tapir("reload").returncode == 0


def test_the_first_user_makes_the_file(web, root):
    """A configuration that names a file which is not there is refused, and says what makes it; then it is taken."""
    with open(web.conf_path, encoding="utf-8") as f:
        text = f.read()
    more = text.replace("</vpn>", PEOPLE.replace("sales", "guests")).encode()
    etag = root.ask("GET", "/conf")[2]["ETag"]
    status, doc, _ = root.ask("PUT", "/conf", more, Content_Type="application/xml", If_Match=etag)
    assert status == 422 and "tapir user add -d" in str(doc["items"]) and "keys guests NAME" in str(doc["items"]), doc
    assert desk(root, "user-add", realm="guests", name="ann", password=WORD)[0] == 200
    assert desk(root, "user-add", realm="../guests", name="ann", password=WORD)[0] == 409
    path = os.path.join(web.dir, "keys", "guests.users")
    assert os.stat(path).st_mode & 0o077 == 0
    assert root.ask("PUT", "/conf", more, Content_Type="application/xml", If_Match=etag)[0] == 200
    assert look(root, "users")[1]["realms"] == [{"realm": "guests", "n": 1}]
    with open(web.conf_path, "w", encoding="utf-8") as f:
        f.write(text)


def test_a_closed_authority(web, root):
    """A key with a passphrase: without it, or with another, nothing is issued, renewed or revoked."""
    keys = os.path.join(web.dir, "keys")
    for name in "ca.key", "ca.pem", "ca.crl", "ca.list":
        os.unlink(os.path.join(keys, name))
    assert desk(root, "ca-init", name="Closed CA", password="open sesame")[0] == 200
    assert look(root, "certs")[1]["has_passphrase"] is True
    for word in {}, {"password": "another"}:
        status, doc = desk(root, "ca-issue", name="closed.example.com", **word)
        assert status == 409 and "encrypted" in doc["text"], doc
    assert desk(root, "ca-issue", name="closed.example.com", password="open sesame")[0] == 200
    for word in {}, {"password": "another"}:
        assert desk(root, "ca-revoke", name="closed.example.com", **word)[0] == 409
        assert desk(root, "ca-renew", **word)[0] == 409
        assert look(root, "certs")[1]["certificates"][0]["state"] == "valid"
    assert desk(root, "ca-renew", password="open sesame")[0] == 200
    assert desk(root, "ca-revoke", name="closed.example.com", password="open sesame")[0] == 200
    assert look(root, "certs")[1]["certificates"][0]["state"] == "revoked"


def test_invitation(web, root):
    """A link that works once leads to what only its key opens."""
    status, doc = desk(root, "invite", name="kyoto", realm="branches", remote="192.0.2.1", seal=SEAL)
    assert status == 200, doc
    assert re.fullmatch("/get/[0-9a-f]{32}", doc["link"]) and doc["file"] == "kyoto.invite"
    with open(web.conf_path, encoding="utf-8") as f:
        assert 'id="kyoto"' in f.read()
    with open(os.path.join(web.dir, "keys", "branches-kyoto.psk"), "rb") as f:
        key = f.read()
    anybody = Client(web.lab, web.node)
    status, body, head = anybody.ask("GET", doc["link"], Sec_Fetch_Site="cross-site",
                                     Sec_Fetch_Mode="navigate", Sec_Fetch_Dest="document")
    assert status == 200 and "attachment" in head["Content-Disposition"]
    assert key not in body and b"tapir-invitation" not in body
    assert anybody.ask("GET", doc["link"])[0] == 404
    assert anybody.ask("GET", "/get/" + "0" * 32)[0] == 404
    for role in "web", "main":
        assert not in_memory(web, role, key.decode().strip()), role


def test_closed(web, root):
    """<web edit="no"> shows and changes nothing."""
    with open(web.conf_path, encoding="utf-8") as f:
        text = f.read()
    with open(web.conf_path, "w", encoding="utf-8") as f:
        f.write(text.replace("</vpn>", '  <web edit="no"/>\n</vpn>'))
    assert web.tapir("reload").returncode == 0
    assert look(root, "accounts")[0] == 200
    status, doc = desk(root, "account-add", name="x", password=WORD)
    assert status == 409 and doc["code"] == "ERR_PERM"
    with open(web.conf_path, "w", encoding="utf-8") as f:
        f.write(text)
    assert web.tapir("reload").returncode == 0
