/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_ca.c - tapir ca: an authority for who has none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cli/ca/ca.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "daemon/base/clk.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define DIR_DEFAULT "/etc/tapir/keys"
#define CA_DAYS	    3650
#define CERT_DAYS   365
#define CRL_DAYS    30
#define DAYS_MAX    36500
#define SOON_DAYS   30		/* an end that is spoken of */
#define CRL_SOON    7
#define PASS_MAX    1024

struct opts {
	const char *dir, *type, *days, *pass_file, *out, *url;
	unsigned n_days;	/* 0: not given */
	char pass[PASS_MAX];
	bool has_pass;
};

typedef int sub_fn(struct cli *c, struct ca *ca, struct opts *o, int argc,
		   char **argv);

static int
ca_fail(struct cli *c, const struct ca *ca, int err)
{
	return cli_fail(c, CLI_FAILED, err == ERR_NOTFOUND ? "not-found" : "ca",
	    err == ERR_NOTFOUND ? "tapir ca init makes an authority" : NULL,
	    "%s", ca->why[0] != '\0' ? ca->why : err_text(err));
}

static void
date_text(int64_t at, char *out, size_t cap)
{
	time_t t = (time_t)at;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || strftime(out, cap, "%Y-%m-%d", &tm) ==
	    0)
		str_copy(out, cap, "?");
}

/* What was written, one file a line. */
static int
done(struct cli *c, const struct opts *o, const char *const *file, unsigned n)
{
	struct json j;

	if (!c->is_json) {
		for (unsigned i = 0; i < n; i++)
			fprintf(c->out, "%s/%s\n", o->dir, file[i]);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "dir", o->dir);
	json_arr(&j, "files");
	for (unsigned i = 0; i < n; i++)
		json_str(&j, NULL, file[i]);
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

/* ---- subcommands ------------------------------------------------------------------- */

static int
sub_init(struct cli *c, struct ca *ca, struct opts *o, int argc, char **argv)
{
	static const char *const files[] = { "ca.pem", "ca.key", "ca.crl" };
	const struct ca_want w = {
		.names = argc > 0 ? argv[0] : "VPN CA", .type = o->type,
		.days = o->n_days != 0 ? o->n_days : CA_DAYS,
		.pass = o->has_pass ? o->pass : NULL,
	};
	int err;

	if (ca_file_exists(ca, "ca.key") || ca_file_exists(ca, "ca.list") ||
	    ca_file_exists(ca, "ca.pem"))
		return cli_fail(c, CLI_FAILED, "exists", "tapir ca list shows "
		    "it; move its ca.* files away to begin anew",
		    "there is an authority in %s", o->dir);
	if (o->url != NULL && (strncmp(o->url, "http://", 7) != 0 ||
	    strlen(o->url) >= CA_URL_MAX || strpbrk(o->url, " ,;\n") != NULL))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--crl-url is a "
		    "URL like http://crl.example.com/ca.crl");
	if (o->url != NULL)
		str_copy(ca->url, sizeof(ca->url), o->url);
	if ((err = ca_make(ca, &w)) != 0 || (err = ca_list_write(ca)) != 0 ||
	    (err = ca_crl(ca, w.pass, CRL_DAYS)) != 0)
		return ca_fail(c, ca, err);
	return done(c, o, files, N_OF(files));
}

/* "a b" of the command line -> "a,b" */
static bool
names_join(int argc, char **argv, char *out)
{
	out[0] = '\0';
	for (int i = 0; i < argc; i++) {
		if (strlen(argv[i]) > CA_NAME_MAX || strlen(out) +
		    strlen(argv[i]) + 2 > CA_NAMES_MAX ||
		    strpbrk(argv[i], "/, \t\n") != NULL || argv[i][0] == '.' ||
		    argv[i][0] == '\0')
			return false;
		str_add(out, CA_NAMES_MAX, "%s%s", i > 0 ? "," : "", argv[i]);
	}
	return argc > 0 && strcmp(argv[0], "ca") != 0;
}

static int
issue(struct cli *c, struct ca *ca, struct opts *o, const char *names,
      bool keep_key)
{
	char pem[CA_NAME_MAX + 8], key[CA_NAME_MAX + 8];
	const char *const files[] = { pem, key };
	const struct ca_want w = {
		.names = names, .type = o->type,
		.days = o->n_days != 0 ? o->n_days : CERT_DAYS,
		.pass = o->has_pass ? o->pass : NULL,
	};
	int n = (int)strcspn(names, ","), err;
	struct ca_entry *e;

	snprintf(pem, sizeof(pem), "%.*s.pem", n, names);
	snprintf(key, sizeof(key), "%.*s.key", n, names);
	if ((e = ca_add(ca)) == NULL)
		return ca_fail(c, ca, ERR_FULL);
	if ((err = ca_issue(ca, &w, keep_key, e)) != 0 ||
	    (err = ca_list_write(ca)) != 0 ||
	    (err = ca_crl(ca, w.pass, CRL_DAYS)) != 0)
		return ca_fail(c, ca, err);
	return done(c, o, files, keep_key ? 1 : 2);
}

static int
sub_issue(struct cli *c, struct ca *ca, struct opts *o, int argc, char **argv)
{
	char names[CA_NAMES_MAX], file[CA_NAME_MAX + 8];

	if (!names_join(argc, argv, names))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "ca issue wants "
		    "names: host names, user@host or IP addresses");
	/* somebody else's certificate, such as an authority that is believed */
	snprintf(file, sizeof(file), "%s.pem", argv[0]);
	if (ca_file_exists(ca, file) && ca_find(ca, argv[0]) == NULL)
		return cli_fail(c, CLI_FAILED, "exists", "take another name first",
		    "%s/%s is there, and not of this authority", o->dir, file);
	snprintf(file, sizeof(file), "%s.key", argv[0]);
	if (ca_file_exists(ca, file))
		return cli_fail(c, CLI_FAILED, "exists", "tapir ca renew makes "
		    "a new certificate for the same key", "%s/%s is there",
		    o->dir, file);
	return issue(c, ca, o, names, false);
}

static int
sub_revoke(struct cli *c, struct ca *ca, struct opts *o, int argc, char **argv)
{
	static const char *const files[] = { "ca.crl" };
	struct ca_entry *e;
	int err;

	if (argc != 1)
		return cli_fail(c, CLI_USAGE, "usage", NULL, "ca revoke wants "
		    "the name or serial of a certificate");
	if ((e = ca_find(ca, argv[0])) == NULL)
		return cli_fail(c, CLI_FAILED, "not-found", "tapir ca list "
		    "shows what was issued", "no valid certificate '%s'",
		    argv[0]);
	/* All of that name: a renewed one leaves an older one behind. */
	for (; e != NULL; e = ca_find(ca, argv[0])) {
		e->is_revoked = true;
		e->revoked_at = clk_wall_s();
	}
	/* in this order: who has no passphrase has revoked nothing, and can do it again */
	if ((err = ca_crl(ca, o->has_pass ? o->pass : NULL, CRL_DAYS)) != 0 ||
	    (err = ca_list_write(ca)) != 0)
		return ca_fail(c, ca, err);
	return done(c, o, files, N_OF(files));
}

/* The newest certificate of each name that ends soon; and the list. */
static int
renew_due(struct cli *c, struct ca *ca, struct opts *o)
{
	static const char *const files[] = { "ca.crl" };
	int64_t soon = clk_wall_s() + (int64_t)SOON_DAYS * CA_DAY;
	char names[CA_NAMES_MAX], first[CA_NAME_MAX + 1];
	unsigned n = ca->n, n_new = 0;
	int err;

	for (unsigned i = 0; i < n; i++) {
		const struct ca_want w = {
			.names = names, .type = o->type,
			.days = o->n_days != 0 ? o->n_days : CERT_DAYS,
			.pass = o->has_pass ? o->pass : NULL,
		};
		struct ca_entry made = { 0 }, *e;

		str_copy(names, sizeof(names), ca->entry[i].names);
		snprintf(first, sizeof(first), "%.*s",
		    (int)strcspn(names, ","), names);
		if (ca_find(ca, first) != &ca->entry[i] ||
		    ca->entry[i].not_after > soon)
			continue;
		if ((err = ca_issue(ca, &w, true, &made)) != 0 ||
		    (e = ca_add(ca)) == NULL)
			return ca_fail(c, ca, err != 0 ? err : ERR_FULL);
		*e = made;
		n_new++;
		if (!c->is_json)
			fprintf(c->out, "%s/%s.pem\n", o->dir, first);
	}
	if ((n_new > 0 && (err = ca_list_write(ca)) != 0) ||
	    (err = ca_crl(ca, o->has_pass ? o->pass : NULL, CRL_DAYS)) != 0)
		return ca_fail(c, ca, err);
	return done(c, o, files, N_OF(files));
}

static int
sub_renew(struct cli *c, struct ca *ca, struct opts *o, int argc, char **argv)
{
	char names[CA_NAMES_MAX];
	const struct ca_entry *e;

	if (argc == 0)
		return renew_due(c, ca, o);
	if ((e = ca_find(ca, argv[0])) == NULL)
		return cli_fail(c, CLI_FAILED, "not-found", "tapir ca list "
		    "shows what was issued", "no valid certificate '%s'",
		    argv[0]);
	str_copy(names, sizeof(names), e->names);
	return issue(c, ca, o, names, true);
}

/* ---- list --------------------------------------------------------------------------- */

static const char *
state_of(const struct ca_entry *e, int64_t now)
{
	if (e->is_revoked)
		return "revoked";
	if (e->not_after < now)
		return "expired";
	return e->not_after < now + (int64_t)SOON_DAYS * CA_DAY ? "expiring" :
	    "valid";
}

static void
list_json(struct cli *c, struct ca *ca, const char *title, int64_t end,
	  int64_t crl_end)
{
	int64_t now = clk_wall_s();
	struct json j;

	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_str(&j, "authority", title);
	json_i64(&j, "not_after", end);
	json_i64(&j, "crl_next_update", crl_end);
	json_bool(&j, "has_passphrase", ca_key_is_closed(ca));
	json_arr(&j, "certificates");
	for (unsigned i = 0; i < ca->n; i++) {
		const struct ca_entry *e = &ca->entry[i];

		json_obj(&j, NULL);
		json_str(&j, "names", e->names);
		json_str(&j, "serial", e->serial);
		json_str(&j, "state", state_of(e, now));
		json_i64(&j, "not_after", e->not_after);
		json_obj_end(&j);
	}
	json_arr_end(&j);
	json_obj_end(&j);
	json_end(&j);
}

static int
sub_list(struct cli *c, struct ca *ca, struct opts *o UNUSED, int argc,
	 char **argv UNUSED)
{
	int64_t now = clk_wall_s(), end = 0, crl_end = ca_crl_end(ca);
	char title[128] = "", date[32];
	int err;

	if (argc != 0)
		return cli_fail(c, CLI_USAGE, "usage", NULL, "ca list wants no "
		    "name");
	err = ca_facts(ca, "ca.pem", title, sizeof(title), &end);
	if (err != 0)
		return ca_fail(c, ca, err);
	if (c->is_json) {
		list_json(c, ca, title, end, crl_end);
		return CLI_OK;
	}
	date_text(end, date, sizeof(date));
	fprintf(c->out, "%s, until %s\n", title, date);
	for (unsigned i = 0; i < ca->n; i++) {
		const struct ca_entry *e = &ca->entry[i];

		date_text(e->not_after, date, sizeof(date));
		fprintf(c->out, "  %-8s  until %s  %s\n", state_of(e, now),
		    date, e->names);
	}
	if (end < now + (int64_t)SOON_DAYS * CA_DAY)
		fprintf(c->out, "the authority ends soon: make a new one\n");
	if (crl_end < now + (int64_t)CRL_SOON * CA_DAY)
		fprintf(c->out, "ca.crl is %s: tapir ca renew\n", crl_end < now ?
		    "out of date" : "soon out of date");
	return CLI_OK;
}

/* ---- export ------------------------------------------------------------------------- */

static int
out_write(struct cli *c, const char *file, const uint8_t *p, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return cli_fail(c, CLI_FAILED, "file", NULL, "%s cannot be "
		    "written: %s", file, strerror(errno));
	ok = write(fd, p, n) == (ssize_t)n;
	close(fd);
	return ok ? CLI_OK : cli_fail(c, CLI_FAILED, "file", NULL, "%s cannot "
	    "be written", file);
}

static int
export_authority(struct cli *c, struct ca *ca)
{
	char pem[8192];
	struct json j;
	size_t len;
	int err;

	if ((err = ca_file_read(ca, "ca.pem", pem, sizeof(pem), &len)) != 0)
		return ca_fail(c, ca, err);
	if (!c->is_json) {
		fputs(pem, c->out);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "pem", pem);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

static int
sub_export(struct cli *c, struct ca *ca, struct opts *o, int argc, char **argv)
{
	char file[CA_NAME_MAX + 8], made[CA_PASS_MAX] = "";
	const char *pass = o->pass, *out = o->out;
	struct json j;
	uint8_t *p12 = NULL;
	size_t len;
	int err;

	if (argc == 0)
		return export_authority(c, ca);
	if (ca_find(ca, argv[0]) == NULL || strchr(argv[0], '/') != NULL)
		return cli_fail(c, CLI_FAILED, "not-found", "tapir ca list "
		    "shows what was issued", "no valid certificate '%s'",
		    argv[0]);
	snprintf(file, sizeof(file), "%.*s.p12", CA_NAME_MAX, argv[0]);
	if (out == NULL)
		out = file;
	if (!o->has_pass) {
		if (ca_pass_make(made) != 0)
			return cli_fail(c, CLI_FAILED, "random", NULL,
			    "no random numbers");
		pass = made;
	}
	if ((err = ca_p12(ca, argv[0], pass, false, &p12, &len)) != 0)
		return ca_fail(c, ca, err);
	err = out_write(c, out, p12, len);
	wipe(p12, len);
	free(p12);
	if (err != CLI_OK)
		return err;
	if (!c->is_json) {
		fprintf(c->out, "%s\n", out);
		if (made[0] != '\0')
			fprintf(c->out, "passphrase: %s\n", made);
		return CLI_OK;
	}
	json_init(&j, c->out);
	json_obj(&j, NULL);
	json_bool(&j, "ok", true);
	json_str(&j, "file", out);
	json_str(&j, "passphrase", made);
	json_obj_end(&j);
	json_end(&j);
	return CLI_OK;
}

/* ---- the command ----------------------------------------------------------------------- */

static int
pass_read(struct cli *c, struct opts *o)
{
	FILE *f;
	size_t n;

	if (o->pass_file == NULL)
		return CLI_OK;
	if ((f = fopen(o->pass_file, "re")) == NULL)
		return cli_fail(c, CLI_FAILED, "file", NULL, "%s cannot be "
		    "opened: %s", o->pass_file, strerror(errno));
	n = fread(o->pass, 1, sizeof(o->pass) - 1, f);
	fclose(f);
	o->pass[n] = '\0';
	o->pass[strcspn(o->pass, "\r\n")] = '\0';
	o->has_pass = o->pass[0] != '\0';
	return o->has_pass ? CLI_OK : cli_fail(c, CLI_FAILED, "file", NULL,
	    "%s is empty", o->pass_file);
}

static int
opts_check(struct cli *c, struct opts *o)
{
	uint64_t n;

	if (!ca_type_ok(o->type))
		return cli_fail(c, CLI_USAGE, "usage", NULL, "--type is p256, "
		    "p384 or ed25519");
	if (o->days != NULL) {
		if (str_u64(o->days, DAYS_MAX, &n) != 0 || n == 0)
			return cli_fail(c, CLI_USAGE, "usage", NULL, "--days is "
			    "a number from 1 to %d", DAYS_MAX);
		o->n_days = (unsigned)n;
	}
	return pass_read(c, o);
}

int
cmd_ca(struct cli *c, int argc, char **argv)
{
	static const struct {
		const char *name;
		sub_fn *fn;
	} subs[] = {
		{ "init", sub_init }, { "issue", sub_issue },
		{ "list", sub_list }, { "revoke", sub_revoke },
		{ "renew", sub_renew }, { "export", sub_export },
	};
	struct opts o = { .dir = DIR_DEFAULT, .type = "p256" };
	const struct cli_opt opt[] = {
		{ 'd', "dir", NULL, &o.dir }, { 0, "type", NULL, &o.type },
		{ 0, "days", NULL, &o.days }, { 0, "pass", NULL, &o.pass_file },
		{ 'o', "out", NULL, &o.out }, { 0, "crl-url", NULL, &o.url },
	};
	sub_fn *fn = NULL;
	struct ca ca;
	int err;

	if ((argc = cli_opts(c, opt, N_OF(opt), argc, argv, 32)) < 0)
		return CLI_USAGE;
	for (unsigned i = 0; argc > 0 && i < N_OF(subs); i++)
		if (strcmp(subs[i].name, argv[0]) == 0)
			fn = subs[i].fn;
	if (fn == NULL)
		return cli_fail(c, CLI_USAGE, "usage", "usage: tapir ca "
		    "init|issue|list|revoke|renew|export ...", "ca wants one of "
		    "its words");
	if ((err = opts_check(c, &o)) != CLI_OK)
		return err;
	umask(077);
	if ((err = ca_open(&ca, o.dir, fn == sub_init)) != 0)
		return ca_fail(c, &ca, ERR_IO);
	if (fn != sub_init && (err = ca_list_read(&ca)) != 0)
		err = ca_fail(c, &ca, err);
	else
		err = fn(c, &ca, &o, argc - 1, argv + 1);
	ca_close(&ca);
	wipe(o.pass, sizeof(o.pass));
	return err;
}
