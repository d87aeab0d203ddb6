/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/sim/hostile.c - commands of attackers: on the path, and authenticated.
 */
#include <stdlib.h>
#include <string.h>

#include "test/sim/play.h"

static struct ike_sa *
any_sa(struct sim_host *h)
{
	LIST_FOREACH(it, &h->ike->sas)
		return CONTAINER_OF(it, struct ike_sa, node);
	return NULL;
}

/* An unprotected notify with the SPIs of a standing SA. */
static bool
forge_clear(struct play *p, struct sim_host *victim, unsigned xchg,
	    bool is_response, unsigned type)
{
	struct ike_sa *sa = any_sa(victim);
	uint8_t msg[36] = { 0 };

	if (sa == NULL)
		return play_fail(p, "no SA to attack");
	be64_put(msg, sa->ispi);
	be64_put(msg + 8, sa->rspi);
	msg[16] = IKE_PL_N;
	msg[17] = 0x20;
	msg[18] = (uint8_t)xchg;
	msg[19] = (uint8_t)((is_response ? 0x20 : 0) |
			    (sa->is_initiator ? 0 : 0x08));
	be32_put(msg + 20, is_response ? sa->out.id : sa->in.next);
	be32_put(msg + 24, sizeof(msg));
	be16_put(msg + 30, 8);
	be16_put(msg + 34, (uint16_t)type);
	sim_inject(victim, &sa->remote, &sa->local, sa->is_natt, msg,
		   sizeof(msg));
	return true;
}

/* forge HOST XCHG req|rsp TYPE */
bool
play_forge(struct play *p)
{
	if (p->n_arg < 5)
		return play_fail(p, "forge HOST XCHG req|rsp TYPE");
	return forge_clear(p, play_host(p, 1), play_num(p, 2),
			   strcmp(p->arg[3], "rsp") == 0, play_num(p, 4));
}

bool
play_reflect(struct play *p)
{
	play_host(p, 1)->is_reflected = strcmp(p->arg[2], "on") == 0;
	return true;
}

bool
play_liar(struct play *p)
{
	p->w.forge_init_error = strcmp(p->arg[1], "off") != 0;
	p->w.forge_type = (uint16_t)play_num(p, 1);
	return true;
}

static void
add_raw(struct ike_build *b, uint8_t type, bool is_critical, const char *text)
{
	ike_build_begin(b, type, is_critical);
	wcur_bytes(&b->w, text, strlen(text));
	ike_build_end(b);
}

/* As ike_child_answer_payloads(), which the linker replaces by it (--wrap). */
void __wrap_ike_child_answer_payloads(struct ike_sa *sa, struct ike_msg *m,
				      struct ike_build *b, struct view nonce,
				      const struct spi_dh_key *dh);
void __real_ike_child_answer_payloads(struct ike_sa *sa, struct ike_msg *m,
				      struct ike_build *b, struct view nonce,
				      const struct spi_dh_key *dh);

void
__wrap_ike_child_answer_payloads(struct ike_sa *sa, struct ike_msg *m,
				 struct ike_build *b, struct view nonce,
				 const struct spi_dh_key *dh)
{
	const struct sim_host *h = sa->ike->ops.ctx;
	struct view none = { NULL, 0 };

	__real_ike_child_answer_payloads(sa, m, b, nonce, dh);
	if (h->also_notify != 0)
		ike_build_notify(b, IKE_PROTO_NONE, h->also_notify, none, none);
}

/* What begins IKE_AUTH with EAP: all but AUTH, 2.16. */
static void
add_eap_first(struct ike_build *b, const struct ike_sa *sa, struct arena *a,
	      const char *id)
{
	struct ike_ts_set set = { .n = 1,
		.ts[0] = ike_ts_host(&sa->local.ip, 97) };
	struct ike_tss ts = { .n = 1, .ts = set.ts };
	uint8_t spi[4] = { 1, 2, 3, 4 };
	struct ike_props props;

	if (ike_prop_offer_esp(a, VPN_SUITE_2026, (struct view){ spi, 4 },
			       SPI_GROUP_NONE, &props) != 0)
		abort();
	add_raw(b, IKE_PL_IDI, false, id);
	ike_build_begin(b, IKE_PL_SA, false);
	enc_sa(&b->w, &props);
	ike_build_end(b);
	for (unsigned i = 0; i < 2; i++) {
		ike_build_begin(b, i == 0 ? IKE_PL_TSI : IKE_PL_TSR, false);
		enc_ts(&b->w, &ts);
		ike_build_end(b);
	}
}

/* The holder of good keys sends something else than the IKE_AUTH that is due:
 * CREATE_CHILD_SA, Delete, a request to use EAP, of one or of another. */
bool
play_early(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct ike_sa *sa = any_sa(h);
	bool is_other = strcmp(p->arg[2], "eap-other") == 0;
	bool is_eap = strcmp(p->arg[2], "eap") == 0 || is_other;
	bool is_word = strcmp(p->arg[2], "eap-word") == 0;
	bool is_auth = strcmp(p->arg[2], "eap-auth") == 0;
	const struct ike_eap eap = { .code = IKE_EAP_RESPONSE, .id = 1,
				     .type = 254 };
	uint8_t xchg = is_eap || is_word || is_auth ? IKE_XCHG_IKE_AUTH :
	    strcmp(p->arg[2], "create") == 0 ? IKE_XCHG_CREATE_CHILD_SA :
	    IKE_XCHG_INFORMATIONAL;
	struct ike_del del = { .proto = IKE_PROTO_IKE };
	struct ike_build b;
	struct arena a;
	struct view pkt;

	if (sa == NULL || sa->keys == NULL)
		return play_fail(p, "no keys yet");
	arena_init(&a, IKE_ARENA_MAX);
	ike_out_open(sa, &b);
	if (is_eap) {
		add_eap_first(&b, sa, &a, is_other ?
			      "\3\1\1\1another@example.net" :
			      "\3\1\1\1somebody@example.com");
	} else if (is_word) {
		ike_build_begin(&b, IKE_PL_EAP, false);
		enc_eap(&b.w, &eap);
		ike_build_end(&b);
	} else if (is_auth) {
		add_raw(&b, IKE_PL_AUTH, false, "\2\1\1\1of whatever key");
	} else {
		ike_build_begin(&b, IKE_PL_D, false);
		enc_delete(&b.w, &del);
		ike_build_end(&b);
	}
	arena_fini(&a);
	if (ike_out_seal(sa, &b, xchg, false, p->n_arg > 3 ? play_num(p, 3) : 1,
			 &pkt) != 0)
		return play_fail(p, "not sealed");
	sim_inject(h->other, &sa->local, &sa->remote, sa->is_natt, pkt.p,
		   pkt.len);
	return true;
}

/* A KE payload of another group than the proposal's; 0 = of that. */
static uint16_t odd_group;

/* SA, nonce and KE: for the IKE SA when esp_spi is 0, else with TS for a child. */
static void
add_rekey(struct ike_build *b, struct ike_sa *sa, uint32_t esp_spi)
{
	struct ike_ts_set set = { .n = 1 };
	struct ike_tss ts = { .n = 1, .ts = set.ts };
	struct spi_dh_key *dh = NULL;
	uint8_t nonce[IKE_NONCE_LEN], spi[8];
	struct ike_props props;
	struct ike_ke ke = { .group = odd_group != 0 ? odd_group :
			     IKE_KE_CURVE25519 };
	struct arena a;

	arena_init(&a, IKE_ARENA_MAX);
	if (rng_bytes(nonce, sizeof(nonce)) != 0 ||
	    rng_bytes(spi, sizeof(spi)) != 0 ||
	    spi_crypto()->dh_new(SPI_GROUP_X25519, &dh) != 0)
		abort();
	if ((esp_spi == 0 ? ike_prop_offer_ike(&a, VPN_SUITE_2026,
	    (struct view){ spi, 8 }, &props) : ike_prop_offer_esp(&a,
	    VPN_SUITE_2026, (struct view){ spi, 4 }, SPI_GROUP_X25519,
	    &props)) != 0)
		abort();
	ike_build_begin(b, IKE_PL_SA, false);
	enc_sa(&b->w, &props);
	ike_build_end(b);
	ike_build_begin(b, IKE_PL_NONCE, false);
	enc_nonce(&b->w, (struct view){ nonce, sizeof(nonce) });
	ike_build_end(b);
	ke.data = spi_crypto()->dh_public(dh);
	ike_build_begin(b, IKE_PL_KE, false);
	enc_ke(&b->w, &ke);
	ike_build_end(b);
	for (unsigned i = 0; i < 2 && esp_spi != 0; i++) {
		set.ts[0] = ike_ts_host(i == 0 ? &sa->local.ip :
					&sa->remote.ip, 97);
		ike_build_begin(b, i == 0 ? IKE_PL_TSI : IKE_PL_TSR, false);
		enc_ts(&b->w, &ts);
		ike_build_end(b);
	}
	spi_crypto()->dh_free(dh);
	arena_fini(&a);
}

/* In all transforms of a type another number. */
static void
spoil_transforms(struct ike_build *b, uint8_t type, uint16_t id)
{
	for (size_t i = 0; i + 6 <= b->w.len; i++)
		if (b->w.base[i] == 0 && (b->w.base[i + 1] == 8 ||
		    b->w.base[i + 1] == 12) && b->w.base[i + 2] == type &&
		    b->w.base[i + 3] == 0 && b->w.base[i + 4] == 0)
			be16_put(b->w.base + i + 4, id);
}

/* ... and of those: group-child and group-ike have a KE of a group that was not
 * proposed, cipher-child and cipher-ike ciphers of nobody; none-ike no key
 * exchange; tunnel-child asks for tunnel mode. */
static bool
odd_payloads(struct ike_build *b, struct ike_sa *sa, const char *what)
{
	bool is_ike = strstr(what, "-ike") != NULL;
	struct view none = { NULL, 0 };

	if (strncmp(what, "group-", 6) != 0 &&
	    strncmp(what, "cipher-", 7) != 0 &&
	    strcmp(what, "none-ike") != 0 &&
	    strcmp(what, "tunnel-child") != 0)
		return false;
	odd_group = what[0] == 'g' ? 2 : 0;
	if (!is_ike && what[0] != 't')
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_USE_TRANSPORT_MODE,
				 none, none);
	add_rekey(b, sa, is_ike ? 0 : 1);
	odd_group = 0;
	if (what[0] == 'c')
		spoil_transforms(b, IKE_TRT_ENCR, IKE_ENCR_3DES);
	else if (what[0] == 'n')
		spoil_transforms(b, IKE_TRT_KE, IKE_KE_NONE);
	return true;
}

/* Requests that make SAs: rekey-ike, rekey-child, rekey-gone, new-child. */
static bool
creating_payloads(struct ike_build *b, struct ike_sa *sa, const char *what)
{
	const struct ike_child *c = ike_child_current(sa);
	uint32_t spi = c != NULL ? c->spi_in : 1;
	struct view none = { NULL, 0 };
	uint8_t raw[4];

	if (strcmp(what, "rekey-ike") == 0) {
		add_rekey(b, sa, 0);
		return true;
	}
	if (odd_payloads(b, sa, what))
		return true;
	if (strcmp(what, "rekey-gone") == 0)
		spi = 0x01020304;
	else if (strcmp(what, "rekey-child") != 0 &&
		 strcmp(what, "new-child") != 0)
		return false;
	be32_put(raw, spi);
	if (strcmp(what, "new-child") != 0)
		ike_build_notify(b, IKE_PROTO_ESP, IKE_N_REKEY_SA,
				 (struct view){ raw, 4 }, none);
	ike_build_notify(b, IKE_PROTO_NONE, IKE_N_USE_TRANSPORT_MODE, none,
			 none);
	add_rekey(b, sa, spi);
	return true;
}

/* Payloads an authenticated but hostile peer may send. */
static bool
hostile_payloads(struct ike_build *b, struct ike_sa *sa, const char *what,
		 uint8_t *xchg)
{
	static const uint8_t spi[4] = { 1, 2, 3, 4 };
	struct ike_del del = { .proto = IKE_PROTO_ESP, .n_spi = 1,
			       .spis = { spi, 4 } };
	struct view none = { NULL, 0 }, four = { spi, 4 };
	const struct ike_child *c = ike_child_current(sa);

	*xchg = IKE_XCHG_INFORMATIONAL;
	if (strcmp(what, "critical") == 0) {
		add_raw(b, 200, true, "what");
	} else if (strcmp(what, "unknown") == 0) {
		add_raw(b, 200, false, "what");
		ike_build_notify(b, IKE_PROTO_NONE, 40000, none, four);
	} else if (strcmp(what, "garbage") == 0) {
		add_raw(b, IKE_PL_D, false, "x");
	} else if (strcmp(what, "delete-unknown") == 0) {
		ike_build_begin(b, IKE_PL_D, false);
		enc_delete(&b->w, &del);
		ike_build_end(b);
	} else if (strcmp(what, "delete-ah") == 0 ||
		   strcmp(what, "delete-twice") == 0) {
		uint8_t raw[8];

		be32_put(raw, c != NULL ? c->spi_in : 0);
		memcpy(raw + 4, raw, 4);
		del.spis = (struct view){ raw, 4 };
		if (strcmp(what, "delete-ah") == 0)
			del.proto = IKE_PROTO_AH;
		else
			del = (struct ike_del){ .proto = IKE_PROTO_ESP,
				.n_spi = 2, .spis = { raw, 8 } };
		ike_build_begin(b, IKE_PL_D, false);
		enc_delete(&b->w, &del);
		ike_build_end(b);
	} else if (strcmp(what, "delete-ike-spi") == 0) {
		add_raw(b, IKE_PL_D, false, "\1\10\1\1abcdefgh");
	} else if (strcmp(what, "delete-short") == 0) {
		add_raw(b, IKE_PL_D, false, "\3\4\1\1abcd");
	} else if (strcmp(what, "auth-failed") == 0) {
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_AUTHENTICATION_FAILED,
				 none, none);
	} else if (strcmp(what, "update") == 0) {	/* from where it is */
		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_UPDATE_SA_ADDRESSES,
				 none, none);
	} else if (strcmp(what, "many-addresses") == 0) {
		for (uint8_t i = 1; i <= IKE_MAX_NOTIFIES; i++) {
			uint8_t ip[4] = { 203, 0, 113, i };

			ike_build_notify(b, IKE_PROTO_NONE,
					 IKE_N_ADDITIONAL_IP4_ADDRESS, none,
					 (struct view){ ip, 4 });
		}
	} else if (strcmp(what, "redirect") == 0) {
		static const uint8_t gw[6] = { 1, 4, 203, 0, 113, 66 };

		ike_build_notify(b, IKE_PROTO_NONE, IKE_N_REDIRECT, none,
				 (struct view){ gw, sizeof(gw) });
	} else if (strcmp(what, "auth-again") == 0) {
		*xchg = IKE_XCHG_IKE_AUTH;
		add_raw(b, IKE_PL_IDI, false, "\2\1\1\1nagoya");
	} else if (strcmp(what, "answer-not-found") == 0) {
		*xchg = IKE_XCHG_CREATE_CHILD_SA;
		ike_build_notify(b, IKE_PROTO_ESP, IKE_N_CHILD_SA_NOT_FOUND,
				 four, none);
	} else if (strcmp(what, "no-payloads") == 0) {
		*xchg = IKE_XCHG_CREATE_CHILD_SA;
	} else {
		*xchg = IKE_XCHG_CREATE_CHILD_SA;
		return creating_payloads(b, sa, what);
	}
	return true;
}

/* sealed HOST WHAT [ID]: HOST sends it under its keys; ID instead of its next, or of
 * the request that answer-* answers */
bool
play_sealed(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct ike_sa *sa = any_sa(h);
	struct ike_build b;
	struct view pkt;
	uint8_t xchg;

	if (sa == NULL || sa->keys == NULL)
		return play_fail(p, "no keys");
	ike_out_open(sa, &b);
	if (!hostile_payloads(&b, sa, p->arg[2], &xchg))
		return play_fail(p, "no such payloads");
	if (ike_out_seal(sa, &b, xchg, strncmp(p->arg[2], "answer-", 7) == 0,
			 p->n_arg > 3 ? play_num(p, 3) :
			 sa->out.next++, &pkt) != 0)
		return play_fail(p, "not sealed");
	ike_out_send(sa, pkt);
	return true;
}

/* The inside of the last answer to h with a message id; false: there is none. */
static bool
open_answer(struct play *p, struct sim_host *h, uint32_t id, struct ike_pls *pls,
	    struct arena *a)
{
	static uint8_t copy[IKE_MAX_MSG_BYTES];
	struct sim_event *r = NULL;
	struct ike_sa *sa;
	struct ike_perr perr;
	struct ike_dir d;
	struct ike_hdr hdr;
	struct view text;

	for (unsigned i = 0; i < p->w.n_rec; i++)
		if (p->w.rec[i]->host == h &&
		    (p->w.rec[i]->p[19] & 0x20) != 0 &&
		    be32_get(p->w.rec[i]->p + 20) == id)
			r = p->w.rec[i];
	if (r == NULL || ike_hdr_decode((struct view){ r->p, r->len },
					&hdr) != 0 || hdr.next != IKE_PL_SK)
		return false;
	sa = ike_sa_by_spi(h->ike, hdr.is_initiator ? hdr.rspi : hdr.ispi);
	if (sa == NULL || sa->keys == NULL)
		return false;
	memcpy(copy, r->p, r->len);
	ike_sa_dir(sa, false, &d);
	return ike_protect_open(&d, copy, r->len, IKE_HDR_LEN +
				IKE_PL_HDR_LEN, &text) == 0 &&
	    ike_pls_decode(a, &hdr, text, copy[IKE_HDR_LEN], pls, &perr) == 0;
}

/* told HOST WHAT NOTIFY|none: it sends WHAT, as sealed does; the answer, which
 * comes under the keys of the SA, holds that error and no other */
bool
play_told(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct ike_sa *sa = any_sa(h);
	uint16_t want = (uint16_t)play_num(p, 3);
	static struct ike_pls pls;
	const struct ike_ntf *n;
	struct arena a;
	uint32_t id;
	bool is_ok;

	if (sa == NULL || p->n_arg < 4)
		return play_fail(p, "told HOST WHAT NOTIFY|none");
	id = sa->out.next;
	p->n_arg = 3;
	if (!play_sealed(p))
		return false;
	sim_run(&p->w, 45);
	arena_init(&a, IKE_ARENA_MAX);
	is_ok = open_answer(p, h, id, &pls, &a);
	n = is_ok ? ike_ntf_error(&pls) : NULL;
	if (!is_ok)
		play_fail(p, "no answer to %s", p->arg[2]);
	else if ((n != NULL ? n->type : 0) != want)
		play_fail(p, "%s is answered with error %u", p->arg[2],
			  n != NULL ? n->type : 0);
	is_ok = is_ok && p->fail[0] == '\0';
	arena_fini(&a);
	return is_ok;
}

static struct sim_event *
recorded_init(struct play *p, const struct sim_host *h)
{
	for (unsigned i = 0; i < p->w.n_rec; i++)
		if (p->w.rec[i]->host == h &&
		    p->w.rec[i]->p[18] == IKE_XCHG_IKE_SA_INIT)
			return p->w.rec[i];
	return NULL;
}

/* Another group than the proposal's, or algorithms that nobody has. */
static void
spoil_offer(uint8_t *p, size_t len, bool is_ke)
{
	struct ike_chain ch;
	struct ike_perr perr;

	if (ike_chain_decode((struct view){ p + 28, len - 28 }, p[16], &ch,
			     &perr) != 0)
		return;
	for (unsigned i = 0; i < ch.n; i++) {
		uint8_t *body = p + (ch.pl[i].body.p - p);

		if (is_ke && ch.pl[i].type == IKE_PL_KE)
			be16_put(body, IKE_KE_ECP_384);
		/* identifiers of transforms of type 2, at steps of a word */
		for (size_t k = 8; !is_ke && ch.pl[i].type == IKE_PL_SA &&
		     k + 8 <= ch.pl[i].body.len; k += 4)
			if (be16_get(body + k + 2) == 8 && body[k + 4] == 2)
				be16_put(body + k + 6, 999);
	}
}

/* One of the ways to make a request wrong. */
static size_t
spoil(struct sim_world *w, uint8_t *p, size_t len)
{
	uint64_t r = rng_det_u64(&w->rng);
	size_t cut = (size_t)(r >> 16) % len;

	switch (r % 12) {
	case 0:
		p[17] = 0x30;		/* another major version */
		break;
	case 1:
		p[18] = (uint8_t)(r >> 8);	/* another exchange */
		break;
	case 2:
		p[8 + (r >> 8) % 8] = 1;	/* an SA that does not exist */
		p[18] = IKE_XCHG_INFORMATIONAL;
		break;
	case 3:
		be32_put(p + 24, (uint32_t)cut);
		return cut;
	case 4:
		p[16] = 200;		/* an unknown payload, critical */
		p[29] = 0x80;
		break;
	case 5:
		p[20 + (r >> 8) % 4] = 1;	/* message id */
		break;
	case 6:
		p[28 + (r >> 8) % (len - 28)] ^= (uint8_t)(1u << (r >> 40) % 8);
		break;
	case 7:
		spoil_offer(p, len, true);
		break;
	case 8:
		spoil_offer(p, len, false);
		break;
	case 9:			/* protected, of an SA that does not exist */
		p[8 + (r >> 8) % 8] = 1;
		p[16] = IKE_PL_SK;
		p[18] = (uint8_t)(IKE_XCHG_IKE_AUTH + (r >> 16) % 3);
		p[28] = IKE_PL_IDI;
		be16_put(p + 30, (uint16_t)(len - 28));
		break;
	case 10:		/* nothing but a header */
		p[16] = IKE_PL_NONE;
		p[18] = (uint8_t)(IKE_XCHG_IKE_SA_INIT + (r >> 16) % 12);
		be32_put(p + 24, 28);
		return 28;
	default:
		break;
	}
	return len;
}

/* n requests of strangers: wrong in some way, or not */
bool
play_probe(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct sim_event *first = recorded_init(p, h);
	uint8_t copy[2048];
	size_t before_all;

	if (first == NULL || first->len > sizeof(copy) || first->len < 64)
		return play_fail(p, "no IKE_SA_INIT recorded to probe with");
	for (unsigned i = 0; i < play_num(p, 2); i++) {
		struct net_ep from = first->from;
		size_t len, before = p->w.n_stray;

		memcpy(copy, first->p, first->len);
		be64_put(copy, 0x10000 + i);
		from.ip.b[2] = (uint8_t)i;
		from.ip.b[1] = (uint8_t)(i >> 8);
		len = spoil(&p->w, copy, first->len);
		sim_inject(h, &from, &first->to, false, copy, len);
		sim_run(&p->w, 5);
		if (p->w.n_stray - before > len)
			return play_fail(p, "%zu bytes brought %zu back", len,
					 p->w.n_stray - before);
	}
	before_all = p->w.n_stray;
	sim_run(&p->w, 60000);
	return p->w.n_stray == before_all ||
	    play_fail(p, "%zu bytes went out unasked",
		      p->w.n_stray - before_all);
}

/* n half-open requests from n sources, or one */
bool
play_flood(struct play *p)
{
	struct sim_host *h = play_host(p, 1);
	struct sim_event *first = recorded_init(p, h);

	if (first == NULL)
		return play_fail(p, "no IKE_SA_INIT recorded to flood with");
	for (unsigned i = 0; i < play_num(p, 2); i++) {
		struct net_ep from = first->from;

		from.ip.b[2] = (uint8_t)(i >> 8);
		from.ip.b[1] = (uint8_t)i;
		be64_put(first->p, 0x1000 + i);
		sim_inject(h, &from, &first->to, false, first->p, first->len);
		sim_run(&p->w, 1);
	}
	return true;
}
