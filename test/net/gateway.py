# SPDX-License-Identifier: Apache-2.0
"""tapird in a node of a lab: its files, its processes, its command line."""
import json
import os
import secrets
import signal

from lab import LabError, alive, until

BUILD = os.path.abspath(os.environ.get("B") or os.path.join(
    os.path.dirname(__file__), "..", "..", "build"))
TAPIRD = os.path.join(BUILD, "tapird")
TAPIR = os.path.join(BUILD, "tapir")
# A text that nothing but a leak of the key can put anywhere.
PSK = "tapir-test-psk-" + secrets.token_hex(16)


def realm(me, peer, at="", attrs='bridge="br-lan"', peer_attrs="", inner="", name="branches"):
    """One <realm> with one <peer>."""
    at = f' at="{at}"' if at else ""
    return (f'  <realm name="{name}" dpd="1" dead="3" {attrs}>\n'
            f'    <me id="{me}" psk="{name}.psk"/>\n'
            f'    <peer id="{peer}"{at} {peer_attrs}/>\n{inner}  </realm>\n')


def vpn(*realms, attrs='log="info"'):
    """A whole configuration."""
    return f"<vpn {attrs}>\n{''.join(realms)}</vpn>\n"


def office(me, at="", attrs='bridge="br-lan"', top='log="info"', **kw):
    """The configuration of tokyo or osaka, each the other's peer."""
    peer = "osaka" if me == "tokyo" else "tokyo"
    return vpn(realm(me, peer, at, attrs, **kw), attrs=top)


class Gateway:
    """One tapird and what belongs to it."""

    def __init__(self, lab, node, conf, keys=None, args=(), wrap=(), web=False):
        self.lab, self.node, self.args, self.wrap = lab, node, tuple(args), tuple(wrap)
        self.web = web
        self.dir = lab.mkdir(node)
        self.run_dir = os.path.join(self.dir, "run")
        self.conf_path = os.path.join(self.dir, "tapir.xml")
        self.proc = None
        self.write(conf, keys or {"branches.psk": PSK})

    def write(self, conf, keys):
        """Put configuration and keys in place."""
        key_dir = os.path.join(self.dir, "keys")
        os.makedirs(key_dir, exist_ok=True)
        os.chmod(key_dir, 0o700)
        with open(self.conf_path, "w", encoding="utf-8") as f:
            f.write(conf)
        for name, text in keys.items():
            path = os.path.join(key_dir, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                      encoding="utf-8") as f:
                f.write(text)

    # ---- life ---------------------------------------------------------------

    def launch(self, user=None):
        """Start it and do not wait."""
        self.proc = self.lab.spawn(
            self.node, *self.wrap, TAPIRD, "--config", self.conf_path, "--run-dir", self.run_dir,
            "--foreground", *([] if self.web else ["--no-web"]), *self.args, name=f"tapird-{self.node}", user=user)
        return self

    def start(self, seconds=10):
        """Start it and wait until it serves."""
        self.launch()
        if not until(seconds, lambda: "ready, realms" in self.log() or
                     self.proc.popen.poll() is not None):
            raise LabError(f"tapird in {self.node} is not ready:\n{self.log()}")
        if self.proc.popen.poll() is not None:
            raise LabError(f"tapird in {self.node} ended:\n{self.log()}")
        return self

    def stop(self, seconds=8):
        """SIGTERM; exit status (None: it had to be killed)."""
        if self.proc is None:
            return None
        was = self.proc.popen.poll()
        if was is None:
            self.proc.popen.terminate()
        status = self.proc.wait(seconds)
        self.proc.kill()
        return status

    def kill(self):
        """SIGKILL to every process of it at once."""
        self.proc.kill()
        until(3, lambda: not self.pids_left())

    def pids_left(self):
        """Processes of its group that still run."""
        out = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.getpgid(int(pid)) == self.proc.pid and alive(int(pid)):
                    out.append(int(pid))
            except ProcessLookupError:
                pass
        return out

    # ---- looking ------------------------------------------------------------

    def log(self):
        """What it wrote since its last start."""
        return self.proc.text() if self.proc else ""

    def lines(self, *words, level=None):
        """Log lines that hold all these words."""
        return [x for x in self.log().splitlines()
                if all(w in x for w in words) and (level is None or f" {level} " in x)]

    def _is_child(self, pid):
        """Was it started by the supervisor itself?"""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                return int(f.read().rsplit(")", 1)[1].split()[1]) == self.proc.pid
        except OSError:
            return False

    def pid(self, role):
        """Process id of super, main, secure, resolve or diary; 0 when there is none."""
        if role == "super":
            return self.proc.pid
        want = {"main": "--role\0main", "resolve": "--role\0resolve",
                "diary": "--role\0diary", "secure": "tapir-secure\0",
                "web": "tapir-web\0", "login": "tapir-login\0"}
        for pid in self.pids_left():
            if role == "secure" and not self._is_child(pid):
                continue        # its own children are called the same
            try:
                with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                    words = f.read()
            except OSError:
                continue
            if (words.startswith(want[role]) if role == "secure" else want[role] in words):
                return pid
        return 0

    def kill_role(self, role):
        """SIGKILL to one of its processes."""
        pid = self.pid(role)
        if not pid:
            raise LabError(f"{self.node} has no process {role}:\n{self.log()}")
        os.kill(pid, signal.SIGKILL)
        return pid

    # ---- asking -------------------------------------------------------------

    def tapir(self, *argv):
        """Run the command line tool against it: CompletedProcess."""
        return self.lab.run(self.node, TAPIR, "--run-dir", self.run_dir, *argv)

    def json(self, *argv):
        """The JSON document of a command that must succeed."""
        done = self.tapir("--json", *argv)
        if done.returncode != 0:
            raise LabError(f"tapir {' '.join(argv)} in {self.node}: {done.stdout}")
        return json.loads(done.stdout)

    def peer(self, index=0, name=None):
        """The status of a realm's first (or named) peer."""
        for peer in self.json("status")["realms"][index]["peers"]:
            if name in (None, peer["name"]):
                return peer
        return {}

    def is_up(self, **kw):
        """Is its first peer up?"""
        return self.peer(**kw).get("state") == "up"

    def stat(self, name):
        """One number of `tapir stats`; 0 when it is not there."""
        doc = self.json("stats", "--all")
        rows = [r for key, part in doc.items()
                if isinstance(part, list) and key != "peer_drops" for r in part]
        return sum(r["value"] for r in rows if r.get("name") == name)


class Offices:
    """tokyo at gw-a and osaka at gw-b of topo.sites(), up, with an echo across."""

    def __init__(self, lab, addr, attrs="", top='log="info"', args=()):
        self.lab = lab
        attrs = f'bridge="br-lan" {attrs}'
        self.b = Gateway(lab, "gw-b", office("osaka", attrs=attrs, top=top), args=args).start()
        self.a = Gateway(lab, "gw-a", office("tokyo", at=addr, attrs=attrs, top=top),
                         args=args).start()
        if not lab.until_ping("host-a", "10.0.0.2", 10):
            raise LabError("no ping across within 10 s")

    def stop(self):
        """End both."""
        self.a.stop()
        self.b.stop()
