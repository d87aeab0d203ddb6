# SPDX-License-Identifier: Apache-2.0
"""Profiles for devices, read by parsers that are not ours."""
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
USER = "hanako@sales.example.com"


def run(*argv):
    """A command that must succeed: its output."""
    done = subprocess.run([TAPIR, *map(str, argv)], capture_output=True, text=True, timeout=20,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A configuration with an authority and a certificate."""
    path = tmp_path_factory.mktemp("profiles")
    keys = path / "keys"
    run("ca", "init", "Example CA", "-d", keys)
    run("ca", "issue", "vpn.example.com", "-d", keys)
    (path / "tapir.xml").write_text(CONF.format(""))
    (path / "compat.xml").write_text(CONF.format(' suite="compat"'))
    return path


def profile(home, kind, *more, conf="tapir.xml"):
    """Text of a profile."""
    return run("invite", USER, "-c", home / conf, "--as", kind, "--ca", home / "keys" / "ca.pem",
               "-o", "-", *more)


def der(home):
    """The authority as the device gets it."""
    return ssl.PEM_cert_to_DER_cert((home / "keys" / "ca.pem").read_text())


def test_apple(home):
    """A property list with a VPN and the authority; the same identifiers each time."""
    doc = plistlib.loads(profile(home, "apple").encode())
    again = plistlib.loads(profile(home, "apple", "--title", "Büro & <Co>").encode())
    assert doc["PayloadUUID"] == again["PayloadUUID"]
    assert again["PayloadDisplayName"] == "Büro & <Co>"
    vpn, root = doc["PayloadContent"]
    assert len({uuid.UUID(p["PayloadUUID"]) for p in (doc, vpn, root)}) == 3
    assert root["PayloadType"] == "com.apple.security.root"
    assert root["PayloadContent"] == der(home)
    ike = vpn["IKEv2"]
    assert (vpn["VPNType"], ike["RemoteAddress"], ike["LocalIdentifier"]) == \
        ("IKEv2", "vpn.example.com", USER)
    assert ike["ServerCertificateIssuerCommonName"] == "Example CA"
    assert ike["IKESecurityAssociationParameters"]["EncryptionAlgorithm"] == "AES-256-GCM"
    assert "AuthPassword" not in ike
    compat = plistlib.loads(profile(home, "apple", conf="compat.xml").encode())
    assert compat["PayloadContent"][0]["IKEv2"]["ChildSecurityAssociationParameters"][
        "EncryptionAlgorithm"] == "AES-256"


def test_android(home):
    """What the strongSwan app reads."""
    doc = json.loads(profile(home, "android", "--net", "10.20.0.0/16,fd00::/48"))
    uuid.UUID(doc["uuid"])
    assert doc["type"] == "ikev2-eap"
    assert doc["remote"]["addr"] == doc["remote"]["id"] == "vpn.example.com"
    assert ssl.DER_cert_to_PEM_cert(der(home)).replace("\n", "").find(doc["remote"]["cert"]) > 0
    assert doc["local"]["eap_id"] == USER
    assert doc["split-tunneling"]["subnets"] == ["10.20.0.0/16", "fd00::/48"]


def test_windows(home, tmp_path):
    """PowerShell, by its own parser where there is one; else quotes and brackets."""
    text = profile(home, "windows", "--title", "it's $(calc) `x", "--net", "10.20.0.0/16")
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


def test_a_profile_is_never_written_over(home, tmp_path):
    """It may be another one's."""
    path = tmp_path / "x.sswan"
    path.write_text("mine")
    done = subprocess.run([TAPIR, "invite", USER, "-c", home / "tapir.xml", "--as", "android",
                           "-o", path], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1 and path.read_text() == "mine"
