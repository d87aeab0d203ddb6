/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/app_still.c - do the accounts of those who are logged in still stand?
 *
 * Asked of the process that knows them, an account at a time, each second: who was
 * removed, or got another password or role, is out within two.
 *
 * Thread: one.
 */
#include <string.h>
#include "daemon/base/str.h"
#include "webui/app.h"
#include "webui/gate.h"

#define CHECK_MS 1000	/* so often an account is asked for; ours */
#define AT_ONCE	 (UI_GATE_MAX / 2) /* the rest is for passwords; ours */

/* One question; free when the name is empty. */
static struct still {
	struct ui_app *app;
	char name[UI_NAME_MAX];
} asked[AT_ONCE];

/* What this account is now, for all its logins. */
static void
on_answer(void *ctx, const struct pass_answer *a)
{
	struct still own = *(struct still *)ctx;
	struct ui_login *l = own.app->login;
	struct ui_who *who;
	unsigned it = 0;

	memset(ctx, 0, sizeof(own));
	if (a->verdict == PASS_LATER)	/* nobody decides just now */
		return;
	while ((who = ui_login_of(l, own.name, &it)) != NULL) {
		if (a->verdict == PASS_YES && a->stamp == who->stamp)
			continue;
		ui_app_forget(own.app, who->id);
		ui_login_end(l, who);
	}
}

static void
ask(struct still *s, struct ui_app *a, const struct ui_who *who)
{
	struct pass_ask q = { .kind = PASS_STILL };

	s->app = a;
	(void)str_copy(s->name, sizeof(s->name), who->name);
	(void)str_copy(q.name, sizeof(q.name), who->name);
	if (ui_gate_ask(a->gate, &q, on_answer, s) != 0)
		memset(s, 0, sizeof(*s));
}

/* The row of this name, else a free one, else NULL. */
static struct still *
row_of(const char *name)
{
	struct still *s = NULL;

	for (unsigned i = 0; i < AT_ONCE; i++)
		if (strcmp(asked[i].name, name) == 0)
			return &asked[i];
		else if (*asked[i].name == '\0')
			s = &asked[i];
	return s;
}

void
ui_app_check(struct ui_app *a, uint64_t now_ms)
{
	struct ui_who *who, *same;
	struct still *s;

	while (a->gate != NULL && (who = ui_login_oldest(a->login, now_ms,
							 CHECK_MS)) != NULL) {
		if ((s = row_of(who->name)) == NULL)
			return;
		if (*s->name == '\0')
			ask(s, a, who);
		for (unsigned it = 0; (same = ui_login_of(a->login, who->name,
							  &it)) != NULL;)
			same->checked_ms = now_ms;
	}
}
