#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Run the system tests, several files at once; as root.

  run.py [--lanes N] [--seconds N] [--record] [FILE...]    default: every test_*.py

Each file is a pytest process of its own, its output shown in one piece when it has
ended.  The longest come first, by the measured seconds of seconds.txt (--record
writes them).  Files whose judgement is about time, or about all of the machine, have it
for themselves once the others are done; so has a file that failed beside others, which
counts as it fares then (what it said the first time is shown).  The last line is
"N passed, M failed".
"""
import argparse
import glob
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = os.path.join(HERE, "seconds.txt")
# Nothing beside them: they compare rates, fill queues, or fill the machine.
ALONE = ("test_fair.py", "test_flood.py", "test_soak.py")
NEW_FILE_S = 60         # not measured yet: begin it early
END_S = 15              # after TERM, to take namespaces and daemons away


def expected():
    """Measured seconds by file name."""
    try:
        with open(SECONDS, encoding="ascii") as f:
            rows = [line.split() for line in f if line[:1].isdigit()]
    except FileNotFoundError:
        rows = []
    return {name: float(seconds) for seconds, name in rows}


def count(path):
    """Good, bad and skipped tests of a JUnit file; None when there is no such file."""
    n = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    try:
        for suite in ET.parse(path).getroot().iter("testsuite"):
            for key in n:
                n[key] += int(suite.get(key, 0))
    except (OSError, ET.ParseError):
        return None
    bad = n["failures"] + n["errors"]
    return max(n["tests"] - bad - n["skipped"], 0), bad, n["skipped"]


class Runner:
    """The files still to run, those that run, and the sum."""

    def __init__(self, seconds, top):
        self.end = time.monotonic() + seconds
        self.top = top
        self.lock = threading.Lock()
        self.running = set()
        self.took = {}
        self.good = self.bad = self.skipped = 0
        self.is_over = False
        self.is_alone = False
        self.again = []

    def one(self, path):
        """Run one file and show what it said."""
        name = os.path.basename(path)
        junit = os.path.join(self.top, name + ".xml")
        begin = time.monotonic()
        with open(os.path.join(self.top, name + ".out"), "w+b") as out:
            with self.lock:
                if self.is_over:
                    return
                child = subprocess.Popen(
                    [sys.executable, "-m", "pytest", "-q", "-rsfE", "-p", "no:cacheprovider",
                     "--junitxml", junit, path], stdin=subprocess.DEVNULL, stdout=out,
                    stderr=out, start_new_session=True)
                self.running.add(child)
            try:
                status = child.wait(max(self.end - begin, 1))
            except subprocess.TimeoutExpired:
                status = "none: no time left"
                self.stop(child)
            with self.lock:
                self.running.discard(child)
            out.seek(0)
            said = out.read().decode(errors="replace")
        self.sum(path, status, count(junit), said, time.monotonic() - begin)

    def sum(self, path, status, n, said, took):
        """Add up one file; all that it said when it is not whole."""
        name = os.path.basename(path)
        good, bad, skipped = n or (0, 0, 0)
        if status != 0 and bad == 0:
            bad = 1
        with self.lock:
            self.took[name] = took
            if bad and not self.is_alone:
                self.again.append(path)
            else:
                self.good += good
                self.bad += bad
                self.skipped += skipped
            if bad:
                print(f"-- {name}: status {status}\n{said}", end="")
            else:
                print("".join(f"   {line}\n" for line in said.splitlines()
                              if line.startswith("SKIPPED")), end="")
            print(f"-- {name}: {good} passed, {bad} failed, {skipped} skipped, {took:.0f} s"
                  + ("; again, alone, at the end" if bad and not self.is_alone else ""),
                  flush=True)

    @staticmethod
    def stop(child):
        """TERM, so that it takes its lab away; KILL to the group after a while."""
        child.terminate()
        try:
            child.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()

    def stop_all(self):
        """Nothing new begins; what runs takes its lab away."""
        with self.lock:
            self.is_over = True
            left = list(self.running)
        for child in left:
            child.terminate()
        for child in left:
            self.stop(child)

    def lanes(self, paths, n):
        """Run files, n at a time."""
        paths = list(paths)

        def lane():
            while True:
                with self.lock:
                    if not paths or self.is_over:
                        return
                    path = paths.pop(0)
                self.one(path)

        threads = [threading.Thread(target=lane) for _ in range(n)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()


def record(took):
    """Keep what was measured; files that did not run keep theirs."""
    new = expected()
    new.update(took)
    with open(SECONDS, "w", encoding="ascii") as f:
        f.write("# seconds of each file, by run.py --record: the longest begin first\n")
        for name, seconds in sorted(new.items(), key=lambda x: (-round(x[1]), x[0])):
            if os.path.exists(os.path.join(HERE, name)):
                f.write(f"{seconds:.0f} {name}\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--lanes", type=int, default=max(3, (os.cpu_count() or 1) + 1))
    p.add_argument("--seconds", type=int, default=1500)
    p.add_argument("--record", action="store_true")
    p.add_argument("files", nargs="*")
    a = p.parse_args()
    files = a.files or glob.glob(os.path.join(HERE, "test_*.py"))
    known = expected()
    files.sort(key=lambda f: (-known.get(os.path.basename(f), NEW_FILE_S), f))
    with tempfile.TemporaryDirectory() as top:
        r = Runner(a.seconds, top)

        def ended(signo, frame):
            del frame
            r.stop_all()
            sys.exit(128 + signo)

        signal.signal(signal.SIGTERM, ended)
        signal.signal(signal.SIGINT, ended)
        r.lanes([f for f in files if os.path.basename(f) not in ALONE], a.lanes)
        r.is_alone = True
        r.lanes([f for f in files if os.path.basename(f) in ALONE] + r.again, 1)
    if a.record:
        record(r.took)
    if r.skipped:
        print(f"{r.skipped} skipped")
    print(f"{r.good} passed, {r.bad} failed")
    return 0 if r.bad == 0 and r.good > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
