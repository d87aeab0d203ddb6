/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_capture.c - POST /capture.
 */
#include "webui/capture.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/pcapng.h"
#include "webui/app.h"

#define TYPE "application/vnd.tcpdump.pcap"

enum state {
	C_IDLE,
	C_ASKED,	/* the core has not said yes or no */
	C_RUNS,		/* the stream has begun */
	C_ENDS,		/* nobody wants it: the end was asked for */
};

/* Who captures, or wants to. */
struct wish {
	struct ui_call call;		/* rq NULL: nobody, or he left */
	struct bus_rec cmd;
};

struct ui_capture {
	struct ui_capture_ops ops;
	enum state state;
	bool must_end;			/* tell the core, once it takes it */
	uint64_t number;		/* of the core's capture */
	uint64_t n_lost;		/* not taken by the client */
	struct wish now, next;
};

/* ---- the core -------------------------------------------------------------- */

static void
refuse(struct ui_call *c, int status, int err, const char *text,
       const char *hint)
{
	if (c->rq != NULL)
		ui_call_fail(c, status, err_name(err), text, hint);
	c->rq = NULL;
}

static void
begin_next(struct ui_capture *p)
{
	int err;

	p->state = C_IDLE;
	p->must_end = false;
	p->n_lost = p->number = 0;
	if (p->next.call.rq == NULL)
		return;
	p->now = p->next;
	p->next.call.rq = NULL;
	err = p->ops.command(p->ops.ctx, UI_CAPTURE_TAG, p->now.call.owner.name,
			     &p->now.cmd);
	if (err == 0)
		p->state = C_ASKED;
	else
		refuse(&p->now.call, 503, err, "tapird does not answer",
		       "try again");
}

/* Nobody wants it any more: end it in the core as soon as its number is known. */
static void
end_it(struct ui_capture *p)
{
	struct bus_rec cmd;

	if (p->number == 0)
		return;
	bus_rec_init(&cmd, BUS_CMD_CAPTURE_STOP);
	bus_set_u64(&cmd, BUS_F_CAPTURE, p->number);
	if (p->ops.command(p->ops.ctx, UI_CAPTURE_END,
			   p->now.call.owner.name, &cmd) == 0)
		p->must_end = false;
}

static void
left(struct ui_capture *p)
{
	p->now.call.rq = NULL;
	p->must_end = true;
	if (p->state == C_RUNS)
		p->state = C_ENDS;
	end_it(p);
}

/* ---- the stream ------------------------------------------------------------ */

static void
stream_begin(struct ui_capture *p)
{
	char fields[128] = "", when[32] = "";
	time_t t = (time_t)(clk_wall_ns() / 1000000000u);
	struct ui_reply rep = { .status = 200, .type = TYPE, .fields = fields };
	char *text = NULL;
	struct tm tm;
	FILE *f;

	if (gmtime_r(&t, &tm) != NULL)
		strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm);
	str_add(fields, sizeof(fields), "Content-Disposition: attachment; "
		"filename=\"tapir-%s.pcapng\"\r\n", when);
	if ((f = open_memstream(&text, &rep.len)) != NULL) {
		pcapng_begin(f);
		(void)fclose(f);
	}
	if (text == NULL) {
		refuse(&p->now.call, 503, ERR_NOMEM, "out of memory", "");
		left(p);
		return;
	}
	rep.body = text;
	ui_req_begin(p->now.call.rq, &rep);
	free(text);
	p->state = C_RUNS;
}

/* Who asked left, or what the core sent last was lost. */
static void
stream_end(struct ui_capture *p)
{
	struct cap_pkt lost = { .side = CAP_LOST, .drop = CAP_NO_DROP,
				.time_ns = clk_wall_ns() };
	struct ui_req *rq = p->now.call.rq;
	struct view v;

	p->now.call.rq = NULL;
	lost.len = (uint32_t)MIN(p->n_lost, (uint64_t)UINT32_MAX);
	v = pcapng_block(&lost);
	if (p->n_lost != 0 && !ui_req_part(rq, v.p, v.len))
		ui_req_cut(rq);
	else
		ui_req_end(rq);
}

/* The core refuses. */
static void
failed(struct ui_capture *p, const struct bus_rec *r)
{
	static const struct {
		int err, status;
	} known[] = {
		{ ERR_EXISTS, 409 }, { ERR_STATE, 409 }, { ERR_NOTFOUND, 404 },
		{ ERR_PERM, 403 }, { ERR_SYNTAX, 400 },
	};
	const char *code = bus_str(r, BUS_F_CODE);
	struct ui_call *c = &p->now.call;
	int status = 503;

	for (unsigned i = 0; i < N_OF(known); i++)
		if (strcmp(code, err_name(known[i].err)) == 0)
			status = known[i].status;
	if (c->rq != NULL)
		ui_call_fail(c, status, code, bus_str(r, BUS_F_TEXT),
			     bus_str(r, BUS_F_HINT));
	c->rq = NULL;
}

void
ui_capture_record(struct ui_capture *p, const struct bus_rec *r)
{
	if (r->desc->row == BUS_RES_CAPTURE && p->state == C_ASKED) {
		p->number = bus_u64(r, BUS_F_CAPTURE);
		if (p->now.call.rq != NULL) {
			stream_begin(p);
		} else {
			p->state = C_ENDS;
			end_it(p);
		}
	} else if (r->desc->row == BUS_RES_FAILED) {
		if (p->state == C_ASKED)
			failed(p, r);
		begin_next(p);
	} else if (r->desc->row == BUS_RES_DONE) {
		if (p->state == C_RUNS)
			stream_end(p);
		begin_next(p);
	}
}

void
ui_capture_packet(struct ui_capture *p, const void *data, size_t len)
{
	struct cap_pkt pkt;
	struct view v;

	if (p->must_end)
		end_it(p);
	if (p->state != C_RUNS || cap_dec(data, len, &pkt) != 0)
		return;
	if (pkt.side == CAP_LOST) {
		p->n_lost += pkt.len;
		return;
	}
	v = pcapng_block(&pkt);
	if (!ui_req_part(p->now.call.rq, v.p, v.len))
		p->n_lost++;
}

void
ui_capture_lost(struct ui_capture *p)
{
	if (p->state == C_RUNS)
		ui_req_cut(p->now.call.rq);
	else
		refuse(&p->now.call, 503, ERR_CLOSED, "tapird does not answer",
		       "try again");
	p->now.call.rq = NULL;
	refuse(&p->next.call, 503, ERR_CLOSED, "tapird does not answer",
	       "try again");
	begin_next(p);
}

void
ui_capture_gone(struct ui_capture *p, const struct ui_req *rq)
{
	if (p->next.call.rq == rq)
		p->next.call.rq = NULL;
	if (p->now.call.rq == rq)
		left(p);
}

void
ui_capture_forget(struct ui_capture *p, uint64_t owner)
{
	struct ui_call *c = &p->now.call;

	if (p->next.call.rq != NULL && p->next.call.owner.id == owner)
		refuse(&p->next.call, 401, ERR_AUTH, "not logged in any more",
		       "");
	if (c->rq == NULL || c->owner.id != owner)
		return;
	if (p->state == C_RUNS)
		ui_req_cut(c->rq);
	else
		refuse(c, 401, ERR_AUTH, "not logged in any more", "");
	left(p);
}

void
ui_capture_run(struct ui_capture *p)
{
	if (p->must_end)
		end_it(p);
}

/* ---- requests -------------------------------------------------------------- */

/* May this login have what it asks for?  false: it was answered. */
static bool
may(struct ui_call *c, const struct bus_rec *cmd)
{
	unsigned want;

	if (cap_want_parse(bus_str(cmd, BUS_F_WHAT), &want) != 0) {
		ui_call_fail(c, 400, "ERR_SYNTAX", "there is no such kind of "
			     "packets", "clear, esp, ike, dropped");
		return false;
	}
	if (c->owner.right < cmd->desc->right) {
		ui_call_fail(c, 403, "ERR_PERM", "not permitted to this role",
			     "");
		return false;
	}
	if (c->owner.right < BUS_RIGHT_ADMIN &&
	    *bus_str(cmd, BUS_F_WHAT) != '\0' &&
	    (want & ~(unsigned)CAP_WANT_WIRE) != 0) {
		ui_call_fail(c, 403, "ERR_PERM", "what is inside of tunnels is "
			     "for admins", "ask for esp, ike");
		return false;
	}
	if (bus_bool(cmd, BUS_F_HAS_KEYS)) {
		ui_call_fail(c, 403, "ERR_PERM", "keys are not given over HTTP",
			     "run tapir capture --keys on the machine itself");
		return false;
	}
	return ui_call_is_proved(c);
}

void
ui_capture_call(struct ui_call *c)
{
	struct ui_capture *p = c->app->capture;
	struct bus_rec cmd;
	uint64_t s;

	if (!ui_call_command(c, BUS_CMD_CAPTURE, "only the command capture is "
			     "answered by a stream", "{\"command\":\"capture\","
			     "\"what\":\"esp\",\"left_s\":30}", &cmd) ||
	    !may(c, &cmd))
		return;
	s = bus_u64(&cmd, BUS_F_LEFT_S);
	if (s > UI_CAPTURE_MAX_S) {
		ui_call_fail(c, 400, "ERR_RANGE", "that is too long", "at most "
			     "900 seconds; tapir capture takes longer");
		return;
	}
	if (p->next.call.rq != NULL || p->state == C_ASKED ||
	    p->state == C_RUNS) {
		ui_call_fail(c, 409, "ERR_EXISTS", "somebody captures already",
			     "there is one capture at a time; the command "
			     "captures says whose it is");
		return;
	}
	bus_set_u64(&cmd, BUS_F_LEFT_S, s != 0 ? s : UI_CAPTURE_S);
	if (c->owner.right < BUS_RIGHT_ADMIN &&
	    *bus_str(&cmd, BUS_F_WHAT) == '\0')
		bus_set_str(&cmd, BUS_F_WHAT, "esp ike");
	p->next = (struct wish){ .call = *c, .cmd = cmd };
	if (p->state == C_IDLE)
		begin_next(p);
}

/* ---- start and end --------------------------------------------------------- */

int
ui_capture_new(struct ui_capture **out, const struct ui_capture_ops *ops)
{
	struct ui_capture *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NOMEM;
	p->ops = *ops;
	*out = p;
	return 0;
}

void
ui_capture_free(struct ui_capture *p)
{
	free(p);
}
