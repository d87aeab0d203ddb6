/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_desk.c - /desk and /get.
 */
#include "webui/desk.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "webui/app.h"
#include "webui/edit.h"

#define TOKEN_LEN 16	/* 128 bits; ours */
#define TOKEN_T	  (2 * TOKEN_LEN + 1)
#define NAME_MAX_ 160	/* bytes of a file's name; ours */
#define TYPE_MAX_ 80

/* A file that waits to be fetched. */
struct kept {
	bool is_used;
	char token[TOKEN_T], name[NAME_MAX_], type[TYPE_MAX_];
	uint8_t *body;
	size_t len;
	uint64_t until_ms;
};

struct ui_desk {
	struct kept kept[UI_DESK_KEPT];
};

/* ---- files that wait ------------------------------------------------------- */

static void
kept_drop(struct kept *k)
{
	if (k->body != NULL)
		wipe(k->body, k->len);
	free(k->body);
	wipe(k, sizeof(*k));
}

/* What may stand in a field of a head, and as the name of a file. */
static void
clean(char *out, size_t cap, const char *in, const char *more)
{
	size_t n = 0;

	for (; *in != '\0' && n + 1 < cap; in++) {
		bool is_ok = (*in >= 'a' && *in <= 'z') ||
		    (*in >= 'A' && *in <= 'Z') || (*in >= '0' && *in <= '9') ||
		    strchr(more, *in) != NULL;

		out[n++] = is_ok ? *in : '_';
	}
	out[n] = '\0';
}

/* NULL: there are too many, or no memory. */
static const struct kept *
keep(struct ui_desk *d, const struct bus_rec *r, struct view doc,
     uint64_t now_ms)
{
	uint8_t token[TOKEN_LEN];
	struct kept *k = NULL;

	for (unsigned i = 0; i < UI_DESK_KEPT && k == NULL; i++)
		if (!d->kept[i].is_used)
			k = &d->kept[i];
	if (k == NULL || rng_bytes(token, sizeof(token)) != 0 ||
	    (k->body = malloc(doc.len + 1)) == NULL)
		return NULL;
	memcpy(k->body, doc.p, doc.len);
	k->len = doc.len;
	str_hex(k->token, sizeof(k->token), token, sizeof(token));
	clean(k->name, sizeof(k->name), bus_str(r, BUS_F_FILE), "._-@+");
	clean(k->type, sizeof(k->type), bus_str(r, BUS_F_KIND), "./+-");
	k->until_ms = now_ms + UI_DESK_S * 1000ull;
	k->is_used = true;
	return k;
}

void
ui_desk_run(struct ui_desk *d, uint64_t now_ms)
{
	for (unsigned i = 0; i < UI_DESK_KEPT; i++)
		if (d->kept[i].is_used && now_ms >= d->kept[i].until_ms)
			kept_drop(&d->kept[i]);
}

/* Each is compared whole, so that time says nothing. */
static struct kept *
kept_find(struct ui_desk *d, struct view token)
{
	struct kept *found = NULL;

	if (token.len != TOKEN_T - 1)
		return NULL;
	for (unsigned i = 0; i < UI_DESK_KEPT; i++)
		if (d->kept[i].is_used &&
		    ct_equal(d->kept[i].token, token.p, token.len))
			found = &d->kept[i];
	return found;
}

void
ui_desk_get_call(struct ui_call *c)
{
	struct kept *k = kept_find(c->app->desk, c->tail);
	char fields[NAME_MAX_ + 96] = "";
	struct ui_reply rep = { .status = 200, .fields = fields };

	if (k == NULL) {
		ui_call_fail(c, 404, "ERR_NOTFOUND", "there is nothing behind "
			     "this link", "a link works once, and for ten "
			     "minutes; let them make another one");
		return;
	}
	str_add(fields, sizeof(fields), "Content-Disposition: attachment; "
		"filename=\"%s\"\r\n", k->name);
	rep.type = k->type;
	rep.body = k->body;
	rep.len = k->len;
	ui_req_reply(c->rq, &rep);
	kept_drop(k);
}

/* ---- answers --------------------------------------------------------------- */

/* What only shows something. */
static bool
is_look(const char *what)
{
	static const char *const known[] = { "accounts", "users", "certs" };

	for (unsigned i = 0; i < N_OF(known); i++)
		if (strcmp(known[i], what) == 0)
			return true;
	return false;
}

/* What the command printed, which is JSON whatever was asked for. */
static void
say_text(struct ui_call *c, int status, struct view doc)
{
	const struct ui_reply rep = {
		.status = status, .type = "application/json", .body = doc.p,
		.len = doc.len,
	};

	ui_req_reply(c->rq, &rep);
}

static void
put_sealed(struct ui_out *o, struct view doc)
{
	char *hex = malloc(2 * doc.len + 1);

	if (hex == NULL)
		return;
	str_hex(hex, 2 * doc.len + 1, doc.p, doc.len);
	ui_out_str(o, "sealed", hex);
	free(hex);
}

/* A sealed answer, or the link to a file. */
static void
say_made(struct ui_call *c, const struct bus_rec *r, struct view doc)
{
	bool is_file = *bus_str(r, BUS_F_FILE) != '\0';
	const struct kept *k = is_file ? keep(c->app->desk, r, doc, c->now_ms) :
	    NULL;
	char link[sizeof("/get/") + TOKEN_T] = "", *text = NULL;
	size_t len = 0;
	struct ui_out o;
	FILE *f;

	if (is_file && k == NULL) {
		ui_call_fail(c, 429, "ERR_LIMIT", "too many links wait to be "
			     "followed", "make it again in a while");
		return;
	}
	if ((f = open_memstream(&text, &len)) == NULL) {
		ui_call_fail(c, 503, "ERR_NOMEM", err_text(ERR_NOMEM), "");
		return;
	}
	ui_out_begin(&o, f, c->form, "desk");
	ui_out_bool(&o, "ok", true);
	ui_out_str(&o, "seal", bus_str(r, BUS_F_SEAL));
	if (k != NULL) {
		str_add(link, sizeof(link), "/get/%s", k->token);
		ui_out_str(&o, "link", link);
		ui_out_str(&o, "file", k->name);
		ui_out_num(&o, "left_s", UI_DESK_S);
		ui_out_str(&o, "sealed", bus_str(r, BUS_F_SEALED));
	} else {
		put_sealed(&o, doc);
	}
	ui_out_end(&o);
	(void)fclose(f);
	ui_call_text(c, 200, NULL, text, len);
}

void
ui_desk_say(struct ui_call *c, const struct bus_rec *r, struct view doc)
{
	if (strcmp(bus_str(r, BUS_F_CODE), "proof") == 0)
		ui_call_fail(c, 403, err_name(ERR_PROOF), err_text(ERR_PROOF),
			     "PUT /login with the password, or with a new link");
	/* who looks and sees nothing did nothing wrong: there is no authority yet */
	else if (strcmp(bus_str(r, BUS_F_CODE), "done") != 0)
		say_text(c, is_look(bus_str(r, BUS_F_WHAT)) ? 200 : 409, doc);
	else if (*bus_str(r, BUS_F_SEAL) != '\0')
		say_made(c, r, doc);
	else
		say_text(c, 200, doc);
}

/* ---- requests -------------------------------------------------------------- */

/* Admins only; else it was answered. */
static bool
may(struct ui_call *c)
{
	if (c->owner.right >= BUS_RIGHT_ADMIN)
		return true;
	ui_call_fail(c, 403, "ERR_PERM", "accounts, users and certificates are "
		     "for admins", "");
	return false;
}

static void
query(struct ui_call *c, const char *name, struct bus_rec *cmd,
      enum bus_field field)
{
	char text[128] = "";
	struct view v;

	if (ui_query_get(c->head->query, name, &v) && v.len < sizeof(text)) {
		memcpy(text, v.p, v.len);
		bus_set_str(cmd, field, text);
	}
}

void
ui_desk_look_call(struct ui_call *c)
{
	struct bus_rec cmd;

	bus_rec_init(&cmd, BUS_CMD_DESK);
	query(c, "what", &cmd, BUS_F_WHAT);
	query(c, "realm", &cmd, BUS_F_REALM);
	if (!may(c))
		return;
	if (!is_look(bus_str(&cmd, BUS_F_WHAT))) {
		ui_call_fail(c, 400, "ERR_SYNTAX", "what is accounts, users or "
			     "certs", "GET /desk?what=users&realm=sales");
		return;
	}
	ui_edit_put(c, &cmd, (struct view){ NULL, 0 });
}

void
ui_desk_do_call(struct ui_call *c)
{
	struct bus_rec cmd;

	if (!may(c))
		return;
	if (ui_call_command(c, BUS_CMD_DESK, "the desk takes the command desk "
			    "only", "{\"command\":\"desk\",\"what\":"
			    "\"account-del\",\"name\":\"hanako\"}", &cmd) &&
	    (is_look(bus_str(&cmd, BUS_F_WHAT)) || ui_call_proof(c, &cmd))) {
		ui_edit_put(c, &cmd, (struct view){ NULL, 0 });
	}
	wipe(&cmd, sizeof(cmd));
}

/* ---- start and end --------------------------------------------------------- */

int
ui_desk_new(struct ui_desk **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? 0 : ERR_NOMEM;
}

void
ui_desk_free(struct ui_desk *d)
{
	for (unsigned i = 0; d != NULL && i < UI_DESK_KEPT; i++)
		kept_drop(&d->kept[i]);
	free(d);
}
