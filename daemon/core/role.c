/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/role.c - the main role: builds everything bottom-up, confines
 * itself, runs the loop, takes it down top-down.
 */
#include "daemon/core/role.h"
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/base/thr.h"
#include "daemon/bus/bus.h"
#include "daemon/core/bridge.h"
#include "daemon/core/cap.h"
#include "daemon/core/clock.h"
#include "daemon/core/ctl.h"
#include "daemon/core/door.h"
#include "daemon/core/icmp.h"
#include "daemon/core/fallback.h"
#include "daemon/core/gsotest.h"
#include "daemon/core/loop.h"
#include "daemon/core/mtu.h"
#include "daemon/core/pool.h"
#include "daemon/core/realm.h"
#include "daemon/core/reload.h"
#include "daemon/core/resolve.h"
#include "daemon/core/scribe.h"
#include "daemon/core/secure.h"
#include "daemon/core/sock.h"
#include "daemon/core/uplink.h"
#include "daemon/core/udp.h"
#include "daemon/core/wire.h"
#include "daemon/core/work.h"
#include "daemon/ipc/confine.h"
#include "daemon/ipc/msg.h"
#include "spi/spi_crypto.h"
#include "spi/spi_esp.h"

#define LOOP_POOL_BUFS 256	/* datagrams on port 500 under way at once */
#define LOOP_POOL_ROOM 66048	/* a whole UDP datagram; taken lazily */
#define SECOND_MS      1000
#define WORD_FDS       2	/* descriptors with one word of the supervisor */
#define MMAP_BYTES     (64 << 10) /* tables at least so large; ours */

struct role {
	struct vpn vpn;
	const struct role_args *args;
	struct tmr second;		/* hub_tick() */
	uint64_t beat_ms;		/* when the next ROLE_BEAT is due */
	struct clock_watch clock;
	int sig_fd;
	uint32_t feat;
};

/* ---- the secure process -------------------------------------------------- */

static void
on_secure_lost(void *ctx, const char *why)
{
	struct role *r = ctx;
	struct bus_rec ev;
	uint8_t word[ROLE_WORD_MAX];
	struct wcur w;

	if (r->vpn.is_stopping || r->vpn.ike == NULL)
		return;
	bus_rec_init(&ev, BUS_EV_SECURE_LOST);
	bus_set_str(&ev, BUS_F_WHY, why);
	vpn_publish(&r->vpn, &ev);
	/* It may live on, out of its mind: the supervisor ends it. */
	wcur_init(&w, word, sizeof(word));
	wcur_u8(&w, ROLE_DISTRUST);
	wcur_u32(&w, (uint32_t)secure_pid(r->vpn.secure));
	(void)!send(r->args->sup_fd, word, w.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	wire_ike_secure_lost(&r->vpn);
}

static void
on_secure_ready(void *ctx, uint32_t features UNUSED)
{
	struct role *r = ctx;
	struct bus_rec ev;

	bus_rec_init(&ev, BUS_EV_SECURE_BACK);
	bus_set_u64(&ev, BUS_F_PID, (uint64_t)secure_pid(r->vpn.secure));
	vpn_publish(&r->vpn, &ev);
	/* it has read the keys anew */
	ike_recheck(r->vpn.ike, clk_ms());
}

static void
on_secure_lists(void *ctx)
{
	struct role *r = ctx;

	if (r->vpn.ike != NULL)
		ike_recheck(r->vpn.ike, clk_ms());
}

static void
on_secure_answer(void *ctx, const struct ike_ans *ans)
{
	struct role *r = ctx;

	wire_ike_answer(&r->vpn, ans);
}

static void
on_secure_trust(void *ctx, struct view certreq, struct view auth_ann)
{
	struct role *r = ctx;
	int err = 0;

	if (r->vpn.ike != NULL)
		err = ike_set_cert_asks(r->vpn.ike, certreq, auth_ann);
	if (err != 0)
		log_warn("ike", "peers are not told whom we trust: %s",
			 err_text(err));
}

static void
on_secure_bridge(void *ctx, uint32_t realm, int err, bool has_joined,
		 const char *why)
{
	struct role *r = ctx;

	bridge_answer(&r->vpn, realm, err, has_joined, why);
}

static void
on_secure_mark(void *ctx, uint32_t realm, uint32_t peer, const char *mark)
{
	struct role *r = ctx;

	wire_why_mark(&r->vpn, realm, peer, mark);
}

static struct secure_cb
secure_cbs(struct role *r)
{
	return (struct secure_cb){
		.ctx = r, .answer = on_secure_answer,
		.lost = on_secure_lost, .trust = on_secure_trust,
		.mark = on_secure_mark, .bridge = on_secure_bridge,
		.ready = on_secure_ready, .lists = on_secure_lists,
	};
}

static int
secure_take(struct role *r, int fd)
{
	struct secure_cb cb = secure_cbs(r);
	int err;

	err = secure_new(&r->vpn.secure, fd, r->args->secure_uid, &cb);
	if (err != 0)
		close(fd);
	return err;
}

/* HELLO at the start. */
static int
secure_open(struct role *r, int fd)
{
	char why[IPC_WHY_MAX + 1];
	uint32_t feat;
	int err;

	if ((err = secure_take(r, fd)) != 0) {
		log_error("tapird", "cannot use the channel to the secure "
			  "process: %s", err_text(err));
		return err;
	}
	if ((err = secure_hello(r->vpn.secure, &feat, why)) != 0)
		log_error("tapird", "%s", why);
	return err;
}

/* A new one took its place.  The loop does not wait for it. */
static void
secure_again(struct role *r, int fd)
{
	int err;

	if (secure_is_open(r->vpn.secure)) /* its end was not noticed yet */
		on_secure_lost(r, "it was replaced");
	secure_free(r->vpn.secure);
	r->vpn.secure = NULL;
	if ((err = secure_take(r, fd)) != 0 ||
	    (err = secure_attach(r->vpn.secure, r->vpn.loop)) != 0 ||
	    (err = secure_hello_later(r->vpn.secure)) != 0)
		log_error("tapird", "the new secure process cannot be used: %s",
			  err_text(err));
}

/* ---- words of the supervisor --------------------------------------------- */

static void
stop(struct role *r, const char *why)
{
	struct bus_rec ev;

	if (r->vpn.is_stopping)
		return;
	r->vpn.is_stopping = true;
	bus_rec_init(&ev, BUS_EV_DAEMON_STOPPING);
	bus_set_str(&ev, BUS_F_WHY, why);
	vpn_publish(&r->vpn, &ev);
	ike_shutdown(r->vpn.ike, clk_ms());
	loop_stop(r->vpn.loop);
}

/* One word, perhaps with descriptors (-1 = none).  0 at the end. */
static ssize_t
word_recv(int sup, uint8_t *word, size_t cap, int fd[WORD_FDS])
{
	union {
		struct cmsghdr align;
		char b[CMSG_SPACE(WORD_FDS * sizeof(int))];
	} ctl;
	struct iovec iov = { word, cap };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
			    .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
	ssize_t n = recvmsg(sup, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;

	fd[0] = fd[1] = -1;
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len > CMSG_LEN(0))
		memcpy(fd, CMSG_DATA(c), MIN(c->cmsg_len - CMSG_LEN(0),
					     WORD_FDS * sizeof(int)));
	return n;
}

static void
on_supervisor(void *ctx, int sup, uint32_t events UNUSED)
{
	static uint8_t word[ROLE_SAY_MAX + ROLE_WORD_MAX];
	struct role *r = ctx;
	int fd[WORD_FDS];
	ssize_t n = word_recv(sup, word, sizeof(word), fd);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		stop(r, "the supervisor is gone");
		return;
	}
	switch (word[0]) {
	case ROLE_TERMINATE:
		stop(r, "asked to");
		break;
	case ROLE_SECURE:
		if (fd[0] >= 0)
			secure_again(r, fd[0]);
		fd[0] = -1;
		break;
	case ROLE_RESOLVE:
		if (fd[0] >= 0)
			resolve_renew(r->vpn.resolve, fd[0]);
		fd[0] = -1;
		break;
	case ROLE_DIARY:
		if (fd[0] >= 0)
			scribe_renew(r->vpn.scribe, fd[0]);
		fd[0] = -1;
		break;
	case ROLE_WEB:
		if (fd[0] >= 0 && ctl_adopt_web(r->vpn.ctl, fd[0]) == 0)
			fd[0] = -1;
		break;
	case ROLE_CONF:
		reload_conf(r->vpn.reload, (struct view){ word + 1,
		    (size_t)n - 1 }, fd[0], fd[1]);
		fd[0] = fd[1] = -1;
		break;
	case ROLE_WRITTEN:
		reload_written(r->vpn.reload, (struct view){ word + 1,
		    (size_t)n - 1 });
		break;
	case ROLE_AUDIT:
		reload_audit(r->vpn.reload, (struct view){ word + 1,
		    (size_t)n - 1 });
		break;
	case ROLE_SAY:
		reload_said(r->vpn.reload, (struct view){ word + 1,
		    (size_t)n - 1 });
		break;
	default:
		break;
	}
	for (unsigned i = 0; i < WORD_FDS; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}

static void
word_send(const struct role *r, char word)
{
	(void)!send(r->args->sup_fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
on_signal(void *ctx, int fd, uint32_t events UNUSED)
{
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof(si)) == sizeof(si))
		stop(ctx, "signal");
}

/* SIGTERM and SIGINT arrive here when somebody signals this process alone;
 * every thread started later inherits the mask. */
static int
signals(struct role *r)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGPIPE);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_SYS;
	sigdelset(&set, SIGHUP);
	sigdelset(&set, SIGPIPE);
	r->sig_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r->sig_fd < 0)
		return ERR_SYS;
	return loop_add(r->vpn.loop, r->sig_fd, on_signal, r);
}

/* ---- the loop's regular work --------------------------------------------- */

static void
clock_look(struct role *r)
{
	uint64_t wall_ms = clk_wall_ms(), was_ms;
	struct bus_rec ev;

	if (!clock_was_set(&r->clock, clk_ms(), wall_ms, &was_ms))
		return;
	clock_event(&ev, was_ms, wall_ms);
	vpn_publish(&r->vpn, &ev);
	/* a certificate may have been the reason that is none any more */
	ike_try_soon(r->vpn.ike, clk_ms());
}

static void
on_second(void *ctx)
{
	struct role *r = ctx;
	uint64_t now = clk_ms();

	bool has_work = false;

	icmp_tick(r->vpn.icmp);
	if (now >= r->beat_ms) {
		word_send(r, ROLE_BEAT);
		r->beat_ms = now + ROLE_BEAT_MS;
	}
	for (unsigned i = 0; i < r->vpn.n_realm; i++)
		if (r->vpn.realm[i].hub != NULL)
			has_work |= hub_tick(r->vpn.realm[i].hub, now);
	if (has_work)
		work_kick(r->vpn.work);
	bridge_tick(&r->vpn);
	mtu_tick(r->vpn.mtu, now);
	door_count(r->vpn.door);
	clock_look(r);
	vpn_publish_tick(&r->vpn);
	capture_tick(&r->vpn);
	if (tmr_start(loop_timers(r->vpn.loop), &r->second,
		      now + SECOND_MS) != 0)
		log_error("tapird", "the hubs do not age any more: %s",
			  err_text(ERR_NOMEM));
}

/* Before each wait: let the engine do what is due. */
static uint64_t
on_idle(void *ctx)
{
	struct vpn *v = ctx;
	uint64_t now = clk_ms();

	if (ike_next(v->ike) <= now)
		ike_tick(v->ike, now);
	wire_ike_idle(v);
	return ike_next(v->ike);
}

static void
on_ike_socket(void *ctx, int fd, uint32_t events UNUSED)
{
	struct vpn *v = ctx;
	struct buf *b[VPN_BATCH];
	unsigned n = udp_recv(fd, v->loop_pool, v->port, false,
			      b, VPN_BATCH);

	for (unsigned i = 0; i < n; i++)
		wire_ike_datagram(v, b[i]);
}

/* Port 4500: IKE behind its marker (RFC 3948 2.2).  ESP is here only where the
 * kernel does not steer. */
static void
on_nat_socket(void *ctx, int fd, uint32_t events UNUSED)
{
	struct vpn *v = ctx;
	struct buf *b[VPN_BATCH];
	unsigned n = udp_recv(fd, v->loop_pool, v->nat_port,
			      false, b, VPN_BATCH);
	struct cur c;
	uint32_t spi;

	for (unsigned i = 0; i < n; i++) {
		cur_init(&c, b[i]->data, b[i]->len);
		if (cur_u32(&c, &spi) != 0)
			buf_put(b[i]); /* a keep-alive */
		else if (spi != 0)
			work_hand_over(v->work, esp_in_worker(v->esp, b[i]),
				       WORK_IN, &b[i], 1);
		else if (buf_pull(b[i], sizeof(spi)) == 0)
			wire_ike_datagram(v, b[i]);
		else
			buf_put(b[i]); /* not reached: four bytes were there */
	}
}

/* ---- start --------------------------------------------------------------- */

static int
key_log_open(struct role *r)
{
	static FILE *f;

	if (r->args->key_log_fd < 0)
		return 0;
	f = fdopen(r->args->key_log_fd, "w");
	if (f == NULL)
		return ERR_SYS;
	setvbuf(f, NULL, _IOLBF, 0);
	log_warn("tapird", "session keys are written to a file (--key-log): "
		 "anybody who reads it can decrypt this traffic");
	realm_key_log(&r->vpn, f);
	return 0;
}

/* Trains that arrive changed are worse than none. */
static void
trains_test(struct vpn *v)
{
	int err;

	if (fallback_has(v->fallback, FALLBACK_UDP_GSO))
		return;
	err = gsotest_run(fallback_has(v->fallback, FAULT_GSO_MANGLED));
	if (err == 0)
		return;
	if (err == ERR_SYS) {
		log_debug("core", "trains over loopback could not be tried");
		return;
	}
	v->fallback |= 1u << FALLBACK_UDP_GSO;
	log_warn("core", err == ERR_UNSUP ?
		 "this kernel takes no trains of packets (UDP_SEGMENT): each is "
		 "sent by itself, which is slower" :
		 "this kernel changes packets that it is given as a train "
		 "(UDP_SEGMENT): each is sent by itself, which is slower; "
		 "another kernel would not");
}

/* Where the diary writes the log, it decides by level; it wants the most that
 * any of its logs does. */
static int
log_open(struct role *r)
{
	int err = scribe_new(&r->vpn.scribe, &r->vpn, r->args->diary_fd);

	if (err == 0)
		scribe_conf(r->vpn.scribe, r->vpn.conf);
	return err;
}

/* Parts that need no secure process and no rights. */
static int
build_base(struct role *r)
{
	struct vpn *v = &r->vpn;
	struct conf *c;
	int err;

	if ((err = sock_parse(r->args->socks, &v->socks)) != 0 ||
	    (err = reload_parse(r->args->conf_fd, r->args->conf_name, &c)) != 0)
		return err;
	v->conf = c;
	v->port = (uint16_t)c->port;
	v->nat_port = (uint16_t)c->nat_port;
	v->n_worker = v->socks.n_worker;
	v->fallback = r->args->fallback;
	trains_test(v);
	v->start_ms = clk_ms();
	v->link = calloc(VPN_LINK_MAX, sizeof(*v->link));
	if (v->link == NULL || vpn_limit_new(&v->limit) != 0)
		return ERR_NOMEM;
	if ((err = bus_new(&v->bus)) != 0 || (err = loop_new(&v->loop)) != 0 ||
	    (err = buf_pool_new(&v->loop_pool, LOOP_POOL_BUFS,
				LOOP_POOL_ROOM)) != 0 ||
	    (err = log_open(r)) != 0)
		return err;
	return signals(r);
}

static int
build_links(struct role *r)
{
	struct vpn *v = &r->vpn;
	const struct reload_args ra = {
		.sup_fd = r->args->sup_fd, .conf_name = r->args->conf_name,
		.secure_uid = r->args->secure_uid, .cb = secure_cbs(r),
	};
	int err;

	for (int fam = FAM_V4; fam < FAM_END; fam++)
		if (v->socks.ike[fam] >= 0 &&
		    ((err = loop_add(v->loop, v->socks.ike[fam],
				     on_ike_socket, v)) != 0 ||
		     (err = loop_add(v->loop, v->socks.nat_ike[fam],
				     on_nat_socket, v)) != 0))
			return err;
	if ((err = door_new(&v->door, v, on_ike_socket, on_nat_socket)) != 0 ||
	    (err = loop_add(v->loop, r->args->sup_fd, on_supervisor,
			    r)) != 0 ||
	    (err = secure_attach(v->secure, v->loop)) != 0 ||
	    (err = resolve_new(&v->resolve, r->args->resolve_fd, v->loop,
			       wire_ike_resolved, v)) != 0 ||
	    (err = reload_new(&v->reload, v, &ra)) != 0 ||
	    (err = icmp_new(&v->icmp, v)) != 0 ||
	    (err = uplink_new(&v->uplink, v)) != 0 ||
	    (err = ctl_new(&v->ctl, v, v->socks.ctl, r->args->owner)) != 0 ||
	    (r->args->web_fd >= 0 &&
	     (err = ctl_adopt_web(v->ctl, r->args->web_fd)) != 0))
		return err;
	loop_set_idle(v->loop, on_idle, v);
	clock_look(r);		/* from now on */
	tmr_init(&r->second, on_second, r);
	return tmr_start(loop_timers(v->loop), &r->second,
			 clk_ms() + SECOND_MS);
}

/* Everything, in the order of dependence.  Errors are logged here. */
static int
build(struct role *r)
{
	struct vpn *v = &r->vpn;
	int err;

	if ((err = build_base(r)) != 0) {
		log_error("tapird", "cannot start: %s", err_text(err));
		return err;
	}
	/* The secure process accepts messages of the dropped user only. */
	if ((err = sandbox_drop(&r->args->user, &r->feat)) != 0) {
		log_error("tapird", "cannot give up its rights: %s",
			  err_text(err));
		return err;
	}
	if ((err = secure_open(r, r->args->secure_fd)) != 0 ||
	    (err = realm_open_all(v)) != 0 ||
	    (err = spi_esp_load(v->conf->esp_provider)) != 0)
		return err; /* said already */
	/* while files can be opened; it also finds out about the KEMs */
	if ((err = spi_crypto()->self_test()) != 0) {
		log_error("tapird", "OpenSSL lacks what we need: %s",
			  err_text(err));
		return err;
	}
	if ((err = sandbox_files(&r->feat)) != 0 ||
	    (err = realm_start(v)) != 0 || (err = key_log_open(r)) != 0 ||
	    (err = build_links(r)) != 0 || (err = work_start(v->work)) != 0 ||
	    (err = sandbox_close(&r->feat)) != 0)
		log_error("tapird", "cannot start: %s", err_text(err));
	return err;
}

static void
announce(struct role *r)
{
	struct bus_rec ev;

	bus_rec_init(&ev, BUS_EV_DAEMON_STARTED);
	bus_set_str(&ev, BUS_F_VERSION, TAPIR_VERSION);
	bus_set_str(&ev, BUS_F_FILE, r->args->conf_name);
	bus_set_u64(&ev, BUS_F_PID, (uint64_t)getpid());
	vpn_publish(&r->vpn, &ev);
	realm_announce(&r->vpn);
	bridge_tick(&r->vpn);
	if (secret_is_locked())
		r->feat |= CONFINE_F_LOCKED;
	confine_report("tapird", r->feat);
	bus_rec_init(&ev, BUS_EV_DAEMON_READY);
	bus_set_u64(&ev, BUS_F_N_REALM, r->vpn.conf->n_realm);
	vpn_publish(&r->vpn, &ev);
}

/* Top-down; also after a build() that failed half-way. */
static void
take_down(struct role *r)
{
	struct vpn *v = &r->vpn;

	/* First nobody else runs, then what they posted is let go. */
	v->is_stopping = true;
	work_stop(v->work);
	door_stop(v->door);
	wire_ike_stop(v);
	if (v->loop != NULL) {
		loop_drain(v->loop);
		tmr_stop(loop_timers(v->loop), &r->second);
	}
	ctl_free(v->ctl);
	icmp_free(v->icmp);
	uplink_free(v->uplink);
	v->uplink = NULL;
	wire_why_fini(v);
	resolve_free(v->resolve);
	ike_free(v->ike);
	v->ike = NULL;
	wire_ike_fini(v);
	pools_free(v->pools);
	v->pools = NULL;
	secure_free(v->secure);
	realm_close_all(v);
	door_free(v->door);	/* workers may have held buffers of it */
	v->door = NULL;
	reload_free(v->reload);	/* it waited for workers, perhaps */
	buf_pool_free(v->loop_pool);
	scribe_free(v->scribe);
	v->scribe = NULL;
	vpn_limit_free(v->limit);
	loop_free(v->loop);
	bus_free(v->bus);
	free(v->link);
}

/* Of what the supervisor's starter left open, nothing is inherited further. */
static int
keep_fds(const struct role_args *a)
{
	struct sock_set s;
	int fd[SOCK_FD_MAX + 6];
	unsigned n;

	if (sock_parse(a->socks, &s) != 0)
		return ERR_SYNTAX;
	n = sock_list(&s, fd);
	fd[n++] = a->sup_fd;
	fd[n++] = a->secure_fd;
	fd[n++] = a->resolve_fd;
	fd[n++] = a->diary_fd;
	fd[n++] = a->conf_fd;
	fd[n++] = a->key_log_fd;
	fd[n++] = a->web_fd;
	return confine_fds(fd, n);
}

int
role_main(const struct role_args *a)
{
	static struct role r; /* large, and lives as long as the process */
	int err;

	/* Large tables come from mmap() always: what is never used of them
	 * takes no memory, which a piece of the heap used before would.  Threads
	 * hardly allocate, so they share one arena. */
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
	(void)mallopt(M_ARENA_MAX, 1);
	r.args = a;
	if ((err = keep_fds(a)) != 0)
		log_error("tapird", "cannot start: descriptors: %s",
			  err_text(err));
	else
		err = build(&r);
	if (err == 0) {
		announce(&r);
		word_send(&r, ROLE_READY);
		loop_run(r.vpn.loop);
	} else {
		word_send(&r, ROLE_FAILED);
	}
	take_down(&r);
	return err == 0 ? 0 : 1;
}
