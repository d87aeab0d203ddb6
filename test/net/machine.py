# SPDX-License-Identifier: Apache-2.0
"""A machine with systemd in a node of a lab: the programs of this build, installed as
`make install` does, and nothing else that runs.

Its root is a file system in memory with this machine's /usr, read-only; processes, mounts,
cgroups and names are its own, the network is the node's.  What would change the kernel
below (sysctl, udev, modules, mounts) is masked."""
import os
import shutil
import signal
import subprocess

from gateway import BUILD
from lab import LabError, until

SYSTEMD = "/usr/lib/systemd/systemd"
if not os.path.exists(SYSTEMD):
    SYSTEMD = "/lib/systemd/systemd"
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# of what a target of systemd itself wants, this is let in
KEEP = {"systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket",
        "systemd-tmpfiles-setup.service"}
TARGETS = ("sysinit", "basic", "sockets", "timers", "local-fs", "multi-user", "paths")
ETC = ("passwd", "group", "shadow", "gshadow", "nsswitch.conf", "ssl", "ld.so.cache", "alternatives",
       "hosts", "login.defs", "pam.d", "security", "iproute2", "protocols", "services")

# $1 the directory of the machine, $2 its group of processes, $3 the tree, $4 the build
OUTER = r"""
set -e
if [ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]; then base=/sys/fs/cgroup kind=2
else
	mkdir "$1/cg"; mount -t cgroup -o none,name=systemd cgroup "$1/cg"; base=$1/cg kind=1
fi
mkdir "$base/$2"
echo $$ >"$base/$2/cgroup.procs"
exec unshare -C -p --fork --kill-child sh -c "$INNER" sh "$1" "$kind" "$3" "$4"
"""
INNER = r"""
set -e
mount -t tmpfs -o mode=755,size=200m none "$1/root"
cd "$1/root"
cp -a "$1/etc" .
mkdir usr proc sys dev run tmp var var/lib var/log root
chmod 1777 tmp
for d in bin sbin lib lib32 lib64 libx32; do
	if [ -L "/$d" ]; then cp -a "/$d" .
	elif [ -d "/$d" ]; then mkdir "$d"; mount --bind -o ro "/$d" "$d"; fi
done
mount --rbind /usr usr; mount -o remount,bind,ro usr
mount -t tmpfs -o mode=755 none usr/local
for d in "$3" "$4"; do mkdir -p "./$d"; mount --bind "$d" "./$d"; mount -o remount,bind,ro "./$d"; done
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 none dev
mkdir dev/net
for d in null zero full random urandom tty net/tun; do
	: >"dev/$d"; mount --bind "/dev/$d" "dev/$d"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 none dev/pts
mount -t tmpfs none dev/shm
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 none run
if [ "$2" = 2 ]; then mount -t cgroup2 cgroup2 sys/fs/cgroup
else
	mount -t tmpfs -o mode=755 none sys/fs/cgroup
	mkdir sys/fs/cgroup/systemd
	mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
exec env -i container=other PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	chroot . "$SYSTEMD" --unit=machine.target
"""


def copy_etc(etc):
    """What programs look for in /etc, without what this machine has set up there."""
    os.mkdir(etc)
    for name in ETC:
        path = os.path.join("/etc", name)
        if os.path.isdir(path):
            shutil.copytree(path, os.path.join(etc, name), symlinks=True,
                            ignore=shutil.ignore_patterns("private", "certs"))
        elif os.path.exists(path):
            shutil.copy2(path, os.path.join(etc, name))


class Machine:
    """One machine; made() says why there is none."""

    def __init__(self, lab, node):
        self.lab, self.node = lab, node
        self.dir = lab.mkdir(node + "-machine")
        self.group = f"tapir-{lab.id}-{node}"
        self.pid = 0
        os.mkdir(os.path.join(self.dir, "root"))
        self._etc(os.path.join(self.dir, "etc"))
        self.proc = None

    @staticmethod
    def _etc(etc):
        copy_etc(etc)
        units = os.path.join(etc, "systemd", "system")
        os.makedirs(units)
        os.symlink("/dev/null", os.path.join(units, "systemd-remount-fs.service"))
        for target in TARGETS:
            wants = os.path.join(os.path.dirname(SYSTEMD), "system", target + ".target.wants")
            for name in os.listdir(wants) if os.path.isdir(wants) else ():
                if name not in KEEP and not os.path.lexists(os.path.join(units, name)):
                    os.symlink("/dev/null", os.path.join(units, name))
        with open(os.path.join(units, "machine.target"), "w", encoding="ascii") as f:
            f.write("[Unit]\nRequires=sysinit.target\nAfter=sysinit.target\n"
                    "DefaultDependencies=no\nAllowIsolate=yes\n")
        with open(os.path.join(etc, "machine-id"), "w", encoding="ascii") as f:
            f.write("0123456789abcdef0123456789abcdef\n")

    def boot(self, seconds=30):
        """Start it: "", or why that cannot be done here."""
        if not os.path.exists(SYSTEMD):
            return "no systemd on this machine"
        env = dict(os.environ, INNER=INNER, SYSTEMD=SYSTEMD)
        self.proc = self.lab.spawn(self.node, "unshare", "-m", "-u", "-i", "--propagation", "private",
                                   "sh", "-c", OUTER, "sh", self.dir, self.group, ROOT, BUILD,
                                   name=f"systemd-{self.node}", env=env)

        def runs():
            """Is its first process systemd, and does it answer?"""
            try:
                with open(f"/proc/{self.proc.pid}/task/{self.proc.pid}/children",
                          encoding="ascii") as f:
                    self.pid = int((f.read().split() or ["0"])[0])
            except OSError:
                return False
            return self.pid and self.run("systemctl", "is-system-running").stdout.strip() in (
                "running", "degraded")
        if not until(seconds, lambda: runs() or self.proc.popen.poll() is not None, 0.2) or \
                self.proc.popen.poll() is not None:
            return f"systemd does not start here: {self.proc.text().strip()[-300:]}"
        return ""

    def run(self, *argv, timeout=40):
        """A program in it: CompletedProcess, output as text."""
        return subprocess.run(["nsenter", "-t", str(self.pid), "-a", "-r", "-w/", "env", "-i",
                               "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                               *map(str, argv)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              timeout=timeout, check=False)

    def need(self, *argv, **kw):
        """As run(), but a status other than 0 is an error; the output."""
        done = self.run(*argv, **kw)
        if done.returncode != 0:
            raise LabError(f"{' '.join(map(str, argv))}: {done.stdout.strip()}")
        return done.stdout

    def install(self):
        """What `make install` does."""
        return self.need("sh", "-c", f"cd {ROOT} && B={BUILD} packaging/install")

    def path(self, name):
        """A file of it, as the test sees it."""
        return f"/proc/{self.pid}/root/{name.lstrip('/')}"

    def write(self, name, text, mode=0o644):
        """A file in it."""
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
                  encoding="utf-8") as f:
            f.write(text)

    def show(self, unit, what):
        """A property of a unit."""
        return self.need("systemctl", "show", "-P", what, unit).strip()

    def close(self):
        """Everything in it ends, and its group of processes goes."""
        if self.pid:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.proc:
            self.proc.kill()
        for base in ("/sys/fs/cgroup", "/sys/fs/cgroup/systemd"):
            top = os.path.join(base, self.group)
            for path, _, _ in os.walk(top, topdown=False):
                until(2, lambda p=path: self._gone(p))

    @staticmethod
    def _gone(path):
        try:
            os.rmdir(path)
        except OSError:
            return not os.path.exists(path)
        return True
