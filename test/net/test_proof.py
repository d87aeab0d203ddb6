# SPDX-License-Identifier: Apache-2.0
"""tapir-web in other hands: what it can have done without an admin's password or link of these
minutes, which is to look."""
import json
import os
import shutil
import socket
import struct

import pytest

import busrec
import gateway
import topo
from gateway import BUILD, Gateway, office
from lab import until

TOPOLOGY = topo.pair
HERE = os.path.dirname(os.path.abspath(__file__))
WORD = "correct horse battery"
YES, NO = 0, 1


def text(value):
    """2 bytes of length, and the bytes."""
    return struct.pack(">H", len(value)) + value.encode()


class Hands:
    """The channels of tapir-web, and what can be said on them."""

    def __init__(self, path):
        self.id = 0
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            uid, fds, _, _ = socket.recv_fds(s, 16, 2)
        self.uid = int(uid)
        self.sup, self.gate = (socket.socket(fileno=f) for f in fds)
        for s in self.sup, self.gate:
            s.settimeout(20)

    def say(self, command, doc=b"", **fields):
        """A command to the supervisor; the records of its answer."""
        out = []
        self.id += 1
        self.sup.send(busrec.command(command, self.id, doc, **fields))
        while not out or out[-1][0] not in ("done", "failed"):
            out.append(busrec.decode(self.sup.recv(1 << 17)))
        return out

    def knock(self, kind, *texts):
        """A question to the process that knows the accounts: verdict and number of the proof."""
        self.id += 1
        self.gate.send(struct.pack(">BI", kind, self.id) + b"".join(map(text, texts)))
        a = self.gate.recv(256)
        assert a[0] == 3 and struct.unpack(">I", a[1:5])[0] == self.id
        return a[5], struct.unpack(">Q", a[-8:])[0]

    def log_in(self, name, word=WORD):
        """A password."""
        return self.knock(2, name, word, "", "192.0.2.9")

    def follow(self, token):
        """A link."""
        return self.knock(5, token, "192.0.2.9")

    def make_account(self, proof, name="mallory"):
        """Make an admin; what became of it."""
        return self.say("desk", what="account-add", name=name, role="admin", password=WORD,
                        proof=proof)[0][1].get("code")


@pytest.fixture(scope="module")
def web(lab):
    """tokyo, whose tapir-web was changed for another program."""
    where = lab.mkdir("programs")
    for name in ("tapird", "tapir-secure", "tapir-desk"):
        shutil.copy(os.path.join(BUILD, name), where)
    shutil.copy(os.path.join(HERE, "fakeweb.py"), os.path.join(where, "tapir-web"))
    was, gateway.TAPIRD = gateway.TAPIRD, os.path.join(where, "tapird")
    try:
        a = Gateway(lab, "left", office("tokyo", at="192.0.2.2", attrs=""), web=True)
        for name, role in ("aiko", "admin"), ("osamu", "operator"), ("vera", "viewer"):
            assert account(a, "add", name, "--role", role).returncode == 0
        a.start()
    finally:
        gateway.TAPIRD = was
    a.channels = os.path.join(where, "channels")
    assert until(5, lambda: a.lines("login: confined") and os.path.exists(a.channels))
    yield a
    a.stop()


@pytest.fixture(scope="module")
def hands(web):
    """What somebody has who took tapir-web over."""
    return Hands(web.channels)


def account(web, *argv):
    """tapir web user, by root on the machine itself."""
    path = os.path.join(web.dir, "word")
    with open(path, "w", encoding="utf-8") as f:
        f.write(WORD + "\n")
    return web.tapir("web", "user", *argv, *(["--pass", path] if argv[0] != "del" else []), "-d",
                     os.path.join(web.dir, "keys"))


def names(web):
    """Who has an account, as the machine itself says."""
    return {u["name"] for u in web.json("web", "user", "list", "-d", os.path.join(web.dir, "keys"))["users"]}


def link(web, role):
    """The secret of a new link."""
    return web.json("web", "--role", role)["url"].split("#link=")[1]


ALL = {"aiko", "osamu", "vera"}


def test_no_proof_no_account(web, hands):
    """It may look; it may not do, whatever it says about who is there."""
    row, rec, doc = hands.say("desk", what="accounts")[0]
    assert (row, rec["code"]) == ("desk", "done") and {u["name"] for u in json.loads(doc)["users"]} == ALL
    for proof in 0, 1, 1 << 63, (1 << 64) - 1:
        assert hands.make_account(proof) == "proof"
    for what in "account-set", "account-del", "user-add", "ca-init", "invite":
        assert hands.say("desk", what=what, name="vera", realm="branches", password=WORD,
                         )[0][1]["code"] == "proof"
    assert names(web) == ALL


def test_no_proof_no_configuration(web, hands):
    """The files are read and tried; they are not written."""
    records = hands.say("conf-read")
    assert records[0][0] == "conf-file" and records[-1][0] == "done"
    before, digest = records[0][2], records[0][1]["digest"]
    new = before.replace(b'dpd="1"', b'dpd="2"')
    assert new != before
    assert hands.say("conf-write", new, dry_run=1)[-1][0] == "done"
    for proof in 0, 77:
        row, rec, _ = hands.say("conf-write", new, digest=digest, proof=proof)[-1]
        assert (row, rec["code"]) == ("failed", "ERR_PROOF")
    with open(web.conf_path, "rb") as f:
        assert f.read() == before


def test_others_prove_nothing(web, hands):
    """An operator's and a viewer's password and link; a wrong password; that an account stands."""
    for name in "osamu", "vera":
        verdict, proof = hands.log_in(name)
        assert verdict == YES and proof != 0
        assert hands.make_account(proof) == "proof"
    verdict, proof = hands.follow(link(web, "operator"))
    assert verdict == YES and hands.make_account(proof) == "proof"
    assert hands.log_in("aiko", "wrong") == (NO, 0)
    assert hands.follow("0" * 64) == (NO, 0)
    hands.gate.send(struct.pack(">BI", 4, 9) + text("aiko"))
    stamp = struct.unpack(">Q", hands.gate.recv(256)[-16:-8])[0]
    assert stamp != 0 and hands.make_account(stamp) == "proof"
    assert names(web) == ALL


def test_an_admin_proves_and_no_longer_than_he_is_one(web, hands):
    """What is right is done, in the admin's name; not any more once the account is another."""
    verdict, proof = hands.log_in("aiko")
    assert verdict == YES and hands.make_account(proof, "kumi") == "done"
    assert names(web) == ALL | {"kumi"}
    assert until(5, lambda: web.lines("aiko by the web asked for account-add kumi"))
    assert hands.make_account(proof ^ 1) == "proof"
    assert account(web, "set", "aiko").returncode == 0      # another salt: another version
    assert hands.make_account(proof) == "proof"
    verdict, proof = hands.log_in("aiko")
    assert verdict == YES and account(web, "set", "aiko", "--role", "viewer").returncode == 0
    assert hands.make_account(proof) == "proof"
    assert account(web, "set", "aiko", "--role", "admin").returncode == 0
    verdict, proof = hands.log_in("aiko")
    assert verdict == YES and account(web, "del", "aiko").returncode == 0
    assert hands.make_account(proof) == "proof"
    assert account(web, "add", "aiko", "--role", "admin").returncode == 0


def test_a_link_proves_once(web, hands):
    """tapir web's, used here; and it cannot be made here."""
    token = link(web, "admin")
    verdict, proof = hands.follow(token)
    assert verdict == YES and hands.follow(token)[0] == NO
    records = hands.say("conf-read")
    new = records[0][2].replace(b'dpd="1"', b'dpd="2"')
    assert hands.say("conf-write", new, digest=records[0][1]["digest"], proof=proof)[-1][0] == "done"
    with open(web.conf_path, "rb") as f:
        assert f.read() == new
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
        where = os.path.join(web.run_dir, "login.sock")
        s.connect(where)        # root may
        assert os.stat(where).st_mode & 0o777 == 0o600


def test_a_proof_ends_with_its_process(web, hands):
    """Questions that are others' to ask end tapir-login; the next one knows nothing of old proofs."""
    _, proof = hands.follow(link(web, "admin"))
    assert hands.make_account(proof, "rei") == "done"
    was = web.pid("login")
    hands.gate.send(struct.pack(">BIB", 8, 1, 2))   # make me a link of an admin
    try:
        assert hands.gate.recv(256) == b""
    except ConnectionResetError:
        pass
    assert until(10, lambda: web.pid("login") not in (None, was))
    assert hands.make_account(proof) == "proof"
    assert names(web) == ALL | {"kumi", "rei"}
