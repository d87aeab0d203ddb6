/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/wire.h - listen on the lab's internet and say what was on it.
 *
 * The proof of the demo: every frame between the two gateways is counted by
 * what it is, and a text that only the inner pings carry is searched for.
 */
#ifndef TAPIR_CLI_LAB_WIRE_H
#define TAPIR_CLI_LAB_WIRE_H

#include "daemon/base/base.h"

enum wire_class {
	WIRE_ESP_UDP,		/* ESP in UDP (RFC 3948) */
	WIRE_ESP,		/* bare ESP */
	WIRE_IKE,
	WIRE_KEEPALIVE,		/* NAT keep-alive, RFC 3948 2.3 */
	WIRE_NEIGH,		/* ARP, ND, MLD between the outer addresses */
	WIRE_INNER,		/* an address from inside the tunnel: a leak */
	WIRE_OTHER,
	WIRE_END
};

/** Name of a class as a JSON key, and in words. */
const char *wire_class_key(enum wire_class c);
const char *wire_class_text(enum wire_class c);

/**
 * What an Ethernet frame is.  10.0.0.0/8 and fd00::/8 are inside, anything
 * else is outside.  Pure.
 */
enum wire_class wire_classify(const void *frame, size_t len);

struct wire {
	int fd;				/* packet socket, -1 = none */
	uint64_t n[WIRE_END];
	uint64_t n_frame;
	uint64_t n_marker;		/* frames with the marker in clear */
	uint64_t n_lost;		/* not seen: the socket was full */
};

/* Fills the pings of the lab; also as ping -p wants it. */
#define WIRE_MARKER	"tapir-in-clear!!"
#define WIRE_MARKER_HEX "74617069722d696e2d636c6561722121"

/** Listen on a device in a namespace.  0 or ERR_SYS. */
MUST_USE int wire_open(struct wire *w, const char *ns, const char *dev);
/** Count what has arrived. */
void wire_read(struct wire *w);
void wire_close(struct wire *w);
/** True when ESP was seen and nothing but ESP, IKE, keep-alives and the outer
 * addresses' neighbour discovery. */
bool wire_is_esp_only(const struct wire *w);

#endif
