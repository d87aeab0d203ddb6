/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/audit.c - who changed what, from what to what.
 *
 * Values are those of the configuration, which has names of key files and never
 * what is in them.
 */
#include "daemon/core/audit.h"
#include <string.h>
#include "conf/diff.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/ctl.h"

#define CHANGES_MAX 200		/* events of one configuration; ours */

const char *
audit_states(struct vpn *v, const uint32_t *link, unsigned n, char *out)
{
	unsigned count[IKE_ST_UP + 1] = { 0 }, held = 0, seen = 0;
	struct ike_link_info li;

	out[0] = '\0';
	for (unsigned i = 0; i < n; i++) {
		if (!ike_link_get(v->ike, link[i], &li))
			continue;
		count[li.state]++;
		held += li.seen.is_held;
		seen++;
	}
	for (unsigned s = 0; s <= IKE_ST_UP; s++) {
		const char *sep = *out != '\0' ? ", " : "";

		if (count[s] > 0 && n == 1)
			str_add(out, AUDIT_STATES_MAX, "%s%s", sep,
				ike_link_state_name((enum ike_link_state)s));
		else if (count[s] > 0)
			str_add(out, AUDIT_STATES_MAX, "%s%u %s", sep, count[s],
				ike_link_state_name((enum ike_link_state)s));
	}
	if (held > 0 && n == 1)
		str_add(out, AUDIT_STATES_MAX, ", held");
	else if (held > 0)
		str_add(out, AUDIT_STATES_MAX, ", %u held", held);
	if (seen < n)
		str_add(out, AUDIT_STATES_MAX, "%s%u gone",
			*out != '\0' ? ", " : "", n - seen);
	return out;
}

void
audit_command(struct vpn *v, const struct ctl_client *cl,
	      const struct bus_rec *cmd, const char *before, const char *after,
	      const char *text)
{
	const char *realm = bus_str(cmd, BUS_F_REALM);
	const char *peer = bus_str(cmd, BUS_F_PEER);
	char of[2 * BUS_STR_MAX / 4] = "", user[CTL_USER_MAX];
	struct bus_rec r;

	bus_rec_init(&r, BUS_EV_COMMAND_RUN);
	bus_set_u64(&r, BUS_F_UID, ctl_uid(cl));
	bus_set_str(&r, BUS_F_USER, ctl_user(cl, user));
	bus_set_str(&r, BUS_F_COMMAND, cmd->desc->name);
	bus_set_str(&r, BUS_F_REALM, realm);
	bus_set_str(&r, BUS_F_PEER, peer);
	bus_set_str(&r, BUS_F_BEFORE, before);
	bus_set_str(&r, BUS_F_AFTER, after);
	str_add(of, sizeof(of), "%s%s%s%s", *realm != '\0' || *peer != '\0' ?
		" " : "", realm, *realm != '\0' && *peer != '\0' ? "/" : "",
		peer);
	bus_set_str(&r, BUS_F_NAME, of);
	if (*before != '\0' && strcmp(before, after) != 0)
		bus_set_fmt(&r, BUS_F_TEXT, "%s, %s -> %s", text, before, after);
	else
		bus_set_str(&r, BUS_F_TEXT, text);
	vpn_publish(v, &r);
}

/* ---- configurations ------------------------------------------------------ */

struct changes {
	struct vpn *v;
	unsigned n;
};

/* conf_diff_fn. */
static void
on_change(void *ctx, const struct conf_change *ch)
{
	char text[CONF_CHANGE_TEXT];
	struct changes *c = ctx;
	struct bus_rec r;

	if (ch->what == CONF_INTERRUPTED || c->n++ >= CHANGES_MAX)
		return;
	bus_rec_init(&r, BUS_EV_CONFIG_CHANGED);
	bus_set_str(&r, BUS_F_REALM, ch->realm);
	bus_set_str(&r, BUS_F_PEER, ch->peer);
	bus_set_str(&r, BUS_F_NAME, ch->option != NULL ? ch->option :
		    ch->element);
	bus_set_str(&r, BUS_F_BEFORE, ch->before);
	bus_set_str(&r, BUS_F_AFTER, ch->after);
	bus_set_str(&r, BUS_F_TEXT, conf_change_text(ch, text));
	vpn_publish(c->v, &r);
}

void
audit_conf(struct vpn *v, const struct conf *old, const struct conf *now)
{
	struct changes c = { v, 0 };
	struct conf_diff_sum sum;
	struct bus_rec r;

	conf_diff(old, now, on_change, &c, &sum);
	if (c.n <= CHANGES_MAX)
		return;
	bus_rec_init(&r, BUS_EV_CONFIG_CHANGED);
	bus_set_fmt(&r, BUS_F_TEXT, "and %u changes more", c.n - CHANGES_MAX);
	vpn_publish(v, &r);
}
