/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/print.c - struct conf -> text, by the rows of conf.def.
 *
 * What differs from the default is written; what was derived (a TAP name, a
 * peer's mode) is written out, so that parse(print(c)) == c.
 *
 * Thread: any.
 */
#include "conf/tree.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"

static void
put_attr(FILE *f, const char *name, const char *value)
{
	fprintf(f, " %s=\"", name);
	conf_xml_put(f, value);
	fputc('"', f);
}

const char *
conf_field_text(const struct conf_row *row, const void *obj, char *buf,
		size_t cap)
{
	const void *at = (const char *)obj + row->off;
	const char *text;
	uint32_t v;

	switch (row->kind) {
	case K_LATER:
		return NULL;
	case K_VERSION:
	case K_UINT:
	case K_UINT0:
		memcpy(&v, at, sizeof(v));
		snprintf(buf, cap, "%" PRIu32, v);
		return buf;
	case K_COUNT:
		memcpy(&v, at, sizeof(v));
		if (v < row->opt.lo)
			return conf_word_at(row->opt.words, v, buf, cap) ?
			    buf : NULL;
		snprintf(buf, cap, "%" PRIu32, v);
		return buf;
	case K_ENUM:
		memcpy(&v, at, sizeof(v));
		return conf_word_at(row->opt.words, v, buf, cap) ? buf : NULL;
	case K_BOOL:
		return *(const bool *)at ? "yes" : "no";
	default:
		memcpy(&text, at, sizeof(text));
		return text;
	}
}

static void
put_element(FILE *f, const char *indent, enum conf_scope s, const void *obj)
{
	char buf[CONF_FIELD_TEXT];
	const char *text;

	fprintf(f, "%s<%s", indent, conf_elems[s].name);
	for (unsigned i = 0; i < conf_n_rows; i++) {
		if (conf_rows[i].scope != s)
			continue;
		text = conf_field_text(&conf_rows[i], obj, buf, sizeof(buf));
		if (text != NULL && strcmp(text, conf_rows[i].opt.def) != 0)
			put_attr(f, conf_rows[i].opt.name, text);
	}
}

static void
put_side(FILE *f, const char *name, const struct vpn_ts *ts, unsigned n)
{
	char text[CONF_TS_TEXT];

	if (n == 0)
		return;
	fprintf(f, " %s=\"", name);
	for (unsigned i = 0; i < n; i++) {
		conf_ts_text(&ts[i], text);
		fprintf(f, "%s%s", i > 0 ? " " : "", text);
	}
	fputc('"', f);
}

static void
put_net(FILE *f, const char *indent, const struct conf_net *net)
{
	if (net->n_local == 0 && net->n_remote == 0 && !net->is_dynamic)
		return;
	if (net->is_dynamic)
		fprintf(f, "%s<net local=\"dynamic\"/>\n", indent);
	if (net->n_local == 0 && net->n_remote == 0)
		return;
	fprintf(f, "%s<net", indent);
	put_side(f, "local", net->local, net->n_local);
	put_side(f, "remote", net->remote, net->n_remote);
	fputs("/>\n", f);
}

static void
put_pool(FILE *f, const struct conf_pool *p)
{
	if (p == NULL)
		return;
	put_element(f, "    ", CONF_IN_POOL, p);
	if (p->n_lease == 0) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n", f);
	for (unsigned i = 0; i < p->n_lease; i++) {
		put_element(f, "      ", CONF_IN_LEASE, &p->lease[i]);
		fputs("/>\n", f);
	}
	fputs("    </pool>\n", f);
}

static void
put_peer(FILE *f, const struct conf_realm *r, const struct conf_peer *p)
{
	put_element(f, "    ", CONF_IN_PEER, p);
	if (p->net == &r->net) {
		fputs("/>\n", f);
		return;
	}
	fputs(">\n", f);
	put_net(f, "      ", p->net);
	fputs("    </peer>\n", f);
}

static const char *
match_if(const struct conf_realm *r, unsigned i, enum conf_match_kind kind)
{
	return r->match[i].kind == kind ? r->match[i].text : NULL;
}

static void
put_realm(FILE *f, const struct conf_realm *r)
{
	struct conf_match_text m;

	put_element(f, "  ", CONF_IN_REALM, r);
	fputs(">\n", f);
	for (unsigned i = 0; i < r->n_match; i++) {
		m = (struct conf_match_text){
			.id = match_if(r, i, CONF_MATCH_ID),
			.eap = match_if(r, i, CONF_MATCH_EAP),
			.email = match_if(r, i, CONF_MATCH_EMAIL),
			.dns = match_if(r, i, CONF_MATCH_DNS),
			.dn = match_if(r, i, CONF_MATCH_DN),
		};
		put_element(f, "    ", CONF_IN_MATCH, &m);
		fputs("/>\n", f);
	}
	put_element(f, "    ", CONF_IN_ME, &r->me);
	fputs("/>\n", f);
	if (r->eap.method != NULL) {
		put_element(f, "    ", CONF_IN_EAP, &r->eap);
		fputs("/>\n", f);
	}
	for (unsigned i = 0; i < r->n_peer; i++)
		put_peer(f, r, &r->peer[i]);
	for (unsigned i = 0; i < r->n_fixed; i++) {
		put_element(f, "    ", CONF_IN_STATIC, &r->fixed[i]);
		fputs("/>\n", f);
	}
	put_pool(f, r->pool);
	put_net(f, "    ", &r->net);
	fputs("  </realm>\n", f);
}

int
conf_print(const struct conf *c, char **out)
{
	size_t size = 0;
	char *text = NULL;
	FILE *f = open_memstream(&text, &size);
	bool is_ok;

	if (f == NULL)
		return ERR_NOMEM;
	put_element(f, "", CONF_IN_VPN, c);
	fputs(">\n", f);
	for (unsigned i = 0; i < c->n_log; i++) {
		put_element(f, "  ", CONF_IN_LOG, &c->logs[i]);
		fputs("/>\n", f);
	}
	for (unsigned i = 0; i < c->n_realm; i++)
		put_realm(f, &c->realm[i]);
	if (c->web.pos.line != 0) {
		put_element(f, "  ", CONF_IN_WEB, &c->web);
		fputs("/>\n", f);
	}
	fputs("</vpn>\n", f);
	is_ok = !ferror(f);
	if (fclose(f) != 0 || !is_ok) {
		free(text);
		return ERR_NOMEM;
	}
	*out = text;
	return 0;
}

/* The text says everything that has a meaning, so equal texts mean the same. */
bool
conf_equal(const struct conf *a, const struct conf *b)
{
	char *ta = NULL, *tb = NULL;
	bool is_same = false;

	if (conf_print(a, &ta) == 0 && conf_print(b, &tb) == 0)
		is_same = strcmp(ta, tb) == 0;
	free(ta);
	free(tb);
	return is_same;
}

const struct conf_realm *
conf_realm_find(const struct conf *c, const char *name)
{
	for (unsigned i = 0; i < c->n_realm; i++)
		if (strcmp(c->realm[i].name, name) == 0)
			return &c->realm[i];
	return NULL;
}

const struct conf_peer *
conf_peer_near(const struct conf_realm *r, const char *name, unsigned at)
{
	unsigned k = at < r->n_peer ? at : 0;

	for (unsigned i = 0; i < r->n_peer; i++) {
		if (strcmp(r->peer[k].name, name) == 0)
			return &r->peer[k];
		k = k + 1 < r->n_peer ? k + 1 : 0;
	}
	return NULL;
}

const struct conf_peer *
conf_peer_find(const struct conf_realm *r, const char *name)
{
	return conf_peer_near(r, name, 0);
}
