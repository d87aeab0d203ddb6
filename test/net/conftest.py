# SPDX-License-Identifier: Apache-2.0
"""What every system test needs: rights, programs, a bound in time, a clean end."""
import os
import shutil
import signal

import pytest

import gateway
import lab as labs
import topo

TEST_SECONDS = 90
TOOLS = ("ip", "ping", "nft", "tcpdump", "tshark", "iperf3", "swanctl", "ss", "sysctl",
         "unshare", "setpriv", "brctl", "dnsmasq", "busybox")
FILES = ("/usr/lib/ipsec/charon", "/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so",
         "/dev/net/tun")


def _missing():
    """Why the tests cannot run here; empty when they can."""
    if os.geteuid() != 0:
        return ["not root: namespaces and TAP devices need it"]
    out = [f"no {os.path.join(gateway.BUILD, p)}: run make"
           for p in ("tapird", "tapir-secure", "tapir")
           if not os.access(os.path.join(gateway.BUILD, p), os.X_OK)]
    out += [f"no program {t}: run make deps" for t in TOOLS if not shutil.which(t)]
    return out + [f"no {f}" for f in FILES if not os.path.exists(f)]


def pytest_sessionstart(session):
    """Fail at once, with the reason, where nothing could pass."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    why = _missing()
    if why:
        pytest.exit("system tests cannot run: " + "; ".join(why), returncode=1)
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(trylast=True)  # after the fixtures, which need their lab to end
def pytest_sessionfinish(session):
    """Nothing of ours stays, even after an interrupt."""
    labs.close_all()


@pytest.fixture(scope="module")
def lab(request):
    """Two offices, or what the file names as its TOPOLOGY; one that does more to it has a
    fixture of this name."""
    made = getattr(request.module, "TOPOLOGY", topo.sites)()
    yield made
    made.close()


def _too_long(signo, frame):
    raise TimeoutError(f"longer than {TEST_SECONDS} s")


def _bounded():
    old = signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, old)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    """Bound the fixtures in time."""
    yield from _bounded()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """Bound the test in time."""
    yield from _bounded()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    """Bound the end in time."""
    yield from _bounded()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of every log of the lab with a failure."""
    report = (yield).get_result()
    if not report.failed:
        return
    for proc in labs.open_procs():
        tail = proc.text().splitlines()[-40:]
        if tail:
            report.sections.append((os.path.basename(proc.log_path), "\n".join(tail)))
