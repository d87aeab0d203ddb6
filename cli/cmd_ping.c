/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_ping.c - tapir ping: does a peer answer, by IKE and through the tunnel?
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include "cli/ask.h"
#include "cli/echo.h"
#include "cli/json.h"
#include "daemon/base/clk.h"
#include "daemon/base/str.h"

#define COUNT	  4
#define COUNT_MAX 100000
#define WAIT_MS	  2000

/* What came of one kind of question. */
struct tally {
	unsigned n_sent, n_got;
	uint64_t min_us, max_us, sum_us;
	char why[128];			/* the last time without an answer */
};
struct ping {
	struct cli *c;
	const char *realm, *peer;
	char remote[IP_TEXT_MAX];
	char inner[IP_TEXT_MAX];	/* "" = none is known */
	unsigned count, interval_ms, wait_ms;
	bool has_ike, has_inner;
	struct echo echo;
	struct tally ike, in;
};

/* ---- tallies ------------------------------------------------------------- */

static void
tally_got(struct tally *t, uint64_t us)
{
	t->min_us = t->n_got == 0 ? us : MIN(t->min_us, us);
	t->max_us = MAX(t->max_us, us);
	t->sum_us += us;
	t->n_got++;
}

static unsigned
loss(const struct tally *t)
{
	return t->n_sent == 0 ? 0 : (t->n_sent - t->n_got) * 100 / t->n_sent;
}

static void
tally_text(struct cli *c, const char *what, const struct tally *t)
{
	fprintf(c->out, "%s: %u asked, %u answered, %u %% lost", what, t->n_sent,
		t->n_got, loss(t));
	if (t->n_got > 0)
		fprintf(c->out, "\n  %.2f / %.2f / %.2f ms: least, mean, most",
			(double)t->min_us / 1000,
			(double)t->sum_us / t->n_got / 1000,
			(double)t->max_us / 1000);
	fputc('\n', c->out);
}

static void
tally_json(struct json *j, const char *key, const char *address,
	   const struct tally *t)
{
	json_obj(j, key);
	json_str(j, "address", address);
	json_u64(j, "asked", t->n_sent);
	json_u64(j, "answered", t->n_got);
	json_u64(j, "loss_percent", loss(t));
	if (t->n_got > 0) {
		json_u64(j, "min_us", t->min_us);
		json_u64(j, "mean_us", t->sum_us / t->n_got);
		json_u64(j, "max_us", t->max_us);
	}
	json_str(j, "why", t->why);
	json_obj_end(j);
}

/* ---- one question -------------------------------------------------------- */

/* link_row_fn. */
static void
on_pong(void *ctx, const struct bus_rec *r)
{
	*(struct bus_rec *)ctx = *r;
}

static void
line(const struct ping *p, const char *what, unsigned n, uint64_t us,
     const char *more)
{
	if (p->c->is_json)
		return;
	if (us > 0)
		fprintf(p->c->out, "%s %u: %.2f ms%s\n", what, n,
			(double)us / 1000, more);
	else
		fprintf(p->c->out, "%s %u: %s\n", what, n, more);
	fflush(p->c->out);
}

/* A refusal other than silence ends it, told to the user. */
static int
ask_ike(struct ping *p, struct link *l, unsigned n)
{
	struct bus_rec cmd, end, pong = { 0 };
	char more[64] = "";
	int err;

	bus_rec_init(&cmd, BUS_CMD_PING);
	bus_set_str(&cmd, BUS_F_REALM, p->realm);
	bus_set_str(&cmd, BUS_F_PEER, p->peer);
	bus_set_u64(&cmd, BUS_F_WAIT_MS, p->wait_ms);
	if ((err = link_ask(l, &cmd, on_pong, &pong, &end)) != 0)
		return ask_broken(p->c, err);
	p->ike.n_sent++;
	if (end.desc->row == BUS_RES_DONE && pong.desc != NULL) {
		str_copy(p->remote, sizeof(p->remote),
			 bus_str(&pong, BUS_F_REMOTE));
		if (bus_u64(&pong, BUS_F_TRY) > 1)
			str_add(more, sizeof(more), " (sent %u times)",
				(unsigned)bus_u64(&pong, BUS_F_TRY));
		tally_got(&p->ike, bus_u64(&pong, BUS_F_RTT_US));
		line(p, "IKE", n, MAX(bus_u64(&pong, BUS_F_RTT_US), 1ull), more);
		return CLI_OK;
	}
	str_copy(p->ike.why, sizeof(p->ike.why), bus_str(&end, BUS_F_TEXT));
	if (strcmp(bus_str(&end, BUS_F_CODE), err_name(ERR_TIMEOUT)) != 0)
		return ask_refused(p->c, &end);
	line(p, "IKE", n, 0, p->ike.why);
	return CLI_OK;
}

static void
ask_inner(struct ping *p, unsigned n)
{
	char what[IP_TEXT_MAX + 8];
	uint64_t us = 0;
	int err = echo_ask(&p->echo, (uint16_t)n, p->wait_ms, &us);

	if (err == ERR_AGAIN)
		return;
	snprintf(what, sizeof(what), "inner %s", p->inner);
	p->in.n_sent++;
	if (err == 0) {
		tally_got(&p->in, us);
		line(p, what, n, MAX(us, 1ull), "");
		return;
	}
	str_copy(p->in.why, sizeof(p->in.why), err == ERR_TIMEOUT ? "no answer" :
		 err == ERR_ADDR ? "this machine has no route to it" :
		 err == ERR_PERM ? "the firewall of this machine forbids it" :
		 err_text(err));
	line(p, what, n, 0, p->in.why);
}

/* ---- which inner address ------------------------------------------------- */

/* link_row_fn: the one that was heard of last, IPv4 before IPv6. */
struct pick {
	struct ip_addr ip;
	uint64_t age_s;
};
static void
on_inner(void *ctx, const struct bus_rec *r)
{
	struct pick *k = ctx;
	struct ip_addr ip;
	uint64_t age = bus_u64(r, BUS_F_AGE_S);

	if (r->desc->row != BUS_RES_INNER ||
	    ip_parse(bus_str(r, BUS_F_IP), &ip) != 0)
		return;
	if (ip.family == 6 && ip.b[0] == 0xfe && (ip.b[1] & 0xc0) == 0x80)
		return;		/* of a link: would need an interface */
	if (k->ip.family != 0 && (k->ip.family < ip.family ||
	    (k->ip.family == ip.family && k->age_s <= age)))
		return;
	k->ip = ip;
	k->age_s = age;
}

static int
inner_find(struct ping *p, struct link *l, const char *address)
{
	struct pick k = { 0 };
	struct bus_rec cmd, end;
	int err;

	if (address != NULL && ip_parse(address, &k.ip) != 0)
		return cli_fail(p->c, CLI_USAGE, "usage", NULL,
				"ping: '%s' is no IP address", address);
	if (address == NULL) {
		bus_rec_init(&cmd, BUS_CMD_PING);
		bus_set_str(&cmd, BUS_F_REALM, p->realm);
		bus_set_str(&cmd, BUS_F_PEER, p->peer);
		bus_set_str(&cmd, BUS_F_WHAT, "inner");
		if ((err = link_ask(l, &cmd, on_inner, &k, &end)) != 0)
			return ask_broken(p->c, err);
		if (end.desc->row == BUS_RES_FAILED)
			return ask_refused(p->c, &end);
	}
	if (k.ip.family == 0) {
		str_copy(p->in.why, sizeof(p->in.why), "no address behind the "
			 "peer is known; give one: tapir ping PEER ADDRESS");
		return CLI_OK;
	}
	ip_text(&k.ip, p->inner);
	err = echo_open(&p->echo, &k.ip);
	if (err == 0)
		return CLI_OK;
	return cli_fail(p->c, CLI_FAILED, "not-permitted", "run it as root, or "
			"with --ike", "no ICMP socket: %s", err_text(err));
}

/* ---- the command --------------------------------------------------------- */

static void
report(struct ping *p)
{
	struct json j;
	char what[IP_TEXT_MAX + 8];

	if (p->c->is_json) {
		json_init(&j, p->c->out);
		json_obj(&j, NULL);
		json_str(&j, "realm", p->realm);
		json_str(&j, "peer", p->peer);
		if (p->has_ike)
			tally_json(&j, "ike", p->remote, &p->ike);
		if (p->has_inner)
			tally_json(&j, "inner", p->inner, &p->in);
		json_obj_end(&j);
		json_end(&j);
		return;
	}
	snprintf(what, sizeof(what), "inner %s", p->inner);
	if (p->has_ike)
		tally_text(p->c, "IKE", &p->ike);
	if (p->has_inner && *p->inner != '\0')
		tally_text(p->c, what, &p->in);
	else if (p->has_inner)
		fprintf(p->c->out, "inner: %s\n", p->in.why);
}

static int
run(struct ping *p, const char *address)
{
	struct link l;
	int status;

	if ((status = ask_open(p->c, &l)) != CLI_OK)
		return status;
	p->echo.fd = -1;
	cli_catch();
	if (p->has_inner)
		status = inner_find(p, &l, address);
	for (unsigned n = 1; status == CLI_OK && n <= p->count && !cli_stopped;
	     n++) {
		uint64_t from = clk_ms(), took;

		if (p->has_ike)
			status = ask_ike(p, &l, n);
		if (status == CLI_OK && p->echo.fd >= 0)
			ask_inner(p, n);
		took = clk_ms() - from;
		if (n < p->count && took < p->interval_ms && !cli_stopped &&
		    status == CLI_OK && (p->has_ike || p->echo.fd >= 0))
			poll(NULL, 0, (int)(p->interval_ms - took));
	}
	link_close(&l);
	echo_close(&p->echo);
	if (status != CLI_OK)
		return status;
	report(p);
	return (p->has_ike && p->ike.n_got == 0) ||
	    (p->has_inner && p->in.n_got == 0 &&
	     (*p->inner != '\0' || !p->has_ike)) ? CLI_FAILED : CLI_OK;
}

/* "1", "0.2" in ms. */
static int
seconds(const char *text, unsigned *ms)
{
	char *end;
	double s = strtod(text, &end);

	if (end == text || *end != '\0' || !(s >= 0.01 && s <= 60))
		return ERR_SYNTAX;
	*ms = (unsigned)(s * 1000);
	return 0;
}

int
cmd_ping(struct cli *c, int argc, char **argv)
{
	char realm[CLI_NAME_MAX] = "", peer[CLI_NAME_MAX] = "";
	const char *count = "", *interval = "1", *wait = "";
	bool is_ike = false, is_inner = false;
	struct cli_opt opt[] = {
		{ 'c', "count", NULL, &count },
		{ 'i', "interval", NULL, &interval },
		{ 'W', "wait", NULL, &wait },
		{ 0, "ike", &is_ike, NULL }, { 0, "inner", &is_inner, NULL },
	};
	struct ping p = { .c = c, .realm = realm, .peer = peer,
			  .count = COUNT, .wait_ms = WAIT_MS };
	uint64_t n = COUNT;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 2)) < 0)
		return CLI_USAGE;
	if (argc == 0 || cli_target(argv[0], realm, peer, peer) != 0)
		return cli_fail(c, CLI_USAGE, "usage", NULL,
				"ping: which peer?  The form is PEER or "
				"REALM/PEER");
	if ((*count != '\0' && (str_u64(count, COUNT_MAX, &n) != 0 || n == 0)) ||
	    seconds(interval, &p.interval_ms) != 0 ||
	    (*wait != '\0' && seconds(wait, &p.wait_ms) != 0))
		return cli_fail(c, CLI_USAGE, "usage", "a count from 1 to 100000; "
				"seconds from 0.01 to 60", "ping: count, "
				"interval or wait is no such number");
	p.count = (unsigned)n;
	p.has_ike = is_ike || !is_inner;
	p.has_inner = is_inner || !is_ike;
	return run(&p, argc == 2 ? argv[1] : NULL);
}
