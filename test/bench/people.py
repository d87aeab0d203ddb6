# SPDX-License-Identifier: Apache-2.0
"""Road warriors: people who log in by EAP-MSCHAPv2 at a gateway with a certificate.

    gateway (first core) ---- veth ---- dial.c, or a daemon (last core)

"people" has a crowd of one program: each asks for an address and a child SA for it.
"latency" is of one who comes alone, "at once" of a thousand who come together, and the
memory of a client is what the gateway grew by, with its child SA, its address and its
port.  The algorithms are those of ike.py.

"warrior" has a daemon at the far end, as a laptop has, and looks at the wire: from its
first IKE datagram to the last one before ESP.  "resumed" is the same after the line was
cut until both ends had given the other up; the ticket makes up for certificate and
password (RFC 5723).
"""
import os
import re
import shutil
import signal
import subprocess
import time

from contenders import B, CHARON
from ike import DIAL, FAR, GW, Authority, Net, StrongSwan, Tapir
from measures import handshake_ms, pss_mb
from topology import sh, until

WORD = "a pass phrase"
NT = "f64b56fd909abe870184896c287b74fe"     # MD4 of it in UTF-16
USER = "p{}@r0.bench"
N_ALONE, N_CROWD = 100, 1000
REALM = ('<realm name="r0" mode="ip" encap="udp" {more}><match id="*@r0.bench"/>'
         '<me id="gw.bench" cert="gw.pem"/><eap users="r0.users"/>'
         '<pool net="10.20.0.0/16" route="172.16.0.1/32"/></realm>\n')
CLIENT = ('<vpn log="info"><realm name="office" mode="ip" encap="udp" dpd="1" dead="2">'
          '<me eap="{user}"/><peer id="gw.bench" name="gw" at="{gw}" ca="ca.pem"/>'
          '<net remote="172.16.0.1/32"/></realm></vpn>\n')


def keys(d, files):
    (d / "keys").mkdir(parents=True, mode=0o700)
    for name, text in files.items():
        (d / "keys" / name).touch(0o600)
        (d / "keys" / name).write_text(text)


class TapirPeople(Tapir):
    @staticmethod
    def start(net, auth, more=""):
        d = net.dir / "tapir"
        shutil.rmtree(d, ignore_errors=True)
        keys(d, {"gw.pem": (auth.dir / "gw.pem").read_text(),
                 "gw.key": (auth.dir / "gw.key").read_text(),
                 "r0.users": "".join(f"{USER.format(i)}:nt:{NT}\n" for i in range(N_CROWD))})
        (d / "tapir.xml").write_text('<vpn workers="1" log="info" half-open-max="4096">'
                                     f'{REALM.format(more=more)}</vpn>\n')
        net.start("a", B / "tapird", "--config", d / "tapir.xml", "--run-dir", d / "run",
                  "--foreground", "--no-web")
        if not until((d / "run" / "ctl.sock").is_socket, 10):
            raise RuntimeError(f"tapird does not start: {net.logs()}")


class StrongSwanPeople(StrongSwan):
    @staticmethod
    def start(net, auth):
        d = net.dir / "charon"
        shutil.rmtree(d, ignore_errors=True)
        (d / "run").mkdir(parents=True)
        for sub, f in (("x509", "gw.pem"), ("private", "gw.key"), ("x509ca", "ca.pem")):
            (d / sub).mkdir()
            shutil.copy(auth.dir / f, d / sub / f)
        (d / "run" / "strongswan.conf").write_text(StrongSwan.CONF.replace(
            StrongSwan.LOAD, StrongSwan.LOAD + " md4 eap-identity eap-mschapv2"))
        secrets = "".join(f'eap-{i} {{\n id = {USER.format(i)}\n secret = "{WORD}"\n }}\n'
                          for i in range(N_CROWD))
        (d / "swanctl.conf").write_text(
            f"connections {{ t {{\n version = 2\n local_addrs = {GW}\n remote_addrs = %any\n"
            " unique = never\n proposals = aes256gcm16-prfsha384-x25519\n pools = p\n"
            " local {\n auth = pubkey\n certs = gw.pem\n id = gw.bench\n }\n"
            " remote {\n auth = eap-mschapv2\n eap_id = %any\n }\n"
            " children { t0 {\n local_ts = 172.16.0.1/32\n remote_ts = dynamic\n"
            " esp_proposals = aes256gcm16\n } }\n} }\n"
            f"pools {{ p {{\n addrs = 10.20.0.0/16\n }} }}\nsecrets {{\n{secrets}}}\n")
        net.start("a", "unshare", "-m", "--propagation", "private", "sh", "-c",
                  'mount --bind "$0" /run && exec "$1"', d / "run", CHARON,
                  env={"STRONGSWAN_CONF": "/run/strongswan.conf"})
        if not until((d / "run" / "charon.vici").is_socket, 8):
            raise RuntimeError(f"charon does not start: {net.logs()}")
        r = sh("swanctl", "--load-all", "--uri", f"unix://{d}/run/charon.vici",
               env=dict(os.environ, SWANCTL_DIR=str(d)))
        if "loaded connection" not in r.stdout:
            raise RuntimeError(f"swanctl: {r.stdout}{r.stderr}")


GATEWAYS = (TapirPeople, StrongSwanPeople)


def come(net, n, at_once, up=lambda: None):
    """n people, at_once of them at a time: seconds, median and 99 % in ms."""
    p = net.start("b", DIAL, GW, n, at_once, "mschapv2", WORD, stdin=subprocess.PIPE,
                  stdout=subprocess.PIPE)
    if p.stdout.readline().strip() != "ready":
        raise RuntimeError(f"dial does not start: {net.logs()}")
    p.stdin.write("go\n")
    p.stdin.flush()
    n_up, took, median, p99, n_lease, _ = p.stdout.readline().split()
    up()
    p.stdin.close()
    p.wait(30)
    if (int(n_up), int(n_lease)) != (n, n):
        raise RuntimeError(f"{n_up} of {n} are up, with {n_lease} addresses: {net.logs()}")
    return float(took), float(median) / 1e3, float(p99) / 1e3


def one(net, gateway, auth):
    m = {}
    try:
        gateway.start(net, auth)
        _, m["ms"], m["p99_ms"] = come(net, N_ALONE, 1)
    finally:
        net.end_all()
    try:
        gateway.start(net, auth)
        time.sleep(1)                   # all processes have begun
        before, after = pss_mb(net.pids("a")), []
        m["crowd_s"], _, m["crowd_p99_ms"] = come(
            net, N_CROWD, N_CROWD, lambda: after.append(pss_mb(net.pids("a"))))
        m["kb"] = (after[0] - before) * 1024 / N_CROWD
    finally:
        net.end_all()
    return m


def people(_e, rounds):
    """Rows: gateways."""
    who = [g for g in GATEWAYS if all(shutil.which(str(p)) for p in g.needs)]
    out, net = {g.name: [] for g in who}, Net()
    try:
        net.up()
        auth = Authority(net.dir, "ecdsa")
        for _ in range(rounds):
            for g in who:
                out[g.name].append(one(net, g, auth))
    finally:
        net.down()
    return out


# ---- a laptop --------------------------------------------------------------------------

class Capture:
    """What passes at the far end."""

    def __init__(self, net, name):
        self.path = net.dir / f"{name}.pcap"
        self.proc = net.start("b", "tcpdump", "-i", "wan0", "-U", "--immediate-mode", "-Z",
                              "root", "-s", "128", "-w", self.path)
        if not until(lambda: self.path.exists() and self.path.stat().st_size >= 24, 5):
            raise RuntimeError(f"tcpdump does not start: {net.logs()}")

    def ms(self):
        self.proc.send_signal(signal.SIGINT)
        self.proc.wait(5)
        return handshake_ms(self.path)


class Laptop:
    """A tapird that logs in."""

    def __init__(self, net, auth):
        self.net, self.dir = net, net.dir / "laptop"
        shutil.rmtree(self.dir, ignore_errors=True)
        user = USER.format(0)
        keys(self.dir, {"ca.pem": (auth.dir / "ca.pem").read_text(), f"{user}.eap": WORD + "\n"})
        (self.dir / "tapir.xml").write_text(CLIENT.format(user=user, gw=GW))

    def start(self):
        self.net.start("b", B / "tapird", "--config", self.dir / "tapir.xml", "--run-dir",
                       self.dir / "run", "--foreground", "--no-web")

    def answers(self):
        return sh("ip", "netns", "exec", self.net.ns["b"], "ping", "-n", "-q", "-c", "1", "-W",
                  "0.1", "172.16.0.1", check=False).returncode == 0

    def is_down(self):
        said = sh("ip", "netns", "exec", self.net.ns["b"], B / "tapir", "--run-dir",
                  self.dir / "run", "--json", "status", check=False).stdout
        return re.search(r'"state":\s*"(down|connecting)"', said) is not None


def warrior_once(net, auth):
    m = {}
    TapirPeople.start(net, auth, 'dpd="1" dead="2"')
    laptop, cap = Laptop(net, auth), Capture(net, "cold")
    laptop.start()
    if not until(laptop.answers, 15):
        raise RuntimeError(f"no ping: {net.logs()}")
    m["cold_ms"] = cap.ms()
    sh("ip", "-n", net.ns["a"], "link", "set", "wan0", "down")
    try:
        if not until(laptop.is_down, 20):
            raise RuntimeError("the line is cut, and nobody notices")
        time.sleep(3)                   # the gateway has noticed, too
    finally:
        sh("ip", "-n", net.ns["a"], "link", "set", "wan0", "up")
        sh("ip", "-n", net.ns["a"], "route", "replace", "10.128.0.0/9", "via", FAR)
    cap = Capture(net, "resumed")
    if not until(laptop.answers, 60):
        raise RuntimeError(f"no ping again: {net.logs()}")
    ms = cap.ms()
    logs = "".join(f.read_text(errors="replace") for f in net.dir.glob("log-b"))
    if "resumed by a ticket" not in logs:
        raise RuntimeError("it came back without a ticket")
    m["resumed_ms"] = ms
    return m


def warrior(_e, rounds):
    """One row: what the wire shows of a laptop that connects, and of one that comes back."""
    out, net = {"tapir": []}, Net()
    try:
        net.up()
        auth = Authority(net.dir, "ecdsa")
        for _ in range(rounds):
            try:
                out["tapir"].append(warrior_once(net, auth))
            finally:
                net.end_all()
    finally:
        net.down()
    return out
