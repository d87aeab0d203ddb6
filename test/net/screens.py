# SPDX-License-Identifier: Apache-2.0
"""What tests of the screens share: a gateway with a browser that is logged in, and hands."""
import os
import re
import shutil
import subprocess

import pytest

from browser import Client
from gateway import Gateway, office
from lab import until
from webdriver import Driver

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
NPM = os.path.join(TREE, "build", "npm-dev")
ESCAPE = "\ue00c"
SPEAK = "const to = arguments[0]; return import(location.origin + '/i18n.js').then((m) => m.setLanguage(to))"


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


def axe_is_content(page, judge):
    """Nothing serious is found on what is shown."""
    page.js(judge)
    page.js("window.axeDone = null; axe.run().then((r) => { window.axeDone = r; })")
    found = page.wait("return window.axeDone && { list: window.axeDone.violations }")["list"]
    bad = [v for v in found if v["impact"] in ("serious", "critical")]
    assert not bad, [(v["id"], [n["html"] for n in v["nodes"]]) for v in bad]
