# SPDX-License-Identifier: Apache-2.0
"""Several realms on one address and port, told apart by identity."""
import pytest

import topo
from gateway import Gateway, realm, vpn
from lab import until

TOPOLOGY = topo.pair  # two gateways

KEYS = {"sales.psk": "the key of sales, long enough", "dev.psk": "0x" + "5a" * 32}


def conf(n, at=""):
    """Realms sales and dev of gateway n."""
    other = 3 - n
    return vpn(*(realm(f"{name}-{n}", f"{name}-{other}", at,
                       f'address="10.{net}.0.{n}/24" tap="t-{name}"', name=name)
                 for name, net in (("sales", 20), ("dev", 30))))


@pytest.fixture(scope="module")
def ends(lab):
    """Both realms up."""
    b = Gateway(lab, "right", conf(2), KEYS).start()
    a = Gateway(lab, "left", conf(1, "192.0.2.2"), KEYS).start()
    yield a, b
    a.stop()
    b.stop()


def test_each_realm_reaches_its_own(lab, ends):
    """Two tunnels between the same two sockets."""
    assert lab.until_ping("left", "10.20.0.2", 10), ends[0].log()
    assert lab.until_ping("left", "10.30.0.2", 5), ends[0].log()
    for gw in ends:
        doc = gw.json("status")["realms"]
        assert [(r["name"], r["tap"], [p["state"] for p in r["peers"]]) for r in doc] == \
            [("sales", "t-sales", ["up"]), ("dev", "t-dev", ["up"])]


def test_realms_do_not_mix(lab, ends):
    """A frame of one hub is never seen in the other."""
    assert lab.until_ping("left", "10.20.0.2", 5) and lab.until_ping("left", "10.30.0.2", 5)
    taps = {name: lab.need("right", "cat", f"/sys/class/net/t-{name}/address").strip()
            for name in ("sales", "dev")}
    macs = {name: {r["mac"] for r in ends[0].json("hub", name, "mac")["macs"]} for name in taps}
    assert taps["sales"] in macs["sales"] and taps["sales"] not in macs["dev"]
    assert taps["dev"] in macs["dev"] and taps["dev"] not in macs["sales"]


def test_one_realm_down_leaves_the_other(lab, ends):
    """By command."""
    assert lab.until_ping("left", "10.20.0.2", 5)
    assert ends[0].tapir("down", "sales").returncode == 0
    assert not lab.ping("left", "10.20.0.2")
    assert lab.ping("left", "10.30.0.2", 5) == 5
    assert ends[0].tapir("up", "sales").returncode == 0
    assert lab.until_ping("left", "10.20.0.2", 10)


def test_a_key_opens_its_own_realm_only(lab, ends):
    """The key of dev with the identity of sales is refused."""
    ends[0].stop()
    mixed = {"sales.psk": KEYS["dev.psk"], "dev.psk": KEYS["dev.psk"]}
    thief = Gateway(lab, "left", conf(1, "192.0.2.2"), mixed)
    try:
        thief.start()
        assert lab.until_ping("left", "10.30.0.2", 10)
        assert until(4, lambda: ends[1].lines("sales-1", "failed")), ends[1].log()
        assert not lab.ping("left", "10.20.0.2")
    finally:
        thief.stop()
        ends[0].write(conf(1, "192.0.2.2"), KEYS)
        ends[0].start()
