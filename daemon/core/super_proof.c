/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/core/super_proof.c - who may change something for a browser?
 *
 *   tapir-web: "do this; proof 7c..."   kept here
 *   tapir-login: whose is 7c..., and is it an admin's, and fresh?
 *   yes: done in that name; no: done as for somebody who proved nothing
 *
 * tapir-web speaks with strangers, so what it says about who is logged in is not
 * believed.  The number of a proof is made by tapir-login when a password or a link
 * was right, and counts for minutes.
 *
 * Thread: the supervisor's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/core/spawn.h"
#include "daemon/ipc/proof.h"

#define ANSWER_MS 5000	/* it may be busy with passwords; ours */

static void
forget(struct super_proof *p)
{
	if (p->bytes != NULL)
		wipe(p->bytes, p->len);
	free(p->bytes);
	p->bytes = NULL;
	p->len = 0;
}

/* What was kept is done, in the name of by; NULL: nobody proved anything. */
static void
go_on(struct super *s, const char *by)
{
	struct super_proof *p = &s->proof;
	uint8_t *bytes = p->bytes;
	size_t len = p->len;

	p->bytes = NULL;
	p->len = 0;
	super_file_do(s, bytes, len, by);
	wipe(bytes, len);
	free(bytes);
}

static bool
send_question(struct super *s, uint64_t number)
{
	struct super_proof *p = &s->proof;
	struct proof_ask q = { .proof = number };
	uint8_t b[PROOF_BYTES_MAX];
	int n;

	if (p->fd < 0)
		return false;
	q.id = ++p->id;
	n = proof_ask_enc(&q, b, sizeof(b));
	return n > 0 && send(p->fd, b, (size_t)n, MSG_DONTWAIT |
			     MSG_NOSIGNAL) == n;
}

int
super_proof_ask(struct super *s, uint64_t number, struct view bytes)
{
	struct super_proof *p = &s->proof;

	if (p->bytes != NULL)
		return ERR_AGAIN;
	if ((p->bytes = malloc(bytes.len)) == NULL)
		return ERR_NOMEM;
	memcpy(p->bytes, bytes.p, bytes.len);
	p->len = bytes.len;
	p->due_ms = clk_ms() + ANSWER_MS;
	if (!send_question(s, number))
		go_on(s, NULL);
	return 0;
}

void
super_proof_word(struct super *s)
{
	struct super_proof *p = &s->proof;
	uint8_t b[PROOF_BYTES_MAX];
	struct proof_answer a;
	ssize_t n = recv(p->fd, b, sizeof(b), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || proof_answer_dec(b, (size_t)n, &a) != 0) {
		super_proof_link(s, -1);	/* its end is told elsewhere */
		return;
	}
	if (p->bytes != NULL && a.id == p->id)
		go_on(s, a.verdict == PASS_YES ? a.name : NULL);
}

void
super_proof_link(struct super *s, int fd)
{
	struct super_proof *p = &s->proof;

	if (p->fd >= 0)
		close(p->fd);
	p->fd = fd;
	if (p->bytes != NULL)
		go_on(s, NULL);
}

uint64_t
super_proof_due(struct super *s)
{
	struct super_proof *p = &s->proof;
	uint64_t now = clk_ms();

	if (p->bytes == NULL)
		return UINT64_MAX;
	if (now < p->due_ms)
		return p->due_ms - now;
	log_warn("tapird", "the process that knows the accounts does not answer");
	go_on(s, NULL);
	return UINT64_MAX;
}

void
super_proof_forget(struct super *s)
{
	forget(&s->proof);
}

void
super_proof_init(struct super *s)
{
	s->proof = (struct super_proof){ .fd = -1 };
}

void
super_proof_end(struct super *s)
{
	forget(&s->proof);
	if (s->proof.fd >= 0)
		close(s->proof.fd);
	s->proof.fd = -1;
}
