# SPDX-License-Identifier: Apache-2.0
"""tapir capture: what tshark makes of its files, with and without keys; who may; what it costs."""
import os
import stat
import subprocess

import pytest

from gateway import TAPIR, Offices
from lab import until, within
from wire import tshark

FORMS = {"udp": ("192.0.2.2", "udp"), "esp6": ("2001:db8:1::2", "esp")}


@pytest.fixture(scope="module", params=list(FORMS))
def ends(lab, request):
    """Two offices, joined in one of FORMS."""
    addr, encap = FORMS[request.param]
    made = Offices(lab, addr, f'encap="{encap}"')
    made.form = request.param
    yield made
    made.stop()


def capture(ends, name, *argv):
    """A capture that runs at gw-a: the process, and its file."""
    path = os.path.join(ends.lab.mkdir("cap"), f"{ends.form}-{name}.pcapng")
    before = len(ends.a.lines("asked for capture"))
    proc = ends.lab.spawn("gw-a", TAPIR, "--run-dir", ends.a.run_dir, "capture", "-w", path, *argv,
                          name="capture")
    assert until(5, lambda: len(ends.a.lines("asked for capture")) > before), proc.text()
    return proc, path


def uat(keys):
    """Options that give tshark the files a profile would have."""
    for table in "esp_sa", "ikev2_decryption_table":
        with open(os.path.join(keys, table), encoding="ascii") as f:
            for line in f:
                yield from ("-o", f"uat:{table}:{line.rstrip()}")


def test_each_side_has_its_interface_and_opens_with_the_keys(ends):
    """One echo, seen inside and outside; the keys open IKE and ESP of this peer."""
    keys = os.path.join(ends.lab.mkdir("keys"), ends.form)
    proc, path = capture(ends, "all", "--peer", "branches/osaka", "--keys", keys, "--seconds", "30")
    assert until(5, lambda: os.path.getsize(os.path.join(keys, "esp_sa")) > 0), proc.text()
    assert until(5, lambda: ends.a.tapir("status").stdout and ends.lab.ping("host-a", "10.0.0.2"))
    assert ends.lab.ping("host-a", "10.0.0.2", 5, size=700) == 5
    assert ends.a.tapir("rekey", "branches/osaka", "ike").returncode == 0
    within(0.5, lambda: False)
    proc.popen.terminate()
    assert proc.wait(5) == 0, proc.text()
    for name in os.listdir(keys):
        assert stat.S_IMODE(os.stat(os.path.join(keys, name)).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    names = {"clear", "esp", "ike"}
    assert names <= set(tshark(path, "frame", ["frame.interface_name"]))
    inner = "icmp.type == 8 && data.len == 692"
    assert len(tshark(path, f'frame.interface_name == "clear" && {inner}')) == 5
    assert tshark(path, f'frame.interface_name == "esp" && {inner}') == []
    opened = subprocess.run(
        ["tshark", "-n", "-r", path, "-o", "esp.enable_encryption_decode:TRUE",
         "-o", "esp.enable_authentication_check:TRUE", *uat(keys), "-Y",
         f'(frame.interface_name == "esp" && {inner}) || isakmp.exchangetype == 36',
         "-T", "fields", "-e", "frame.interface_name", "-e", "isakmp.typepayload",
         "-e", "frame.packet_flags_direction"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
        env={**os.environ, "HOME": "/nonexistent"}).stdout.splitlines()
    esp = [line.split("\t") for line in opened if line.startswith("esp")]
    assert len(esp) == 5 and {row[2] for row in esp} == {"0x00000002"}, opened
    # the rekeyings: SA payloads (33) inside of what was sealed
    ike = [line.split("\t") for line in opened if line.startswith("ike")]
    assert len(ike) == 4 and all("33" in row[1].split(",") for row in ike), opened
    assert tshark(path, "_ws.malformed || _ws.short") == []
    assert tshark(path, 'frame.interface_name == "esp" && (ip.checksum.status == "Bad" || '
                        'udp.checksum.status == "Bad")') == []


def test_what_is_dropped_has_its_reason(ends):
    """ESP that nobody has a key for."""
    proc, path = capture(ends, "drop", "--dropped", "--seconds", "30")
    spi = ends.a.stat("esp-spi")
    text = bytes.fromhex("00c0ffee00000001") + bytes(64)
    if ends.form == "udp":
        ends.lab.need("gw-b", "python3", "-c",
                      "import socket,sys; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                      "s.sendto(bytes.fromhex(sys.argv[1]), ('192.0.2.1', 4500))", text.hex())
    else:
        ends.lab.need("gw-b", "python3", "-c",
                      "import socket,sys; s=socket.socket(socket.AF_INET6, socket.SOCK_RAW, 50); "
                      "s.sendto(bytes.fromhex(sys.argv[1]), ('2001:db8:1::1', 0))", text.hex())
    assert until(5, lambda: ends.a.stat("esp-spi") > spi)
    within(0.3, lambda: False)
    proc.popen.terminate()
    assert proc.wait(5) == 0, proc.text()
    rows = tshark(path, "esp.spi == 0x00c0ffee", ["frame.comment", "frame.interface_name"])
    assert rows == ["dropped: esp-spi: no SA with this SPI\tesp"], rows
    assert all(x.startswith("dropped: ") for x in tshark(path, "frame", ["frame.comment"]))


def test_lines_end_by_themselves(ends):
    """Without a file a line each; one kind of them; --seconds."""
    lines = ends.lab.spawn("gw-a", TAPIR, "--run-dir", ends.a.run_dir, "capture", "--clear",
                           "--seconds", "2", name="lines")
    within(0.3, lambda: False)
    assert ends.lab.ping("host-a", "10.0.0.2", 3) == 3
    assert lines.wait(8) == 0, lines.text()
    rows = [x for x in lines.text().splitlines() if "type 0800" in x]
    assert len(rows) >= 6 and all(" clear " in x for x in rows), lines.text()
    assert " packets" in lines.text().splitlines()[-1]


def test_one_at_a_time_and_not_for_everybody(ends):
    """The second is refused in words; a stranger of this machine gets nothing, nor does a typo."""
    proc, _ = capture(ends, "first", "--ike")
    second = ends.a.tapir("capture", "--esp")
    assert second.returncode == 1 and "captures already" in second.stdout
    other = ends.lab.run("gw-a", "setpriv", "--reuid=65534", "--clear-groups", TAPIR, "--run-dir",
                         ends.a.run_dir, "capture")
    assert other.returncode == 1 and "not permitted" in other.stdout
    proc.popen.terminate()
    assert proc.wait(5) == 0
    # the place is free again when the client is gone, however that was
    third, _ = capture(ends, "third", "--esp")
    third.kill()
    assert until(5, lambda: ends.a.tapir("capture", "--seconds", "1").returncode == 0)
    wrong = ends.a.tapir("capture", "--peer", "branches/osakka")
    assert wrong.returncode == 1 and "osaka" in wrong.stdout
    assert ends.a.tapir("capture", "--keys", "/tmp/x").returncode == 2
