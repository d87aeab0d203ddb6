# SPDX-License-Identifier: Apache-2.0
"""Certificates with a peer that knows nothing of us: strongSwan, both roles, each kind of key;
chains, several authorities, one side by pre-shared key; and what must be refused."""
import re
import time

import pytest

import topo
import wire
from charon import Charon
from gateway import PSK, Gateway, vpn
from lab import until, within
from pki import Pki

TOPOLOGY = topo.pair  # left is tapir, right strongSwan

LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
ROLES = ("initiator", "responder")
# key of both ends: what strongSwan says it verified, how it is told to sign
SCHEMES = {
    "p256": ("ECDSA_WITH_SHA256_DER", "pubkey"),
    "p384": ("ECDSA_WITH_SHA384_DER", "pubkey"),
    "p521": ("ECDSA_WITH_SHA512_DER", "pubkey"),
    "ed25519": ("ED25519", "pubkey"),
    "ed448": ("ED448", "pubkey"),
    "rsa2048": ("RSA_EMSA_PSS_SHA2_256", "rsa/pss-sha256"),
    "rsa3072": ("RSA_EMSA_PSS_SHA2", "rsa-sha512"),
}


@pytest.fixture(scope="module")
def pki(lab):
    """Two authorities, one below the first, and leaves good and bad."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.ca("sub", "ca")
    p.ca("other")
    for kind in SCHEMES:
        p.leaf(f"tokyo-{kind}", "ca", "tokyo.example.com", kind)
        p.leaf(f"osaka-{kind}", "ca", "osaka.example.com", kind)
    for end in "tokyo", "osaka":
        p.leaf(f"{end}-sub", "sub", f"{end}.example.com")
        p.leaf(f"{end}-other", "other", f"{end}.example.com")
        p.leaf(f"{end}-old", "ca", f"{end}.example.com",
               days=("20200101000000Z", "20210101000000Z"))
        p.leaf(f"{end}-name", "ca", "paris.example.com")
        p.leaf(f"{end}-revoked", "ca", f"{end}.example.com")
        p.revoke(f"{end}-revoked", "ca")
    p.crl("ca")
    return p


class Pair:
    """tapir (tokyo) and strongSwan (osaka).  role is strongSwan's.

    own, their: the certificates; None = pre-shared key.  chain: more certificates both ways."""

    def __init__(self, lab, pki, role, own="tokyo-p256", their="osaka-p256", **kw):
        self.lab, self.role = lab, role
        chain = kw.get("chain", ())
        keys = {"judge.psk": PSK}
        me = kw.get("me", "")
        if own is None:
            me += ' psk="judge.psk"'
        else:
            me += ' cert="tokyo.pem"'
            keys["tokyo.pem"] = pki.text(f"{own}.pem", *[f"{x}.pem" for x in chain])
            keys["tokyo.key"] = pki.text(f"{own}.key")
        if their is None:
            peer = ' psk="judge.psk"'
        else:
            cas = kw.get("cas", ("ca",))
            peer = f' ca="{" ".join(x + ".pem" for x in cas)}"'
            keys.update({f"{x}.pem": pki.text(f"{x}.pem") for x in cas})
        keys.update(kw.get("keys", {}))
        if kw.get("raw"):       # bare keys, RFC 7670
            me, peer = ' key="tokyo.key"', ' pubkey="osaka.pub"'
            keys = {"tokyo.key": pki.text(f"{own}.key"), "osaka.pub": pki.public(their)}
        me_id, peer_id = kw.get("ids", ("tokyo.example.com", "osaka.example.com"))
        at = f' at="{RIGHT}"' if role == "responder" else ""
        self.a = Gateway(lab, "left", vpn(
            f'  <realm name="branches" mode="ip" dpd="1" dead="3" {kw.get("realm", "")}>\n'
            f'    <me{f" id={chr(34)}{me_id}{chr(34)}" if me_id else ""}{me}/>\n'
            f'    <peer id="{peer_id}" name="osaka"{at}{peer}{kw.get("peer", "")}/>\n'
            '    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n  </realm>\n', attrs=kw.get("top", 'log="info"')), keys,
            kw.get("args", ()))
        files = {} if kw.get("raw") else {f"x509ca/{x}.pem": pki.text(f"{x}.pem") for x in kw.get("right_cas", ("ca",))}
        sign = kw.get("sign", "pubkey")
        local = f"auth = {sign}\n certs = osaka.pem"
        if kw.get("raw"):
            files = {"pubkey/osaka.pub": pki.public(their), "pubkey/tokyo.pub": pki.public(own),
                     "private/osaka.key": pki.text(f"{their}.key")}
            local = "auth = pubkey\n pubkeys = osaka.pub"
            kw["right_remote"] = "pubkeys = tokyo.pub\n"
        elif their is not None:
            files["x509/osaka.pem"] = pki.text(f"{their}.pem")
            files["private/osaka.key"] = pki.text(f"{their}.key")
            files.update({f"x509ca/{x}.pem": pki.text(f"{x}.pem") for x in chain})
        if kw.get("right_crl"):
            files["x509crl/ca.crl"] = pki.text("ca.crl")
        self.b = Charon(
            lab, "right", files, options=kw.get("options", "signature_authentication = yes"),
            local=RIGHT, remote=LEFT, local_id=f'"{peer_id}"',
            remote_id=f'"{me_id or "tokyo.example.com"}"', local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24",
            ike=kw.get("ike", "aes256gcm16-prfsha384-x25519"),
            local_auth="auth = psk" if their is None else local,
            remote_auth="auth = psk" if own is None else
            f"auth = {kw.get('theirs', 'pubkey')}\n{kw.get('right_remote', '')}")
        try:
            self.b.start()
            self.a.start()
            self.said = self.b.initiate() if role == "initiator" else ""
        except BaseException:
            self.stop()
            raise

    def is_up(self, seconds=12):
        """Both ends up and an echo through the tunnel."""
        return until(seconds, self.passes)

    def stays_down(self, seconds):
        """Does nothing get through meanwhile?"""
        return not within(seconds, self.passes)

    def passes(self):
        """One echo from network to network."""
        return self.lab.ping("left", "10.2.0.1", 1, source="10.1.0.1")

    def logs(self):
        """What both have to say."""
        return self.said + self.a.log() + self.b.log()[-6000:]

    def stop(self):
        """End both."""
        self.a.stop()
        self.b.stop()


@pytest.fixture
def pair(lab, pki):
    """Make pairs; they end with the test."""
    made = []

    def make(*argv, **kw):
        made.append(Pair(lab, pki, *argv, **kw))
        return made[-1]
    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", SCHEMES)
def test_each_kind_of_key(pair, kind, role):
    """The signature of each kind is made and verified in both roles."""
    said, sign = SCHEMES[kind]
    p = pair(role, f"tokyo-{kind}", f"osaka-{kind}", sign=sign)
    assert p.is_up(), p.logs()
    assert f"'tokyo.example.com' with {said}" in p.b.log(), p.b.log()[-3000:]
    peer = p.a.peer()
    assert peer["state"] == "up" and peer["id"] == "osaka.example.com", peer
    assert peer["auth"] == "cert" and f"osaka-{kind}" in peer["cert_subject"], peer
    assert "valid until" in p.a.tapir("status", "branches/osaka").stdout or \
        peer["cert_until"] > 0, peer
    metrics = p.a.tapir("metrics").stdout
    for whose in "peer", "own":
        end = re.search(rf'^tapir_{whose}_certificate_expiry_timestamp_seconds{{.*}} (\d+)$', metrics,
                        re.M)
        assert end and time.time() < int(end[1]) < time.time() + 11 * 365 * 86400, whose


@pytest.mark.parametrize("role", ROLES)
def test_chain_with_an_intermediate(pair, role):
    """Each end knows the root alone; the other shows what lies between."""
    p = pair(role, "tokyo-sub", "osaka-sub", chain=("sub",))
    assert p.is_up(), p.logs()


@pytest.mark.parametrize("role", ROLES)
def test_several_authorities(pair, role):
    """One of them issued the peer's certificate."""
    p = pair(role, "tokyo-p256", "osaka-other", cas=("ca", "other"))
    assert p.is_up(), p.logs()


@pytest.mark.parametrize("role", ROLES)
def test_asked_for_is_shown(pair, role):
    """strongSwan shows its certificate only to who asks: our CERTREQ does, in both roles."""
    p = pair(role, "tokyo-p256", "osaka-p256")
    assert p.is_up(), p.logs()
    assert "received cert request for" in p.b.log(), p.b.log()[-3000:]
    assert "sending end entity cert" in p.b.log(), p.b.log()[-3000:]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("own,their", [(None, "osaka-p256"), ("tokyo-p256", None)],
                         ids=["we-psk", "they-psk"])
def test_one_side_by_pre_shared_key(pair, role, own, their):
    """RFC 7296 2.15: each direction has its own way of proof."""
    p = pair(role, own, their)
    assert p.is_up(), p.logs()
    assert p.a.peer()["auth"] == ("psk" if their is None else "cert"), p.a.peer()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["p256", "ed25519", "rsa2048"])
def test_raw_public_keys(pair, kind, role):
    """RFC 7670: each end knows the other's key; there is no certificate."""
    p = pair(role, f"tokyo-{kind}", f"osaka-{kind}", raw=True)
    assert p.is_up(), p.logs()
    assert p.a.peer()["auth"] == "key", p.a.peer()


@pytest.mark.parametrize("role", ROLES)
def test_a_raw_public_key_of_somebody_else(pair, pki, role):
    """The key of pubkey= and no other."""
    p = pair(role, "tokyo-p256", "osaka-p256", raw=True)
    assert p.is_up(), p.logs()
    p.a.stop()
    p.a.write(open(p.a.conf_path, encoding="utf-8").read(),
              {"osaka.pub": pki.public("osaka-sub")})
    p.a.start()
    if role == "initiator":
        p.b.initiate()
    assert until(12, lambda: p.a.lines("authentication of osaka.example.com", "failed")), p.logs()
    assert p.a.peer()["state"] != "up"


@pytest.mark.parametrize("role", ROLES)
def test_what_we_send_decodes(lab, pair, role):
    """tshark finds CERT, CERTREQ, method 14 and our hashes, and nothing malformed."""
    keys = f"{lab.dir}/certs-{role}.keys"
    capture = wire.Capture(lab, "inet", "p2", f"certs-{role}")
    p = pair(role, "tokyo-sub", "osaka-sub", chain=("sub",), args=["--key-log", keys],
             top='log="info" fragment="4000"')
    assert p.is_up(), p.logs()
    p.stop()
    capture.done()
    assert wire.tshark(capture.path, "_ws.malformed || _ws.short", key_log=keys) == []
    ours = f"ip.src == {LEFT} && isakmp.exchangetype =="
    init = wire.tshark(capture.path, f"{ours} 34", ["isakmp.notify.msgtype"], keys)
    assert init and "16431" in init[0], init
    auth = wire.tshark(capture.path, f"{ours} 35",
                       ["isakmp.typepayload", "isakmp.auth.method",
                        "isakmp.cert.encoding"], keys)
    # in fragments where the peer sends such; the last one shows the whole message
    auth = [row for row in auth if row.split("\t")[1]]
    assert len(auth) == 1, auth
    payloads, method, encodings = auth[0].split("\t")
    want = ["37", "37", "39"] + (["38"] if role == "responder" else [])
    have = payloads.split(",")
    assert all(have.count(x) >= want.count(x) for x in want), auth
    assert method == "14" and set(encodings.split(",")) == {"4"}, auth


@pytest.mark.parametrize("role", ROLES)
def test_distinguished_names(pair, role):
    """ID_DER_ASN1_DN: the subject of the certificate is who it is."""
    p = pair(role, ids=("O=Tapir Test, CN=tokyo-p256", "O=Tapir Test, CN=osaka-p256"))
    assert p.is_up(), p.logs()
    assert p.a.peer()["id"] == "O=Tapir Test, CN=osaka-p256"


@pytest.mark.parametrize("role", ROLES)
def test_our_name_is_in_the_certificate(pair, role):
    """Without id= the first name of the certificate is ours."""
    p = pair(role, ids=("", "osaka.example.com"))
    assert p.is_up(), p.logs()


BAD = {
    "other": ("CA", "authority"),       # issued by somebody we do not know
    "old": ("expired", "ended"),
    "name": ("osaka.example.com", "name"),
    "revoked": ("revoked", "revoked"),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("bad", BAD)
def test_we_refuse(pair, pki, bad, role):
    """A certificate that proves nothing: refused, with the reason on our side only."""
    keys = {"ca.crl": pki.text("ca.crl")} if bad == "revoked" else {}
    p = pair(role, "tokyo-p256", f"osaka-{bad}", keys=keys)
    assert until(12, lambda: p.a.lines("authentication of osaka.example.com", "failed")), p.logs()
    lines = p.a.lines("authentication of osaka.example.com", "failed")
    assert any(w in lines[0] for w in BAD[bad]), lines
    assert p.stays_down(1)
    assert p.a.peer()["state"] != "up"
    if role == "responder":
        assert any(w in p.a.peer()["why"] for w in BAD[bad]), p.a.peer()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("bad", ["other", "old", "revoked"])
def test_they_refuse(pair, bad, role):
    """The same the other way round: we say so and do not loop."""
    p = pair(role, f"tokyo-{bad}", "osaka-p256", right_crl=True,
             right_remote=" revocation = strict\n" if bad == "revoked" else "")
    assert p.stays_down(3)
    assert until(5, lambda: p.a.peer().get("state") != "up"), p.logs()
    if role == "responder":
        assert until(5, lambda: "AUTHENTICATION_FAILED" in p.a.peer().get("why", "")), p.logs()


@pytest.mark.parametrize("role", ROLES)
def test_a_key_instead_of_a_certificate(pair, role):
    """F6: the peer must prove itself the way that is configured."""
    p = pair(role, "tokyo-p256", None, peer=' ca="ca.pem"')
    assert until(12, lambda: p.a.lines("authentication of osaka.example.com", "failed")), p.logs()
    assert p.stays_down(1)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", ["p256", "p384", "p521"])
def test_old_methods_in_compat_only(pair, kind, role):
    """RFC 4754: methods 9 to 11 where the realm says compat."""
    old = "signature_authentication = no"
    p = pair(role, f"tokyo-{kind}", f"osaka-{kind}", options=old, realm='suite="compat"')
    assert p.is_up(), p.logs()
    p.stop()
    p = pair(role, f"tokyo-{kind}", f"osaka-{kind}", options=old)
    assert p.stays_down(3), p.logs()


@pytest.mark.parametrize("role", ROLES)
def test_old_rsa_means_sha_1_there(pair, role):
    """H1: without RFC 7427 strongSwan signs and checks method 1 with SHA-1 alone: refused, in words
    where we check; where strongSwan checks first, it refuses our SHA-256."""
    p = pair(role, "tokyo-rsa2048", "osaka-rsa2048", options="signature_authentication = no",
             realm='suite="compat"')
    assert p.stays_down(3), p.logs()
    if role == "initiator":
        assert until(5, lambda: p.a.lines("SHA-1 is not accepted")), p.logs()
    else:
        assert until(5, lambda: "AUTHENTICATION_FAILED" in p.a.peer().get("why", "")), p.logs()


# who dials: certificate, identity, the realm it gets into
WHO = {
    "sales": ("sales-ca", "osaka.sales.example.com", "sales"),
    "sales-by-other": ("sales-other", "osaka.sales.example.com", None),
    "dev": ("dev-other", "O=Dev, OU=One, CN=osaka", "dev"),
    "dev-by-ca": ("dev-ca", "O=Dev, OU=One, CN=osaka", None),
    "nobody": ("osaka-name", "paris.example.com", None),
}


@pytest.mark.parametrize("who", WHO)
def test_realm_by_identity_and_authority(lab, pki, who):
    """G1, G3: two realms on one address; identity selects, the authority of that realm decides."""
    cert, ident, want = WHO[who]
    for ca in "ca", "other":
        pki.leaf(f"sales-{ca}", ca, "osaka.sales.example.com")
        pki.leaf(f"dev-{ca}", ca, "x.example.com", subject="/O=Dev/OU=One/CN=osaka")

    def part(name, match, ca):
        return (f'  <realm name="{name}" mode="ip" tap="tap-{name}">\n    <match {match}/>\n'
                '    <me id="tokyo.example.com" cert="tokyo.pem"/>\n'
                f'    <peer ca="{ca}.pem"/>\n'
                '    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n  </realm>\n')
    a = Gateway(lab, "left", vpn(part("sales", 'id="*.sales.example.com"', "ca"),
                                 part("dev", 'dn="O=Dev"', "other")),
                {"tokyo.pem": pki.text("tokyo-p256.pem"), "tokyo.key": pki.text("tokyo-p256.key"),
                 "ca.pem": pki.text("ca.pem"), "other.pem": pki.text("other.pem")})
    b = Charon(lab, "right", {"x509ca/ca.pem": pki.text("ca.pem"),
                              "x509/osaka.pem": pki.text(f"{cert}.pem"),
                              "private/osaka.key": pki.text(f"{cert}.key")},
               local=RIGHT, remote=LEFT, local_id=f'"{ident}"', remote_id="tokyo.example.com",
               local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24",
               ike="aes256gcm16-prfsha384-x25519", remote_auth="auth = pubkey",
               local_auth="auth = pubkey\n certs = osaka.pem\n")
    try:
        b.start()
        a.start()
        said = b.initiate()
        up = [r["name"] for r in a.json("status")["realms"]
              for p in r["peers"] if p["state"] == "up"]
        assert up == ([want] if want else []), said + a.log()
        if want is None:
            assert "AUTH_FAILED" in b.log(), b.log()[-2000:]
            assert a.lines("authentication of", "failed"), a.log()
    finally:
        a.stop()
        b.stop()


def test_check_looks_inside(lab, pki):
    """tapir check reads what the configuration names: key, certificate, names, dates."""
    def check(own, key, me='id="tokyo.example.com" '):
        conf = vpn(f'  <realm name="r"><me {me}cert="own.pem"/>\n'
                   '    <peer id="osaka" ca="ca.pem"/></realm>\n')
        g = Gateway(lab, "left", conf, {"own.pem": pki.text(f"{own}.pem"), "own.key": pki.text(key),
                                        "ca.pem": pki.text("ca.pem")})
        done = g.tapir("check", g.conf_path)
        return done.returncode, done.stdout

    status, said = check("tokyo-p256", "tokyo-p256.key")
    assert status == 0 and "correct" in said and "not in our certificate" not in said, said
    status, said = check("tokyo-p256", "osaka-p256.key")
    assert status == 1 and "is not the certificate of the private key" in said, said
    status, said = check("tokyo-name", "tokyo-name.key")
    assert status == 0 and "paris.example.com" in said and "correct" in said, said
    status, said = check("tokyo-name", "tokyo-name.key", "")
    assert status == 0 and "not in our certificate" not in said, said
    status, said = check("tokyo-old", "tokyo-old.key")
    assert "has expired" in said, said
    status, said = check("tokyo-p256", "ca.pem")
    assert status == 1, said
