# SPDX-License-Identifier: Apache-2.0
"""Profiles for devices, read by parsers that are not ours."""
import base64
import json
import plistlib
import re
import shutil
import ssl
import subprocess
import uuid

import pytest

from gateway import TAPIR

CONF = """<vpn>
  <realm name="sales" mode="ip"{}>
    <match id="*@sales.example.com"/>
    <me id="vpn.example.com" cert="vpn.example.com"/>
    <peer ca="ca.pem"/>
    <net local="10.20.0.0/16" remote="10.8.0.0/16"/>
  </realm>
</vpn>
"""
PEOPLE = """<vpn>
  <realm name="sales">
    <match id="*@sales.example.com"/>
    <me id="vpn.example.com" cert="vpn.example.com"/>
    <eap users="sales.users"/>
    <pool net="10.20.1.0/24" route="10.20.0.0/16"/>
  </realm>
</vpn>
"""
STAFF = PEOPLE.replace('users="sales.users"', 'method="tls" ca="ca.pem" tls12="yes"')
USER = "hanako@sales.example.com"


def opened(p12, said):
    """Certificate and key of a PKCS#12, by the openssl program and the passphrase that was said."""
    word = said.split("passphrase: ")[1].split()[0]
    done = subprocess.run(["openssl", "pkcs12", "-nodes", "-passin", f"pass:{word}"], input=p12,
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def both(*argv):
    """A command that must succeed: its output, and what it says beside."""
    done = subprocess.run([TAPIR, *map(str, argv)], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, done.stderr


def run(*argv):
    """The output alone."""
    return both(*argv)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A configuration with an authority and a certificate."""
    path = tmp_path_factory.mktemp("profiles")
    keys = path / "keys"
    run("ca", "init", "Example CA", "-d", keys)
    run("ca", "issue", "vpn.example.com", "-d", keys)
    (path / "tapir.xml").write_text(CONF.format(""))
    (path / "compat.xml").write_text(CONF.format(' suite="compat"'))
    (path / "people.xml").write_text(PEOPLE)
    (path / "staff.xml").write_text(STAFF)
    return path


def profile(home, kind, *more, conf="tapir.xml"):
    """Text of a profile, and what was said beside."""
    return both("invite", USER, "-c", home / conf, "--as", kind, "-o", "-", *more)


def der(home):
    """The authority as the device gets it."""
    return ssl.PEM_cert_to_DER_cert((home / "keys" / "ca.pem").read_text())


def test_apple(home):
    """A property list with a VPN, the authority and who it is for; the same identifiers each
    time."""
    text, said = profile(home, "apple")
    doc = plistlib.loads(text.encode())
    again = plistlib.loads(profile(home, "apple", "--title", "Büro & <Co>")[0].encode())
    assert doc["PayloadUUID"] == again["PayloadUUID"]
    assert again["PayloadDisplayName"] == "Büro & <Co>"
    vpn, root, identity = doc["PayloadContent"]
    assert len({uuid.UUID(p["PayloadUUID"]) for p in (doc, vpn, root, identity)}) == 4
    assert root["PayloadType"] == "com.apple.security.root"
    assert root["PayloadContent"] == der(home)
    ike = vpn["IKEv2"]
    assert (vpn["VPNType"], ike["RemoteAddress"], ike["LocalIdentifier"]) == \
        ("IKEv2", "vpn.example.com", USER)
    assert ike["ServerCertificateIssuerCommonName"] == "Example CA"
    assert ike["IKESecurityAssociationParameters"]["EncryptionAlgorithm"] == "AES-256-GCM"
    assert ike["PayloadCertificateUUID"] == identity["PayloadUUID"]
    assert "PRIVATE KEY" in opened(identity["PayloadContent"], said)
    compat = plistlib.loads(profile(home, "apple", conf="compat.xml")[0].encode())
    assert compat["PayloadContent"][0]["IKEv2"]["ChildSecurityAssociationParameters"][
        "EncryptionAlgorithm"] == "AES-256"


def test_android(home):
    """What the strongSwan app reads."""
    text, said = profile(home, "android", "--net", "10.20.0.0/16,fd00::/48")
    doc = json.loads(text)
    uuid.UUID(doc["uuid"])
    assert doc["type"] == "ikev2-cert"
    assert doc["remote"]["addr"] == doc["remote"]["id"] == "vpn.example.com"
    assert ssl.DER_cert_to_PEM_cert(der(home)).replace("\n", "").find(doc["remote"]["cert"]) > 0
    assert "PRIVATE KEY" in opened(base64.b64decode(doc["local"]["p12"]), said)
    assert doc["split-tunneling"]["subnets"] == ["10.20.0.0/16", "fd00::/48"]


def test_people_with_passwords(home):
    """Where the realm asks for passwords, profiles ask for them, too, and hold no secret."""
    text, said = profile(home, "apple", conf="people.xml")
    vpn, root = plistlib.loads(text.encode())["PayloadContent"]
    assert root["PayloadContent"] == der(home) and "passphrase" not in said
    ike = vpn["IKEv2"]
    assert (ike["ExtendedAuthEnabled"], ike["AuthName"]) == (1, USER)
    assert not {"AuthPassword", "PayloadCertificateUUID"} & set(ike)
    doc = json.loads(profile(home, "android", conf="people.xml")[0])
    assert doc["type"] == "ikev2-eap" and doc["local"]["eap_id"] == USER
    assert "p12" not in doc["local"]


def test_people_with_certificates_by_eap(home):
    """A realm of EAP-TLS: profiles hold key and certificate and say that they go by EAP."""
    text, said = profile(home, "apple", conf="staff.xml")
    vpn, _, identity = plistlib.loads(text.encode())["PayloadContent"]
    ike = vpn["IKEv2"]
    assert (ike["ExtendedAuthEnabled"], ike["AuthenticationMethod"]) == (1, "None")
    assert ike["PayloadCertificateUUID"] == identity["PayloadUUID"]
    assert "PRIVATE KEY" in opened(identity["PayloadContent"], said) and "tls12" not in said
    text, said = profile(home, "android", conf="staff.xml")
    doc = json.loads(text)
    assert doc["type"] == "ikev2-eap-tls" and doc["local"]["eap_id"] == USER
    assert "PRIVATE KEY" in opened(base64.b64decode(doc["local"]["p12"]), said)
    text, said = profile(home, "windows", conf="staff.xml")
    assert "New-EapConfiguration -Tls" in text and "-importpfx" in said
    (home / "modern.xml").write_text(STAFF.replace(' tls12="yes"', ""))
    assert "tls12" in profile(home, "android", conf="modern.xml")[1]
    (home / "radius.xml").write_text(STAFF.replace(
        'method="tls" ca="ca.pem" tls12="yes"', 'method="radius" at="10.20.0.5" secret="r"'))
    assert json.loads(profile(home, "android", conf="radius.xml")[0])["type"] == "ikev2-eap"


def test_windows(home, tmp_path):
    """PowerShell, by its own parser where there is one; else quotes and brackets."""
    text = profile(home, "windows", "--title", "it's $(calc) `x", "--net", "10.20.0.0/16",
                   conf="people.xml")[0]
    assert "$name = 'it''s $(calc) `x'" in text
    assert "-DHGroup ECP384" in text and "MODP" not in text
    shell = shutil.which("pwsh")
    if shell:
        path = tmp_path / "vpn.ps1"
        path.write_text(text)
        done = subprocess.run([shell, "-NoProfile", "-Command",
                               "$e = $null; [void][Management.Automation.Language.Parser]::"
                               f"ParseFile('{path}', [ref]$null, [ref]$e); exit $e.Count"],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return
    bare = re.sub(r"@'\r?\n.*?\n'@", "", text, flags=re.S)      # here-strings
    bare = re.sub(r"'(?:[^']|'')*'", "", bare)                   # texts
    bare = re.sub(r"#.*", "", bare)
    assert "'" not in bare and '"' not in bare
    for one, other in ("()", "{}", "[]"):
        assert bare.count(one) == bare.count(other)


def test_the_key_does_not_stay(home):
    """It was made to be handed on; the certificate stays, to be revoked."""
    assert (home / "keys" / f"{USER}.pem").exists()
    assert not (home / "keys" / f"{USER}.key").exists()
    assert USER in run("ca", "list", "-d", home / "keys")


def test_who_would_not_get_in_gets_nothing(home):
    """The rules of the realm decide that before anything is written."""
    before = set((home / "keys").iterdir())
    done = subprocess.run([TAPIR, "invite", "taro@dev.example.com", "-c", home / "tapir.xml",
                           "--as", "android", "-o", "-"], capture_output=True, text=True,
                          timeout=20, check=False)
    assert done.returncode == 1 and "would not get into realm sales" in done.stderr
    assert set((home / "keys").iterdir()) == before


def test_a_profile_is_never_written_over(home, tmp_path):
    """It may be another one's."""
    path = tmp_path / "x.sswan"
    path.write_text("mine")
    done = subprocess.run([TAPIR, "invite", USER, "-c", home / "tapir.xml", "--as", "android",
                           "-o", path], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and path.read_text() == "mine"
