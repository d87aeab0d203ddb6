# SPDX-License-Identifier: Apache-2.0
"""The wire of a measurement: two namespaces, each with a core of its own.

    gw-a (first core) ==== veth, MTU 1500 ==== gw-b (last core)

Everything that runs in a namespace is started through Wire, pinned to the core of
its side, and ended by Wire.down(), whatever happened between.
"""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

SIDES = "ab"
OTHER = {"a": "b", "b": "a"}
CORE = {"a": "0", "b": str(min(1, (os.cpu_count() or 1) - 1))}
OUT = {"a": "192.0.2.1", "b": "192.0.2.2"}      # on the wire
LAN = {"a": "10.1.0.1", "b": "10.2.0.1"}        # behind a gateway
OUT6 = {"a": "2001:db8::1", "b": "2001:db8::2"}
TUN = {"a": "10.9.0.1", "b": "10.9.0.2"}        # on the tunnel's own device
MTU = 1400                                      # inside of every tunnel
_serial = itertools.count()


def sh(*argv, timeout=60, check=True, **kw):
    r = subprocess.run([str(a) for a in argv], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=timeout,
                       stdin=subprocess.DEVNULL, check=False, **kw)
    if check and r.returncode:
        raise RuntimeError(f"{' '.join(map(str, argv))}: {r.stdout}{r.stderr}")
    return r


def until(what, seconds, step=0.005):
    end = time.monotonic() + seconds
    while not (got := what()) and time.monotonic() < end:
        time.sleep(step)
    return got


def end_all(procs, seconds, strays):
    """End processes in a friendly way, then not; strays() made themselves daemons."""
    for p in procs:
        if p.poll() is None:
            p.terminate()
    for p in procs:
        try:
            p.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait(5)
    for pid in strays():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Wire:
    """Two namespaces and a veth between them, with what runs in them."""

    def __init__(self, core=None):
        self.core = core or CORE
        tag = f"tb{os.getpid()}x{next(_serial)}"
        self.ns = {s: f"{tag}-{s}" for s in SIDES}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tapir-bench."))
        self.procs = []

    def up(self):
        for s in SIDES:
            sh("ip", "netns", "add", self.ns[s])
        sh("ip", "link", "add", "wan0", "netns", self.ns["a"], "type", "veth",
           "peer", "name", "wan0", "netns", self.ns["b"])
        for s in SIDES:
            for words in (f"addr add {OUT[s]}/24 dev wan0",
                          f"addr add {OUT6[s]}/64 dev wan0 nodad", "link set lo up",
                          "link set wan0 up", f"addr add {LAN[s]}/32 dev lo"):
                self.ip(s, *words.split())

    def ip(self, side, *words, check=True):
        return sh("ip", "-n", self.ns[side], *words, check=check)

    def device(self, side, name, seconds=10):
        """Wait for a tunnel device, give it our MTU and the address of its side."""
        if not until(lambda: self.ip(side, "link", "show", name, check=False).returncode == 0,
                     seconds, 0.01):
            raise RuntimeError(f"side {side}: no device {name}\n{self.logs()}")
        self.ip(side, "addr", "replace", f"{TUN[side]}/24", "dev", name)
        self.ip(side, "link", "set", name, "mtu", MTU, "up")

    def argv(self, side, *argv):
        return ["ip", "netns", "exec", self.ns[side], "taskset", "-c", self.core[side],
                *map(str, argv)]

    def run(self, side, *argv, **kw):
        return sh(*self.argv(side, *argv), **kw)

    def start(self, side, *argv, log=None, env=None, stdout=None):
        """Start a process; its output goes to a log of the wire's folder."""
        with open(self.dir / (log or f"log-{side}"), "ab") as out:
            p = subprocess.Popen(self.argv(side, *argv), stdin=subprocess.DEVNULL,
                                 stdout=stdout or out, stderr=out, start_new_session=True,
                                 text=True, env=dict(os.environ, **(env or {})))
        self.procs.append(p)
        return p

    def pids(self, side):
        return [int(p) for p in sh("ip", "netns", "pids", self.ns[side],
                                   check=False).stdout.split()]

    def logs(self):
        return "".join(f"{f.name}: {line}\n" for f in sorted(self.dir.glob("log-*"))
                       for line in f.read_text(errors="replace").splitlines()[-15:])

    def down(self):
        end_all(self.procs, 4, lambda: [pid for s in SIDES for pid in self.pids(s)])
        for s in SIDES:
            sh("ip", "netns", "del", self.ns[s], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)
