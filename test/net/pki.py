# SPDX-License-Identifier: Apache-2.0
"""Certificates for tests, made by the openssl program: authorities, leaves, lists."""
import os
import subprocess

KEYS = {
    "rsa1024": ("RSA", "rsa_keygen_bits:1024"),
    "rsa2048": ("RSA", "rsa_keygen_bits:2048"),
    "rsa3072": ("RSA", "rsa_keygen_bits:3072"),
    "p256": ("EC", "ec_paramgen_curve:P-256"),
    "p384": ("EC", "ec_paramgen_curve:P-384"),
    "p521": ("EC", "ec_paramgen_curve:P-521"),
    "ed25519": ("ED25519", ""),
    "ed448": ("ED448", ""),
}
CA_EXT = """basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
"""
LEAF_EXT = """basicConstraints=CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth,clientAuth
authorityKeyIdentifier=keyid
"""
CA_CONF = """[ca]
default_ca=d
[d]
database={d}/{n}.index
private_key={d}/{n}.key
certificate={d}/{n}.pem
default_md=sha256
default_crl_days=20
crlnumber={d}/{n}.crlnumber
serial={d}/{n}.serial
policy=p
new_certs_dir={d}
crl_extensions=ce
[ce]
authorityKeyIdentifier=keyid
[p]
commonName=supplied
organizationName=optional
"""


class Pki:
    """A directory of keys and certificates; NAME.pem and NAME.key."""

    def __init__(self, path):
        self.dir = path

    def path(self, name):
        """A file of it."""
        return os.path.join(self.dir, name)

    def text(self, *names):
        """Files, one behind the other."""
        out = ""
        for name in names:
            with open(self.path(name), encoding="ascii") as f:
                out += f.read()
        return out

    def public(self, name):
        """The public key of NAME.key, PEM."""
        return self.openssl("pkey", "-in", f"{name}.key", "-pubout")

    def openssl(self, *argv):
        """Run it; an error is an exception that shows what it said."""
        done = subprocess.run(["openssl", *argv], stdout=subprocess.PIPE, cwd=self.dir,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {' '.join(argv)}: {done.stdout}")
        return done.stdout

    def key(self, name, kind="p256"):
        """A private key."""
        alg, opt = KEYS[kind]
        self.openssl("genpkey", "-algorithm", alg, *(["-pkeyopt", opt] if opt else []),
                     "-out", f"{name}.key")

    def _sign(self, name, ext, issuer, days=(), subject=None):
        with open(self.path("ext"), "w", encoding="ascii") as f:
            f.write(ext)
        self.openssl("req", "-new", "-key", f"{name}.key", "-subj",
                     subject or f"/O=Tapir Test/CN={name}", "-out", f"{name}.csr")
        if days:        # a period: only `ca` takes dates
            self.openssl("ca", "-batch", "-notext", "-config", f"{issuer}.cnf", "-in",
                         f"{name}.csr", "-extfile", "ext", "-startdate", days[0], "-enddate",
                         days[1], "-out", f"{name}.pem")
            return
        by = ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key", "-CAcreateserial"]
        if issuer == name:
            by = ["-key", f"{name}.key"]
        self.openssl("x509", "-req", "-in", f"{name}.csr", *by, "-days", "20", "-extfile", "ext",
                     "-out", f"{name}.pem")

    def ca(self, name, issuer=None, kind="p256"):
        """An authority, of its own or below another."""
        self.key(name, kind)
        self._sign(name, CA_EXT, issuer or name)
        for end, text in ("index", ""), ("crlnumber", "01\n"), ("serial", "77\n"), (
                "cnf", CA_CONF.format(d=self.dir, n=name)):
            with open(self.path(f"{name}.{end}"), "w", encoding="ascii") as f:
                f.write(text)
        return name

    def leaf(self, name, issuer, host, kind="p256", days=(), ext=LEAF_EXT, subject=None):
        """A certificate for a host name (or several, as subjectAltName has them)."""
        self.key(name, kind)
        san = host if ":" in host else f"DNS:{host}"
        self._sign(name, f"{ext}subjectAltName={san}\n", issuer, days, subject)
        return name

    def revoke(self, name, issuer):
        """Put a certificate on its authority's list."""
        self.openssl("ca", "-config", f"{issuer}.cnf", "-revoke", f"{name}.pem")

    def crl(self, issuer):
        """Write the list: ISSUER.crl, PEM."""
        self.openssl("ca", "-config", f"{issuer}.cnf", "-gencrl", "-out", f"{issuer}.crl")
        return f"{issuer}.crl"
