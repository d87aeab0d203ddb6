/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/result.c - where an invitation or a profile goes.
 */
#include "cli/invite/result.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/invite/qr.h"
#include "cli/invite/share.h"
#include "cli/json.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"

#define TO_OUT "-"

int
result_open(struct cli *c, struct result *r)
{
	int fd;

	r->f = NULL;
	r->text = NULL;
	if (r->link != NULL) {
		if ((r->f = open_memstream(&r->text, &r->len)) != NULL)
			return CLI_OK;
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	}
	if (strcmp(r->to, TO_OUT) == 0) {
		r->f = c->out;
		return CLI_OK;
	}
	fd = open(r->to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	r->f = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (r->f != NULL)
		return CLI_OK;
	cli_fail(c, CLI_FAILED, "write", "-o FILE writes it elsewhere, -o - to "
		 "standard output", "cannot write %.200s: %s", r->to,
		 strerror(errno));
	if (fd >= 0)
		close(fd);
	return CLI_FAILED;
}

static void
tell_json(struct cli *c, const char *key, const char *value, const char *pass)
{
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, key, value);
	if (pass != NULL)
		json_str(&j, "passphrase", pass);
	json_obj_end(&j);
	json_end(&j);
}

/* The link as text and as a picture, until it was followed. */
static int
result_share(struct cli *c, struct result *r, const char *pass)
{
	struct share s;
	int status;

	status = share_begin(c, r->link, r->type, (struct view){
		(const uint8_t *)r->text, r->len }, r->is_sealed, &s);
	if (status == CLI_OK && c->is_json) {
		tell_json(c, "link", s.link, pass);
	} else if (status == CLI_OK) {
		if (isatty(fileno(c->out)) &&
		    qr_print(c->out, s.link, c->show.has_colour) == ERR_NOTFOUND)
			fprintf(c->err, "a QR code wants libqrencode4\n");
		fprintf(c->out, "%s\n", s.link);
		fprintf(c->err, "It works once, and for %u minutes; this command "
			"waits for it.\n", SHARE_WAIT_S / 60);
	}
	fflush(c->out);
	if (status == CLI_OK)
		status = share_wait(c, &s, SHARE_WAIT_S);
	share_end(&s);
	return status;
}

int
result_close(struct cli *c, struct result *r, const char *pass)
{
	int status = CLI_OK;
	bool is_ok;

	/* no document of JSON follows a result on standard output */
	if (pass != NULL && (!c->is_json || r->f == c->out))
		fprintf(c->err, "passphrase: %s\n", pass);
	if (r->f == c->out)
		return CLI_OK;
	is_ok = ferror(r->f) == 0;
	if (fclose(r->f) != 0 || !is_ok)
		status = cli_fail(c, CLI_FAILED, "write", NULL, "cannot write "
				  "%.200s", r->to);
	else if (r->link != NULL)
		status = result_share(c, r, pass);
	else if (c->is_json)
		tell_json(c, "file", r->to, pass);
	else
		fprintf(c->out, "wrote %s\n", r->to);
	if (r->text != NULL)
		wipe(r->text, r->len);
	free(r->text);
	r->text = NULL;
	return status;
}

void
result_drop(struct cli *c, struct result *r)
{
	if (r->f == NULL || r->f == c->out)
		return;
	fclose(r->f);
	if (r->text == NULL)
		(void)unlink(r->to);
	free(r->text);
}
