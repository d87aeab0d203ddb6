/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/web.h - the supervisor's part of the browser interface.
 *
 *   supervisor --fork--> nest: in an empty network namespace, waits
 *   supervisor --"start, with these descriptors"--> nest --> tapir-web, which is
 *   the supervisor's child
 *
 * Making a network namespace takes a right that the supervisor gives up; the nest
 * keeps the namespace, so that tapir-web can be started again in it.
 *
 * Nothing here stops the VPN: what fails is logged, and there is no interface.
 */
#ifndef TAPIR_CORE_WEB_H
#define TAPIR_CORE_WEB_H

#include "daemon/core/spawn.h"

/** No descriptor is open yet. */
void web_init(struct super *s);
/** Open the listening sockets and start the nest; before rights are given up. */
void web_open(struct super *s);
/** Start tapir-web, or tell it, that link is its channel to main (taken). */
void web_link(struct super *s, int link);
/** There is another tapir-secure: tapir-web gets a way to it. */
void web_typed(struct super *s);
/** A child ended; true when it was one of these. */
bool web_reaped(struct super *s, pid_t pid, int status, const char *how);
/** When it is to be started again (clk_ms), 0 = not. */
uint64_t web_due(const struct super *s);
/** Start it again if that is due. */
void web_again(struct super *s);
/** Another configuration is in force: it begins anew, a second later. */
void web_renew(struct super *s);
/** End it, and remove its socket. */
void web_end(struct super *s);

#endif
