# SPDX-License-Identifier: Apache-2.0
"""The tutorials of doc/, line by line.

A block ```console has lines "PLACE$ COMMAND", and below each what its output has to contain: all
words of a line, in their order.  A block ```xml behind "In PLACE, `FILE`:" is that file.  Each
place is a node with an /etc, /run, /root and /var/lib of its own.  Two words are done in another
way, for there is neither systemd nor sshd: systemctl start|restart tapir, and scp."""
import os
import re
import shlex
import shutil

import pytest

import topo
from gateway import BUILD
from lab import LabError, until
from machine import copy_etc

TOPOLOGY = topo.sites
DOC = os.path.join(os.path.dirname(__file__), "..", "..", "doc")
OWN = ("etc", "run", "root", "var/lib")
ENTER = ("unshare", "-m", "sh", "-c", 'top=$1; shift; ' + "; ".join(
    f'mount --bind "$top/{d}" "/{d}" || exit 99' for d in OWN) + '; cd /root; exec "$@"', "sh")
ADDRESS = {"192.0.2.1": "gw-a", "192.0.2.2": "gw-b"}
WAIT = 12       # seconds a line may take to come true


class Places:
    """The machines of a tutorial."""

    def __init__(self, lab, names):
        self.lab, self.names, self.daemon = lab, names, {}
        self.top = {node: lab.mkdir(node + "-root") for node in set(names.values())}
        for top in self.top.values():
            shutil.rmtree(top)
            for name in OWN[1:]:
                os.makedirs(os.path.join(top, name), mode=0o755)
            copy_etc(os.path.join(top, "etc"))
            os.mkdir(os.path.join(top, "etc", "tapir"))     # make install does

    def path(self, node, name):
        """A file of a node, as the test sees it."""
        return os.path.join(self.top[node], name.lstrip("/"))

    def write(self, place, name, text):
        """A file of the configuration."""
        path = self.path(self.names[place], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def stop(self, node):
        """systemctl stop tapir."""
        if node in self.daemon:
            self.daemon[node].popen.terminate()
            self.daemon.pop(node).wait(8)

    def start(self, node):
        """systemctl start tapir."""
        self.stop(node)
        self.daemon[node] = proc = self.lab.spawn(
            node, *ENTER, self.top[node], os.path.join(BUILD, "tapird"), "--foreground",
            "--no-web", name=f"tapird-{node}")
        if not until(10, lambda: "ready, realms" in proc.text()):
            raise LabError(proc.text())

    def copy(self, node, words):
        """scp FILE root@HOST:FILE"""
        source, to = [w for w in words if not w.startswith("-")]
        host, name = to.split("@")[-1].split(":")
        source = source if source.startswith("/") else os.path.join("/root", source)
        name = name if name.startswith("/") else os.path.join("/root", name)
        to = self.path(ADDRESS[host], name)
        shutil.copy2(self.path(node, source),
                     to if not name.endswith("/") else os.path.join(to, os.path.basename(source)))

    def do(self, place, line):
        """One line: its output."""
        node = self.names[place]
        words = shlex.split(line.removeprefix("sudo "))
        if words[0] == "systemctl":
            self.start(node)
            return ""
        if words[0] == "scp":
            self.copy(node, words[1:])
            return ""
        if place.startswith("host-"):
            return self.lab.run(node, "sh", "-c", line).stdout
        env = f'PATH={BUILD}:$PATH; {line.replace("sudo ", "")}'
        return self.lab.run(node, *ENTER, self.top[node], "sh", "-c", env).stdout


def steps(page):
    """(place, file, text) and (place, command, expected lines) of a tutorial, in their order."""
    with open(os.path.join(DOC, page), encoding="utf-8") as f:
        text = f.read()
    for m in re.finditer(r"(?:(?:In|On the|On) (\w+), `([^`]+)`:\n\n)?```(\w*)\n(.*?)```", text,
                         re.S):
        place, name, kind, body = m.groups()
        if kind == "xml":
            assert place, f"{page}: a configuration without a place"
            yield "file", place.lower(), name, body
        if kind != "console":
            continue
        for part in re.split(r"^(?=[\w-]+\$ )", body, flags=re.M)[1:]:
            line, *want = part.splitlines()
            place, command = line.split("$ ", 1)
            yield "do", place, command, want


def is_in(want, output):
    """Each line of want: its words stand in one line of the output, in their order."""
    return all(any(re.search(".*?".join(map(re.escape, line.split())), got)
                   for got in output.splitlines()) for line in want)


TUTORIALS = {
    "tutorial-offices.md": {"tokyo": "gw-a", "osaka": "gw-b", "host-tokyo": "host-a",
                            "host-osaka": "host-b"},
    "tutorial-laptop.md": {"laptop": "gw-a", "gateway": "gw-b"},
    "tutorial-people.md": {"client": "gw-a", "gateway": "gw-b"},
}


@pytest.mark.parametrize("page", TUTORIALS)
def test_every_line_does_what_the_page_says(lab, page):
    """Typed as it stands; what is below a line comes true within some seconds."""
    places = Places(lab, TUTORIALS[page])
    n = 0
    try:
        for kind, place, what, more in steps(page):
            n += 1
            if kind == "file":
                places.write(place, what, more)
                continue
            said = [places.do(place, what)]
            # Looking again does no harm; what changes something is said once.
            again = re.search(r"\b(ping|status|hub|why|ip|log)\b", what)
            if not is_in(more, said[0]) and again:
                until(WAIT, lambda: said.append(places.do(place, what)) or
                      is_in(more, said[-1]), 0.2)
            assert is_in(more, said[-1]), f"{page}: {place}$ {what}\n{said[-1]}\n" + "\n".join(
                p.text() for p in places.daemon.values())
    finally:
        for node in list(places.daemon):
            places.stop(node)
    assert n > 10
