/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webui/tls.h - TLS 1.3 for listening beyond this machine.
 *
 * Thread: one.
 */
#ifndef TAPIR_WEBUI_TLS_H
#define TAPIR_WEBUI_TLS_H

#include "daemon/base/base.h"

struct bufferevent;
struct event_base;
struct ssl_ctx_st;

/**
 * Read certificate and key; while files can be opened.
 *
 * @param cert PEM, the chain from our own on; @param key PEM;
 * @param ca   PEM, who may issue clients' certificates, which are asked for then;
 *             NULL = none.  All are descriptors, -1 where absent; not closed.
 * @param is_must  a client without a certificate is refused.
 * @param why  cap bytes: what is wrong.  @return 0, ERR_NOMEM, ERR_KEYFILE.
 */
MUST_USE int ui_tls_new(struct ssl_ctx_st **out, int cert, int key, int ca,
			bool is_must, char *why, size_t cap);
void ui_tls_free(struct ssl_ctx_st *ctx);

/** A buffered socket that speaks it; fd is taken on success.  NULL without
 * memory. */
struct bufferevent *ui_tls_bev(struct event_base *base, int fd,
			       struct ssl_ctx_st *ctx);

/** SHA-256 of n bytes.  0 or ERR_CRYPTO. */
MUST_USE int ui_sha256(const void *p, size_t n, uint8_t out[32]);

#endif
