# SPDX-License-Identifier: Apache-2.0
"""The two topologies of the tests.

sites   host-a -- gw-a -- [nat] -- inet -- gw-b -- host-b
        one Ethernet 10.0.0.0/24, fd00::/64 behind bridges br-lan; gw-a
        192.0.2.1, gw-b .2 (2001:db8:1::1 and ::2); behind the NAT gw-a is
        198.51.100.2.  inet is a bridge: everything outside passes it.
crowd   x1 --.
        x2 -- nat-x -- inet -- nat-h -- hub
        y1 ----- nat-y --'
        x1 and y1 have the same address inside, 198.51.100.2; hub is reached at
        192.0.2.2, ports 500 and 4500 of which nat-h leads to it
pair    left -- inet -- right
        no hosts; left owns 10.1.0.1 and fd00:1::1 on its loopback, right
        10.2.0.1 and fd00:2::1.  Outside as above.
"""
from lab import Lab

INET = """link add br0 type bridge forward_delay 0 mcast_snooping 0
link set br0 up
"""
NAT_RULES = """table ip nat {
  chain post { type nat hook postrouting priority 100;
    oifname "out0" masquerade; }
}
"""
HUB_RULES = """table ip lead {
  chain pre { type nat hook prerouting priority -100;
    iifname "out0" udp dport { 500, 4500 } dnat to 203.0.113.2; }
}
"""


def _outside(lab, a, b):
    """Join gateways a and b by the node inet."""
    lab.add("inet", a, b)
    lab.batch("inet", INET)
    for n, node in (1, a), (2, b):
        lab.wire(node, "wan0", "inet", f"p{n}")
        lab.batch("inet", f"link set p{n} master br0\n")
        lab.batch(node, f"addr add 192.0.2.{n}/24 dev wan0\n"
                        f"addr add 2001:db8:1::{n}/64 dev wan0 nodad\n")


def _outside_nat(lab):
    """As _outside(), gw-a behind a NAT."""
    lab.add("inet", "gw-a", "gw-b", "nat")
    lab.batch("inet", INET)
    lab.wire("gw-a", "wan0", "nat", "in0")
    lab.wire("nat", "out0", "inet", "p1")
    lab.wire("gw-b", "wan0", "inet", "p2")
    lab.batch("inet", "link set p1 master br0\nlink set p2 master br0\n")
    lab.batch("gw-a", "addr add 198.51.100.2/24 dev wan0\n"
                      "route add default via 198.51.100.1\n")
    lab.batch("nat", "addr add 198.51.100.1/24 dev in0\naddr add 192.0.2.1/24 dev out0\n")
    lab.batch("gw-b", "addr add 192.0.2.2/24 dev wan0\n")
    lab.need("nat", "sysctl", "-qw", "net.ipv4.ip_forward=1")
    lab.need("nat", "nft", "-f", "-", text=NAT_RULES)


def sites(nat=False):
    """Two offices with a bridge and a host each."""
    lab = Lab()
    try:
        if nat:
            _outside_nat(lab)
        else:
            _outside(lab, "gw-a", "gw-b")
        for n, side in (1, "a"), (2, "b"):
            gw, host = f"gw-{side}", f"host-{side}"
            lab.add(host)
            lab.wire(host, "eth0", gw, "lan0")
            lab.batch(gw, "link add br-lan type bridge forward_delay 0 mcast_snooping 0\n"
                          "link set lan0 master br-lan\nlink set br-lan up\n")
            lab.batch(host, f"addr add 10.0.0.{n}/24 dev eth0\n"
                            f"addr add fd00::{n}/64 dev eth0 nodad\n")
    except BaseException:
        lab.close()
        raise
    return lab


def crowd():
    """A hub behind a NAT that leads ports to it, clients behind two others."""
    lab = Lab()
    try:
        lab.add("inet", "hub", "nat-h", "nat-x", "nat-y", "x1", "x2", "y1")
        lab.batch("inet", INET)
        for n, nat in (1, "nat-x"), (2, "nat-h"), (3, "nat-y"):
            lab.wire(nat, "out0", "inet", f"p{n}")
            lab.batch("inet", f"link set p{n} master br0\n")
            lab.batch(nat, f"addr add 192.0.2.{n}/24 dev out0\n"
                           "link add in0 type bridge forward_delay 0 mcast_snooping 0\n"
                           "link set in0 up\n")
            lab.need(nat, "sysctl", "-qw", "net.ipv4.ip_forward=1")
            lab.need(nat, "nft", "-f", "-", text=NAT_RULES)
        for node, nat, inside in (("hub", "nat-h", 2), ("x1", "nat-x", 2), ("x2", "nat-x", 3),
                                  ("y1", "nat-y", 2)):
            lab.wire(node, "wan0", nat, f"to-{node}")
            net = "203.0.113" if node == "hub" else "198.51.100"
            lab.batch(nat, f"link set to-{node} master in0\n")
            lab.batch(node, f"addr add {net}.{inside}/24 dev wan0\n"
                            f"route add default via {net}.1\n")
        lab.batch("nat-x", "addr add 198.51.100.1/24 dev in0\n")
        lab.batch("nat-y", "addr add 198.51.100.1/24 dev in0\n")
        lab.batch("nat-h", "addr add 203.0.113.1/24 dev in0\n")
        lab.need("nat-h", "nft", "-f", "-", text=HUB_RULES)
    except BaseException:
        lab.close()
        raise
    return lab


def pair():
    """Two gateways without hosts."""
    lab = Lab()
    try:
        _outside(lab, "left", "right")
        for n, node in (1, "left"), (2, "right"):
            lab.batch(node, f"addr add 10.{n}.0.1/32 dev lo\n"
                            f"addr add fd00:{n}::1/128 dev lo\n")
    except BaseException:
        lab.close()
        raise
    return lab
