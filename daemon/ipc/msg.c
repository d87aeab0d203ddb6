/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/msg.c - encode and decode, one pair of functions a message, all
 * expanded from secure.def.
 *
 * Encoder and decoder of a field stand side by side below and check the same
 * bounds, so that nothing can be sent which the other end would refuse.
 *
 * Thread: any; nothing shared.
 */
#include "daemon/ipc/msg.h"
#define ERR_STATE ossl_err_state /* a type of theirs, an error of ours */
#include <openssl/evp.h>
#undef ERR_STATE
#include <string.h>
#include "daemon/base/cur.h"
#include "daemon/base/str.h"

/* ---- fields ------------------------------------------------------------------ */

static int
enc_bool(struct wcur *w, bool v)
{
	wcur_u8(w, v ? 1 : 0);
	return 0;
}

static int
dec_bool(struct cur *c, bool *v)
{
	uint8_t b;
	int err;

	if ((err = cur_u8(c, &b)) != 0)
		return err;
	if (b > 1)
		return ERR_RANGE;
	*v = b == 1;
	return 0;
}

static int
enc_bytes(struct wcur *w, struct view v, size_t max)
{
	if (v.len > max)
		return ERR_LONG;
	wcur_u16(w, (uint16_t)v.len);
	wcur_bytes(w, v.p, v.len);
	return 0;
}

static int
dec_bytes(struct cur *c, struct view *v, size_t max)
{
	uint16_t len;
	int err;

	if ((err = cur_u16(c, &len)) != 0)
		return err;
	if (len > max)
		return ERR_LONG;
	return cur_view(c, len, v);
}

/* Control characters never travel: texts end up in logs and on terminals. */
static bool
text_is_clean(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] < 0x20 || p[i] == 0x7f)
			return false;
	return true;
}

static int
enc_str(struct wcur *w, const char *s, size_t max)
{
	struct view v = { (const uint8_t *)s, strnlen(s, max + 1) };

	if (v.len > max)
		return ERR_LONG;
	if (!text_is_clean(v.p, v.len))
		return ERR_SYNTAX;
	return enc_bytes(w, v, max);
}

static int
dec_str(struct cur *c, char *s, size_t max)
{
	struct view v;
	int err;

	if ((err = dec_bytes(c, &v, max)) != 0)
		return err;
	if (!text_is_clean(v.p, v.len))
		return ERR_SYNTAX;
	if (v.len > 0)
		memcpy(s, v.p, v.len);
	s[v.len] = '\0';
	return 0;
}

static int
enc_result(struct wcur *w, const struct ipc_msg *m)
{
	if (m->err > 0)
		return ERR_RANGE;
	wcur_u32(w, (uint32_t)m->err);
	return enc_str(w, m->why, IPC_WHY_MAX);
}

static int
dec_result(struct cur *c, struct ipc_msg *m)
{
	uint32_t v;
	int err;

	if ((err = cur_u32(c, &v)) != 0)
		return err;
	m->err = (int32_t)v;
	if (m->err > 0 || m->err <= -(int32_t)ERR_IDX_END)
		return ERR_RANGE;
	return dec_str(c, m->why, IPC_WHY_MAX);
}

/* ---- bodies, expanded -------------------------------------------------------- */

#define IPC_MSG(num_, NAME_, name_, ...)                                       \
	static int                                                             \
	enc_##name_(struct wcur *w UNUSED, const struct ipc_msg *m UNUSED)     \
	{                                                                      \
		const struct ipc_##name_ *b UNUSED = &m->u.name_;              \
		int err = 0;
#define IPC_END(NAME_, name_)                                                  \
		return err;                                                    \
	}
#define IPC_U8(f_)	  wcur_u8(w, b->f_);
#define IPC_U32(f_)	  wcur_u32(w, b->f_);
#define IPC_U64(f_)	  wcur_u64(w, b->f_);
#define IPC_FIX(f_, n_)	  wcur_bytes(w, b->f_, n_);
#define TRY_(call_)                                                            \
	if ((err = (call_)) != 0)                                              \
		return err;
#define IPC_BOOL(f_)	  TRY_(enc_bool(w, b->f_))
#define IPC_BYTES(f_, n_) TRY_(enc_bytes(w, b->f_, n_))
#define IPC_STR(f_, n_)	  TRY_(enc_str(w, b->f_, n_))
#define IPC_RESULT	  TRY_(enc_result(w, m))
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"

#define IPC_MSG(num_, NAME_, name_, ...)                                       \
	static int                                                             \
	dec_##name_(struct cur *c UNUSED, struct ipc_msg *m UNUSED)            \
	{                                                                      \
		struct ipc_##name_ *b UNUSED = &m->u.name_;                    \
		int err = 0;
#define IPC_END(NAME_, name_)                                                  \
		return err;                                                    \
	}
#define IPC_U8(f_)	  TRY_(cur_u8(c, &b->f_))
#define IPC_U32(f_)	  TRY_(cur_u32(c, &b->f_))
#define IPC_U64(f_)	  TRY_(cur_u64(c, &b->f_))
#define IPC_FIX(f_, n_)	  TRY_(cur_copy(c, b->f_, n_))
#define IPC_BOOL(f_)	  TRY_(dec_bool(c, &b->f_))
#define IPC_BYTES(f_, n_) TRY_(dec_bytes(c, &b->f_, n_))
#define IPC_STR(f_, n_)	  TRY_(dec_str(c, b->f_, n_))
#define IPC_RESULT	  TRY_(dec_result(c, m))
#include "daemon/ipc/secure.def"
#include "daemon/ipc/undef.h"

/* ---- the table --------------------------------------------------------------- */

struct row {
	struct ipc_row pub;
	int (*enc)(struct wcur *w, const struct ipc_msg *m);
	int (*dec)(struct cur *c, struct ipc_msg *m);
};

#define IPC_MSG(num_, NAME_, name_, from_, states_, once_, rate_, burst_,      \
		n_fd_, ticket_, handle_)                                       \
	[num_] = {                                                             \
		.enc = enc_##name_, .dec = dec_##name_,                        \
		.pub = {                                                       \
			.name = #NAME_, .type = num_, .sender = from_,         \
			.states = states_, .once = once_, .rate = rate_,       \
			.burst = burst_, .n_fd = n_fd_,                        \
			.has_ticket = ticket_, .has_handle = handle_,          \
			.max = IPC_##NAME_##_MAX, .has_result = false
#define IPC_END(NAME_, name_)                                                  \
		}                                                              \
	},
#define IPC_U8(f_)
#define IPC_U32(f_)
#define IPC_U64(f_)
#define IPC_BOOL(f_)
#define IPC_FIX(f_, n_)
#define IPC_BYTES(f_, n_)
#define IPC_STR(f_, n_)
/* Two initialisers of one field: the later one counts, on purpose. */
#define IPC_RESULT	  , .has_result = true
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#endif
static const struct row rows[IPC_TYPE_END] = {
#include "daemon/ipc/secure.def"
};
#pragma GCC diagnostic pop
#include "daemon/ipc/undef.h"

/* The text of the table, for the digest. */
#define IPC_MSG(num_, NAME_, name_, from_, states_, once_, rate_, burst_,      \
		n_fd_, ticket_, handle_)                                       \
	#num_ " " #NAME_ " " #from_ " " #states_ " " #once_ " " #n_fd_ " "     \
	#ticket_ " " #handle_ ":"
#define IPC_END(NAME_, name_) ";"
#define IPC_U8(f_)	  " u8 " #f_
#define IPC_U32(f_)	  " u32 " #f_
#define IPC_U64(f_)	  " u64 " #f_
#define IPC_BOOL(f_)	  " bool " #f_
#define IPC_FIX(f_, n_)	  " fix " #f_ " " #n_
#define IPC_BYTES(f_, n_) " bytes " #f_ " " #n_
#define IPC_STR(f_, n_)	  " str " #f_ " " #n_
#define IPC_RESULT	  " result"
static const char table_text[] =
#include "daemon/ipc/secure.def"
    ;
#include "daemon/ipc/undef.h"

static const struct row *
row_of(unsigned type)
{
	if (type >= IPC_TYPE_END || rows[type].dec == NULL)
		return NULL;
	return &rows[type];
}

static int
ids_check(const struct ipc_row *r, uint64_t ticket, uint32_t handle)
{
	if (r->has_ticket != (ticket != 0) || r->has_handle != (handle != 0))
		return ERR_RANGE;
	return 0;
}

/* ---- public ------------------------------------------------------------------ */

const struct ipc_row *
ipc_row(unsigned type)
{
	const struct row *r = row_of(type);

	return r != NULL ? &r->pub : NULL;
}

const char *
ipc_name(unsigned type)
{
	const struct row *r = row_of(type);

	return r != NULL ? r->pub.name : "?";
}

bool
ipc_has_answer(unsigned type)
{
	return type % 2 == 0 && row_of(type) != NULL &&
	    row_of(type + 1) != NULL;
}

void
ipc_msg_init(struct ipc_msg *m, enum ipc_type type)
{
	memset(m, 0, sizeof(*m));
	m->type = (uint8_t)type;
}

void
ipc_msg_answer(struct ipc_msg *m, const struct ipc_msg *req, int err,
	       const char *why)
{
	ipc_msg_init(m, (enum ipc_type)(req->type + 1));
	m->ticket = req->ticket;
	m->handle = req->handle;
	m->err = err;
	if (err == 0)
		return;
	str_copy(m->why, sizeof(m->why), why != NULL ? why : err_text(err));
	/* A sentence with a name of a stranger in it is still one line. */
	for (char *s = m->why; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

int
ipc_msg_encode(const struct ipc_msg *m, void *out, size_t cap, size_t *len)
{
	const struct row *r = row_of(m->type);
	struct wcur w;
	size_t at;
	int err;

	if (r == NULL)
		return ERR_NOTFOUND;
	if ((err = ids_check(&r->pub, m->ticket, m->handle)) != 0)
		return err;
	wcur_init(&w, out, cap);
	wcur_u8(&w, IPC_VERSION);
	wcur_u8(&w, m->type);
	wcur_u16(&w, 0);
	at = wcur_hole(&w, 4);
	wcur_u64(&w, m->ticket);
	wcur_u32(&w, m->handle);
	if ((err = r->enc(&w, m)) != 0)
		return err;
	if (w.err != 0)
		return w.err;
	wcur_put32(&w, at, (uint32_t)(w.len - IPC_HEAD_LEN));
	*len = w.len;
	return 0;
}

int
ipc_msg_decode(struct ipc_msg *m, const void *p, size_t len)
{
	const struct row *r;
	uint8_t version, type;
	uint16_t zero;
	uint32_t body, handle;
	uint64_t ticket;
	struct cur c;
	int err;

	cur_init(&c, p, len);
	if ((err = cur_u8(&c, &version)) != 0 ||
	    (err = cur_u8(&c, &type)) != 0 ||
	    (err = cur_u16(&c, &zero)) != 0 ||
	    (err = cur_u32(&c, &body)) != 0 ||
	    (err = cur_u64(&c, &ticket)) != 0 ||
	    (err = cur_u32(&c, &handle)) != 0)
		return err;
	if (version != IPC_VERSION)
		return ERR_VERSION;
	if ((r = row_of(type)) == NULL)
		return ERR_NOTFOUND;
	if (zero != 0)
		return ERR_RANGE;
	if (body > r->pub.max)
		return ERR_LONG;
	if (body != cur_left(&c))
		return body > cur_left(&c) ? ERR_SHORT : ERR_TRAIL;
	if ((err = ids_check(&r->pub, ticket, handle)) != 0)
		return err;
	memset(m, 0, sizeof(*m));
	m->type = type;
	m->ticket = ticket;
	m->handle = handle;
	if ((err = r->dec(&c, m)) != 0)
		return err;
	return cur_end(&c);
}

int
ipc_digest(uint8_t out[IPC_DIGEST_LEN])
{
	unsigned len = 0;

	if (EVP_Digest(table_text, sizeof(table_text) - 1, out, &len,
	    EVP_sha256(), NULL) != 1 || len != IPC_DIGEST_LEN)
		return ERR_CRYPTO;
	return 0;
}
