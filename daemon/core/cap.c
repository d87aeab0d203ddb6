/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/cap.c - the capture: what is wanted, the ring, the client.
 *
 * A record in the ring: length (4 bytes, host order; 0 = go on at the beginning),
 * then the datagram as it will be sent.  Records begin at multiples of 8.
 *
 * Thread: capture_take_*() any; the rest the loop.
 */
#include "daemon/core/cap.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/drop.h"
#include "daemon/base/lk.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"
#include "daemon/core/ctl.h"
#include "daemon/core/loop.h"

#define CAP_LK_RANK	95	/* leaf */
#define IKE_PORT	500	/* RFC 7296 2 */
#define CAP_TURN	256	/* datagrams before others have their turn */
#define CAP_LATER_MS	2	/* the loop empties the ring so often */

struct cap {
	struct vpn *vpn;
	/* immutable */
	unsigned want;
	uint32_t snap;
	uint32_t link;			/* of this peer only; 0 = of all */
	struct ip_addr remote;		/* where it is */
	struct drop_seer seer;
	uint32_t tag;
	uint64_t number;		/* of captures, from 1 */
	char user[CTL_USER_MAX];	/* who captures */
	struct bus_rec cmd;		/* what was asked for */
	uint64_t since_ms, most_bytes;	/* 0 = no end by size */
	bool has_keys;
	uint16_t nat_port;
	/* the loop's */
	struct ctl_client *cl;
	uint64_t until_ms;		/* 0 = no end */
	struct tmr tmr;
	uint64_t sent_bytes;
	/* any thread */
	atomic_bool is_waiting;		/* the loop was told */
	struct lk lock;			/* rank 95: ring, counters */
	uint64_t head, tail GUARDED_BY(lock);
	uint64_t n_packet, n_lost GUARDED_BY(lock);
	uint8_t *ring;
};

/* ---- the ring ------------------------------------------------------------ */

static uint32_t
place_of(uint64_t at)
{
	return (uint32_t)(at % CAP_RING_BYTES);
}

/* Where need bytes may be written in one piece; NULL: there is no room. */
static uint8_t *
room(struct cap *c, size_t need)
{
	size_t left = CAP_RING_BYTES - place_of(c->head);
	uint32_t none = 0;

	if (left < need) {
		if (c->head + left + need - c->tail > CAP_RING_BYTES)
			return NULL;
		memcpy(c->ring + place_of(c->head), &none, sizeof(none));
		c->head += left;
	}
	if (c->head + need - c->tail > CAP_RING_BYTES)
		return NULL;
	return c->ring + place_of(c->head);
}

static void on_waiting(void *ctx, void *item);

static void
put(struct cap *c, struct cap_pkt *p)
{
	size_t n = MIN(MIN(p->bytes.len, (size_t)c->snap),
		       (size_t)CAP_BYTES_MAX);
	size_t need = (sizeof(uint32_t) + CAP_HEAD + n + 7) / 8 * 8;
	uint32_t len = (uint32_t)(CAP_HEAD + n);
	struct wcur w;
	uint8_t *at;

	p->time_ns = clk_wall_ns();
	lk_lock(&c->lock);
	if ((at = room(c, need)) != NULL) {
		memcpy(at, &len, sizeof(len));
		wcur_init(&w, at + sizeof(len), CAP_HEAD);
		cap_enc_head(&w, p);
		memcpy(at + sizeof(len) + CAP_HEAD, p->bytes.p, n);
		c->head += need;
		c->n_packet++;
	} else {
		c->n_lost++;
	}
	lk_unlock(&c->lock);
	if (!atomic_exchange(&c->is_waiting, true) &&
	    loop_post(c->vpn->loop, on_waiting, c->vpn, NULL) != 0)
		atomic_store(&c->is_waiting, false);
}

/* ---- packets --------------------------------------------------------------- */

static bool
is_wanted(const struct cap *c, enum cap_want w, const struct ip_addr *remote)
{
	return (c->want & w) != 0 &&
	    (c->link == 0 || ip_equal(&c->remote, remote));
}

void
capture_take_frames(struct cap *c, const struct vpn_link *l, bool is_out,
		struct buf *const *b, unsigned n)
{
	if ((c->want & CAP_WANT_CLEAR) == 0 || (c->link != 0 && c->link != l->id))
		return;
	for (unsigned i = 0; i < n; i++) {
		struct cap_pkt p = {
			.side = l->mode == VPN_MODE_ETHER ? CAP_FRAME :
			    CAP_PACKET,
			.is_out = is_out, .drop = CAP_NO_DROP,
			.len = b[i]->len, .link = l->id,
			.bytes = buf_view(b[i]),
		};

		put(c, &p);
	}
}

/* One datagram, or each of a train. */
static void
take_esp(struct cap *c, struct cap_pkt *p, const struct buf *b)
{
	uint32_t step = b->seg_len != 0 ? b->seg_len : b->len;

	for (uint32_t at = 0; at < b->len; at += step) {
		p->len = MIN(b->len - at, step);
		p->bytes = (struct view){ b->data + at, p->len };
		put(c, p);
	}
}

void
capture_take_in(struct cap *c, struct buf *const *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct cap_pkt p = {
			.side = b[i]->kind == VPN_ENCAP_ESP ? CAP_ESP :
			    CAP_ESP_UDP,
			.drop = CAP_NO_DROP, .local = b[i]->to,
			.remote = b[i]->from,
		};

		if (is_wanted(c, CAP_WANT_ESP, &p.remote.ip))
			take_esp(c, &p, b[i]);
	}
}

void
capture_take_out(struct cap *c, const struct vpn_path *path, struct buf *const *b,
	     unsigned n)
{
	struct cap_pkt p = {
		.side = path->encap == VPN_ENCAP_ESP ? CAP_ESP : CAP_ESP_UDP,
		.is_out = true, .drop = CAP_NO_DROP, .local = path->local,
		.remote = path->remote,
	};

	if (!is_wanted(c, CAP_WANT_ESP, &path->remote.ip))
		return;
	if (p.local.port == 0)
		p.local.port = c->nat_port;
	for (unsigned i = 0; i < n; i++)
		take_esp(c, &p, b[i]);
}

void
capture_take_ike(struct cap *c, const struct net_ep *local,
	     const struct net_ep *remote, bool is_natt, bool is_out,
	     struct view data)
{
	struct cap_pkt p = {
		.side = is_natt ? CAP_IKE_NATT : CAP_IKE, .is_out = is_out,
		.drop = CAP_NO_DROP, .len = (uint32_t)data.len,
		.local = *local, .remote = *remote, .bytes = data,
	};

	if (p.local.port == 0)
		p.local.port = is_natt ? c->nat_port :
		    IKE_PORT;
	if (is_wanted(c, CAP_WANT_IKE, &remote->ip))
		put(c, &p);
}

/* Ethernet or IP?  Only the latter says how long it is. */
static bool
is_ip(struct view v)
{
	unsigned version = v.len > 0 ? v.p[0] >> 4 : 0;

	return (version == 4 && v.len >= 20 && be16_get(v.p + 2) == v.len) ||
	    (version == 6 && v.len >= 40 && be16_get(v.p + 4) + 40u == v.len);
}

static void
see_drop(void *ctx, enum drop d, enum drop_form form, const struct buf *b)
{
	struct cap *c = ctx;
	bool is_esp = form == DROP_ESP || form == DROP_ESP_HEAD;
	struct cap_pkt p = { .drop = (uint16_t)d, .len = b->len,
			     .bytes = buf_view(b) };

	if (is_esp) {
		p.side = b->kind == VPN_ENCAP_ESP ? CAP_ESP : CAP_ESP_UDP;
		p.local = b->to;
		p.remote = b->from;
		if (form == DROP_ESP_HEAD)	/* SPI and number */
			p.bytes.len = MIN(p.bytes.len, (size_t)8);
		if (c->link != 0 && !ip_equal(&c->remote, &b->from.ip))
			return;
	} else {
		p.side = form == DROP_PACKET ||
		    (form == DROP_EITHER && is_ip(p.bytes)) ? CAP_PACKET :
		    CAP_FRAME;
	}
	put(c, &p);
}

/* ---- the client ------------------------------------------------------------ */

static void
free_later(void *ctx)
{
	struct cap *c = ctx;

	lk_fini(&c->lock);
	/* packets in clear */
	wipe(c->ring, CAP_RING_BYTES);
	free(c->ring);
	free(c);
}

/* Nobody finds it any more; it is freed when nobody has it in hand. */
static void
stop(struct vpn *v, struct cap *c)
{
	if ((c->want & CAP_WANT_DROPPED) != 0)
		drop_set_seer(NULL);
	if (c->has_keys)
		ike_set_key_log(v->ike, NULL, NULL);
	atomic_store_explicit(&v->cap, NULL, memory_order_release);
	tmr_stop(loop_timers(v->loop), &c->tmr);
	/* out of memory right now: a leak is better than a dangling ring */
	if (thr_defer(free_later, c) != 0)
		c->cl = NULL;
}

/* The next record; NULL: there is none. */
static const uint8_t *
next(struct cap *c, uint32_t *len)
{
	const uint8_t *at = NULL;

	lk_lock(&c->lock);
	while (c->tail != c->head && at == NULL) {
		uint32_t place = place_of(c->tail);

		memcpy(len, c->ring + place, sizeof(*len));
		if (*len == 0)
			c->tail += CAP_RING_BYTES - place;
		else
			at = c->ring + place + sizeof(*len);
	}
	lk_unlock(&c->lock);
	return at;
}

static void
pass(struct cap *c, uint32_t len)
{
	lk_lock(&c->lock);
	c->tail += (sizeof(len) + len + 7) / 8 * 8;
	lk_unlock(&c->lock);
}

static bool
is_enough(const struct cap *c)
{
	return c->most_bytes != 0 && c->sent_bytes >= c->most_bytes;
}

/* What waits, as much as the client takes.  True when there is more. */
static bool
send_some(struct cap *c, unsigned most)
{
	const uint8_t *at;
	uint32_t len;

	for (unsigned i = 0; !is_enough(c) && (at = next(c, &len)) != NULL;
	     i++) {
		if (i == most || !ctl_send_raw(c->cl, at, len))
			return true;
		pass(c, len);
		c->sent_bytes += len - CAP_HEAD;
	}
	return false;
}

static void
send_later(struct cap *c)
{
	struct tmr_set *s = loop_timers(c->vpn->loop);

	if (!tmr_is_set(&c->tmr) &&
	    tmr_start(s, &c->tmr, clk_ms() + CAP_LATER_MS) != 0)
		atomic_store(&c->is_waiting, false);	/* the next one asks again */
}

static void
on_waiting(void *ctx, void *item UNUSED)
{
	struct vpn *v = ctx;
	struct cap *c = capture_on(v);

	if (c != NULL)
		send_later(c);
}

static void finish(struct vpn *v, struct cap *c);

static void
on_time(void *ctx)
{
	struct cap *c = ctx;

	atomic_store(&c->is_waiting, false);
	if (send_some(c, CAP_TURN) && ctl_is_ready(c->cl))
		send_later(c);
	if (is_enough(c))
		finish(c->vpn, c);
}

void
capture_client_ready(struct vpn *v, const struct ctl_client *cl)
{
	struct cap *c = capture_on(v);

	if (c != NULL && c->cl == cl)
		send_later(c);
}

void
capture_client_gone(struct vpn *v, const struct ctl_client *cl)
{
	struct cap *c = capture_on(v);

	if (c != NULL && c->cl == cl)
		stop(v, c);
}

/* The last words to the client: what was lost, and that it is over. */
static void
finish(struct vpn *v, struct cap *c)
{
	struct cap_pkt p = { .side = CAP_LOST, .drop = CAP_NO_DROP,
			     .time_ns = clk_wall_ns() };
	uint8_t buf[CAP_HEAD];
	struct wcur w;

	stop(v, c);
	(void)send_some(c, UINT32_MAX);
	lk_lock(&c->lock);
	p.len = (uint32_t)MIN(c->n_lost, (uint64_t)UINT32_MAX);
	lk_unlock(&c->lock);
	wcur_init(&w, buf, sizeof(buf));
	cap_enc_head(&w, &p);
	if (ctl_send_raw(c->cl, buf, sizeof(buf)))
		ctl_done(c->cl, c->tag, "");
	else
		ctl_done(c->cl, c->tag, "not all of it");
}

void
capture_tick(struct vpn *v)
{
	struct cap *c = capture_on(v);

	if (c != NULL && c->until_ms != 0 && clk_ms() >= c->until_ms)
		finish(v, c);
}

/* ---- the command ----------------------------------------------------------- */

static void
key_line(void *ctx, const char *line)
{
	struct cap *c = ctx;
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_KEY_LINE);
	bus_set_str(&r, BUS_F_TEXT, line);
	ctl_send(c->cl, &r, c->tag);
	wipe(&r, sizeof(r));
}

/* The peer a capture is about; false: there is none of that name. */
static bool
find_peer(struct vpn *v, const struct bus_rec *cmd, struct ike_link_info *li)
{
	uint32_t it = 0;

	while (ike_link_next(v->ike, &it, li))
		if (wire_ctl_fits(v, li, cmd))
			return true;
	return false;
}

static int
capture_new(struct cap **out, struct vpn *v, const struct bus_rec *cmd,
	    unsigned want)
{
	uint64_t snap = bus_u64(cmd, BUS_F_LIMIT);
	struct cap *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->ring = malloc(CAP_RING_BYTES)) == NULL) {
		free(c);
		return ERR_NOMEM;
	}
	c->vpn = v;
	c->want = want;
	c->cmd = *cmd;
	c->number = ++v->n_capture;
	c->most_bytes = bus_u64(cmd, BUS_F_N_BYTES);
	c->snap = snap == 0 ? CAP_BYTES_MAX :
	    (uint32_t)MIN(snap, (uint64_t)CAP_BYTES_MAX);
	c->seer = (struct drop_seer){ see_drop, c };
	c->tag = cmd->tag;
	c->nat_port = (uint16_t)v->conf->nat_port;
	lk_init(&c->lock, CAP_LK_RANK);
	tmr_init(&c->tmr, on_time, c);
	*out = c;
	return 0;
}

/* Keys of one peer: those of its IKE SA now, those of child SAs as they are made,
 * one at once. */
static void
keys_begin(struct vpn *v, struct cap *c)
{
	struct ike_link_info li;
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_WARNING);
	if (ike_link_get(v->ike, c->link, &li)) {
		bus_set_str(&r, BUS_F_REALM, vpn_realm_name(v, li.realm));
		bus_set_str(&r, BUS_F_PEER, li.name);
	}
	bus_set_str(&r, BUS_F_CODE, "keys-handed-out");
	bus_set_str(&r, BUS_F_TEXT, "who captures gets the session keys of this "
		    "peer");
	vpn_publish(v, &r);
	ike_set_key_log(v->ike, key_line, c);
	ike_key_log_link(v->ike, c->link);
	if (ike_rekey(v->ike, c->link, true, clk_ms()) != 0)
		return;		/* not up: they come with its set-up */
}

/* What is captured, by whom, and how much it is by now. */
static void
tell(struct cap *c, struct ctl_client *cl, uint32_t tag)
{
	static const enum bus_field same[] = { BUS_F_REALM, BUS_F_PEER,
					       BUS_F_WHAT };
	uint64_t now = clk_ms();
	struct bus_rec r;

	bus_rec_init(&r, BUS_RES_CAPTURE);
	bus_set_u64(&r, BUS_F_CAPTURE, c->number);
	bus_set_str(&r, BUS_F_USER, c->user);
	for (unsigned i = 0; i < N_OF(same); i++)
		bus_set_str(&r, same[i], bus_str(&c->cmd, same[i]));
	bus_set_bool(&r, BUS_F_HAS_KEYS, c->has_keys);
	bus_set_u64(&r, BUS_F_AGE_S, (now - c->since_ms) / 1000);
	bus_set_u64(&r, BUS_F_LEFT_S, c->until_ms > now ?
		    (c->until_ms - now + 999) / 1000 : 0);
	bus_set_u64(&r, BUS_F_N_BYTES, c->sent_bytes);
	lk_lock(&c->lock);
	bus_set_u64(&r, BUS_F_N_PACKET, c->n_packet);
	bus_set_u64(&r, BUS_F_N_LOST, c->n_lost);
	lk_unlock(&c->lock);
	ctl_send(cl, &r, tag);
}

static void
begin(struct vpn *v, struct cap *c, struct ctl_client *cl,
      const struct bus_rec *cmd)
{
	uint64_t s = bus_u64(cmd, BUS_F_LEFT_S);
	char text[128] = "";

	c->cl = cl;
	c->since_ms = clk_ms();
	(void)ctl_user(cl, c->user);
	c->has_keys = bus_bool(cmd, BUS_F_HAS_KEYS);
	if (c->has_keys)
		s = s == 0 ? CAP_KEYS_S : MIN(s, (uint64_t)CAP_KEYS_MAX_S);
	if (s != 0)
		c->until_ms = c->since_ms + MIN(s, (uint64_t)UINT32_MAX) * 1000;
	str_add(text, sizeof(text), "packets are copied%s",
		c->has_keys ? ", with the keys to open them" : "");
	if (s != 0)
		str_add(text, sizeof(text), ", for %llu s",
			(unsigned long long)s);
	wire_ctl_record(v, cl, cmd, text);
	tell(c, cl, cmd->tag);
	atomic_store_explicit(&v->cap, c, memory_order_release);
	if ((c->want & CAP_WANT_DROPPED) != 0)
		drop_set_seer(&c->seer);
	if (c->has_keys)
		keys_begin(v, c);
}

void
capture_command(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	bool has_peer = *bus_str(cmd, BUS_F_PEER) != '\0';
	bool has_keys = bus_bool(cmd, BUS_F_HAS_KEYS);
	struct ike_link_info li = { .link = 0 };
	struct cap *c = NULL;
	unsigned want;
	int err;

	/* keys are nothing for who parses HTTP */
	if (ctl_web(v->ctl) == cl && has_keys) {
		ctl_failed(cl, cmd->tag, ERR_PERM, "no keys by the web "
			   "interface", "run tapir capture on the machine");
		return;
	}
	if (cap_want_parse(bus_str(cmd, BUS_F_WHAT), &want) != 0) {
		ctl_failed(cl, cmd->tag, ERR_SYNTAX, "there is no such kind of "
			   "packets", "clear, esp, ike, dropped");
		return;
	}
	if (capture_on(v) != NULL) {
		ctl_failed(cl, cmd->tag, ERR_EXISTS, "somebody captures already",
			   "there is one capture at a time; end the other");
		return;
	}
	if (has_peer && !find_peer(v, cmd, &li)) {
		wire_ctl_no_peer(v, cl, cmd);
		return;
	}
	if (has_peer && li.remote.ip.family == 0) {
		ctl_failed(cl, cmd->tag, ERR_STATE, "where this peer is is not "
			   "known yet", "capture without a peer");
		return;
	}
	if (has_keys && (!has_peer || ike_has_key_log(v->ike))) {
		ctl_failed(cl, cmd->tag, ERR_STATE, has_peer ?
			   "the keys go to a file already (--key-log)" :
			   "keys are handed out for one peer",
			   has_peer ? "" : "name it with --peer");
		return;
	}
	if ((err = capture_new(&c, v, cmd, want)) != 0) {
		ctl_failed(cl, cmd->tag, err, err_text(err), "");
		return;
	}
	c->link = li.link;
	c->remote = li.remote.ip;
	begin(v, c, cl, cmd);
}

void
capture_list_command(struct vpn *v, struct ctl_client *cl,
		     const struct bus_rec *cmd)
{
	struct cap *c = capture_on(v);

	if (c != NULL)
		tell(c, cl, cmd->tag);
	ctl_done(cl, cmd->tag, c != NULL ? "" : "nobody captures");
}

void
capture_stop_command(struct vpn *v, struct ctl_client *cl,
		     const struct bus_rec *cmd)
{
	uint64_t number = bus_u64(cmd, BUS_F_CAPTURE);
	struct cap *c = capture_on(v);

	if (c == NULL || (number != 0 && number != c->number)) {
		ctl_failed(cl, cmd->tag, ERR_NOTFOUND, "there is no such capture",
			   "it may have ended");
		return;
	}
	wire_ctl_record(v, cl, cmd, "the capture ends");
	finish(v, c);
	ctl_done(cl, cmd->tag, "");
}
