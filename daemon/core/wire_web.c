/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/wire_web.c - the command web: where browsers find the interface.
 *
 * What logs in there is not made here, where strangers are spoken with
 * (secure-proc/login).
 *
 * Thread: the loop.
 */
#include "daemon/core/ctl.h"
#include "conf/conf.h"
#include "daemon/base/str.h"
#include "daemon/bus/bus.h"

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

void
wire_web_command(struct vpn *v, struct ctl_client *cl,
		 const struct bus_rec *cmd)
{
	char url[BUS_STR_MAX];
	struct bus_rec r;

	if (ctl_web(v->ctl) == NULL) {
		ctl_failed(cl, cmd->tag, ERR_CLOSED, "there is no browser "
			   "interface", "tapird was started with --no-web, or "
			   "its log says why");
		return;
	}
	url_begin(&v->conf->web, url, sizeof(url));
	bus_rec_init(&r, BUS_RES_WEB_LINK);
	bus_set_str(&r, BUS_F_URL, url);
	ctl_send(cl, &r, cmd->tag);
	ctl_done(cl, cmd->tag, "");
}
