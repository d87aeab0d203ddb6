#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check the rules of style that a machine can check.

Prints one line "file:line: what" for each violation and exits 1 when there is
any.  Lines that begin with "warning:" or "note:" do not count.

  SPDX line           every source file and script
  own path            the header comment of a .c, .h names the file's path
  length              at most 800 lines a file, 100 columns a line (.c, .h)
  white space         tabs of 8, no blanks at the end of a line
  marks of the undone words that say a thing is not finished
  banned calls        functions without a bound, and shells
  drop reasons        each one of drop.def is used somewhere outside the tests
  errors              each one of err.def should be used somewhere (warning)
  bus                 a sibling publishes, it never subscribes
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_LINES = 800
MAX_COLUMNS = 100
SPDX = "SPDX-License-Identifier: Apache-2.0"
SIBLINGS = ("esp/", "ikev2/", "vhub/")
DEFS = ("daemon/base/drop.def", "daemon/base/err.def")
C_SUFFIX = (".c", ".h", ".def")
TEXT_SUFFIX = C_SUFFIX + (".py", ".sh", ".js", ".css", ".html", ".md", ".txt", ".yml",
                          ".xml", ".rnc", ".service", ".1", ".5", ".8")
UNDONE = re.compile(r"\b(" + "|".join(("XX" + "X", "TO" + "DO", "FIX" + "ME")) + r")\b")
BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|sprintf|vsprintf|gets|system|popen)\s*\(")
# bus_reader_*() reads what others published, bus_set_notify() waits for it.
SUBSCRIBE = re.compile(r"\bbus_(read\w*|set_notify|sub\w*)\s*\(")
ROW = re.compile(r"^[A-Z]\w*\(\s*([A-Z]\w+)")
# What a C comment or literal is; a literal must be seen so that "/*" in it is none.
C_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


class Lint:
    def __init__(self):
        self.n_bad = 0
        self.n_files = 0
        self.words = {}         # names of drops and errors that the program uses

    def bad(self, path, line, what):
        print(f"{path}:{line}: {what}")
        self.n_bad += 1


def list_files():
    """Files that belong to the project: tracked, or new and not ignored."""
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "-co", "--exclude-standard"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if git.returncode == 0:
        names = git.stdout.decode().split("\0")
        return sorted({n for n in names if n and os.path.isfile(os.path.join(ROOT, n))})
    out = []
    for top, dirs, files in os.walk(ROOT):
        dirs[:] = [d for d in dirs if d != ".git" and not d.startswith("build")]
        out += [os.path.relpath(os.path.join(top, f), ROOT) for f in files]
    return sorted(out)


def is_script(path, text):
    name = os.path.basename(path)
    return text.startswith("#!") or name == "Makefile" or path.endswith((".py", ".sh", ".mk"))


def is_text(path):
    name = os.path.basename(path)
    return path.endswith(TEXT_SUFFIX) or name in ("Makefile", "README", "CONTRIBUTING")


def columns(line):
    return len(line.expandtabs(8))


def blank_noise(text):
    """The text with comments and literals blanked, line numbers kept."""
    return C_NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def check_head(lint, path, lines):
    head = "\n".join(lines[:3])
    if SPDX not in head:
        lint.bad(path, 1, f"no \"{SPDX}\" in the first three lines")
    if path.endswith((".c", ".h")):
        own = re.compile(r"^ \* " + re.escape(path) + r" - \S")
        if not any(own.match(line) for line in lines[:6]):
            lint.bad(path, 2, f"the header comment does not say \" * {path} - ...\"")


def check_lines(lint, path, lines):
    is_c = path.endswith(C_SUFFIX)
    in_comment = False
    for no, line in enumerate(lines, 1):
        if UNDONE.search(line):
            lint.bad(path, no, "a mark of something undone")
        if not is_c:
            continue
        if line != line.rstrip():
            lint.bad(path, no, "blanks at the end of the line")
        if not path.endswith(".def") and columns(line) > MAX_COLUMNS:
            lint.bad(path, no, f"{columns(line)} columns, {MAX_COLUMNS} at most")
        if line.startswith("        ") and not in_comment:
            lint.bad(path, no, "indented with blanks, not tabs")
        if "/*" in line or in_comment:
            in_comment = "*/" not in line[max(line.rfind("/*"), 0):]


def check_code(lint, path, text):
    code = blank_noise(text)
    for no, line in enumerate(code.split("\n"), 1):
        m = BANNED.search(line)
        if m:
            lint.bad(path, no, f"{m.group(1)}() is banned")
        m = SUBSCRIBE.search(line)
        if m and path.startswith(SIBLINGS):
            lint.bad(path, no, "a sibling subscribes to the bus; it may only publish")
    if not path.startswith("test/") and path not in DEFS:
        for word in re.findall(r"\b(?:DROP|ERR)_\w+", code):
            lint.words[word] = True


def check_file(lint, path):
    try:
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            text = f.read()
    except UnicodeDecodeError:
        if is_text(path) and not path.startswith("test/conf/broken/"):
            lint.bad(path, 1, "not UTF-8")
        return
    lines = text.split("\n")
    is_c = path.endswith(C_SUFFIX)
    if not is_c and not is_script(path, text) and not is_text(path):
        return
    lint.n_files += 1
    if is_c or is_script(path, text):
        check_head(lint, path, lines)
        if len(lines) - 1 > MAX_LINES:
            lint.bad(path, MAX_LINES, f"{len(lines) - 1} lines, {MAX_LINES} at most")
    check_lines(lint, path, lines)
    if is_c:
        check_code(lint, path, text)


def rows_of(path):
    """(line number, name) of each row MACRO(NAME, ... of a .def file."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        for no, line in enumerate(f, 1):
            m = ROW.match(line)
            if m:
                yield no, m.group(1)


def check_defs(lint):
    for no, name in rows_of("daemon/base/drop.def"):
        if name not in lint.words:
            lint.bad("daemon/base/drop.def", no, f"{name} is used nowhere")
    for no, name in rows_of("daemon/base/err.def"):
        if name not in lint.words:
            print(f"warning: daemon/base/err.def:{no}: {name} is used nowhere")


def check_debian(lint):
    """The Debian package is built with what packaging/deps installs to build."""
    with open(os.path.join(ROOT, "packaging/deps"), encoding="utf-8") as f:
        names = re.findall(r"[a-z0-9-]+-dev\b", "".join(x for x in f if "build=" in x))
    with open(os.path.join(ROOT, "debian/control"), encoding="utf-8") as f:
        control = f.read()
    for name in names:
        if name != "libc6-dev" and not re.search(rf"[ ,]{re.escape(name)}\b", control):
            lint.bad("debian/control", 1, f"{name} of packaging/deps is missing")


def count_secure_rows():
    try:
        with open(os.path.join(ROOT, "daemon/ipc/secure.def"), encoding="utf-8") as f:
            n = sum(line.startswith("IPC_MSG(") for line in f)
        print(f"note: daemon/ipc/secure.def: {n} messages")
    except FileNotFoundError:
        print("note: no daemon/ipc/secure.def")


def main():
    lint = Lint()
    for path in list_files():
        check_file(lint, path)
    check_defs(lint)
    check_debian(lint)
    count_secure_rows()
    print(f"lint: {lint.n_files} files, {lint.n_bad} violations")
    return 1 if lint.n_bad else 0


sys.exit(main())
