# SPDX-License-Identifier: Apache-2.0
"""The other VPNs in user space, each tuned as its own documentation advises.

What all have in common: IPv4 and UDP outside, no compression, the MTU inside of
topology.MTU, keys of 256 bits where there is a choice.
"""
import functools
import os
import pathlib
import shutil
import tempfile

from contenders import Contender, SUITE
from topology import MTU, OTHER, OUT, TUN, sh, until


class OpenVpn(Contender):
    """TLS with pinned certificates; fast-io, large socket buffers, no mssfix: no
    packet needs cutting.  DCO is off: it would be the kernel's data path."""
    package, needs, suite = "openvpn", ("openvpn", "openssl"), SUITE

    def __init__(self, dev):
        self.name, self.dev = f"OpenVPN {dev}", dev

    @staticmethod
    def certificate(d):
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
           "-nodes", "-days", "2", "-subj", "/CN=bench", "-keyout", d / "key", "-out", d / "crt")
        return sh("openssl", "x509", "-in", d / "crt", "-noout", "-fingerprint",
                  "-sha256").stdout.strip().split("=", 1)[1]

    def prepare(self, w):
        for s in "ab":
            (w.dir / s).mkdir()
        self.print_of = {s: self.certificate(w.dir / s) for s in "ab"}

    def start(self, w):
        for s in "ba":
            o, d = OTHER[s], w.dir / s
            far = [TUN[o]] if self.dev == "tun" else ["255.255.255.0"]
            tls = ["--tls-server", "--dh", "none"] if s == "b" else ["--tls-client"]
            w.start(s, "openvpn", "--dev", "vpn0", "--dev-type", self.dev, "--proto", "udp",
                    "--local", OUT[s], "--remote", OUT[o], *tls, "--cert", d / "crt",
                    "--key", d / "key", "--peer-fingerprint", self.print_of[o],
                    "--ifconfig", TUN[s], *far, "--data-ciphers", SUITE, "--disable-dco",
                    "--tun-mtu", MTU, "--mssfix", "0", "--fast-io", "--sndbuf", "1048576",
                    "--rcvbuf", "1048576", "--txqueuelen", "1000", "--verb", "2")


class WireGuardGo(Contender):
    """Its crypto is ChaCha20-Poly1305, it has no other."""
    package, suite = "wireguard-go", "ChaCha20-Poly1305"

    def __init__(self, name="wireguard-go", program="wireguard-go"):
        self.name, self.program = name, program
        self.needs = (program, "wg")

    def version(self):
        if self.program == "wireguard-go":
            return super().version()
        return sh(self.program, "--version", check=False).stdout.split("\n")[0].split()[-1]

    def prepare(self, w):
        private = {s: sh("wg", "genkey").stdout.strip() for s in "ab"}
        for s in "ab":
            o = OTHER[s]
            public = sh("sh", "-c", f"echo {private[o]} | wg pubkey").stdout.strip()
            (w.dir / f"wg-{s}.conf").write_text(
                f"[Interface]\nPrivateKey = {private[s]}\nListenPort = 51820\n"
                f"[Peer]\nPublicKey = {public}\nAllowedIPs = {TUN[o]}/32\n"
                f"Endpoint = {OUT[o]}:51820\n")

    def start(self, w):
        dev = {s: f"wg{os.getpid()}{s}" for s in "ab"}
        for s in "ba":
            # Its control socket lies in /run, which the namespaces share: a name of our own.
            w.start(s, self.program, "-f", dev[s], env={"LOG_LEVEL": "error"})
            until(pathlib.Path(f"/var/run/wireguard/{dev[s]}.sock").is_socket, 5)
            w.run(s, "wg", "setconf", dev[s], w.dir / f"wg-{s}.conf")
            w.device(s, dev[s])


class Fastd(Contender):
    """The method it recommends; aes128-ctr+umac, its other fast one, is level with it."""
    name, package, needs = "fastd", "fastd", ("fastd",)
    suite = METHOD = "salsa2012+umac"

    def prepare(self, w):
        secret, public = {}, {}
        for s in "ab":
            secret[s] = sh("fastd", "--generate-key", "--machine-readable").stdout.strip()
            (w.dir / f"key-{s}").write_text(f'secret "{secret[s]}";\n')
            public[s] = sh("fastd", "--show-key", "--machine-readable", "--config",
                           w.dir / f"key-{s}").stdout.strip()
        for s in "ab":
            o, conf = OTHER[s], w.dir / f"fastd-{s}.conf"
            conf.write_text(f'mode tap; interface "fastd0"; mtu {MTU}; method "{self.METHOD}";\n'
                            f'bind {OUT[s]}:10000; secret "{secret[s]}"; log level error;\n'
                            f'peer "far" {{ key "{public[o]}"; remote {OUT[o]}:10000; }}\n')

    def start(self, w):
        for s in "ba":
            w.start(s, "fastd", "--config", w.dir / f"fastd-{s}.conf")
            w.device(s, "fastd0")


class Tinc(Contender):
    """The MTU is fixed by hand: while tinc discovers it, packets go over TCP."""
    package, needs, suite = "tinc", ("tincd",), "AES-256-CBC, SHA-256"

    def __init__(self, mode):
        self.name, self.mode = f"tinc {mode}", mode

    @staticmethod
    @functools.cache
    def keys():
        """A pair of RSA keys, made once: private text and public text by side."""
        out = {}
        for s in "ab":
            with tempfile.TemporaryDirectory(prefix="tapir-bench.") as d:
                (pathlib.Path(d) / "hosts").mkdir()
                (pathlib.Path(d) / "tinc.conf").write_text(f"Name = {s}\n")
                sh("tincd", "-c", d, "-K2048")
                out[s] = ((pathlib.Path(d) / "rsa_key.priv").read_text(),
                          (pathlib.Path(d) / "hosts" / s).read_text())
        return out

    def prepare(self, w):
        keys = self.keys()
        for s in "ab":
            d = w.dir / s
            (d / "hosts").mkdir(parents=True)
            (d / "tinc.conf").write_text(
                f"Name = {s}\nMode = {self.mode}\nInterface = tinc0\nAddressFamily = ipv4\n"
                f"DeviceType = {'tun' if self.mode == 'router' else 'tap'}\n"
                f"UDPRcvBuf = 1048576\nUDPSndBuf = 1048576\nReplayWindow = 128\n"
                + ("ConnectTo = b\n" if s == "a" else ""))
            (d / "rsa_key.priv").write_text(keys[s][0])
            (d / "rsa_key.priv").chmod(0o600)
            for h in "ab":
                (d / "hosts" / h).write_text(
                    f"Address = {OUT[h]}\nSubnet = {TUN[h]}/32\nPMTU = 1500\n"
                    f"PMTUDiscovery = no\nCipher = aes-256-cbc\nDigest = sha256\n"
                    f"Compression = 0\n{keys[h][1]}")

    def start(self, w):
        for s in "ba":
            d = w.dir / s
            w.start(s, "tincd", "-c", d, "-D", "-d1", f"--pidfile={d}/pid")
            w.device(s, "tinc0")
            until((d / "pid").exists, 3)


class SoftEther(Contender):
    """A client on a, a hub with a TAP on b; TLS over eight TCP connections, as it
    advises for broad lines (its UDP acceleration is level with that here).

    It keeps its state beside its program: each side runs a copy of its own.
    """
    name, package, suite = "SoftEther", "softether-vpnserver", SUITE
    LIB = pathlib.Path("/usr/libexec/softether")
    needs = (LIB / "vpnserver/vpnserver", LIB / "vpnclient/vpnclient", "vpncmd")
    PROGRAM = {"b": "vpnserver", "a": "vpnclient"}
    SERVER = ("ServerCipherSet ECDHE-RSA-AES256-GCM-SHA384",
              "UserCreate bench /GROUP:none /REALNAME:none /NOTE:none",
              "UserPasswordSet bench /PASSWORD:bench", "BridgeCreate DEFAULT /DEVICE:bench /TAP:yes")
    CLIENT = ("NicCreate bench",
              f"AccountCreate bench /SERVER:{OUT['b']}:5555 /HUB:DEFAULT /USERNAME:bench "
              "/NICNAME:bench", "AccountPasswordSet bench /PASSWORD:bench /TYPE:standard",
              "AccountDetailSet bench /MAXTCP:8 /INTERVAL:1 /TTL:0 /HALF:no /BRIDGE:no "
              "/MONITOR:no /NOTRACK:yes /NOQOS:yes /NOUDPACCEL:yes", "AccountConnect bench")

    @staticmethod
    def command(w, side, where, lines):
        """Hand vpncmd its lines; it takes a file, and waits until the daemon answers."""
        script = w.dir / f"vpncmd-{side}"
        script.write_text("\n".join(lines) + "\n")

        def done():
            r = w.run(side, "vpncmd", "localhost:5555" if where == "/SERVER" else "localhost",
                      where, *(["/ADMINHUB:"] if where == "/SERVER" else []),
                      f"/IN:{script}", check=False, timeout=30)
            (w.dir / f"log-vpncmd-{side}").write_text(r.stdout + r.stderr)
            return r.returncode == 0
        if not until(done, 15, 0.2):
            raise RuntimeError(f"vpncmd does not reach side {side}\n{w.logs()}")

    def prepare(self, w):
        for s, program in self.PROGRAM.items():
            (w.dir / s).mkdir()
            shutil.copy(self.LIB / program / program, w.dir / s)
            (w.dir / s / "hamcore.se2").symlink_to(
                (self.LIB / program / "hamcore.se2").resolve())

    def start(self, w):
        for s, program in self.PROGRAM.items():
            w.start(s, "unshare", "-m", "--propagation", "private", "sh", "-c",
                    'mount -t tmpfs none /run && mkdir /run/softether && exec "$0" execsvc',
                    w.dir / s / program)
        self.command(w, "b", "/SERVER", ("Hub DEFAULT",) + self.SERVER)
        w.device("b", "tap_bench")
        self.command(w, "a", "/CLIENT", self.CLIENT)
        w.device("a", "vpn_bench")


def peers(wireguard_go=None):
    """Every peer beside strongSwan; wireguard_go: path of a second release of it."""
    out = [OpenVpn("tun"), OpenVpn("tap"), WireGuardGo()]
    if wireguard_go and shutil.which(wireguard_go):
        out.append(WireGuardGo("wg-go, newer", wireguard_go))
    return out + [Fastd(), Tinc("router"), Tinc("switch"), SoftEther()]
