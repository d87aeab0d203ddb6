# SPDX-License-Identifier: Apache-2.0
"""The screens in Chromium, against the real daemon: each opened, each deed and what it did."""
import os
import re

import pytest

import topo
from browser import Bus, Client
from gateway import BUILD, TAPIR, office
from lab import until
from screens import ESCAPE, SPEAK, axe, axe_is_content, driver, log_in, page, web  # pylint: disable=unused-import

TOPOLOGY = topo.pair
PAGES = ("overview", "peers", "peers/branches/osaka", "realms", "hub", "log", "capture", "access",
         "connect", "settings")
SHOTS = os.path.join(BUILD, "ui-shots")
WORD = "correct horse battery"


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


def test_accounts_and_viewers(web, driver, axe):
    """A wrong password says so; roles see what they may not press; who is removed is out."""
    path = os.path.join(web.dir, "word")
    with open(path, "w", encoding="utf-8") as f:
        f.write(WORD + "\n")
    assert web.tapir("web", "user", "add", "hanako", "--role", "viewer", "--pass", path, "-d",
                     os.path.join(web.dir, "keys")).returncode == 0
    b = driver.browser()
    b.open("http://127.0.0.1:4580/")
    b.wait_text("Log in with a link")
    b.size(390, 900)
    b.click("main button", "日本語")
    b.wait_text("またはアカウントで")
    b.choose("名前", "hanako")
    b.choose("パスワード", "wrong wrong")
    b.click("button", "ログイン")
    b.wait_text("いずれかが違います", "form [role=alert]")
    axe_is_content(b, axe)
    assert b.js("return document.documentElement.scrollWidth <= innerWidth")
    b.click("main button", "English")
    b.wait_text("is wrong", "form [role=alert]")
    b.size(1280, 900)
    b.choose("Password", WORD)
    b.click("button", "Log in")
    b.wait_text("Overview")
    b.go("access")
    b.wait_text("tapir web user add", "main")
    assert b.js("return !document.querySelector('main form, main button.main')"), "a viewer is shown commands"
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
        axe_is_content(page, axe)
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
    page.click("main button", "Show all")
    page.wait("return document.querySelectorAll('.log > li').length > 1")
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


def test_log_filters(page, web):
    """By code and by peer the daemon is asked, which has more than the page; the command says the same."""
    page.go("log")
    page.wait_text("is up from", ".log")
    page.choose("Code", "peer-up")
    page.wait_text("tapir log -f --level info --code peer-up", "main .cmd")
    page.wait("return [...document.querySelectorAll('.log > li')].every((l) => l.textContent.includes('is up from'))")
    page.choose("Code", "")
    page.choose("Peer", "osaka")
    page.wait("return [...document.querySelectorAll('.log > li')].every((l) => l.textContent.includes('osaka'))")
    page.wait_text("--peer osaka", "main .cmd")
    page.click("main .log summary", "")
    page.click("main .log details[open] a", "branches/osaka")
    page.wait_text("Identity", "main")
    assert page.js("return location.hash") == "#/peers/branches/osaka"
    page.go("settings")
    page.choose("Language", "ja")
    page.wait_text("このブラウザに保存されます", "main")
    page.js("localStorage.lang === 'ja' || fail()")
    page.choose("言語", "en")
    page.wait_text("Kept in this browser", "main")
    page.cdp("Browser.setPermission", permission={"name": "clipboard-write"}, setting="denied")
    page.click("main button", "Copy: tapir version")
    page.wait("return String(getSelection()) === 'tapir version'")
    page.js("getSelection().removeAllRanges()")
    assert "preact" in page.js("return fetch(document.querySelector('main a[href*=licences]').href).then((r) => r.text())")


def test_why(page):
    """Checks of a peer that is well; Escape leads back."""
    page.go("peers/branches/osaka")
    page.click("main button", "Why?")
    page.wait_text("Nothing stands in the way", "dialog[open]")
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


# What the hub says, with a loop, or as many ports as one likes.
HUB = """
const n = arguments[0];
return import(location.origin + "/store.js").then(({ bus }) => {
	const ask = bus.ask.bind(bus);
	bus.ask = (command, fields, isView) => ask(command, fields, isView).then((items) => {
		const peer = items.find((i) => i.kind === "ether");
		if (!peer) return items;
		for (let i = 0; i < n; i++) items.push({ ...peer, port: "port" + i });
		peer.state = "blocked";
		peer.retry_s = 30;
		return items;
	});
	return true;
});
"""


def test_hub_with_a_loop_and_many_ports(page):
    """A loop is said in words and drawn; of many ports the table has all."""
    page.go("hub")
    page.js(HUB, 40)
    page.wait_text("A loop: osaka is blocked", "main [role=alert]")
    page.wait_text("✕ osaka", ".topology")
    page.wait_text("24 of 42 ports are drawn", "main")
    assert page.js("return document.querySelectorAll('.topology .port').length") == 24
    page.wait("return document.querySelectorAll('main tbody tr').length === 42")
    page.click("main button", "IP addresses")
    page.wait("return document.querySelector('[aria-pressed=true]').textContent === 'IP addresses'")
    page.click("main button", "Multicast")
    page.wait("return document.querySelector('[aria-pressed=true]').textContent === 'Multicast'")
    page.js("location.hash = '#/overview'; location.reload()")
    page.wait("return !!document.querySelector('main .state')")


def test_what_else_can_be_pressed(page):
    """Sorting, copying, help, and the ways from a peer to its capture and its profile."""
    page.go("peers")
    page.click("main th button", "Received")
    page.wait("return document.querySelector('th[aria-sort=ascending]').textContent.startsWith('Received')")
    page.click("main th button", "Received")
    page.wait("return !!document.querySelector('th[aria-sort=descending]')")
    page.choose("State", "connecting")
    page.wait_text("tapir status | grep connecting", "main")
    page.click("button", "Show all")
    page.wait_text("osaka", "main table")
    page.cdp("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.click("main button", "Copy: tapir status")
    page.wait_text("Copied", "main")
    page.click("main table a", "osaka")
    page.click("main a", "Capture")
    page.wait_text("tapir capture -w tapir.pcapng --peer branches/osaka", "main")
    page.js("history.back()")
    page.click("main a", "Profile")
    page.wait("return [...document.querySelectorAll('main input')].some((i) => i.value === 'osaka')")
    page.js("document.activeElement.blur()")
    page.keys("?")
    page.wait_text("Signs", "dialog[open]")
    page.keys(ESCAPE)
    page.wait("return !document.querySelector('dialog')")


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


# What is put in force is undone after a second already.
SOON = """
return import(location.origin + "/store.js").then(({ bus }) => {
	const ask = bus.ask.bind(bus);
	bus.ask = (command, fields, isView) => ask(command, fields.confirm_s ? { confirm_s: 1 } : fields, isView);
	return true;
});
"""


def test_undone_when_nobody_keeps_it(page, web):
    """The file and what is in force are as before; what was written is a draft again."""
    with open(web.conf_path, encoding="utf-8") as f:
        was = f.read()
    page.go("realms/branches")
    page.js(SOON)
    page.click("main button", "Edit")
    page.wait("return document.querySelector('textarea')?.value.includes('<vpn')")
    page.js(TYPE, 'log="info"', 'log="warn"')
    page.wait_text("at once", "main table")
    page.click("main button", "Save and")
    page.wait_text("Nobody kept it: the former configuration is in force again", "main")
    page.wait_text("Changed, not saved.", "main")
    assert 'log="warn"' in page.js("return document.querySelector('textarea').value")
    with open(web.conf_path, encoding="utf-8") as f:
        assert f.read() == was
    assert web.tapir("confirm").returncode == 1, "nothing is left to be confirmed"
    page.click("main button", "Discard")
    page.click("main button", "Close")
    page.js("location.hash = '#/overview'; location.reload()")
    page.wait("return !!document.querySelector('main .state')")


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
    page.wait_text("Is it still you?", "dialog[open]")
    page.choose("Or a new link", web.json("web")["url"])
    page.click("dialog button", "Go on")
    page.wait_text("root by the web records IKE on the wire", "main")
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
    other = web.lab.spawn(web.node, TAPIR, "--run-dir", web.run_dir, "capture", "-w", os.path.join(saved, "other"), "--esp")
    page.wait_text("records ESP on the wire", "main")
    page.click("main button", "Start")
    page.wait_text("somebody captures already", "main form [role=alert]")
    page.click("main button", "Stop")
    assert other.wait(10) == 0
    page.wait_text("Nobody records packets", "main")


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
        why = {"send": "drained: who comes is sent to 192.0.2.9"}.get(how, "drained: nobody is let in")
        page.wait_text(why, "[aria-label='Realm branches']")
        page.click("main button", "Let them connect here")
        assert until(5, lambda at=n: len(web.lines("asked for drain")) == 2 * at)
        assert until(10, web.is_up)
    page.wait("return !/drained/.test(document.querySelector(\"[aria-label='Realm branches']\").innerText)")


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
	const name = arguments[0];
	if (name) store.peers.set("branches/" + name, { ...store.peers.get("branches/osaka"), name, id: name, remote: "[" + "2001:".repeat(8) + "]:4500" });
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
    page.js(KYOTO, "C=JP, O=" + "Example " * 20 + "CN=" + "x" * 60)
    for name in "connect", "peers", "hub", "overview":
        page.go(name)
        for width in 390, 1280:
            page.size(width, 900)
            page.wait("return document.documentElement.scrollWidth <= innerWidth", 3)
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
