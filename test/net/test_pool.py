# SPDX-License-Identifier: Apache-2.0
"""Addresses from a gateway: tapir and strongSwan as gateway and as client, leases over
restarts, everything or a part through the tunnel."""
import json
import os
import shutil

import pytest

from charon import Charon, PLUGINS
from gateway import Gateway
from lab import Lab, until

PSK = "a key that is the same for all of them, of a test"
GATEWAY = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" address="10.20.0.1/24 fd00:20::1/64">
    <me id="gw" psk="r.psk"/>
    <peer id="*.example" {peer}/>
    <pool {pool}/>
  </realm>
</vpn>
"""
CLIENT = """<vpn log="info">
  <realm name="r" dpd="1" dead="3" tap="tap0" mode="ip" {attrs}>
    <me id="{me}.example" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1"><net local="dynamic" {remote}/></peer>
  </realm>
</vpn>
"""
POOL = 'net="10.20.1.0/29 fd00:20:1::/64" dns="10.20.0.53" route="10.20.0.0/24 fd00:20::/64"'
ALL = 'net="10.20.1.0/29 fd00:20:1::/64"'
MARK = "0x74617069"
BEFORE = "nameserver 192.0.2.53\noptions timeout:1\n"


@pytest.fixture(scope="module")
def lab():
    """gw, c1, c2 around a bridge; beyond is a way to the rest of the world."""
    made = Lab()
    try:
        made.add("inet", "gw", "c1", "c2", "beyond")
        made.batch("inet", "link add br0 type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set br0 up\n")
        for n, node in ((1, "gw"), (11, "c1"), (12, "c2"), (254, "beyond")):
            made.wire(node, "wan0", "inet", f"p-{node}")
            made.batch("inet", f"link set p-{node} master br0\n")
            made.batch(node, f"addr add 192.0.2.{n}/24 dev wan0\n"
                             f"addr add 2001:db8:1::{n}/64 dev wan0 nodad\n")
            if node != "beyond":
                made.batch(node, "route add default via 192.0.2.254\n"
                                 "-6 route add default via 2001:db8:1::254\n".replace("-6 ", ""))
        made.batch("beyond", "addr add 203.0.113.9/32 dev lo\n")
        made.batch("gw", "addr add 203.0.113.9/32 dev lo\n")
        yield made
    finally:
        made.close()


def gateway(lab, pool=POOL, peer=""):
    """The tapir that hands out."""
    return Gateway(lab, "gw", GATEWAY.format(pool=pool, peer=peer), {"r.psk": PSK}).start()


def client(lab, node, remote="", attrs=""):
    """A tapir that asks."""
    return Gateway(lab, node, CLIENT.format(me=node, remote=remote, attrs=attrs), {"r.psk": PSK})


def addresses(lab, node, ifname="tap0"):
    """Addresses of an interface, without link-local ones."""
    out = lab.run(node, "ip", "-j", "addr", "show", "dev", ifname).stdout
    try:
        info = json.loads(out)[0]["addr_info"]
    except (ValueError, IndexError, KeyError):
        return []
    return sorted(f"{a['local']}/{a['prefixlen']}" for a in info if a["scope"] == "global")


def rules(lab, node):
    """What stands in both routing policies beside the kernel's own."""
    out = lab.run(node, "ip", "rule").stdout + lab.run(node, "ip", "-6", "rule").stdout
    return [x for x in out.splitlines() if x.split(":")[0] not in ("0", "32766", "32767")]


def way(lab, node, to, *more):
    """The interface a packet would leave by."""
    words = lab.run(node, "ip", "route", "get", to, *more).stdout.split()
    return words[words.index("dev") + 1] if "dev" in words else ""


@pytest.fixture
def resolv(lab):
    """A resolv.conf of c1's own, as `ip netns exec` mounts it."""
    place = f"/etc/netns/{lab.ns('c1')}"
    os.makedirs(place)
    path = os.path.join(place, "resolv.conf")
    with open(path, "w", encoding="ascii") as f:
        f.write(BEFORE)

    def read():
        with open(path, encoding="ascii") as g:
            return g.read()
    yield read
    shutil.rmtree(place)


def test_split_tunnel_both_families_and_an_end_that_leaves_nothing(lab):
    """A tapir asks a tapir."""
    gw, c1 = gateway(lab), client(lab, "c1")
    try:
        c1.start()
        assert until(10, c1.is_up), c1.log() + gw.log()
        assert lab.until_ping("c1", "10.20.0.1", 5), c1.log()
        assert lab.until_ping("c1", "fd00:20::1", 5), c1.log()
        own = addresses(lab, "c1")
        assert len(own) == 2 and own[0].startswith("10.20.1.") and own[0].endswith("/32"), own
        assert own[1].startswith("fd00:20:1::") and own[1].endswith("/128"), own
        assert way(lab, "c1", "10.20.0.1") == "tap0" and way(lab, "c1", "203.0.113.9") == "wan0"
        assert c1.stop() == 0
        assert addresses(lab, "c1") == [] and rules(lab, "c1") == []
        assert way(lab, "c1", "10.20.0.1") == "wan0"
    finally:
        c1.stop()
        gw.stop()


def test_an_identity_keeps_its_address_over_kill_and_crowd(lab):
    """Everything is killed; who was first gets the same address, the other another."""
    gw, c1, c2 = gateway(lab), client(lab, "c1"), client(lab, "c2")
    try:
        for one in c1, c2:
            one.start()
            assert until(10, one.is_up), one.log() + gw.log()
        first, other = addresses(lab, "c1"), addresses(lab, "c2")
        metrics = gw.tapir("metrics").stdout
        assert 'tapir_pool_used{realm="r",family="ipv4"} 2' in metrics, metrics
        assert first and other and not set(first) & set(other)
        gw.kill()
        c1.kill()
        gw.start()
        c1.start()
        assert until(15, c1.is_up), c1.log() + gw.log()
        assert addresses(lab, "c1") == first
        assert until(15, lambda: lab.ping("c2", "10.20.0.1")), c2.log()
        assert addresses(lab, "c2") == other
    finally:
        for one in c1, c2, gw:
            one.stop()


def test_a_pool_that_is_empty_is_said_on_both_sides(lab):
    """One address for two clients."""
    gw = gateway(lab, pool='net="10.20.1.8/32" route="10.20.0.0/24"')
    c1, c2 = client(lab, "c1"), client(lab, "c2")
    try:
        c1.start()
        assert until(10, c1.is_up), c1.log() + gw.log()
        c2.start()
        assert until(10, lambda: gw.lines("no IPv4 address left")), gw.log()
        assert until(5, lambda: c2.lines("INTERNAL_ADDRESS_FAILURE")), c2.log()
        assert "pool-empty" in c2.tapir("why", "gw").stdout
        c1.stop()                                   # it is away: its address is free
        assert until(15, c2.is_up), c2.log() + gw.log()
    finally:
        for one in c1, c2, gw:
            one.stop()


def test_everything_goes_through_the_tunnel_but_its_own_packets(lab):
    """Without route= a gateway takes all; 203.0.113.9 answers at both ends."""
    gw, c1 = gateway(lab, pool=ALL), client(lab, "c1")
    try:
        c1.start()
        assert until(10, c1.is_up), c1.log() + gw.log()
        assert until(5, lambda: way(lab, "c1", "203.0.113.9") == "tap0"), c1.log()
        assert way(lab, "c1", "203.0.113.9", "mark", MARK) == "wan0"
        assert way(lab, "c1", "192.0.2.12") == "wan0"
        assert way(lab, "c1", "2001:db8:9::1") == "tap0"
        assert lab.until_ping("c1", "203.0.113.9", 5), c1.log() + gw.log()
        c1.kill()                                   # every process at once
        assert way(lab, "c1", "203.0.113.9") == "wan0"
        c1.start()
        assert until(10, lambda: way(lab, "c1", "203.0.113.9") == "tap0"), c1.log()
        c1.kill_role("secure")
        assert until(10, lambda: c1.lines("secure")) and lab.until_ping("c1", "203.0.113.9", 5)
        assert c1.stop() == 0
        assert rules(lab, "c1") == [] and way(lab, "c1", "203.0.113.9") == "wan0"
    finally:
        c1.stop()
        gw.stop()


def test_strongswan_asks_for_both_families_and_gets_them_again(lab):
    """A foreign client, twice."""
    gw = gateway(lab)
    swan = Charon(lab, "c2", local="192.0.2.12", remote="192.0.2.1", local_id="swan.example",
                  remote_id="gw", local_ts="dynamic", remote_ts="0.0.0.0/0,::/0", psk=PSK,
                  top="vips = 0.0.0.0, ::", options="install_virtual_ip = yes")
    try:
        swan.start()
        said = swan.initiate()
        assert "completed successfully" in said, said + gw.log()
        sas = swan.sas()
        assert "10.20.1." in sas and "fd00:20:1::" in sas and "10.20.0.0/24" in sas, sas
        assert lab.until_ping("c2", "10.20.0.1", 5), gw.log()
        had = [x.strip() for x in sas.splitlines() if "local " in x and "10.20.1." in x]
        assert had, sas
        swan.ctl("--terminate", "--ike", "t")
        swan.initiate()
        assert had[0] in swan.sas(), swan.sas()
    finally:
        swan.stop()
        gw.stop()


def test_strongswan_hands_out_an_address_and_takes_everything(lab, resolv):
    """A foreign gateway with a pool and 0.0.0.0/0."""
    pools = 'pools {{ p4 {{ addrs = 10.30.1.0/24\n dns = 10.20.0.53 }} }}\n'.format()
    swan = Charon(lab, "gw", local="192.0.2.1", remote="%any", local_id="gw",
                  remote_id="c1.example", local_ts="0.0.0.0/0", remote_ts="dynamic", psk=PSK,
                  top="pools = p4")
    with open(f"{swan.dir}/swanctl.conf", "a", encoding="ascii") as f:
        f.write(pools)
    c1 = client(lab, "c1")
    try:
        swan.start()
        c1.start()
        assert until(10, c1.is_up), c1.log() + swan.log()[-3000:]
        assert until(5, lambda: addresses(lab, "c1") == ["10.30.1.1/32"]), c1.log()
        assert until(5, lambda: "nameserver 10.20.0.53" in resolv()), c1.log()
        assert until(5, lambda: way(lab, "c1", "203.0.113.9") == "tap0"), c1.log()
        assert way(lab, "c1", "2001:db8:9::1") == "wan0"
        assert lab.until_ping("c1", "203.0.113.9", 5), c1.log() + swan.log()[-3000:]
    finally:
        c1.stop()
        swan.stop()


def test_name_servers_come_and_go_with_the_connection(lab, resolv):
    """An end by down, by TERM, by KILL of one and of all."""
    gw, c1 = gateway(lab), client(lab, "c1")

    def has():
        return until(10, lambda: "nameserver 10.20.0.53" in resolv())

    def has_not():
        return until(6, lambda: resolv() == BEFORE)

    try:
        c1.start()
        assert has(), c1.log()
        assert c1.tapir("down", "r/gw").returncode == 0 and has_not(), resolv()
        assert c1.tapir("up", "r/gw").returncode == 0 and has(), c1.log()
        old = c1.kill_role("secure")               # the tunnel goes on
        assert until(10, lambda: c1.pid("secure") not in (0, old)) and has()
        old = c1.kill_role("main")
        assert until(10, lambda: c1.pid("main") not in (0, old))
        assert until(15, c1.is_up) and has(), c1.log()
        c1.kill()
        assert "10.20.0.53" in resolv()            # nobody is left to do it
        gw.stop()
        c1.start()
        assert has_not(), resolv()
        gw.start()
        assert until(15, c1.is_up) and has(), c1.log()
        assert c1.tapir("reload").returncode == 0  # another secure process
        assert until(5, lambda: c1.lines("reload")) and has()
        assert c1.tapir("down", "r/gw").returncode == 0 and has_not(), resolv()
        assert until(5, lambda: addresses(lab, "c1") == []) and way(lab, "c1", "10.20.0.1") == "wan0"
        assert c1.tapir("up", "r/gw").returncode == 0 and has(), c1.log()
        assert c1.stop() == 0 and has_not(), resolv()
    finally:
        c1.stop()
        gw.stop()


FAKE = """#!/bin/sh
echo "$(basename $0) $*" >>{log}
[ "$(basename $0)" = resolvectl ] || cat >>{log}
"""


def fakes(lab, name):
    """A resolvectl and a resolvconf that write down what they are told; the words that put
    them in front of a command, and the file."""
    place, log = lab.mkdir(f"fake-{name}"), os.path.join(lab.dir, f"{name}.log")
    for program in "resolvectl", "resolvconf":
        with open(os.path.join(place, program), "w", encoding="ascii") as f:
            f.write(FAKE.format(log=log))
        os.chmod(os.path.join(place, program), 0o755)
    return ("unshare", "-m", "--propagation", "private", "sh", "-c",
            f"mount -t overlay o -o lowerdir={place}:/usr/bin /usr/bin"
            ' && exec "$@"', "sh"), log


def text_of(path):
    """What is in it, if it is there."""
    try:
        with open(path, encoding="ascii") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def test_strongswan_names_the_domains_and_networks_that_are_its(lab):
    """A foreign gateway with split DNS (RFC 8598) and its plug-ins attr and unity: names of
    these domains alone are asked there; attributes of other protocols are passed over."""
    attr = """plugins { attr { dns = 10.20.0.53
      25 = corp.example.com
      subnet = 10.20.0.0/24
      split-include = 10.20.0.0/24
      split-exclude = 10.20.9.0/24
      28672 = a banner
      nbns = 10.20.0.54 } }"""
    swan = Charon(lab, "gw", local="192.0.2.1", remote="%any", local_id="gw",
                  remote_id="c1.example", local_ts="10.20.0.0/24", remote_ts="dynamic", psk=PSK,
                  top="pools = p4", options=f"cisco_unity = yes\nload = {PLUGINS} attr unity\n{attr}")
    with open(f"{swan.dir}/swanctl.conf", "a", encoding="ascii") as f:
        f.write("pools { p4 { addrs = 10.30.1.0/24 } }\n")
    wrap, log = fakes(lab, "swan")
    c1 = Gateway(lab, "c1", CLIENT.format(me="c1", remote="", attrs='names="resolved"'),
                 {"r.psk": PSK}, wrap=wrap)
    lab.need("gw", "ip", "address", "replace", "10.20.0.1/32", "dev", "lo")
    try:
        swan.start()
        c1.start()
        assert until(10, c1.is_up), c1.log() + swan.log()[-3000:]
        assert until(5, lambda: addresses(lab, "c1") == ["10.30.1.1/32"]), c1.log()
        for line in ("dns tap0 10.20.0.53", "domain tap0 corp.example.com",
                     "default-route tap0 no"):
            assert until(5, lambda want=f"resolvectl {line}\n": want in text_of(log)), \
                text_of(log) + c1.log()
        assert (way(lab, "c1", "10.20.0.1"), way(lab, "c1", "10.20.9.1")) == ("tap0", "wan0")
        assert lab.until_ping("c1", "10.20.0.1", 5), c1.log() + swan.log()[-3000:]
    finally:
        c1.stop()
        swan.stop()
        lab.run("gw", "ip", "address", "del", "10.20.0.1/32", "dev", "lo")


@pytest.mark.parametrize("names", ["resolved", "resolvconf"])
def test_programs_that_are_in_charge_of_names_are_told(lab, names):
    """Split names and encrypted ones with systemd-resolved, all names with resolvconf."""
    wrap, log = fakes(lab, names)
    more = ('domain="example.com" resolver="tls://dns.example.com@10.20.0.54"'
            if names == "resolved" else "")
    gw = gateway(lab, pool=f'net="10.20.1.0/29" dns="10.20.0.53" route="10.20.0.0/24" {more}')
    c1 = Gateway(lab, "c1", CLIENT.format(me="c1", remote="", attrs=f'names="{names}"'),
                 {"r.psk": PSK}, wrap=wrap)

    def said():
        return text_of(log)
    want = {"resolved": ["resolvectl dns tap0 10.20.0.54:853#dns.example.com",
                         "resolvectl domain tap0 example.com", "resolvectl default-route tap0 no",
                         "resolvectl dnsovertls tap0 yes"],
            "resolvconf": ["resolvconf -a tap0.tapir", "nameserver 10.20.0.53"]}[names]
    back = {"resolved": "resolvectl revert tap0", "resolvconf": "resolvconf -d tap0.tapir"}[names]
    try:
        c1.start()
        assert until(10, c1.is_up), c1.log() + gw.log()
        assert until(5, lambda: all(w + "\n" in said() for w in want)), said() + c1.log()
        n = said().count(back)
        assert c1.tapir("down", "r/gw").returncode == 0
        assert until(5, lambda: said().count(back) > n), said() + c1.log()
    finally:
        c1.stop()
        gw.stop()


# ---- as part of the LAN -------------------------------------------------------------

LAN = """<vpn log="info">
  <realm name="lan" dpd="1" dead="3" tap="tap-lan" mode="ether" bridge="br-lan">
    <me id="gw" psk="r.psk"/>
    <peer id="*.example"/>
  </realm>
</vpn>
"""
MEMBER = """<vpn log="info">
  <realm name="lan" dpd="1" dead="3" tap="tap-lan" mode="ether">
    <me id="c{n}.example" psk="r.psk"/>
    <peer id="gw" at="192.0.2.1"/>
  </realm>
</vpn>
"""
# What udhcpc runs: as much of a network as a test needs.
BOUND = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface" && echo "lease $ip from $serverid names $dns"
"""


def test_dhcp_of_the_lan_serves_who_is_far_away(lab):
    """Layer 2: dnsmasq behind the gateway gives two clients their addresses, each its own,
    over the virtual Ethernet, and the same again; they reach the LAN and each other."""
    lab.wire("beyond", "lan0", "gw", "p-lan")
    lab.batch("beyond", "addr add 10.77.0.1/24 dev lan0\n")
    lab.batch("gw", "link add br-lan type bridge forward_delay 0 mcast_snooping 0\n"
                    "link set br-lan up\nlink set p-lan master br-lan\n")
    script = os.path.join(lab.dir, "bound.sh")
    with open(os.open(script, os.O_WRONLY | os.O_CREAT, 0o755), "w", encoding="ascii") as f:
        f.write(BOUND)
    lab.spawn("beyond", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
              "--user=root", "--no-ping", "--interface=lan0", "--bind-interfaces",
              "--log-facility=-", "--dhcp-range=10.77.0.100,10.77.0.150,5m",
              "--dhcp-option=6,10.77.0.53", f"--dhcp-leasefile={lab.dir}/dhcp-leases")
    gw = Gateway(lab, "gw", LAN, {"r.psk": PSK})
    far = {n: Gateway(lab, f"c{n}", MEMBER.format(n=n), {"r.psk": PSK}) for n in (1, 2)}

    def ask(n):
        out = lab.need(f"c{n}", "busybox", "udhcpc", "-f", "-n", "-q", "-i", "tap-lan", "-s",
                       script, "-t", "8", "-T", "1")
        lease = [x.split() for x in out.splitlines() if x.startswith("lease ")]
        assert lease and lease[0][3:] == ["10.77.0.1", "names", "10.77.0.53"], out
        return lease[0][1]

    try:
        gw.start()
        for one in far.values():
            one.start()
        assert until(10, lambda: all(one.is_up() for one in far.values())), gw.log()
        had = {n: ask(n) for n in far}
        assert len(set(had.values())) == 2 and all(a.startswith("10.77.0.1") for a in had.values())
        for n in far:
            assert lab.until_ping(f"c{n}", "10.77.0.1", 5), far[n].log() + gw.log()
        assert lab.until_ping("c1", had[2], 5), gw.log()
        assert far[1].tapir("down", "lan/gw").returncode == 0
        assert far[1].tapir("up", "lan/gw").returncode == 0
        assert until(10, far[1].is_up) and ask(1) == had[1]
    finally:
        for one in far.values():
            one.stop()
        gw.stop()
        lab.batch("gw", "link del br-lan\n")
