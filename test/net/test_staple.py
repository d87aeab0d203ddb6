# SPDX-License-Identifier: Apache-2.0
"""OCSP responses that travel along in IKE (RFC 4806), made by the openssl program: strict is content
with a good one, and with nothing else."""
import os

import pytest

import topo
from gateway import Gateway, vpn
from lab import until
from pki import Pki

TOPOLOGY = topo.pair  # two machines

PERIOD = ("20200101000000Z", "20990101000000Z")


@pytest.fixture(scope="module")
def pki(lab):
    """Certificates that the authority keeps a list of, and what it answers about them."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.ca("other")
    for name in "left", "good", "gone":
        p.leaf(name, "ca", f"{'left' if name == 'left' else 'right'}.example", days=PERIOD)
    p.revoke("gone", "ca")
    for name, about, signer in (("good", "good", "ca"), ("gone", "gone", "ca"),
                                ("forged", "good", "other"), ("elsewhere", "left", "ca")):
        p.openssl("ocsp", "-index", "ca.index", "-CA", "ca.pem", "-rsigner", f"{signer}.pem",
                  "-rkey", f"{signer}.key", "-issuer", "ca.pem", "-cert", f"{about}.pem",
                  "-ndays", "1", "-noverify", "-respout", f"{name}.ocsp")
    return p


@pytest.fixture
def ends(lab, pki):
    """left is strict, right may show a response; who dials is the first word."""
    made = []

    def make(dials, cert, response):
        for me, peer, n, attrs in (("right", "left", 2, ""),
                                   ("left", "right", 1, ' revocation="strict"')):
            shown = cert if me == "right" else "left"
            at = f' at="192.0.2.{3 - n}"' if me == dials else ""
            gate = Gateway(lab, me, vpn(
                f'  <realm name="r" address="10.9.0.{n}/24"><me cert="own.pem"/>\n'
                f'    <peer id="{peer}.example" name="{peer}" ca="ca.pem"{at}{attrs}/></realm>\n'),
                {"ca.pem": pki.text("ca.pem"), "own.pem": pki.text(f"{shown}.pem"),
                 "own.key": pki.text(f"{shown}.key")})
            path = os.path.join(gate.dir, "keys", "own.ocsp")
            if os.path.exists(path):
                os.unlink(path)
            if me == "right" and response:
                with open(pki.path(f"{response}.ocsp"), "rb") as f, open(path, "wb") as to:
                    to.write(f.read())
                os.chmod(path, 0o600)
            made.append(gate.start())
        return made[1]
    yield make
    for one in made:
        one.stop()


@pytest.mark.parametrize("dials", ["left", "right"])
def test_a_good_response_is_enough(lab, ends, dials):
    """No list anywhere: the response decides, in both roles."""
    left = ends(dials, "good", "good")
    assert until(12, lambda: lab.ping("left", "10.9.0.2", 1)), left.log()


REFUSED = {
    "none": ("good", None, "nobody says"),
    "forged": ("good", "forged", "nobody says"),
    "of another certificate": ("good", "elsewhere", "nobody says"),
    "revoked": ("gone", "gone", "was revoked"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_other_responses_are_not(lab, ends, what):
    """None, one nobody asked for, one that says the truth."""
    cert, response, says = REFUSED[what]
    left = ends("left", cert, response)
    assert until(12, lambda: left.lines(says)), left.log()
    assert not lab.ping("left", "10.9.0.2", 1)
