# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, processes and files of one test topology.

A Lab makes namespaces with names nobody else has, starts programs in them, and
takes all of it away again in close(), whatever happened in between.
"""
import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

PREFIX = f"tn{os.getpid()}"
_serial = itertools.count()
_open_labs = []


class LabError(Exception):
    """A step of building or using a lab failed; the text says which and why."""


PATIENCE = 4    # times as long as it takes, for machines that are slow or busy


def until(seconds, check, step=0.05):
    """Call check() until it is true; its last value.  The time is what it should take."""
    return within(seconds * PATIENCE, check, step)


def within(seconds, check, step=0.05):
    """The same within just this time: for what must not happen meanwhile."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value or time.monotonic() >= end:
            return value
        time.sleep(step)


def alive(pid):
    """Has a process a thread that is not a zombie?  (One of them keeps the files open,
    even when the first thread is gone.)"""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return False
    for task in tasks:
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as f:
                if f.read().rsplit(")", 1)[1].split()[0] not in "ZX":
                    return True
        except OSError:
            pass
    return False


class Proc:
    """A program in its own process group, output in a file."""

    def __init__(self, argv, log, env=None, user=None):
        self.log_path = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                start_new_session=True, user=user)
        self.pid = self.popen.pid

    def text(self):
        """Everything it has written so far."""
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, seconds):
        """Exit status, None when it still runs long after what it should take."""
        try:
            return self.popen.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            return None

    def signal_group(self, signo):
        """Signal the whole process group."""
        try:
            os.killpg(self.pid, signo)
        except ProcessLookupError:
            pass

    def stop(self, seconds=3):
        """TERM to the leader, KILL to the group after a while; exit status."""
        if self.popen.poll() is None:
            self.popen.terminate()
        status = self.wait(seconds)
        self.signal_group(signal.SIGKILL)
        return self.popen.wait() if status is None else status

    def kill(self):
        """KILL to the whole group."""
        self.signal_group(signal.SIGKILL)
        self.popen.wait()


class Lab:
    """Namespaces with wires between them."""

    def __init__(self):
        self.id = f"{PREFIX}x{next(_serial)}"
        self.nodes = []
        self.procs = []
        self.dir = tempfile.mkdtemp(prefix=f"{self.id}-")
        os.chmod(self.dir, 0o755)
        _open_labs.append(self)

    # ---- building ---------------------------------------------------------

    def ns(self, node):
        """The name of a node's namespace."""
        return f"{self.id}-{node}"

    def add(self, *nodes):
        """Make namespaces, with loopback up."""
        for node in nodes:
            self.ip("netns", "add", self.ns(node))
            self.nodes.append(node)
            self.ip("-n", self.ns(node), "link", "set", "lo", "up")

    @staticmethod
    def ip(*words):
        """One `ip` command here."""
        done = subprocess.run(["ip", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=20, check=False)
        if done.returncode != 0:
            raise LabError(f"ip {' '.join(words)}: {done.stdout.decode().strip()}")
        return done.stdout.decode()

    def batch(self, node, text):
        """Several `ip` commands in a node, a line each."""
        done = subprocess.run(["ip", "-n", self.ns(node), "-batch", "-"], input=text.encode(),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20,
                              check=False)
        if done.returncode != 0:
            raise LabError(f"ip in {node}: {done.stdout.decode().strip()}")

    def wire(self, a, if_a, b, if_b):
        """A veth pair between two nodes, both ends up."""
        self.ip("link", "add", if_a, "netns", self.ns(a), "type", "veth",
                "peer", "name", if_b, "netns", self.ns(b))
        self.batch(a, f"link set {if_a} up\n")
        self.batch(b, f"link set {if_b} up\n")

    # ---- running ----------------------------------------------------------

    def argv(self, node, argv):
        """A command line that runs argv in a node."""
        return ["ip", "netns", "exec", self.ns(node), *[str(a) for a in argv]]

    def run(self, node, *argv, timeout=20, text=None):
        """Run a program in a node to its end: CompletedProcess, output as text."""
        return subprocess.run(self.argv(node, argv), stdin=None if text else subprocess.DEVNULL,
                              input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", timeout=timeout * PATIENCE, check=False)

    def need(self, node, *argv, **kw):
        """As run(), but a status other than 0 is an error; the output."""
        done = self.run(node, *argv, **kw)
        if done.returncode != 0:
            raise LabError(f"{' '.join(map(str, argv))} in {node}: {done.stdout.strip()}")
        return done.stdout

    def spawn(self, node, *argv, name=None, env=None, user=None):
        """Start a program in a node; it ends with the lab at the latest."""
        log = os.path.join(self.dir, f"{name or os.path.basename(str(argv[0]))}"
                                     f".{next(_serial)}.log")
        proc = Proc(self.argv(node, argv), log, env, user)
        self.procs.append(proc)
        return proc

    def mkdir(self, *parts):
        """A directory below the lab's own."""
        path = os.path.join(self.dir, *parts)
        os.makedirs(path, exist_ok=True)
        return path

    # ---- asking -----------------------------------------------------------

    def ping(self, node, to, count=1, size=56, wait=1, source=None, more=()):
        """Number of echo replies.  A few that shall all come back get a second chance: one
        echo of three is lost now and then where processors are few."""
        got = self._ping(node, to, count, size, wait, source, more)
        if 0 < got < count <= 5:
            got = self._ping(node, to, count, size, wait, source, more)
        return got

    def _ping(self, node, to, count, size, wait, source, more):
        argv = ["ping", "-n", "-q", "-i", "0.05", "-c", count, "-W", wait, "-s", size, *more]
        if source:
            argv += ["-I", source]
        out = self.run(node, *argv, to, timeout=count + wait + 20).stdout
        for line in out.splitlines():
            if " received" in line:
                return int(line.split(" received")[0].split()[-1])
        return 0

    def until_ping(self, node, to, seconds=10, **kw):
        """Does an echo come back within so many seconds?"""
        return until(seconds, lambda: self.ping(node, to, **kw) > 0, 0.1)

    def tcp(self, server, client, address, source=None, size="4M", port=5201, reverse=False):
        """Move size bytes over TCP with iperf3; bits per second the sink saw."""
        sink = self.spawn(server, "iperf3", "-s", "-1", "-p", port, name="iperf3")
        listening = ("ss", "-Hltn", f"sport = :{port}")
        if not until(5, lambda: self.run(server, *listening).stdout.strip()):
            raise LabError(f"iperf3 does not listen: {sink.text()}")
        argv = ["iperf3", "-J", "-c", address, "-p", port, "-n", size]
        argv += ["-B", source] if source else []
        argv += ["-R"] if reverse else []
        try:
            done = self.run(client, *argv, timeout=30)
        except subprocess.TimeoutExpired as e:
            raise LabError(f"TCP from {client} to {server} does not end") from e
        finally:
            sink.stop(1)
        result = json.loads(done.stdout or "{}")
        if "error" in result or "end" not in result:
            raise LabError(f"iperf3: {result.get('error', done.stdout)}")
        return result["end"]["sum_received"]["bits_per_second"]

    # ---- the end ----------------------------------------------------------

    def close(self):
        """Take everything away; safe to call twice."""
        for proc in reversed(self.procs):
            proc.stop(2)
        for node in self.nodes:
            left = subprocess.run(["ip", "netns", "pids", self.ns(node)],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
            for pid in left.stdout.split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            subprocess.run(["ip", "netns", "del", self.ns(node)], check=False,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.procs, self.nodes = [], []
        if not os.environ.get("KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)
        if self in _open_labs:
            _open_labs.remove(self)


def open_procs():
    """Every program of the labs that are open."""
    return [proc for lab in _open_labs for proc in lab.procs]


def close_all():
    """Close whatever labs are still open."""
    for lab in list(_open_labs):
        lab.close()
