# SPDX-License-Identifier: Apache-2.0
"""The page of the browser interface: how much comes, and when something is seen.

A new Chromium each time, with an empty cache, on the other core than tapird; what it
says itself (PerformanceNavigationTiming, PerformancePaintTiming).  "cached" is the
same page loaded again.
"""
import itertools
import json
import shutil
import time

import web
from contenders import B
from topology import CORE, Wire, until

PORT, SAMPLES = 9515, 5
_serial = itertools.count()
ARGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--window-size=1280,900")
FACTS = """
const nav = performance.getEntriesByType("navigation")[0];
const all = [nav, ...performance.getEntriesByType("resource")]
  .filter((e) => !/[/](bus|login)/.test(e.name));
const first = performance.getEntriesByName("first-contentful-paint")[0];
return first && nav.loadEventEnd ? { kb: all.reduce((n, e) => n + e.transferSize, 0) / 1000,
  files: all.length, first_ms: first.startTime, seen_ms: window.tapirSeen ?? 0 } : null;
"""
# when the largest text of the page was painted, with what the daemon said
SEEN = """
new PerformanceObserver((list) => { window.tapirSeen = list.getEntries().at(-1).startTime; })
  .observe({ type: "largest-contentful-paint", buffered: true });
"""


class Chromium:
    """A browser of ChromeDriver in the node of tapird."""

    def __init__(self, w):
        self.w = w
        self.path = ""
        made = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "browserName": "chrome", "goog:chromeOptions": {
                "args": [*ARGS, f"--user-data-dir={w.dir}/chrome-{next(_serial)}"]}}}})
        self.path = f"/session/{made['sessionId']}"

    def ask(self, method, path, body=None):
        argv = ["curl", "-s", "-X", method, f"http://127.0.0.1:{PORT}{self.path}{path}"]
        if body is not None:
            argv += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        value = json.loads(self.w.run("a", *argv).stdout)["value"]
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(value["message"].split("\n", 1)[0])
        return value

    def facts(self):
        """Once the page is there, and nothing more comes."""
        self.ask("POST", "/execute/sync", {"script": SEEN, "args": []})
        before, end = None, time.monotonic() + 10
        while time.monotonic() < end:
            found = self.ask("POST", "/execute/sync", {"script": FACTS, "args": []})
            if found and before and found["files"] == before["files"]:
                return found
            before = found
            time.sleep(0.5)
        raise RuntimeError("the page is not painted")


def load(w, run):
    """One browser: the page for the first time, and again."""
    url = json.loads(w.run("a", B / "tapir", "--run-dir", run, "--json", "web").stdout)["url"]
    c = Chromium(w)
    try:
        c.ask("POST", "/url", {"url": url})
        first = c.facts()
        c.ask("POST", "/refresh", {})
        return first, c.facts()
    finally:
        c.ask("DELETE", "")


def page(_, rounds):
    if not shutil.which("chromedriver"):
        raise RuntimeError("chromium-driver is not here")
    out = {"first time": [], "cached": []}
    w = Wire()
    try:
        w.up()
        run, _, _ = web.start(w)
        w.start("a", "taskset", "-c", CORE["b"], "chromedriver", f"--port={PORT}", log="driver")
        if not until(lambda: "started successfully" in (w.dir / "driver").read_text(), 10, 0.1):
            raise RuntimeError("chromedriver does not start")
        for _ in range(max(rounds, SAMPLES)):
            first, again = load(w, run)
            out["first time"].append(first)
            out["cached"].append(again)
    finally:
        w.down()
    return out
