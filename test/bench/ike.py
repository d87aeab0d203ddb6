# SPDX-License-Identifier: Apache-2.0
"""How fast a gateway sets up IKE SAs, and what they cost: tapir beside strongSwan.

    gateway (first core) ---- veth ---- dial.c (last core): many initiators

Each kind of authentication is done by both ends, by the same algorithms for both
gateways: AES-256-GCM, PRF-HMAC-SHA2-384, X25519, and a child SA of IP mode.  A
gateway is new for each measurement.  "rate" has 32 dials under way at any time,
"latency" one.  CPU is that of all processes of the gateway.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

from contenders import B, CHARON, PSK
from measures import cpu_ns, pss_mb
from topology import CORE, end_all, sh, until

DIAL = B / "test" / "bench" / "dial"
GW, FAR = "192.0.2.1", "192.0.2.2"
KINDS = ("psk", "ecdsa", "rsa")
OPENSSL = {"ecdsa": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "rsa": ("rsa:2048",)}
N_RATE, N_LATENCY, AT_ONCE = 1000, 100, 32
N_MEMORY = (2000, 10000)
REALMS = max(N_MEMORY) // 1000   # a hub has room for a thousand peers


class Authority:
    """A CA and the gateway's certificate, of one kind of key."""

    def __init__(self, top, kind):
        self.dir = top / kind
        self.dir.mkdir()
        self.kind = kind
        if kind == "psk":
            return
        new = ("openssl", "req", "-newkey", *OPENSSL[kind], "-nodes", "-days", "9")
        self.ca, self.key = self.dir / "ca.pem", self.dir / "ca.key"
        sh(*new, "-x509", "-subj", "/CN=bench", "-keyout", self.key, "-out", self.ca)
        (self.dir / "ext").write_text("subjectAltName=DNS:gw.bench\nbasicConstraints=CA:FALSE\n"
                                      "keyUsage=digitalSignature\n")
        sh(*new[:-2], "-subj", "/CN=gw.bench", "-keyout", self.dir / "gw.key",
           "-out", self.dir / "gw.csr")
        sh("openssl", "x509", "-req", "-in", self.dir / "gw.csr", "-CA", self.ca, "-CAkey",
           self.key, "-days", "9", "-extfile", self.dir / "ext", "-out", self.dir / "gw.pem")

    def argv(self):
        return ("psk", PSK) if self.kind == "psk" else (self.kind, self.ca, self.key)


class Net:
    """Two namespaces; everything started in them ends with down()."""

    def __init__(self):
        self.ns = {s: f"ti{os.getpid()}-{s}" for s in "ab"}
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="tapir-bench."))
        self.procs = []

    def up(self):
        for s in "ab":
            sh("ip", "netns", "add", self.ns[s])
        sh("ip", "link", "add", "wan0", "netns", self.ns["a"], "type", "veth",
           "peer", "name", "wan0", "netns", self.ns["b"])
        for s, words in (("a", f"addr add {GW}/30 dev wan0"), ("b", f"addr add {FAR}/30 dev wan0"),
                         ("a", "link set wan0 up"), ("b", "link set wan0 up"),
                         ("a", "link set lo up"), ("b", "link set lo up"),
                         ("a", f"route add 10.128.0.0/9 via {FAR}"),
                         ("b", "route add local 10.128.0.0/9 dev lo"),
                         ("a", "addr add 172.16.0.1/32 dev lo")):
            sh("ip", "-n", self.ns[s], *words.split())

    def start(self, side, *argv, env=None, **kw):
        with open(self.dir / f"log-{side}", "ab") as log:
            p = subprocess.Popen(
                ["ip", "netns", "exec", self.ns[side], "taskset", "-c", CORE[side],
                 *map(str, argv)], stdin=kw.get("stdin", subprocess.DEVNULL),
                stdout=kw.get("stdout", log), stderr=log, text=True, start_new_session=True,
                env=dict(os.environ, **(env or {})))
        self.procs.append(p)
        return p

    def pids(self, side):
        return [int(p) for p in sh("ip", "netns", "pids", self.ns[side],
                                   check=False).stdout.split()]

    def logs(self):
        return "".join(line for f in sorted(self.dir.glob("log-*"))
                       for line in f.read_text(errors="replace").splitlines(True)[-6:])[-1500:]

    def end_all(self):
        end_all(self.procs, 30, lambda: [pid for s in "ab" for pid in self.pids(s)])
        self.procs = []

    def down(self):
        self.end_all()
        for s in "ab":
            sh("ip", "netns", "del", self.ns[s], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Tapir:
    name = "tapir"
    needs = ()

    @staticmethod
    def start(net, auth):
        d = net.dir / f"tapir-{auth.kind}"
        shutil.rmtree(d, ignore_errors=True)
        (d / "keys").mkdir(parents=True, mode=0o700)
        if auth.kind == "psk":
            files, me, peer = {"k.psk": PSK}, 'psk="k.psk"', ""
        else:
            files = {f: (auth.dir / f).read_text() for f in ("gw.pem", "gw.key", "ca.pem")}
            me, peer = 'cert="gw.pem"', 'ca="ca.pem"'
        for name, text in files.items():
            (d / "keys" / name).touch(0o600)
            (d / "keys" / name).write_text(text)
        (d / "tapir.xml").write_text(
            '<vpn workers="1" half-open-max="4096">' + "".join(
                f'<realm name="r{r}" mode="ip" encap="udp">'
                f'<me id="gw.bench" {me}/><peer id="*.r{r}.bench" {peer}/>'
                '<net local="172.16.0.1/32" remote="10.0.0.0/9"/></realm>\n'
                for r in range(REALMS)) + "</vpn>\n")
        net.start("a", B / "tapird", "--config", d / "tapir.xml", "--run-dir", d / "run",
                  "--foreground", "--no-web")
        if not until((d / "run" / "ctl.sock").is_socket, 10):
            raise RuntimeError(f"tapird does not start: {net.logs()}")


class StrongSwan:
    name = "strongSwan"
    needs = (CHARON, "swanctl")
    LOAD = ("random nonce openssl pem pkcs1 pkcs8 x509 constraints pubkey kdf hmac curve25519 "
            "kernel-libipsec kernel-netlink socket-default vici")
    CONF = f"charon {{\n load = {LOAD}\n" """
 install_virtual_ip = no
 ikesa_table_size = 16384
 ikesa_table_segments = 16
 cookie_threshold = 0
 block_threshold = 0
 filelog { log {
  path = /run/log
  default = 0
 } }
 plugins { vici { socket = unix:///run/charon.vici
 } }
}
"""

    @staticmethod
    def start(net, auth):
        d = net.dir / f"charon-{auth.kind}"
        shutil.rmtree(d, ignore_errors=True)
        (d / "run").mkdir(parents=True)
        how = "auth = psk"
        theirs = how
        if auth.kind != "psk":
            for sub, f in (("x509", "gw.pem"), ("private", "gw.key"), ("x509ca", "ca.pem")):
                (d / sub).mkdir()
                shutil.copy(auth.dir / f, d / sub / f)
            how, theirs = "auth = pubkey\n certs = gw.pem", "auth = pubkey\n cacerts = ca.pem"
        (d / "run" / "strongswan.conf").write_text(StrongSwan.CONF)
        (d / "swanctl.conf").write_text(
            f"connections {{ t {{\n version = 2\n local_addrs = {GW}\n remote_addrs = %any\n"
            " unique = never\n proposals = aes256gcm16-prfsha384-x25519\n"
            f" local {{\n {how}\n id = gw.bench\n }}\n remote {{\n {theirs}\n id = *.bench\n }}\n"
            " children { t0 {\n local_ts = 172.16.0.1/32\n remote_ts = 10.0.0.0/9\n"
            f" esp_proposals = aes256gcm16\n }} }}\n}} }}\nsecrets {{ ike-1 {{\n"
            f" secret = \"{PSK}\"\n }} }}\n")
        net.start("a", "unshare", "-m", "--propagation", "private", "sh", "-c",
                  'mount --bind "$0" /run && exec "$1"', d / "run", CHARON,
                  env={"STRONGSWAN_CONF": "/run/strongswan.conf"})
        if not until((d / "run" / "charon.vici").is_socket, 8):
            raise RuntimeError(f"charon does not start: {net.logs()}")
        r = sh("swanctl", "--load-all", "--uri", f"unix://{d}/run/charon.vici",
               env=dict(os.environ, SWANCTL_DIR=str(d)))
        if "loaded connection" not in r.stdout:
            raise RuntimeError(f"swanctl: {r.stdout}{r.stderr}")


GATEWAYS = (Tapir, StrongSwan)


def dial(net, auth, n, at_once, up=None):
    """Connect n peers to the gateway that runs: seconds, median and 99 % in ms."""
    p = net.start("b", DIAL, GW, n, at_once, *auth.argv(), stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE)
    if p.stdout.readline().strip() != "ready":
        raise RuntimeError(f"dial does not start: {net.logs()}")
    p.stdin.write("go\n")
    p.stdin.flush()
    n_up, took, median, p99 = p.stdout.readline().split()
    if up:
        up()
    p.stdin.close()
    p.wait(30)
    if int(n_up) != n:
        raise RuntimeError(f"{n_up} of {n} peers came up: {net.logs()}")
    return float(took), float(median) / 1e3, float(p99) / 1e3


def one(net, gateway, auth):
    m = {}
    for what, n, at_once in (("latency", N_LATENCY, 1), ("rate", N_RATE, AT_ONCE)):
        try:
            gateway.start(net, auth)
            pids = net.pids("a")
            before = cpu_ns(pids)
            took, median, p99 = dial(net, auth, n, at_once)
            if what == "rate":
                m |= {"rate": n / took, "cpu_ms": (cpu_ns(net.pids("a")) - before) / n / 1e6}
            else:
                m |= {"ms": median, "p99_ms": p99}
        finally:
            net.end_all()
    return m


def ike(_e, rounds):
    """Rows: gateway and kind of authentication."""
    who = [g for g in GATEWAYS if all(shutil.which(str(p)) for p in g.needs)]
    out = {f"{g.name}, {k}": [] for k in KINDS for g in who}
    net = Net()
    try:
        net.up()
        auths = {k: Authority(net.dir, k) for k in KINDS}
        for _ in range(rounds):
            for k in KINDS:
                for g in who:
                    out[f"{g.name}, {k}"].append(one(net, g, auths[k]))
    finally:
        net.down()
    return out


def memory(_e, _rounds):
    """PSS of a gateway before and with many IKE SAs, each with a child SA.  strongSwan's
    ESP in user space takes minutes for the larger number of them."""
    out, net = {}, Net()
    try:
        net.up()
        auth = Authority(net.dir, "psk")
        for g, n in ((g, n) for n in N_MEMORY for g in GATEWAYS):
            if not all(shutil.which(str(p)) for p in g.needs) or \
                    (g is StrongSwan and n != min(N_MEMORY)):
                continue
            try:
                g.start(net, auth)
                time.sleep(1)           # all processes have begun
                before, after = pss_mb(net.pids("a")), []
                took, _, _ = dial(net, auth, n, AT_ONCE,
                                  lambda after=after: after.append(pss_mb(net.pids("a"))))
                out[f"{g.name}, {n}"] = [{"before_mb": before, "after_mb": after[0],
                                          "setup_s": took,
                                          "kb": (after[0] - before) * 1024 / n}]
            finally:
                net.end_all()
    finally:
        net.down()
    return out


if __name__ == "__main__":
    import sys
    for name, runs in (memory if "memory" in sys.argv else ike)(None, 1).items():
        print(name, {k: round(statistics.median(r[k] for r in runs), 3) for k in runs[0]})
