/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_net.c - TAP, addresses, bridge and routes against the
 * real kernel, in a network namespace of its own.  Skipped without the rights
 * for one.
 */
#include "secure-proc/net/net.h"
#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "daemon/base/err.h"
#include "test/unit/secure-proc/kit.h"

static struct sec_netlink *nl;
static struct sec_net ops;
static char why[256];

static const char conf_text[] =
    "<vpn><realm name='r' bridge='br0' address='10.1.0.1/24 fd01::1/64'>"
    "<me id='a' psk='k'/><peer id='b'/>"
    "<net local='10.1.0.0/24' remote='10.2.0.0/16'/></realm>"
    "<realm name='s'><me id='a' psk='k'/><peer id='c'/></realm></vpn>";

/* A namespace with nothing in it; false: no rights. */
static bool
begin(void)
{
	if (unshare(CLONE_NEWNET) != 0 || access("/dev/net/tun", F_OK) != 0)
		return false;
	log_set_sink(kit_sink, NULL);
	assert_int_equal(sec_net_open(&nl, &ops), 0);
	return true;
}

static void
end(void)
{
	sec_net_close(nl);
}

static int
tap_open(const struct conf_realm *r, unsigned n_queue, struct sec_tap *t)
{
	struct sec_tap_req q = {
		.realm = r, .mac = { { 2, 1, 2, 3, 4, 5 } },
		.n_queue = n_queue, .mtu = 1400,
	};

	why[0] = '\0';
	return ops.tap_open(ops.ctx, &q, t, why, sizeof(why));
}

static void
tap_close(struct sec_tap *t)
{
	for (unsigned i = 0; i < t->n_fd; i++)
		close(t->fd[i]);
}

/* Run ip(8) with the words of line; its output in out.  Exit status. */
static int
ip(const char *line, char *out, size_t cap)
{
	char words[128], *argv[16] = { NULL };
	size_t n = 0, argc = 0;
	int p[2], st = -1;
	ssize_t got;
	pid_t pid;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok(words, " "); w != NULL && argc < 15;
	    w = strtok(NULL, " "))
		argv[argc++] = w;
	assert_int_equal(pipe(p), 0);
	if ((pid = fork()) == 0) {
		dup2(p[1], 1);
		dup2(p[1], 2);
		execvp("ip", argv);
		_exit(127);
	}
	close(p[1]);
	while ((got = read(p[0], out + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &st, 0), pid);
	return st;
}

static void
ip_do(const char *line)
{
	char out[1024];

	assert_int_equal(ip(line, out, sizeof(out)), 0);
}

/* Does its output hold a text? */
static bool
shows(const char *line, const char *text)
{
	char out[8192];

	ip(line, out, sizeof(out));
	return strstr(out, text) != NULL;
}

TEST(a_tap_is_dressed_and_leaves_nothing_behind)
{
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type bridge");
	assert_int_equal(tap_open(&c->realm[0], 2, &t), 0);
	assert_string_equal(t.ifname, "tap-r");
	assert_int_equal(t.ifindex, if_nametoindex("tap-r"));
	assert_int_equal(t.n_fd, 2);
	assert_true(shows("ip link show tap-r", "02:01:02:03:04:05"));
	assert_true(shows("ip link show tap-r", "mtu 1400"));
	assert_true(shows("ip link show tap-r", "master br0"));
	assert_true(shows("ip link show tap-r", ",UP"));
	assert_true(shows("ip addr show tap-r", "10.1.0.1/24"));
	assert_true(shows("ip addr show tap-r", "fd01::1/64"));
	assert_int_equal(ops.tap_mtu(ops.ctx, &c->realm[0], 1300, why,
	    sizeof(why)), 0);
	assert_true(shows("ip link show tap-r", "mtu 1300"));
	/* A second one of the same name. */
	{
		struct sec_tap again;

		assert_int_equal(tap_open(&c->realm[0], 1, &again),
		    ERR_EXISTS);
		assert_non_null(strstr(why, "exists already"));
	}
	tap_close(&t);
	assert_int_equal(if_nametoindex("tap-r"), 0);
	assert_int_equal(ops.tap_mtu(ops.ctx, &c->realm[0], 1300, why,
	    sizeof(why)), ERR_NOTFOUND);
	conf_free(c);
	end();
}

/* Is it in the bridge now, or why not? */
static int
look(const struct conf_realm *r, bool *has_joined)
{
	why[0] = '\0';
	return ops.bridge(ops.ctx, r, has_joined, why, sizeof(why));
}

TEST(a_tap_waits_for_its_bridge_and_joins_it_again)
{
	struct conf *c;
	struct sec_tap t;
	bool has_joined;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	assert_int_equal(look(&c->realm[0], &has_joined), ERR_NOTFOUND);
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_false(shows("ip link show tap-r", ",UP"));
	assert_int_equal(look(&c->realm[0], &has_joined), ERR_NOTFOUND);
	assert_string_equal(why, "bridge br0 does not exist: ip link add br0 "
	    "type bridge");
	for (int i = 0; i < 2; i++) {
		ip_do("ip link add br0 type bridge");
		assert_int_equal(look(&c->realm[0], &has_joined), 0);
		assert_true(has_joined);
		assert_true(shows("ip link show tap-r", "master br0"));
		assert_true(shows("ip link show tap-r", ",UP"));
		assert_int_equal(look(&c->realm[0], &has_joined), 0);
		assert_false(has_joined);
		ip_do("ip link del br0");
		assert_int_equal(look(&c->realm[0], &has_joined), ERR_NOTFOUND);
		assert_false(shows("ip link show tap-r", ",UP"));
	}
	/* Something else that took its name. */
	ip_do("ip link add br0 type veth peer name other");
	assert_int_equal(look(&c->realm[0], &has_joined), ERR_CONF);
	assert_string_equal(why, "br0 is not a bridge");
	ip_do("ip link del br0");
	/* Deleted and made within a moment, or taken out by hand. */
	ip_do("ip link add br0 type bridge");
	ip_do("ip link set tap-r master br0 up");
	ip_do("ip link set tap-r nomaster");
	assert_int_equal(look(&c->realm[0], &has_joined), 0);
	assert_true(has_joined);
	tap_close(&t);
	conf_free(c);
	end();
}

TEST(a_tap_in_another_bridge_stays_there)
{
	struct conf *c;
	struct sec_tap t;
	bool has_joined;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type bridge");
	ip_do("ip link add br1 type bridge");
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	ip_do("ip link set tap-r master br1");
	assert_int_equal(look(&c->realm[0], &has_joined), ERR_EXISTS);
	assert_non_null(strstr(why, "another bridge than br0"));
	assert_true(shows("ip link show tap-r", "master br1"));
	/* A realm without one has nothing to ask for. */
	assert_int_equal(look(&c->realm[1], &has_joined), ERR_CONF);
	tap_close(&t);
	conf_free(c);
	end();
}

TEST(a_master_that_is_no_bridge_is_refused)
{
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type veth peer name other");
	assert_int_equal(tap_open(&c->realm[0], 1, &t), ERR_CONF);
	assert_string_equal(why, "br0 is not a bridge");
	assert_int_equal(if_nametoindex("tap-r"), 0);
	conf_free(c);
	end();
}

TEST(routes_come_with_a_source_inside_the_local_selectors_and_go)
{
	struct sec_route_req q = { .is_add = true };
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type bridge");
	q.realm = &c->realm[0];
	q.net = c->realm[0].peer[0].net;
	assert_int_equal(ip_net_parse("10.2.0.0/16", &q.prefix), 0);
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)),
	    ERR_NOTFOUND);
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), 0);
	assert_true(shows("ip route", "10.2.0.0/16 dev tap-r"));
	assert_true(shows("ip route show 10.2.0.0/16", "src 10.1.0.1"));
	/* as a process before this one would have left it */
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), 0);
	q.is_add = false;
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), 0);
	assert_false(shows("ip route", "10.2.0.0/16"));
	q.is_add = true;	/* another way, or not set by us */
	ip_do("ip link set br0 up");
	ip_do("ip route add 10.2.0.0/16 dev br0 proto static");
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), ERR_EXISTS);
	ip_do("ip route del 10.2.0.0/16");
	ip_do("ip route add 10.2.0.0/16 dev tap-r proto boot");
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), ERR_EXISTS);
	ip_do("ip route del 10.2.0.0/16");
	q.is_add = false;
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), 0);
	q.is_add = true;
	assert_int_equal(ip_net_parse("fd02::/64", &q.prefix), 0);
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), 0);
	assert_true(shows("ip -6 route", "fd02::/64 dev tap-r"));
	tap_close(&t);
	assert_false(shows("ip -6 route", "fd02::"));
	q.is_add = false;
	assert_int_equal(ops.route(ops.ctx, &q, why, sizeof(why)), 0);
	conf_free(c);
	end();
}

static int
route(const struct conf_realm *r, const char *prefix, bool is_add)
{
	struct sec_route_req q = { .realm = r, .is_add = is_add };

	assert_int_equal(ip_parse("10.1.0.1", &q.source), 0);
	assert_int_equal(ip_net_parse(prefix, &q.prefix), 0);
	if (q.prefix.addr.family == 6)
		assert_int_equal(ip_parse("fd01::1", &q.source), 0);
	return ops.route(ops.ctx, &q, why, sizeof(why));
}

TEST(everything_but_the_tunnels_own_packets_goes_into_the_tunnel)
{
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type bridge");
	ip_do("ip link add wan type veth peer name out");
	ip_do("ip link set out up");
	ip_do("ip addr add 192.0.2.1/24 dev wan");
	ip_do("ip link set wan up");
	ip_do("ip route add default via 192.0.2.254");
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_int_equal(route(&c->realm[0], "0.0.0.0/0", true), 0);
	assert_true(shows("ip route get 203.0.113.9", "dev tap-r"));
	assert_true(shows("ip route get 203.0.113.9", "src 10.1.0.1"));
	/* the network this machine is in, and packets of ours */
	assert_true(shows("ip route get 192.0.2.7", "dev wan"));
	assert_true(shows("ip route get 203.0.113.9 mark 0x74617069",
			  "via 192.0.2.254 dev wan"));
	/* A second start of the secure process, the TAP lives: the same. */
	assert_int_equal(route(&c->realm[0], "0.0.0.0/0", true), 0);
	assert_int_equal(route(&c->realm[0], "::/0", true), 0);
	assert_true(shows("ip -6 route get 2001:db8::9", "dev tap-r"));
	assert_int_equal(route(&c->realm[0], "0.0.0.0/0", false), 0);
	assert_true(shows("ip route get 203.0.113.9", "dev wan"));
	assert_false(shows("ip rule", "0x74617069"));
	assert_true(shows("ip -6 rule", "0x74617069"));
	assert_int_equal(route(&c->realm[0], "::/0", false), 0);
	assert_false(shows("ip -6 rule", "0x74617069"));
	assert_false(shows("ip rule", "suppress_prefixlength"));
	tap_close(&t);
	conf_free(c);
	end();
}

TEST(half_of_everything_is_not_the_end_of_the_other_half)
{
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type bridge");
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_int_equal(route(&c->realm[0], "0.0.0.0/1", true), 0);
	assert_int_equal(route(&c->realm[0], "128.0.0.0/1", true), 0);
	assert_int_equal(route(&c->realm[0], "0.0.0.0/1", false), 0);
	assert_true(shows("ip rule", "0x74617069"));
	assert_true(shows("ip route get 203.0.113.9", "dev tap-r"));
	assert_int_equal(route(&c->realm[0], "128.0.0.0/1", false), 0);
	assert_false(shows("ip rule", "0x74617069"));
	tap_close(&t);
	conf_free(c);
	end();
}

TEST(rules_of_one_that_was_killed_go_with_the_next_tap)
{
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	ip_do("ip link add br0 type bridge");
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_int_equal(route(&c->realm[0], "0.0.0.0/0", true), 0);
	assert_int_equal(route(&c->realm[0], "::/0", true), 0);
	tap_close(&t);			/* the routes go, the rules stay */
	assert_true(shows("ip rule", "0x74617069"));
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_false(shows("ip rule", "0x74617069"));
	assert_false(shows("ip -6 rule", "0x74617069"));
	tap_close(&t);
	conf_free(c);
	end();
}

/* Does a datagram to an address leave by an interface, with this mark? */
static bool
leaves_to(const char *ifname, uint32_t mark, uint16_t from, uint32_t ip,
	  uint16_t to)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(from) };
	int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool has;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_MARK, &mark,
				    sizeof(mark)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one,
				    sizeof(one)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname,
				    (socklen_t)strlen(ifname) + 1), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	a.sin_addr.s_addr = htonl(ip);
	a.sin_port = htons(to);
	has = sendto(fd, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)) == 1;
	close(fd);
	return has;
}

static bool
leaves(const char *ifname, uint32_t mark, uint16_t from, uint16_t to)
{
	return leaves_to(ifname, mark, from, INADDR_BROADCAST, to);
}

TEST(a_lock_lets_nothing_out_but_the_tunnel_and_stays_until_it_is_opened)
{
	struct sec_lock l = { .tap = "tap-r", .instance = 0x1234abcd };
	struct sec_lock open = { .instance = 0x1234abcd };
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	why[0] = '\0';
	if (ops.lock(ops.ctx, &l, why, sizeof(why)) != 0) {
		print_message("[   SKIP   ] no packet filter: %s\n", why);
		skip();
	}
	c = kit_conf(conf_text);
	ip_do("ip link set lo up");
	ip_do("ip link add br0 type bridge");
	ip_do("ip link add wan type veth peer name out");
	ip_do("ip link set out up");
	ip_do("ip addr add 192.0.2.1/24 dev wan");
	ip_do("ip link set wan up");
	assert_int_equal(tap_open(&c->realm[0], 1, &t), 0);
	assert_int_equal(ops.lock(ops.ctx, &l, why, sizeof(why)), 0);
	assert_false(leaves("wan", 0, 4000, 4000));
	assert_false(leaves("wan", 1, 4000, 4000));
	assert_true(leaves("wan", CONF_MARK, 4000, 4000));
	assert_true(leaves("wan", 0, 68, 67));
	assert_false(leaves("wan", 0, 68, 53));
	/* DHCP is for the link: these ports are no way to the world, nor to one
	 * machine of it */
	assert_false(leaves_to("wan", 0, 68, 0xc0000209, 67));
	assert_false(leaves_to("wan", 0, 68, 0xcb007109, 67));
	assert_true(leaves("tap-r", 0, 4000, 4000));
	assert_true(leaves("lo", 0, 4000, 4000));
	/* a lock of somebody else is not ours to open */
	open.instance++;
	assert_int_equal(ops.lock(ops.ctx, &open, why, sizeof(why)), 0);
	assert_false(leaves("wan", 0, 4000, 4000));
	sec_net_close(nl);		/* killed */
	assert_false(leaves("wan", 0, 4000, 4000));
	assert_int_equal(sec_net_open(&nl, &ops), 0);
	open.instance--;
	assert_int_equal(ops.lock(ops.ctx, &open, why, sizeof(why)), 0);
	assert_true(leaves("wan", 0, 4000, 4000));
	assert_int_equal(ops.lock(ops.ctx, &open, why, sizeof(why)), 0);
	tap_close(&t);
	conf_free(c);
	end();
}

TEST(without_a_bridge_and_addresses_a_tap_is_just_up)
{
	struct conf *c;
	struct sec_tap t;

	if (!begin())
		skip();
	c = kit_conf(conf_text);
	assert_int_equal(tap_open(&c->realm[1], 1, &t), 0);
	assert_true(shows("ip link show tap-s", ",UP"));
	assert_false(shows("ip link show tap-s", "master"));
	tap_close(&t);
	conf_free(c);
	end();
}
