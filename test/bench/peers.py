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

    def start(self, w):
        dirs = {s: w.dir / s for s in "ab"}
        for d in dirs.values():
            d.mkdir()
        print_of = {s: self.certificate(d) for s, d in dirs.items()}
        for s, d in dirs.items():
            o = OTHER[s]
            far = [TUN[o]] if self.dev == "tun" else ["255.255.255.0"]
            tls = ["--tls-server", "--dh", "none"] if s == "b" else ["--tls-client"]
            w.start(s, "openvpn", "--dev", "vpn0", "--dev-type", self.dev, "--proto", "udp",
                    "--local", OUT[s], "--remote", OUT[o], *tls, "--cert", d / "crt",
                    "--key", d / "key", "--peer-fingerprint", print_of[o],
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

    def start(self, w):
        private = {s: sh("wg", "genkey").stdout.strip() for s in "ab"}
        dev = {s: f"wg{os.getpid()}{s}" for s in "ab"}
        for s in "ba":
            o = OTHER[s]
            public = sh("sh", "-c", f"echo {private[o]} | wg pubkey").stdout.strip()
            conf = w.dir / f"wg-{s}.conf"
            conf.write_text(f"[Interface]\nPrivateKey = {private[s]}\nListenPort = 51820\n"
                            f"[Peer]\nPublicKey = {public}\nAllowedIPs = {TUN[o]}/32\n"
                            f"Endpoint = {OUT[o]}:51820\n")
            # not this machine's tun group: a name of our own, its control socket is shared
            w.start(s, self.program, "-f", dev[s], env={"LOG_LEVEL": "error"})
            until(pathlib.Path(f"/var/run/wireguard/{dev[s]}.sock").is_socket, 5)
            w.run(s, "wg", "setconf", dev[s], conf)
            w.device(s, dev[s])


class Fastd(Contender):
    """The faster of the two methods it recommends; AES through OpenSSL is slower."""
    name, package, needs = "fastd", "fastd", ("fastd",)
    suite = METHOD = os.environ.get("FASTD_METHOD", "salsa2012+umac")

    def start(self, w):
        secret, public = {}, {}
        for s in "ab":
            secret[s] = sh("fastd", "--generate-key", "--machine-readable").stdout.strip()
            (w.dir / f"key-{s}").write_text(f'secret "{secret[s]}";\n')
            public[s] = sh("fastd", "--show-key", "--machine-readable", "--config",
                           w.dir / f"key-{s}").stdout.strip()
        for s in "ba":
            o, conf = OTHER[s], w.dir / f"fastd-{s}.conf"
            conf.write_text(f'mode tap; interface "fastd0"; mtu {MTU}; method "{self.METHOD}";\n'
                            f'bind {OUT[s]}:10000; secret "{secret[s]}"; log level error;\n'
                            f'peer "far" {{ key "{public[o]}"; remote {OUT[o]}:10000; }}\n')
            w.start(s, "fastd", "--config", conf)
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

    def start(self, w):
        keys = self.keys()
        for s in "ba":
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
            w.start(s, "tincd", "-c", d, "-D", "-d1", f"--pidfile={d}/pid")
            w.device(s, "tinc0")
            until((d / "pid").exists, 3)


def peers(wireguard_go=None):
    """Every peer beside strongSwan; wireguard_go: path of a second release of it."""
    out = [OpenVpn("tun"), OpenVpn("tap"), WireGuardGo()]
    if wireguard_go and shutil.which(wireguard_go):
        out.append(WireGuardGo("wg-go, newer", wireguard_go))
    return out + [Fastd(), Tinc("router"), Tinc("switch")]
