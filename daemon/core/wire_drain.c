/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_drain.c - the command drain: this gateway, or a realm of it, is
 * emptied.
 *
 * Thread: the loop.
 */
#include <string.h>
#include "daemon/base/clk.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"
#include "daemon/core/ctl.h"
#include "daemon/core/wire.h"
#include "ikev2/ike.h"

/* What is to become of peers; false: that is no word for it. */
static bool
mode_of(const struct bus_rec *cmd, enum ike_drain_mode *mode)
{
	const char *kind = bus_str(cmd, BUS_F_KIND);
	bool has_to = *bus_str(cmd, BUS_F_WHAT) != '\0';

	if (*kind == '\0')
		*mode = has_to ? IKE_DRAIN_SEND : IKE_DRAIN_OFF;
	else if (strcmp(kind, "end") == 0)
		*mode = IKE_DRAIN_END;
	else if (strcmp(kind, "keep") == 0)
		*mode = IKE_DRAIN_KEEP;
	else
		return false;
	return *kind == '\0' || !has_to;
}

/* UINT32_MAX: all of them; false: there is no such realm. */
static bool
realm_of(const struct vpn *v, const char *name, uint32_t *out)
{
	*out = UINT32_MAX;
	if (*name == '\0')
		return true;
	for (uint32_t i = 0; i < v->n_realm; i++)
		if (v->realm[i].conf != NULL &&
		    strcmp(v->realm[i].conf->name, name) == 0) {
			*out = i;
			return true;
		}
	return false;
}

static void
say_done(struct ctl_client *cl, const struct bus_rec *cmd,
	 enum ike_drain_mode mode, int n)
{
	const char *are = n == 1 ? " is" : "s are";
	char text[160] = "";

	switch (mode) {
	case IKE_DRAIN_OFF:
		str_add(text, sizeof(text), "peers may connect here again");
		break;
	case IKE_DRAIN_SEND:
		str_add(text, sizeof(text), "%d peer%s told to go; who follows "
			"redirections and comes is sent on", n, are);
		break;
	case IKE_DRAIN_KEEP:
		str_add(text, sizeof(text), "nobody is let in any more; who is "
			"connected stays");
		break;
	case IKE_DRAIN_END:
		str_add(text, sizeof(text), "%d peer%s told goodbye; nobody is "
			"let in any more", n, are);
		break;
	}
	ctl_done(cl, cmd->tag, text);
}

void
wire_drain(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd)
{
	enum ike_drain_mode mode;
	uint32_t realm;
	int n = ERR_RANGE;

	if (!realm_of(v, bus_str(cmd, BUS_F_REALM), &realm)) {
		wire_ctl_no_peer(v, cl, cmd);
		return;
	}
	if (mode_of(cmd, &mode))
		n = ike_drain(v->ike, realm, mode, bus_str(cmd, BUS_F_WHAT),
			      clk_ms());
	wire_ctl_record(v, cl, cmd, n < 0 ? err_text(n) : "done");
	if (n == ERR_RANGE)
		ctl_failed(cl, cmd->tag, n, "what is to become of peers?",
			   "another gateway, end or keep");
	else if (n < 0)
		ctl_failed(cl, cmd->tag, n, "that is no gateway",
			   "an IP address or a host name");
	else
		say_done(cl, cmd, mode, n);
}
