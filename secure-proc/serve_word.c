/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/serve_word.c - passwords that people type: RUN/password.sock.
 *
 *   tapir up --.
 *              +--> password.sock --> is it root, or the owner? --> eap/typed.c
 *   tapir-web -'    (a connection the supervisor made for it)
 *
 * tapird has no end of it, so it never sees one.  A client is believed by what the
 * kernel says of it; descriptors that somebody sends along are not received.  One
 * datagram in, one out; what is no question closes the connection.
 *
 * Thread: the only one.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/ipc/prompt.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/eap/typed.h"
#include "secure-proc/serve_priv.h"

#define CLIENT_MAX  (SEC_PROMPT_FDS - 1)
#define IDLE_MS	    10000	/* then a client may be closed for another; ours */
#define ACCEPT_MAX  8		/* in one turn of the loop; ours */

struct client {
	int fd;			/* -1: free */
	uid_t uid;
	bool is_super;		/* for tapir-web: stays */
	uint64_t used_ms;
};

struct sec_prompts {
	struct sec_serve *s;
	int fd;
	uid_t owner;
	pid_t super;
	struct client client[CLIENT_MAX];
};

/* ---- what is asked ------------------------------------------------------------ */

bool
sec_word_is_asked(const struct sec_serve *s, uint32_t realm, const char **user)
{
	const struct sec_eap_realm *e = sec_eaps_of(s->c.eap, realm);
	const struct conf_realm *r = sec_realm_at(s, realm);

	if (r == NULL || r->me.eap == NULL || e == NULL || e->is_server ||
	    e->has_cert)
		return false;
	*user = r->me.eap;
	return true;
}

static bool
realm_of(const struct sec_serve *s, const char *name, uint32_t *realm)
{
	for (uint32_t i = 0; i < s->c.conf->n_realm; i++) {
		*realm = i;
		if (strcmp(s->c.conf->realm[i].name, name) == 0)
			return true;
	}
	return false;
}

static enum prompt_verdict
take(struct sec_serve *s, uint32_t realm, const char *word, uint64_t now_ms)
{
	const struct conf_realm *r = sec_realm_at(s, realm);
	struct view v = { (const uint8_t *)word, strlen(word) };
	int err;

	err = sec_typed_put(s->typed, realm, v, r->me.keep_s, now_ms);
	return err == 0 ? PROMPT_KNOWN : PROMPT_FAILED;
}

void
sec_word_answer(struct sec_serve *s, const struct prompt_ask *q, uint64_t now_ms,
		struct prompt_answer *a)
{
	const char *user;
	uint32_t realm;

	*a = (struct prompt_answer){ .id = q->id, .verdict = PROMPT_NONE };
	if (s->typed == NULL || !realm_of(s, q->realm, &realm) ||
	    !sec_word_is_asked(s, realm, &user))
		return;
	(void)str_copy(a->user, sizeof(a->user), user);
	if (q->has_word)
		a->verdict = take(s, realm, q->word, now_ms);
	else
		a->verdict = sec_talk_has_word(s, realm) ? PROMPT_KNOWN :
		    PROMPT_NEEDED;
}

/* ---- clients ------------------------------------------------------------------- */

static void
client_close(struct client *cl)
{
	if (cl->fd >= 0)
		close(cl->fd);
	*cl = (struct client){ .fd = -1 };
}

/* A free place, else that of who has said nothing for long; NULL: there is none.
 * The supervisor has one connection: the last. */
static struct client *
place_for(struct sec_prompts *w, bool is_super, uint64_t now_ms)
{
	struct client *old = NULL;

	for (unsigned i = 0; is_super && i < CLIENT_MAX; i++)
		if (w->client[i].fd >= 0 && w->client[i].is_super)
			client_close(&w->client[i]);
	for (unsigned i = 0; i < CLIENT_MAX; i++) {
		struct client *cl = &w->client[i];

		if (cl->fd < 0)
			return cl;
		if (!cl->is_super && (old == NULL ||
		    cl->used_ms < old->used_ms))
			old = cl;
	}
	if (old == NULL || now_ms - old->used_ms < IDLE_MS)
		return NULL;
	client_close(old);
	return old;
}

static void
client_new(struct sec_prompts *w, int fd, uint64_t now_ms)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct client *cl = NULL;
	bool is_super;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    len == sizeof(cred) && (cred.uid == 0 || cred.uid == w->owner)) {
		is_super = cred.pid == w->super;
		cl = place_for(w, is_super, now_ms);
	}
	if (cl == NULL) {
		close(fd);
		return;
	}
	*cl = (struct client){ fd, cred.uid, is_super, now_ms };
}

static void
accept_all(struct sec_prompts *w)
{
	int fd;

	for (unsigned i = 0; i < ACCEPT_MAX; i++) {
		fd = accept4(w->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		client_new(w, fd, clk_ms());
	}
}

static void
say(const struct client *cl, const struct prompt_ask *q,
    const struct prompt_answer *a)
{
	if (q->has_word && a->verdict == PROMPT_KNOWN)
		log_notice(WHO, "realm %s: the password of %s was typed, by %s",
			   q->realm, a->user, cl->is_super ? "the browser" :
			   cl->uid == 0 ? "root" : "the owner");
}

/* False: the connection is over. */
static bool
client_read(struct sec_prompts *w, struct client *cl)
{
	uint8_t bytes[PROMPT_BYTES_MAX], out[PROMPT_BYTES_MAX];
	struct prompt_answer a;
	struct prompt_ask q;
	ssize_t n = recv(cl->fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_TRUNC);
	bool is_good = false;
	int len = -1;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if ((size_t)n <= sizeof(bytes) &&
	    prompt_ask_dec(bytes, (size_t)n, &q) == 0) {
		sec_word_answer(w->s, &q, clk_ms(), &a);
		say(cl, &q, &a);
		len = prompt_answer_enc(&a, out, sizeof(out));
		wipe(&q, sizeof(q));
	}
	wipe(bytes, sizeof(bytes));
	if (len > 0)
		is_good = send(cl->fd, out, (size_t)len, MSG_DONTWAIT |
			       MSG_NOSIGNAL) == len;
	cl->used_ms = clk_ms();
	return is_good;
}

/* ---- public -------------------------------------------------------------------- */

int
sec_prompts_new(struct sec_prompts **out, struct sec_serve *s, int fd, uid_t owner,
	      pid_t super)
{
	struct sec_prompts *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return ERR_NOMEM;
	w->s = s;
	w->fd = fd;
	w->owner = owner;
	w->super = super;
	for (unsigned i = 0; i < CLIENT_MAX; i++)
		w->client[i].fd = -1;
	*out = w;
	return 0;
}

void
sec_prompts_free(struct sec_prompts *w)
{
	if (w == NULL)
		return;
	for (unsigned i = 0; i < CLIENT_MAX; i++)
		client_close(&w->client[i]);
	free(w);
}

unsigned
sec_prompts_poll(const struct sec_prompts *w, struct pollfd *p)
{
	unsigned n = 0;

	p[n++] = (struct pollfd){ .fd = w->fd, .events = POLLIN };
	for (unsigned i = 0; i < CLIENT_MAX; i++)
		p[n++] = (struct pollfd){ .fd = w->client[i].fd,
					  .events = POLLIN };
	return n;
}

void
sec_prompts_input(struct sec_prompts *w, const struct pollfd *p, unsigned n)
{
	for (unsigned i = 1; i < n; i++) {
		struct client *cl = &w->client[i - 1];

		if (p[i].revents != 0 && cl->fd == p[i].fd && cl->fd >= 0 &&
		    !client_read(w, cl))
			client_close(cl);
	}
	if (p[0].revents != 0)
		accept_all(w);
}
