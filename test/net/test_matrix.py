# SPDX-License-Identifier: Apache-2.0
"""Every algorithm and group of both suites with strongSwan, in IKE and in key exchanges of
child SAs; new keys from one end, from the other, and from both at once.  (Both roles with each
cipher: test_strongswan.py.)"""
import threading

import pytest

import topo
from charon import Charon
from gateway import Gateway, realm, vpn
from lab import until

TOPOLOGY = topo.pair  # left is tapir, right strongSwan

# Each row: suite, IKE proposal, ESP proposal of strongSwan.  Together they name every cipher,
# integrity, PRF and group that doc/interop.md lists, IKE and ESP each with their own.
ROWS = {
    "gcm256-sha512-ecp384": ("2026", "aes256gcm16-prfsha512-ecp384", "chacha20poly1305-ecp384"),
    "gcm128-sha384-x25519": ("2026", "aes128gcm16-prfsha384-x25519", "aes256gcm16-ecp256"),
    "chacha-sha256-ecp256": ("2026", "chacha20poly1305-prfsha256-ecp256", "aes128gcm16-x25519"),
    "gcm256-without-ke": ("2026", "aes256gcm16-prfsha256-x25519", "aes128gcm16"),
    "cbc256-sha512-modp3072": ("compat", "aes256-sha512-prfsha512-modp3072",
                               "aes128-sha256-modp2048"),
    "cbc128-sha384-modp2048": ("compat", "aes128-sha384-prfsha256-modp2048",
                               "aes256-sha512-modp3072"),
    "cbc128-sha256-x25519": ("compat", "aes128-sha256-prfsha384-x25519", "aes128-sha384-ecp256"),
    "cbc256-without-ke": ("compat", "aes256-sha256-ecp256", "aes256-sha256"),
}
CASES = [(row, ("tapir", "strongswan")[i % 2]) for i, row in enumerate(ROWS)]


class Joined:
    """A tapir and a strongSwan, up."""

    def __init__(self, lab, row, dials):
        self.lab = lab
        suite, ike, esp = ROWS[row]
        self.a = Gateway(lab, "left", vpn(realm(
            "tokyo", "osaka", "192.0.2.2" if dials == "tapir" else "",
            f'mode="ip" suite="{suite}"',
            inner='    <net local="10.1.0.0/24" remote="10.2.0.0/24"/>\n'), attrs='log="info"'))
        self.b = Charon(lab, "right", local="192.0.2.2", remote="192.0.2.1", local_id="osaka",
                        remote_id="tokyo", local_ts="10.2.0.0/24", remote_ts="10.1.0.0/24",
                        ike=ike, esp=esp)
        try:
            self.b.start()
            self.a.start()
            said = "" if dials == "tapir" else self.b.initiate()
            assert until(12, self.ping), said + self.b.log()[-3000:]
        except BaseException:
            self.stop()
            raise

    def ping(self, count=1):
        """Do so many echoes come back, each way?"""
        return self.lab.ping("left", "10.2.0.1", count, source="10.1.0.1") == count and \
            self.lab.ping("right", "10.1.0.1", count, source="10.2.0.1") == count

    def keys(self):
        """The inbound SPIs of strongSwan and the name of its IKE SA."""
        sas = self.b.sas()
        return ({x.split()[1] for x in sas.splitlines() if x.split()[:1] == ["in"]},
                sas.split(",")[0])

    def is_single(self):
        """One IKE SA with one child SA, at both ends."""
        sas = self.b.sas()
        return sas.count("ESTABLISHED") == 1 and sas.count("INSTALLED") == 1 and \
            self.a.stat("child-sa") == 1

    def stop(self):
        """End both."""
        self.a.stop()
        self.b.stop()


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def joined(lab, request):
    """A new pair for each case."""
    made = Joined(lab, *request.param)
    yield made
    made.stop()


@pytest.mark.parametrize("what", ["child", "ike"])
@pytest.mark.parametrize("who", ["tapir", "strongswan", "both"])
def test_new_keys(joined, who, what):
    """The old ones are replaced, one set remains, traffic goes on."""
    old = joined.keys()
    child = ("--rekey", "--child", "c") if what == "child" else ("--rekey", "--ike", "t")
    other = threading.Thread(target=joined.b.ctl, args=child)
    if who != "tapir":
        other.start()
    if who != "strongswan":
        assert joined.a.tapir("rekey", "branches/osaka", what).returncode == 0
    if who != "tapir":
        other.join(20)
    part = 0 if what == "child" else 1
    assert until(6, lambda: joined.keys()[part] != old[part]), joined.a.log()[-2000:]
    assert until(15, joined.is_single, 0.2), joined.b.sas() + joined.a.log()[-2000:]
    assert joined.ping(2), joined.b.log()[-2000:]
    assert not joined.a.lines(level="ERROR"), joined.a.log()
