/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/ikev2/t_replay.c - what devices send from IKE_SA_INIT to the end of
 * EAP, payload by payload, against a gateway's engine (doc/devices.md).
 *
 * The layouts are put together from what is public: the proposals as in t_devices.c,
 * the payloads as logs of gateways that such devices talked to show them.  The
 * secrets behind it are a test's: the secure process is played by answer().
 */
#include "test/unit/ikev2/engine_help.h"

#include <stdio.h>

#include "ikev2/crypt/keymat.h"
#include "ikev2/crypt/protect.h"

#define T(type_, id_) { .type = IKE_TRT_##type_, .id = IKE_##type_##_##id_ }
#define TK(id_, bits_)                                                         \
	{ .type = IKE_TRT_ENCR, .id = IKE_ENCR_##id_, .key_bits = (bits_) }
#define P(num_, proto_, spi_, tr_)                                             \
	{ .num = (num_), .proto = IKE_PROTO_##proto_, .spi = spi_,             \
	  .n_tr = N_OF(tr_), .tr = (tr_) }
#define PROPS(p_) { N_OF(p_), p_ }
#define END UINT16_MAX		/* of a list of numbers */

/* Numbers that are no words of ours. */
#define CA_NBNS	   4		/* INTERNAL_IP4_NBNS */
#define CA_DHCP	   6
#define CA_DHCP6   12
#define CA_SERVER  23456	/* Microsoft's own */
#define CA_SERVER6 23457

static const uint8_t esp_spi[4] = { 0xc0, 0, 0, 1 };
static const struct view none = { NULL, 0 };

/* A device; every list in the order in which it sends. */
struct device {
	struct ike_props ike, esp;
	uint16_t group;			/* of its KE payload */
	uint16_t init_ntf[8];		/* before END */
	const char *vid[5];		/* vendor ids, hexadecimal */
	uint8_t id_type;
	const char *id;			/* data of IDi; NULL: its address */
	bool has_idr, has_certreq, has_ip6;
	uint16_t ntf[5];		/* of IKE_AUTH, before SA */
	uint16_t cp[12];
	struct ike_suite want;
};

/* ---- Windows 11 with our script ------------------------------------------------- */

static const struct ike_tr win_ike[] = {
	TK(AES_GCM_16, 256), T(PRF, HMAC_SHA2_384), T(KE, ECP_384) };
static const struct ike_tr win_esp[] = { TK(AES_GCM_16, 256), T(SN, SEQ_32) };
static const struct ike_prop win_ikes[] = { P(1, IKE, { NULL }, win_ike) };
static const struct ike_prop win_esps[] = {
	{ .num = 1, .proto = IKE_PROTO_ESP, .spi = { esp_spi, 4 },
	  .n_tr = N_OF(win_esp), .tr = win_esp } };

static const struct device windows = {
	.ike = PROPS(win_ikes), .esp = PROPS(win_esps),
	.group = IKE_KE_ECP_384,
	.init_ntf = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED,
		IKE_N_NAT_DETECTION_SOURCE_IP,
		IKE_N_NAT_DETECTION_DESTINATION_IP, END },
	.vid = { "1e2b516905991c7d7c96fcbfb587e46100000009",
		"fb1de3cdf341b7ea16b7e5be0855f120",
		"26244d38eddb61b3172a36e3d0cfb819",
		"01528bbbc00696121849ab9a1c5b2a5100000002" },
	.id_type = IKE_ID_IPV4_ADDR,
	.has_certreq = true, .has_ip6 = true,
	.ntf = { IKE_N_MOBIKE_SUPPORTED, END },
	.cp = { IKE_CA_INTERNAL_IP4_ADDRESS, IKE_CA_INTERNAL_IP4_DNS, CA_NBNS,
		CA_SERVER, IKE_CA_INTERNAL_IP6_ADDRESS,
		IKE_CA_INTERNAL_IP6_DNS, CA_SERVER6, END },
	.want = { SPI_CIPHER_AES_GCM_256, SPI_HASH_NONE, SPI_HASH_SHA384,
		  SPI_GROUP_ECP_384, { SPI_GROUP_NONE } },
};

/* ---- macOS and iOS with our profile ---------------------------------------------- */

static const struct ike_tr apple_esp[] = {
	TK(AES_GCM_16, 256), T(KE, ECP_384), T(SN, SEQ_32) };
static const struct ike_prop apple_esps[] = {
	{ .num = 1, .proto = IKE_PROTO_ESP, .spi = { esp_spi, 4 },
	  .n_tr = N_OF(apple_esp), .tr = apple_esp } };

static const struct device apple = {
	.ike = PROPS(win_ikes), .esp = PROPS(apple_esps),
	.group = IKE_KE_ECP_384,
	.init_ntf = { IKE_N_REDIRECT_SUPPORTED, IKE_N_NAT_DETECTION_SOURCE_IP,
		IKE_N_NAT_DETECTION_DESTINATION_IP,
		IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, END },
	.id_type = IKE_ID_RFC822_ADDR, .id = "hanako@sales.example.com",
	.has_idr = true, .has_ip6 = true,
	.ntf = { IKE_N_INITIAL_CONTACT, IKE_N_MOBIKE_SUPPORTED,
		IKE_N_ESP_TFC_PADDING_NOT_SUPPORTED,
		IKE_N_NON_FIRST_FRAGMENTS_ALSO, END },
	.cp = { IKE_CA_INTERNAL_IP4_ADDRESS, IKE_CA_INTERNAL_IP4_NETMASK,
		CA_DHCP, IKE_CA_INTERNAL_IP4_DNS, IKE_CA_INTERNAL_IP6_ADDRESS,
		CA_DHCP6, IKE_CA_INTERNAL_IP6_DNS,
		IKE_CA_INTERNAL_DNS_DOMAIN, END },
	.want = { SPI_CIPHER_AES_GCM_256, SPI_HASH_NONE, SPI_HASH_SHA384,
		  SPI_GROUP_ECP_384, { SPI_GROUP_NONE } },
};

/* ---- Android, built in ----------------------------------------------------------- */

static const struct ike_tr droid_cbc[] = {
	TK(AES_CTR, 256), TK(AES_CBC, 256), TK(AES_CTR, 128), TK(AES_CBC, 128),
	T(INTEG, HMAC_SHA2_512_256), T(INTEG, HMAC_SHA2_384_192),
	T(INTEG, HMAC_SHA2_256_128), T(KE, MODP_4096), T(KE, CURVE25519),
	T(KE, MODP_3072), T(KE, MODP_2048), T(PRF, HMAC_SHA2_512),
	T(PRF, HMAC_SHA2_384), T(PRF, HMAC_SHA2_256), T(PRF, HMAC_SHA1) };
static const struct ike_tr droid_aead[] = {
	TK(CHACHA20_POLY1305, 0), TK(AES_GCM_16, 256), TK(AES_GCM_12, 256),
	TK(AES_GCM_8, 256), TK(AES_GCM_16, 128), T(KE, MODP_4096),
	T(KE, CURVE25519), T(KE, MODP_3072), T(KE, MODP_2048),
	T(PRF, HMAC_SHA2_512), T(PRF, HMAC_SHA2_384), T(PRF, HMAC_SHA2_256),
	T(PRF, HMAC_SHA1) };
static const struct ike_prop droid_ikes[] = {
	P(1, IKE, { NULL }, droid_cbc), P(2, IKE, { NULL }, droid_aead) };
static const struct ike_tr droid_esp[] = {
	TK(CHACHA20_POLY1305, 0), TK(AES_GCM_16, 256), TK(AES_GCM_16, 128),
	T(SN, SEQ_32) };
static const struct ike_prop droid_esps[] = {
	{ .num = 1, .proto = IKE_PROTO_ESP, .spi = { esp_spi, 4 },
	  .n_tr = N_OF(droid_esp), .tr = droid_esp } };

static const struct device android = {
	.ike = PROPS(droid_ikes), .esp = PROPS(droid_esps),
	.group = IKE_KE_CURVE25519,
	.init_ntf = { IKE_N_NAT_DETECTION_SOURCE_IP,
		IKE_N_NAT_DETECTION_DESTINATION_IP,
		IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, END },
	.id_type = IKE_ID_RFC822_ADDR, .id = "hanako@sales.example.com",
	.has_idr = true, .has_ip6 = true,
	.ntf = { IKE_N_MOBIKE_SUPPORTED, END },
	.cp = { IKE_CA_INTERNAL_IP4_ADDRESS, IKE_CA_INTERNAL_IP6_ADDRESS,
		IKE_CA_INTERNAL_IP4_DNS, IKE_CA_INTERNAL_IP6_DNS, END },
	.want = { SPI_CIPHER_AES_GCM_256, SPI_HASH_NONE, SPI_HASH_SHA384,
		  SPI_GROUP_X25519, { SPI_GROUP_NONE } },
};

/* ---- the gateway ------------------------------------------------------------------ */

static struct {
	struct ike_ask ask;		/* the last; its views are gone, but */
	uint8_t id[64];
	size_t id_len;
	uint8_t eap[64];
	size_t eap_len;
	unsigned n_ask;
	struct ike_cfg_req req;
	unsigned n_lease, n_up, n_refused;
	struct vpn_child child;
} gw;

static int
gw_ask(void *ctx, const struct ike_ask *ask)
{
	(void)ctx;
	if (ask->type == IKE_ASK_CLOSE || ask->type == IKE_ASK_TOKEN)
		return 0;
	gw.ask = *ask;
	gw.n_ask++;
	gw.id_len = MIN(ask->id_peer.len, sizeof(gw.id));
	if (gw.id_len > 0)
		memcpy(gw.id, ask->id_peer.p, gw.id_len);
	gw.eap_len = MIN(ask->eap.len, sizeof(gw.eap));
	if (gw.eap_len > 0)
		memcpy(gw.eap, ask->eap.p, gw.eap_len);
	return 0;
}

static int
gw_lease(void *ctx, uint32_t link, const struct ike_cfg_req *req,
	 struct vpn_cfg *out, char *why)
{
	(void)ctx, (void)link, (void)why;
	gw.req = *req;
	gw.n_lease++;
	assert_int_equal(ip_net_parse("10.20.1.7/24", &out->ip4), 0);
	return 0;
}

static int
gw_child_up(void *ctx, uint32_t link, const struct vpn_child *c)
{
	(void)ctx, (void)link;
	gw.child = *c;
	gw.n_up++;
	return 0;
}

static int
gw_spi(void *ctx, uint32_t realm, uint32_t link, uint32_t like, uint32_t *spi)
{
	(void)ctx, (void)realm, (void)link, (void)like;
	*spi = 0x5000;
	return 0;
}

static void
gw_spi_free(void *ctx, uint32_t spi)
{
	(void)ctx, (void)spi;
}

static void
gw_child_end(void *ctx, uint32_t id)
{
	(void)ctx, (void)id;
}

static void
gw_child_down(void *ctx, uint32_t link, uint32_t id)
{
	(void)ctx, (void)link, (void)id;
}

static void
gw_child_path(void *ctx, uint32_t id, const struct vpn_path *path)
{
	(void)ctx, (void)id, (void)path;
}

static void
gw_traffic(void *ctx, uint32_t id, uint64_t *in_ms, uint64_t *out_ms)
{
	(void)ctx, (void)id;
	*in_ms = *out_ms = now;
}

static void
gw_keepalive(void *ctx, const struct net_ep *l, const struct net_ep *r)
{
	(void)ctx, (void)l, (void)r;
}

static void
gw_refused(void *ctx, const struct net_ep *remote, const char *id,
	   const char *why)
{
	(void)ctx, (void)remote, (void)id, (void)why;
	gw.n_refused++;
}

static void
begin(enum vpn_suite suite)
{
	struct ike_conf conf = { .port = 500, .natt_port = 4500,
		.cookie_threshold = 100, .max_halfopen = 100,
		.frag_bytes = 1280 };
	struct ike_ops ops = { .send = op_send, .local_addr = op_local,
		.ask = gw_ask, .job = op_job, .link_event = op_event,
		.lease = gw_lease, .child_up = gw_child_up, .spi_alloc = gw_spi,
		.spi_free = gw_spi_free, .child_retire = gw_child_end,
		.child_down = gw_child_down, .child_path = gw_child_path,
		.traffic = gw_traffic, .keepalive = gw_keepalive,
		.auth_refused = gw_refused };
	struct ike_peer_conf peer = { .id = "*", .name = "any",
		.is_pattern = true, .mode = VPN_MODE_IP,
		.encap = VPN_ENCAP_UDP };
	struct ike_realm_conf realm = { .n_peer = 1, .peer = &peer,
		.suite = suite, .has_pool = true, .is_mobike = true,
		.is_resume = true, .dpd_s = 30, .child_life_s = 3600,
		.ike_life_s = 36000, .n_ts_local = 1 };
	struct ip_net all;

	memset(&gw, 0, sizeof(gw));
	rng_det_init(&det, 7);
	rng_set_source(rng_det_source, &det);
	drop_reset();
	n_job = n_sent = 0;
	now = 1000000;
	assert_int_equal(ip_net_parse("0.0.0.0/0", &all), 0);
	realm.ts_local[0] = vpn_ts_from_net(&all);
	assert_int_equal(net_ep_parse("192.0.2.1:500", &here), 0);
	assert_int_equal(net_ep_parse("198.51.100.2:500", &there), 0);
	assert_int_equal(ike_new(&ike, &conf, &ops, now), 0);
	assert_int_equal(ike_realm_add(ike, &realm), 0);
}

/* What the secure process says to the question that waits. */
static void
answer(enum ike_ask_type want, struct ike_ans a)
{
	assert_int_equal(gw.ask.type, want);
	a.ticket = gw.ask.ticket;
	a.handle = gw.ask.handle;
	ike_answer(ike, &a, now);
	jobs();
}

/* ---- the device ------------------------------------------------------------------- */

static struct {
	const struct device *d;
	struct spi_dh_key *dh;
	uint8_t ni[32];
	uint64_t rspi;
	struct ike_keys keys;
	uint8_t text[2048];		/* the last protected answer, opened */
	size_t text_len;
	uint8_t first;			/* its first payload */
} me;

static void
say(const uint8_t *p, size_t n, bool natt)
{
	n_sent = 0;
	sent_len = 0;
	here.port = natt ? 4500 : 500;
	there.port = natt ? 61234 : 61111;	/* behind a NAT */
	ike_input(ike, &here, &there, natt, (struct view){ p, n }, now);
	jobs();
}

static void
add_ntf(struct ike_build *b, uint16_t type)
{
	static const uint8_t hash[20] = { 0xda };
	bool has_data = type == IKE_N_NAT_DETECTION_SOURCE_IP ||
	    type == IKE_N_NAT_DETECTION_DESTINATION_IP;

	ike_build_notify(b, IKE_PROTO_NONE, type, none, has_data ?
			 (struct view){ hash, sizeof(hash) } : none);
}

static void
add_vid(struct ike_build *b, const char *hex)
{
	unsigned byte;

	ike_build_begin(b, IKE_PL_V, false);
	for (; *hex != '\0'; hex += 2) {
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		wcur_u8(&b->w, (uint8_t)byte);
	}
	ike_build_end(b);
}

/* SA, KE, Nonce, notifies, vendor ids; public: the KE data. */
static size_t
init_of(uint8_t *buf, size_t cap, uint16_t group, struct view public)
{
	struct ike_hdr h = { .ispi = 0x1122334455667788, .xchg =
		IKE_XCHG_IKE_SA_INIT, .is_initiator = true, .major = 2 };
	struct ike_ke ke = { .group = group, .data = public };
	struct ike_build b;
	struct view out;

	ike_build_init(&b, buf, cap, &h);
	ike_build_begin(&b, IKE_PL_SA, false);
	enc_sa(&b.w, &me.d->ike);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_KE, false);
	enc_ke(&b.w, &ke);
	ike_build_end(&b);
	ike_build_begin(&b, IKE_PL_NONCE, false);
	enc_nonce(&b.w, (struct view){ me.ni, sizeof(me.ni) });
	ike_build_end(&b);
	for (unsigned i = 0; me.d->init_ntf[i] != END; i++)
		add_ntf(&b, me.d->init_ntf[i]);
	for (unsigned i = 0; i < N_OF(me.d->vid) && me.d->vid[i] != NULL; i++)
		add_vid(&b, me.d->vid[i]);
	assert_int_equal(ike_build_finish(&b, &out), 0);
	return out.len;
}

/* The body of a payload in a chain, or an empty view. */
static struct view
payload(const uint8_t *p, size_t len, uint8_t first, uint8_t want)
{
	while (first != 0 && len >= 4) {
		size_t n = be16_get(p + 2);

		assert_in_range(n, 4, len);
		if (first == want)
			return (struct view){ p + 4, n - 4 };
		first = p[0];
		p += n;
		len -= n;
	}
	return none;
}

static void
make_keys(void)
{
	struct view ke = payload(sent + 28, sent_len - 28, sent[16], IKE_PL_KE);
	struct view nr = payload(sent + 28, sent_len - 28, sent[16],
				 IKE_PL_NONCE);
	struct ike_keymat_in in = { .ni = { me.ni, sizeof(me.ni) }, .nr = nr,
		.ispi = 0x1122334455667788 };
	uint8_t secret[SPI_DH_SECRET_MAX];
	size_t n;

	assert_true(ke.len > 4 && nr.len >= 16);
	me.rspi = in.rspi = be64_get(sent + 8);
	assert_int_equal(spi_crypto()->dh_derive(me.dh, (struct view){
	    ke.p + 4, ke.len - 4 }, secret, &n), 0);
	in.dh = (struct view){ secret, n };
	assert_int_equal(ike_keymat_first(&me.d->want, &in, &me.keys), 0);
}

/* IKE_SA_INIT until there are keys. */
static void
connect_to(const struct device *d)
{
	uint8_t buf[2000];

	memset(&me, 0, sizeof(me));
	me.d = d;
	memset(me.ni, 0x4e, sizeof(me.ni));
	assert_int_equal(spi_crypto()->dh_new(d->want.group, &me.dh), 0);
	say(buf, init_of(buf, sizeof(buf), d->group,
			 spi_crypto()->dh_public(me.dh)), false);
	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[18], IKE_XCHG_IKE_SA_INIT);
	make_keys();
}

static struct ike_dir
dir(unsigned who)
{
	return (struct ike_dir){ .encr = me.d->want.encr,
		.integ = me.d->want.integ, .sk_e = me.keys.e[who],
		.sk_a = me.keys.a[who] };
}

/* Seal a chain as IKE_AUTH request and open the answer. */
static void
auth(uint32_t id, struct ike_build *b)
{
	struct ike_hdr h = { .ispi = 0x1122334455667788, .rspi = me.rspi,
		.next = IKE_PL_SK, .major = 2, .xchg = IKE_XCHG_IKE_AUTH,
		.is_initiator = true, .msgid = id };
	struct ike_dir out = dir(0);
	uint8_t buf[3000] = { 0 };
	struct ike_sealing s = { .msg = buf, .cap = sizeof(buf), .sk_at = 28,
		.iv_at = 32, .iv = id };
	struct view in;
	struct wcur w;
	size_t n;

	assert_int_equal(ike_build_finish(b, &in), 0);
	wcur_init(&w, buf, sizeof(buf));
	ike_hdr_encode(&w, &h);
	buf[28] = b->first;
	memcpy(buf + 32 + ike_protect_iv_len(&out), in.p, in.len);
	s.text_len = in.len;
	assert_int_equal(ike_protect_seal(&out, &s, &n), 0);
	say(buf, n, true);
}

static void
open_answer(void)
{
	struct ike_dir in = dir(1);
	struct view text;

	assert_int_equal(n_sent, 1);
	assert_int_equal(sent[16], IKE_PL_SK);
	me.first = sent[28];
	assert_int_equal(ike_protect_open(&in, sent, sent_len, 32, &text), 0);
	me.text_len = text.len;
	memcpy(me.text, text.p, text.len);
}

static struct view
got(uint8_t type)
{
	return payload(me.text, me.text_len, me.first, type);
}

static void
add_raw(struct ike_build *b, uint8_t type, const void *p, size_t n)
{
	ike_build_begin(b, type, false);
	wcur_bytes(&b->w, p, n);
	ike_build_end(b);
}

static void
add_id(struct ike_build *b, uint8_t pl, uint8_t type, const char *id)
{
	static const uint8_t ip[4] = { 10, 0, 0, 3 };

	ike_build_begin(b, pl, false);
	wcur_u8(&b->w, type);
	wcur_zero(&b->w, 3);
	wcur_bytes(&b->w, id != NULL ? (const void *)id : ip,
		   id != NULL ? strlen(id) : sizeof(ip));
	ike_build_end(b);
}

/* Everything, of each family. */
static void
add_ts(struct ike_build *b, uint8_t pl)
{
	ike_build_begin(b, pl, false);
	wcur_u8(&b->w, me.d->has_ip6 ? 2 : 1);
	wcur_zero(&b->w, 3);
	for (unsigned v6 = 0; v6 <= me.d->has_ip6; v6++) {
		size_t len = v6 ? 16 : 4;

		wcur_u8(&b->w, v6 ? 8 : 7);
		wcur_u8(&b->w, 0);
		wcur_u16(&b->w, (uint16_t)(8 + 2 * len));
		wcur_u16(&b->w, 0);
		wcur_u16(&b->w, UINT16_MAX);
		wcur_zero(&b->w, len);
		for (size_t i = 0; i < len; i++)
			wcur_u8(&b->w, 0xff);
	}
	ike_build_end(b);
}

static void
add_cp(struct ike_build *b)
{
	ike_build_begin(b, IKE_PL_CP, false);
	wcur_u8(&b->w, 1);			/* CFG_REQUEST */
	wcur_zero(&b->w, 3);
	for (unsigned i = 0; me.d->cp[i] != END; i++) {
		wcur_u16(&b->w, me.d->cp[i]);
		wcur_u16(&b->w, 0);
	}
	ike_build_end(b);
}

/* IDi, [CERTREQ], [IDr], N.., CP, SA, TSi, TSr: and no AUTH. */
static void
auth_first(const char *id)
{
	static const uint8_t ca[21] = { 4, 1 };	/* one authority nobody knows */
	uint8_t buf[2000];
	struct ike_build b;

	ike_build_init_inner(&b, buf, sizeof(buf));
	add_id(&b, IKE_PL_IDI, me.d->id_type, id);
	if (me.d->has_certreq)
		add_raw(&b, IKE_PL_CERTREQ, ca, sizeof(ca));
	for (unsigned i = 0; me.d->ntf[i] != END; i++)
		add_ntf(&b, me.d->ntf[i]);
	if (me.d->has_idr)
		add_id(&b, IKE_PL_IDR, IKE_ID_FQDN, "vpn.example.com");
	add_cp(&b);
	ike_build_begin(&b, IKE_PL_SA, false);
	enc_sa(&b.w, &me.d->esp);
	ike_build_end(&b);
	add_ts(&b, IKE_PL_TSI);
	add_ts(&b, IKE_PL_TSR);
	auth(1, &b);
}

static void
auth_one(uint32_t id, uint8_t pl, const void *p, size_t n)
{
	uint8_t buf[200];
	struct ike_build b;

	ike_build_init_inner(&b, buf, sizeof(buf));
	add_raw(&b, pl, p, n);
	auth(id, &b);
}

/* From the first request to the child SA. */
static void
log_in(void)
{
	static const uint8_t own[] = { 2, 0, 0, 0, 'v', 'p', 'n' };
	static const uint8_t ask_id[] = { 1, 9, 0, 5, 1 };
	static const uint8_t tell_id[] = { 2, 9, 0, 9, 1, 'h', 'a', 'n', 'a' };
	static const uint8_t success[] = { 3, 9, 0, 4 };
	static const uint8_t mac[52] = { IKE_AUTH_PSK };
	const struct view id_own = { own, sizeof(own) }, sig = { mac, 48 };

	auth_first(me.d->id);
	assert_true(gw.ask.by_eap);
	assert_int_equal(gw.id[0], me.d->id_type);
	if (me.d->id != NULL)
		assert_memory_equal(gw.id + 4, me.d->id, strlen(me.d->id));
	answer(IKE_ASK_VERIFY, (struct ike_ans){ .realm = UINT32_MAX,
	    .peer = UINT32_MAX, .id_text = "hanako" });
	answer(IKE_ASK_SIGN, (struct ike_ans){ .id_own = id_own, .method = 14,
	    .auth = sig });
	assert_int_equal(gw.eap_len, 0);
	answer(IKE_ASK_EAP, (struct ike_ans){ .eap_end = IKE_EAP_MORE,
	    .eap = { ask_id, sizeof(ask_id) } });
	open_answer();
	assert_int_equal(got(IKE_PL_EAP).len, sizeof(ask_id));
	assert_true(got(IKE_PL_IDR).len > 0 && got(IKE_PL_AUTH).len > 0);
	assert_int_equal(got(IKE_PL_SA).len + got(IKE_PL_CP).len, 0);

	auth_one(2, IKE_PL_EAP, tell_id, sizeof(tell_id));
	assert_int_equal(gw.eap_len, sizeof(tell_id));
	answer(IKE_ASK_EAP, (struct ike_ans){ .eap_end = IKE_EAP_OK,
	    .eap = { success, sizeof(success) } });
	open_answer();
	assert_int_equal(got(IKE_PL_EAP).len, sizeof(success));
	assert_int_equal(gw.n_lease + gw.n_up, 0);

	auth_one(3, IKE_PL_AUTH, mac, sizeof(mac));
	answer(IKE_ASK_EAP_VERIFY, (struct ike_ans){ .id_text = "hanako" });
	answer(IKE_ASK_EAP_SIGN, (struct ike_ans){ .auth = sig });
	open_answer();
}

static void
finish(void)
{
	spi_crypto()->dh_free(me.dh);
	stop();
}

/* ---- tests ------------------------------------------------------------------------- */

/* What each of them has to end with: an address, a child SA for it, nothing told. */
static void
gets_in(const struct device *d)
{
	begin(VPN_SUITE_2026);
	connect_to(d);
	log_in();
	assert_int_equal(gw.n_up, 1);
	assert_int_equal(gw.n_lease, 1);
	assert_true(gw.req.has_ip4 && gw.req.has_ip6);
	assert_int_equal(got(IKE_PL_CP).p[0], 2);	/* CFG_REPLY */
	assert_true(got(IKE_PL_AUTH).len > 0 && got(IKE_PL_SA).len > 0);
	/* its only selector is the address that it got */
	assert_memory_equal(got(IKE_PL_TSI).p + 12, "\012\024\001\007\012\024"
	    "\001\007", 8);
	assert_int_equal(gw.n_refused, 0);
	assert_int_equal(gw.child.esp_spi_out, be32_get(esp_spi));
	finish();
}

TEST(windows_11_with_our_script_logs_in)
{
	gets_in(&windows);
}

TEST(macos_and_ios_with_our_profile_log_in)
{
	gets_in(&apple);
}

TEST(android_logs_in_once_it_was_told_the_group)
{
	uint8_t buf[2000], modp[512];
	struct view data;

	/* it begins with MODP-4096 */
	begin(VPN_SUITE_2026);
	memset(&me, 0, sizeof(me));
	me.d = &android;
	memset(modp, 0x77, sizeof(modp));
	say(buf, init_of(buf, sizeof(buf), IKE_KE_MODP_4096,
			 (struct view){ modp, sizeof(modp) }), false);
	assert_int_equal(n_sent, 1);
	data = payload(sent + 28, sent_len - 28, sent[16], IKE_PL_N);
	assert_int_equal(be16_get(data.p + 2), IKE_N_INVALID_KE_PAYLOAD);
	assert_int_equal(be16_get(data.p + 4), IKE_KE_CURVE25519);
	stop();
	gets_in(&android);
}

/* The identity is the address that it happens to have: who it is says EAP. */
TEST(windows_names_nobody_in_ike)
{
	begin(VPN_SUITE_2026);
	connect_to(&windows);
	auth_first(NULL);
	assert_int_equal(gw.id_len, 8);
	assert_int_equal(gw.id[0], IKE_ID_IPV4_ADDR);
	assert_true(gw.ask.by_eap);
	finish();
}

/* A device does not begin anew as somebody else amid EAP; the secure process is
 * asked once. */
TEST(a_device_does_not_change_its_name_amid_eap)
{
	static const uint8_t own[] = { 2, 0, 0, 0, 'v', 'p', 'n' };
	static const uint8_t ask_id[] = { 1, 9, 0, 5, 1 };
	static const uint8_t mac[52] = { IKE_AUTH_PSK };
	uint8_t buf[2000];
	struct ike_build b;

	begin(VPN_SUITE_2026);
	connect_to(&apple);
	auth_first("hanako@sales.example.com");
	answer(IKE_ASK_VERIFY, (struct ike_ans){ .realm = UINT32_MAX,
	    .peer = UINT32_MAX });
	answer(IKE_ASK_SIGN, (struct ike_ans){ .id_own = { own, sizeof(own) },
	    .method = 14, .auth = { mac, 48 } });
	answer(IKE_ASK_EAP, (struct ike_ans){ .eap_end = IKE_EAP_MORE,
	    .eap = { ask_id, sizeof(ask_id) } });
	gw.n_ask = 0;
	ike_build_init_inner(&b, buf, sizeof(buf));
	add_id(&b, IKE_PL_IDI, IKE_ID_RFC822_ADDR, "ken@dev.example.com");
	ike_build_begin(&b, IKE_PL_SA, false);
	enc_sa(&b.w, &me.d->esp);
	ike_build_end(&b);
	add_ts(&b, IKE_PL_TSI);
	add_ts(&b, IKE_PL_TSR);
	auth(2, &b);
	assert_int_equal(gw.n_ask, 0);
	open_answer();
	assert_int_equal(be16_get(got(IKE_PL_N).p + 2), IKE_N_INVALID_SYNTAX);
	assert_int_equal(CONTAINER_OF(ike->sas.next, struct ike_sa,
	    node)->state, IKE_SA_CLOSED);
	finish();
}
