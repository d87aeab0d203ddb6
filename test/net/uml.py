# SPDX-License-Identifier: Apache-2.0
"""A kernel with ESP as a process: user-mode-linux on the wire of a lab.

The guest sees this machine's files (hostfs, read-only) and has a /run of its
own.  It is asked by lines on its console.  Its card is a TAP device in the node whose
bridge is the outer wire.
"""
import itertools
import os
import shlex
import shutil
import subprocess

from charon import CONNECTION, PLUGINS
from gateway import PSK
from lab import LabError, Proc, until

KERNEL = "linux.uml"
MODULES = "/usr/lib/uml/modules"
INIT = r"""#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs run /run
stty raw -echo
mkdir -p /run/mod/lib/modules
ln -s {modules}/$(uname -r) /run/mod/lib/modules/
printf '#!/bin/sh\nexec modprobe -d /run/mod "$@"\n' >/run/modprobe
chmod 755 /run/modprobe
echo /run/modprobe >/proc/sys/kernel/modprobe
echo "@@0 0"
while read -r n line; do
	eval "$line" </dev/null
	echo "@@$n $?"
done
"""
# What its kernel does is asked for; ESP in user space is not there.
CHARON_CONF = """charon {{
  load = {plugins}
  install_virtual_ip = no
  retransmit_tries = 3
  filelog {{ log {{ path = /run/charon.log
      default = 1
      flush_line = yes }} }}
  plugins {{ vici {{ socket = unix:///run/charon.vici }} }}
}}
"""

TIMED_OUT = 124  # of timeout(1)


def missing():
    """Why there is no such kernel here; empty when there is."""
    for name in KERNEL, "modprobe":
        if not shutil.which(name):
            return f"no {name}: packages user-mode-linux and kmod (run make deps)"
    return "" if os.path.isdir(MODULES) else f"no {MODULES}"


class _Kernel(Proc):
    """A program with its console in our hands."""

    def __init__(self, argv, log):
        self.log_path = log
        with open(log, "ab") as out:
            self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=out, stderr=out,
                                          start_new_session=True)
        self.pid = self.popen.pid


class Guest:
    """The running kernel; its card vec0 is up and joined to bridge br0 of a node."""

    def __init__(self, lab, node, addrs=()):
        self.lab = lab
        self._n = itertools.count(1)
        self.dir = lab.mkdir("uml")
        init = os.path.join(self.dir, "init")
        with open(init, "w", encoding="ascii") as f:
            f.write(INIT.format(modules=MODULES))
        os.chmod(init, 0o755)
        lab.batch(node, "tuntap add dev uml0 mode tap\nlink set uml0 master br0\n"
                        "link set uml0 up\n")
        argv = [KERNEL, "mem=256M", "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
                f"init={init}", f"uml_dir={self.dir}", "con=null", "con0=fd:0,fd:1", "quiet",
                "loglevel=3", "vec0:transport=tap,ifname=uml0,depth=128"]
        self.proc = _Kernel(lab.argv(node, argv), os.path.join(lab.dir, "uml.log"))
        lab.procs.append(self.proc)
        if not until(20, lambda: "@@0 0" in self.proc.text()):
            raise LabError(f"the kernel does not boot: {self.proc.text()[-2000:]}")
        self.need("/run/modprobe -a ipv6 esp4 esp6 xfrm_user tun authencesn")
        self.need("ip link set lo up; ip link set vec0 up")
        for addr in addrs:
            self.need(f"ip addr add {addr}" + (" nodad" if ":" in addr else ""))

    def run(self, command, seconds=20):
        """A line for its shell: (status, output)."""
        n = next(self._n)
        start = os.path.getsize(self.proc.log_path)
        self.proc.popen.stdin.write(f"{n} {command}\n".encode())
        self.proc.popen.stdin.flush()

        def answer():
            with open(self.proc.log_path, "rb") as f:
                f.seek(start)
                return f.read().decode(errors="replace")
        mark = f"@@{n} "
        if not until(seconds, lambda: mark in answer() and answer().endswith("\n"), 0.01):
            raise LabError(f"{command} in the guest does not end: {answer()[-500:]}")
        text, _, status = answer().replace("\r", "").rpartition(mark)
        return int(status), text

    def need(self, command, seconds=20):
        """As run(), but a status other than 0 is an error; the output."""
        status, text = self.run(command, seconds)
        if status:
            raise LabError(f"{command} in the guest: {text.strip()}")
        return text

    def ping(self, to, count=1, size=56, source=None):
        """Number of echo replies."""
        here = f"-I {source}" if source else ""
        out = self.run(f"ping -n -q -i 0.05 -c {count} -W 1 -s {size} {here} {to}",
                       count + 20)[1]
        got = [x.split(" received")[0].split()[-1] for x in out.splitlines() if " received" in x]
        return int(got[0]) if got else 0

    def stop(self):
        """End it."""
        self.proc.stop(2)


class KernelCharon:
    """strongSwan in the guest, with the guest kernel's ESP."""

    def __init__(self, guest, **conn):
        self.guest = guest
        conn = {"psk": PSK, "top": "", "local_auth": "auth = psk", "remote_auth": "auth = psk",
                "ike": "default", "esp": "default", **conn}
        plugins = PLUGINS.replace("kernel-libipsec ", "")
        for name, text in (("strongswan.conf", CHARON_CONF.format(plugins=plugins)),
                           ("swanctl.conf", CONNECTION.format(**conn))):
            with open(os.path.join(guest.dir, name), "w", encoding="ascii") as f:
                f.write(text)

    def start(self, tries=3):
        """Start charon and load its connection; again where the guest stood still meanwhile."""
        where = shlex.quote(self.guest.dir)
        self.guest.need("rm -f /run/charon.*; ip xfrm state flush; ip xfrm policy flush; "
                        f"export SWANCTL_DIR={where} "
                        f"STRONGSWAN_CONF={where}/strongswan.conf; "
                        "/usr/lib/ipsec/charon >/run/charon.out 2>&1 & echo $! >/run/pid")
        if not until(8, lambda: self.guest.run("test -S /run/charon.vici")[0] == 0):
            raise LabError("charon does not start: " + self.log())
        status, out = self.load()
        if status == TIMED_OUT and tries > 1:
            self.stop()
            return self.start(tries - 1)
        if "loaded connection" not in out:
            raise LabError("swanctl --load-all: " + out + self.log())
        return self

    def load(self):
        """Tell charon its connection: status and output."""
        return self.guest.run("timeout 15 swanctl --load-all --uri unix:///run/charon.vici 2>&1")

    def ctl(self, *argv):
        """swanctl; its output."""
        return self.guest.run(f"timeout 15 swanctl {' '.join(argv)} "
                              "--uri unix:///run/charon.vici 2>&1")[1]

    def initiate(self):
        """Bring the tunnel up from this end; swanctl's output."""
        return self.ctl("--initiate", "--child", "c", "--timeout", "10")

    def sas(self):
        """What it thinks is up."""
        return self.ctl("--list-sas")

    def log(self):
        """charon's own log."""
        return self.guest.run("cat /run/charon.log /run/charon.out")[1]

    def stop(self):
        """End it, and what it left in the kernel."""
        if self.guest.proc.popen.poll() is not None:
            return
        self.guest.run("kill $(cat /run/pid); for i in 1 2 3 4 5 6 7 8 9 10; do "
                       "kill -0 $(cat /run/pid) 2>/dev/null || break; sleep 0.1; done; "
                       "kill -9 $(cat /run/pid) 2>/dev/null; "
                       "ip xfrm state flush; ip xfrm policy flush")
