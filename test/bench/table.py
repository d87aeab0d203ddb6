# SPDX-License-Identifier: Apache-2.0
"""The table: a line per contender, median and range of the rounds."""
import statistics

import goals
import rows

# Key, heads of two lines, digits.  Two blocks, so that a line fits a page.
BLOCKS = (
    ("THROUGHPUT", (
        ("tcp_gbit", "TCP 1", "Gbit/s", 2),
        ("ratio", "of bare", "veth", 3),
        ("tcp4_gbit", "TCP 4", "Gbit/s", 2),
        ("retransmits", "retransm.", "in 10 s", 0),
        ("seal_ns", "sealing", "ns/byte", 2),
        ("open_ns", "opening", "ns/byte", 2),
        ("single_kpps", "64 B singly", "kpps", 0),
        ("burst_kpps", "64 B trains", "kpps", 0))),
    ("LATENCY AND COST", (
        ("rtt_us", "RTT idle", "us", 0),
        ("rtt_p99_us", "99 %", "us", 0),
        ("rtt_load_us", "RTT loaded", "us", 0),
        ("lost_pings", "pings lost", "loaded", 0),
        ("setup_ms", "set-up", "ms", 0),
        ("handshake_ms", "handshake", "ms", 1),
        ("pss_mb", "memory", "PSS MB", 1))))
NAME, CELL = 18, 13


def add_ratio(runs):
    """To the bare wire of the same round, so that a slow moment cancels out."""
    for rounds in runs.values():
        for bare, m in zip(runs.get("bare veth", []), rounds):
            if bare.get("tcp_gbit") and "tcp_gbit" in m:
                m["ratio"] = m["tcp_gbit"] / bare["tcp_gbit"]


def values(rounds, key):
    return [m[key] for m in rounds if key in m]


def block(title, cols, runs, absent):
    out = [f"{title:<{NAME}}" + "".join(f"{r[1]:>{CELL}}" for r in cols),
           " " * NAME + "".join(f"{r[2]:>{CELL}}" for r in cols)]
    for name, rounds in runs.items():
        if name in absent:
            out.append(f"{name:<{NAME}}{absent[name]}")
            continue
        mid, span = f"{name:<{NAME}}", " " * NAME
        for key, _, _, digits in cols:
            v = values(rounds, key)
            if not v:
                mid, span = mid + f"{'-':>{CELL}}", span + " " * CELL
                continue
            mid += f"{statistics.median(v):>{CELL}.{digits}f}"
            both = f"{min(v):.{digits}f}..{max(v):.{digits}f}"
            span += f"{both:>{CELL}}" if len(v) > 1 else " " * CELL
        out += [mid.rstrip()] + ([span.rstrip()] if span.strip() else [])
    return out


def columns():
    """Key, words and direction of every column that can be compared."""
    for _, cols in BLOCKS:
        for key, head, unit, _ in cols:
            if key != "ratio":
                yield key, f"{head}, {unit}", key.endswith(("gbit", "kpps"))


def table(runs, absent, groups):
    out = []
    if runs:
        for title, cols in BLOCKS:
            out += block(title, cols, runs, absent) + [""]
    for key, found in groups.items():
        out += block(rows.GROUPS[key].title, rows.GROUPS[key].cols, found,
                     absent) + [""]
    out += goals.against(runs, groups) + [""]
    return "\n".join(out + (goals.behind(runs, columns()) if runs else [])).rstrip()


def head(m):
    """What was measured, on what, when."""
    noise, built = m["others_cores"], m.get("commit")
    versions = {n: f"{v}, commit {built}" if built and n == "tapir ether" else v
                for n, v in m["versions"].items()}
    return "\n".join((
        f"{m['date']}; {m['cpu']}, {m['cores']} cores; Linux {m['kernel']}; {m['os']}",
        f"{m['rounds']} x {m['seconds']} s, median and range; load average "
        f"{m['load'][0]:.1f} before, {m['load'][1]:.1f} after; "
        f"others kept {noise:.1f} cores busy (median)",
        *(f"  {n}: {v}" for n, v in versions.items())))


def text(found):
    """All of it, from what bench.py writes as JSON."""
    body = table(found["runs"], found["absent"], found.get("groups", {}))
    return f"{head(found['machine'])}\n\n{body}"
