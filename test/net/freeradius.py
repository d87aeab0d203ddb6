# SPDX-License-Identifier: Apache-2.0
"""FreeRADIUS in a node of a lab: a server with users, EAP-TTLS, PEAP and EAP-MSCHAPv2."""
import os
import shutil

from lab import LabError, until

RADIUSD = shutil.which("freeradius") or "/usr/sbin/freeradius"
CONF = """prefix = /usr
exec_prefix = /usr
sysconfdir = /etc
localstatedir = {dir}
sbindir = /usr/sbin
logdir = {dir}
raddbdir = {dir}
radacctdir = {dir}
name = radiusd
confdir = {dir}
modconfdir = {dir}
certdir = {dir}
cadir = {dir}
run_dir = {dir}
db_dir = {dir}
libdir = /usr/lib/freeradius
max_request_time = 30
cleanup_delay = 5
max_requests = 4096
hostname_lookups = no
security {{
  allow_core_dumps = no
  max_attributes = 200
  reject_delay = 0
  status_server = no
}}
client gateway {{
  ipaddr = {client}
  secret = "{secret}"
  require_message_authenticator = yes
}}
modules {{
  pap {{
  }}
  mschap {{
    use_mppe = yes
  }}
  files {{
    filename = {dir}/people
  }}
  eap {{
    default_eap_type = {method}
    timer_expire = 60
    ignore_unknown_eap_types = no
    cisco_accounting_username_bug = no
    max_sessions = 1024
    tls-config tls-common {{
      private_key_file = {dir}/server.key
      certificate_file = {dir}/server.pem
      ca_file = {dir}/ca.pem
      tls_min_version = "1.2"
      tls_max_version = "{tls}"
      cache {{
        enable = no
      }}
    }}
    md5 {{
    }}
    mschapv2 {{
    }}
    ttls {{
      tls = tls-common
      default_eap_type = mschapv2
      copy_request_to_tunnel = no
      use_tunneled_reply = no
      virtual_server = "inner"
    }}
    peap {{
      tls = tls-common
      default_eap_type = mschapv2
      copy_request_to_tunnel = no
      use_tunneled_reply = no
      virtual_server = "inner"
    }}
  }}
}}
server default {{
  listen {{
    type = auth
    ipaddr = {address}
    port = 1812
  }}
  authorize {{
    eap {{
      ok = return
    }}
    files
  }}
  authenticate {{
    Auth-Type MS-CHAP {{
      mschap
    }}
    eap
  }}
}}
server inner {{
  authorize {{
    mschap
    eap {{
      ok = return
    }}
    files
    pap
  }}
  authenticate {{
    Auth-Type PAP {{
      pap
    }}
    Auth-Type MS-CHAP {{
      mschap
    }}
    eap
  }}
}}
"""


class FreeRadius:
    """One server; people: name -> password; more: name -> lines of its Accept."""

    def __init__(self, lab, node, address, client, secret, people, pki, cert, method="ttls",
                 tls="1.3", more=None, name="radius"):
        more = more or {}
        self.lab, self.node, self.proc = lab, node, None
        self.dir = lab.mkdir(node, name)
        files = {
            "radiusd.conf": CONF.format(dir=self.dir, client=client, secret=secret,
                                        address=address, method=method, tls=tls),
            "people": "".join(f'"{n}" Cleartext-Password := "{w}"\n{more.get(n, "")}'
                              for n, w in people.items()),
            "ca.pem": pki.text("ca.pem"), "server.pem": pki.text(f"{cert}.pem"),
            "server.key": pki.text(f"{cert}.key")}
        for name, text in files.items():
            path = os.path.join(self.dir, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                      encoding="utf-8") as f:
                f.write(text)

    def log(self):
        """What it said."""
        return self.proc.text() if self.proc else ""

    def end_of_log(self):
        """... lately."""
        return "\n".join(self.log().splitlines()[-60:])

    def start(self):
        """Start it and wait until it listens."""
        self.proc = self.lab.spawn(self.node, RADIUSD, "-X", "-d", self.dir, name="freeradius")
        if not until(10, lambda: "Ready to process requests" in self.log() or
                     self.proc.popen.poll() is not None) or self.proc.popen.poll() is not None:
            raise LabError("freeradius does not start:\n" + self.log())
        return self

    def stop(self):
        """End it."""
        if self.proc:
            self.proc.stop()
        self.proc = None
