/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/metrics_page.c - GET /metrics.
 */
#include "webui/metrics_page.h"
#include <stdlib.h>
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/bus/metrics.h"
#include "webui/http.h"

struct ui_page {
	struct ui_page_ops ops;
	struct metrics *m;		/* being collected; NULL = no question */
	struct ui_req *rq[UI_METRICS_MAX];
	unsigned n;
	char *text;			/* the last page, or NULL */
	size_t len;
	uint64_t made_ms;
};

static void
say(struct ui_req *rq, int status, const char *text, size_t len)
{
	struct ui_reply rep = {
		.status = status, .type = METRICS_TYPE, .body = text, .len = len,
	};

	ui_req_reply(rq, &rep);
}

static void
answer_all(struct ui_page *p, int status)
{
	unsigned n = p->n;

	p->n = 0;
	for (unsigned i = 0; i < n; i++)
		say(p->rq[i], status, status == 200 ? p->text : "",
		    status == 200 ? p->len : 0);
}

/* The answer is whole: make the page of it. */
static void
page_make(struct ui_page *p, uint64_t now_ms)
{
	FILE *f;

	free(p->text);
	p->text = NULL;
	p->len = 0;
	f = metrics_check(p->m) == 0 ? open_memstream(&p->text, &p->len) : NULL;
	if (f != NULL) {
		metrics_write(p->m, f);
		if (fclose(f) != 0) {
			free(p->text);
			p->text = NULL;
		}
	}
	p->made_ms = now_ms;
}

void
ui_page_record(struct ui_page *p, const struct bus_rec *r, uint64_t now_ms)
{
	if (p->m == NULL)
		return;
	metrics_add(p->m, r);
	if (r->desc->row != BUS_RES_DONE && r->desc->row != BUS_RES_FAILED)
		return;
	if (r->desc->row == BUS_RES_DONE)
		page_make(p, now_ms);
	metrics_free(p->m);
	p->m = NULL;
	answer_all(p, r->desc->row == BUS_RES_DONE && p->text != NULL ? 200 :
		   503);
}

void
ui_page_lost(struct ui_page *p)
{
	metrics_free(p->m);
	p->m = NULL;
	answer_all(p, 503);
}

/* Put the question unless it is under way. */
static bool
ask(struct ui_page *p)
{
	struct bus_rec cmd;

	if (p->m != NULL)
		return true;
	if (metrics_new(&p->m) != 0)
		return false;
	bus_rec_init(&cmd, BUS_CMD_METRICS);
	if (p->ops.command(p->ops.ctx, UI_METRICS_TAG, &cmd) == 0)
		return true;
	metrics_free(p->m);
	p->m = NULL;
	return false;
}

void
ui_page_get(struct ui_page *p, struct ui_req *rq, uint64_t now_ms)
{
	if (p->text != NULL && now_ms - p->made_ms < UI_METRICS_MS)
		say(rq, 200, p->text, p->len);
	else if (p->n == UI_METRICS_MAX || !ask(p))
		say(rq, 503, "", 0);
	else
		p->rq[p->n++] = rq;
}

void
ui_page_gone(struct ui_page *p, const struct ui_req *rq)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->rq[i] == rq)
			p->rq[i--] = p->rq[--p->n];
}

int
ui_page_new(struct ui_page **out, const struct ui_page_ops *ops)
{
	struct ui_page *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	p->ops = *ops;
	*out = p;
	return 0;
}

void
ui_page_free(struct ui_page *p)
{
	if (p == NULL)
		return;
	metrics_free(p->m);
	free(p->text);
	free(p);
}
