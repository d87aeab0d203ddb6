# SPDX-License-Identifier: Apache-2.0
"""Who is measured: the bare wire, tapir, strongSwan.  The rest is in peers.py.

A contender has
    name            one or two words, a column of the table
    needs           programs without which it is "not here"
    package         Debian's, for its version
    source, target  addresses of a and b for the measuring programs
    prepare(wire)   makes keys and whatever else is done once, before the clock runs
    start(wire)     starts its daemons on both sides; the first ping decides when
                    the tunnel is up
The MTU inside is the same for all (topology.MTU), so that none gains by longer
packets and none has its outer packets cut up.
"""
import os
import pathlib

from topology import LAN, MTU, OTHER, OUT, TUN, sh, until

B = pathlib.Path(os.environ.get("B", "build")).resolve()
CHARON = "/usr/lib/ipsec/charon"
PSK = "a-key-for-measuring-only-0123456789"
SUITE = "AES-256-GCM"


class Contender:
    name = package = suite = ""
    needs = ()
    source, target = TUN["a"], TUN["b"]

    def prepare(self, w):
        pass

    def start(self, w):
        pass

    def version(self):
        return sh("dpkg-query", "-W", "-f", "${Version}", self.package, check=False).stdout


class Veth(Contender):
    name = "bare veth"
    source, target = OUT["a"], OUT["b"]

    def version(self):
        return ""


class Tapir(Contender):
    """mode as in the configuration; encap udp or esp."""
    core = None             # where it runs, unless each side has its own core

    def __init__(self, name, mode="ether", encap="udp", **kw):
        """at: where the other side is; vpn, realm: further options; args: of tapird;
        vlan: the tag that everything carries inside."""
        self.name, self.mode, self.encap = name, mode, encap
        self.at = kw.pop("at", OUT["b"])
        self.vpn, self.realm = kw.pop("vpn", 'workers="1"'), kw.pop("realm", "")
        self.args, self.vlan = kw.pop("args", ()), kw.pop("vlan", 0)
        self.core, self.suite = kw.pop("core", None), kw.pop("suite", SUITE)
        if mode == "ip":
            self.source, self.target = LAN["a"], LAN["b"]

    def version(self):
        return sh(B / "tapir", "--version").stdout.strip()

    def config(self, side):
        me, peer = ("tokyo", "osaka") if side == "a" else ("osaka", "tokyo")
        at = f' at="{self.at}"' if side == "a" else ""
        has_addr = self.mode != "ip" and not self.vlan
        addr = f' address="{TUN[side]}/24"' if has_addr else ""
        net = f'<net local="{LAN[side]}/32" remote="{LAN[OTHER[side]]}/32"/>'
        mtu = MTU + 4 if self.vlan else MTU
        return (f'<vpn {self.vpn}><realm name="bench" mode="{self.mode}" '
                f'encap="{self.encap}" mtu="{mtu}"{addr} {self.realm}>'
                f'<me id="{me}" psk="k.psk"/><peer id="{peer}"{at}/>'
                f'{net if self.mode == "ip" else ""}</realm></vpn>\n')

    def start(self, w):
        for s in "ba":
            d = w.dir / s
            (d / "keys").mkdir(parents=True, mode=0o700)
            key = d / "keys" / "k.psk"
            key.touch(0o600)
            key.write_text(PSK)
            (d / "tapir.xml").write_text(self.config(s))
            w.start(s, B / "tapird", "--config", d / "tapir.xml", "--run-dir", d / "run",
                    "--foreground", "--no-web", *self.args)
            if s == "b" or self.vlan:
                until((d / "run" / "ctl.sock").is_socket, 5)
            if self.vlan:
                until(lambda n=s: not w.ip(n, "link", "show", "tap-bench",
                                           check=False).returncode, 5)
                w.ip(s, *(f"link add link tap-bench name vlan{self.vlan} type vlan "
                          f"id {self.vlan}").split())
                w.device(s, f"vlan{self.vlan}")


class StrongSwan(Contender):
    """Userspace ESP (kernel-libipsec), its crypto from OpenSSL."""
    name, package, suite = "strongSwan", "strongswan-charon", SUITE
    needs = (CHARON, "swanctl")
    source, target = LAN["a"], LAN["b"]
    PLUGINS = ("random nonce openssl kdf hmac curve25519 kernel-libipsec kernel-netlink "
               "socket-default vici updown")
    CONF = f"charon {{\n load = {PLUGINS}\n" """
 install_virtual_ip = no
 filelog { log {
  path = /run/log
  default = 0
 } }
 plugins { vici { socket = unix:///run/charon.vici
 } }
}
"""

    @staticmethod
    def config(side):
        me, peer = ("tokyo", "osaka") if side == "a" else ("osaka", "tokyo")
        o = OTHER[side]
        return (f"connections {{ t {{\n version = 2\n local_addrs = {OUT[side]}\n"
                f" remote_addrs = {OUT[o]}\n proposals = aes256gcm16-prfsha384-x25519\n"
                f" local {{\n auth = psk\n id = {me}\n }}\n"
                f" remote {{\n auth = psk\n id = {peer}\n }}\n"
                f" children {{ t0 {{\n local_ts = {LAN[side]}/32\n remote_ts = {LAN[o]}/32\n"
                f" esp_proposals = aes256gcm16\n"
                f" start_action = {'start' if side == 'a' else 'none'}\n"
                f" }} }}\n}} }}\nsecrets {{ ike-1 {{\n id-a = tokyo\n id-b = osaka\n"
                f" secret = \"{PSK}\"\n }} }}\n")

    def start(self, w):
        for s in "ba":
            d = w.dir / s
            (d / "run").mkdir(parents=True)
            (d / "run" / "strongswan.conf").write_text(self.CONF)
            (d / "swanctl.conf").write_text(self.config(s))
            w.start(s, "unshare", "-m", "--propagation", "private", "sh", "-c",
                    'mount --bind "$0" /run && exec "$1"', d / "run", CHARON,
                    env={"STRONGSWAN_CONF": "/run/strongswan.conf"})
            until((d / "run" / "charon.vici").is_socket, 8)
            sh("swanctl", "--load-all", "--uri", f"unix://{d}/run/charon.vici",
               env=dict(os.environ, SWANCTL_DIR=str(d)))
        w.ip("a", "link", "set", "ipsec0", "mtu", MTU, check=False)
        w.ip("b", "link", "set", "ipsec0", "mtu", MTU, check=False)
