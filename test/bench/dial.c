/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/bench/dial.c - many initiators in one process, on an engine of their own.
 *
 *   dial GATEWAY N AT_ONCE psk KEY
 *   dial GATEWAY N AT_ONCE ecdsa|rsa CA.pem CA.key
 *   dial GATEWAY N AT_ONCE mschapv2 PASSWORD
 *
 * N peers p0.r0.bench, p1.r0.bench, ... (a thousand, then r1) connect to one
 * gateway, AT_ONCE of them at a time, each from a /24 of its own below
 * 10.128.0.0/9 (a responder counts what one source does) and with a child SA
 * between an address of 10.0.0.0/9 and 172.16.0.1.  The addresses outside have
 * to be local here.  What a peer says is real, certificates included, which are
 * made before the clock runs, with one key for all; that the gateway is who it
 * says is not checked, since the gateway is what is measured.
 *
 * With mschapv2 they are people, p0@r0.bench and so on, who log in by EAP and ask
 * for their address inside; the gateway has a certificate.
 *
 * Prints "ready", waits for a line on its standard input, connects, and prints
 * "N_UP SECONDS MEDIAN_US P99_US"; for people N_LEASES behind it, the number of
 * different addresses, and a sum over who has which.  Then it answers until its
 * input ends.
 */
#include <errno.h>
#include <netinet/in.h>
#define ERR_STATE ossl_err_state_type	/* the library has one, too */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/base.h"
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "ikev2/crypt/keymat.h"
#include "ikev2/ike.h"
#include "ikev2/wire/wire.h"
#include "spi/spi_crypto.h"
#include "test/bench/dial.h"

enum {
	N_MAX = 32768,
	QUEUE = 4096,
	CERT_MAX = 2048,
	EAP_MAX = 2048,
	GIVE_UP_MS = 60000,
	MARKER = 4,		/* non-ESP marker, RFC 3948 2.2 */
	RCVBUF = 8 << 20,
};

#define PER_REALM 1000		/* of the gateway */
#define ID	  "p%u.r%u.bench"
#define USER	  "p%u@r%u.bench"

struct answer {
	struct ike_ans ans;
	uint8_t id_own[IKE_ID_BODY_MAX], id_peer[IKE_ID_BODY_MAX];
	uint8_t auth[IKE_AUTH_DATA_MAX], cert[CERT_MAX], eap[EAP_MAX];
};

static struct {
	struct ike *ike;
	struct net_ep gateway;
	unsigned n, at_once;
	unsigned n_begun, n_up, n_src;
	uint64_t begun_ns[N_MAX + 1], took_ns[N_MAX];
	struct answer *ans[QUEUE];
	unsigned n_ans;
	struct ike_job *job[QUEUE];
	unsigned n_job;
	uint32_t last_spi;
	const char *psk;
	bool is_eap;
	EVP_PKEY *key;		/* of every peer; NULL with a PSK */
	bool is_rsa;
	uint8_t *cert[N_MAX];
	int cert_len[N_MAX];
	int fd[2];		/* port 500, port 4500 */
} d;

static void
die(const char *what)
{
	fprintf(stderr, "dial: %s\n", what);
	exit(1);
}

/* ---- certificates -------------------------------------------------------- */

static void
extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	if (e == NULL || X509_add_ext(x, e, -1) != 1)
		die("no extension");
	X509_EXTENSION_free(e);
}

static void
certify(unsigned i, X509 *ca, EVP_PKEY *ca_key)
{
	X509 *x = X509_new();
	char san[64];

	snprintf(san, sizeof(san), "DNS:" ID, i, i / PER_REALM);
	if (x == NULL || X509_set_version(x, X509_VERSION_3) != 1 ||
	    ASN1_INTEGER_set(X509_get_serialNumber(x), (long)i + 2) != 1 ||
	    X509_gmtime_adj(X509_getm_notBefore(x), -60) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(x), 86400) == NULL ||
	    X509_set_issuer_name(x, X509_get_subject_name(ca)) != 1 ||
	    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN",
		MBSTRING_ASC, (unsigned char *)san + 4, -1, -1, 0) != 1 ||
	    X509_set_pubkey(x, d.key) != 1)
		die("no certificate");
	extension(x, NID_basic_constraints, "critical,CA:FALSE");
	extension(x, NID_key_usage, "critical,digitalSignature");
	extension(x, NID_subject_alt_name, san);
	if (X509_sign(x, ca_key, EVP_sha256()) <= 0 ||
	    (d.cert_len[i] = i2d_X509(x, &d.cert[i])) <= 0 ||
	    d.cert_len[i] > CERT_MAX - 3)
		die("certificate not signed");
	X509_free(x);
}

static void
make_certs(const char *ca_path, const char *key_path)
{
	FILE *f = fopen(ca_path, "r"), *k = fopen(key_path, "r");
	EVP_PKEY *ca_key;
	X509 *ca;

	if (f == NULL || k == NULL ||
	    (ca = PEM_read_X509(f, NULL, NULL, NULL)) == NULL ||
	    (ca_key = PEM_read_PrivateKey(k, NULL, NULL, NULL)) == NULL)
		die("the authority cannot be read");
	fclose(f);
	fclose(k);
	d.key = d.is_rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	if (d.key == NULL)
		die("no key");
	for (unsigned i = 0; i < d.n; i++)
		certify(i, ca, ca_key);
	X509_free(ca);
	EVP_PKEY_free(ca_key);
}

/* ---- what a secure process answers --------------------------------------- */

static enum spi_hash
hash_of(enum ike_prf p)
{
	return p == IKE_PRF_SHA256 ? SPI_HASH_SHA256 :
	    p == IKE_PRF_SHA384 ? SPI_HASH_SHA384 : SPI_HASH_SHA512;
}

static struct view
id_body(uint8_t *out, const char *text)
{
	size_t n = strlen(text);

	memset(out, 0, 4);
	out[0] = strchr(text, '@') != NULL ? IKE_ID_RFC822_ADDR : IKE_ID_FQDN;
	memcpy(out + 4, text, n);
	return (struct view){ out, 4 + n };
}

/* RFC 7296 2.15: the octets are message, nonce, MACed identity. */
static void
sign_psk(struct view psk, const struct view *octets, enum spi_hash hash,
	 struct answer *a)
{
	struct view pad = { (const uint8_t *)"Key Pad for IKEv2", 17 };
	uint8_t key[SPI_HASH_MAX];
	size_t n = spi_hash_len(hash);

	if (spi_crypto()->hmac(hash, psk, &pad, 1, key) != 0 ||
	    spi_crypto()->hmac(hash, (struct view){ key, n }, octets, 4,
			       a->auth) != 0)
		die("no AUTH");
	a->ans.method = IKE_AUTH_PSK;
	a->ans.auth = (struct view){ a->auth, n };
}

/* RFC 7427 3: length and AlgorithmIdentifier, then the signature. */
static void
sign_key(const struct view *octets, struct answer *a)
{
	static const uint8_t ecdsa[] = { 12, 0x30, 10, 6, 8, 0x2a, 0x86, 0x48,
		0xce, 0x3d, 4, 3, 2 };
	static const uint8_t rsa[] = { 15, 0x30, 13, 6, 9, 0x2a, 0x86, 0x48,
		0x86, 0xf7, 0x0d, 1, 1, 11, 5, 0 };
	const uint8_t *alg = d.is_rsa ? rsa : ecdsa;
	size_t n_alg = alg[0] + 1u, n = sizeof(a->auth) - n_alg;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	memcpy(a->auth, alg, n_alg);
	if (ctx == NULL ||
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, d.key) != 1)
		die("no signature");
	for (unsigned i = 0; i < 4; i++)
		if (EVP_DigestSignUpdate(ctx, octets[i].p, octets[i].len) != 1)
			die("no signature");
	if (EVP_DigestSignFinal(ctx, a->auth + n_alg, &n) != 1)
		die("no signature");
	EVP_MD_CTX_free(ctx);
	a->ans.method = IKE_AUTH_DIGITAL_SIGNATURE;
	a->ans.auth = (struct view){ a->auth, n_alg + n };
}

static void
answer_sign(const struct ike_ask *ask, struct answer *a)
{
	enum spi_hash hash = hash_of(ask->prf);
	uint8_t mac[SPI_HASH_MAX];
	struct view octets[4];
	char id[32];

	snprintf(id, sizeof(id), d.is_eap ? USER : ID, ask->peer,
		 ask->peer / PER_REALM);
	a->ans.id_own = id_body(a->id_own, id);
	a->ans.id_peer = id_body(a->id_peer, "gw.bench");
	if (d.is_eap && ask->type == IKE_ASK_SIGN) {
		if (dial_eap_begin(ask->peer, id) != 0)
			die("no conversation");
		return;			/* method 0: EAP follows */
	}
	if (spi_crypto()->hmac(hash, ask->sk_p, &a->ans.id_own, 1, mac) != 0)
		die("no MACed identity");
	octets[0] = ask->init_msg;
	octets[1] = ask->nonce;
	octets[2] = (struct view){ mac, spi_hash_len(hash) };
	octets[3] = ask->int_auth;
	if (d.key == NULL) {
		sign_psk(d.is_eap ? dial_eap_key(ask->peer) : (struct view){
			 (const uint8_t *)d.psk, strlen(d.psk) }, octets, hash,
			 a);
		return;
	}
	sign_key(octets, a);
	be16_put(a->cert, (uint16_t)(d.cert_len[ask->peer] + 1));
	a->cert[2] = IKE_CERT_X509_SIGNATURE;
	memcpy(a->cert + 3, d.cert[ask->peer], (size_t)d.cert_len[ask->peer]);
	a->ans.cert = (struct view){ a->cert,
				     (size_t)d.cert_len[ask->peer] + 3 };
}

/* A message of the gateway's EAP. */
static void
answer_eap(const struct ike_ask *ask, struct answer *a)
{
	struct wcur w;

	wcur_init(&w, a->eap, sizeof(a->eap));
	a->ans.eap_end = dial_eap_talk(ask->peer, ask->eap, &w);
	if (a->ans.eap_end == IKE_EAP_NO)
		str_copy(a->ans.why, sizeof(a->ans.why), "EAP failed");
	else
		a->ans.eap = wcur_done(&w);
}

static int
op_ask(void *ctx, const struct ike_ask *ask)
{
	struct answer *a;

	(void)ctx;
	if (ask->type == IKE_ASK_CLOSE)
		return 0;
	if (ask->type != IKE_ASK_SIGN && ask->type != IKE_ASK_VERIFY &&
	    (!d.is_eap || (ask->type != IKE_ASK_EAP &&
	     ask->type != IKE_ASK_EAP_SIGN && ask->type != IKE_ASK_EAP_VERIFY)))
		return ERR_CLOSED;
	if (d.n_ans == QUEUE || (a = calloc(1, sizeof(*a))) == NULL)
		return ERR_AGAIN;
	a->ans.ticket = ask->ticket;
	a->ans.handle = ask->handle;
	a->ans.peer = ask->peer;
	if (ask->type == IKE_ASK_SIGN || ask->type == IKE_ASK_EAP_SIGN)
		answer_sign(ask, a);
	else if (ask->type == IKE_ASK_EAP)
		answer_eap(ask, a);
	else
		str_copy(a->ans.id_text, sizeof(a->ans.id_text), "gw.bench");
	d.ans[d.n_ans++] = a;
	return 0;
}

/* ---- the network --------------------------------------------------------- */

static void
op_send(void *ctx, const struct net_ep *local, const struct net_ep *remote,
	bool natt, struct view data)
{
	static uint8_t marker[MARKER];
	struct iovec iov[2] = { { marker, sizeof(marker) },
		{ (void *)(uintptr_t)data.p, data.len } };
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(remote->port) };
	struct in_pktinfo pi = { 0 };
	union {
		char buf[CMSG_SPACE(sizeof(pi))];
		struct cmsghdr align;
	} u = { 0 };
	struct msghdr m = { .msg_name = &to, .msg_namelen = sizeof(to),
		.msg_iov = natt ? iov : iov + 1, .msg_iovlen = natt ? 2 : 1,
		.msg_control = u.buf, .msg_controllen = sizeof(u.buf) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	(void)ctx;
	memcpy(&to.sin_addr, remote->ip.b, 4);
	memcpy(&pi.ipi_spec_dst, local->ip.b, 4);
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(pi));
	memcpy(CMSG_DATA(c), &pi, sizeof(pi));
	if (sendmsg(d.fd[natt], &m, 0) < 0 && errno != ENOBUFS)
		perror("dial: sendmsg");
}

static void
take(bool natt)
{
	uint8_t buf[4096];
	struct iovec iov = { buf, sizeof(buf) };
	struct sockaddr_in from;
	union {
		char buf[256];
		struct cmsghdr align;
	} u;

	for (unsigned i = 0; i < 64; i++) {
		struct msghdr m = { .msg_name = &from,
			.msg_namelen = sizeof(from), .msg_iov = &iov,
			.msg_iovlen = 1, .msg_control = u.buf,
			.msg_controllen = sizeof(u.buf) };
		struct net_ep local = { .port = natt ? 4500 : 500 }, remote;
		ssize_t n = recvmsg(d.fd[natt], &m, MSG_DONTWAIT);
		size_t skip = natt ? MARKER : 0;
		struct in_pktinfo pi;

		if (n < 0)
			return;
		if ((size_t)n <= skip || (natt && be32_get(buf) != 0) ||
		    CMSG_FIRSTHDR(&m) == NULL)
			continue;
		memcpy(&pi, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(pi));
		local.ip = ip_from((uint8_t *)&pi.ipi_addr, 4);
		remote = (struct net_ep){ ip_from((uint8_t *)&from.sin_addr, 4),
					  ntohs(from.sin_port) };
		ike_input(d.ike, &local, &remote, natt, (struct view){
		    buf + skip, (size_t)n - skip }, clk_ms());
	}
}

static void
op_keepalive(void *ctx, const struct net_ep *local, const struct net_ep *remote)
{
	(void)ctx;
	(void)local;
	(void)remote;
}

/* Outside; inside without the 128. */
static struct ip_addr
source(unsigned i, unsigned high)
{
	uint8_t b[4] = { 10, (uint8_t)(high + (i >> 8) % 128), (uint8_t)i, 1 };

	return ip_from(b, sizeof(b));
}

/* Asked for once a dial, in the order of the dials. */
static struct ip_addr
op_local(void *ctx, const struct ip_addr *remote)
{
	(void)ctx;
	(void)remote;
	return source(d.n_src++ % d.n, 128);
}

/* ---- the other ops ------------------------------------------------------- */

static void
op_job(void *ctx, struct ike_job *job)
{
	(void)ctx;
	if (d.n_job == QUEUE)
		die("too many jobs");
	d.job[d.n_job++] = job;
}

static int
op_spi_alloc(void *ctx, uint32_t realm, uint32_t link, uint32_t like,
	     uint32_t *spi)
{
	(void)ctx;
	(void)realm;
	(void)link;
	(void)like;
	*spi = 0x1000 + ++d.last_spi;
	return 0;
}

static void
op_spi_free(void *ctx, uint32_t spi)
{
	(void)ctx;
	(void)spi;
}

static int
op_child_up(void *ctx, uint32_t link, const struct vpn_child *v)
{
	(void)ctx;
	(void)link;
	(void)v;
	return 0;
}

static void
op_child_retire(void *ctx, uint32_t id)
{
	(void)ctx;
	(void)id;
}

static void
op_child_down(void *ctx, uint32_t link, uint32_t id)
{
	(void)ctx;
	(void)link;
	(void)id;
}

static void
op_child_path(void *ctx, uint32_t id, const struct vpn_path *path)
{
	(void)ctx;
	(void)id;
	(void)path;
}

static void
op_traffic(void *ctx, uint32_t id, uint64_t *in_ms, uint64_t *out_ms)
{
	(void)ctx;
	(void)id;
	*in_ms = *out_ms = 0;
}

static void
op_resolve(void *ctx, uint32_t realm, uint32_t peer)
{
	(void)ctx;
	(void)realm;
	(void)peer;
}

static void
op_refused(void *ctx, const struct net_ep *remote, const char *id,
	   const char *why)
{
	(void)ctx;
	(void)remote;
	(void)id;
	(void)why;
}

static void
op_configured(void *ctx, uint32_t link, const struct vpn_cfg *cfg)
{
	(void)ctx;
	if (link > 0)
		dial_lease(link - 1, cfg);	/* links are counted from 1 */
}

static void
op_event(void *ctx, uint32_t link, int what, const char *why)
{
	(void)ctx;
	if (what == IKE_LINK_UP && link <= d.n && d.begun_ns[link] != 0) {
		d.took_ns[d.n_up++] = clk_ns() - d.begun_ns[link];
		d.begun_ns[link] = 0;
	} else if (what == IKE_LINK_DOWN || what == IKE_LINK_AUTH_FAILED) {
		fprintf(stderr, "dial: link %u: %s\n", link, why);
	}
}

/* ---- running ------------------------------------------------------------- */

static void
begin_more(void)
{
	while (d.n_begun < d.n && d.n_begun - d.n_up < d.at_once) {
		uint32_t link = ++d.n_begun;

		d.begun_ns[link] = clk_ns();
		if (ike_up(d.ike, 0, link, clk_ms()) != 0)
			die("no such link");
		ike_tick(d.ike, clk_ms());
	}
}

/* Jobs and answers make others. */
static void
work(void)
{
	while (d.n_job > 0 || d.n_ans > 0) {
		if (d.n_job > 0) {
			struct ike_job *j = d.job[--d.n_job];

			j->run(j);
			ike_job_done(d.ike, j, clk_ms());
		}
		if (d.n_ans > 0) {
			struct answer *a = d.ans[--d.n_ans];

			ike_answer(d.ike, &a->ans, clk_ms());
			free(a);
		}
	}
}

/* One turn; false once standard input has ended. */
static bool
turn(bool has_input)
{
	struct pollfd p[3] = { { d.fd[0], POLLIN, 0 }, { d.fd[1], POLLIN, 0 },
		{ has_input ? STDIN_FILENO : -1, POLLIN, 0 } };
	uint64_t now = clk_ms(), next = ike_next(d.ike);
	char c;

	if (poll(p, 3, next <= now ? 0 : (int)MIN(next - now, 100u)) < 0)
		die("poll");
	take(false);
	take(true);
	ike_tick(d.ike, clk_ms());
	work();
	return (p[2].revents & (POLLIN | POLLHUP)) == 0 ||
	    read(STDIN_FILENO, &c, 1) > 0;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
open_port(unsigned i, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port) };
	int one = 1, buf = RCVBUF;

	if ((d.fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0 ||
	    setsockopt(d.fd[i], IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) != 0 ||
	    setsockopt(d.fd[i], SOL_SOCKET, SO_RCVBUFFORCE, &buf,
		       sizeof(buf)) != 0 ||
	    bind(d.fd[i], (struct sockaddr *)&a, sizeof(a)) != 0)
		die("no socket");
}

static void
make_engine(const char *inside)
{
	static const struct ike_ops ops = {
		.send = op_send, .keepalive = op_keepalive,
		.local_addr = op_local, .ask = op_ask, .job = op_job,
		.spi_alloc = op_spi_alloc, .spi_free = op_spi_free,
		.child_up = op_child_up, .child_retire = op_child_retire,
		.child_down = op_child_down, .child_path = op_child_path,
		.traffic = op_traffic, .resolve = op_resolve,
		.configured = op_configured,
		.link_event = op_event, .auth_refused = op_refused
	};
	struct ike_conf conf = { .port = 500, .natt_port = 4500,
		.cookie_threshold = 100, .max_halfopen = 1000,
		.frag_bytes = 1280 };
	struct ike_peer_conf *peer = calloc(d.n, sizeof(*peer));
	struct ike_realm_conf realm = { .dpd_s = 3600, .child_life_s = 36000,
		.ike_life_s = 36000, .n_peer = d.n, .peer = peer };
	struct ip_net net;

	if (peer == NULL || ip_net_parse(inside, &net) != 0)
		die("out of memory");
	for (unsigned g = 0; g < SPI_GROUP_END; g++)
		if (spi_group_is_kem(g) && spi_crypto()->group_usable(g))
			conf.kems |= 1u << g;
	str_copy(realm.name, sizeof(realm.name), "bench");
	for (unsigned i = 0; i < d.n; i++) {
		struct ip_addr own = source(i, 0);

		peer[i] = (struct ike_peer_conf){ .index = i, .has_at = true,
			.mode = VPN_MODE_IP, .encap = VPN_ENCAP_UDP,
			.is_client = d.is_eap,
			.n_ts_local = 1, .n_ts_remote = 1 };
		snprintf(peer[i].name, sizeof(peer[i].name), "p%u", i);
		str_copy(peer[i].id, sizeof(peer[i].id), "gw.bench");
		peer[i].ts_local[0] = (struct vpn_ts){ .lo = own, .hi = own,
			.port_hi = UINT16_MAX };
		peer[i].ts_remote[0] = vpn_ts_from_net(&net);
	}
	if (ike_new(&d.ike, &conf, &ops, clk_ms()) != 0 ||
	    ike_realm_add(d.ike, &realm) != 0)
		die("no engine");
	for (unsigned i = 0; i < d.n; i++)
		ike_peer_at(d.ike, 0, i, &d.gateway, 1);
	free(peer);
}

int
main(int argc, char **argv)
{
	uint64_t begin, end_ms;
	char line[8];

	if (argc < 6 || net_ep_parse(argv[1], &d.gateway) != 0)
		die("usage: dial GATEWAY N AT_ONCE psk KEY | ecdsa CA CA.key | "
		    "rsa CA CA.key | mschapv2 PASSWORD");
	d.gateway.port = 500;
	d.n = MIN((unsigned)atoi(argv[2]), (unsigned)N_MAX);
	d.at_once = (unsigned)atoi(argv[3]);
	log_set_level(LOG_WARN);
	if (strcmp(argv[4], "psk") == 0) {
		d.psk = argv[5];
	} else if (strcmp(argv[4], "mschapv2") == 0) {
		d.is_eap = true;
		if (dial_eap_init(d.n, argv[5]) != 0)
			die("no EAP");
	} else {
		d.is_rsa = strcmp(argv[4], "rsa") == 0;
		make_certs(argv[5], argc > 6 ? argv[6] : "");
	}
	open_port(0, 500);
	open_port(1, 4500);
	make_engine("172.16.0.1/32");
	printf("ready\n");
	fflush(stdout);
	if (fgets(line, sizeof(line), stdin) == NULL)
		return 1;
	begin = clk_ns();
	end_ms = clk_ms() + GIVE_UP_MS;
	while (d.n_up < d.n && clk_ms() < end_ms) {
		begin_more();
		work();
		(void)turn(false);
	}
	begin = clk_ns() - begin;
	qsort(d.took_ns, d.n_up, sizeof(d.took_ns[0]), by_value);
	printf("%u %.3f %.1f %.1f", d.n_up, (double)begin / 1e9,
	       d.n_up > 0 ? (double)d.took_ns[d.n_up / 2] / 1e3 : 0,
	       d.n_up > 0 ? (double)d.took_ns[d.n_up * 99 / 100] / 1e3 : 0);
	if (d.is_eap)
		printf(" %u %08x", dial_n_lease(), dial_lease_sum());
	printf("\n");
	fflush(stdout);
	while (turn(true))
		;
	ike_free(d.ike);
	return 0;
}
