/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/bug/anon.c - names and addresses replaced, each by the same word always.
 *
 *   osaka          peer-1         networks stay recognizable: addresses of one
 *   192.168.7.9    10.200.1.9     /24 (IPv4) or /64 (IPv6) remain in one
 *   203.0.113.2    198.18.2.2
 *   a1:b2:...      02:00:00:00:00:01
 *
 * What says nothing about anybody stays: loopback, multicast, unspecified.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "cli/bug/bug.h"
#include "daemon/base/err.h"
#include "daemon/base/map.h"
#include "daemon/base/rng.h"
#include "daemon/base/str.h"

#define NAME_MIN   3		/* shorter ones are left; ours */
#define NAME_BYTES 255
#define NAMES_MAX  100000	/* of all kinds; ours */
#define WORD_BYTES 64

struct entry {
	struct entry *next;
	char word[WORD_BYTES];
	char name[];		/* in lower case */
};
struct anon {
	uint8_t key[16];
	struct map *map;	/* hash of a name -> entry */
	struct entry *first;
	unsigned n_v4, n_v6, n_mac, n_host[2];
	struct {
		const char *kind;
		unsigned n;
	} kind[16];
};

struct anon *
anon_new(void)
{
	struct anon *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	if (rng_bytes(a->key, sizeof(a->key)) == 0 &&
	    map_new(&a->map, sizeof(uint64_t), NAMES_MAX) == 0)
		return a;
	free(a);
	return NULL;
}

void
anon_free(struct anon *a)
{
	struct entry *e;

	if (a == NULL)
		return;
	while ((e = a->first) != NULL) {
		a->first = e->next;
		free(e);
	}
	map_free(a->map);
	free(a);
}

/* ---- the table --------------------------------------------------------------- */

static uint64_t
hash_of(const struct anon *a, const char *name, size_t len, char *low)
{
	for (size_t i = 0; i < len; i++)
		low[i] = (char)tolower((unsigned char)name[i]);
	low[len] = '\0';
	return siphash(a->key, low, len);
}

static const char *
find(const struct anon *a, const char *name, size_t len)
{
	char low[NAME_BYTES + 1];
	const struct entry *e;
	uint64_t h;

	if (len > NAME_BYTES)
		return NULL;
	h = hash_of(a, name, len, low);
	e = map_find(a->map, &h);
	return e != NULL && strcmp(e->name, low) == 0 ? e->word : NULL;
}

/* @return the word, or NULL without memory or room. */
static const char *
add(struct anon *a, const char *name, size_t len, const char *word)
{
	char low[NAME_BYTES + 1];
	struct entry *e;
	uint64_t h;

	if (len > NAME_BYTES ||
	    (e = calloc(1, sizeof(*e) + len + 1)) == NULL)
		return NULL;
	h = hash_of(a, name, len, low);
	memcpy(e->name, low, len + 1);
	str_copy(e->word, sizeof(e->word), word);
	if (map_add(a->map, &h, e) != 0) {
		free(e);
		return NULL;
	}
	e->next = a->first;
	a->first = e;
	return e->word;
}

static unsigned
next_of(struct anon *a, const char *kind)
{
	for (unsigned i = 0; i < N_OF(a->kind); i++) {
		if (a->kind[i].kind == NULL)
			a->kind[i].kind = kind;
		if (strcmp(a->kind[i].kind, kind) == 0)
			return ++a->kind[i].n;
	}
	return 0;
}

static const char *
word_of(struct anon *a, const char *kind, const char *name, size_t len)
{
	const char *known = find(a, name, len);
	char word[WORD_BYTES];

	if (known != NULL)
		return known;
	snprintf(word, sizeof(word), "%s-%u", kind, next_of(a, kind));
	known = add(a, name, len, word);
	return known != NULL ? known : kind;
}

/* ---- names ------------------------------------------------------------------- */

static bool
is_address(const char *text, size_t len)
{
	char copy[64];
	uint8_t bin[16];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	copy[strcspn(copy, "/")] = '\0';
	return inet_pton(AF_INET, copy, bin) == 1 ||
	    inet_pton(AF_INET6, copy, bin) == 1;
}

static void
name_add(struct anon *a, const char *kind, const char *name, size_t len)
{
	const char *colon;

	while (len > 0 && strchr("*?@.[", name[0]) != NULL) {	/* *@example.com */
		name++;
		len--;
	}
	if (len < NAME_MIN || is_address(name, len))
		return;
	colon = memchr(name, ':', len);	/* host:port */
	if (colon != NULL && memchr(colon + 1, ':',
	    len - (size_t)(colon + 1 - name)) == NULL)
		len = (size_t)(colon - name);
	if (len >= NAME_MIN && !is_address(name, len))
		(void)word_of(a, kind, name, len);
}

void
anon_name(struct anon *a, const char *kind, const char *name)
{
	name_add(a, kind, name, strlen(name));
}

/* The kind of name an attribute holds; NULL: none. */
static const char *
kind_of(const char *tag, const char *attr)
{
	static const struct {
		const char *tag, *attr, *kind;
	} row[] = {
		{ "realm", "name", "realm" }, { "realm", "tap", "if" },
		{ "realm", "bridge", "if" }, { "me", "id", "me" },
		{ "me", "eap", "me" }, { "peer", "id", "peer" },
		{ "peer", "name", "peer" }, { "peer", "at", "host" },
		{ "match", "id", "match" }, { "web", "host", "host" },
		{ "peer", "ppk", "file" }, { "me", "ppk", "file" },
	};

	for (unsigned i = 0; i < N_OF(row); i++)
		if (strcmp(row[i].tag, tag) == 0 && strcmp(row[i].attr, attr) == 0)
			return row[i].kind;
	return NULL;
}

static size_t
xml_name(const char *p, const char *end, char *out, size_t cap)
{
	size_t n = 0;

	while (p + n < end && n + 1 < cap &&
	       (isalnum((unsigned char)p[n]) || p[n] == '-' || p[n] == '_')) {
		out[n] = p[n];
		n++;
	}
	out[n] = '\0';
	return n;
}

void
anon_conf(struct anon *a, const char *text, size_t len)
{
	const char *p = text, *end = text + len, *q, *kind;
	char tag[32] = "", attr[32];
	size_t n;

	while (p < end) {
		if (*p == '<') {
			p++;
			p += xml_name(p, end, tag, sizeof(tag));
			continue;
		}
		if ((n = xml_name(p, end, attr, sizeof(attr))) == 0) {
			p++;
			continue;
		}
		p += n;
		for (q = p; q < end && isspace((unsigned char)*q);)
			q++;
		if (q >= end || *q != '=')
			continue;
		for (q++; q < end && isspace((unsigned char)*q);)
			q++;
		if (q >= end || (*q != '"' && *q != '\''))
			continue;
		for (p = q + 1; p < end && *p != *q;)
			p++;
		if ((kind = kind_of(tag, attr)) != NULL)
			name_add(a, kind, q + 1, (size_t)(p - q - 1));
		p += p < end;
	}
}

/* ---- addresses --------------------------------------------------------------- */

static const char *
v4_word(struct anon *a, const uint8_t ip[4], const char *text, size_t len)
{
	bool is_own = ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
	    (ip[0] == 192 && ip[1] == 168) || (ip[0] == 100 && ip[1] >> 6 == 1);
	const char *net, *known = find(a, text, len);
	char key[32], word[WORD_BYTES];
	unsigned n;

	if (known != NULL || ip[0] == 0 || ip[0] == 127 || ip[0] >= 224)
		return known;
	snprintf(key, sizeof(key), "net4 %u.%u.%u", ip[0], ip[1], ip[2]);
	if ((net = find(a, key, strlen(key))) == NULL) {
		n = ++a->n_v4;
		if (is_own)
			snprintf(word, sizeof(word), "10.%u.%u",
				 200 + (n >> 8) % 50, n & 255);
		else
			snprintf(word, sizeof(word), "198.%u.%u",
				 18 + (n >> 8) % 2, n & 255);
		net = add(a, key, strlen(key), word);
	}
	if (net == NULL)
		return "0.0.0.0";
	snprintf(word, sizeof(word), "%s.%u", net, ip[3]);
	return add(a, text, len, word);
}

static const char *
v6_word(struct anon *a, const uint8_t ip[16], const char *text, size_t len)
{
	static const uint8_t zero[16];
	const char *net, *known = find(a, text, len);
	char key[40] = "net6 ", word[WORD_BYTES];

	if (known != NULL || ip[0] == 0xff || memcmp(ip, zero, 15) == 0)
		return known;
	str_hex(key + 5, sizeof(key) - 5, ip, 8);
	if ((net = find(a, key, strlen(key))) == NULL) {
		if (ip[0] == 0xfe)
			str_copy(word, sizeof(word), "fe80:");
		else
			snprintf(word, sizeof(word), "%s:%x:", ip[0] >> 1 == 0x7e ?
				 "fd00:0:0" : "2001:db8:0", ++a->n_v6);
		net = add(a, key, strlen(key), word);
	}
	if (net == NULL)
		return "::";
	if (memcmp(ip + 8, zero, 8) == 0)
		snprintf(word, sizeof(word), "%s:", net);
	else
		snprintf(word, sizeof(word), "%s:%x", net, ++a->n_host[0]);
	return add(a, text, len, word);
}

static const char *
mac_word(struct anon *a, const char *text, size_t len)
{
	const char *known = find(a, text, len);
	char word[WORD_BYTES];

	if (known != NULL)
		return known;
	if (strncasecmp(text, "ff:ff:ff:ff:ff:ff", len) == 0 ||
	    strncmp(text, "00:00:00:00:00:00", len) == 0 ||
	    strncasecmp(text, "01:", 3) == 0 || strncmp(text, "33:33", 5) == 0)
		return NULL;
	a->n_mac++;
	snprintf(word, sizeof(word), "02:00:00:%02x:%02x:%02x",
		 a->n_mac >> 16 & 255, a->n_mac >> 8 & 255, a->n_mac & 255);
	return add(a, text, len, word);
}

/* An address that begins here: its length, and the word in its place (NULL: it
 * stays).  0: there is none. */
static size_t
address_at(struct anon *a, const char *p, size_t left, const char **word)
{
	char copy[INET6_ADDRSTRLEN + 1];
	unsigned n_colon = 0, n_dot = 0;
	uint8_t bin[16];
	size_t n = 0;

	while (n < left && n < sizeof(copy) - 1 && (isxdigit((unsigned char)p[n]) ||
	    p[n] == ':' || p[n] == '.')) {
		if (p[n] == '.' && n_colon == 0 && n_dot == 3)
			break;
		if (p[n] == ':' && n_colon == 0 && n_dot == 3)
			break;		/* 192.0.2.1:500 */
		n_colon += p[n] == ':';
		n_dot += p[n] == '.';
		n++;
	}
	while (n > 0 && (p[n - 1] == '.' ||
	    (p[n - 1] == ':' && (n < 2 || p[n - 2] != ':'))))
		n--;
	if (n < 2 || n_dot + n_colon < 2 ||
	    (n < left && isalnum((unsigned char)p[n])))
		return 0;
	memcpy(copy, p, n);
	copy[n] = '\0';
	if (inet_pton(AF_INET, copy, bin) == 1)
		*word = v4_word(a, bin, copy, n);
	else if (inet_pton(AF_INET6, copy, bin) == 1)
		*word = v6_word(a, bin, copy, n);
	else if (n == 17 && n_colon == 5 && n_dot == 0)
		*word = mac_word(a, copy, n);
	else
		return 0;
	return n;
}

/* ---- text -------------------------------------------------------------------- */

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || c == '.' || c == '_' || c == '-' ||
	    c == '@' || c == '+' || (c & 0x80) != 0;
}

/* A name or e-mail address that begins here. */
static size_t
name_at(struct anon *a, const char *p, size_t left, const char **word)
{
	const char *at;
	size_t n = 0, end;

	while (n < left && n < NAME_BYTES && is_word(p[n]))
		n++;
	while (n > 0 && (p[n - 1] == '.' || p[n - 1] == '-'))
		n--;
	for (end = n; end >= NAME_MIN; end--) {
		if (end < n && (isalnum((unsigned char)p[end]) ||
		    (p[end] & 0x80) != 0))
			continue;
		if ((*word = find(a, p, end)) != NULL)
			return end;
	}
	at = memchr(p, '@', n);
	if (at == NULL || at == p || at + 1 == p + n ||
	    memchr(at, '.', n - (size_t)(at - p)) == NULL)
		return 0;
	*word = word_of(a, "user", p, n);
	return n;
}

/* CN=Tokyo office, O=...: the value, when a part of a distinguished name begins
 * here.  head: bytes of "CN=". */
static size_t
part_at(struct anon *a, const char *p, size_t left, size_t *head,
	const char **word)
{
	static const char *const type[] = { "CN=", "OU=", "O=", "ST=", "L=", "DC=",
					    "serialNumber=", "emailAddress=" };
	size_t n = 0;

	for (unsigned i = 0; i < N_OF(type); i++) {
		*head = strlen(type[i]);
		if (left <= *head || strncmp(p, type[i], *head) != 0)
			continue;
		while (*head + n < left && n < NAME_BYTES &&
		       strchr(",/\"'<>\n;|)", p[*head + n]) == NULL)
			n++;
		if (n == 0)
			break;
		*word = word_of(a, "name", p + *head, n);
		return *head + n;
	}
	*head = 0;
	return 0;
}

void
anon_text(struct anon *a, const char *text, size_t len, FILE *out)
{
	size_t i = 0, n, head;

	while (i < len) {
		const char *word = NULL;
		bool is_start = i == 0 || !(isalnum((unsigned char)text[i - 1]) ||
		    (text[i - 1] & 0x80) != 0);

		head = 0;
		if (!is_start || (text[i] != ':' && !is_word(text[i]))) {
			fputc(text[i++], out);
			continue;
		}
		if ((n = address_at(a, text + i, len - i, &word)) == 0 &&
		    (n = part_at(a, text + i, len - i, &head, &word)) == 0)
			n = name_at(a, text + i, len - i, &word);
		if (n == 0) {
			fputc(text[i++], out);
			continue;
		}
		if (word == NULL) {
			(void)fwrite(text + i, 1, n, out);
		} else {
			(void)fwrite(text + i, 1, head, out);
			fputs(word, out);
		}
		i += n;
	}
}

void
bug_anonymous(struct bug *b, struct anon *a)
{
	for (unsigned i = 0; i < b->n_part; i++) {
		struct bug_part *p = &b->part[i];
		char *text = NULL, *name = NULL;
		size_t len, name_len;
		FILE *f = open_memstream(&text, &len);
		FILE *g = open_memstream(&name, &name_len);

		if (f == NULL || g == NULL)
			abort();	/* nothing may leave half done */
		anon_text(a, p->text, p->len, f);
		anon_text(a, p->name, strlen(p->name), g);
		if (fclose(f) != 0 || fclose(g) != 0)
			abort();
		free(p->text);
		p->text = text;
		p->len = len;
		str_copy(p->name, sizeof(p->name), name);
		free(name);
	}
}
