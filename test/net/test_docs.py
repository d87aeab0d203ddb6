# SPDX-License-Identifier: Apache-2.0
"""Every command of README.md, doc/*.md and packaging/README.md is typed as it stands there.

The README is followed first, by both offices; then each other page types its blocks ```sh and
its `code spans` that begin with a command at Tokyo, with Osaka as the peer, or where RULES say.
What is not typed stands in NOT_TYPED with the reason.  The tutorials' blocks ```console are
test_tutorial.py's.  Programs that want a screen, another machine or the service manager have a
stand-in (STAND_IN); systemctl's real one is in test_systemd.py."""
import glob
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import topo
from gateway import BUILD
from lab import until
from machine import copy_etc
from test_tutorial import ENTER, Places

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PAGES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "packaging/README.md",
         *sorted(os.path.relpath(p, ROOT) for p in glob.glob(os.path.join(ROOT, "doc", "*.md")))]
# a span is a command line when it begins with one of these
FIRST = r"(?:sudo |build/)?(?:tapir|tapird|make|packaging/\w+|test/bench/\w+)(?= )"
STAND_IN = {
    "sudo": 'exec "$@"',
    "less": "exec cat",
    "wireshark": 'exec tshark -r - >/dev/null',
    # -L PORT:HOST:PORT USER@MACHINE COMMAND...
    "ssh": 'shift 3; exec "$@"',
    "systemctl": ':',
}
# words of a page that stand for something
WORDS = (("/tmp/", "/root/"), ('"left_s":10', '"left_s":1'),
         ("--seconds 20", "--seconds 1"), ("--seconds 60", "--seconds 1"),
         ("REALM/PEER", "branches/osaka"), ("PATH VALUE", "branches/dpd 30"),
         ("add REALM NAME", "add branches nobody"), ("REALM", "branches"),
         ("PEER", "osaka"), ("GATEWAY", "203.0.113.9"), ("test ID", "test osaka"),
         ("check FILE", "check /etc/tapir/tapir.xml"), ("COMMAND", "status"))
# line (from its beginning) -> why it is not typed
NOT_TYPED = {
    "make check": "it would run this test",
    "make unit": "a part of make check", "make sim": "a part of make check",
    "make lint": "a part of make check", "make graph": "a part of make check",
    "make net": "it would run this test",
    "make CC=clang B=build-clang check": "it would run this test",
    "make asan": "builds everything again; continuous integration does it",
    "make tsan": "builds everything again; continuous integration does it",
    "make fuzz": "minutes under another compiler",
    "make bench": "minutes with the machine to itself",
    "make soak": "minutes under a sanitizer",
    "make deb-check": "minutes, with two chroots from a mirror",
    "make clean": "the build is in use",
    "make deps": "installs packages",
    "make demo": "test_cli.py does what it does, tapir demo",
    "make IPSECMB=no": "builds everything again",
    "make WEB=": "builds everything again",
    "make B=build-x": "builds everything again",
    "make PREFIX=/usr": "builds everything again; make deb-check does it",
    "make install PREFIX=/usr": "of a build with another PREFIX; make deb-check does it",
    "packaging/deps": "installs packages",
    "test/bench/record": "writes into doc/performance.md",
    "tapir lab": "test_cli.py and test_why.py do it",
    "sudo tapir lab": "test_cli.py and test_why.py do it",
    "sudo build/tapir lab": "test_cli.py and test_why.py do it",
    "tapir demo": "test_cli.py does it",
    "tapir join LINK": "test_invite.py follows a link of its own",
    "tapir join NAME.invite": "the same as tapir join osaka.invite",
    "tapir join FILE": "the same as tapir join osaka.invite",
    "tapird --web-root DIR": "test_ui.py starts it so",
    "tapird --no-web": "all other system tests start it so",
    "tapird --key-log FILE": "test_decode.py starts it so",
}
# line (from its beginning) -> what is done for it.  at: a machine of its own; before: typed
# first; input: what is answered; status: what it ends with; for_s: it is ended after so long
RULES = {
    "sudo tapir capture --clear": {"for_s": 1},
    "sudo tapir capture --dropped": {"for_s": 1},
    "sudo tapir capture -w - |": {"for_s": 1},
    "sudo tapir capture -w /root/osaka.pcapng": {"before": "mkdir -p /root/keys"},
    "tapir capture --stop": {"status": (0, 1)},
    "tapir capture": {"for_s": 1},
    "sudo tapir ca init": {"before": "rm -f /etc/tapir/keys/ca.*"},
    "tapir ca init": {"before": "rm -f /etc/tapir/keys/ca.*"},
    "tapir init": {"status": (1,)},     # there is one already
    "tapir ping osaka": {"more": " -i 0.2"},
    "tapir ca export NAME": {"line": "tapir ca export osaka.example.com -o /root/x.p12",
                             "before": "rm -f /etc/tapir/keys/osaka.example.com.*; "
                             "tapir ca issue osaka.example.com"},
    "tapir ca export osaka": {"before": "rm -f /etc/tapir/keys/osaka.example.com.* *.p12; "
                              "tapir ca issue osaka.example.com"},
    "tapir ca revoke osaka": {"before": "rm -f /etc/tapir/keys/osaka.example.com.*; "
                              "tapir ca issue osaka.example.com"},
    "sudo tapir ca issue": {"before": "rm -f /etc/tapir/keys/{tokyo,osaka}.example.com.*"},
    "sudo tapir init": {"at": "fresh", "terminal": True, "input": "tokyo\nosaka\n203.0.113.2\nbr-lan\n"},
    "sudo tapir set": {"at": "fresh"},
    "tapir get branches/osaka": {"at": "fresh"},
    "tapir get": {"line": "tapir get branches"},
    "sudo tapir reload --confirm": {"status": (0,)},
    "tapir confirm": {"before": "tapir reload --confirm 60"},
    "sudo ip route add 10.2.0.0/16 via 10.99": {"before": "ip addr add 10.99.0.1/24 dev br-lan"},
    "sudo ip route add 10.2.0.0/16 via 10.255": {"before": "ip route del 10.2.0.0/16; "
                                                 "ip addr add 10.255.0.1/30 dev br-lan"},
    "sudo ip netns exec blue": {
        "at": "fresh", "stays": "/run/tapir-blue/ctl.sock",
        "before": "mkdir -p /etc/tapir/blue/keys && cp /etc/tapir/tapir.xml /etc/tapir/blue/ && "
        "sed -i 's/ bridge=\"[^\"]*\"//' /etc/tapir/blue/tapir.xml && "
        "cp /etc/tapir/keys/*.psk /etc/tapir/blue/keys/",
        # what a line mounts is gone with it; in the background it would outlive the test
        "line": "ip netns add blue; exec ip netns exec blue tapird --foreground "
                "--config /etc/tapir/blue/tapir.xml --run-dir /run/tapir-blue"},
    "sudo tapir --run-dir /run/tapir-blue": {"at": "fresh"},
    "sudo build/tapird --config my/tapir.xml": {
        "at": "fresh", "stays": "/root/tapir-a/ctl.sock",
        "before": "mkdir -p my/keys && chmod 700 my/keys && cp /etc/tapir/tapir.xml my/ && "
        "sed -i 's/ bridge=\"[^\"]*\"//' my/tapir.xml && cp /etc/tapir/keys/*.psk my/keys/"},
    "sudo build/tapir --run-dir /root/tapir-a log -f": {"at": "fresh", "for_s": 1},
    "sudo tapir user add sales": {"at": "people", "input": "a pass phrase\na pass phrase\n"},
    "sudo tapir invite hanako@sales.example.com --realm sales --as apple": {"at": "people"},
    "sudo tapir invite hanako@sales.example.com --realm sales --as android": {
        "at": "people", "for_s": 2},
    "tokyo$ sudo tapir invite osaka": {"at": "new", "before": "rm -rf /etc/tapir/* osaka.invite"},
    "osaka$ sudo tapir join": {"at": "newer", "before": "rm -rf /etc/tapir/*", "carry": "osaka.invite",
                              "terminal": True, "input": "yes\n"},
    # not every kernel has these
    "ip link add gre1": {"status": (0, 2)},
    "ip link set gre1": {"status": (0, 1)},
    "ip addr add 10.255.0.2/30 dev gre1": {"status": (0, 1)},
    "bridge vlan add": {"before": "ip link set br-lan type bridge vlan_filtering 1",
                        "status": (0, 255)},
    "sudo sh -c 'umask 077; openssl": {"before": "cp -p /etc/tapir/keys/branches.psk /root/was",
                                       "after": "cp -p /root/was /etc/tapir/keys/branches.psk"},
    "tapir metrics >/var/lib/node_exporter": {"before": "mkdir -p /var/lib/node_exporter"},
    "install -m 644 esp-mycard.so": {"before": "cp build/plugins/esp-example.so esp-mycard.so",
                                     "line": "install -m 644 esp-mycard.so $DEST/"},
    "install -d -m 755 /usr/local/lib": {"line": "install -d -m 755 $DEST"},
    "cc -std=gnu11": {"before": "mkdir -p ../mycard && cp spi/example/esp_example.c "
                      "../mycard/mycard.c"},
    "tapir web user del": {"before": "printf 'a long pass word\\n' >/root/word; "
                           "tapir web user add hanako --pass /root/word"},
    "tapir web user add hanako": {"before": "tapir web user del hanako",
                                  "input": "correct horse battery\ncorrect horse battery\n"},
    "tapir web user set hanako": {"input": "a longer pass word\n" * 2, "before": "printf 'a long pass word\\n' >/root/word; "
                                  "tapir web user add hanako --pass /root/word"},
    "ssh -L": {},
    "tapir drain --to": {"at": "tokyo", "after": "tapir drain --off"},
    "tapir user add branches nobody": {"status": (1,)},     # the realm asks for no passwords
    "tapir invite NAME": {"line": "tapir invite laptop --at vpn.example.com -o /root/laptop.invite"},
    "tapir log -f": {"for_s": 1},
    "sudo tapir log -f": {"for_s": 1},
    "tapir status -w": {"for_s": 1},
    "tapir hub --watch": {"for_s": 1},
    "sudo tapir bugreport --anonymous": {"before": "cd /root"},
    "tapir down branches/osaka": {"after": "tapir up branches/osaka"},
    "sudo tapir down branches/osaka": {"after": "tapir up branches/osaka"},
    "tapir netcheck": {"status": (0, 1)},
    "make help": {}, "make man-lacks": {}, "make man": {}, "make plugins": {}, "make layers": {},
}
# by its end: the daemon has ended it, or timeout has
ENDED = (0, 124, 130)


def blocks(page):
    """(first line's number, command) of the blocks ```sh; what is continued is one."""
    out, kind, part, at = [], None, "", 0
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            fence = re.match(r"```(\w*)", line)
            if fence:
                kind = fence.group(1) if kind is None else None
                continue
            if kind != "sh" or not line.strip():
                continue
            part, at = (part + line, at) if part else (line, n)
            if part.rstrip().endswith("\\") or len(re.findall("'", part)) % 2:
                continue
            out.append((at, part.strip()))
            part = ""
    return out


def spans(page):
    """(line, command) of the `code spans` that are command lines; once each."""
    out, kind = {}, None
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            if line.startswith("```"):
                kind = None if kind else "fence"
            elif kind is None:
                for span in re.findall(r"`([^`\n]+)`", line):
                    if re.match(FIRST, span):
                        out.setdefault(span, n)
    return [(n, span) for span, n in out.items()]


class Office(Places):
    """The machines, and how a line is typed there."""

    def __init__(self, lab):
        super().__init__(lab, {"tokyo": "gw-a", "osaka": "gw-b", "fresh": "host-b", "people": "gw-a",
                               "new": "host-a", "newer": "host-b"})
        # what each of them calls its own, beside the two offices
        for name in "fresh", "people", "new", "newer":
            self.top[name] = lab.mkdir(name + "-root")
            for d in "run", "root", "var/lib":
                os.makedirs(os.path.join(self.top[name], d), exist_ok=True)
            copy_etc(os.path.join(self.top[name], "etc"))
            os.makedirs(os.path.join(self.top[name], "etc", "tapir", "keys"), mode=0o700)
            os.chmod(os.path.join(self.top[name], "etc", "tapir"), 0o755)
        self.stand_in = lab.mkdir("stand-in")
        for name, text in STAND_IN.items():
            path = os.path.join(self.stand_in, name)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as f:
                f.write(f"#!/bin/sh\n{text}\n")
        # the tree, with files of its own beside those that are there
        self.tree = lab.mkdir("src", "tree")
        for name in os.listdir(ROOT):
            if name not in ("build", ".git"):
                os.symlink(os.path.join(ROOT, name), os.path.join(self.tree, name))
        os.symlink(BUILD, os.path.join(self.tree, "build"))
        self.typed = set()
        self.shell = {}         # by page: variables that a block sets
        self.stay = []

    def top_of(self, place):
        """The files of a place."""
        return self.top[place] if place in self.top else self.top[self.names[place]]

    def start(self, node):
        """systemctl start tapir, with the browser's server."""
        self.stop(node)
        self.daemon[node] = proc = self.lab.spawn(
            node, *ENTER, self.top[node], os.path.join(BUILD, "tapird"), "--foreground",
            name=f"tapird-{node}")
        assert until(10, lambda: "ready, realms" in proc.text()), proc.text()

    def argv(self, place, script):
        """A command line that types a script there."""
        path = f"{self.stand_in}:{BUILD}:" + os.environ["PATH"]
        return [*ENTER, self.top_of(place), "env", "-u", "MAKEFLAGS", "-u", "MFLAGS", f"PATH={path}",
                f"B={BUILD}", f"DEST={self.tree}/plugins",
                "bash", "-c", script]

    def type(self, page, typed, place="tokyo", **how):
        """One line: (status, output)."""
        said = self.shell.setdefault(page, "")
        where = f"cd {self.tree}; " if re.search(r"\b(?:build/|make|cc|esp-mycard)", typed) else ""
        if how.get("before"):
            self.lab.run(self.names[place], *self.argv(place, where + how["before"]))
        line = how.get("line", typed) + how.get("more", "")
        if how.get("terminal"):
            line = f"script -qec {quote(line)} /dev/null"
        if how.get("for_s"):
            line = f"timeout -s INT {how['for_s']} bash -c {quote(line)}"
        if how.get("stays"):
            self.stay.append(self.lab.spawn(self.names[place], *self.argv(place, where + line),
                                            name="stays"))
            there = self.argv(place, f"test -S {how['stays']}")
            ok = until(10, lambda: self.lab.run(self.names[place], *there).returncode == 0)
            return (0 if ok else 1), self.stay[-1].text()
        done = self.lab.run(self.names[place], *self.argv(place, where + said + line),
                            text=how.get("input"), timeout=60)
        if re.match(r"\w+=", line):
            self.shell[page] += line + "; "
        found = re.search(r'"id":"([0-9a-f]+)"', done.stdout)
        if found:
            self.shell[page] += f"ID={found.group(1)}; "
        if "systemctl" in line and re.search(r"\b(?:start|restart|enable --now) tapir", line):
            self.start(self.names[place])
        if how.get("after"):
            self.lab.run(self.names[place], *self.argv(place, how["after"]))
        return done.returncode, done.stdout


def quote(text):
    """For a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def rule(line, table):
    """The row whose key is the longest beginning of a line."""
    keys = [k for k in table if line.startswith(k)]
    return table[max(keys, key=len)] if keys else None


def xml_of(page, n):
    """The n-th configuration of a page."""
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        return re.findall(r"```xml\n(.*?)```", f.read(), re.S)[n]


@pytest.fixture(scope="module")
def lab():
    """The two offices of the README: a LAN interface and no bridge yet."""
    made = topo.sites()
    for n, gw in (1, "gw-a"), (2, "gw-b"):
        made.batch(gw, "link set lan0 nomaster\nlink del br-lan\nlink set lan0 down\n"
                   f"link set lan0 name eth1\nlink set eth1 up\naddr add 203.0.113.{n}/24 dev wan0\n"
                   f"addr add 10.0.0.25{n}/24 dev eth1\n")
    yield made
    made.close()


@pytest.fixture(scope="module")
def office(lab):
    """The places; every program that stays is ended."""
    made = Office(lab)
    with open(os.path.join(made.top["people"], "etc", "tapir", "tapir.xml"), "w",
              encoding="utf-8") as f:
        f.write('<vpn><realm name="sales"><match id="*@sales.example.com"/>'
                '<me id="vpn.example.com" cert="vpn.example.com"/>'
                '<eap method="mschapv2" users="sales.users"/>'
                '<pool net="10.20.1.0/24"/></realm></vpn>\n')
    lab.need("gw-a", *made.argv("people", "tapir ca init; tapir ca issue vpn.example.com"))
    yield made
    for proc in made.stay:
        proc.signal_group(signal.SIGTERM)
    for node in list(made.daemon):
        made.stop(node)


def follow(office, page, lines, default="tokyo"):
    """Type them all: (number typed, what went wrong)."""
    bad, n = [], 0
    for at, line in lines:
        if rule(line, NOT_TYPED):
            continue
        bare = re.sub(r"^(\w+)\$ ", "", line)
        for a, b in WORDS:
            bare = bare.replace(a, b)
        how = dict(rule(bare, RULES) or rule(line, RULES) or {})
        place = how.pop("at", default)
        if bare.startswith("make") and rule(bare, RULES) is None:
            bare = bare.replace("make", "make -n", 1)   # that it could be done
        if how.get("carry"):
            shutil.copy(os.path.join(office.top_of("new"), "root", how["carry"]),
                        os.path.join(office.top_of(place), "root"))
        begun = time.monotonic()
        try:
            status, said = office.type(page, bare, place, **how)
        except subprocess.TimeoutExpired:
            status, said = "no end", ""
        n += 1
        # the name of a command alone: it may want more, and says what
        is_name = re.fullmatch(r"tapir(?: --json)?(?: [a-z]+){0,3}(?: hanako| --[a-z-]+)?", bare)
        good = how.get("status") or (ENDED if how.get("for_s") else (0,))
        if time.monotonic() - begun > 3:
            print(f"{page}:{at}: {line}: {time.monotonic() - begun:.1f} s")
        if status not in good and not (is_name and status == 2):
            bad.append(f"{page}:{at}: {line}\n   typed {bare!r}: status {status}\n   "
                       + "\n   ".join(said.strip().splitlines()[-6:]))
    return n, bad


def test_the_readme_joins_two_offices(lab, office):
    """Line by line at both gateways; then a host of one reaches a host of the other."""
    lines = [(n, line) for n, line in blocks("README.md")
             if not line.startswith("make") and "make install" not in line]
    assert len(lines) >= 10, lines
    for place, n in ("tokyo", 0), ("osaka", 1):
        with open(office.path(office.names[place], "/root/tapir.xml"), "w", encoding="utf-8") as f:
            f.write(xml_of("README.md", n))
    bad = []
    for place in "tokyo", "osaka":
        for at, line in lines:
            if "openssl rand" in line and place == "osaka":     # "bring the same file to Osaka"
                name = "/etc/tapir/keys/branches.psk"
                shutil.copy2(office.path("gw-a", name), office.path("gw-b", name))
                continue
            if line.startswith("sudo tapir check"):             # "write /etc/tapir/tapir.xml"
                shutil.copy(office.path(office.names[place], "/root/tapir.xml"),
                            office.path(office.names[place], "/etc/tapir/tapir.xml"))
            status, said = office.type("README.md", line, place)
            if status != 0:
                bad.append(f"README.md:{at}: {line}: {status}: {said}")
    assert not bad, "\n".join(bad)
    for n, gw in (1, "gw-a"), (2, "gw-b"):      # "addresses that eth1 had belong on br-lan now"
        lab.batch(gw, f"addr del 10.0.0.25{n}/24 dev eth1\naddr add 10.0.0.25{n}/24 dev br-lan\n")
    assert lab.until_ping("host-a", "10.0.0.2", 10), office.daemon["gw-a"].text()
    status, said = office.type("README.md", "sudo tapir status")
    assert status == 0 and "osaka" in said and "ether/udp" in said, said


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_can_be_typed(lab, office, page):
    """Its blocks in their order, then its spans."""
    assert "gw-a" in office.daemon, "the README comes first"
    lab.spawn("host-a", "ping", "-n", "-q", "-i", "0.2", "-w", "10", "10.0.0.2")
    lines = [] if page == "README.md" else blocks(page)
    n, bad = follow(office, page, lines)
    new = [(at, line) for at, line in spans(page) if line not in office.typed]
    office.typed.update(line for _, line in new)        # once is enough
    m, worse = follow(office, page, new)
    print(f"{page}: {n} lines and {m} spans typed")
    assert not bad + worse, f"{len(bad + worse)} of {n + m}:\n" + "\n".join(bad + worse)


def test_what_is_not_typed_is_few_and_has_a_reason():
    """Each row of NOT_TYPED is in a page, and says why; most is typed."""
    lines = [line for p in PAGES for _, line in blocks(p) + spans(p)]
    for key, why in NOT_TYPED.items():
        assert why and any(line.startswith(key) for line in lines), key
    left = [line for line in lines if rule(line, NOT_TYPED)]
    print(f"{len(lines) - len(left)} typed, {len(left)} not: {sorted(set(left))}")
    assert len(left) < len(lines) / 3
