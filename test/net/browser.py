# SPDX-License-Identifier: Apache-2.0
"""HTTP to tapir-web from inside of a node, as a browser, a script or an attacker would."""
import ctypes
import http.client
import json
import os
import socket
import ssl
import threading

PORT = 4580
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def dial(lab, node, addr=("127.0.0.1", PORT), source=None):
    """A TCP socket of a node; sockets stay where they were made."""
    out = []

    def work():
        fd = os.open(f"/run/netns/{lab.ns(node)}", os.O_RDONLY)
        try:
            if _libc.setns(fd, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            out.append(socket.create_connection(addr, 10, source and (source, 0)))
        except OSError as e:
            out.append(e)
        finally:
            os.close(fd)

    t = threading.Thread(target=work)
    t.start()
    t.join()
    if isinstance(out[0], OSError):
        raise out[0]
    return out[0]


class Client(http.client.HTTPConnection):
    """One connection; answers are (status, document, fields)."""

    def __init__(self, lab, node, path=None, addr=("127.0.0.1", PORT), tls=None, source=None):
        super().__init__(f"{addr[0]}:{addr[1]}", timeout=40)
        self.where, self.path, self.addr, self.tls = (lab, node), path, addr, tls
        self.token, self.source = None, source

    def connect(self):
        if self.path:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(40)
            self.sock.connect(self.path)
        else:
            self.sock = dial(*self.where, self.addr, self.source)
        if self.tls:
            self.sock = self.tls.wrap_socket(self.sock)

    def ask(self, method, path, body=None, **fields):
        """One request; body: an object of JSON, or bytes."""
        fields = {k.replace("_", "-"): v for k, v in fields.items() if v is not None}
        fields.setdefault("Accept", "application/json")
        if self.token:
            fields.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, dict):
            body = json.dumps(body)
            fields.setdefault("Content-Type", "application/json")
        self.request(method, path, body, fields)
        answer = self.getresponse()
        text = answer.read()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return answer.status, (json.loads(text) if is_json and text else text), answer.headers


class Bus:
    """A session."""

    def __init__(self, client):
        self.client, self.after, self.items, self.tag, self.begin = client, 0, [], 0, 0
        self.before = 0  # what the last read acknowledged
        status, doc, _ = client.ask("POST", "/bus/open", b"")
        assert status == 201, doc
        self.id = doc["id"]

    def read(self):
        """One read; the new items."""
        status, doc, _ = self.client.ask("GET", f"/bus/read/{self.id}?after={self.after}")
        assert status == 200, (status, doc)
        self.before, self.after = self.after, doc["last"]
        self.items += doc["items"]
        return doc["items"]

    def until(self, found, reads=40):
        """Read until an item is what is looked for, since the last command."""
        at = self.begin
        for _ in range(reads):
            for item in self.items[at:]:
                if found(item):
                    return item
            at = len(self.items)
            self.read()
        raise AssertionError(f"not among {self.items}")

    def write(self, command, **fields):
        """Send a command; its tag and the status."""
        self.tag += 1
        self.begin = len(self.items)
        return self.tag, self.client.ask("PUT", f"/bus/write/{self.id}",
                                         {"command": command, "tag": self.tag, **fields})[0]

    def run(self, command, **fields):
        """Send a command and wait for its end; all its results."""
        tag, status = self.write(command, **fields)
        assert status == 202, status
        self.until(lambda i: i.get("tag") == tag and i.get("result") in ("done", "failed"))
        return [i for i in self.items if i.get("tag") == tag]

    def close(self):
        """End it."""
        return self.client.ask("DELETE", f"/bus/close/{self.id}")[0]


def raw(sock, data):
    """Send bytes; the status of each answer until the other end closes or is silent."""
    sock.settimeout(3)
    sock.sendall(data)
    text = b""
    try:
        while part := sock.recv(65536):
            text += part
    except TimeoutError:
        pass
    except ConnectionResetError:
        pass
    return [int(x.split()[0]) for x in text.split(b"HTTP/1.1 ")[1:]], text


def tls(**kw):
    """A client's side of TLS."""
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    ctx.check_hostname = False
    ctx.verify_mode = ssl.CERT_NONE
    if "max" in kw:
        ctx.minimum_version = ssl.TLSVersion.TLSv1_2
        ctx.maximum_version = kw["max"]
    if "cert" in kw:
        ctx.load_cert_chain(kw["cert"], kw["key"])
    return ctx
