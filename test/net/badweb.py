#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A web server that does what it should not: badweb.py ADDRESS PORT [FILE].

/good the file   /redirect elsewhere   /drip a byte each second   /huge without an end
/chunks chunks without an end   /zip something compressed   /stranger junk
Prints each path it is asked for."""
import socketserver
import sys
import time

HEAD = b"HTTP/1.0 200 OK\r\n"
ZEROS = bytes(1 << 16)


class Web(socketserver.StreamRequestHandler):
    """One request."""

    def handle(self):
        path = self.rfile.readline().split(b" ")[1].decode()
        while self.rfile.readline().strip():
            pass
        print("asked for", path, flush=True)
        try:
            self.answer(path)
        except OSError:
            print("gone while at", path, flush=True)

    def answer(self, path):
        """What the path stands for."""
        send = self.wfile.write
        if path == "/good":
            with open(sys.argv[3], "rb") as f:
                send(HEAD + b"\r\n" + f.read())
        elif path == "/redirect":
            send(b"HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:8081/inside\r\n\r\n")
        elif path == "/drip":
            for i in range(60):
                send(HEAD[i:i + 1] or b"X")
                time.sleep(1)
        elif path == "/huge":
            send(HEAD + b"\r\n")
            for _ in range(1 << 16):
                send(ZEROS)
        elif path == "/chunks":
            send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(1 << 16):
                send(b"10000\r\n" + ZEROS + b"\r\n")
        elif path == "/zip":
            send(HEAD + b"Content-Encoding: gzip\r\n\r\n" + ZEROS)
        else:
            send(HEAD + b"\r\nno list of anything")


class Server(socketserver.ThreadingTCPServer):
    """Several at once: one of them drips."""
    allow_reuse_address = True
    daemon_threads = True


Server((sys.argv[1], int(sys.argv[2])), Web).serve_forever()
