/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/net/tapdev.c - make a TAP device and dress it.
 *
 *   open /dev/net/tun (once a queue) -> TUNSETIFF -> MAC, MTU, queue length
 *   -> addresses -> bridge, up (bridge.c) -> descriptors to main
 *
 * The device is not persistent: closing all queues removes it with everything
 * that hangs on it, so any failure on the way leaves nothing behind.
 *
 * Thread: the only one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/str.h"
#include "secure-proc/net/net.h"
#include "secure-proc/net/netlink.h"

#define TUN_NODE  "/dev/net/tun"
#define TX_QUEUE  500	/* frames or super-frames; the kernel's own default is
			 * 1000.  Below 300 a socket's buffer of small datagrams
			 * no longer fits, and they are lost instead of waited
			 * for; more is only delay.  gso_max_size is left alone:
			 * a bridge cuts what is larger into single frames */

/* UDP super-frames: Linux 6.2. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

static void
queues_close(struct sec_tap *t)
{
	for (unsigned i = 0; i < t->n_fd; i++)
		close(t->fd[i]);
	t->n_fd = 0;
}

static int
node_open(int *fd, char *why, size_t cap)
{
	/* The system call filter permits exactly these flags. */
	*fd = open(TUN_NODE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		snprintf(why, cap, "no " TUN_NODE ": modprobe tun");
	else if (errno == EACCES || errno == EPERM)
		snprintf(why, cap, TUN_NODE " cannot be opened: %s: chmod 666 "
		    "it, or start again if it was made after the start",
		    strerror(errno));
	else
		snprintf(why, cap, TUN_NODE " cannot be opened: %s",
		    strerror(errno));
	return ERR_SYS;
}

static int
queue_attach(int fd, const char *name, short flags, char *why, size_t cap)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	str_copy(ifr.ifr_name, sizeof(ifr.ifr_name), name);
	ifr.ifr_flags = flags;
	if (ioctl(fd, TUNSETIFF, &ifr) == 0)
		return 0;
	if (errno == EBUSY || errno == EEXIST || errno == EINVAL) {
		snprintf(why, cap, "interface %s is in use by another "
		    "program", name);
		return ERR_EXISTS;
	}
	if (errno == EPERM) {
		snprintf(why, cap, "TAP %s cannot be made: no right "
		    "(CAP_NET_ADMIN in this network namespace)", name);
		return ERR_PERM;
	}
	snprintf(why, cap, "TAP %s cannot be made: %s", name, strerror(errno));
	return ERR_SYS;
}

/* What the kernel may hand over undone.  They are of the device, not of the
 * queue, and asking for more than the kernel knows changes nothing. */
static uint32_t
offloads_set(int fd, uint32_t want)
{
	const unsigned long tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 |
	    TUN_F_TSO_ECN;
	const unsigned long uso = TUN_F_USO4 | TUN_F_USO6;

	if ((want & IPC_TAP_USO) != 0 &&
	    ioctl(fd, TUNSETOFFLOAD, tso | uso) == 0)
		return IPC_TAP_VNET | IPC_TAP_TSO | IPC_TAP_USO;
	if ((want & IPC_TAP_TSO) != 0 && ioctl(fd, TUNSETOFFLOAD, tso) == 0)
		return IPC_TAP_VNET | IPC_TAP_TSO;
	return IPC_TAP_VNET;
}

static int
queues_open(struct sec_tap *t, unsigned n, uint32_t want, char *why, size_t cap)
{
	bool has_vnet = (want & IPC_TAP_VNET) != 0;
	int flags = IFF_TAP | IFF_NO_PI;
	int err, fd;

	flags |= n > 1 ? IFF_MULTI_QUEUE : 0;
	flags |= has_vnet ? IFF_VNET_HDR : 0;
	while (t->n_fd < n) {
		if ((err = node_open(&fd, why, cap)) != 0)
			return err;
		t->fd[t->n_fd++] = fd;
		err = queue_attach(fd, t->ifname, (short)flags, why, cap);
		if (err != 0)
			return err;
	}
	t->offloads = has_vnet ? offloads_set(t->fd[0], want) : 0;
	return 0;
}

static int
link_dress(struct sec_netlink *nl, const struct sec_tap_req *q,
	   const struct sec_tap *t, char *why, size_t cap)
{
	struct rtnl_link *l = rtnl_link_alloc();
	struct nl_addr *mac = nl_addr_build(AF_LLC, q->mac.b, sizeof(q->mac.b));
	char what[80];
	int err = ERR_NOMEM;

	snprintf(what, sizeof(what), "TAP %s cannot be set up", t->ifname);
	if (l != NULL && mac != NULL) {
		rtnl_link_set_addr(l, mac);
		rtnl_link_set_mtu(l, q->mtu);
		rtnl_link_set_txqlen(l, TX_QUEUE);
		err = sec_link_change(nl, (int)t->ifindex, l, what, why, cap);
	}
	if (mac != NULL)
		nl_addr_put(mac);
	if (l != NULL)
		rtnl_link_put(l);
	return err;
}

static int
tap_make(struct sec_netlink *nl, const struct sec_tap_req *q,
	 struct sec_tap *t, char *why, size_t cap)
{
	const struct conf_realm *r = q->realm;
	int err, index, bridge = 0;
	bool is_waiting = false;

	if (r->bridge != NULL) {
		err = sec_bridge_find(nl, r->bridge, &bridge, why, cap);
		is_waiting = err == ERR_NOTFOUND;
		if (err != 0 && !is_waiting)
			return err;
		why[0] = '\0';
	}
	index = sec_link_index(nl, t->ifname, NULL);
	if (index != 0) {
		snprintf(why, cap, "interface %s exists already: is another "
		    "instance running?  ip link del %s", t->ifname, t->ifname);
		return ERR_EXISTS;
	}
	err = queues_open(t, q->n_queue, q->offloads, why, cap);
	if (err != 0)
		return err;
	index = sec_link_index(nl, t->ifname, NULL);
	if (index <= 0) {
		snprintf(why, cap, "TAP %s vanished", t->ifname);
		return ERR_SYS;
	}
	t->ifindex = (uint32_t)index;
	if ((err = link_dress(nl, q, t, why, cap)) != 0)
		return err;
	for (unsigned i = 0; i < r->n_addr; i++)
		if ((err = sec_addr_add(nl, index, t->ifname, &r->addr[i], why,
		    cap)) != 0)
			return err;
	/* Without its bridge it stays down: nothing of the peers' LAN shall reach
	 * this machine itself meanwhile, like its router advertisements. */
	return is_waiting ? 0 : sec_link_attach(nl, t->ifname, index, r->bridge,
	    bridge, why, cap);
}

int
sec_tap_open(void *ctx, const struct sec_tap_req *q, struct sec_tap *out,
	     char *why, size_t cap)
{
	struct sec_tap t;
	int err;

	memset(&t, 0, sizeof(t));
	if (!str_copy(t.ifname, sizeof(t.ifname), q->realm->tap)) {
		snprintf(why, cap, "interface name is too long");
		return ERR_LONG;
	}
	t.mac = q->mac;
	t.mtu = q->mtu;
	if ((err = tap_make(ctx, q, &t, why, cap)) != 0) {
		if (why[0] == '\0')
			snprintf(why, cap, "%s", err_text(err));
		queues_close(&t);
		return err;
	}
	sec_full_forget(ctx, q->realm);
	*out = t;
	return 0;
}

int
sec_tap_mtu(void *ctx, const struct conf_realm *realm, uint32_t mtu, char *why,
	    size_t cap)
{
	struct sec_netlink *nl = ctx;
	int err, index = sec_link_index(nl, realm->tap, NULL);
	struct rtnl_link *l;
	char what[80];

	if (index <= 0) {
		snprintf(why, cap, "TAP %s does not exist", realm->tap);
		return ERR_NOTFOUND;
	}
	if ((l = rtnl_link_alloc()) == NULL)
		return ERR_NOMEM;
	snprintf(what, sizeof(what), "MTU of %.16s cannot be set", realm->tap);
	rtnl_link_set_mtu(l, mtu);
	err = sec_link_change(nl, index, l, what, why, cap);
	rtnl_link_put(l);
	return err;
}
