/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_web.c - the command web: a one-time link to the browser
 * interface.
 *
 * The link's secret is made here, told to tapir-web, and shown to whoever asked
 * on the control socket.  It stands behind the # of the address, which browsers
 * do not send.
 *
 * Thread: the loop.
 */
#include "daemon/core/ctl.h"
#include <string.h>
#include "conf/conf.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"

#define LINK_S	   60 /* a link is good so long; contract */
#define LINK_BYTES 32

/* Where browsers find us. */
static void
url_begin(const struct conf_web *w, char *out, size_t cap)
{
	char text[IP_TEXT_MAX], name[CONF_FILE_MAX];
	const char *list = w->host;

	out[0] = '\0';
	str_add(out, cap, w->cert != NULL ? "https://" : "http://");
	if (list != NULL && !conf_web_is_local(w) &&
	    conf_file_next(&list, name, sizeof(name)))
		str_add(out, cap, "%s:%u", name, (unsigned)w->listen_ep.port);
	else if (ip_is_any(&w->listen_ep.ip))
		str_add(out, cap, "localhost:%u", (unsigned)w->listen_ep.port);
	else
		str_add(out, cap, "%s", net_ep_text(&w->listen_ep, text));
}

static void
link_make(struct vpn *v, struct ctl_client *cl, const struct bus_rec *cmd,
	  const char *role)
{
	char token[2 * LINK_BYTES + 1], url[512];
	uint8_t raw[LINK_BYTES];
	struct bus_rec r;

	if (rng_bytes(raw, sizeof(raw)) != 0) {
		ctl_failed(cl, cmd->tag, ERR_RANDOM, err_text(ERR_RANDOM), "");
		return;
	}
	str_hex(token, sizeof(token), raw, sizeof(raw));
	bus_rec_init(&r, BUS_RES_WEB_LINK);
	bus_set_str(&r, BUS_F_TOKEN, token);
	bus_set_str(&r, BUS_F_ROLE, role);
	bus_set_u64(&r, BUS_F_LEFT_S, LINK_S);
	ctl_send(ctl_web(v->ctl), &r, 0);
	url_begin(&v->conf->web, url, sizeof(url));
	str_add(url, sizeof(url), "/#link=%s", token);
	bus_rec_init(&r, BUS_RES_WEB_LINK);
	bus_set_str(&r, BUS_F_URL, url);
	bus_set_str(&r, BUS_F_ROLE, role);
	bus_set_u64(&r, BUS_F_LEFT_S, LINK_S);
	ctl_send(cl, &r, cmd->tag);
	ctl_done(cl, cmd->tag, "");
	wipe(raw, sizeof(raw));
	wipe(token, sizeof(token));
	wipe(url, sizeof(url));
}

void
wire_web_command(struct vpn *v, struct ctl_client *cl,
		 const struct bus_rec *cmd)
{
	static const char *const roles[] = { "admin", "operator", "viewer" };
	const char *role = bus_str(cmd, BUS_F_ROLE);
	bool is_known = *role == '\0';

	for (unsigned i = 0; i < N_OF(roles); i++)
		is_known |= strcmp(role, roles[i]) == 0;
	if (!is_known)
		ctl_failed(cl, cmd->tag, ERR_SYNTAX, "there is no such role",
			   "admin, operator or viewer");
	else if (cl == ctl_web(v->ctl))
		ctl_failed(cl, cmd->tag, ERR_PERM, "links are made on the "
			   "control socket only", "run tapir web as root");
	else if (ctl_web(v->ctl) == NULL)
		ctl_failed(cl, cmd->tag, ERR_CLOSED, "there is no browser "
			   "interface", "tapird was started with --no-web, or "
			   "its log says why");
	else
		link_make(v, cl, cmd, *role != '\0' ? role : roles[0]);
}
