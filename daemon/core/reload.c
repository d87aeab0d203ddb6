/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/reload.c - the main role's part of a reload: questions of clients,
 * words of the supervisor, the change from one secure process to the next.
 */
#include "daemon/core/reload.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/diff.h"
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus_wire.h"
#include "daemon/core/audit.h"
#include "daemon/core/change.h"
#include "daemon/core/ctl.h"
#include "daemon/core/role.h"
#include "daemon/core/scribe.h"
#include "daemon/core/wire.h"

struct reload {
	struct vpn *vpn;
	struct reload_args args;
	/* who asked; 0 = nobody, or a signal */
	uint64_t client;
	uint32_t tag, serial;
	/* what is on its way */
	struct conf *next;		/* NULL = nothing */
	struct secure *secure;		/* its secure process, not ready yet */
	uint32_t next_serial, confirm_s;
	uint8_t flags, log;
	bool is_ending;			/* workers let go of what went */
	char text[2 * CONF_CHANGE_TEXT];	/* the answer */
};

/* What is told of a comparison, and to whom. */
struct teller {
	struct ctl_client *cl;		/* NULL = to nobody */
	uint32_t tag;
};

/* ---- texts --------------------------------------------------------------- */

int
reload_parse(int fd, const char *name, struct conf **out)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	struct stat st;
	void *text = MAP_FAILED;
	int err = ERR_SYS;

	if (errs != NULL && fstat(fd, &st) == 0 && st.st_size > 0)
		text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE,
			    fd, 0);
	if (text != MAP_FAILED) {
		err = conf_parse(text, (size_t)st.st_size, name, NULL, out,
				 errs);
		if (err != 0)
			conf_errs_print(errs, stderr);
		munmap(text, (size_t)st.st_size);
	}
	free(errs);
	close(fd);
	return err;
}

/* ---- words to the supervisor --------------------------------------------- */

static int
word_ask(const struct reload *rl, enum role_ask what, uint32_t confirm_s)
{
	uint8_t b[ROLE_WORD_MAX];
	struct wcur w;

	wcur_init(&w, b, sizeof(b));
	wcur_u8(&w, ROLE_ASK);
	wcur_u8(&w, (uint8_t)what);
	wcur_u32(&w, confirm_s);
	wcur_u32(&w, rl->serial);
	return send(rl->args.sup_fd, b, w.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0
	    ? ERR_SYS : 0;
}

static void
word_end(const struct reload *rl, char word)
{
	uint8_t b[ROLE_WORD_MAX];
	struct wcur w;

	wcur_init(&w, b, sizeof(b));
	wcur_u8(&w, (uint8_t)word);
	wcur_u32(&w, rl->next_serial);
	if (send(rl->args.sup_fd, b, w.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_error("core", "the supervisor does not listen");
}

/* ---- answers to clients -------------------------------------------------- */

static struct ctl_client *
client(const struct reload *rl)
{
	return rl->client != 0 ? ctl_find(rl->vpn->ctl, rl->client) : NULL;
}

/* The answer to who asked under this serial number; NULL: nobody waits. */
static struct ctl_client *
asker(struct reload *rl, uint32_t serial)
{
	return serial != 0 && serial == rl->serial ? client(rl) : NULL;
}

static void
tell_change(void *ctx, const struct conf_change *ch)
{
	struct teller *t = ctx;
	struct bus_rec r;

	if (t->cl == NULL)
		return;
	change_rec(ch, &r);
	ctl_send(t->cl, &r, t->tag);
}

/* Every change, and their sum; text: CONF_CHANGE_TEXT bytes. */
static void
tell_diff(struct reload *rl, struct ctl_client *cl, const struct conf *now,
	  uint32_t confirm_s, char *text)
{
	struct teller t = { cl, rl->tag };
	struct conf_diff_sum sum;
	struct bus_rec r;

	conf_diff(rl->vpn->conf, now, tell_change, &t, &sum);
	conf_sum_text(&sum, text);
	if (cl == NULL)
		return;
	change_sum_rec(&sum, confirm_s, &r);
	ctl_send(cl, &r, rl->tag);
}

static void
done(struct reload *rl, struct ctl_client *cl, const char *text)
{
	if (cl != NULL)
		ctl_done(cl, rl->tag, text);
	rl->client = 0;
}

static void
event_refused(struct reload *rl, const char *why)
{
	struct bus_rec ev;

	bus_rec_init(&ev, BUS_EV_CONFIG_REFUSED);
	bus_set_str(&ev, BUS_F_FILE, rl->args.conf_name);
	bus_set_str(&ev, BUS_F_WHY, why);
	vpn_publish(rl->vpn, &ev);
}

/* ---- what is on its way -------------------------------------------------- */

static void
forget(struct reload *rl)
{
	secure_free(rl->secure);
	rl->secure = NULL;
	conf_free(rl->next);
	rl->next = NULL;
}

/* It cannot be taken: all stays as it was. */
static void
give_up(struct reload *rl, const char *why)
{
	struct ctl_client *cl = asker(rl, rl->next_serial);

	forget(rl);
	word_end(rl, ROLE_NOT_TAKEN);
	event_refused(rl, why);
	if (cl != NULL) {
		ctl_failed(cl, rl->tag, ERR_CONF, why, "the running "
			   "configuration stays; the log says more");
		rl->client = 0;
	}
}

static void
event_taken(struct reload *rl)
{
	struct bus_rec ev;

	if ((rl->flags & ROLE_CONF_UNDO) != 0) {
		bus_rec_init(&ev, (rl->flags & ROLE_CONF_BACK) != 0 ?
			     BUS_EV_CONFIG_BACK : BUS_EV_CONFIG_UNDONE);
	} else {
		bus_rec_init(&ev, BUS_EV_CONFIG_LOADED);
		bus_set_u64(&ev, BUS_F_N_REALM, rl->vpn->conf->n_realm);
	}
	bus_set_str(&ev, BUS_F_FILE, rl->args.conf_name);
	vpn_publish(rl->vpn, &ev);
}

/* What went is gone: the last part. */
static void
take_realms(void *ctx)
{
	struct reload *rl = ctx;
	struct ctl_client *cl = asker(rl, rl->next_serial);
	unsigned n_bad;

	rl->is_ending = false;
	if (rl->vpn->is_stopping)
		return;
	n_bad = apply_realms(rl->vpn);
	ike_recheck(rl->vpn->ike, clk_ms());
	word_end(rl, ROLE_TAKEN);
	event_taken(rl);
	if (n_bad > 0)
		str_add(rl->text, sizeof(rl->text), "; %u realm%s cannot be set "
			"up, see tapir log", n_bad, n_bad == 1 ? "" : "s");
	if (rl->confirm_s > 0)
		str_add(rl->text, sizeof(rl->text), "; it is undone in %u s "
			"unless you say tapir confirm", rl->confirm_s);
	done(rl, cl, rl->text);
}

/* The next secure process is ready: from here on nothing is refused. */
static void
take(struct reload *rl)
{
	struct ctl_client *cl = asker(rl, rl->next_serial);
	struct secure *old = rl->vpn->secure;
	struct conf *now = rl->next;

	tell_diff(rl, cl, now, rl->confirm_s, rl->text);
	audit_conf(rl->vpn, rl->vpn->conf, now);
	rl->next = NULL;
	apply_less(rl->vpn, now);
	secure_set_cb(rl->secure, &rl->args.cb);
	rl->vpn->secure = rl->secure;
	rl->secure = NULL;
	secure_free(old);
	wire_ike_secure_lost(rl->vpn);
	apply_more(rl->vpn, now);
	if (rl->log != ROLE_LOG_KEEP)
		log_set_level((enum log_level)rl->log);
	scribe_conf(rl->vpn->scribe, rl->vpn->conf);
	/* behind what apply_less() left for the workers to let go of */
	rl->is_ending = true;
	if (thr_defer(take_realms, rl) != 0)
		take_realms(rl);
}

static void
on_ready(void *ctx, uint32_t features UNUSED)
{
	take(ctx);
}

static void
on_lost(void *ctx, const char *why UNUSED)
{
	give_up(ctx, "the keys it names cannot be loaded");
}

static void
on_answer(void *ctx UNUSED, const struct ike_ans *ans UNUSED)
{
	/* nothing was asked yet */
}

static void
on_lists(void *ctx UNUSED)
{
	/* everybody is asked about once it is in use */
}

static void
on_trust(void *ctx, struct view certreq, struct view auth_ann)
{
	struct reload *rl = ctx;

	rl->args.cb.trust(rl->args.cb.ctx, certreq, auth_ann);
}

/* Speak with the secure process that read the keys of the next one. */
static int
meet(struct reload *rl, int chan)
{
	const struct secure_cb cb = {
		.ctx = rl, .answer = on_answer, .lost = on_lost,
		.trust = on_trust, .ready = on_ready, .lists = on_lists,
	};
	int err;

	if ((err = secure_new(&rl->secure, chan, rl->args.secure_uid,
			      &cb)) != 0) {
		close(chan);
		return err;
	}
	if ((err = secure_attach(rl->secure, rl->vpn->loop)) != 0)
		return err;
	return secure_hello_later(rl->secure);
}

/* ---- words of the supervisor --------------------------------------------- */

static int
word_conf(struct view word, uint8_t *flags, uint8_t *log, uint32_t *confirm_s,
	  uint32_t *serial)
{
	struct cur c;
	int err;

	cur_init(&c, word.p, word.len);
	if ((err = cur_u8(&c, flags)) != 0 || (err = cur_u8(&c, log)) != 0 ||
	    (err = cur_u32(&c, confirm_s)) != 0 ||
	    (err = cur_u32(&c, serial)) != 0)
		return err;
	return cur_end(&c);
}

/* Only say what would change. */
static void
try(struct reload *rl, uint32_t serial, struct conf *next)
{
	struct ctl_client *cl = asker(rl, serial);
	char text[CONF_CHANGE_TEXT];

	if (cl == NULL)
		return;
	tell_diff(rl, cl, next, 0, text);
	done(rl, cl, text);
}

void
reload_conf(struct reload *rl, struct view word, int conf_fd, int chan_fd)
{
	uint8_t flags = 0, log = ROLE_LOG_KEEP;
	uint32_t confirm_s = 0, serial = 0;
	struct conf *next = NULL;
	int err;

	if (conf_fd < 0 ||
	    (err = word_conf(word, &flags, &log, &confirm_s, &serial)) != 0) {
		if (conf_fd >= 0)
			close(conf_fd);
		if (chan_fd >= 0)
			close(chan_fd);
		return;
	}
	err = reload_parse(conf_fd, rl->args.conf_name, &next);
	if (err == 0 && (flags & ROLE_CONF_TRY) != 0) {
		try(rl, serial, next);
		conf_free(next);
		return;
	}
	forget(rl);		/* the supervisor has one at a time */
	rl->next = next;
	rl->next_serial = serial;
	rl->confirm_s = confirm_s;
	rl->flags = flags;
	rl->log = log;
	if (err == 0 && chan_fd >= 0) {
		err = meet(rl, chan_fd);
		chan_fd = -1;
	}
	if (chan_fd >= 0)
		close(chan_fd);
	if (err != 0)
		give_up(rl, err_text(err));
}

/* Each mistake is a record. */
static void
tell_mistakes(const struct reload *rl, struct ctl_client *cl, char *text)
{
	struct bus_rec r;
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (*line == '\0')
			continue;
		mistake_parse(line, &r);
		ctl_send(cl, &r, rl->tag);
	}
}

void
reload_written(struct reload *rl, struct view word)
{
	char user[64] = "", file[BUS_STR_MAX] = "";
	struct view name, rest;
	struct bus_rec ev;
	struct cur c;
	uint8_t n;

	cur_init(&c, word.p, word.len);
	if (cur_u8(&c, &n) != 0 || cur_view(&c, n, &name) != 0)
		return;
	cur_rest(&c, &rest);
	str_add(user, sizeof(user), "%.*s by the web", (int)name.len,
		(const char *)name.p);
	str_add(file, sizeof(file), "%.*s", (int)MIN(rest.len,
		sizeof(file) - 1), (const char *)rest.p);
	bus_rec_init(&ev, BUS_EV_CONFIG_WRITTEN);
	bus_set_str(&ev, BUS_F_USER, user);
	bus_set_str(&ev, BUS_F_FILE, file);
	vpn_publish(rl->vpn, &ev);
}

void
reload_audit(struct reload *rl, struct view word)
{
	struct bus_rec ev;

	if (bus_dec(word.p, word.len, &ev) == 0 &&
	    ev.desc->row == BUS_EV_COMMAND_RUN)
		vpn_publish(rl->vpn, &ev);
}

void
reload_said(struct reload *rl, struct view word)
{
	static char text[ROLE_SAY_MAX + 1];
	struct ctl_client *cl;
	struct cur c;
	struct view rest;
	uint32_t serial;
	uint8_t is_bad;
	char first[512];
	struct bus_rec r;

	cur_init(&c, word.p, word.len);
	if (cur_u8(&c, &is_bad) != 0 || cur_u32(&c, &serial) != 0)
		return;
	cur_rest(&c, &rest);
	rest.len = MIN(rest.len, sizeof(text) - 1);
	memcpy(text, rest.p, rest.len);
	text[rest.len] = '\0';
	cl = asker(rl, serial);
	first[0] = '\0';
	str_add(first, sizeof(first), "%.*s", (int)strcspn(text, "\n"), text);
	if (!is_bad) {
		done(rl, cl, first);
		return;
	}
	if (is_bad == ROLE_SAY_CONF) {
		mistake_parse(first, &r);
		event_refused(rl, bus_str(&r, BUS_F_TEXT));
	}
	if (cl == NULL)
		return;
	if (is_bad == ROLE_SAY_CONF) {
		tell_mistakes(rl, cl, text);
		ctl_failed(cl, rl->tag, ERR_CONF, "the configuration is wrong, "
			   "nothing was changed", "tapir check lists the same "
			   "without asking tapird");
	} else {
		ctl_failed(cl, rl->tag, ERR_STATE, first, "");
	}
	rl->client = 0;
}

/* ---- commands ------------------------------------------------------------ */

void
reload_ask(struct reload *rl, struct ctl_client *cl, const struct bus_rec *cmd)
{
	enum role_ask what = ROLE_ASK_CONFIRM;
	uint64_t confirm_s = 0;

	if (cmd->desc->row == BUS_CMD_RELOAD) {
		what = bus_bool(cmd, BUS_F_IS_DRY) ? ROLE_ASK_TRY : ROLE_ASK_TAKE;
		confirm_s = bus_u64(cmd, BUS_F_CONFIRM_S);
	}
	if (client(rl) != NULL || rl->is_ending) {
		ctl_failed(cl, cmd->tag, ERR_STATE, "another reload is under way",
			   "try again in a moment");
		return;
	}
	if (confirm_s > ROLE_CONFIRM_MAX) {
		ctl_failed(cl, cmd->tag, ERR_RANGE, "that is too long to wait "
			   "for a confirmation", "at most a day: 86400");
		return;
	}
	rl->client = ctl_id(cl);
	rl->tag = cmd->tag;
	if (++rl->serial == 0)		/* a signal's */
		rl->serial = 1;
	if (word_ask(rl, what, (uint32_t)confirm_s) != 0) {
		rl->client = 0;
		ctl_failed(cl, cmd->tag, ERR_SYS, "the supervisor does not "
			   "listen", "");
	}
}

/* ---- start and end ------------------------------------------------------- */

int
reload_new(struct reload **out, struct vpn *v, const struct reload_args *a)
{
	struct reload *rl = calloc(1, sizeof(*rl));

	if (rl == NULL)
		return ERR_NOMEM;
	rl->vpn = v;
	rl->args = *a;
	*out = rl;
	return 0;
}

void
reload_free(struct reload *rl)
{
	if (rl == NULL)
		return;
	forget(rl);
	free(rl);
}
