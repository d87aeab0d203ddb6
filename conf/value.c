/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/value.c - values with a form of their own: identities, selectors, CPUs.
 *
 * Pure functions over text.  Thread: any.
 */
#include "conf/check.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

/* ---- identities, RFC 7296 section 3.5 ---------------------------------------- */

#define KEYID	  "keyid:"
#define KEYID_LEN (sizeof(KEYID) - 1)

/* Attributes of names by their usual words; libcrypto knows the same. */
static bool
dn_key_ok(const char *key, size_t n)
{
	static const char *const known[] = {
		"CN", "C", "ST", "L", "O", "OU", "DC", "UID", "SN", "GN",
		"title", "serialNumber", "emailAddress", "street",
		"organizationIdentifier",
	};

	for (unsigned i = 0; i < N_OF(known); i++)
		if (strlen(known[i]) == n && strncmp(known[i], key, n) == 0)
			return true;
	return false;
}

int
conf_dn_next(const char **p, char *key, char *value)
{
	const char *c = *p + strspn(*p, " ,");
	size_t n = strcspn(c, "="), len = 0;

	if (*c == '\0') {
		*p = c;
		return 0;
	}
	if (c[n] != '=' || n >= CONF_DN_KEY_MAX || !dn_key_ok(c, n))
		return ERR_SYNTAX;
	memcpy(key, c, n);
	key[n] = '\0';
	for (c += n + 1; *c != '\0' && *c != ','; c++) {
		if (*c == '\\' && c[1] != '\0')
			c++;
		if (len == CONF_ID_MAX)
			return ERR_SYNTAX;
		value[len++] = *c;
	}
	while (len > 0 && value[len - 1] == ' ')
		len--;
	value[len] = '\0';
	*p = c;
	return len > 0 ? 1 : ERR_SYNTAX;
}

enum conf_id_kind
conf_id_type(const char *text)
{
	struct ip_addr ip;

	if (*text == '\0')
		return CONF_ID_NONE;
	if (ip_parse(text, &ip) == 0)
		return ip.family == 4 ? CONF_ID_IPV4 : CONF_ID_IPV6;
	if (strncmp(text, KEYID, KEYID_LEN) == 0)
		return CONF_ID_KEYID;
	if (text[strcspn(text, "=")] == '=' &&
	    dn_key_ok(text, strcspn(text, "=")))
		return CONF_ID_DN;
	return strchr(text, '@') != NULL ? CONF_ID_EMAIL : CONF_ID_FQDN;
}

int
conf_id_bytes(const char *text, enum conf_id_kind *kind, uint8_t *out,
	      size_t cap, size_t *len)
{
	enum conf_id_kind k = conf_id_type(text);
	const void *from = text;
	struct ip_addr ip = {0};
	size_t n = strlen(text);
	int n_hex;

	if (k == CONF_ID_NONE)
		return ERR_SYNTAX;
	if (k == CONF_ID_DN)
		return ERR_UNSUP;
	if (k == CONF_ID_IPV4 || k == CONF_ID_IPV6) {
		if (ip_parse(text, &ip) != 0)
			return ERR_SYNTAX;
		from = ip.b;
		n = ip_len(&ip);
	} else if (k == CONF_ID_KEYID) {
		from = text + KEYID_LEN;
		n -= KEYID_LEN;
		if (n == 0)
			return ERR_SYNTAX;
		n_hex = str_unhex(from, n, out, cap);
		if (n_hex == ERR_LONG)
			return ERR_LONG;
		if (n_hex > 0) {
			*kind = k;
			*len = (size_t)n_hex;
			return 0;
		}
	}
	if (n > cap)
		return ERR_LONG;
	memcpy(out, from, n);
	*kind = k;
	*len = n;
	return 0;
}

/* ---- names of files ------------------------------------------------------------ */

bool
conf_file_next(const char **p, char *out, size_t cap)
{
	return conf_list_next(p, out, cap);
}

static bool
ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	return n > m && strcmp(name + n - m, end) == 0;
}

bool
conf_cert_file(const char *cert, unsigned i, char *out)
{
	static const char *const end[] = {"", ".pem", ".crt", ".der"};

	if (i >= N_OF(end))
		return false;
	out[0] = '\0';
	str_add(out, CONF_FILE_MAX, "%s%s", cert, end[i]);
	return true;
}

bool
conf_key_file(const struct conf_me *me, unsigned i, char *out)
{
	static const char *const end[] = {".pem", ".crt", ".cer", ".der"};
	size_t n;

	out[0] = '\0';
	if (me->key != NULL) {
		str_add(out, CONF_FILE_MAX, "%s", me->key);
		return i == 0 && !conf_key_is_uri(me->key);
	}
	if (me->cert == NULL || i > 1)
		return false;
	if (ends_in(me->cert, ".p12") || ends_in(me->cert, ".pfx")) {
		str_add(out, CONF_FILE_MAX, "%s", me->cert);
		return i == 0;
	}
	n = strlen(me->cert);
	for (unsigned k = 0; i == 0 && k < N_OF(end); k++)
		if (ends_in(me->cert, end[k]))
			n = strlen(me->cert) - strlen(end[k]);
	str_add(out, CONF_FILE_MAX, "%.*s.key", (int)n, me->cert);
	return true;
}

bool
conf_key_is_uri(const char *key)
{
	const char *colon = strchr(key, ':');

	return colon != NULL && colon - key > 1;
}

/* ---- traffic selectors --------------------------------------------------------- */

/* "17", "udp", "any" in front of the '/' of "[udp/53]". */
static int
ts_proto(const char *text, uint8_t *proto)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} known[] = {
		{"any", 0},  {"icmp", 1},     {"tcp", 6},    {"udp", 17},
		{"gre", 47}, {"ipv6-icmp", 58}, {"etherip", 97}, {"sctp", 132},
	};
	uint64_t v;

	for (unsigned i = 0; i < N_OF(known); i++) {
		if (strcmp(text, known[i].name) == 0) {
			*proto = known[i].proto;
			return 0;
		}
	}
	if (str_u64(text, 255, &v) != 0)
		return ERR_SYNTAX;
	*proto = (uint8_t)v;
	return 0;
}

/* "53", "80-90", "any", "opaque" behind it. */
static int
ts_ports(char *text, struct vpn_ts *ts)
{
	uint64_t lo, hi;
	char *dash;

	ts->port_lo = 0;
	ts->port_hi = 65535;
	if (strcmp(text, "any") == 0)
		return 0;
	if (strcmp(text, "opaque") == 0) {	/* RFC 4301 4.4.1.1 */
		ts->port_lo = 65535;
		ts->port_hi = 0;
		return 0;
	}
	if ((dash = strchr(text, '-')) != NULL)
		*dash = '\0';
	if (str_u64(text, 65535, &lo) != 0 ||
	    str_u64(dash != NULL ? dash + 1 : text, 65535, &hi) != 0 || lo > hi)
		return ERR_SYNTAX;
	ts->port_lo = (uint16_t)lo;
	ts->port_hi = (uint16_t)hi;
	return 0;
}

static int
ts_addrs(char *text, struct vpn_ts *ts)
{
	char *dash = strchr(text, '-');
	struct ip_net net;

	if (dash != NULL) {
		*dash = '\0';
		if (ip_parse(text, &ts->lo) != 0 ||
		    ip_parse(dash + 1, &ts->hi) != 0 ||
		    ts->lo.family != ts->hi.family ||
		    ip_compare(&ts->lo, &ts->hi) > 0)
			return ERR_ADDR;
		return 0;
	}
	if (ip_net_parse(text, &net) != 0)
		return ERR_ADDR;
	ip_net_range(&net, &ts->lo, &ts->hi);
	return 0;
}

int
conf_ts_parse(const char *text, struct vpn_ts *ts)
{
	struct vpn_ts t = {.port_hi = 65535};
	char copy[CONF_TS_TEXT];
	char *open, *slash, *end;
	int err;

	if (!str_copy(copy, sizeof(copy), text))
		return ERR_ADDR;
	if ((open = strchr(copy, '[')) != NULL) {
		*open++ = '\0';
		end = strchr(open, ']');
		if (end == NULL || end[1] != '\0')
			return ERR_SYNTAX;
		*end = '\0';
		if ((slash = strchr(open, '/')) != NULL)
			*slash++ = '\0';
		if ((err = ts_proto(open, &t.proto)) != 0 ||
		    (slash != NULL && (err = ts_ports(slash, &t)) != 0))
			return err;
		/* RFC 7296 3.13.1: no port without a protocol */
		if (t.proto == 0 && (t.port_lo != 0 || t.port_hi != 65535))
			return ERR_SYNTAX;
	}
	if ((err = ts_addrs(copy, &t)) != 0)
		return err;
	*ts = t;
	return 0;
}

void
conf_ts_text(const struct vpn_ts *ts, char *out)
{
	char lo[IP_TEXT_MAX], hi[IP_TEXT_MAX];
	struct ip_net net;

	out[0] = '\0';
	if (ip_range_nets(&ts->lo, &ts->hi, &net, 1) == 1)
		str_add(out, CONF_TS_TEXT, "%s", ip_net_text(&net, lo));
	else
		str_add(out, CONF_TS_TEXT, "%s-%s", ip_text(&ts->lo, lo),
			ip_text(&ts->hi, hi));
	if (ts->port_lo > ts->port_hi)
		str_add(out, CONF_TS_TEXT, "[%u/opaque]", ts->proto);
	else if (ts->port_lo != 0 || ts->port_hi != 65535)
		str_add(out, CONF_TS_TEXT, "[%u/%u-%u]", ts->proto,
			ts->port_lo, ts->port_hi);
	else if (ts->proto != 0)
		str_add(out, CONF_TS_TEXT, "[%u]", ts->proto);
}

/* ---- VLAN and CPU lists ------------------------------------------------------------ */

/* "7" or "3-9" at *p, and the end or a comma behind it, which is left out.  Is
 * another to come: 1, none: 0, or ERR_SYNTAX. */
static int
range_next(const char **p, unsigned long max, unsigned long *lo,
	   unsigned long *hi)
{
	char *end;

	if (**p < '0' || **p > '9')
		return ERR_SYNTAX;
	*lo = *hi = strtoul(*p, &end, 10);
	if (*end == '-') {
		if (end[1] < '0' || end[1] > '9')
			return ERR_SYNTAX;
		*hi = strtoul(end + 1, &end, 10);
	}
	if (*lo > *hi || *hi > max || (*end != '\0' && *end != ','))
		return ERR_SYNTAX;
	*p = end + 1;
	return *end == ',';
}

int
conf_vlans(const char *text, uint64_t *set)
{
	const char *p = text != NULL ? text : "1-4094";
	unsigned long lo, hi;
	int more;

	memset(set, 0, CONF_VLANS / 8);
	do {
		more = range_next(&p, CONF_VLANS - 2, &lo, &hi);
		if (more < 0 || lo == 0)
			return ERR_SYNTAX;
		for (; lo <= hi; lo++)
			set[lo / 64] |= 1ull << lo % 64;
	} while (more != 0);
	return 0;
}

int
conf_cpus_parse(const char *text, uint16_t *cpu, unsigned max)
{
	const char *p = text;
	unsigned n = 0;
	unsigned long lo, hi;
	int more;

	do {
		if ((more = range_next(&p, UINT16_MAX, &lo, &hi)) < 0)
			return more;
		for (; lo <= hi; lo++) {
			if (n == max)
				return ERR_FULL;
			cpu[n++] = (uint16_t)lo;
		}
	} while (more != 0);
	return (int)n;
}
