# SPDX-License-Identifier: Apache-2.0
"""strongSwan in a node of a lab, with ESP in user space (kernel-libipsec)."""
import os
import subprocess

from gateway import PSK
from lab import LabError, until

CHARON = "/usr/lib/ipsec/charon"
PLUGINS = ("random nonce openssl pem pkcs1 pkcs8 x509 revocation constraints pubkey gmp curve25519 "
           "chapoly aes sha1 sha2 hmac gcm kdf kernel-libipsec kernel-netlink socket-default "
           "vici updown")
MAIN_CONF = """charon {{
  load = {plugins}
  install_virtual_ip = no
  retransmit_tries = 3
  {options}
  filelog {{ log {{ path = /run/charon.log
      default = 1
      flush_line = yes }} }}
  plugins {{ vici {{ socket = unix:///run/charon.vici }} }}
}}
"""
CONNECTION = """connections {{ t {{ version = 2
  local_addrs = {local}
  remote_addrs = {remote}
  proposals = {ike}
  {top}
  local {{ {local_auth}
    id = {local_id} }}
  remote {{ {remote_auth}
    id = {remote_id} }}
  children {{ c {{ local_ts = {local_ts}
    remote_ts = {remote_ts}
    esp_proposals = {esp} }} }}
}} }}
secrets {{ ike-1 {{ secret = "{psk}" }} }}
"""


class Charon:
    """One charon and its swanctl; files: path below its swanctl directory -> text."""

    def __init__(self, lab, node, files=None, options="", **conn):
        self.lab, self.node = lab, node
        self.dir = lab.mkdir(node)
        self.run_dir = lab.mkdir(node, "run")
        self.log_path = os.path.join(self.run_dir, "charon.log")
        self.proc = None
        conn = {"psk": PSK, "top": "", "local_auth": "auth = psk", "remote_auth": "auth = psk",
                "ike": "default", "esp": "default", **conn}
        for name, text in (("strongswan.conf", MAIN_CONF.format(plugins=PLUGINS,
                                                                options=options)),
                           ("swanctl.conf", CONNECTION.format(**conn)), *(files or {}).items()):
            os.makedirs(os.path.dirname(os.path.join(self.dir, name)), exist_ok=True)
            with open(os.path.join(self.dir, name), "w", encoding="ascii") as f:
                f.write(text)
        self.env = {**os.environ, "STRONGSWAN_CONF": os.path.join(self.dir, "strongswan.conf"),
                    "SWANCTL_DIR": self.dir}

    def start(self):
        """Start charon with a private /run and load its connection."""
        for name in "charon.vici", "charon.pid":
            if os.path.exists(os.path.join(self.run_dir, name)):
                os.unlink(os.path.join(self.run_dir, name))
        self.proc = self.lab.spawn(
            self.node, "unshare", "-m", "--propagation", "private", "sh", "-c",
            'mount --bind "$0" /run && exec "$1"', self.run_dir, CHARON, name="charon",
            env=self.env)
        if not until(8, lambda: os.path.exists(os.path.join(self.run_dir, "charon.vici"))):
            raise LabError(f"charon does not start: {self.proc.text()}{self.log()}")
        out = until(4, lambda: [x for x in [self.ctl("--load-all")] if "loaded connection" in x])
        if not out:
            raise LabError("swanctl --load-all: " + self.ctl("--load-all"))
        return self

    def ctl(self, *argv):
        """swanctl; its output."""
        return subprocess.run(
            ["swanctl", *argv, "--uri", f"unix://{self.run_dir}/charon.vici"], env=self.env,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30,
            check=False).stdout

    def initiate(self, seconds=10):
        """Bring the tunnel up from this end; swanctl's output."""
        return self.ctl("--initiate", "--child", "c", "--timeout", str(seconds))

    def sas(self):
        """What it thinks is up."""
        return self.ctl("--list-sas")

    def log(self):
        """charon's own log."""
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        """End it."""
        if self.proc:
            self.proc.stop()
