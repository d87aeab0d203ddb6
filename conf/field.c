/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/field.c - one attribute -> one field, as its row in conf.def says.
 *
 * A value that does not fit adds an error that names what is allowed and
 * leaves the field alone.
 *
 * Thread: the caller's; file access only through conf_keyfile_look().
 */
#include "conf/field.h"
#include "conf/pool.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

#define HOST_MAX  253 /* RFC 1035 2.3.4, without the final dot */
#define LABEL_MAX 63
#define IFACE_MAX 15 /* IFNAMSIZ without the NUL */
#define WORDS_MAX 16 /* words of one option */
#define WORD_MAX  24

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

static void
put_u32(void *at, uint32_t v)
{
	memcpy(at, &v, sizeof(v));
}

/* ---- numbers and words ------------------------------------------------------- */

static void
set_uint(struct conf_field *f)
{
	const struct conf_opt *o = &f->row->opt;
	bool is_zero_ok = f->row->kind == K_UINT0;
	uint64_t v;

	if (str_u64(f->a->value, UINT32_MAX, &v) != 0 || v > o->hi ||
	    (v < o->lo && !(is_zero_ok && v == 0))) {
		CONF_WRONG(f, NUMBER, "allowed is %sa number from %llu to %llu%s%s",
		      is_zero_ok ? "0 or " : "", (unsigned long long)o->lo,
		      (unsigned long long)o->hi, *o->unit ? " " : "", o->unit);
		return;
	}
	put_u32(f->at, (uint32_t)v);
}

static void
set_version(struct conf_field *f)
{
	uint64_t v;

	if (str_u64(f->a->value, UINT32_MAX, &v) != 0 || v == 0)
		CONF_WRONG(f, NUMBER, "allowed is a version number; this program "
		      "knows %u", CONF_VERSION);
	else if (v > CONF_VERSION)
		CONF_WRONG(f, VERSION, "the file is written for a newer tapir; this "
		      "one knows versions up to %u: upgrade tapir, or write "
		      "the file for this one (doc/upgrade.md)", CONF_VERSION);
	else
		put_u32(f->at, (uint32_t)v);
}

static unsigned
words_of(const char *words, char store[][WORD_MAX], const char **out)
{
	unsigned n = 0;

	while (n < WORDS_MAX && conf_word_at(words, n, store[n], WORD_MAX)) {
		out[n] = store[n];
		n++;
	}
	return n;
}

/* Place of a value among the row's words, or -1 and an error. */
static int
find_word(struct conf_field *f)
{
	char store[WORDS_MAX][WORD_MAX];
	const char *word[WORDS_MAX], *close, *needs;
	unsigned n = words_of(f->row->opt.words, store, word);

	for (unsigned i = 0; i < n; i++)
		if (strcmp(word[i], f->a->value) == 0)
			return (int)i;
	needs = conf_word_needs(f->row, f->a->value);
	if (needs != NULL) {
		CONF_WRONG(f, LATER, "not available in this version (needs %s); allowed: %s",
		      needs, f->row->opt.words);
		return -1;
	}
	close = str_closest(f->a->value, word, n);
	if (close != NULL)
		CONF_WRONG(f, WORD, "did you mean \"%s\"?  Allowed: %s", close,
		      f->row->opt.words);
	else
		CONF_WRONG(f, WORD, "allowed: %s", f->row->opt.words);
	return -1;
}

static void
set_enum(struct conf_field *f)
{
	int i = find_word(f);

	/* every enum of the structs is as wide as an unsigned int */
	_Static_assert(sizeof(enum vpn_mode) == sizeof(uint32_t), "enum");
	if (i >= 0)
		put_u32(f->at, (uint32_t)i);
}

/* "auto", "off" or a number. */
static void
set_count(struct conf_field *f)
{
	const struct conf_opt *o = &f->row->opt;
	char word[WORD_MAX];
	uint64_t v;

	for (unsigned i = 0; conf_word_at(o->words, i, word, WORD_MAX); i++)
		if (strcmp(word, f->a->value) == 0) {
			put_u32(f->at, i);
			return;
		}
	if (str_u64(f->a->value, UINT32_MAX, &v) != 0 || v < o->lo ||
	    v > o->hi) {
		CONF_WRONG(f, NUMBER, "allowed: %s, or a number from %llu to %llu", o->words,
		      (unsigned long long)o->lo, (unsigned long long)o->hi);
		return;
	}
	put_u32(f->at, (uint32_t)v);
}

static void
set_bool(struct conf_field *f)
{
	int i = find_word(f);

	if (i >= 0)
		*(bool *)f->at = i == 0;	/* "yes no" */
}

/* ---- names ------------------------------------------------------------------- */

/* But for a peer's, a name makes interface or file names: few characters. */
static void
set_name(struct conf_field *f)
{
	const char *v = f->a->value;
	bool is_strict = f->row->scope != CONF_IN_PEER &&
			 f->row->scope != CONF_IN_STATIC;
	size_t n = strlen(v);
	bool is_ok = n > 0 && n <= CONF_NAME_MAX;

	if (is_strict && n > 0)
		is_ok &= is_alnum(v[0]);
	for (; *v != '\0'; v++)
		is_ok &= is_strict ? is_alnum(*v) || strchr("._-", *v) != NULL
				  : conf_is_graph(*v) && *v != '/';
	if (!is_ok) {
		CONF_WRONG(f, NAME, "a name has 1 to %u characters of: %s", CONF_NAME_MAX,
		      is_strict ? "letters, digits, . _ - (first a letter or "
				 "digit)"
			       : "printable ASCII without space and /");
		return;
	}
	conf_field_put(f);
}

static void
set_ifname(struct conf_field *f)
{
	const char *v = f->a->value;
	size_t n = strlen(v);
	bool is_ok = n > 0 && n <= IFACE_MAX && strcmp(v, ".") != 0 &&
		     strcmp(v, "..") != 0;

	for (; *v != '\0'; v++)
		is_ok &= conf_is_graph(*v) && strchr("/:%\"\\", *v) == NULL;
	if (!is_ok) {
		CONF_WRONG(f, INTERFACE, "an interface name has 1 to %u printable characters "
		      "without space / : %%", IFACE_MAX);
		return;
	}
	conf_field_put(f);
}

/* A distinguished name is exact, and all of its attributes are known words. */
static bool
dn_ok(const char *v)
{
	char key[CONF_DN_KEY_MAX], value[CONF_ID_MAX + 1];
	int n;

	if (strlen(v) > CONF_ID_MAX || strpbrk(v, "*?") != NULL)
		return false;
	while ((n = conf_dn_next(&v, key, value)) > 0)
		;
	return n == 0;
}

static void
set_dn(struct conf_field *f)
{
	if (*f->a->value != '\0' && dn_ok(f->a->value))
		conf_field_put(f);
	else
		CONF_WRONG(f, IDENTITY, "parts of a distinguished name are written like "
		      "O=Example, OU=Dev");
}

/* RFC 7296 3.5: host names are ASCII; e-mail addresses and key ids may be
 * UTF-8. */
static void
set_id(struct conf_field *f)
{
	const char *v = f->a->value;
	enum conf_id_kind kind = conf_id_type(v);
	size_t n = strlen(v);
	bool is_ok = n > 0 && n <= CONF_ID_MAX && strcmp(v, "keyid:") != 0;

	if (kind == CONF_ID_DN || (kind == CONF_ID_FQDN &&
				   strchr(v, '=') != NULL)) {
		if (dn_ok(v))
			conf_field_put(f);
		else
			CONF_WRONG(f, IDENTITY, "a distinguished name is written like C=JP, "
			      "O=Example, CN=vpn, exactly, in the order of the "
			      "certificate");
		return;
	}
	for (; *v != '\0'; v++)
		is_ok &= kind == CONF_ID_KEYID || kind == CONF_ID_EMAIL
			     ? *v == ' ' ? kind == CONF_ID_KEYID
					 : (unsigned char)*v > ' ' && *v != 0x7f
			     : conf_is_graph(*v);
	if (!is_ok) {
		CONF_WRONG(f, IDENTITY, "an identity is a host name, user@host, an IP address, "
		      "keyid:... or a distinguished name, at most %u bytes, "
		      "without spaces", CONF_ID_MAX);
		return;
	}
	conf_field_put(f);
}

/* ---- hosts and addresses ----------------------------------------------------- */

static bool
host_name_ok(const char *h, size_t n)
{
	size_t label = 0;
	bool is_name = false;	/* digits and dots alone are a bad address */

	if (n == 0 || n > HOST_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (h[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (!(is_alnum(h[i]) || h[i] == '-' || h[i] == '_') ||
		    ++label > LABEL_MAX)
			return false;
		is_name |= h[i] < '0' || h[i] > '9';
	}
	return is_name && h[0] != '-';
}

static bool
at_is_address(struct conf_peer *p, const char *v, char *host)
{
	if (net_ep_parse(v, &p->at_ep) != 0)
		return false;
	ip_text(&p->at_ep.ip, host);
	p->at_port = p->at_ep.port;
	p->at_is_ip = true;
	return true;
}

static bool
at_is_name(struct conf_peer *p, const char *v, char *host)
{
	const char *colon = strchr(v, ':');
	size_t n = colon != NULL ? (size_t)(colon - v) : strlen(v);
	uint64_t port = 0;

	if (!host_name_ok(v, n) ||
	    (colon != NULL && (str_u64(colon + 1, 65535, &port) != 0 ||
			       port == 0)))
		return false;
	memcpy(host, v, n);
	host[n] = '\0';
	p->at_port = (uint16_t)port;
	return true;
}

static void
set_host(struct conf_field *f)
{
	struct conf_peer *p = CONTAINER_OF(f->at, struct conf_peer, at);
	char host[HOST_MAX + 1 > IP_TEXT_MAX ? HOST_MAX + 1 : IP_TEXT_MAX];

	if (!at_is_address(p, f->a->value, host) &&
	    !at_is_name(p, f->a->value, host)) {
		CONF_WRONG(f, HOST, "neither a host name nor an IP address; allowed: NAME, "
		      "NAME:PORT, 192.0.2.1, 192.0.2.1:500, 2001:db8::1, "
		      "[2001:db8::1]:500");
		return;
	}
	if (p->at_is_ip && !ip_is_unicast(&p->at_ep.ip)) {
		CONF_WRONG(f, HOST, "no peer can have this address; a unicast address is "
		      "wanted");
		return;
	}
	p->at_host = conf_keep(f->k, host);
	conf_field_put(f);
}

static void
set_addrs(struct conf_field *f)
{
	struct conf_realm *r = CONTAINER_OF(f->at, struct conf_realm, address);
	char word[IP_TEXT_MAX], q[QUOTE_MAX], text[CONF_ADDR_MAX * IP_TEXT_MAX];
	const char *p = f->a->value;
	struct ip_net net;
	unsigned n = 0;

	text[0] = '\0';
	while (conf_list_next(&p, word, sizeof(word))) {
		if (ip_net_parse(word, &net) != 0 ||
		    strchr(word, '/') == NULL || !ip_is_unicast(&net.addr)) {
			CONF_WRONG(f, ADDRESS, "\"%s\" is not an address with its prefix "
			      "length, like 10.0.0.1/24 or fd00::1/64",
			      conf_quote(word, q));
			return;
		}
		if (n == CONF_ADDR_MAX) {
			CONF_WRONG(f, MANY, "more than %u addresses", CONF_ADDR_MAX);
			return;
		}
		r->addr[n++] = net;
		str_add(text, sizeof(text), "%s%s", n > 1 ? " " : "",
			ip_net_text(&net, word));
	}
	if (n == 0) {
		CONF_WRONG(f, ADDRESS, "empty; an address is like 10.0.0.1/24 or fd00::1/64");
		return;
	}
	r->n_addr = n;
	r->address = conf_keep(f->k, text);
}

static bool
is_dynamic(const struct conf_field *f, const char *word)
{
	return strcmp(f->row->opt.name, "local") == 0 &&
	    strcmp(word, "dynamic") == 0;
}

static void
set_tss(struct conf_field *f)
{
	char word[CONF_TS_TEXT], q[QUOTE_MAX];
	const char *p = f->a->value, *needs;
	struct vpn_ts ts;
	unsigned n = 0;

	for (; conf_list_next(&p, word, sizeof(word)); n++) {
		needs = conf_word_needs(f->row, word);
		if (needs != NULL) {
			CONF_WRONG(f, LATER, "\"%s\" is not available in this version "
			      "(needs %s); write the networks", word, needs);
			return;
		}
		if (is_dynamic(f, word)) {
			if (n > 0 || conf_list_next(&p, word, sizeof(word))) {
				CONF_WRONG(f, NETWORK, "dynamic stands alone: the "
				      "peer says which address");
				return;
			}
			continue;
		}
		if (conf_ts_parse(word, &ts) != 0) {
			CONF_WRONG(f, NETWORK, "\"%s\" is not a network; allowed: "
			      "10.1.0.0/16, fd00:1::/48, 10.1.0.1-10.1.0.9, "
			      "10.1.0.1/32[udp/53]", conf_quote(word, q));
			return;
		}
	}
	if (n == 0) {
		CONF_WRONG(f, NETWORK, "empty; a network is like 10.1.0.0/16 or fd00:1::/48");
		return;
	}
	conf_field_put(f);
}

/* Of <pool>; conf_pool_lists() takes the words apart. */
static void
set_list(struct conf_field *f)
{
	char word[512], q[QUOTE_MAX];
	const char *p = f->a->value, *allowed;
	unsigned n = 0;

	for (; conf_list_next(&p, word, sizeof(word)); n++) {
		if ((allowed = conf_pool_word(f->row, word)) == NULL)
			continue;
		CONF_WRONG(f, LIST, "\"%s\" is wrong; %s", conf_quote(word, q),
		      allowed);
		return;
	}
	if (n == 0)
		CONF_WRONG(f, LIST, "empty; allowed are %s", f->row->opt.words);
	else
		conf_field_put(f);
}

static void
set_cpus(struct conf_field *f)
{
	struct conf *c = CONTAINER_OF(f->at, struct conf, cpus);
	int n = conf_cpus_parse(f->a->value, c->cpu, CONF_CPU_MAX);

	if (n < 0) {
		CONF_WRONG(f, LIST, "allowed is a list of at most %u CPU numbers like "
		      "0-3,6", CONF_CPU_MAX);
		return;
	}
	c->n_cpu = (unsigned)n;
	conf_field_put(f);
}

static void
set_vlans(struct conf_field *f)
{
	uint64_t set[CONF_VLANS / 64];

	if (conf_vlans(f->a->value, set) == 0)
		conf_field_put(f);
	else
		CONF_WRONG(f, LIST, "allowed is a list of VLAN numbers from 1 to 4094 "
		      "like 1-10,20");
}

static void
set_mac(struct conf_field *f)
{
	struct conf_static *s = CONTAINER_OF(f->at, struct conf_static, text);

	if (mac_parse(f->a->value, &s->mac) != 0)
		CONF_WRONG(f, MAC, "an Ethernet address is like 02:00:00:00:00:01");
	else if (mac_is_group(&s->mac) || mac_is_null(&s->mac))
		CONF_WRONG(f, MAC, "no host can have this address");
	else
		conf_field_put(f);
}

/* Printable, from the root, without a way back up. */
static void
set_path(struct conf_field *f)
{
	const char *v = f->a->value;
	bool is_ok = v[0] == '/' && strlen(v) <= CONF_PATH_MAX &&
	    v[strlen(v) - 1] != '/' && strstr(v, "/../") == NULL;

	for (; *v != '\0'; v++)
		is_ok &= conf_is_graph(*v);
	if (is_ok)
		conf_field_put(f);
	else
		CONF_WRONG(f, FILENAME, "a path begins with /, is printable ASCII without space "
		      "and has at most %u characters", CONF_PATH_MAX);
}

static void
set_words(struct conf_field *f)
{
	const char *p = f->a->value;
	char word[WORD_MAX], one[WORD_MAX];
	const char *needs;
	unsigned n = 0, i;

	for (; conf_list_next(&p, word, sizeof(word)); n++) {
		if ((needs = conf_word_needs(f->row, word)) != NULL) {
			CONF_WRONG(f, LATER, "not available in this version (needs "
			      "%s); allowed: %s", needs, f->row->opt.words);
			return;
		}
		for (i = 0; conf_word_at(f->row->opt.words, i, one, WORD_MAX);
		     i++)
			if (strcmp(one, word) == 0)
				break;
		if (!conf_word_at(f->row->opt.words, i, one, WORD_MAX)) {
			CONF_WRONG(f, WORD, "allowed: %s", f->row->opt.words);
			return;
		}
	}
	if (n == 0)
		CONF_WRONG(f, WORD, "allowed: %s", f->row->opt.words);
	else
		conf_field_put(f);
}

/* ---- <web> ------------------------------------------------------------------- */

static void
set_listen(struct conf_field *f)
{
	struct conf_web *w = CONTAINER_OF(f->at, struct conf_web, listen);
	struct net_ep ep;

	if (net_ep_parse(f->a->value, &ep) != 0 || ep.port == 0) {
		CONF_WRONG(f, ADDRESS, "not an address with its port, like 127.0.0.1:4580 or "
		      "[::1]:4580");
		return;
	}
	w->listen_ep = ep;
	conf_field_put(f);
}

static void
set_hosts(struct conf_field *f)
{
	char word[HOST_MAX + 2], q[QUOTE_MAX];
	const char *p = f->a->value;
	unsigned n = 0;

	while (conf_list_next(&p, word, sizeof(word))) {
		bool is_ok = strlen(word) <= HOST_MAX;

		for (const char *c = word; *c != '\0'; c++)
			is_ok &= is_alnum(*c) || *c == '.' || *c == '-';
		if (!is_ok || ++n > CONF_WEB_HOST_MAX) {
			CONF_WRONG(f, HOST, "\"%s\" is not a host name, or one too many "
			      "(%u at most)", conf_quote(word, q),
			      CONF_WEB_HOST_MAX);
			return;
		}
	}
	conf_field_put(f);
}

/* ---- entry points ------------------------------------------------------------ */

void
conf_field_set(struct checker *k, const struct conf_row *row,
	       const struct conf_attr *a, void *obj)
{
	static void (*const set[])(struct conf_field *) = {
		[K_UINT] = set_uint,	 [K_UINT0] = set_uint,
		[K_VERSION] = set_version,
		[K_COUNT] = set_count,
		[K_ENUM] = set_enum,	 [K_BOOL] = set_bool,
		[K_NAME] = set_name,	 [K_IFNAME] = set_ifname,
		[K_ID] = set_id,	 [K_HOST] = set_host,
		[K_FILE] = conf_set_file,	 [K_ADDRS] = set_addrs,
		[K_TSS] = set_tss,	 [K_CPUS] = set_cpus,
		[K_CERT] = conf_set_cert,	 [K_PUB] = conf_set_pub,
		[K_KEY] = conf_set_key,	 [K_FILES] = conf_set_files,
		[K_DN] = set_dn,	 [K_URLS] = conf_set_urls,
		[K_VLANS] = set_vlans,	 [K_MAC] = set_mac,
		[K_LISTEN] = set_listen, [K_HOSTS] = set_hosts,
		[K_PATH] = set_path,	 [K_WORDS] = set_words,
		[K_NETS] = set_list,	 [K_IPS] = set_list,
		[K_NAMES] = set_list,	 [K_RESOLVERS] = set_list,
		[K_SERVERS] = set_list,
	};
	struct conf_field f = {.k = k, .row = row, .a = a};

	if (row->kind == K_LATER) {
		conf_bad(k, a->pos, CONF_E_LATER,
			 "%s= of <%s> is not available in this version (needs "
			 "%s)", row->opt.name, row->opt.element,
			 row->opt.needs);
		return;
	}
	f.at = (char *)obj + row->off;
	conf_quote(a->value, f.q);
	set[row->kind](&f);
}

void
conf_field_default(const struct conf_row *row, void *obj)
{
	void *at = (char *)obj + row->off;
	char word[WORD_MAX];
	uint64_t v;

	if (*row->opt.def == '\0' || row->kind == K_LISTEN) /* take_web() */
		return;
	if (row->kind == K_UINT || row->kind == K_UINT0 ||
	    row->kind == K_VERSION) {
		if (str_u64(row->opt.def, UINT32_MAX, &v) == 0)
			put_u32(at, (uint32_t)v);
		return;
	}
	if (row->kind == K_BOOL) {
		*(bool *)at = strcmp(row->opt.def, "yes") == 0;
		return;
	}
	for (unsigned i = 0; conf_word_at(row->opt.words, i, word, WORD_MAX);
	     i++)
		if (strcmp(word, row->opt.def) == 0)
			put_u32(at, i);
}
