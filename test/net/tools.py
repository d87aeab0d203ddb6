#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Small programs that tests start inside a namespace.

  tools.py hold PORT...               keep UDP ports taken until ended
  tools.py noise ADDR COUNT           random and nearly right datagrams to 500 and 4500
  tools.py mangle IF PCAP DST COUNT   mutated, cut and repeated copies of captured datagrams
  tools.py esp IF MAC SRC DST KIND COUNT   raw IPv4 packets of protocol 50; KIND: whole,
                                      first, overlap, bad-sum, options
  tools.py again IF PCAP COUNT        the last ESP packets of a capture once more, to the end
                                      behind IF; prints how many
  tools.py etherip LOCAL REMOTE TAP   a TAP device whose frames are packets of protocol 97
  tools.py udp-sink ADDR PORT SEC     count datagrams; prints "packets seconds"
  tools.py udp-source ADDR PORT SEC SIZE
  tools.py seq-sink ADDR PORT QUIET   numbered datagrams; prints how many came, and how many
                                      behind a later one
  tools.py seq-source ADDR PORT COUNT
  tools.py relay FROM TO LOSS DUP LATE   UDP ports 500 and 4500 of FROM lead to TO, as
                                      through a NAT; so many per cent are lost, doubled,
                                      and up to 200 ms late, both ways
"""
import fcntl
import heapq
import itertools
import os
import random
import select
import socket
import struct
import sys
import time


def hold(*ports):
    """Keep UDP ports taken."""
    held = []
    for port in ports:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(("0.0.0.0", int(port)))
        held.append(s)
    print("held", flush=True)
    time.sleep(600)


def _ike(rng):
    """An IKE header with a body that does not keep what it promises."""
    body = rng.randbytes(rng.choice((0, 1, 3, 4, 28, 300, 1400)))
    length = rng.choice((28 + len(body), 0, 27, 28, 0xffffffff, 28 + len(body) + 1))
    return struct.pack(">8s8sBBBBII", rng.randbytes(8),
                       rng.choice((bytes(8), rng.randbytes(8))),
                       rng.choice((0, 33, 34, 46, 53, 255)), rng.choice((0x20, 0x10, 0x30, 0)),
                       rng.randrange(33, 44), rng.choice((0, 8, 0x20, 0x28, 255)),
                       rng.choice((0, 1, 0xffffffff)), length) + body


def noise(addr, count):
    """Datagrams that are not, or hardly, IKE and ESP."""
    rng = random.Random(1)
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    for n in range(int(count)):
        port = rng.choice((500, 4500))
        kind = rng.randrange(4)
        if kind == 0:
            data = rng.randbytes(rng.choice((0, 1, 3, 4, 7, 8, 27, 28, 100, 1472, 9000)))
        elif kind == 1:
            data = bytes(4) + _ike(rng)
        else:
            data = _ike(rng)[:rng.choice((5, 16, 27, 28, 2000))]
        s.sendto(data, (addr, port))
        if n % 64 == 0:
            time.sleep(0.002)


def _captured(path, dst):
    """UDP datagrams to dst of a capture: (port, payload)."""
    with open(path, "rb") as f:
        data = f.read()
    at, want = 24, socket.inet_aton(dst)
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + n]
        at += 16 + n
        if frame[12:14] == b"\x08\x00" and frame[23] == 17 and frame[30:34] == want:
            yield struct.unpack_from(">H", frame, 36)[0], frame


def mangle(ifname, path, dst, count):
    """Send changed copies of what was really sent, from the real source address."""
    rng = random.Random(2)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((ifname, 0))
    seen = [f for port, f in _captured(path, dst) if port in (500, 4500)]
    if not seen:
        sys.exit("nothing captured to change")
    for n in range(int(count)):
        frame = bytearray(rng.choice(seen))
        if rng.randrange(4):
            for _ in range(rng.choice((1, 1, 2, 8, 64))):
                frame[rng.randrange(42, len(frame))] = rng.randrange(256)
        else:
            del frame[rng.randrange(42, len(frame)):]
            frame[38:40] = struct.pack(">H", len(frame) - 34)
            frame[16:18] = struct.pack(">H", len(frame) - 14)
            frame[24:26] = bytes(2)
            frame[24:26] = struct.pack(">H", _sum(frame[14:34]))
        frame[40:42] = bytes(2)                    # no UDP checksum
        s.send(frame)
        if n % 64 == 0:
            time.sleep(0.005)


def _sum(head):
    total = sum(struct.unpack(f">{len(head) // 2}H", head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def _ip4(src, dst, ident, frag, payload, options=b""):
    """An IPv4 packet of protocol 50."""
    head = bytearray(struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                                 20 + len(options) + len(payload), ident, frag, 64, 50, 0,
                                 socket.inet_aton(src), socket.inet_aton(dst)) + options)
    head[10:12] = struct.pack(">H", _sum(head))
    return head + payload


def esp(ifname, mac, src, dst, kind, count):
    """ESP that nobody has a key for, from beyond the IP layer."""
    rng = random.Random(3)
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    to = (ifname, 0x0800, 0, 0, bytes.fromhex(mac.replace(":", "")))
    for n in range(int(count)):
        text = struct.pack(">II", rng.randrange(256, 1 << 32), 1) + rng.randbytes(96)
        if kind == "first":
            out = [_ip4(src, dst, n & 0xffff, 0x2000, text)]
        elif kind == "overlap":
            out = [_ip4(src, dst, n & 0xffff, 0x2000, text),
                   _ip4(src, dst, n & 0xffff, 12, text)]
        elif kind == "bad-sum":
            out = [_ip4(src, dst, n & 0xffff, 0, text)]
            out[0][11] ^= 1
        else:
            out = [_ip4(src, dst, n & 0xffff, 0, text, b"\1\1\1\0" * (kind == "options"))]
        for packet in out:
            s.sendto(packet, to)
        if n % 64 == 63:
            time.sleep(0.005)


def _esp_frames(path):
    """Frames of a capture that hold ESP, raw or in UDP, whole."""
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        frame = data[at + 16:at + 16 + n]
        at += 16 + n
        if n > 1400 or n < 60 or frame[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            continue
        proto, rest = (frame[23], frame[34:]) if frame[12] == 8 else (frame[20], frame[54:])
        if proto == 50 or (proto == 17 and struct.unpack_from(">HH", rest) == (4500, 4500)
                           and rest[8:12] != bytes(4)):
            yield frame


def _summed(frame):
    """With its UDP checksum: a capture on the way may hold an unfinished one."""
    is_ip4 = frame[12] == 8
    if frame[23 if is_ip4 else 20] != 17:
        return frame
    at = 34 if is_ip4 else 54
    out = bytearray(frame[:at + struct.unpack_from(">H", frame, at + 4)[0]])
    out[at + 6:at + 8] = bytes(2)
    if not is_ip4:                                    # IPv4 may do without
        pseudo = out[22:54] + struct.pack(">II", len(out) - at, 17)
        data = bytes(pseudo + out[at:])
        out[at + 6:at + 8] = struct.pack(">H", _sum(data + bytes(len(data) % 2)) or 0xffff)
    return bytes(out)


def again(ifname, path, count):
    """Send the last packets to whoever is behind an interface a second time."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind((ifname, 0))
    behind = {f[0:6] for f in _esp_frames(path)}
    known = set()
    for line in os.popen(f"bridge fdb show dev {ifname}"):
        known.add(bytes.fromhex(line.split()[0].replace(":", "")))
    frames = [f for f in _esp_frames(path) if f[0:6] in behind & known][-int(count):]
    for frame in frames:
        s.send(_summed(frame))
    print(len(frames))


def etherip(local, remote, ifname):
    """RFC 3378 over whatever protects protocol 97 between two addresses."""
    tap = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tap, 0x400454ca, struct.pack("16sH", ifname.encode(), 0x1002))
    family = socket.AF_INET6 if ":" in local else socket.AF_INET
    s = socket.socket(family, socket.SOCK_RAW, 97)
    s.bind((local, 0))
    s.connect((remote, 0))
    while True:
        for ready in select.select([tap, s], [], [])[0]:
            try:
                if ready == tap:
                    s.send(b"\x30\x00" + os.read(tap, 65536))
                    continue
                packet = s.recv(65536)
                if family == socket.AF_INET:          # it comes with its header
                    packet = packet[(packet[0] & 15) * 4:]
                if packet[:2] == b"\x30\x00":
                    os.write(tap, packet[2:])
            except OSError:
                pass                                  # the device is down, or no SA yet


def udp_sink(addr, port, seconds):
    """Count datagrams from the first one on."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUFFORCE, 16 << 20)
    s.bind((addr, int(port)))
    print("listening", flush=True)
    buf, n = bytearray(2048), 0
    s.recv_into(buf)
    s.settimeout(0.5)
    start = last = time.monotonic()
    while last - start < float(seconds):
        try:
            s.recv_into(buf)
        except socket.timeout:
            break
        n += 1
        if n % 64 == 0:
            last = time.monotonic()
    print(n, f"{max(time.monotonic() - start, 0.001):.3f}", flush=True)


def udp_source(addr, port, seconds, size):
    """Send datagrams as fast as one core can."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect((addr, int(port)))
    data, end = os.urandom(int(size)), time.monotonic() + float(seconds)
    while time.monotonic() < end:
        for _ in range(64):
            try:
                s.send(data)
            except OSError:
                pass


SO_RCVBUFFORCE = 33     # socket of Python 3.11 has no name for it


def roomy(s):
    """Room for what comes while a busy machine lets us wait."""
    s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    return s


def seq_sink(addr, port, quiet):
    """Do datagrams come in the order of their numbers?  Until none came for so long."""
    s = roomy(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    s.bind((addr, int(port)))
    print("listening", flush=True)
    n = behind = top = 0
    s.settimeout(20)
    try:
        while True:
            number = struct.unpack(">I", s.recv(64)[:4])[0]
            n, behind, top = n + 1, behind + (number < top), max(number, top)
            s.settimeout(float(quiet))
    except socket.timeout:
        print(n, behind, flush=True)


def seq_source(addr, port, count):
    """Numbered datagrams, 1000 a second."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(int(count)):
        s.sendto(struct.pack(">I", number), (addr, int(port)))
        time.sleep(0.001)


class Relay:
    """A bad path and a NAT in one: a socket of its own for each client and port."""

    def __init__(self, own, to, loss, dup, late):
        self.own, self.to = own, to
        self.chance = {"loss": int(loss), "dup": int(dup), "late": int(late)}
        self.rng, self.serial = random.Random(5), itertools.count()
        self.front = {s: port for port in (500, 4500) for s in [self._bound(port)]}
        self.back, self.owner, self.heap = {}, {}, []

    def _bound(self, port):
        s = roomy(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        s.bind((self.own, port))
        return s

    def _hit(self, what):
        return self.rng.randrange(100) < self.chance[what]

    def _put(self, sock, data, addr):
        if self._hit("loss"):
            return
        for _ in range(2 if self._hit("dup") else 1):
            wait = self.rng.random() * 0.2 if self._hit("late") else 0
            heapq.heappush(self.heap, (time.monotonic() + wait, next(self.serial),
                                       sock, data, addr))

    def _take(self, sock):
        try:
            data, addr = sock.recvfrom(65535)
        except ConnectionError:
            return
        if sock in self.owner:
            front, client = self.owner[sock]
            self._put(front, data, client)
            return
        key = (sock, addr)
        if key not in self.back:
            self.back[key] = self._bound(0)
            self.owner[self.back[key]] = key
        self._put(self.back[key], data, (self.to, self.front[sock]))

    def run(self):
        """For ever."""
        print("relaying", flush=True)
        while True:
            now = time.monotonic()
            while self.heap and self.heap[0][0] <= now:
                _, _, sock, data, addr = heapq.heappop(self.heap)
                sock.sendto(data, addr)
            wait = max(self.heap[0][0] - now, 0) if self.heap else 1
            for sock in select.select([*self.front, *self.owner], [], [], wait)[0]:
                self._take(sock)


def relay(own, to, loss, dup, late):
    """A lossy way to another address."""
    Relay(own, to, loss, dup, late).run()


if __name__ == "__main__":
    globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])
