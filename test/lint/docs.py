#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check that the documentation says what is so.

  B=build test/lint/docs.py

Each of these is one test; a failure is one line "file:line: what":
  configurations  every ```xml block passes `tapir check` (key files that it
                  names are made up for it)
  make targets    every `make TARGET` exists in the Makefile
  commands        every `tapir COMMAND` exists in cli/cmd.def, every --option of
                  tapir and tapird in the program it belongs to
  links           every relative link resolves, with its #heading
  file names      every file of the tree that is named exists
  metrics         every tapir_... that is named is in daemon/bus/metric.def, and
                  doc/metrics.md has them all
  RFC sections    every row of doc/ikev2.md has what it must, and its tests exist (rfc.py)

Commands are looked for in `code spans` and in blocks fenced as ```sh.  The last line
is "N passed, M failed"; the status is 1 when something failed.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

import rfc

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.environ.get("B", "build")
PAGES = ("*.md", "doc/*.md", "packaging/*.md")
PLAIN = ("daemon/README", "daemon/tapird.8")    # looked at for file names only
TOP = "cli|conf|daemon|doc|esp|ikev2|packaging|secure-proc|spi|test|vhub|webui|why|[.]ci"
# A file of the tree: a folder of it, then a name with an ending, or an all-capitals name.
NAMED = re.compile(r"(?<![\w./-])((?:%s)/[\w./*-]*(?:\.(?:c|h|def|py|txt|xml|service|md|[1-9])"
                   r"|README|PROTOCOL|run|run-check|deps|install)(?![\w/-]))" % TOP)
# t_FILE.c stands for many files.
PLACEHOLDER = re.compile(r"(?:^|[/_])(?!README|PROTOCOL)[A-Z]+(?=[/.])")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
SPAN = re.compile(r"`([^`\n]+)`")
# A word of a command line; quotes may hold blanks.
WORD = re.compile(r"""\s*(?:"[^"]*"|'[^']*'|[^\s;|#"'])+""")
END_OF_COMMAND = re.compile(r"\s*(?:;|&&|\|\||\||#|>|<|$)")


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as f:
        return f.read()


class Docs:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        make = read("Makefile")
        self.targets = set()
        for line in make.splitlines():
            if re.match(r"[a-z][\w -]*:(?!=)", line):
                self.targets.update(line.split(":")[0].split())
        cmd = read("cli/cmd.def")
        self.commands = set(re.findall(r'^CMD\("([\w-]+)"', cmd, re.M))
        self.tapir_opts = set(re.findall(r"--[a-z][\w-]*", cmd + read("cli/cli.c")))
        self.tapird_opts = {"--" + o for o in re.findall(r'\{ "([\w-]+)", \w+_argument',
                                                         read("daemon/main.c"))}

    def test(self, is_good, where, what):
        if is_good:
            self.passed += 1
            return
        self.failed += 1
        print(f"{where}: {what}")

    # ---- configurations ----------------------------------------------------

    @staticmethod
    def certificate(keys, name):
        """A certificate of its own, and its key, under the name it has in a configuration."""
        key = os.path.join(keys, re.sub(r"\.(?:pem|crt|cer|der)$", "", name) + ".key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test", "-days", "90",
                        "-addext", "subjectAltName=DNS:vpn.example.com",
                        "-keyout", key, "-out", os.path.join(keys, name)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(key, 0o600)
        os.chmod(os.path.join(keys, name), 0o600)

    def keystore(self, keys, text):
        """A directory with every file the configuration names."""
        os.makedirs(keys, 0o700)
        for name in set(re.findall(r'\b(?:psk|pass|users|secret)="([^"/]+)"', text)):
            fd = os.open(os.path.join(keys, name), os.O_WRONLY | os.O_CREAT, 0o600)
            os.write(fd, b"no secret, a test\n" if not name.endswith(".users") else
                     b"somebody:nt:" + b"0" * 32 + b"\n")
            os.close(fd)
        for name in {x for n in re.findall(r'\b(?:ca|cert)="([^"/]+)"', text)
                     for x in n.split()}:
            self.certificate(keys, name)

    def config(self, where, text):
        tapir = os.path.abspath(os.path.join(ROOT, B, "tapir"))
        with tempfile.TemporaryDirectory() as top:
            for own in ["", *re.findall(r'<realm[^>]*\bkeys="([^"/]+)"', text)]:
                self.keystore(os.path.join(top, "keys", own), text)
            path = os.path.join(top, "tapir.xml")
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            try:
                r = subprocess.run([tapir, "check", path], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, timeout=30, check=False)
            except OSError as e:
                self.test(False, where, f"cannot run {tapir}: {e.strerror}")
                return
            said = r.stdout.decode(errors="replace").strip().replace("\n", "; ")
            self.test(r.returncode == 0, where, f"tapir check: {said}")

    # ---- commands ----------------------------------------------------------

    @staticmethod
    def words(line, program):
        """Argument lists of every use of program in a line of code."""
        # Not "make-something", and no path of the tree such as build/tapir in a rule.
        for m in re.finditer(r"(?:^|(?<=[\s(/$]))%s(?=\s)" % program, line):
            rest = line[m.end():]
            out = []
            while not END_OF_COMMAND.match(rest):
                word = WORD.match(rest)
                out.append(word.group(0).strip())
                rest = rest[word.end():]
            yield out

    def make(self, where, args):
        for a in args:
            if a.startswith("-") or "=" in a or "/" in a or not re.match(r"[a-z]", a):
                continue
            self.test(a.rstrip(".,:)") in self.targets, where, f"make {a}: no such target")

    def tapir(self, where, args):
        takes = {"--run-dir"}
        rest = list(args)
        while rest and rest[0].startswith("-"):
            if rest.pop(0) in takes and rest:
                rest.pop(0)
        # COMMAND, a placeholder, is written in capitals.
        if rest and re.match(r"[a-z]", rest[0]):
            for name in rest[0].split("|"):
                self.test(name in self.commands, where, f"tapir {name}: no such command")
        if rest[:2] == ["lab", "exec"]:         # what follows belongs to another program
            args = args[:2]
        self.options(where, args, "tapir", self.tapir_opts)

    def options(self, where, args, program, known):
        for a in args:
            m = re.match(r"\[?(--[a-z][\w-]*)", a)
            if m:
                self.test(m.group(1) in known, where, f"{program} {m.group(1)}: no such option")

    def code(self, where, line):
        for args in self.words(line, "make"):
            self.make(where, args)
        for args in self.words(line, "tapir"):
            self.tapir(where, args)
        for args in self.words(line, "tapird"):
            self.options(where, args, "tapird", self.tapird_opts)

    # ---- links and names ---------------------------------------------------

    @staticmethod
    def anchors(name):
        out = set()
        for h in re.findall(r"^#+ +(.+)$", read(name), re.M):
            h = re.sub(r"[^\w\- ]", "", h.replace("`", "").lower())
            out.add(h.strip().replace(" ", "-"))
        return out

    def link(self, page, where, target):
        if re.match(r"[a-z]+:", target):
            return
        path, _, anchor = target.partition("#")
        name = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(os.path.join(ROOT, name)):
            self.test(False, where, f"link to {target}: there is no {name}")
        elif anchor and name.endswith(".md"):
            self.test(anchor in self.anchors(name), where, f"link to {target}: no such heading")
        else:
            self.test(True, where, "")

    def names(self, where, line):
        for name in sorted(set(NAMED.findall(line))):
            if PLACEHOLDER.search(name):
                continue
            self.test(glob.glob(os.path.join(ROOT, name)) != [], where, f"there is no {name}")

    # ---- a page ------------------------------------------------------------

    def page(self, page):
        block = None            # language of the fenced block we are in
        begin, lines = 0, []
        for n, line in enumerate(read(page).splitlines(), 1):
            where = f"{page}:{n}"
            fence = re.match(r"\s*```(\w*)", line)
            if fence and block is None:
                block, begin, lines = fence.group(1), n, []
            elif fence:
                if block == "xml":
                    self.config(f"{page}:{begin}", "\n".join(lines) + "\n")
                block = None
            elif block is not None:
                lines.append(line)
                self.names(where, line)
                if block in ("sh", "console"):
                    self.code(where, line)
            else:
                for target in LINK.findall(SPAN.sub("``", line)):
                    self.link(page, where, target)
                for span in SPAN.findall(line):
                    self.code(where, span)
                self.names(where, LINK.sub("", line))
        self.test(block is None, f"{page}:{begin}", "a fenced block does not end")

    # ---- metrics -----------------------------------------------------------

    METRIC = re.compile(r"(?<![\w.-])tapir_[a-z_]+")
    NAMES_METRICS = ("doc/metrics.md", "conf/example/prometheus-alerts.yml",
                     "conf/example/grafana-tapir.json")

    def metrics(self):
        known = set(re.findall(r'^METRIC\("(\w+)"', read("daemon/bus/metric.def"), re.M))
        for page in self.NAMES_METRICS:
            for n, line in enumerate(read(page).splitlines(), 1):
                for name in self.METRIC.findall(line):
                    short = re.sub(r"_(?:bucket|count|sum)$", "", name)
                    self.test(name in known or short in known, f"{page}:{n}", f"{name}: no metric")
        named = set(self.METRIC.findall(read("doc/metrics.md")))
        for name in sorted(known - named):
            self.test(False, "doc/metrics.md:1", f"{name} is not in it")

    def plain(self, name):
        for n, line in enumerate(read(name).splitlines(), 1):
            self.names(f"{name}:{n}", line)


def main():
    d = Docs()
    for pattern in PAGES:
        for path in sorted(glob.glob(os.path.join(ROOT, pattern))):
            d.page(os.path.relpath(path, ROOT))
    for name in PLAIN:
        if os.path.exists(os.path.join(ROOT, name)):
            d.plain(name)
    d.metrics()
    rfc.check(d, ROOT)
    print(f"{d.passed} passed, {d.failed} failed")
    return 0 if d.failed == 0 and d.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
