/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/lab/lab_cert.c - certificates for the gateways of a lab, good and bad.
 *
 * Made by the code of tapir ca, whose periods a lab may shift.
 */
#include "cli/lab/lab_cert.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli/ca/ca.h"
#include "cli/lab/lab_conf.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define FILE_BYTES 16384
#define PATH_LEN   512
#define CA_DAYS	   400
#define LEAF_DAYS  90
/* A certificate with these does not fit into one packet. */
#define LONG_NAME(n_) ",a-rather-long-name-of-a-machine-number-" #n_          \
	".branches.of.the.lab.example.com"
#define LONG_NAMES                                                             \
	"tokyo" LONG_NAME(1) LONG_NAME(2) LONG_NAME(3) LONG_NAME(4) LONG_NAME(5) \
	LONG_NAME(6)

/* Copy a file of the authority's directory into a gateway's keys. */
static int
give(struct ca *ca, const char *from, const char *lab_dir, const char *node,
     const char *name)
{
	char dir[PATH_LEN], text[FILE_BYTES];
	size_t len;
	int err;

	snprintf(dir, sizeof(dir), "%s/%s/keys", lab_dir, node);
	if ((err = ca_file_read(ca, from, text, sizeof(text), &len)) == 0)
		err = lab_write(dir, name, text);
	wipe(text, sizeof(text));
	return err;
}

/* Of an earlier fault. */
static int
take(const char *lab_dir, const char *node, const char *name)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s/keys/%s", lab_dir, node, name);
	return unlink(path) == 0 || errno == ENOENT ? 0 : ERR_SYS;
}

/* Issue; the files are then own.pem and own.key of a gateway. */
static int
own(struct ca *ca, const char *lab_dir, const char *node, const char *name,
    const struct ca_want *more)
{
	const struct ca_want w = { .names = more->names != NULL ? more->names :
		name, .type = "p256", .days = LEAF_DAYS,
		.shift_s = more->shift_s, .usage = more->usage };
	char file[CA_NAME_MAX + 8];
	struct ca_entry *e = ca_add(ca);
	int err;

	if (e == NULL)
		return ERR_NOMEM;
	if ((err = ca_issue(ca, &w, false, e)) != 0)
		return err;
	snprintf(file, sizeof(file), "%s.pem", name);
	if ((err = give(ca, file, lab_dir, node, "own.pem")) != 0)
		return err;
	snprintf(file, sizeof(file), "%s.key", name);
	return give(ca, file, lab_dir, node, "own.key");
}

static int
authority(struct ca *ca, const char *lab_dir, const char *name)
{
	const struct ca_want w = { .names = "tapir lab", .type = "p256",
		.days = CA_DAYS };
	char dir[PATH_LEN];
	int err;

	snprintf(dir, sizeof(dir), "%s/%s", lab_dir, name);
	if ((err = ca_open(ca, dir, true)) != 0)
		return err;
	return ca_make(ca, &w);
}

/* gw-b's certificate, by ca; the revocation is in its list. */
static int
other_own(struct ca *ca, const char *lab_dir, enum lab_cert how)
{
	static const struct ca_want otherwise[] = {
		[LAB_CERT_EXPIRED] = { .shift_s = -120ll * CA_DAY },
		[LAB_CERT_NOT_YET] = { .shift_s = 30ll * CA_DAY },
		[LAB_CERT_CLOCK] = { .shift_s = 2 * 3600 },
		[LAB_CERT_USAGE] = { .usage = "codeSigning" },
		[LAB_CERT_LONG] = { .usage = NULL },
	};
	int err = own(ca, lab_dir, "gw-b", how == LAB_CERT_NAME ? "nagoya" :
		      "osaka", &otherwise[how]);

	if (err == 0 && how == LAB_CERT_REVOKED) {
		ca->entry[ca->n - 1].is_revoked = true;
		ca->entry[ca->n - 1].revoked_at = 1;
	}
	return err;
}

static int
write_all(struct ca *ca, struct ca *other, const char *dir, enum lab_cert how)
{
	static const struct ca_want usual, many = { .names = LONG_NAMES };
	int err;

	if ((err = authority(ca, dir, "pki")) != 0 ||
	    (err = own(ca, dir, "gw-a", "tokyo", how == LAB_CERT_LONG ?
		       &many : &usual)) != 0)
		return err;
	if (how == LAB_CERT_OTHER_CA) {
		if ((err = authority(other, dir, "pki-other")) != 0)
			return err;
		err = own(other, dir, "gw-b", "osaka", &usual);
	} else {
		err = other_own(ca, dir, how);
	}
	if (err != 0 || (err = ca_crl(ca, NULL, LEAF_DAYS)) != 0)
		return err;
	for (int i = 0; i < 2 && err == 0; i++) {
		const char *node = i == 0 ? "gw-a" : "gw-b";

		if ((err = give(ca, "ca.pem", dir, node, "ca.pem")) == 0)
			err = how == LAB_CERT_NO_LIST ?
			    take(dir, node, "ca.crl") :
			    give(ca, "ca.crl", dir, node, "ca.crl");
	}
	return err;
}

int
lab_cert_write(const char *lab_dir, enum lab_cert how, char *why, size_t cap)
{
	struct ca ca = { .dir_fd = -1 }, other = { .dir_fd = -1 };
	int err = write_all(&ca, &other, lab_dir, how);

	if (err != 0)
		snprintf(why, cap, "certificates: %s", ca.why[0] != '\0' ?
			 ca.why : other.why[0] != '\0' ? other.why :
			 err_text(err));
	if (ca.n > 0)		/* it was opened */
		ca_close(&ca);
	if (other.n > 0)
		ca_close(&other);
	return err;
}
