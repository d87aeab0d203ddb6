# SPDX-License-Identifier: Apache-2.0
"""A browser in a node, driven by the HTTP of WebDriver (W3C) that ChromeDriver speaks."""
import base64
import os

from browser import Client
from lab import LabError, until

PORT = 9515
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync")
# The first visible element of a kind whose text or name is, or begins with, what is wanted.
FIND = """
const [css, text] = arguments;
const nameOf = (e) => (e.getAttribute("aria-label") ?? e.textContent).trim().replace(/\\s+/g, " ");
const all = [...document.querySelectorAll(css)].filter((e) => e.getClientRects().length);
return all.find((e) => nameOf(e) === text) ?? all.find((e) => nameOf(e).startsWith(text)) ?? null;
"""


class Driver:
    """ChromeDriver in a node; browsers of it end with it."""

    def __init__(self, lab, node):
        self.lab, self.node = lab, node
        self.proc = lab.spawn(node, "chromedriver", f"--port={PORT}", name="chromedriver")
        if not until(20, self._is_ready):
            raise LabError(f"chromedriver is not ready:\n{self.proc.text()}")

    def ask(self, method, path, body=None):
        """One command; its value."""
        c = Client(self.lab, self.node, addr=("127.0.0.1", PORT))
        try:
            status, doc, _ = c.ask(method, path, {} if body is None and method == "POST" else body)
        finally:
            c.close()
        if status != 200:
            raise LabError(f"{method} {path}: {doc['value'].get('message', doc)}")
        return doc["value"]

    def _is_ready(self):
        try:
            return self.ask("GET", "/status")["ready"]
        except (OSError, LabError):
            return False

    def browser(self, width=1280, height=900, lang="en"):
        """A new one with a profile of its own."""
        args = [*ARGS, f"--window-size={width},{height}", f"--lang={lang}", f"--accept-lang={lang}",
                "--user-data-dir=" + self.lab.mkdir("chrome", str(os.urandom(4).hex()))]
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL"}}}})
        return Browser(self, made["sessionId"])

    def stop(self):
        """End it and what it started."""
        self.proc.kill()


class Browser:
    """A window with tabs."""

    def __init__(self, driver, ident):
        self.driver, self.path = driver, f"/session/{ident}"

    def ask(self, method, path, body=None):
        """One command of this browser."""
        return self.driver.ask(method, self.path + path, body)

    def open(self, url):
        """Load a page."""
        self.ask("POST", "/url", {"url": url})

    def js(self, script, *args):
        """Run a script; what it returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(args)})

    def cdp(self, cmd, **params):
        """A command of Chromium's own."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": cmd, "params": params})

    def text(self, css="body"):
        """What can be read there."""
        return self.js("const e = document.querySelector(arguments[0]); return e?.innerText ?? e?.textContent ?? ''", css)

    def wait(self, what, seconds=15):
        """Until a script returns something true; that."""
        got = []

        def look():
            got[:] = [self.js(what)]
            return got[0]

        assert until(seconds, look, 0.1), f"never: {what}\n{self.text()}"
        return got[0]

    def wait_text(self, text, css="body", seconds=15):
        """Until a text stands there."""
        assert until(seconds, lambda: text in self.text(css), 0.1), \
            f"no {text!r} in\n{self.text(css)}"

    def find(self, css, text):
        """An element by its name; None."""
        return self.js(FIND, css, text)

    def click(self, css, text):
        """As a pointer does, once it is there and can be pressed."""
        assert until(10, lambda: self.find(css, text), 0.1), f"no {css} {text!r} in\n{self.text()}"
        at = []

        def is_still():
            at.append(self.js("const r = arguments[0]?.getBoundingClientRect(); return r && [r.x, r.y]",
                              self.find(css, text)))
            return len(at) > 1 and at[-1] and at[-1] == at[-2]

        # what still comes above it would move it away from below the pointer
        assert until(10, is_still, 0.05), f"{css} {text!r} does not hold still"
        self.ask("POST", f"/element/{self.find(css, text)[ELEMENT]}/click", {})

    def keys(self, text):
        """Type into whatever has the focus."""
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": [
            {"type": t, "value": c} for c in text for t in ("keyDown", "keyUp")]}]})

    def choose(self, label, value):
        """In the select of a label."""
        self.js("""const l = [...document.querySelectorAll("label")].find((l) =>
            l.firstElementChild.textContent === arguments[0]);
        const f = l.querySelector("select, input");
        f.value = arguments[1];
        f.dispatchEvent(new Event(f.tagName === "SELECT" ? "change" : "input", { bubbles: true }));
        """, label, value)

    def go(self, page):
        """A page of ours, by its address; its heading."""
        self.js("location.hash = arguments[0]", "#/" + page)
        return self.wait("return document.querySelector('main h1')?.innerText")

    def tabs(self):
        """Their handles."""
        return self.ask("GET", "/window/handles")

    def tab(self, handle=None):
        """Go to a tab; without a handle to a new one. Its handle."""
        handle = handle or self.ask("POST", "/window/new", {"type": "tab"})["handle"]
        self.ask("POST", "/window", {"handle": handle})
        return handle

    def offline(self, is_so):
        """Take the network away, or give it back."""
        self.ask("POST", "/chromium/network_conditions", {"network_conditions": {
            "offline": is_so, "latency": 0, "upload_throughput": -1, "download_throughput": -1}})

    def size(self, width, height):
        """Of the page."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def shot(self, path):
        """A picture of the page."""
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.ask("GET", "/screenshot")))

    def complaints(self):
        """What the browser's console says is wrong, since last asked."""
        return [x["message"] for x in self.ask("POST", "/se/log", {"type": "browser"})
                if x["level"] in ("SEVERE", "WARNING")]

    def quit(self):
        """Close it."""
        self.ask("DELETE", "")
