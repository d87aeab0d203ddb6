# SPDX-License-Identifier: Apache-2.0
"""Captures: take one, say what is in it, have tshark judge it."""
import os
import struct
import subprocess

from lab import LabError, until


class Capture:
    """tcpdump on an interface of a node until done() is called."""

    def __init__(self, lab, node, ifname, name="wire"):
        self.path = os.path.join(lab.dir, f"{name}.pcap")
        self.proc = lab.spawn(node, "tcpdump", "-i", ifname, "-U", "--immediate-mode", "-s", "0",
                              "-Z", "root", "-w", self.path, name="tcpdump")
        if not until(5, lambda: "listening" in self.proc.text()):
            raise LabError(f"tcpdump does not start: {self.proc.text()}")

    def done(self):
        """Stop; the frames."""
        self.proc.stop()
        return list(frames(self.path))


def frames(path):
    """Every frame of a pcap file."""
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def kind(frame):
    """What a frame on the outer wire is: esp, udp-esp, ike, keepalive, arp, nd, fragment,
    unreachable (ICMP about an outer packet) or other."""
    ether = frame[12:14]
    if ether == b"\x08\x06":
        return "arp"
    if ether == b"\x08\x00":
        fragment = struct.unpack_from(">H", frame, 20)[0]
        proto, rest = frame[23], frame[14 + (frame[14] & 15) * 4:]
        if fragment & 0x1fff and proto in (17, 50):
            return "fragment"
    elif ether == b"\x86\xdd":
        proto, rest = frame[20], frame[54:]
        if proto == 0 and rest[:1] == b"\x3a":        # MLD behind hop-by-hop options
            return "nd"
        if proto == 44:
            proto, offset, rest = rest[0], struct.unpack_from(">H", rest, 2)[0], rest[8:]
            if offset & 0xfff8 and proto in (17, 50):
                return "fragment"
    else:
        return "other"
    if proto == 1 and ether == b"\x08\x00" and rest[:1] == b"\x03" and rest[17] in (17, 50):
        return "unreachable"
    if proto == 58 and rest and rest[0] in (133, 134, 135, 136, 143):
        return "nd"
    return "esp" if proto == 50 else _udp_kind(rest) if proto == 17 else "other"


def _udp_kind(rest):
    ports = struct.unpack_from(">HH", rest)
    if 500 in ports:
        return "ike"
    if 4500 not in ports:
        return "other"
    if len(rest) == 9:
        return "keepalive"
    return "ike" if rest[8:12] == bytes(4) else "udp-esp"


def kinds(captured):
    """The set of what there is."""
    return {kind(f) for f in captured}


def _uat(key_log):
    """Options for the lines "table: values" of a --key-log file."""
    with open(key_log, encoding="ascii") as f:
        for line in f:
            table, values = line.rstrip("\n").split(": ", 1)
            yield from ("-o", f"uat:{table}:{values}")


def tshark(path, show, fields=(), key_log=None):
    """Lines tshark prints for frames that match show; keys from a --key-log file."""
    argv = ["tshark", "-n", "-r", path, "-Y", show,
            "-o", "esp.enable_encryption_decode:TRUE",
            "-o", "esp.enable_authentication_check:TRUE"]
    argv += _uat(key_log) if key_log else ()
    if fields:
        argv += ["-T", "fields"] + [x for f in fields for x in ("-e", f)]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          check=False, env={**os.environ, "HOME": "/nonexistent"})
    if done.returncode != 0:
        raise LabError(f"tshark: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace").splitlines()
