/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/bus/cap_wire.h - a captured packet as a datagram of the control socket.
 *
 *   0       1      2     3       5       13        17      21
 *   +-------+------+-----+-------+-------+---------+-------+
 *   | class | side | out | drop  | time  | length  | link  |
 *   +-------+------+-----+-------+-------+---------+-------+
 *   | local: family, address (16), port  | remote: the same |
 *   +------------------------------------------------------+
 *   | bytes of the packet, as many as were kept            |
 *   +------------------------------------------------------+
 *
 * Big endian.  time: nanoseconds since 1970.  length: of the packet as it was.
 * The class is none of records, so that both go over one socket.  No headers of
 * IP and UDP: who writes the file makes them of the two ends.
 */
#ifndef TAPIR_BUS_CAP_WIRE_H
#define TAPIR_BUS_CAP_WIRE_H

#include "daemon/base/addr.h"
#include "daemon/base/cur.h"

#define CAP_CLASS	0x10	/* no bus_class */
#define CAP_NO_DROP	0xffff
#define CAP_HEAD	59	/* bytes in front of the packet */
#define CAP_BYTES_MAX	65536	/* of a packet that are kept at most; ours */
#define CAP_WIRE_MAX	(CAP_HEAD + CAP_BYTES_MAX)

enum cap_side {
	CAP_FRAME,		/* clear: Ethernet */
	CAP_PACKET,		/* clear: IP */
	CAP_ESP,		/* protocol 50, from the SPI on */
	CAP_ESP_UDP,		/* the same in UDP */
	CAP_IKE,		/* an IKE message, port 500 */
	CAP_IKE_NATT,		/* the same, port 4500, marker removed */
	CAP_LOST,		/* no packet: length of them were lost */
	CAP_SIDE_END
};

/* What a capture is about, as bits. */
enum cap_want {
	CAP_WANT_CLEAR = 1, CAP_WANT_ESP = 2, CAP_WANT_IKE = 4,
	CAP_WANT_DROPPED = 8, CAP_WANT_ALL = 15
};
#define CAP_WANT_WIRE	(CAP_WANT_ESP | CAP_WANT_IKE)	/* nothing of it is in clear */

struct cap_pkt {
	enum cap_side side;
	bool is_out;
	uint16_t drop;		/* enum drop, or CAP_NO_DROP */
	uint64_t time_ns;
	uint32_t len;
	uint32_t link;		/* 0 = not known */
	struct net_ep local, remote;	/* family 0 = not known */
	struct view bytes;
};

/** Write all but the bytes; w has room for CAP_HEAD.  Any thread. */
void cap_enc_head(struct wcur *w, const struct cap_pkt *p);
/** Read a datagram; bytes is a view of it.  0, ERR_SHORT, ERR_SYNTAX. */
MUST_USE int cap_dec(const void *data, size_t len, struct cap_pkt *out);

/** Words (clear esp ike dropped) with blanks or commas between them as bits; no
 * word at all is all of them.  0, or ERR_SYNTAX for any other word. */
MUST_USE int cap_want_parse(const char *text, unsigned *out);

#endif
