# SPDX-License-Identifier: Apache-2.0
"""What the browser interface costs, and how fast it tells what happens.

    first core: tapird, tapir-web          last core: who reads, over bus.sock

Each reader has a session and a read that is held.  An event is made by a command that
cannot be done (new keys of a peer that is down): it is told all the same.  The latency
is that of one reader, a process of its own, from sending the command to having the
event; the other readers read beside it.  With 1,000 events a second it is from the
time that stands in the event, in whole milliseconds.
"""
import json
import mmap
import os
import pathlib
import re
import resource
import select
import signal
import socket
import statistics
import struct
import time

from contenders import B, PSK
from measures import pss_mb
from topology import CORE, Wire, until

CONF = ('<vpn workers="1"><realm name="bench"><me id="a" psk="k.psk"/><peer id="b" dial="no" '
        'at="192.0.2.2"/></realm><web sessions="1024"/></vpn>\n')
REKEY, AT_ONCE = 8, 1000
SAMPLES, IDLE_S, LOAD_S = 100, 5, 5
EVENT = b'"event":"command"'
LAST = re.compile(rb'"last":(\d+)')
TIME = re.compile(rb'"event":"command","seq":\d+,"time_ms":(\d+)')


class Reader:
    """A session of bus.sock whose read is always held."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(path))
        self.data = b""
        self.ask(b"POST /bus/open", b"Content-Length: 0\r\n")
        body = None
        while body is None:
            body = self.take()
        self.ident = json.loads(body)["id"].encode()
        self.read(b"0")

    def ask(self, what, fields=b""):
        self.sock.sendall(what + b" HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n" +
                          fields + b"\r\n")

    def read(self, after):
        self.ask(b"GET /bus/read/" + self.ident + b"?after=" + after)

    def take(self):
        """What can be read now; the body, once the answer is whole."""
        got = self.sock.recv(1 << 20)
        if not got:
            raise RuntimeError("tapir-web closed a session")
        self.data += got
        head, _, body = self.data.partition(b"\r\n\r\n")
        m = re.search(rb"Content-Length: (\d+)", head)
        if not m or len(body) < int(m[1]):
            return None
        self.data = b""
        if not head.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(head.decode(errors="replace"))
        return body

    def turn(self):
        """The next batch, and the next read; None: it is not whole yet."""
        body = self.take()
        if body is not None:
            self.read(LAST.search(body)[1])
        return body


def crowd(path, n, ready, got):
    """Readers in a process of their own, until it is ended; got counts their events."""
    os.sched_setaffinity(0, {int(CORE["b"])})
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    os.nice(10)                                 # the one that is measured goes first
    poll, by_fd = select.epoll(), {}
    for _ in range(n):
        r = Reader(path)
        by_fd[r.sock.fileno()] = r
        poll.register(r.sock, select.EPOLLIN)
    os.write(ready, b"1")
    while True:
        for fd, _ in poll.poll():
            body = by_fd[fd].turn()
            if body:
                got[0] += body.count(EVENT)


def start_crowd(path, n, got):
    get, put = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            crowd(path, n, put, got)
        finally:
            os._exit(1)
    os.close(put)
    ok = os.read(get, 1) == b"1"
    os.close(get)
    if not ok:
        raise RuntimeError(f"{n} readers do not come in")
    return pid


class Core:
    """The control socket: commands that are told and not done."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.connect(str(path))
        self.sock.setblocking(False)

    def event(self):
        head = struct.pack(">BHIQQ", 1, REKEY, 1, 0, 0)
        self.sock.send(head + b"\0\5bench\0\1b\0\0")

    def drain(self):
        try:
            while self.sock.recv(65536):
                pass
        except BlockingIOError:
            pass


def cpu_s(pid):
    f = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")


def percentile(v, p):
    return sorted(v)[min(len(v) - 1, int(len(v) * p))]


def alone(core, reader):
    """ms from a command to its event, one after the other."""
    out = []
    for _ in range(SAMPLES):
        time.sleep(0.02)
        core.drain()
        begin = time.monotonic()
        core.event()
        while True:
            body = reader.turn()
            if body is not None and EVENT in body:
                break
            if time.monotonic() > begin + 5:
                raise RuntimeError("an event does not come")
        out.append((time.monotonic() - begin) * 1000)
    return {"event_ms": statistics.median(out), "event_p99_ms": percentile(out, 0.99)}


def load(core, reader, pids, n_reader, got):
    """1,000 events a second; a second more for who is behind."""
    web, main = pids
    ms, n, begin = [], 0, time.monotonic()
    before, others = (cpu_s(web), cpu_s(main)), got[0]
    while (now := time.monotonic()) < begin + LOAD_S + 1:
        while n < AT_ONCE * LOAD_S and begin + n / AT_ONCE <= now:
            core.event()
            n += 1
        core.drain()
        if select.select([reader.sock], [], [], 0.001)[0]:
            body = reader.turn()
            wall = time.time() * 1000
            ms += [wall - int(t) for t in TIME.findall(body or b"")]
    if not ms:
        raise RuntimeError("no event came")
    return {"load_cpu": (cpu_s(web) - before[0]) / LOAD_S * 100,
            "load_core_cpu": (cpu_s(main) - before[1]) / LOAD_S * 100, "got": (len(ms) + got[0] - others) / n / n_reader,
            "load_ms": statistics.median(ms), "load_p99_ms": percentile(ms, 0.99)}


def start(w):
    """tapird with its browser interface; pids of tapir-web and of role main."""
    d = w.dir / "a"
    (d / "keys").mkdir(parents=True, mode=0o700)
    key = d / "keys" / "k.psk"
    key.touch(0o600)
    key.write_text(PSK)
    (d / "tapir.xml").write_text(CONF)
    w.start("a", B / "tapird", "--config", d / "tapir.xml", "--run-dir", d / "run", "--foreground")

    def with_word(word):
        return next((p for p in nested(w)
                     if word in pathlib.Path(f"/proc/{p}/cmdline").read_bytes()), 0)
    if not until(lambda: (d / "run" / "bus.sock").is_socket() and with_word(b"tapir-web\0--"),
                 10, 0.05):
        raise RuntimeError(f"no tapir-web\n{w.logs()}")
    time.sleep(0.5)
    return d / "run", with_word(b"tapir-web\0--"), with_word(b"--role\0main")


def nested(w):
    """Children of the supervisor that are in a namespace of their own."""
    out, todo = [], [p.pid for p in w.procs if p.poll() is None]
    while todo:
        pid = todo.pop()
        for f in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            kids = [int(k) for k in f.read_text().split()]
            out += kids
            todo += kids
    return out


def state(run, web, main, n):
    """One row: with so many reads held."""
    pid, out = 0, {}
    got = memoryview(mmap.mmap(-1, 8)).cast("Q")        # of the crowd
    try:
        if n > 1:
            pid = start_crowd(run / "bus.sock", n - 1, got)
        reader = Reader(run / "bus.sock") if n else None
        end = time.monotonic() + 1              # the state of all peers, once
        while reader and time.monotonic() < end:
            if select.select([reader.sock], [], [], 0.1)[0]:
                reader.turn()
        begin = cpu_s(web)
        time.sleep(IDLE_S)
        out = {"idle_cpu": (cpu_s(web) - begin) / IDLE_S * 100, "web_mb": pss_mb([web])}
        core = Core(run / "ctl.sock")
        if n:
            out |= alone(core, reader) | load(core, reader, (web, main), n, got)
        return out
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def reads(_, rounds):
    names = {0: "nobody", 1: "1 read", 100: "100 reads", 1000: "1,000 reads"}
    out = {name: [] for name in names.values()}
    os.sched_setaffinity(0, {int(CORE["b"])})
    try:
        for _ in range(rounds):
            for n, name in names.items():
                w = Wire()
                try:
                    w.up()
                    out[name].append(state(*start(w), n))
                finally:
                    w.down()
    finally:
        os.sched_setaffinity(0, range(os.cpu_count()))
    return out
