/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/sock.c - the sockets that need rights.
 *
 * Port 500 is the loop's, but for IKE_SA_INIT requests, which have a socket of
 * their own (door.h); port 4500 has one more of both and some a worker, and the
 * kernel steers by the ESP SPI (assignment, not dispatch):
 *
 *   marker of four zeros (RFC 3948 2.2)       the loop's, or the door's
 *   low bits of the SPI                       which worker
 *   the bits above                            which of its lanes
 *
 * IKE waits behind no data that way, and one SA that fills a socket is in the
 * way of a part of the others only; the worker takes from all in turn.
 */
#include "daemon/core/sock.h"
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/core/fallback.h"
#include "daemon/core/icmp.h"
#include "daemon/core/uplink.h"
#include "daemon/core/pring.h"
#include "daemon/core/udp.h"

#define SOCK_BUF_BYTES (4 << 20) /* kernel buffers: 20 ms at 1.6 Gbit/s */
#define DOOR_BUF_BYTES (512 << 10) /* some hundred requests of strangers */
#define CTL_BACKLOG    16
#define MARKER_LEN     4	/* RFC 3948 2.2 */
#define XCHG_AT	       18	/* in the IKE header, RFC 7296 3.1 */
#define FLAGS_AT       19
#define XCHG_INIT      34
#define FLAG_RESPONSE  0x20

static void
why_set(char *why, size_t cap, const char *what, unsigned port)
{
	why[0] = '\0';
	if (errno == EADDRINUSE)
		str_add(why, cap, "%s port %u is in use: another IKE daemon "
			"(charon, pluto, a second tapird) runs here; stop it or "
			"set port= and nat-port=", what, port);
	else if (errno == EACCES || errno == EPERM)
		str_add(why, cap, "no right to open %s port %u: start tapird as "
			"root", what, port);
	else
		str_add(why, cap, "cannot open %s port %u: %s", what, port,
			strerror(errno));
}

static void
buffers(int fd)
{
	int n = SOCK_BUF_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &n, sizeof(n)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &n, sizeof(n)) != 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
}

static int
set_int(int fd, int level, int name, int v)
{
	return setsockopt(fd, level, name, &v, sizeof(v));
}

/* Packets of the tunnels themselves go around them.  Who may not mark may not
 * make a rule that looks at marks either. */
static void
mark(int fd)
{
	(void)set_int(fd, SOL_SOCKET, SO_MARK, (int)CONF_MARK);
}

/* Options that both UDP and raw sockets want: the address a packet was sent
 * to, and fragmentation of what is larger than the path. */
static void
ip_options(int fd, int fam)
{
	if (fam == FAM_V4) {
		(void)set_int(fd, IPPROTO_IP, IP_PKTINFO, 1);
		(void)set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, UDP_CUT_V4);
	} else {
		(void)set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		(void)set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, UDP_CUT_V6);
	}
	mark(fd);
	buffers(fd);
}

/* Descriptor, or -1 with errno. */
static int
udp_open(int fam, uint16_t port, bool reuse)
{
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(port) };
	int err, fd = socket(fam == FAM_V4 ? AF_INET : AF_INET6,
			     SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (fam == FAM_V6)
		(void)set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (reuse)
		(void)set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	ip_options(fd, fam);
	if ((fam == FAM_V4 ? bind(fd, (struct sockaddr *)&a4, sizeof(a4))
			   : bind(fd, (struct sockaddr *)&a6, sizeof(a6))) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static void
filter(int fd, struct sock_filter *code, size_t n, const char *what)
{
	struct sock_fprog prog = { (unsigned short)n, code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		       sizeof(prog)) != 0)
		log_warn("core", "the kernel does not steer %s (%s): packets are "
			 "handed over instead", what, strerror(errno));
}

/* Requests of strangers to the second socket of the group. */
static void
steer_door(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, XCHG_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, XCHG_INIT, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_AT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_RESPONSE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	filter(fd, code, N_OF(code), "IKE_SA_INIT requests");
}

/*
 * Choose the socket of a group: worker = low bits of the SPI, modulo the number
 * of workers; lane = the bits above them.  What has the non-ESP marker (RFC 3948
 * 2.2) goes to the last but one, a stranger's request to the last.  The program
 * sees the UDP payload; a keep-alive is shorter than what is loaded, which
 * chooses socket 0.
 */
static void
steer(int fd, unsigned n_worker)
{
	unsigned n = vpn_lanes(n_worker);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8),
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, MARKER_LEN + FLAGS_AT, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, MARKER_LEN + XCHG_AT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, XCHG_INIT, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, MARKER_LEN + FLAGS_AT),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, FLAG_RESPONSE, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, n_worker * n + 1),
		BPF_STMT(BPF_RET | BPF_K, n_worker * n),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, ESP_WORKER_BITS),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, n - 1),
		BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_MISC | BPF_TXA, 0),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (1u << ESP_WORKER_BITS) - 1),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, n_worker),
		BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, n),
		BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 0),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};

	filter(fd, code, N_OF(code), "ESP to workers");
}

/* Lanes of all workers. */
static unsigned
n_lane(const struct sock_set *s)
{
	return s->n_worker * vpn_lanes(s->n_worker);
}

/* One more of a group, with a queue that is short: what waits longer is asked
 * again. */
static int
door_open(int fam, uint16_t port)
{
	int n = DOOR_BUF_BYTES, fd = udp_open(fam, port, true);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
	return fd;
}

/* A taken port must not be shared with a stranger's SO_REUSEPORT group, so the
 * port is tried without the option first. */
static int
nat_open(struct sock_set *s, int fam, uint16_t port)
{
	int fd = udp_open(fam, port, false);

	if (fd < 0)
		return -1;
	close(fd);
	for (unsigned i = 0; i < n_lane(s); i++) {
		s->nat[i][fam] = udp_open(fam, port, true);
		if (s->nat[i][fam] < 0)
			return -1;
	}
	s->nat_ike[fam] = udp_open(fam, port, true);
	if (s->nat_ike[fam] < 0)
		return -1;
	s->nat_door[fam] = door_open(fam, port);
	if (s->nat_door[fam] < 0)
		return -1;
	steer(s->nat[0][fam], s->n_worker);
	return 0;
}

/* The same for the port of IKE alone. */
static int
ike_open(struct sock_set *s, int fam, uint16_t port)
{
	int fd = udp_open(fam, port, false);

	if (fd < 0)
		return -1;
	close(fd);
	s->ike[fam] = udp_open(fam, port, true);
	if (s->ike[fam] < 0)
		return -1;
	s->door[fam] = door_open(fam, port);
	if (s->door[fam] < 0)
		return -1;
	steer_door(s->ike[fam]);
	return 0;
}

/* Port 500 and 4500 of a family; *port says which one failed. */
static int
family_open(struct sock_set *s, int fam, const struct conf *conf,
	    unsigned *port)
{
	*port = conf->port;
	if (ike_open(s, fam, (uint16_t)conf->port) != 0)
		return -1;
	*port = conf->nat_port;
	return nat_open(s, fam, (uint16_t)conf->nat_port);
}

static void
fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
family_close(struct sock_set *s, int fam)
{
	fd_close(&s->ike[fam]);
	fd_close(&s->nat_ike[fam]);
	fd_close(&s->door[fam]);
	fd_close(&s->nat_door[fam]);
	for (unsigned i = 0; i < n_lane(s); i++)
		fd_close(&s->nat[i][fam]);
}

static int
probe_open(int fam)
{
	int fd = socket(fam == FAM_V4 ? AF_INET : AF_INET6,
			SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		mark(fd);	/* its routes are those of the others */
	return fd;
}

/* A machine without IPv6 (ipv6.disable=1, the sysctl disable_ipv6, a kernel
 * without it) serves IPv4; a port in use is another matter. */
static bool
is_absent(int fam, int err)
{
	return fam == FAM_V6 && (err == EAFNOSUPPORT || err == EADDRNOTAVAIL ||
				 err == EPROTONOSUPPORT || err == ENODEV);
}

static int
raw_open(int fam)
{
	int fd = socket(fam == FAM_V4 ? AF_INET : AF_INET6,
			SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ESP);

	if (fd < 0) {
		log_warn("core", "no raw ESP over IPv%d (%s): only ESP in UDP",
			 fam == FAM_V4 ? 4 : 6, strerror(errno));
		return -1;
	}
	ip_options(fd, fam);
	return fd;
}

bool
sock_wants_rings(const struct conf *c, unsigned n_worker)
{
	if (n_worker < 2 || !c->packet_ring)
		return false;
	for (unsigned i = 0; i < c->n_realm; i++) {
		const struct conf_realm *r = &c->realm[i];

		if (r->encap == VPN_ENCAP_ESP)
			return true;
		for (unsigned k = 0; k < r->n_peer; k++)
			if (r->peer[k].encap == VPN_ENCAP_ESP)
				return true;
	}
	return false;
}

/* They may be refused, in a container for example: the raw socket does. */
static void
rings_open(struct sock_set *s, int fam)
{
	int fd[VPN_WORKER_MAX];

	if (pring_open(fam, fd, s->n_worker) != 0)
		log_notice("core", "no ring for raw ESP over IPv%d (%s): the raw "
			   "socket does its work, slower",
			   fam == FAM_V4 ? 4 : 6, strerror(errno));
	for (unsigned i = 0; i < s->n_worker; i++)
		s->ring[i][fam] = fd[i];
}

static void
set_init(struct sock_set *s, unsigned n_worker)
{
	memset(s, 0xff, sizeof(*s)); /* every descriptor -1 */
	s->n_worker = n_worker;
}

int
sock_open(struct sock_set *s, const struct conf *conf, unsigned n_worker,
	  uint32_t fallback, char *why, size_t why_cap)
{
	unsigned port;

	set_init(s, n_worker);
	s->uplink = uplink_open(true);
	s->uplink_ask = uplink_open(false);
	for (int fam = FAM_V4; fam < FAM_END; fam++) {
		if (family_open(s, fam, conf, &port) != 0) {
			if (!is_absent(fam, errno)) {
				why_set(why, why_cap, "UDP", port);
				sock_close(s);
				return ERR_SYS;
			}
			log_notice("core", "no IPv6 here (%s): only IPv4 is "
				   "served", strerror(errno));
			family_close(s, fam);
			break;
		}
		s->raw[fam] = raw_open(fam);
		s->probe[fam] = probe_open(fam);
		/* evidence only: without the right it is missed */
		s->icmp[fam] = icmp_open(fam == FAM_V4 ? 4 : 6);
		for (unsigned i = 0; i < n_worker; i++)
			s->route[i][fam] = probe_open(fam);
		if (s->raw[fam] >= 0 && sock_wants_rings(conf, n_worker) &&
		    !fallback_has(fallback, FALLBACK_PACKET_RING))
			rings_open(s, fam);
	}
	return 0;
}

int
sock_ctl(const char *path, mode_t mode, char *why, size_t why_cap)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	why[0] = '\0';
	if (!str_copy(a.sun_path, sizeof(a.sun_path), path)) {
		str_add(why, why_cap, "%s: the path is too long for a socket "
			"(%zu bytes at most): choose a shorter --run-dir", path,
			sizeof(a.sun_path) - 1);
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    chmod(path, mode) != 0 || listen(fd, CTL_BACKLOG) != 0) {
		str_add(why, why_cap, "cannot make %s: %s", path,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

int
sock_private(const char *run_dir, const char *name, char *path, size_t cap,
	     const char *lost)
{
	char why[512];
	int fd;

	path[0] = '\0';
	str_add(path, cap, "%s/%s", run_dir, name);
	/* who takes it looks at credentials as well; nobody else need get so far */
	if ((fd = sock_ctl(path, 0600, why, sizeof(why))) < 0)
		log_error("tapird", "%s; %s", why, lost);
	return fd;
}

/* Visit every descriptor in the fixed order of the text form. */
static int *
set_at(struct sock_set *s, unsigned i)
{
	int *one[] = { &s->ike[0], &s->ike[1], &s->nat_ike[0], &s->nat_ike[1],
		       &s->door[0], &s->door[1], &s->nat_door[0],
		       &s->nat_door[1], &s->raw[0], &s->raw[1], &s->probe[0],
		       &s->probe[1], &s->icmp[0], &s->icmp[1],
		       &s->uplink, &s->uplink_ask, &s->ctl, &s->lease };
	int (*each[])[FAM_END] = { s->ring, s->route };

	_Static_assert(N_OF(one) == SOCK_ONE_N, "SOCK_FD_MAX counts them");
	if (i < N_OF(one))
		return one[i];
	i -= N_OF(one);
	if (i < n_lane(s) * FAM_END)
		return &s->nat[i / FAM_END][i % FAM_END];
	i -= n_lane(s) * FAM_END;
	if (i >= N_OF(each) * s->n_worker * FAM_END)
		return NULL;
	return &each[i % N_OF(each)][i / N_OF(each) / FAM_END]
	    [i / N_OF(each) % FAM_END];
}

void
sock_close(struct sock_set *s)
{
	int *fd;

	for (unsigned i = 0; (fd = set_at(s, i)) != NULL; i++) {
		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

unsigned
sock_list(const struct sock_set *s, int *out)
{
	struct sock_set copy = *s;
	unsigned n = 0;
	int *fd;

	for (unsigned i = 0; (fd = set_at(&copy, i)) != NULL; i++)
		if (*fd >= 0)
			out[n++] = *fd;
	return n;
}

void
sock_spec(const struct sock_set *s, char *out, size_t cap)
{
	struct sock_set copy = *s;
	int *fd;

	out[0] = '\0';
	str_add(out, cap, "%u", s->n_worker);
	for (unsigned i = 0; (fd = set_at(&copy, i)) != NULL; i++)
		str_add(out, cap, ",%d", *fd);
}

int
sock_parse(const char *spec, struct sock_set *out)
{
	int used = 0, *fd;
	unsigned n;

	if (sscanf(spec, "%u%n", &n, &used) != 1 || n == 0 || n > VPN_WORKER_MAX)
		return ERR_SYNTAX;
	set_init(out, n);
	for (unsigned i = 0; (fd = set_at(out, i)) != NULL; i++) {
		spec += used;
		if (sscanf(spec, ",%d%n", fd, &used) != 1)
			return ERR_SYNTAX;
	}
	return spec[used] == '\0' ? 0 : ERR_SYNTAX;
}
