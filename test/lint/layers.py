#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Check every project include against test/lint/layers.txt.

An include line names a file from the root of the tree; the table says which
folders the includer's folder may reach.  Exit status 1 and one line for each
violation.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOP = ("daemon", "ikev2", "esp", "vhub", "webui", "secure-proc", "spi", "conf", "why", "cli", "packaging", "test")
INC = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def table():
    rules = {}
    with open(os.path.join(ROOT, "test/lint/layers.txt")) as f:
        for line in f:
            line = line.split("#")[0].strip()
            if line:
                folder, _, allowed = line.partition(":")
                rules[folder.strip()] = allowed.split()
    return rules


def owner(rules, path):
    """The longest rule folder that contains path."""
    best = None
    for folder in rules:
        if path.startswith(folder + "/") and (best is None or len(folder) > len(best)):
            best = folder
    return best


def allowed(rules, folder, inc):
    if inc.startswith(folder + "/") and owner(rules, inc) == folder:
        return True
    for a in rules[folder]:
        if a.endswith("/*.h"):
            if os.path.dirname(inc) == a[:-4]:
                return True
        elif owner(rules, inc) == a:
            return True
    # a parent folder may use its own sub-folders unless they are ruled apart
    return inc.startswith(folder + "/")


def main():
    rules, bad, n = table(), 0, 0
    for top in TOP:
        for dirpath, _, files in os.walk(os.path.join(ROOT, top)):
            for name in files:
                if not name.endswith((".c", ".h", ".def")):
                    continue
                path = os.path.relpath(os.path.join(dirpath, name), ROOT)
                if path.startswith("test/"):
                    continue
                folder = owner(rules, path)
                if folder is None:
                    print(f"{path}: in no folder of test/lint/layers.txt")
                    bad += 1
                    continue
                n += 1
                with open(os.path.join(ROOT, path)) as f:
                    for no, line in enumerate(f, 1):
                        m = INC.match(line)
                        if not m:
                            continue
                        inc = m.group(1)
                        if not os.path.exists(os.path.join(ROOT, inc)) and "gen/" not in inc:
                            print(f"{path}:{no}: include \"{inc}\" is not a path from the root")
                            bad += 1
                        elif inc.startswith("test/") or not allowed(rules, folder, inc):
                            print(f"{path}:{no}: {folder} may not include {inc}")
                            bad += 1
    print(f"layers: {n} files, {bad} violations")
    return 1 if bad else 0


sys.exit(main())
