/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/kit.h - what the tests of this folder share: key files
 * in a temporary directory, configurations, IKE_SA_INIT messages.
 */
#ifndef TAPIR_TEST_SECURE_KIT_H
#define TAPIR_TEST_SECURE_KIT_H

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/conf.h"
#include "daemon/base/cur.h"
#include "daemon/base/log.h"
#include "test/lib/test.h"

static char kit_dir[64];

static void
kit_sink(void *ctx UNUSED, enum log_level lv UNUSED, const char *who UNUSED,
	 const char *line UNUSED)
{
}

/* A fresh directory; the log is quiet from here on. */
UNUSED static void
kit_begin(void)
{
	log_set_sink(kit_sink, NULL);
	snprintf(kit_dir, sizeof(kit_dir), "/tmp/tapir-test-XXXXXX");
	assert_non_null(mkdtemp(kit_dir));
}

static inline int
kit_unlink(const char *path, const struct stat *st UNUSED, int what UNUSED,
	   struct FTW *at UNUSED)
{
	return remove(path);
}

UNUSED static void
kit_end(void)
{
	assert_int_equal(nftw(kit_dir, kit_unlink, 8, FTW_DEPTH | FTW_PHYS),
	    0);
}

UNUSED static void
kit_file(const char *name, const void *text, size_t n, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", kit_dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

UNUSED static void
kit_key(const char *name, const char *text)
{
	kit_file(name, text, strlen(text), 0600);
}

/* Parse a configuration that must be right. */
UNUSED static struct conf *
kit_conf(const char *text)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	struct conf *c = NULL;
	int err;

	assert_non_null(errs);
	err = conf_parse(text, strlen(text), "test.xml", NULL, &c, errs);
	if (err != 0)
		conf_errs_print(errs, stderr);
	free(errs);
	assert_int_equal(err, 0);
	return c;
}

#define KIT_INIT_MAX 1024
struct kit_msg {
	uint8_t b[KIT_INIT_MAX];
	size_t len;
};

static const uint8_t kit_ni[32] = {
	0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a,
	0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55,
	0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f
};
static const uint8_t kit_nr[32] = {
	0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
	0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95,
	0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f
};
#define KIT_ISPI UINT64_C(0x1111111111111111)
#define KIT_RSPI UINT64_C(0x2222222222222222)

static inline void
kit_payload(struct wcur *w, uint8_t next, const void *p, size_t n)
{
	wcur_u8(w, next);
	wcur_u8(w, 0);
	wcur_u16(w, (uint16_t)(n + 4));
	wcur_bytes(w, p, n);
}

/* SA, KE, Nonce: as little as an IKE_SA_INIT message may be. */
UNUSED static struct kit_msg
kit_init(bool is_request)
{
	uint8_t sa[8], ke[36] = { 0, 31 };
	struct kit_msg m;
	struct wcur w;

	memset(sa, 0x11, sizeof(sa));
	memset(ke + 4, 0x22, 32);
	wcur_init(&w, m.b, sizeof(m.b));
	wcur_u64(&w, KIT_ISPI);
	wcur_u64(&w, is_request ? 0 : KIT_RSPI);
	wcur_u8(&w, 33);
	wcur_u8(&w, 0x20);
	wcur_u8(&w, 34);
	wcur_u8(&w, is_request ? 0x08 : 0x20);
	wcur_u32(&w, 0);
	wcur_u32(&w, 0);
	kit_payload(&w, 34, sa, sizeof(sa));
	kit_payload(&w, 40, ke, sizeof(ke));
	kit_payload(&w, 0, is_request ? kit_ni : kit_nr, sizeof(kit_ni));
	wcur_put32(&w, 24, (uint32_t)w.len);
	m.len = w.len;
	return m;
}

/* The same of IKE_SESSION_RESUME: a nonce alone. */
UNUSED static struct kit_msg
kit_resume(bool is_request)
{
	struct kit_msg m;
	struct wcur w;

	wcur_init(&w, m.b, sizeof(m.b));
	wcur_u64(&w, KIT_ISPI);
	wcur_u64(&w, is_request ? 0 : KIT_RSPI);
	wcur_u8(&w, 40);
	wcur_u8(&w, 0x20);
	wcur_u8(&w, 38);
	wcur_u8(&w, is_request ? 0x08 : 0x20);
	wcur_u32(&w, 0);
	wcur_u32(&w, 0);
	kit_payload(&w, 0, is_request ? kit_ni : kit_nr, sizeof(kit_ni));
	wcur_put32(&w, 24, (uint32_t)w.len);
	m.len = w.len;
	return m;
}

UNUSED static struct view
kit_view(const void *p, size_t n)
{
	return (struct view){ p, n };
}

/* Body of an ID payload. */
UNUSED static struct view
kit_id(uint8_t *buf, uint8_t type, const char *data)
{
	memset(buf, 0, 4);
	buf[0] = type;
	memcpy(buf + 4, data, strlen(data));
	return (struct view){ buf, 4 + strlen(data) };
}

#endif
