#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check the manual pages as they are installed, in English and Japanese.

  B=build test/lint/man.py          (after make man)

Each of these is one test for each page; a failure is one line "page: what":
  groff      formats it without a warning
  mandoc     finds no error
  width      no line beyond 80 columns
  names      tapir-... (and tapird, tapir.xml) it refers to are pages
  whatis     the name and one line are found
and for each pair of pages:
  alike      as many sections and items in Japanese as in English
and for each program that has a page:
  options    all that it takes are on both pages; of tapird, whose roles have more, all
             that its usage has
Every row of the tables has Japanese words (make man-lacks).

A tool that is not installed is left out, and said.  The last line is
"N passed, M failed"; the status is 1 when something failed.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
B = os.path.join(ROOT, os.environ.get("B", "build"))
COLUMNS = 80
XREF = re.compile(r"^\.Xr (tapir[\w.\\-]*) (\d)", re.M)
ITEM = re.compile(r"^\.(Sh|Ss|It)\b", re.M)


def run(*argv):
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def columns(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


# Where getopt_long() of a program gets its options from; None: its usage says them.
PROGRAMS = {"man8/tapird.8": None, "man8/tapir-secure.8": "secure-proc/main.c",
            "man8/tapir-web.8": "webui/main.c"}
OPTION = re.compile(r'\{ "([a-z][\w-]*)", (?:no|required)_argument')


class Man:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.has = {t for t in ("groff", "mandoc", "lexgrog") if shutil.which(t)}
        for tool in sorted({"groff", "mandoc", "lexgrog"} - self.has):
            print(f"without {tool}, which is not installed")

    def test(self, is_good, where, what):
        self.passed += bool(is_good)
        self.failed += not is_good
        if not is_good:
            print(f"{where}: {what}")

    def page(self, path, name):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if "groff" in self.has:
            ja = ["-mja"] if name.startswith("ja/") else []
            _, out, err = run("groff", "-Kutf8", "-Tutf8", "-mandoc", *ja, "-P-c", "-P-b", "-P-u",
                              "-P-o", "-ww", f"-rLL={COLUMNS - 2}n", path)
            self.test(err == "", name, f"groff: {err.strip()}")
            wide = [line for line in out.splitlines() if columns(line) > COLUMNS]
            self.test(out != "" and not wide, name, f"wider than {COLUMNS} columns: {wide[:1]}")
        if "mandoc" in self.has:
            status, out, _ = run("mandoc", "-Tlint", "-W", "error", path)
            self.test(status == 0, name, f"mandoc: {out.strip()}")
        if "lexgrog" in self.has:
            status, out, _ = run("lexgrog", path)
            self.test(status == 0 and " - " in out, name, "whatis does not find its name")
        for other, section in XREF.findall(text):
            other = other.replace("\\", "")
            self.test(os.path.exists(os.path.join(B, "man", f"man{section}", f"{other}.{section}")),
                      name, f"there is no {other}({section})")
        return ITEM.findall(text)

    def options(self, page, source):
        if source is None:
            known = re.findall(r"--([a-z][\w-]*)", run(os.path.join(B, "tapird"), "--help")[1])
        else:
            with open(os.path.join(ROOT, source), encoding="utf-8") as f:
                known = OPTION.findall(f.read())
        self.test(known, page, "no options found")
        for name in (page, os.path.join("ja", page)):
            with open(os.path.join(B, "man", name), encoding="utf-8") as f:
                text = f.read().replace("\\", "")
            for option in known:
                self.test(re.search(rf"(?:-|Fl Fl ){option}\b", text), name, f"lacks --{option}")


def main():
    man = Man()
    top = os.path.join(B, "man")
    pages = sorted(os.path.relpath(p, top) for p in glob.glob(os.path.join(top, "man?", "*.?")))
    for name in pages:
        other = os.path.join("ja", name)
        english = man.page(os.path.join(top, name), name)
        if not os.path.exists(os.path.join(top, other)):
            man.test(False, other, "there is no Japanese page")
            continue
        japanese = man.page(os.path.join(top, other), other)
        man.test(english == japanese, other,
                 f"not alike: {len(japanese)} sections and items, {len(english)} in English")
    for page, source in PROGRAMS.items():
        man.options(page, source)
    words = sorted(p for d in ("cli", "cli/lab", "conf", "daemon/base", "daemon/bus", "spi")
                   for p in glob.glob(os.path.join(ROOT, d, "*.ja")))
    tool = os.path.join(B, "packaging/man/man")
    status, out, err = run(tool, "--lacks", *words[1:])
    man.test(status == 1 and "[" in out, "words", "that words are missing is not noticed")
    status, out, err = run(tool, "--lacks", *words)
    man.test(status == 0, "words", f"make man-lacks: {out}{err}")
    print(f"{man.passed} passed, {man.failed} failed")
    return 0 if man.failed == 0 and man.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
