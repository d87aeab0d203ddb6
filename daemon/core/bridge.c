/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/bridge.c - TAPs that wait for their bridge.
 */
#include "daemon/core/bridge.h"
#include <string.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/secure.h"
#include "vhub/hub.h"

void
bridge_tick(struct vpn *v)
{
	for (unsigned i = 0; i < v->n_realm; i++)
		if (v->realm[i].conf != NULL &&
		    v->realm[i].conf->bridge != NULL &&
		    !v->realm[i].is_tap_gone)
			secure_bridge(v->secure, v->realm[i].conf->index);
}

static void
tell(struct vpn *v, const struct vpn_realm *r, enum bus_row event)
{
	struct bus_rec ev;

	bus_rec_init(&ev, event);
	bus_set_str(&ev, BUS_F_REALM, r->conf->name);
	bus_set_str(&ev, BUS_F_TAP, r->ifname);
	bus_set_str(&ev, BUS_F_BRIDGE, r->conf->bridge);
	if (event == BUS_EV_REALM_WAITING)
		bus_set_str(&ev, BUS_F_WHY, r->bridge_why);
	vpn_publish(v, &ev);
}

/* The secure process counts as the configuration does. */
static struct vpn_realm *
by_index(struct vpn *v, uint32_t index)
{
	for (unsigned i = 0; i < v->n_realm; i++)
		if (v->realm[i].conf != NULL && v->realm[i].conf->index == index)
			return &v->realm[i];
	return NULL;
}

void
bridge_answer(struct vpn *v, uint32_t realm, int err, bool has_joined,
	      const char *why)
{
	struct vpn_realm *r = by_index(v, realm);
	bool was_waiting;

	if (r == NULL)
		return;
	was_waiting = r->bridge_why[0] != '\0';
	if (r->is_tap_gone || (err == 0 && !has_joined && !was_waiting))
		return;
	if (err != 0) {
		if (*why == '\0')
			why = err_text(err);
		if (was_waiting && strncmp(r->bridge_why, why,
		    sizeof(r->bridge_why) - 1) == 0)
			return;
		str_copy(r->bridge_why, sizeof(r->bridge_why), why);
		tell(v, r, BUS_EV_REALM_WAITING);
	} else {
		r->bridge_why[0] = '\0';
		tell(v, r, BUS_EV_REALM_BRIDGED);
	}
	/* Who was behind the TAP is there no more, or somebody else is. */
	hub_port_flush(r->hub, r->tap_port);
}

void
bridge_status(const struct vpn_realm *r, struct bus_rec *rec)
{
	bool is_waiting = r->bridge_why[0] != '\0';

	bus_set_str(rec, BUS_F_STATE, is_waiting ? "waiting" : "up");
	if (is_waiting)
		bus_set_str(rec, BUS_F_WHY, r->bridge_why);
}
