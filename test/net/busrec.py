# SPDX-License-Identifier: Apache-2.0
"""Records of the bus as bytes (daemon/bus/bus_wire.h, doc_wire.h), by the tables of the sources."""
import os
import re
import struct

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CLASSES = {"COMMAND": 1, "RESULT": 2}
DOC = 0x11


def _table(name):
    """The text of a table, without its comments."""
    with open(os.path.join(TREE, "daemon", "bus", name + ".def"), encoding="utf-8") as f:
        return re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)


FIELDS = dict((n, (k, t)) for n, k, t in re.findall(
    r'FIELD\((\w+),\s*"(\w+)",\s*(\w+)\)', _table("field")))


def _rows():
    """(class, number) and name of each row -> its name and fields."""
    out = {}
    for kind, name in ("COMMAND", "command"), ("RESULT", "result"):
        for m in re.finditer(kind + r'\((\d+), \w+, "([\w-]+)",((?:[^()]|\(\w+\))*)\)', _table(name)):
            row = (CLASSES[kind], int(m[1]), m[2], re.findall(r"F\((\w+)\)", m[3]))
            out[row[:2]] = out[kind, m[2]] = row
    return out


ROWS = _rows()


def command(row, tag, doc=b"", **values):
    """A command and a document as one datagram."""
    kind, number, _, fields = ROWS["COMMAND", row]
    out = struct.pack(">BHIQQ", kind, number, tag, 0, 0)
    for f in fields:
        key, of = FIELDS[f]
        value = values.pop(key, "" if of == "STR" else 0)
        if of == "STR":
            out += struct.pack(">H", len(value)) + value.encode()
        else:
            out += struct.pack(">B" if of == "BOOL" else ">Q", value)
    assert not values, values
    return struct.pack(">BH", DOC, len(out)) + out + doc


def decode(data):
    """A datagram: name of the row, its values, the document behind it."""
    doc = b""
    if data[0] == DOC:
        n = struct.unpack(">H", data[1:3])[0]
        data, doc = data[3:3 + n], data[3 + n:]
    kind, number, tag, _, _ = struct.unpack(">BHIQQ", data[:23])
    _, _, name, fields = ROWS[kind, number]
    at, out = 23, {"tag": tag}
    for f in fields:
        key, of = FIELDS[f]
        size = {"STR": 2, "BOOL": 1}.get(of, 8)
        value = int.from_bytes(data[at:at + size], "big")
        at += size
        if of == "STR":
            value, at = data[at:at + value].decode(), at + value
        out[key] = value
    assert at == len(data), (name, data)
    return name, out, doc
