/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/door.c - who reads the sockets of strangers, and their judge.
 */
#include "daemon/core/door.h"
#include <linux/sock_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/drop.h"
#include "daemon/base/log.h"
#include "daemon/base/thr.h"
#include "daemon/core/udp.h"
#include "daemon/core/wire.h"
#include "daemon/core/work.h"
#include "ikev2/gate.h"

#define DOOR_FDS    (2 * FAM_END)
#define DOOR_BUFS   256
#define DOOR_ROOM   66048	/* a whole UDP datagram; taken lazily */
#define DOOR_POSTED 128		/* requests on their way to the loop; ours */
#define DOOR_NICE   19		/* the lowest there is */
#define DOOR_MEMINFO (SK_MEMINFO_DROPS + 1)

struct door {
	struct vpn *vpn;
	int fd[DOOR_FDS];		/* -1 = none; immutable */
	bool is_nat[DOOR_FDS];
	uint32_t n_lost[DOOR_FDS];	/* owner: loop */
	bool is_shut;			/* owner: loop */
	struct buf_pool *pool;		/* owner: the thread */
	struct ike_gate_seat seat;	/* owner: the thread */
	struct thr *thr;
	int wake;
	atomic_bool is_stopped, is_reading;
	atomic_uint n_posted;		/* on their way to the loop */
};

/* What goes to the loop. */
struct admitted {
	struct door *door;
	struct buf *b;
	struct ike_proof proof;
	bool is_nat;
};

/* ---- on the loop --------------------------------------------------------- */

static void
on_admitted(void *vpn, void *item)
{
	struct admitted *a = item;

	atomic_fetch_sub(&a->door->n_posted, 1);
	wire_ike_proven(vpn, a->b, a->is_nat, &a->proof);
	free(a);
}

void
door_level(struct door *d, enum ike_gate_level level)
{
	bool is_shut = level != IKE_GATE_OPEN;
	uint64_t one = 1;

	if (d == NULL || d->is_shut == is_shut)
		return;
	d->is_shut = is_shut;
	for (unsigned i = 0; i < DOOR_FDS; i++)
		if (d->fd[i] >= 0)
			loop_want_in(d->vpn->loop, d->fd[i], !is_shut);
	atomic_store(&d->is_reading, is_shut);
	if (write(d->wake, &one, sizeof(one)) < 0)
		return; /* the counter is at its top: it wakes anyway */
}

void
door_count(struct door *d)
{
	uint32_t info[DOOR_MEMINFO];

	for (unsigned i = 0; d != NULL && i < DOOR_FDS; i++) {
		socklen_t len = sizeof(info);

		if (d->fd[i] < 0 || getsockopt(d->fd[i], SOL_SOCKET, SO_MEMINFO,
		    info, &len) != 0 || len < sizeof(info))
			continue;
		drop_count(DROP_IKE_DOOR, info[SK_MEMINFO_DROPS] -
			   d->n_lost[i]);
		d->n_lost[i] = info[SK_MEMINFO_DROPS];
	}
}

/* ---- on the thread ------------------------------------------------------- */

/* Takes b. */
static void
admit(struct door *d, struct buf *b, bool is_nat, const struct ike_proof *proof)
{
	struct admitted *a;

	if (atomic_fetch_add(&d->n_posted, 1) < DOOR_POSTED &&
	    (a = malloc(sizeof(*a))) != NULL) {
		*a = (struct admitted){ d, b, *proof, is_nat };
		if (loop_post(d->vpn->loop, on_admitted, d->vpn, a) == 0)
			return;
		free(a);
	}
	atomic_fetch_sub(&d->n_posted, 1);
	drop_count(DROP_IKE_DOOR, 1);
	buf_put(b);
}

/* A datagram that the filter of the sockets took for a request; takes b. */
static void
visitor(struct door *d, struct buf *b, int fd, bool is_nat)
{
	uint8_t answer[IKE_GATE_ANSWER_MAX];
	struct ike_proof proof = { .has_cookie = false };
	size_t len = 0;

	/* where the kernel does not steer, anything may come here */
	if (!ike_gate_is_mine(buf_view(b))) {
		admit(d, b, is_nat, &proof);
		return;
	}
	switch (ike_gate_judge(ike_gate_of(d->vpn->ike), &d->seat, NULL,
	    &b->from, buf_view(b), clk_ms(), answer, &len, &proof)) {
	case IKE_GATE_ADMIT:
		admit(d, b, is_nat, &proof);
		return;
	case IKE_GATE_ANSWER:
		udp_send_msg(fd, &(struct udp_way){ .local = &b->to,
			     .remote = &b->from, .is_natt = is_nat },
			     (struct view){ answer, len });
		break;
	case IKE_GATE_DROP:
		break;
	}
	buf_put(b);
}

/* RFC 3948 2.2: IKE behind its marker; ESP only where the kernel does not
 * steer. */
static void
visitor_nat(struct door *d, struct buf *b, int fd)
{
	struct cur c;
	uint32_t spi;

	cur_init(&c, b->data, b->len);
	if (cur_u32(&c, &spi) == 0 && spi != 0)
		work_hand_over(d->vpn->work, esp_in_worker(d->vpn->esp, b),
			       WORK_IN, &b, 1);
	else if (buf_pull(b, sizeof(spi)) == 0)
		visitor(d, b, fd, true);
	else
		buf_put(b);	/* a keep-alive */
}

static void
drain(struct door *d, unsigned i)
{
	uint16_t port = d->is_nat[i] ? d->vpn->nat_port : d->vpn->port;
	struct buf *b[VPN_BATCH];
	unsigned n = udp_recv(d->fd[i], d->pool, port, false, b,
			      VPN_BATCH);

	for (unsigned k = 0; k < n; k++) {
		if (d->is_nat[i])
			visitor_nat(d, b[k], d->fd[i]);
		else
			visitor(d, b[k], d->fd[i], false);
	}
}

static void
door_main(void *ctx)
{
	struct door *d = ctx;
	struct pollfd p[1 + DOOR_FDS];
	uint64_t junk;

	p[0] = (struct pollfd){ .fd = d->wake, .events = POLLIN };
	while (!atomic_load(&d->is_stopped)) {
		bool is_reading = atomic_load(&d->is_reading);

		/* poll() passes over negative descriptors */
		for (unsigned i = 0; i < DOOR_FDS; i++)
			p[1 + i] = (struct pollfd){
				.fd = is_reading ? d->fd[i] : -1,
				.events = POLLIN,
			};
		if (poll(p, N_OF(p), -1) < 0)
			continue;
		if (p[0].revents != 0 &&
		    read(d->wake, &junk, sizeof(junk)) < 0)
			return;
		for (unsigned i = 0; i < DOOR_FDS; i++)
			if (p[1 + i].revents != 0)
				drain(d, i);
	}
}

/* ---- start and end ------------------------------------------------------- */

static int
watch(struct door *d, loop_fd_fn *on_ike, loop_fd_fn *on_nat)
{
	const struct sock_set *s = &d->vpn->socks;
	int err;

	for (unsigned i = 0; i < DOOR_FDS; i++) {
		unsigned fam = i / 2;

		d->is_nat[i] = i % 2 != 0;
		d->fd[i] = d->is_nat[i] ? s->nat_door[fam] : s->door[fam];
		if (d->fd[i] >= 0 && (err = loop_add(d->vpn->loop, d->fd[i],
		    d->is_nat[i] ? on_nat : on_ike, d->vpn)) != 0)
			return err;
	}
	return 0;
}

int
door_new(struct door **out, struct vpn *v, loop_fd_fn *on_ike,
	 loop_fd_fn *on_nat)
{
	struct door *d = calloc(1, sizeof(*d));
	int err;

	if (d == NULL)
		return ERR_NOMEM;
	*out = d;
	d->vpn = v;
	d->wake = eventfd(0, EFD_CLOEXEC);
	if (d->wake < 0)
		return ERR_SYS;
	if ((err = buf_pool_new(&d->pool, DOOR_BUFS, DOOR_ROOM)) != 0 ||
	    (err = watch(d, on_ike, on_nat)) != 0 ||
	    (err = thr_start(&d->thr, "tapir-door", door_main, d)) != 0)
		return err;
	if (thr_nice(d->thr, DOOR_NICE) != 0)
		log_debug("core", "the priority of tapir-door stays as it is");
	return 0;
}

void
door_stop(struct door *d)
{
	uint64_t one = 1;

	if (d == NULL || d->thr == NULL)
		return;
	atomic_store(&d->is_stopped, true);
	if (write(d->wake, &one, sizeof(one)) < 0)
		return; /* cannot be: the counter is far from its top */
	thr_join(d->thr);
	d->thr = NULL;
}

void
door_free(struct door *d)
{
	if (d == NULL)
		return;
	door_stop(d);
	ike_gate_seat_fini(&d->seat);
	buf_pool_free(d->pool);
	if (d->wake >= 0)
		close(d->wake);
	free(d);
}
