# SPDX-License-Identifier: Apache-2.0
"""What commands cost where ten thousand peers are configured.

One daemon, ten realms of a thousand peers that it waits for; nobody is up, which is
the most that status has to say of each.  Times are those of the whole `tapir`
process, from its start to its end, as its user sees them.
"""
import statistics
import time

from contenders import B, PSK
from measures import pss_mb
from topology import Wire, until

PEERS, REALMS = 10000, 10


def config(changed=None):
    """The configuration; the peer that is changed has another mode."""
    out = ["<vpn>"]
    for r in range(REALMS):
        out.append(f'<realm name="r{r}" mode="ip" tap="t{r}"><me id="hub" psk="k.psk"/>'
                   '<net local="10.0.0.0/8" remote="10.0.0.0/8"/>')
        for i in range(r * PEERS // REALMS, (r + 1) * PEERS // REALMS):
            out.append(f'<peer id="branch-{i}.example.com"'
                       + (' mode="gre"' if i == changed else "") + "/>")
        out.append("</realm>")
    return "\n".join(out) + "\n</vpn>\n"


def timed(w, *words, times=3):
    """Median milliseconds of a command, and its output of the last time."""
    ms = []
    for _ in range(times):
        begin = time.monotonic()
        out = w.run("a", B / "tapir", "--run-dir", w.dir / "a" / "run", *words).stdout
        ms.append((time.monotonic() - begin) * 1000)
    return statistics.median(ms), out


def one(w):
    d = w.dir / "a"
    (d / "keys").mkdir(parents=True, mode=0o700)
    (d / "keys" / "k.psk").touch(0o600)
    (d / "keys" / "k.psk").write_text(PSK)
    (d / "tapir.xml").write_text(config())
    got = {"check_ms": timed(w, "check", d / "tapir.xml")[0]}
    begin = time.monotonic()
    w.start("a", B / "tapird", "--config", d / "tapir.xml", "--run-dir", d / "run",
                "--foreground", "--no-web", log="tapird-a")
    if not until(lambda: "ready, realms" in (w.dir / "tapird-a").read_text(), 30):
        raise RuntimeError("tapird does not start: " + (w.dir / "tapird-a").read_text()[-300:])
    got["start_ms"] = (time.monotonic() - begin) * 1000
    got["status_ms"], out = timed(w, "--json", "status")
    if out.count('"state":"down"') != PEERS:
        raise RuntimeError(f"{out.count(chr(34) + 'down' + chr(34))} peers in the status")
    got["metrics_ms"] = timed(w, "metrics")[0]
    (d / "tapir.xml").write_text(config(77))
    got["dry_ms"] = timed(w, "reload", "--dry-run")[0]
    got["reload_ms"], out = timed(w, "reload", times=1)
    if "9999 peers are not touched" not in out:
        raise RuntimeError(f"reload: {out}")
    got["mb"] = pss_mb(w.pids("a"))
    return got


def scale(_e, rounds):
    out = {"10000 peers": []}
    for _ in range(rounds):
        w = Wire()
        try:
            w.up()
            out["10000 peers"].append(one(w))
        finally:
            w.down()
    return out
