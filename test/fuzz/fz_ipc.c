/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/fuzz/fz_ipc.c - a hostile tapird: any sequence of datagrams into the
 * server, with a fake network and no keys on disk.
 *
 * Input: (16-bit length, datagram) again and again.  What decodes must encode
 * to the same bytes; no answer may hold the key.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include "conf/conf.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/keys/store.h"
#include "secure-proc/serve.h"

#define PSK "correct horse battery staple"
static const char conf_text[] =
    "<vpn><realm name='r'><me id='osaka' psk='k'/><peer id='tokyo'/>"
    "<peer id='*.example'/>"
    "<net local='10.1.0.0/16' remote='10.2.0.0/16'/></realm></vpn>";

static struct conf *conf;
static struct sec_store *store;
static struct mac macs[1];

static int
fake_tap(void *ctx UNUSED, const struct sec_tap_req *q, struct sec_tap *out,
	 char *why UNUSED, size_t cap UNUSED)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->ifname, sizeof(out->ifname), "tap-r");
	out->mtu = q->mtu;
	return 0;
}

static int
fake_mtu(void *ctx UNUSED, const struct conf_realm *r UNUSED,
	 uint32_t mtu UNUSED, char *why UNUSED, size_t cap UNUSED)
{
	return 0;
}

static int
fake_bridge(void *ctx UNUSED, const struct conf_realm *r UNUSED,
	    bool *has_joined, char *why UNUSED, size_t cap UNUSED)
{
	*has_joined = false;
	return 0;
}

static int
fake_route(void *ctx UNUSED, const struct sec_route_req *q, char *why UNUSED,
	   size_t cap UNUSED)
{
	/* Nothing outside of the configuration gets this far. */
	if (q->is_add && (q->prefix.addr.b[0] != 10 ||
	    q->prefix.addr.b[1] != 2 || q->prefix.bits < 16))
		abort();
	return 0;
}

/* No peer of this configuration may give us an address. */
static int
fake_addr(void *ctx UNUSED, const struct conf_realm *realm UNUSED,
	  const struct ip_net *a UNUSED, bool is_add UNUSED, char *why UNUSED,
	  size_t cap UNUSED)
{
	abort();
}

static int
fake_lock(void *ctx UNUSED, const struct sec_lock *l UNUSED, char *why UNUSED,
	  size_t cap UNUSED)
{
	return 0;
}

static int
check_answer(void *ctx UNUSED, const struct ipc_msg *m, const int *fds UNUSED,
	     unsigned n_fd UNUSED)
{
	static uint8_t buf[IPC_MSG_MAX];
	size_t len;

	if (ipc_msg_encode(m, buf, sizeof(buf), &len) != 0 ||
	    memmem(buf, len, PSK, strlen(PSK)) != NULL)
		abort();
	return 0;
}

static void
round_trip(const uint8_t *p, size_t len)
{
	static uint8_t buf[IPC_MSG_MAX];
	static struct ipc_msg m;
	size_t n;

	if (ipc_msg_decode(&m, p, len) != 0)
		return;
	if (ipc_msg_encode(&m, buf, sizeof(buf), &n) != 0 || n != len ||
	    memcmp(buf, p, n) != 0)
		abort();
}

static void
quiet(void *ctx UNUSED, enum log_level lv UNUSED, const char *who UNUSED,
      const char *line UNUSED)
{
}

static void
setup(void)
{
	char dir[] = "/tmp/tapir-fuzz-XXXXXX", path[64];
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	int fd;

	log_set_sink(quiet, NULL);
	if (errs == NULL || mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/k", dir);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0 || write(fd, PSK, strlen(PSK)) != (ssize_t)strlen(PSK))
		abort();
	close(fd);
	if (conf_parse(conf_text, strlen(conf_text), "f", NULL, &conf,
	    errs) != 0 ||
	    sec_store_load(&store, conf, dir, geteuid()) != 0)
		abort();
	unlink(path);
	rmdir(dir);
	free(errs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sec_net net = { NULL, fake_tap, fake_mtu, fake_bridge,
		fake_route, fake_addr, fake_lock };
	struct ipc_msg hello;
	struct sec_serve_conf sc;
	struct sec_serve *s;
	uint8_t buf[256];
	uint16_t len;
	struct view v;
	struct cur c;
	size_t n;

	if (conf == NULL)
		setup();
	sc = (struct sec_serve_conf){
		.conf = conf, .store = store, .net = &net, .mac = macs,
	};
	if (sec_serve_new(&s, &sc, check_answer, NULL, 0) != 0)
		abort();
	ipc_msg_init(&hello, IPC_HELLO);
	hello.u.hello.version = IPC_VERSION;
	if (ipc_digest(hello.u.hello.digest) != 0 ||
	    ipc_msg_encode(&hello, buf, sizeof(buf), &n) != 0 ||
	    sec_serve_input(s, (struct view){ buf, n }, 0, 0) != 0)
		abort();
	cur_init(&c, data, size);
	for (uint64_t now_ms = 0; cur_u16(&c, &len) == 0; now_ms += 10) {
		if (cur_view(&c, len, &v) != 0)
			cur_rest(&c, &v);
		round_trip(v.p, v.len);
		if (sec_serve_input(s, v, 0, now_ms) != 0)
			break;
	}
	sec_serve_free(s);
	return 0;
}
