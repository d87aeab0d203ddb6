#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A peer that has keys and no manners: seals whatever it is told to.

  forge.py KEYS SRC DST SEQ   packets for the SA from SRC to DST that the --key-log file KEYS
                              names last, from number SEQ on; a line of standard input is
                              "NEXT HEX [TAIL]": next header, payload, and padding with its
                              length in place of the right ones; prints the next number

AES-GCM with extended sequence numbers in UDP, IPv4 outside.  Numbers far beyond what the
real peer uses make its own packets too old.
"""
import ctypes
import socket
import struct
import sys
import time

LIBCRYPTO = "libcrypto.so.3"
GET_TAG, TAG = 0x10, 16    # EVP_CTRL_AEAD_GET_TAG; bytes


def checksum(data):
    """RFC 1071."""
    total = sum(struct.unpack(f">{len(data + bytes(len(data) % 2)) // 2}H",
                              data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Gcm:
    """AES-GCM of OpenSSL."""

    def __init__(self, key):
        self.lib = ctypes.CDLL(LIBCRYPTO)
        for name in "EVP_CIPHER_CTX_new", "EVP_aes_128_gcm", "EVP_aes_256_gcm":
            getattr(self.lib, name).restype = ctypes.c_void_p
        kind = self.lib.EVP_aes_256_gcm if len(key) == 32 else self.lib.EVP_aes_128_gcm
        self.ctx = ctypes.c_void_p(self.lib.EVP_CIPHER_CTX_new())
        self._need(self.lib.EVP_EncryptInit_ex(self.ctx, ctypes.c_void_p(kind()), None, key, None))

    @staticmethod
    def _need(ok):
        if ok != 1:
            raise RuntimeError("libcrypto refuses")

    def seal(self, nonce, text, aad):
        """Ciphertext and tag."""
        n, out = ctypes.c_int(), ctypes.create_string_buffer(len(text) + TAG)
        tag = ctypes.create_string_buffer(TAG)
        self._need(self.lib.EVP_EncryptInit_ex(self.ctx, None, None, None, nonce))
        self._need(self.lib.EVP_EncryptUpdate(self.ctx, None, ctypes.byref(n), aad, len(aad)))
        self._need(self.lib.EVP_EncryptUpdate(self.ctx, out, ctypes.byref(n), text, len(text)))
        self._need(self.lib.EVP_EncryptFinal_ex(self.ctx, tag, ctypes.byref(n)))
        self._need(self.lib.EVP_CIPHER_CTX_ctrl(self.ctx, GET_TAG, TAG, tag))
        return out.raw[:len(text)] + tag.raw


class Sealer:
    """One direction of an SA."""

    def __init__(self, keys, src, dst, seq):
        self.seq = seq
        with open(keys, encoding="ascii") as f:
            mine = [x.split(": ", 1)[1].strip().strip('"').split('","') for x in f
                    if x.startswith("esp_sa:") and f'"{src}","{dst}"' in x]
        row = mine[-1]
        assert row[4].startswith("AES-GCM"), row
        self.spi, key = int(row[3], 16), bytes.fromhex(row[5][2:])
        self.gcm, self.salt = Gcm(key[:-4]), key[-4:]

    def seal(self, payload, head=50, tail=None):
        """RFC 4303 and 4106; head: next header."""
        if tail is None:
            pad = -(len(payload) + 2) % 4
            tail = bytes(range(1, pad + 1)) + bytes([pad])
        spi, seq = struct.pack(">I", self.spi), struct.pack(">Q", self.seq)
        self.seq += 1
        return spi + seq[4:] + seq + self.gcm.seal(
            self.salt + seq, payload + tail + bytes([head]), spi + seq)


def main(keys, src, dst, seq):
    """Seal and send what standard input says."""
    sealer = Sealer(keys, src, dst, int(seq))
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    for line in sys.stdin:
        head, text, *tail = line.split(" ")
        packet = sealer.seal(bytes.fromhex(text), int(head),
                             bytes.fromhex(tail[0]) if tail else None)
        udp = struct.pack(">HHHH", 4500, 4500, 8 + len(packet), 0)
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(packet), 0, 0x4000, 64, 17, 0,
                         socket.inet_aton(src), socket.inet_aton(dst))
        s.sendto(ip + udp + packet, (dst, 0))
        if sealer.seq % 32 == 0:
            time.sleep(0.002)
    print(sealer.seq)


if __name__ == "__main__":
    main(*sys.argv[1:])
