# SPDX-License-Identifier: Apache-2.0
"""A private key that no file holds: in a TPM (swtpm), named by its URI, used through OpenSSL's
provider for it."""
import os

import pytest

import topo
from gateway import Gateway, vpn
from lab import until
from pki import LEAF_EXT, Pki

TOPOLOGY = topo.pair  # two machines; the left one has a TPM

PORT = 2321
TCTI = f"swtpm:host=127.0.0.1,port={PORT}"
HANDLE = "0x81000001"
PROVIDERS = ("-provider", "tpm2", "-provider", "default", "-propquery", "?provider=tpm2")


@pytest.fixture(scope="module")
def tpm(lab):
    """The TPM with a P-256 key in it; its directory."""
    state = lab.mkdir("tpm")
    lab.spawn("left", "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}",
              "--server", f"type=tcp,port={PORT},disconnect",
              "--ctrl", f"type=tcp,port={PORT + 1}",
              "--flags", "not-need-init,startup-clear", name="swtpm")
    assert until(5, lambda: str(PORT + 1) in lab.run("left", "ss", "-Hltn").stdout)
    at = lambda name: os.path.join(state, name)
    for words in (
            ("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc", "-c", at("prim")),
            ("tpm2_create", "-Q", "-C", at("prim"), "-G", "ecc256:ecdsa", "-u", at("pub"),
             "-r", at("priv")),
            ("tpm2_load", "-Q", "-C", at("prim"), "-u", at("pub"), "-r", at("priv"),
             "-c", at("key")),
            ("tpm2_evictcontrol", "-Q", "-C", "o", "-c", at("key"), HANDLE)):
        lab.need("left", "env", f"TPM2TOOLS_TCTI={TCTI}", *words)
        lab.need("left", "env", f"TPM2TOOLS_TCTI={TCTI}", "tpm2_flushcontext", "-t")
    return state


@pytest.fixture(scope="module")
def pki(lab, tpm):
    """An authority that signed the TPM's key as tokyo, and one of a file as osaka."""
    p = Pki(lab.mkdir("pki"))
    p.ca("ca")
    p.leaf("osaka", "ca", "osaka.example")
    p.key("other")
    lab.need("left", "env", f"TPM2OPENSSL_TCTI={TCTI}", "openssl", "req", *PROVIDERS, "-new",
             "-key", f"handle:{HANDLE}", "-subj", "/CN=tokyo", "-out", p.path("tokyo.csr"))
    with open(p.path("ext"), "w", encoding="ascii") as f:
        f.write(f"{LEAF_EXT}subjectAltName=DNS:tokyo.example\n")
    p.openssl("x509", "-req", "-in", "tokyo.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
              "-CAcreateserial", "-days", "20", "-extfile", "ext", "-out", "tokyo.pem")
    return p


def gateway(lab, pki, node, me, peer, n, at="", key="", cert=None):
    """One end; the environment says where the TPM is, as the provider wants it."""
    keys = {"ca.pem": pki.text("ca.pem"), f"{me}.pem": pki.text(f"{cert or me}.pem")}
    if not key:
        keys[f"{me}.key"] = pki.text(f"{me}.key")
    key = f'key="{key}" ' if key else ""
    return Gateway(lab, node, vpn(
        f'  <realm name="r" address="10.9.0.{n}/24"><me cert="{me}.pem" {key}/>\n'
        f'    <peer id="{peer}.example" name="{peer}"{at} ca="ca.pem"/></realm>\n'), keys,
        wrap=("env", f"TPM2OPENSSL_TCTI={TCTI}"))


@pytest.fixture
def ends():
    """Gateways that end with the test."""
    made = []
    yield made
    for one in made:
        one.stop()


@pytest.mark.parametrize("dials", ["token", "file"])
def test_a_key_in_a_tpm_signs(lab, pki, ends, dials):
    """Up in both roles, and again after the peer was gone: the key stays open."""
    at = {"token": "", "file": ""}
    at[dials] = ' at="192.0.2.2"' if dials == "token" else ' at="192.0.2.1"'
    ends.append(gateway(lab, pki, "right", "osaka", "tokyo", 2, at["file"]).start())
    ends.append(gateway(lab, pki, "left", "tokyo", "osaka", 1, at["token"],
                        f"handle:{HANDLE}").start())
    right, left = ends
    assert until(15, lambda: lab.ping("left", "10.9.0.2", 1)), left.log() + right.log()
    assert "CN=tokyo" in right.peer()["cert_subject"], right.peer()
    right.stop()
    right.start()
    assert until(30, lambda: lab.ping("left", "10.9.0.2", 1)), left.log() + right.log()


def test_check_names_what_is_wrong(lab, pki, ends):
    """Another's certificate, no such key, no provider for such a URI: refused in words."""
    for key, cert, word in (
            (f"handle:{HANDLE}", "osaka", "is not the certificate of the private key"),
            ("handle:0x81000009", None, "no private key there"),
            ("nothing:at-all", None, "no private key there")):
        g = gateway(lab, pki, "left", "tokyo", "osaka", 1, "", key, cert)
        done = lab.run("left", "env", f"TPM2OPENSSL_TCTI={TCTI}", os.path.join(
            os.environ["B"], "tapir"), "check", g.conf_path)
        assert done.returncode == 1 and word in done.stdout, done.stdout
