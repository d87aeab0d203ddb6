/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/radius/set.c - configuration and files of keys/ -> RADIUS servers.
 *
 * Thread: the only one, before confinement.
 */
#include "secure-proc/radius/set.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "secure-proc/files/file.h"

#define WHO	 "keys"
#define FILE_MAX 2048		/* bytes of a file of secrets; ours */
#define WHY_MAX	 200

_Static_assert(CONF_RADIUS_MAX == SEC_RADIUS_SERVERS, "one bound");
_Static_assert(CONF_RADIUS_PORT == SPI_RADIUS_PORT, "one port");

/* ---- the file ------------------------------------------------------------------ */

/* The text itself, or 0x and digits. */
static int
secret_read(struct view v, struct sec_radius_server *to)
{
	if (v.len > 2 && v.p[0] == '0' && v.p[1] == 'x') {
		if (v.len % 2 != 0 ||
		    (v.len - 2) / 2 > sizeof(to->secret) ||
		    str_unhex((const char *)v.p + 2, v.len - 2, to->secret,
		    sizeof(to->secret)) < 0)
			return ERR_SYNTAX;
		to->n_secret = (v.len - 2) / 2;
		return 0;
	}
	if (v.len > sizeof(to->secret))
		return ERR_LONG;
	memcpy(to->secret, v.p, v.len);
	to->n_secret = v.len;
	return 0;
}

/* The next line without its end; false: there is none. */
static bool
line_next(struct view *rest, struct view *line)
{
	const uint8_t *end;

	if (rest->len == 0)
		return false;
	end = memchr(rest->p, '\n', rest->len);
	line->p = rest->p;
	line->len = end != NULL ? (size_t)(end - rest->p) : rest->len;
	rest->p += end != NULL ? line->len + 1 : line->len;
	rest->len -= end != NULL ? line->len + 1 : line->len;
	if (line->len > 0 && line->p[line->len - 1] == '\r')
		line->len--;
	return true;
}

int
sec_radius_secrets(struct view text, unsigned n_server,
		   struct sec_radius_server *to, char *why, size_t cap)
{
	struct view line;
	unsigned n = 0;

	why[0] = '\0';
	for (; line_next(&text, &line); n++) {
		if (line.len == 0)
			str_add(why, cap, "line %u is empty", n + 1);
		else if (n >= n_server)
			str_add(why, cap, "has more lines than at= of <eap> has "
				"servers");
		else if (secret_read(line, &to[n]) != 0)
			str_add(why, cap, "line %u is no secret: text or 0x and "
				"digits, up to %u bytes", n + 1,
				SEC_RADIUS_SECRET_MAX);
		if (why[0] != '\0')
			return ERR_KEYFILE;
	}
	if (n != 1 && n != n_server) {
		str_add(why, cap, "has %u lines: one secret for all servers, or "
			"one for each of the %u", n, n_server);
		return ERR_KEYFILE;
	}
	for (unsigned i = n; i < n_server; i++) {
		to[i].n_secret = to[0].n_secret;
		memcpy(to[i].secret, to[0].secret, sizeof(to[i].secret));
	}
	return 0;
}

/* ---- realms -------------------------------------------------------------------- */

static int
complain(const struct conf_realm *r, const char *why)
{
	log_error(WHO, "realm %s: %s %s", r->name, r->eap.secret, why);
	return ERR_KEYFILE;
}

static void
warn_short(const struct conf_realm *r, const struct sec_radius_realm *to)
{
	for (unsigned i = 0; i < to->n; i++) {
		if (to->server[i].n_secret >= SEC_RADIUS_SECRET_MIN)
			continue;
		log_warn(WHO, "realm %s: %s has a secret of less than %u bytes: "
		    "who hears the server's answers can find it by trying",
		    r->name, r->eap.secret, SEC_RADIUS_SECRET_MIN);
		return;
	}
}

static int
realm_load(const struct conf_realm *r, const char *dir, uid_t uid,
	   struct sec_radius_realm *to)
{
	struct net_ep ep[CONF_RADIUS_MAX];
	unsigned n = conf_eap_servers(&r->eap, ep);
	char why[WHY_MAX] = "";
	uint8_t *bytes = NULL;
	size_t len = 0;
	int dir_fd = sec_realm_dir_open(dir, r), err;

	if (dir_fd < 0)
		return ERR_KEYFILE;
	err = sec_file_secret(dir_fd, r->eap.secret, uid, FILE_MAX, &bytes, &len,
	    why, sizeof(why));
	close(dir_fd);
	if (err == ERR_NOTFOUND)
		return complain(r, "is not there: secret= of <eap> names it");
	if (err != 0)
		return err == ERR_KEYFILE ? complain(r, why) : err;
	to->n = MIN(n, (unsigned)SEC_RADIUS_SERVERS);
	for (unsigned i = 0; i < to->n; i++)
		to->server[i].ep = ep[i];
	err = sec_radius_secrets((struct view){ bytes, len }, to->n, to->server,
	    why, sizeof(why));
	secret_free(bytes);
	if (err != 0)
		return complain(r, why);
	warn_short(r, to);
	return 0;
}

bool
sec_radius_is_needed(const struct conf *c)
{
	for (unsigned i = 0; i < c->n_realm; i++)
		if (conf_eap_is_relay(&c->realm[i].eap))
			return true;
	return false;
}

void
sec_radius_set_lock(struct sec_radius_set *s)
{
	/* Without the right to lock memory it is as with other secrets: said
	 * once, in what was reached at the start. */
	(void)mlock(s, sizeof(*s));
}

int
sec_radius_set_load(struct sec_radius_set **out, const struct conf *c,
		    const char *dir, uid_t uid)
{
	struct sec_radius_set *s;
	int err = 0, first = 0;

	if (spi_radius_init() != 0) {
		log_error(WHO, "RADIUS is not possible with this OpenSSL: MD5 is "
		    "shut off (FIPS mode)");
		return ERR_ALG;
	}
	s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		return ERR_NOMEM;
	sec_radius_set_lock(s);
	if (madvise(s, sizeof(*s), MADV_DONTDUMP) != 0)
		err = ERR_NOMEM;
	for (unsigned i = 0; err == 0 && i < c->n_realm; i++) {
		if (!conf_eap_is_relay(&c->realm[i].eap))
			continue;
		if (s->n_realm >= SEC_RADIUS_REALMS) {
			log_error(WHO, "more than %u realms use RADIUS",
			    SEC_RADIUS_REALMS);
			err = ERR_FULL;
			break;
		}
		s->realm[s->n_realm].realm = c->realm[i].index;
		err = realm_load(&c->realm[i], dir, uid,
		    &s->realm[s->n_realm++]);
		first = first == 0 ? err : first;
		if (err == ERR_KEYFILE)
			err = 0;	/* the others are looked at, too */
	}
	if (err != 0 || first != 0) {
		sec_radius_set_free(s);
		return err != 0 ? err : first;
	}
	*out = s;
	return 0;
}

void
sec_radius_set_free(struct sec_radius_set *s)
{
	if (s == NULL)
		return;
	wipe(s, sizeof(*s));
	(void)munmap(s, sizeof(*s));
}
