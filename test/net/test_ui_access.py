# SPDX-License-Identifier: Apache-2.0
"""Certificates and users in Chromium: who is let in, by what, and what that did to the files."""
import base64
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import time

import topo
from browser import Client
from lab import until
from screens import ESCAPE, SPEAK, axe, axe_is_content, driver, page, web  # pylint: disable=unused-import

TOPOLOGY = topo.pair
WORD = "correct horse battery"


def as_before(page, web, conf, gone):
    """An earlier configuration is in force, and the browser has heard of it."""
    web.write(conf, {})
    assert web.tapir("reload").returncode == 0
    page.go("realms")
    page.wait(f"return !/{gone}/.test(document.querySelector('main').innerText)")


def test_what_lets_somebody_in(page, web, axe):
    """An authority and a certificate; an account; an invitation whose link another tapir follows."""
    keys = os.path.join(web.dir, "keys")
    page.go("access")
    page.wait_text("There is no authority yet", "main")
    page.click("main button", "Make the authority")
    page.wait_text("tapir ca renew", "main")
    page.choose("Names", "it's; vpn.example.com")
    page.wait_text("tapir ca issue 'it'\\''s;' vpn.example.com", "main")
    page.choose("Names", "vpn.example.com")
    page.wait_text("tapir ca issue vpn.example.com", "main")
    page.click("main button", "Make a certificate")
    page.wait_text("vpn.example.com", "[aria-label=Authority] tbody")
    assert os.path.exists(os.path.join(keys, "vpn.example.com.key"))
    with open(web.conf_path, encoding="utf-8") as f:
        was = f.read()
    page.go("access/branches/kyoto")
    page.choose("Address of this gateway", "192.0.2.1")
    page.click("main button", "Invite")
    page.wait_text("This link works once", "dialog[open]")
    link = page.text("dialog code.long")
    assert re.fullmatch(r"http://127\.0\.0\.1:4580/get/[0-9a-f]{32}#[\w-]{43}", link), link
    assert seen_by_a_camera(page, web) in (link, None)
    is_well(page, axe)
    there = os.path.join(web.lab.mkdir("kyoto"), "tapir.xml")
    assert web.tapir("join", link, "-c", there, "--yes").returncode == 0
    with open(os.path.join(keys, "branches-kyoto.psk"), "rb") as a, \
            open(os.path.join(os.path.dirname(there), "keys", "branches-kyoto.psk"), "rb") as b:
        assert a.read() == b.read()
    as_before(page, web, was, "kyoto")


def seen_by_a_camera(page, web):
    """What the code on the screen says to another program; None where there is none."""
    if not shutil.which("zbarimg"):
        return None
    path = os.path.join(web.lab.mkdir("camera"), "screen.png")
    page.shot(path)
    return subprocess.run(["zbarimg", "-q", "--raw", "--nodbus", path], check=True, capture_output=True,
                          text=True, timeout=20).stdout.strip()


# A field of a panel, by its heading: panel, label, value.
FILL = """
const panel = [...document.querySelectorAll("dialog[open], main .panel")].find((p) => p.querySelector("h2").textContent === arguments[0]);
const field = [...panel?.querySelectorAll("label") ?? []].find((l) => l.firstElementChild.textContent === arguments[1])
    ?.querySelector("select, input");
if (!field || field.options && ![...field.options].some((o) => o.value === arguments[2])) return false;
field.value = arguments[2];
field.dispatchEvent(new Event(field.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
return true;
"""
SALES = """  <realm name="sales" mode="ip" tap="tap-sales">
    <match id="*@sales.example.com"/>
    <me id="vpn.example.com" cert="vpn.example.com"/>
    <eap users="sales.users"/>
    <pool net="10.20.1.0/24" route="10.1.0.0/24"/>
  </realm>
</vpn>"""


def is_well(page, axe):
    """What is shown now: on a phone, in both languages, to axe."""
    page.size(390, 900)
    for lang in "ja", "en":
        page.js(SPEAK, lang)
        page.wait("return document.documentElement.scrollWidth <= innerWidth")
        axe_is_content(page, axe)
    page.size(1280, 900)


def fill(page, panel, label, value):
    """Once the field is there."""
    assert until(10, lambda: page.js(FILL, panel, label, value), 0.1), f"no {label!r} in\n{page.text()}"


def remove(page, name):
    """By the button of its row, once more asked."""
    assert until(10, lambda: page.js("""const b = document.querySelector(`button[aria-label="${arguments[0]}"]`);
        b?.click(); return !!b""", name), 0.1), page.text()
    page.click("dialog button.main", name.split(" ", 1)[0])
    page.wait("return !document.querySelector('dialog')")


def code_of(secret, later=0):
    """What an authenticator program shows now (RFC 6238), or that many times 30 seconds later."""
    mac = hmac.new(base64.b32decode(secret), int(time.time() // 30 + later).to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(int.from_bytes(mac[at:at + 4], 'big') & 0x7fffffff) % 1000000:06}"


def comes_in(web, user, password, **more):
    """The role of who logs in; None: nobody."""
    status, doc, _ = Client(web.lab, web.node).ask("POST", "/login", {"user": user, "password": password, **more})
    return doc["role"] if status == 200 else None


def test_accounts_by_the_page(page, web, axe):
    """Made with a code for an authenticator, which is shown once; logs in; removed, and is out."""
    page.go("access")
    page.wait_text("Add the account", "main")
    for label, value in ("Name", "mai"), ("Role", "operator"), ("New password", WORD):
        fill(page, "Who may log in", label, value)
    page.click("main button", "Add the account")
    page.wait_text("it is shown once", "dialog[open]")
    secret = page.text("dialog code")
    assert re.fullmatch("[A-Z2-7]{32}", secret), secret
    assert seen_by_a_camera(page, web) in (f"otpauth://totp/tapir:mai?secret={secret}&issuer=tapir", None)
    assert comes_in(web, "mai", WORD, code=code_of(secret)) == "operator"
    page.keys(ESCAPE)
    page.wait("return !document.querySelector('dialog')")
    assert secret not in page.js("return document.documentElement.outerHTML")
    listed = web.tapir("web", "user", "list", "-d", os.path.join(web.dir, "keys")).stdout
    assert "mai" in listed and "operator" in listed
    page.wait_text("mai", "[aria-label='Who may log in'] tbody")
    for label, value in ("Name", "mai"), ("New password", WORD):
        fill(page, "Who may log in", label, value)
    page.click("main button", "Add the account")
    page.wait_text("mai exists already", "main [role=alert]")
    page.js(SPEAK, "ja")
    page.wait_text("mai はすでにあります", "main [role=alert]")
    page.js(SPEAK, "en")
    page.click("main button", "Change mai")
    assert page.js("return [...document.querySelectorAll('dialog button.main')].every((b) => b.disabled)"), "nothing changes"
    is_well(page, axe)
    fill(page, "Change mai", "Role", "viewer")
    page.click("dialog button", "Save")
    page.wait("return !document.querySelector('dialog')")
    page.wait_text("viewer", "[aria-label='Who may log in'] tbody")
    assert page.js("return !document.querySelector('dialog')"), "the old secret is shown again"
    page.click("main button", "Change mai")
    fill(page, "Change mai", "New password", WORD + "!")
    page.click("dialog label", "new codes")
    page.click("dialog button", "Save")
    page.wait_text("it is shown once", "dialog[open]")
    again = page.text("dialog code")
    assert again != secret and re.fullmatch("[A-Z2-7]{32}", again), again
    page.keys(ESCAPE)
    # a code counts once: that of now was used with the former secret
    assert comes_in(web, "mai", WORD + "!", code=code_of(again, 1)) == "viewer"
    assert comes_in(web, "mai", WORD, code=code_of(again, 2)) is None
    remove(page, "Remove mai")
    assert until(5, lambda: "mai" not in web.tapir("web", "user", "list", "-d", os.path.join(web.dir, "keys")).stdout)


def renew(page, web):
    """What ends within 30 days is made anew by a button, with the key that it had."""
    keys = os.path.join(web.dir, "keys")

    def both():
        with open(os.path.join(keys, "short.example.com.pem"), "rb") as a, \
                open(os.path.join(keys, "short.example.com.key"), "rb") as b:
            return a.read(), b.read()

    fill(page, "Authority", "Names", "short.example.com")
    fill(page, "Authority", "Days", "10")
    page.click("main button", "Make a certificate")
    page.wait_text("ends soon", "[aria-label=Authority] tbody")
    cert, key = both()
    page.click("main button", "Renew what ends soon")
    assert until(10, lambda: both()[0] != cert)
    assert both()[1] == key
    page.wait("return document.querySelector('[aria-label=Authority] tbody').textContent.split('short.example.com').length === 3")
    listed = web.json("ca", "list", "-d", keys)["certificates"]
    assert [c["state"] for c in listed if c["names"] == "short.example.com"] == ["expiring", "valid"]


def test_people_by_the_page(page, web):
    """A user of a realm: made, another password, a profile with its passphrase, removed; a
    certificate is revoked."""
    with open(web.conf_path, encoding="utf-8") as f:
        conf = f.read()
    users = os.path.join(web.dir, "keys", "sales.users")

    def lines():
        with open(users, encoding="utf-8") as f:
            return f.read()

    page.go("access")
    for label, value in ("Name of the realm", "sales"), ("Name", "taro@sales.example.com"), ("New password", WORD):
        fill(page, "Users with a password", label, value)
    page.wait_text('<eap users="sales.users"/>', "main")
    page.click("main button", "Add the user")
    assert until(10, lambda: os.path.exists(users))
    web.write(conf.replace("</vpn>", SALES), {})
    page.click("main button", "Put in force")
    assert until(10, lambda: web.lines("realm sales is ready"))
    # the realm that has users is the one that is shown
    page.wait_text("taro@sales.example.com", "[aria-label='Users with a password'] tbody")
    for word in WORD, WORD + "!":
        fill(page, "Users with a password", "Name", "hanako@sales.example.com")
        fill(page, "Users with a password", "New password", word)
        before = lines()
        page.click("main button", "Add the user" if word == WORD else "Give a new password")
        assert until(10, lambda was=before: lines() != was)
        page.wait_text("hanako@sales.example.com", "[aria-label='Users with a password'] tbody")
    for label, value in (("What", "apple"), ("Name", "hanako@sales.example.com"), ("Realm", "sales"),
                         ("Address of this gateway", "192.0.2.1")):
        fill(page, "Let somebody in", label, value)
    page.click("main button", "Invite")
    page.wait_text("This link works once", "dialog[open]")
    assert page.js("return document.querySelector('dialog a[download]').download").endswith(".mobileconfig")
    page.keys(ESCAPE)
    remove(page, "Remove hanako@sales.example.com")
    assert until(5, lambda: "hanako" not in lines())
    renew(page, web)
    remove(page, "Revoke vpn.example.com")
    page.wait_text("revoked", "[aria-label=Authority] tbody")
    as_before(page, web, conf, "Realm sales")


TAB, ENTER = "\ue004", "\ue007"
# The first field of a panel.
FOCUS = """[...document.querySelectorAll("main .panel")].find((p) => p.querySelector("h2").textContent === arguments[0])
    .querySelector("input").focus()"""


def test_a_closed_authority_by_keys(page, web):
    """Made, used and refused by the keyboard alone; without its passphrase nothing is done."""
    keys = os.path.join(web.dir, "keys")
    for name in os.listdir(keys):
        if name.startswith("ca."):
            os.unlink(os.path.join(keys, name))
    page.go("realms")
    page.go("access")
    page.wait_text("There is no authority yet", "main")
    page.js(FOCUS, "Authority")
    # kind of key, list of revoked ones, passphrase
    page.keys(TAB * 3 + "open sesame")
    page.wait("return [...document.querySelectorAll('main label')].some((l) => l.textContent.startsWith('Passphrase again'))")
    page.keys(TAB + "open sesam" + ENTER)
    page.keys("e" + ENTER)
    page.wait_text("Nothing was issued yet", "main")
    with open(os.path.join(keys, "ca.key"), encoding="utf-8") as f:
        assert "ENCRYPTED" in f.read()
    for word in "wrong", "open sesame":
        page.js(FOCUS, "Authority")
        if word == "wrong":
            page.keys("closed.example.com")
        page.keys(TAB * 3 + word + ENTER)
        page.wait_text("another passphrase" if word == "wrong" else "closed.example.com",
                       "main [role=alert]" if word == "wrong" else "[aria-label=Authority] tbody")
        assert os.path.exists(os.path.join(keys, "closed.example.com.key")) == (word != "wrong")
    page.click("main button", "Revoke closed.example.com")
    assert page.js("return document.querySelector('dialog button.main').disabled")
    fill(page, "Revoke closed.example.com", "Passphrase of the authority", "wrong")
    page.click("dialog button.main", "Revoke")
    page.wait_text("another passphrase", "main table [role=alert]")
    assert web.json("ca", "list", "-d", keys)["certificates"][0]["state"] == "valid"
    page.click("main button", "Revoke closed.example.com")
    fill(page, "Revoke closed.example.com", "Passphrase of the authority", "open sesame")
    page.click("dialog button.main", "Revoke")
    page.wait_text("revoked", "[aria-label=Authority] tbody")
    assert web.json("ca", "list", "-d", keys)["certificates"][0]["state"] == "revoked"
