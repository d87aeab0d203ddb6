# SPDX-License-Identifier: Apache-2.0
"""The screens in Chromium, against the real daemon: each opened, each deed and what it did."""
import base64
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import time

import pytest

import topo
from browser import Bus, Client
from gateway import BUILD, Gateway, office
from lab import until
from webdriver import Driver

PAGES = ("overview", "peers", "peers/branches/osaka", "realms", "hub", "log", "capture", "access",
         "connect", "settings")
TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
NPM = os.path.join(TREE, "build", "npm-dev")
SHOTS = os.path.join(BUILD, "ui-shots")
WORD = "correct horse battery"
ESCAPE = "\ue00c"


@pytest.fixture(scope="module")
def lab():
    """Two gateways."""
    made = topo.pair()
    yield made
    made.close()


@pytest.fixture(scope="module")
def web(lab):
    """tokyo with the screens; osaka, its peer."""
    b = Gateway(lab, "right", office("osaka", attrs="")).start()
    a = Gateway(lab, "left", office("tokyo", at="192.0.2.2", attrs=""), web=True).start()
    assert until(10, a.is_up)
    assert until(5, lambda: a.lines("web: confined") and a.lines("login: confined"))
    yield a
    a.stop()
    b.stop()


@pytest.fixture(scope="module")
def driver(lab, web):
    """ChromeDriver where tokyo is; skipped where there is no browser or were no screens made."""
    if not shutil.which("chromedriver"):
        pytest.skip("the distribution has no chromium-driver")
    if Client(lab, "left").ask("GET", "/lib/preact.js")[0] != 200:
        pytest.skip("built without the screens: npm was not at hand")
    made = Driver(lab, "left")
    yield made
    made.stop()


@pytest.fixture(scope="module")
def axe():
    """The judge of accessibility."""
    if subprocess.run([os.path.join(TREE, "webui", "site"), "dev", NPM], check=False,
                      timeout=80).returncode != 0:
        pytest.skip("npm did not bring axe-core")
    with open(os.path.join(NPM, "node_modules", "axe-core", "axe.min.js"), encoding="utf-8") as f:
        return f.read()


@pytest.fixture(scope="module")
def page(web, driver):
    """An administrator's browser, logged in by a link; nothing may have gone wrong in it."""
    b = driver.browser()
    log_in(b, web)
    yield b
    said = [x for x in b.complaints() if "ERR_INTERNET_DISCONNECTED" not in x and
            not re.search("ERR_(CONNECTION_REFUSED|NETWORK_CHANGED)|status of 4(01|04|09|10|22)|Failed to fetch", x)]
    b.quit()
    assert not said, said


def log_in(b, web, *argv):
    """Follow a new link, as somebody does who pastes it."""
    b.open("about:blank")
    b.open(web.json("web", *argv)["url"])
    b.wait_text("osaka", "main")


def state(b):
    """The state of osaka on its page."""
    return b.js("return document.querySelector('h1 .state')?.className.replace('state is-', '')")


# of what was loaded, without what was loaded twice
WEIGHT = """return [...new Map(performance.getEntriesByType("resource").filter((r) =>
    /\\.(js|css|svg)$/.test(r.name)).map((r) => [r.name, r.encodedBodySize])).values()].reduce((n, m) => n + m, 0)"""


# ---- getting in --------------------------------------------------------------------

def test_link(page):
    """The secret leaves the address; overview is shown; all came from here."""
    assert "link" not in page.js("return location.href")
    assert page.text("h1") == "Overview" and page.js("return document.title") == "Overview – tapir"
    assert page.js("""return performance.getEntriesByType("resource")
        .every((r) => r.name.startsWith(location.origin))""")
    assert 10_000 < page.js(WEIGHT) <= 100_000


def test_accounts_and_viewers(web, driver):
    """A wrong password says so; roles see what they may not press; who is removed is out."""
    path = os.path.join(web.dir, "word")
    with open(path, "w", encoding="utf-8") as f:
        f.write(WORD + "\n")
    assert web.tapir("web", "user", "add", "hanako", "--role", "viewer", "--pass", path, "-d",
                     os.path.join(web.dir, "keys")).returncode == 0
    b = driver.browser()
    b.open("http://127.0.0.1:4580/")
    b.wait_text("Log in with a link")
    for word in "wrong wrong", WORD:
        b.choose("Name", "hanako")
        b.choose("Password", word)
        b.click("button", "Log in")
        b.wait_text("wrong" if word != WORD else "Overview")
    b.go("peers/branches/osaka")
    b.wait_text("Identity")
    off = b.js("""const e = [...document.querySelectorAll("button")].find((x) =>
        x.textContent === "Disconnect"); return [e.disabled, e.title]""")
    assert off == [True, "This needs the role operator"]
    b.go("capture")
    assert b.js("return [...document.querySelectorAll('fieldset input, form button')].every((e) => e.disabled)")
    assert web.tapir("web", "user", "del", "hanako", "-d", os.path.join(web.dir, "keys")).returncode == 0
    b.wait_text("Log in with a link")
    log_in(b, web, "--role", "operator")
    b.go("capture")
    assert b.js("return [...document.querySelectorAll('fieldset input')].map((e) => e.disabled)") == [True, False, False, True]
    b.go("realms")
    assert b.js("return [...document.querySelectorAll('main .row button')].every((e) => e.disabled)")
    b.go("peers/branches/osaka")
    b.click("main button", "New keys")
    b.wait_text("Done", "main")
    assert web.is_up()
    b.quit()


# ---- every page ----------------------------------------------------------------------

SPEAK = "const to = arguments[0]; return import(location.origin + '/i18n.js').then((m) => m.setLanguage(to))"


@pytest.mark.parametrize("name", PAGES)
def test_pages(page, axe, name):
    """In both languages, on a phone, dark, without a word missing; axe finds nothing serious."""
    os.makedirs(SHOTS, exist_ok=True)
    for lang, width, colours in ("en", 1280, "light"), ("ja", 390, "dark"):
        page.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": colours}])
        page.size(width, 900)
        page.js(SPEAK, lang)
        page.go(name)
        page.wait("return !document.body.innerText.includes('…\\n')")
        assert page.js("return document.documentElement.lang") == lang
        text = page.text()
        assert not re.search(r"\b(undefined|NaN|null|\[object)|\{\w+\}", text), text
        page.size(390, 900)
        page.wait("return document.documentElement.scrollWidth <= innerWidth", 3)
        page.size(width, 900)
        page.shot(os.path.join(SHOTS, f"{name.replace('/', '-')}-{width}.png"))
        page.js(axe)
        page.js("window.axeDone = null; axe.run().then((r) => { window.axeDone = r; })")
        found = page.wait("return window.axeDone && { list: window.axeDone.violations }")["list"]
        bad = [v for v in found if v["impact"] in ("serious", "critical")]
        assert not bad, [(v["id"], [n["html"] for n in v["nodes"]]) for v in bad]
    page.size(1280, 900)
    page.js(SPEAK, "en")
    page.cdp("Emulation.setEmulatedMedia", features=[])


def test_language_without_loading(page):
    """The button changes words at once."""
    page.go("overview")
    page.js("window.isSame = true")
    page.click("header button", "日本語")
    page.wait_text("概要", "h1")
    assert page.js(WEIGHT) <= 100_000
    page.wait("return /[ぁ-ん]/.test(document.querySelector('.log, .line')?.innerText)")
    page.click("header button", "English")
    page.wait_text("Overview", "h1")
    assert page.js("return window.isSame")


def test_dark(page):
    """As the system wants it, unless somebody says otherwise."""
    back = "return getComputedStyle(document.documentElement).backgroundColor"
    page.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    light = page.js(back)
    page.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert page.js(back) != light
    page.go("settings")
    page.choose("Colours", "light")
    assert page.js(back) == light
    page.choose("Colours", "auto")
    page.cdp("Emulation.setEmulatedMedia", features=[])


def test_keyboard(page):
    """g p goes to the peers, / to the filter; the first stop leads to the content."""
    page.go("overview")
    page.js("document.activeElement.blur()")
    page.keys("gp")
    page.wait_text("Peers", "h1")
    page.wait("return location.hash === '#/peers'")
    page.keys("/")
    assert page.js("return document.activeElement.type") == "search"
    page.keys("nobody")
    page.wait_text("No peer is like that")
    page.click("button", "Show all")
    page.wait_text("osaka", "main table")


# ---- deeds ---------------------------------------------------------------------------

def test_disconnect_and_connect(page, web):
    """Asked once more before it is done; shown as it happens."""
    page.go("peers/branches/osaka")
    page.wait("return !!document.querySelector('.tree li li')")
    page.click("main button", "Disconnect")
    page.click("dialog button", "Cancel")
    assert web.is_up()
    page.click("main button", "Disconnect")
    page.click("dialog button.main", "Disconnect")
    assert until(10, lambda: not web.is_up())
    assert until(10, lambda: state(page) == "down", 0.1)
    assert page.js("return [...document.querySelectorAll('main button:disabled')].map((b) => b.textContent + b.title)") == \
        [name + "Only while it is connected" for name in ("New keys", "Ping")]
    page.click("main button", "Connect")
    assert until(10, web.is_up)
    assert until(10, lambda: state(page) == "up", 0.1)
    page.wait_text("is up from", "main")


def test_rekey_is_seen_in_the_log(page, web):
    """New keys by the button; the event stands in the log, live."""
    page.go("peers/branches/osaka")
    page.click("main button", "New keys")
    page.wait_text("Done", "main")
    page.go("log")
    page.wait_text("child SA has new keys", ".log")
    page.click("main button", "Hold")
    n = page.js("return document.querySelectorAll('.log > li').length")
    assert web.tapir("rekey", "osaka", "ike").returncode == 0
    page.choose("Text", "ike SA has new keys")
    page.wait_text("No event is like that")
    page.click("main button", "Go on")
    page.wait_text("ike SA has new keys", ".log")
    page.choose("Text", "")
    assert page.js("return document.querySelectorAll('.log > li').length") > n
    page.choose("At least", "error")
    page.wait("return !document.querySelector('.log .is-notice')")
    page.choose("At least", "info")
    page.wait("return !!document.querySelector('.log > li')")
    page.js("[...document.querySelectorAll('.log details')].find((d) => d.textContent.includes('osaka')).open = true")
    page.click(".log details[open] button", "Why?")
    page.wait_text("Nothing stands in the way", "dialog[open]")
    page.keys(ESCAPE)


def test_why(page):
    """Checks of a peer that is well; Escape leads back."""
    page.go("peers/branches/osaka")
    page.click("main button", "Why?")
    page.wait_text("Nothing stands in the way", "dialog")
    page.wait("return document.querySelectorAll('dialog .checks .is-ok').length >= 4")
    page.keys(ESCAPE)
    page.wait("return !document.querySelector('dialog')")
    assert page.js("return document.activeElement.textContent") == "Why?"


def test_ping(page):
    """An answer with its time."""
    page.click("main button", "Ping")
    page.wait_text("it answers,", "main")


FORGE = ("import socket,sys;s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM);"
         "[s.sendto(int(sys.argv[1]).to_bytes(4,'big')+b'\\x00\\x0f\\xff\\xff'+bytes(60),"
         "('192.0.2.1',4500)) for _ in range(3)]")


def test_drops_of_the_peer(page, web):
    """What was forged for its SA stands at it, with the reason."""
    spi = web.json("stats")["sas"][0]["spi_in"]
    web.lab.need("right", "/usr/bin/python3", "-c", FORGE, spi)
    page.go("peers")
    page.go("peers/branches/osaka")
    page.wait("""return [...document.querySelectorAll('h3')].find((h) => h.textContent === 'Of this peer')
        ?.nextElementSibling.textContent.includes('3 ESP integrity check failed esp-icv')""")


def test_hub(page):
    """Picture and tables."""
    page.go("hub")
    page.wait_text("osaka", ".topology")
    page.wait_text(" MAC · ", ".topology")
    page.click("main button", "MAC addresses")
    page.wait("return document.querySelector('[aria-pressed=true]').textContent === 'MAC addresses'")
    page.click("main button", "Ports")
    page.wait_text("forwards", "main table")


def test_reload_with_a_way_back(page, web):
    """Preview names the change, and it is kept when somebody says so."""
    web.write(office("tokyo", at="192.0.2.2", attrs="", top='log="debug"'), {})
    page.go("realms")
    page.click("main button", "Preview")
    page.wait_text("debug", "main table")
    page.click("main button", "Put in force")
    page.click("main button", "Keep it")
    page.wait("return ![...document.querySelectorAll('button')].some((b) => b.textContent.startsWith('Keep'))")
    assert web.tapir("confirm").returncode == 1, "nothing is left to be confirmed"


TYPE = """
const box = document.querySelector("textarea");
box.value = box.value.replace(arguments[0], arguments[1]);
box.dispatchEvent(new Event("input", { bubbles: true }));
"""


def test_editor(page, web):
    """Mistakes are shown with their line; nobody's change is lost; what is kept is in the file and in force."""
    page.go("realms/branches")
    page.click("main button", "Edit")
    page.wait("return document.querySelector('textarea')?.value.includes('<vpn')")
    page.js(TYPE, "<peer ", "<pear ")
    page.wait_text("Line 4", "main [role=alert]")
    assert page.js("return document.querySelector('.editor .is-error').textContent.trim()") == "✕4"
    assert page.js("return [...document.querySelectorAll('button')].find((b) => b.textContent.startsWith('Save')).disabled")
    page.click("main button", "Line 4")
    assert "<pear" in page.js("const b = document.activeElement; return b.value.slice(b.selectionStart, b.selectionEnd)")
    page.js(TYPE, "<pear ", "<peer ")
    page.js(TYPE, 'log="debug"', 'log="info"')
    page.wait_text("at once", "main table")
    with open(web.conf_path, encoding="utf-8") as f:
        was = f.read()
    web.write(was + "<!-- theirs -->\n", {})
    page.click("main button", "Save and")
    page.click("main button", "Load again")
    page.wait("return document.querySelector('textarea').value.includes('theirs')")
    page.js(TYPE, 'log="debug"', 'log="info"')
    page.wait_text("at once", "main table")
    page.click("main button", "Save and")
    page.click("main button", "Keep it")
    page.wait("return ![...document.querySelectorAll('button')].some((b) => b.textContent.startsWith('Keep'))")
    page.click("main button", "Close")
    with open(web.conf_path, encoding="utf-8") as f:
        assert f.read() == was.replace('log="debug"', 'log="info"') + "<!-- theirs -->\n"
    assert web.lines("log changes from \"debug\" to \"info\"")
    assert web.tapir("confirm").returncode == 1, "nothing is left to be confirmed"


# The first capture is told that the login is too old.
STALE = """
const real = window.fetch;
window.fetch = (path, o) => {
	if (path !== "/capture") return real(path, o);
	window.fetch = real;
	return Promise.resolve(new Response(JSON.stringify({ code: "ERR_PROOF", text: "prove who you are", hint: "" }),
		{ status: 403, headers: { "Content-Type": "application/json" } }));
};
"""


def test_capture(page, web):
    """Who logged in long ago proves himself by a new link; what was recorded is saved as it came."""
    saved = web.lab.mkdir("saved")
    page.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=saved)
    page.go("capture/branches/osaka")
    page.wait_text("Nobody records packets", "main")
    page.click("label", "IKE on")
    page.wait_text("tapir capture -w tapir.pcapng --peer branches/osaka --ike --seconds 60")
    page.js(STALE)
    page.click("main button", "Start")
    page.wait_text("Is it still you?", "dialog")
    page.choose("Or a new link", web.json("web")["url"])
    page.click("dialog button", "Go on")
    page.wait_text("records ike", "main")
    assert "ike" in web.tapir("capture", "--list").stdout
    assert web.tapir("rekey", "branches/osaka", "ike").returncode == 0
    page.wait("return / kB/.test(document.querySelector('.note').textContent)")
    page.click("main button", "Stop")
    page.click("main a", "tapir-")
    assert until(10, lambda: [f for f in os.listdir(saved) if f.endswith(".pcapng")])
    with open(os.path.join(saved, os.listdir(saved)[0]), "rb") as f:
        assert f.read(4) == b"\x0a\x0d\x0d\x0a"
    page.click("main button", "Remove")
    page.wait_text("Nothing is recorded", "main")


def as_before(page, web, conf, gone):
    """An earlier configuration is in force, and the browser has heard of it."""
    web.write(conf, {})
    assert web.tapir("reload").returncode == 0
    page.go("realms")
    page.wait(f"return !/{gone}/.test(document.querySelector('main').innerText)")


def test_what_lets_somebody_in(page, web):
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
    page.wait_text("This link works once", "dialog")
    link = page.text("dialog code.long")
    assert re.fullmatch(r"http://127\.0\.0\.1:4580/get/[0-9a-f]{32}#[\w-]{43}", link), link
    assert seen_by_a_camera(page, web) in (link, None)
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
const field = [...panel.querySelectorAll("label")].find((l) => l.firstElementChild.textContent === arguments[1])
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


def test_accounts_by_the_page(page, web):
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
    fill(page, "Change mai", "Role", "viewer")
    page.click("dialog button", "Save")
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


def test_match(page):
    """Which realm somebody falls into, and by which rule."""
    page.go("realms")
    page.wait_text('peer id="osaka"', "[aria-label='Who falls into which realm?']")
    page.choose("Identity", "osaka")
    page.wait_text("Realm branches, Peer osaka", "main")
    page.choose("Identity", "nobody")
    page.wait_text("Refused: no rule fits", "main")
    page.choose("Identity", "")


def test_drain(page, web):
    """Who is connected stays, is sent away or told goodbye; all are let in again."""
    page.go("realms")
    for n, how in enumerate(("keep", "send", "end"), 1):
        page.choose("Who is connected", how)
        if how == "send":
            assert page.js("return [...document.querySelectorAll('button')].find((b) => b.textContent === 'Empty the gateway').disabled")
            page.choose("Other gateway", "192.0.2.9")
            page.wait_text("tapir drain --to 192.0.2.9", "main")
        page.click("main button", "Empty the gateway")
        page.click("dialog button.main", "Empty the gateway")
        assert until(5, lambda at=n: len(web.lines("asked for drain")) == 2 * at - 1)
        assert until(5, lambda on=how != "end": web.is_up() == on)
        page.click("main button", "Let them connect here")
        assert until(5, lambda at=n: len(web.lines("asked for drain")) == 2 * at)
        assert until(10, web.is_up)


def test_connect(page, web):
    """The one big button."""
    page.go("connect")
    page.click("main button", "Disconnect")
    assert until(10, lambda: not web.is_up())
    page.click("main button", "Connect")
    assert until(10, web.is_up)
    page.click("main button", "Problem?")
    page.wait_text("Checks")


# A second peer, which does not answer.
KYOTO = """
return import(location.origin + "/store.js").then(({ store, changed }) => {
	store.peers.set("branches/kyoto", { ...store.peers.get("branches/osaka"), name: "kyoto", state: "down", intent: "dial",
		why: "no answer from 192.0.2.77 port 500", next_try_s: 30 });
	changed();
	return true;
});
"""


def test_two_peers(page):
    """What is wrong stands first; the connect view keeps whom somebody chose in its address."""
    page.js(KYOTO)
    page.go("overview")
    page.wait_text("next try in ", "[aria-label='Needs attention']")
    page.js(KYOTO)
    page.go("peers")
    assert page.js("return [...document.querySelectorAll('tbody th a')].map((a) => a.textContent)") == ["kyoto", "osaka"]
    page.go("connect")
    page.choose("To", "branches/kyoto")
    page.wait_text("no answer from 192.0.2.77", "main")
    assert page.js("return location.hash") == "#/connect/branches/kyoto"
    page.choose("To", "branches/osaka")
    page.wait_text("tapir down branches/osaka", "main")
    page.go("connect/branches/nara")
    page.wait_text("There is no peer branches/nara", "main")
    page.js("location.hash = '#/overview'; location.reload()")
    page.wait("return !!document.querySelector('main .state')")


def test_days(page):
    """The strip says of which days it is."""
    page.go("peers/branches/osaka")
    page.wait("return /20\\d\\d.*today/s.test(document.querySelector('.ends')?.innerText)")
    assert page.js("return /20\\d\\d/.test(document.querySelector('.strip title').textContent)")


# The daemon says again and again that it is up: that is not heard here.
WAITS = """
return import(location.origin + "/store.js").then(({ store, changed }) => {
	const set = store.peers.set.bind(store.peers);
	store.peers.set = (key, peer) => set(key, { ...peer, state: "down", intent: "password",
		why: "a password is to be typed" });
	for (const [key, peer] of [...store.peers]) store.peers.set(key, peer);
	changed();
	return true;
});
"""


def test_password_is_asked_for(page):
    """A client that waits for its password: a field in place of the button; what is wrong is
    said."""
    page.go("connect")
    assert page.js(WAITS)
    page.wait("return !!document.querySelector('main input[type=password]')")
    page.js("document.querySelector('main input[type=password]').focus()")
    page.keys("some words")
    page.click("main button", "Connect")
    page.wait_text("asks for no password", "main")
    assert page.js("return document.querySelector('main input[type=password]').value") == ""
    page.js("location.reload()")
    page.wait("return !!document.querySelector('main .state')")


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


# ---- when things go wrong ------------------------------------------------------------------

BAD = "<img src=x onerror=\"document.title='gone'\"><b>"
# A peer, a realm and an event whose every text is markup.
SPOIL = """
const bad = arguments[0];
return import(location.origin + "/store.js").then(({ store, changed }) => {
	const spoilt = (o, keep) => Object.fromEntries(Object.entries(o).map(([k, v]) =>
		[k, typeof v === "string" && !keep.includes(k) ? bad : v]));
	const peer = spoilt([...store.peers.values()][0], ["state", "intent"]);
	store.peers.set(bad + "/" + bad, { ...peer, why: bad, cert_subject: bad, cert_until: 2e9 });
	store.realms.set(bad, { ...spoilt([...store.realms.values()][0], ["state"]), why: bad });
	store.events.push({ ...spoilt(store.events.at(-1), ["severity"]), seq: 1e9, peer: bad, realm: bad });
	changed();
	return true;
});
"""


def test_markup_stays_text(page, web):
    """Whatever somebody sends as a name is shown as it is, on every page."""
    bus = Bus(Client(web.lab, web.node, path=os.path.join(web.run_dir, "bus.sock")))
    bus.run("up", realm="branches", peer=BAD)
    bus.close()
    assert page.js(SPOIL, BAD)
    quoted = page.js("return encodeURIComponent(arguments[0])", BAD)
    for name in "overview", "peers", f"peers/{quoted}/{quoted}", "realms", "log", "access", "connect", "capture":
        page.go(name)
        page.wait_text("<img src=x", "main") if name not in ("capture", "connect") else None
        assert page.js("return document.querySelectorAll('main img, main b').length") == 0, name
        assert page.js("return document.title") != "gone", name
    page.js("location.hash = '#/overview'; location.reload()")
    page.wait("return !!document.querySelector('main .state')")


CROWD = """
return import(location.origin + "/store.js").then(({ store, changed }) => {
	const one = [...store.peers.values()][0];
	for (let i = 0; i < 10000; i++) store.peers.set("branches/crowd" + i, { ...one, name: "crowd" + i });
	changed();
});
"""


def test_ten_thousand_peers(page):
    """The table shows some of them, more when asked, and finds each."""
    rows = "return document.querySelectorAll('main tbody tr').length"
    page.go("peers")
    page.js(CROWD)
    page.wait_text("10001 of 10001 peers", "main")
    assert page.js(rows) == 200
    page.click("main button", "Show more")
    page.wait(rows + " === 400")
    page.choose("Filter", "crowd9999")
    page.wait(rows + " === 1")
    page.js("location.hash = '#/overview'; location.reload()")
    page.wait("return !!document.querySelector('main .state')")


def test_offline_and_back(page, web):
    """It says so, and what it shows afterwards is true."""
    page.go("peers/branches/osaka")
    page.wait("return !document.querySelector('.banner')")
    page.offline(True)
    page.js("return 0")
    assert web.tapir("down", "branches/osaka").returncode == 0
    page.wait("return !!document.querySelector('.banner')", 45)
    page.go("hub")
    page.wait_text("Shown once the connection is back", "main")
    page.go("peers/branches/osaka")
    page.offline(False)
    page.wait("return !document.querySelector('.banner')", 20)
    assert until(10, lambda: state(page) == "down", 0.1)
    assert web.tapir("up", "branches/osaka").returncode == 0
    assert until(15, lambda: state(page) == "up", 0.1)


def test_the_daemon_comes_back(page, web):
    """The main process killed: what is shown is whole again."""
    page.go("peers")
    web.kill_role("main")
    assert until(15, web.is_up)
    page.wait("return document.querySelectorAll('main tbody .is-up').length === 1", 20)


def test_two_tabs(page):
    """A new tab needs no second login; logging out counts for both."""
    first = page.tabs()[0]
    second = page.tab()
    page.open("http://127.0.0.1:4580/#/peers")
    page.wait_text("osaka", "main table")
    page.go("settings")
    page.click("button", "Log out")
    page.wait_text("Log in with a link")
    page.tab(first)
    page.wait_text("Log in with a link")
    assert second in page.tabs()
