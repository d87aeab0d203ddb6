/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/rawrx.c - when a worker looks for raw ESP.
 *
 * Raw sockets have no groups: the first worker reads them, and passes on what is
 * not for it.  Where there are several workers, each has rings of its own
 * (pring.h), which leave little to the raw sockets.
 *
 * Raw ESP comes packet by packet.  A worker that is quick is asleep again before
 * the next one is there, and waking it costs the sender of the packet (in its
 * softirq) and the worker as much as all the rest.  So beyond RATE packets in a
 * window the descriptors leave the epoll set, and the worker looks by itself
 * every LOOK_NS, until nothing comes any more.  A question and its answer never
 * reach that rate, and are not delayed.
 *
 *                    RATE packets in WINDOW_NS
 *      woken by epoll  ---------------------->  looks every LOOK_NS
 *                      <----------------------
 *                        IDLE_LOOKS in vain
 *
 * Thread: the worker.
 */
#include "daemon/core/worker.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include "daemon/base/clk.h"
#include "daemon/base/log.h"
#include "daemon/core/udp.h"

#define WINDOW_NS  1000000u
#define RATE	   64u		/* in a window: 64,000 a second; ours */
#define HOLD_LOOK_MS 2	/* while packets wait for their turn (esp/order.h) */
#define LOOK_NS	   40000u	/* a delay that nobody sees at that rate; at 3
				 * Gbit/s ten packets */
#define IDLE_LOOKS 4u

static int
fd_of(const struct worker *wk, enum src src)
{
	const struct sock_set *s = &wk->vpn->socks;

	switch (src) {
	case SRC_RAW4:
		return s->raw[FAM_V4];
	case SRC_RAW6:
		return s->raw[FAM_V6];
	case SRC_RING4:
		return s->ring[wk->index][FAM_V4];
	case SRC_RING6:
		return s->ring[wk->index][FAM_V6];
	default:
		return -1;
	}
}

/* Does the worker read it? */
static bool
is_mine(const struct worker *wk, enum src src)
{
	if (src == SRC_RAW4 || src == SRC_RAW6)
		return wk->index == 0 && fd_of(wk, src) >= 0;
	return wk->rawrx.ring[src - SRC_RING4] != NULL;
}

int
rawrx_init(struct worker *wk)
{
	struct rawrx *x = &wk->rawrx;
	int err;

	if ((err = frag_new(&x->frag)) != 0)
		return err;
	for (int fam = FAM_V4; fam < FAM_END; fam++) {
		int fd = wk->vpn->socks.ring[wk->index][fam];
		int raw = wk->vpn->socks.raw[fam];

		if (fd >= 0 && pring_new(&x->ring[fam], fd) != 0) {
			log_warn("core", "the ring for raw ESP cannot be mapped "
				 "(%s)", strerror(errno));
			return ERR_SYS;
		}
		if (wk->index == 0 && raw >= 0 &&
		    pring_share(raw, fam, fd >= 0) != 0)
			return ERR_SYS;
	}
	return 0;
}

void
rawrx_fini(struct worker *wk)
{
	for (int fam = FAM_V4; fam < FAM_END; fam++)
		pring_free(wk->rawrx.ring[fam]);
	frag_free(wk->rawrx.frag);
	memset(&wk->rawrx, 0, sizeof(wk->rawrx));
}

static int
watch_all(struct worker *wk, bool on)
{
	int err = 0;

	for (enum src src = SRC_RAW4; src <= SRC_RING6; src++) {
		struct source *s = &wk->rawrx.source[src - SRC_RAW4];
		struct epoll_event ev = { .events = EPOLLIN,
					  .data.ptr = &s->lane };

		s->src = src;
		if (is_mine(wk, src) &&
		    epoll_ctl(wk->ep, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
			      fd_of(wk, src), &ev) != 0)
			err = ERR_SYS;
	}
	return err;
}

int
rawrx_watch(struct worker *wk)
{
	return watch_all(wk, true);
}

/* A batch; how many. */
static unsigned
drain(struct worker *wk, enum src src)
{
	struct pring_rx rx = {
		wk->big, wk->slices, wk->rawrx.frag, &wk->route,
		&wk->n.raw_ring,
	};
	struct buf *b[VPN_BATCH];
	unsigned n;

	if (src == SRC_RAW4 || src == SRC_RAW6)
		n = udp_recv(fd_of(wk, src), wk->pool, 0, true, b, VPN_BATCH);
	else
		n = pring_recv(wk->rawrx.ring[src - SRC_RING4], &rx, b,
			       VPN_BATCH);
	if (n > 0)
		drain_raw(wk, b, n);
	return n;
}

bool
rawrx_drain(struct worker *wk, enum src src)
{
	struct rawrx *x = &wk->rawrx;
	unsigned n = drain(wk, src);
	uint64_t now = clk_ns();

	if (x->is_polling) /* its event was fetched before */
		return false;
	if (now - x->window_ns > WINDOW_NS) {
		x->window_ns = now;
		x->n_seen = 0;
	}
	x->n_seen += n;
	if (x->n_seen < RATE)
		return n == VPN_BATCH;
	if (watch_all(wk, false) != 0) { /* back, those that are there stay */
		(void)watch_all(wk, true);
		return n == VPN_BATCH;
	}
	x->is_polling = true;
	x->n_empty = 0;
	x->looked_ns = now;
	return false;
}

int
rawrx_wait(struct worker *wk, struct epoll_event *ev, int n, bool is_busy)
{
	struct rawrx *x = &wk->rawrx;
	int most_ms = is_busy ? 0 : -1;
	struct timespec ts = { 0, 0 };
	uint64_t past;

	if (UNLIKELY(esp_is_holding(wk->vpn->esp, wk->index)) && !is_busy)
		most_ms = HOLD_LOOK_MS;
	if (LIKELY(!x->is_polling || is_busy))
		return epoll_wait(wk->ep, ev, n, most_ms);
	past = clk_ns() - x->looked_ns;
	if (past < LOOK_NS)
		ts.tv_nsec = (long)(LOOK_NS - past);
	n = epoll_pwait2(wk->ep, ev, n, &ts, NULL);
	if (n >= 0 || errno != ENOSYS) /* Linux before 5.11 */
		return n;
	(void)nanosleep(&ts, NULL);
	return 0;
}

bool
rawrx_look(struct worker *wk)
{
	struct rawrx *x = &wk->rawrx;
	unsigned n = 0;

	if (LIKELY(!x->is_polling) || clk_ns() - x->looked_ns < LOOK_NS)
		return false;
	for (enum src src = SRC_RAW4; src <= SRC_RING6; src++)
		if (is_mine(wk, src))
			n += drain(wk, src);
	x->looked_ns = n < VPN_BATCH ? clk_ns() : 0; /* 0: at once again */
	x->n_empty = n > 0 ? 0 : x->n_empty + 1;
	if (x->n_empty < IDLE_LOOKS)
		return n > 0;
	x->is_polling = false;
	x->n_seen = 0;
	if (watch_all(wk, true) != 0)
		log_rl(LOG_ERROR, "core", "raw ESP is not received any more: "
		       "%s", strerror(errno));
	return n > 0;
}
