#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A gateway that answers every IKE_SA_INIT with a REDIRECT (RFC 5685) to another one.

  rude.py FROM=TO...   listens at UDP 500 of each address FROM and sends on to TO, an IPv4
                       address or a host name
"""
import select
import socket
import struct
import sys

NONCE, NOTIFY, REDIRECT = 40, 41, 16407
IKE_SA_INIT, RESPONSE = 34, 0x20


def nonce_of(request):
    """The initiator's nonce: payloads from byte 28 on (RFC 7296 3.1, 3.2)."""
    kind, at = request[16], 28
    while kind and at + 4 <= len(request):
        length = struct.unpack_from(">H", request, at + 2)[0]
        if kind == NONCE:
            return request[at + 4:at + length]
        kind, at = request[at], at + max(length, 4)
    return b""


def gateway(to):
    """Its type, length and identity (RFC 5685 9.1)."""
    try:
        ident, kind = socket.inet_aton(to), 1
    except OSError:
        ident, kind = to.encode(), 3
    return bytes([kind, len(ident)]) + ident


def answer(request, to):
    """The whole response, in clear."""
    data = gateway(to) + nonce_of(request)
    body = struct.pack(">BBHBBH", 0, 0, 8 + len(data), 0, 0, REDIRECT) + data
    head = struct.pack(">8s8sBBBBII", request[:8], bytes(8), NOTIFY, 0x20, IKE_SA_INIT, RESPONSE, 0,
                       28 + len(body))
    return head + body


def main(*ways):
    """Until it is killed."""
    socks = {}
    for way in ways:
        own, to = way.split("=")
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((own, 500))
        socks[s] = to
    print("ready", flush=True)
    while True:
        for s in select.select(list(socks), [], [])[0]:
            request, who = s.recvfrom(4096)
            if len(request) >= 28 and request[18] == IKE_SA_INIT:
                s.sendto(answer(request, socks[s]), who)


if __name__ == "__main__":
    main(*sys.argv[1:])
