/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/field_file.c - attributes that name files in keys/, or where lists of what was
 * revoked are fetched.
 *
 * Thread: the caller's; files are looked at only through conf_keyfile_look().
 */
#include "conf/field.h"
#include <string.h>
#include "daemon/base/str.h"

static void
key_wrong(struct conf_field *f, const char *why)
{
	f->k->n_key++;
	conf_err_add(f->k->errs, f->a->pos, CONF_E_KEYFILE, "%s=\"%s\": %s",
		     f->row->opt.name, f->q, why);
}

/* The name of a file in keys/: no way out of it. */
static bool
file_name_ok(struct conf_field *f, const char *v)
{
	size_t n = strlen(v);
	bool is_ok = n > 0 && n < CONF_FILE_MAX && v[0] != '.';

	for (const char *p = v; *p != '\0'; p++)
		is_ok &= conf_is_graph(*p) && *p != '/';
	if (!is_ok)
		CONF_WRONG(f, FILENAME, "allowed is the name of a file in keys/ beside the "
		      "configuration: no directory, no leading dot");
	return is_ok;
}

void
conf_set_file(struct conf_field *f)
{
	char why[CONF_ERR_TEXT];

	if (!file_name_ok(f, f->a->value))
		return;
	conf_field_put(f);
	if (f->k->key_dir != NULL &&
	    conf_keyfile_look(f->k->key_dir, f->a->value, why,
			      sizeof(why)) != 0)
		key_wrong(f, why);
}

void
conf_set_pub(struct conf_field *f)
{
	char why[CONF_ERR_TEXT];

	if (!file_name_ok(f, f->a->value))
		return;
	conf_field_put(f);
	if (f->k->key_dir != NULL &&
	    conf_pubfile_look(f->k->key_dir, f->a->value, why,
			      sizeof(why)) != 0)
		key_wrong(f, why);
}

/* Any of the names a certificate may have; the complaint is about the first. */
void
conf_set_cert(struct conf_field *f)
{
	char why[CONF_ERR_TEXT], first[CONF_ERR_TEXT], name[CONF_FILE_MAX];
	unsigned i = 0;

	if (!file_name_ok(f, f->a->value))
		return;
	conf_field_put(f);
	for (; f->k->key_dir != NULL && conf_cert_file(f->a->value, i, name);
	     i++) {
		if (conf_pubfile_look(f->k->key_dir, name, why,
				      sizeof(why)) == 0)
			return;
		if (i == 0)
			str_copy(first, sizeof(first), why);
	}
	if (i > 0)
		key_wrong(f, first);
}

/* Whether a file of that name is there is asked by conf_auth_me(): the name
 * may come from cert=. */
void
conf_set_key(struct conf_field *f)
{
	if (conf_key_is_uri(f->a->value)) {
		for (const char *p = f->a->value; *p != '\0'; p++)
			if (!conf_is_graph(*p)) {
				CONF_WRONG(f, FILENAME, "a URI has no spaces");
				return;
			}
		conf_field_put(f);
		return;
	}
	if (file_name_ok(f, f->a->value))
		conf_field_put(f);
}

void
conf_set_files(struct conf_field *f)
{
	char name[CONF_FILE_MAX + 1], why[CONF_ERR_TEXT];
	const char *p = f->a->value;
	unsigned n = 0;

	for (; conf_list_next(&p, name, sizeof(name)); n++) {
		if (!file_name_ok(f, name))
			return;
		if (f->k->key_dir != NULL &&
		    conf_pubfile_look(f->k->key_dir, name, why,
				      sizeof(why)) != 0)
			key_wrong(f, why);
	}
	if (n == 0 || n > CONF_CA_MAX) {
		CONF_WRONG(f, FILENAME, "allowed are 1 to %u names of files in keys/",
		      CONF_CA_MAX);
		return;
	}
	conf_field_put(f);
}

/* What is left of it is looked at where it is used. */
static bool
url_ok(const char *url)
{
	const char *host = url + 7;

	if (strncmp(url, "http://", 7) != 0 || strcspn(host, "/?#") == 0)
		return false;
	for (const char *p = host; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return false;
	return memchr(host, '@', strcspn(host, "/?#")) == NULL;
}

void
conf_set_urls(struct conf_field *f)
{
	const char *p = f->a->value;
	char url[CONF_URL_MAX + 1];	/* a longer one is cut to this */
	unsigned n = 0;

	for (; conf_list_next(&p, url, sizeof(url)); n++) {
		if (strlen(url) < CONF_URL_MAX && url_ok(url))
			continue;
		CONF_WRONG(f, URL, "not an address like http://crl.example.com/ca.crl "
		      "of at most %u characters; a list is signed, HTTP is "
		      "enough", CONF_URL_MAX - 1);
		return;
	}
	if (n == 0 || n > CONF_URLS_MAX) {
		CONF_WRONG(f, URL, "allowed are 1 to %u addresses", CONF_URLS_MAX);
		return;
	}
	conf_field_put(f);
}
