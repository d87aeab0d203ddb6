/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/lock.c - nothing leaves but through the tunnel.
 *
 *   table inet tapir-lockdown-NNNNNNNN {
 *     chain output  { type filter hook output priority 0; policy drop; ... }
 *     chain forward { type filter hook forward priority 0; policy drop; ... }
 *   }
 *
 * rows[] are the rules.  The table is replaced in one transaction, so that there
 * is no moment without one, and the kernel keeps it when we are killed: only a
 * clean end takes it away (or the next start, without lockdown=).  NNNNNNNN
 * follows from the run directory: each instance has its own.
 *
 * Thread: the only one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include "conf/conf.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "secure-proc/net/net.h"
#include "secure-proc/net/netlink.h"

#define BATCH_MAX  (16 << 10)	/* about 4 KiB are used */
#define MSG_MAX	   32		/* messages of a transaction; 19 are used */
#define ANSWER_S   2		/* of the kernel */
#define NAME_MAX_  32		/* of the table */
#define DHCP_C	   68
#define DHCP_S	   67
#define DHCP6_C	   546
#define DHCP6_S	   547
#define DNS	   53
#define DST4_AT	   16		/* in the IPv4 header */
#define DST6_AT	   24
#define ICMP6_RS   133
#define ICMP6_NS   135
#define ICMP6_NA   136
#define ICMP6_MLD2 143

enum chain { OUTPUT, FORWARD, CHAIN_END };
/* What a rule looks at; 0 ends a row. */
enum look { LOOK_END, OIF_LO, OIF_TAP, IIF_TAP, MARK, V4, V6, UDP, TCP, ICMP6,
	    SPORT, DPORT, TYPE, RESOLVER, TO_ALL4, TO_DHCP6, TO_LINK6 };
#define LOOKS_MAX 5

struct row {
	enum chain chain;
	struct {
		enum look look;
		uint16_t v;
	} at[LOOKS_MAX];
};
/* All of them accept. */
static const struct row rows[] = {
	{ OUTPUT, { { OIF_LO, 0 } } },
	{ OUTPUT, { { OIF_TAP, 0 } } },
	{ OUTPUT, { { MARK, 0 } } },		/* the tunnel itself */
	/* what a link needs to be one, and to all of it: that passes no router.  A
	 * lease is not renewed by its server alone, so it is in its last eighth */
	{ OUTPUT, { { V4, 0 }, { UDP, 0 }, { SPORT, DHCP_C }, { DPORT, DHCP_S },
		    { TO_ALL4, 0 } } },
	{ OUTPUT, { { V6, 0 }, { UDP, 0 }, { SPORT, DHCP6_C }, { DPORT, DHCP6_S },
		    { TO_DHCP6, 0 } } },
	{ OUTPUT, { { V6, 0 }, { ICMP6, 0 }, { TYPE, ICMP6_RS }, { TO_LINK6, 0 } } },
	{ OUTPUT, { { V6, 0 }, { ICMP6, 0 }, { TYPE, ICMP6_MLD2 }, { TO_LINK6, 0 } } },
	/* these go to a neighbour's own address, too */
	{ OUTPUT, { { V6, 0 }, { ICMP6, 0 }, { TYPE, ICMP6_NS } } },
	{ OUTPUT, { { V6, 0 }, { ICMP6, 0 }, { TYPE, ICMP6_NA } } },
	/* names of gateways, by our resolver role alone */
	{ OUTPUT, { { RESOLVER, 0 }, { UDP, 0 }, { DPORT, DNS } } },
	{ OUTPUT, { { RESOLVER, 0 }, { TCP, 0 }, { DPORT, DNS } } },
	{ FORWARD, { { OIF_TAP, 0 } } },
	{ FORWARD, { { IIF_TAP, 0 } } },
};
static const uint8_t all4[4] = { 255, 255, 255, 255 };
/* ff02::1:2, RFC 8415 7.1; its first two octets are those of all that is meant for
 * one link. */
static const uint8_t dhcp6[16] = { 0xff, 2, [13] = 1, [15] = 2 };
static const struct {
	const char *name;
	uint32_t hook;
} chains[CHAIN_END] = {
	[OUTPUT] = { "output", NF_INET_LOCAL_OUT },
	[FORWARD] = { "forward", NF_INET_FORWARD },
};

/* A transaction that is being written. */
struct batch {
	uint8_t *b;
	size_t len;
	unsigned n;		/* messages that are answered */
	uint32_t seq;
	int rc;			/* of the first that did not fit */
	char table[NAME_MAX_];
	const struct sec_lock *lock;
};

/* ---- messages ------------------------------------------------------------------- */

static struct nl_msg *
msg(struct batch *t, uint16_t type, uint16_t flags, uint8_t family, uint16_t res)
{
	struct nfgenmsg g = { .nfgen_family = family,
			      .version = NFNETLINK_V0, .res_id = htons(res) };
	struct nl_msg *m = nlmsg_alloc_simple(type, NLM_F_REQUEST | flags);

	if (m != NULL && nlmsg_append(m, &g, sizeof(g), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	if (m == NULL)
		t->rc = ERR_NOMEM;
	return m;
}

static struct nl_msg *
nft(struct batch *t, unsigned type, uint16_t flags)
{
	return msg(t, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
		   (uint16_t)(flags | NLM_F_ACK), NFPROTO_INET, 0);
}

/* m is taken. */
static void
put(struct batch *t, struct nl_msg *m)
{
	struct nlmsghdr *h;

	if (m == NULL)
		return;
	h = nlmsg_hdr(m);
	h->nlmsg_seq = ++t->seq;
	if (t->len + NLMSG_ALIGN(h->nlmsg_len) > BATCH_MAX) {
		t->rc = ERR_LIMIT;
	} else {
		memcpy(t->b + t->len, h, h->nlmsg_len);
		t->len += NLMSG_ALIGN(h->nlmsg_len);
		t->n += (h->nlmsg_flags & NLM_F_ACK) != 0;
	}
	nlmsg_free(m);
}

static void
put_table(struct batch *t, unsigned type)
{
	struct nl_msg *m = nft(t, type, type == NFT_MSG_NEWTABLE ?
			       NLM_F_CREATE : 0);

	if (m != NULL)
		(void)nla_put_string(m, NFTA_TABLE_NAME, t->table);
	put(t, m);
}

static void
put_chain(struct batch *t, enum chain c)
{
	struct nl_msg *m = nft(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
	struct nlattr *hook;

	if (m == NULL)
		return;
	(void)nla_put_string(m, NFTA_CHAIN_TABLE, t->table);
	(void)nla_put_string(m, NFTA_CHAIN_NAME, chains[c].name);
	(void)nla_put_string(m, NFTA_CHAIN_TYPE, "filter");
	(void)nla_put_u32(m, NFTA_CHAIN_POLICY, htonl(NF_DROP));
	if ((hook = nla_nest_start(m, NFTA_CHAIN_HOOK)) != NULL) {
		(void)nla_put_u32(m, NFTA_HOOK_HOOKNUM, htonl(chains[c].hook));
		(void)nla_put_u32(m, NFTA_HOOK_PRIORITY, htonl(0));
		nla_nest_end(m, hook);
	}
	put(t, m);
}

/* ---- expressions ---------------------------------------------------------------- */

struct expr {
	struct nlattr *elem, *data;
};

static struct expr
begin(struct nl_msg *m, const char *name)
{
	struct expr e;

	e.elem = nla_nest_start(m, NFTA_LIST_ELEM);
	(void)nla_put_string(m, NFTA_EXPR_NAME, name);
	e.data = nla_nest_start(m, NFTA_EXPR_DATA);
	return e;
}

static void
end(struct nl_msg *m, struct expr e)
{
	if (e.data != NULL)
		nla_nest_end(m, e.data);
	if (e.elem != NULL)
		nla_nest_end(m, e.elem);
}

static void
meta(struct nl_msg *m, uint32_t key)
{
	struct expr e = begin(m, "meta");

	(void)nla_put_u32(m, NFTA_META_DREG, htonl(NFT_REG_1));
	(void)nla_put_u32(m, NFTA_META_KEY, htonl(key));
	end(m, e);
}

/* Octets of a header. */
static void
octets(struct nl_msg *m, enum nft_payload_bases base, uint32_t offset,
       uint32_t len)
{
	struct expr e = begin(m, "payload");

	(void)nla_put_u32(m, NFTA_PAYLOAD_DREG, htonl(NFT_REG_1));
	(void)nla_put_u32(m, NFTA_PAYLOAD_BASE, htonl(base));
	(void)nla_put_u32(m, NFTA_PAYLOAD_OFFSET, htonl(offset));
	(void)nla_put_u32(m, NFTA_PAYLOAD_LEN, htonl(len));
	end(m, e);
}

static void
equal(struct nl_msg *m, const void *v, size_t len)
{
	struct expr e = begin(m, "cmp");
	struct nlattr *data;

	(void)nla_put_u32(m, NFTA_CMP_SREG, htonl(NFT_REG_1));
	(void)nla_put_u32(m, NFTA_CMP_OP, htonl(NFT_CMP_EQ));
	if ((data = nla_nest_start(m, NFTA_CMP_DATA)) != NULL) {
		(void)nla_put(m, NFTA_DATA_VALUE, (int)len, v);
		nla_nest_end(m, data);
	}
	end(m, e);
}

static void
equal_u8(struct nl_msg *m, uint32_t key, uint8_t v)
{
	meta(m, key);
	equal(m, &v, sizeof(v));
}

static void
equal_u32(struct nl_msg *m, uint32_t key, uint32_t v)
{
	meta(m, key);
	equal(m, &v, sizeof(v));	/* both in the order of the host */
}

static void
equal_name(struct nl_msg *m, uint32_t key, const char *name)
{
	char padded[IFNAMSIZ] = "";

	(void)str_copy(padded, sizeof(padded), name);
	meta(m, key);
	equal(m, padded, sizeof(padded));
}

static void
port(struct nl_msg *m, uint32_t offset, uint16_t v)
{
	uint16_t net = htons(v);

	octets(m, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(net));
	equal(m, &net, sizeof(net));
}

/* The first octets of the destination. */
static void
to(struct nl_msg *m, uint32_t offset, const void *v, uint32_t len)
{
	octets(m, NFT_PAYLOAD_NETWORK_HEADER, offset, len);
	equal(m, v, len);
}

static void
accept_it(struct nl_msg *m)
{
	struct expr e = begin(m, "immediate");
	struct nlattr *data, *verdict;

	(void)nla_put_u32(m, NFTA_IMMEDIATE_DREG, htonl(NFT_REG_VERDICT));
	if ((data = nla_nest_start(m, NFTA_IMMEDIATE_DATA)) != NULL) {
		if ((verdict = nla_nest_start(m, NFTA_DATA_VERDICT)) != NULL) {
			(void)nla_put_u32(m, NFTA_VERDICT_CODE,
					  htonl(NF_ACCEPT));
			nla_nest_end(m, verdict);
		}
		nla_nest_end(m, data);
	}
	end(m, e);
}

static void
put_look(struct nl_msg *m, const struct sec_lock *l, enum look look, uint16_t v)
{
	uint8_t type = (uint8_t)v;

	switch (look) {
	case OIF_LO:
		equal_name(m, NFT_META_OIFNAME, "lo");
		break;
	case OIF_TAP:
		equal_name(m, NFT_META_OIFNAME, l->tap);
		break;
	case IIF_TAP:
		equal_name(m, NFT_META_IIFNAME, l->tap);
		break;
	case MARK:
		equal_u32(m, NFT_META_MARK, CONF_MARK);
		break;
	case RESOLVER:
		equal_u32(m, NFT_META_SKUID, l->resolver);
		break;
	case V4:
		equal_u8(m, NFT_META_NFPROTO, NFPROTO_IPV4);
		break;
	case V6:
		equal_u8(m, NFT_META_NFPROTO, NFPROTO_IPV6);
		break;
	case UDP:
		equal_u8(m, NFT_META_L4PROTO, IPPROTO_UDP);
		break;
	case TCP:
		equal_u8(m, NFT_META_L4PROTO, IPPROTO_TCP);
		break;
	case ICMP6:
		equal_u8(m, NFT_META_L4PROTO, IPPROTO_ICMPV6);
		break;
	case SPORT:
		port(m, 0, v);
		break;
	case DPORT:
		port(m, 2, v);
		break;
	case TYPE:
		octets(m, NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(type));
		equal(m, &type, sizeof(type));
		break;
	case TO_ALL4:
		to(m, DST4_AT, all4, sizeof(all4));
		break;
	case TO_DHCP6:
		to(m, DST6_AT, dhcp6, sizeof(dhcp6));
		break;
	case TO_LINK6:
		to(m, DST6_AT, dhcp6, 2);
		break;
	case LOOK_END:
		break;
	}
}

static void
put_row(struct batch *t, const struct row *r)
{
	struct nl_msg *m;
	struct nlattr *list;

	if (r->at[0].look == RESOLVER && t->lock->resolver == 0)
		return;		/* everybody would be the resolver */
	if ((m = nft(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND)) == NULL)
		return;
	(void)nla_put_string(m, NFTA_RULE_TABLE, t->table);
	(void)nla_put_string(m, NFTA_RULE_CHAIN, chains[r->chain].name);
	if ((list = nla_nest_start(m, NFTA_RULE_EXPRESSIONS)) != NULL) {
		for (unsigned i = 0; i < LOOKS_MAX &&
		     r->at[i].look != LOOK_END; i++)
			put_look(m, t->lock, r->at[i].look, r->at[i].v);
		accept_it(m);
		nla_nest_end(m, list);
	}
	put(t, m);
}

/* ---- transactions --------------------------------------------------------------- */

/* Read answers until all are there or one is an error: 0 or -errno. */
static int
answers(struct nl_sock *sk, unsigned n)
{
	struct sockaddr_nl from;
	unsigned char *buf;
	int len, rc = 0;

	while (n > 0 && rc == 0) {
		buf = NULL;
		if ((len = nl_recv(sk, &from, &buf, NULL)) <= 0) {
			free(buf);
			return -ETIMEDOUT;
		}
		for (struct nlmsghdr *h = (struct nlmsghdr *)buf;
		     nlmsg_ok(h, len) && rc == 0; h = nlmsg_next(h, &len)) {
			struct nlmsgerr *e = nlmsg_data(h);

			if (h->nlmsg_type != NLMSG_ERROR)
				continue;
			rc = e->error;
			n -= n > 0;
		}
		free(buf);
	}
	return rc;
}

/* What is still there of an exchange that failed. */
static void
drain(struct nl_sock *sk)
{
	uint8_t junk[512];

	while (recv(nl_socket_get_fd(sk), junk, sizeof(junk),
		    MSG_DONTWAIT) > 0)
		continue;
}

static int
commit(struct sec_netlink *nl, struct batch *t)
{
	int rc;

	if (t->rc != 0)
		return -ENOMEM;
	drain(nl->nf);
	if (nl_sendto(nl->nf, t->b, t->len) < 0)
		return -EIO;
	rc = answers(nl->nf, t->n);
	if (rc != 0)
		drain(nl->nf);
	return rc;
}

static void
fill(struct batch *t)
{
	put(t, msg(t, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC,
		   NFNL_SUBSYS_NFTABLES));
	/* There before, or not: what is deleted below exists. */
	put_table(t, NFT_MSG_NEWTABLE);
	put_table(t, NFT_MSG_DELTABLE);
	if (t->lock->tap != NULL) {
		put_table(t, NFT_MSG_NEWTABLE);
		for (enum chain c = 0; c < CHAIN_END; c++)
			put_chain(t, c);
		for (unsigned i = 0; i < N_OF(rows); i++)
			put_row(t, &rows[i]);
	}
	put(t, msg(t, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES));
}

int
sec_lock(void *ctx, const struct sec_lock *l, char *why, size_t cap)
{
	struct sec_netlink *nl = ctx;
	struct batch t = { .lock = l };
	int rc = -EPROTONOSUPPORT;

	snprintf(t.table, sizeof(t.table), "tapir-lockdown-%08x", l->instance);
	if (nl->nf != NULL && (t.b = calloc(1, BATCH_MAX)) == NULL)
		return ERR_NOMEM;
	if (nl->nf != NULL) {
		fill(&t);
		rc = commit(nl, &t);
	}
	free(t.b);
	if (rc == 0 || l->tap == NULL)	/* where there is none there is no lock */
		return 0;
	snprintf(why, cap, "lockdown=: the kernel does not take the rules "
	    "(nf_tables: %s); without them it would be no lockdown",
	    strerror(-rc));
	return ERR_SYS;
}

struct nl_sock *
sec_lock_open(void)
{
	const struct timeval tv = { .tv_sec = ANSWER_S };
	struct nl_sock *sk = nl_socket_alloc();

	if (sk == NULL)
		return NULL;
	if (nl_connect(sk, NETLINK_NETFILTER) < 0 ||
	    setsockopt(nl_socket_get_fd(sk), SOL_SOCKET, SO_RCVTIMEO, &tv,
		       sizeof(tv)) != 0) {
		nl_socket_free(sk);
		return NULL;
	}
	return sk;
}
