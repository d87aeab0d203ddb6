#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Programs of the soak test that run inside a namespace.

  soaker.py sink PORT                    check UDP datagrams until ended; prints what is wrong
  soaker.py sizes ADDR PORT COUNT SEED   UDP datagrams of all sizes, 0 to 65507
  soaker.py frames IF COUNT SEED         frames that hosts send seldom, tagged, odd, in super-frames
  soaker.py tagged IF COUNT VID          TCP super-frames in a VLAN, which untag puts together
  soaker.py untag IF COUNT VID SECONDS
  soaker.py relay IF IF SECONDS SEED     join two interfaces badly: loss, repetition, disorder
"""
import random
import select
import socket
import struct
import sys
import time

TABLE = random.Random(7).randbytes(70000)
HEAD = struct.Struct(">II")                     # seq, size
EDGES = (0, 1, 7, 8, 18, 19, 1344, 1372, 1400, 1432, 1452, 1472, 1473, 2944, 8972, 32768, 65000,
         65507)
ETH_P_ALL, SOL_PACKET, PACKET_AUXDATA = 3, 263, 8
PACKET_VNET_HDR, PACKET_IGNORE_OUTGOING = 15, 23
SO_RCVBUFFORCE, VNET_LEN = 33, 10


def body(seq, size):
    """What datagram seq of that size holds."""
    at = seq % 251
    return (HEAD.pack(seq, size) + TABLE[at:at + size])[:size]


def sink(port):
    """Every datagram must be as it was sent; any may be missing."""
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    s.bind(("::", int(port)))
    print("listening", flush=True)
    n = 0
    while True:
        data = s.recv(70000)
        n += 1
        if len(data) >= HEAD.size:
            seq, size = HEAD.unpack_from(data)
            if size != len(data) or data != body(seq, size):
                print(f"WRONG: datagram {seq} of {size} arrived as {len(data)} bytes", flush=True)
        if n % 64 == 0:
            print(f"good {n}", flush=True)


def sizes(addr, port, count, seed):
    """Edges first, then any size, small ones most."""
    rng = random.Random(int(seed))
    s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
    for seq in range(int(count)):
        size = EDGES[seq] if seq < len(EDGES) else rng.choice(
            (rng.randrange(64), rng.randrange(1500), rng.randrange(1300, 1500),
             rng.randrange(65508)))
        try:
            s.sendto(body(seq, size), (addr, int(port)))
        except OSError:
            time.sleep(0.002)
        if seq % 16 == 0:
            time.sleep(0.001)


def _ip4(proto, payload, rng, dst=b"\x0a\0\0\x02"):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), rng.randrange(65536),
                       0x4000, 64, proto, 0, b"\x0a\0\0\x01", dst)
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xffff) + head[12:] + payload


def _super(tag, rng, seq=None, n=None):
    """A TCP super-frame with its virtio header: the receiver has no such connection."""
    size, n = 1300, n or rng.randrange(2, 40)
    seq = rng.randrange(1 << 32) if seq is None else seq
    tcp = struct.pack(">HHIIBBHHH", 9, 9, seq, 0, 0x50, 0x10, 500, 0, 0)
    pseudo = b"\x0a\0\0\x01\x0a\0\0\x02" + struct.pack(">HH", 6, 20 + size * n)
    total = sum(struct.unpack(">6H", pseudo))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    tcp = tcp[:16] + struct.pack(">H", total) + tcp[18:]
    l3 = 14 + len(tag)
    vnet = struct.pack("<BBHHHH", 1, 1, l3 + 40, size, l3 + 20, 16)
    return vnet, _ip4(6, tcp + TABLE[:size * n], rng)


def _frame(src, rng):
    """One frame with its virtio header."""
    to = rng.choice((b"\xff" * 6, b"\x01\0\x5e\0\0\xfb", b"\x33\x33\0\0\0\1", rng.randbytes(6),
                     b"\x02" + rng.randbytes(5), b"\x01\x80\xc2\0\0\0"))
    tag = b"".join(struct.pack(">HH", t, rng.randrange(4096)) for t in rng.choice(
        ((), (0x8100,), (0x8100,), (0x88a8, 0x8100), (0x8100, 0x8100, 0x8100))))
    vnet, kind = bytes(VNET_LEN), rng.randrange(6)
    if kind == 0:
        vnet, data = _super(tag, rng)
        to, ether = b"\xff" * 6, 0x0800
    elif kind == 1:
        data, ether = _ip4(17, struct.pack(">HHHH", 9, 9, 8 + 100, 0) + bytes(100), rng), 0x0800
    elif kind == 2:
        data, ether = _ip4(rng.choice((6, 17, 1, 50, 97, 255)), rng.randbytes(rng.randrange(60)),
                           rng), 0x0800
    elif kind == 3:
        data, ether = b"\x60" + rng.randbytes(rng.randrange(39, 200)), 0x86dd
    elif kind == 4:
        data, ether = rng.randbytes(rng.randrange(46)), 0x0806
    else:
        data, ether = rng.randbytes(rng.randrange(1400)), rng.choice(
            (0x88cc, 0x0004, 0x05dc, 0x9000, 0xffff))
    return vnet + to + src + tag + struct.pack(">H", ether) + data


def _packet_socket(ifname):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    s.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    s.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    s.bind((ifname, 0))
    return s


def frames(ifname, count, seed):
    """Send them; those the kernel refuses do not count."""
    rng, s, sent = random.Random(int(seed)), _packet_socket(ifname), 0
    src = s.getsockname()[4]
    for n in range(int(count)):
        try:
            s.send(_frame(src if rng.randrange(8) else b"\x02" + rng.randbytes(5), rng))
            sent += 1
        except OSError:
            pass
        if n % 16 == 0:
            time.sleep(0.002)
    print(f"sent {sent}", flush=True)


def tagged(ifname, count, vid):
    """TCP super-frames in a VLAN that follow one another: COUNT times 16 segments."""
    s, seq, size = _packet_socket(ifname), 0, 16 * 1300
    for _ in range(int(count)):
        vnet, ip = _super(bytes(4), random.Random(seq), seq, 16)
        s.send(vnet + b"\xff" * 6 + s.getsockname()[4] + struct.pack(">HHH", 0x8100, int(vid), 0x800)
               + ip)
        seq += size
        time.sleep(0.01)


def untag(ifname, count, vid, seconds):
    """What tagged() sent, put together again: prints how many bytes are right."""
    s = _packet_socket(ifname)
    s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    s.settimeout(float(seconds))
    size, want = 16 * 1300, int(count) * 16 * 1300
    good = bytearray(want)
    print("listening", flush=True)
    while sum(good) < want:
        try:
            data, aux, _, _ = s.recvmsg(70000, 256)
        except socket.timeout:
            break
        tci = [struct.unpack("<IIIHHHH", d)[5] for _, kind, d in aux if kind == PACKET_AUXDATA]
        data = data[VNET_LEN + 14:]
        if tci != [int(vid)] or data[9:10] != b"\x06" or data[20:22] != b"\0\x09":
            continue
        at = struct.unpack(">I", data[24:28])[0]
        for i, x in enumerate(data[40:struct.unpack(">H", data[2:4])[0]]):
            good[at + i] = x == TABLE[(at + i) % size]
    print(f"right {sum(good)} of {want}", flush=True)


def relay(a, b, seconds, seed):
    """Frames pass, super-frames whole; some are lost, some come twice, some come late."""
    rng, end = random.Random(int(seed)), time.monotonic() + float(seconds)
    s = [_packet_socket(a), _packet_socket(b)]
    held = [[], []]
    print("relaying", flush=True)
    while time.monotonic() < end:
        for one in select.select(s, [], [], 0.005)[0] or ():
            to = 1 - s.index(one)
            data, luck = one.recv(70000), rng.random()
            if luck < 0.02:
                continue
            if luck < 0.06:
                held[to].append(data)
                continue
            out = [data, data] if luck < 0.08 else [data]
            for x in out + (held[to] if rng.random() < 0.3 else []):
                try:
                    s[to].send(x)
                except OSError:
                    pass
            if len(out) and rng.random() < 0.3:
                held[to].clear()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
