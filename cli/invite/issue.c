/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/invite/issue.c - key and certificate for somebody who is invited.
 */
#include "cli/invite/issue.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define CERT_DAYS 365
#define CRL_DAYS  30

static int
tell(struct cli *c, const struct ca *ca, int err)
{
	return cli_fail(c, CLI_FAILED, err == ERR_NOTFOUND ? "not-found" : "ca",
			err == ERR_NOTFOUND ? "tapir ca init makes an authority" :
			"a passphrase of ca.key? tapir ca issue NAME --pass FILE "
			"first", "%s", ca->why[0] != '\0' ? ca->why :
			err_text(err));
}

/* Of our authority: what our certificate is called by its files. */
static bool
is_ours(struct ca *ca, const char *cert)
{
	char name[CA_NAME_MAX + 1];
	const char *dot = strrchr(cert, '.');

	snprintf(name, sizeof(name), "%.*s", dot != NULL &&
		 strcmp(dot, ".pem") == 0 ? (int)(dot - cert) :
		 (int)strlen(cert), cert);
	return ca_find(ca, name) != NULL;
}

static int
make(struct ca *ca, const char *name)
{
	const struct ca_want w = {
		.names = name, .type = "p256", .days = CERT_DAYS,
	};
	struct ca_entry *e = ca_add(ca);
	int err;

	if (e == NULL)
		return ERR_FULL;
	if ((err = ca_issue(ca, &w, false, e)) != 0 ||
	    (err = ca_list_write(ca)) != 0)
		return err;
	return ca_crl(ca, NULL, CRL_DAYS);
}

static int
take(struct ca *ca, const char *name, bool wants_p12, struct issued *out)
{
	char file[CA_NAME_MAX + 8];
	int err;

	snprintf(file, sizeof(file), "%s.pem", name);
	if ((err = ca_file_read(ca, file, out->cert, sizeof(out->cert),
				&out->n_cert)) != 0)
		return err;
	snprintf(file, sizeof(file), "%s.key", name);
	if ((err = ca_file_read(ca, file, out->key, sizeof(out->key),
				&out->n_key)) != 0 ||
	    (err = ca_file_read(ca, "ca.pem", out->ca, sizeof(out->ca),
				&out->n_ca)) != 0 || !wants_p12)
		return err;
	if ((err = ca_pass_make(out->pass)) != 0)
		return err;
	return ca_p12(ca, name, out->pass, true, &out->p12, &out->n_p12);
}

int
issue_make(struct cli *c, const char *keys, const char *name,
	   const char *gateway, bool wants_p12, struct issued *out)
{
	char file[CA_NAME_MAX + 8];
	bool is_new = false;
	struct ca ca;
	int err, status = CLI_OK;

	memset(out, 0, sizeof(*out));
	if (strlen(name) > CA_NAME_MAX || strcmp(name, "ca") == 0 ||
	    strpbrk(name, "/, \t\n") != NULL || *name == '.' || *name == '\0')
		return cli_fail(c, CLI_FAILED, "name", NULL, "\"%.100s\" cannot "
				"be the name in a certificate", name);
	(void)umask(077);
	if ((err = ca_open(&ca, keys, false)) != 0)
		return tell(c, &ca, err);
	snprintf(file, sizeof(file), "%s.key", name);
	if ((err = ca_list_read(&ca)) != 0)
		status = tell(c, &ca, err);
	else if (gateway != NULL && !is_ours(&ca, gateway))
		status = cli_fail(c, CLI_FAILED, "certificate", "--ca FILE: the "
				  "authority of that one", "cert=\"%.100s\" is "
				  "not of the authority in %.200s", gateway, keys);
	else if (!ca_file_exists(&ca, file) &&
		 (is_new = true, err = make(&ca, name)) != 0)
		status = tell(c, &ca, err);
	else if ((err = take(&ca, name, wants_p12, out)) != 0)
		status = tell(c, &ca, err);
	if (is_new)
		(void)unlinkat(ca.dir_fd, file, 0);
	ca_close(&ca);
	return status;
}

bool
issue_is_ours(const char *keys, const char *cert)
{
	struct ca ca;
	bool is_so;

	if (ca_open(&ca, keys, false) != 0)
		return false;
	is_so = ca_list_read(&ca) == 0 && is_ours(&ca, cert);
	ca_close(&ca);
	return is_so;
}

void
issue_wipe(struct issued *s)
{
	if (s->p12 != NULL)
		wipe(s->p12, s->n_p12);
	free(s->p12);
	wipe(s, sizeof(*s));
}
