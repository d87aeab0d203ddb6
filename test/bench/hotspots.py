# SPDX-License-Identifier: Apache-2.0
"""Where the daemons of each side spend their time: perf, by symbol."""
import subprocess
import sys
import threading

from measures import PER_MESSAGE, Effort, Pps, iperf, set_up
from topology import Wire

TOP = 16


def report(path):
    out = subprocess.run(["perf", "report", "-i", path, "--stdio", "-q", "--sort", "dso,symbol"],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                         timeout=120, check=False).stdout
    lines = (x.split() for x in out.splitlines())
    return [f"  {w[0]:>7}  {w[1][:22]:<22} {' '.join(x for x in w[3:] if x != '-')[:44]}"
            for w in lines if len(w) > 3 and w[0].endswith("%")][:TOP]


def stream(w, c, e, beside):
    gbit = iperf(w, c, seconds=e.seconds, beside=beside)["sum_received"]["bits_per_second"]
    return f"{gbit / 1e9:.2f} Gbit/s"


def frames(w, c, e, beside):
    """Trains of smallest frames, as many as the sender can."""
    t = threading.Thread(target=beside)
    t.start()
    _, arrived = Pps(w, c, Effort(0, e.seconds, 0, 0), PER_MESSAGE["burst"]).trial(0)
    t.join()
    return f"{arrived / 1e3:.0f} kpps arrived of a flood"


LOADS = {"stream": stream, "frames": frames}


def profile(c, e, load):
    """Lines of text: the busiest symbols, sealing side and opening side."""
    w, out = Wire(getattr(c, "core", None)), []
    try:
        w.up()
        set_up(w, c)
        data = {s: w.dir / f"perf-{s}" for s in "ab"}
        pids = {s: ",".join(map(str, w.pids(s))) for s in "ab"}

        def beside():
            runs = [subprocess.Popen(["perf", "record", "-q", "-F", "1499", "-p", pids[s], "-o",
                                      data[s], "--", "sleep", str(max(1, e.seconds - 1))],
                                     stdin=subprocess.DEVNULL, stdout=sys.stderr)
                    for s in "ab" if pids[s]]
            for p in runs:
                p.wait(e.seconds + 20)
        out.append(f"{c.name}: {LOADS[load](w, c, e, beside)} while perf looked on")
        for s, what in (("a", "sealing side"), ("b", "opening side")):
            if data[s].exists():
                out += [f" {what}", *report(data[s])]
    finally:
        w.down()
    return out
