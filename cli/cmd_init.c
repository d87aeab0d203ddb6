/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cmd_init.c - tapir init: four questions, a configuration and its key.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/conf_file.h"
#include "cli/json.h"
#include "daemon/base/rng.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"

#define KEY_BYTES  32	/* of a new pre-shared key: 256 bits */
#define ANSWER_MAX 256
#define TEXT_MAX   4096

struct init {
	const char *config;
	const char *name, *peer, *at, *lan;	/* NULL = ask */
	const char *realm;
	bool is_forced;
	char answer[4][ANSWER_MAX];
};

/* ---- questions ------------------------------------------------------------------ */

static const char *
ask_one(struct cli *c, const char *question, const char *def, char *answer)
{
	fprintf(c->out, "%s", question);
	if (*def != '\0')
		fprintf(c->out, " [%s]", def);
	fprintf(c->out, ": ");
	fflush(c->out);
	if (fgets(answer, ANSWER_MAX, stdin) == NULL)
		return NULL;
	answer[strcspn(answer, "\r\n")] = '\0';
	if (*answer == '\0')
		str_copy(answer, ANSWER_MAX, def);
	return answer;
}

/* What was not given is asked for. */
static int
ask_all(struct cli *c, struct init *i)
{
	char host[ANSWER_MAX] = "";
	bool can_ask = isatty(STDIN_FILENO) && !c->is_json;

	if (gethostname(host, sizeof(host) - 1) != 0)
		host[0] = '\0';
	if (!can_ask && (i->name == NULL || i->peer == NULL))
		return cli_fail(c, CLI_USAGE, "usage", "tapir init --name tokyo "
				"--peer osaka --at 203.0.113.2 --lan br-lan",
				"without a terminal, --name and --peer must be "
				"given");
	if (can_ask && i->name == NULL)
		i->name = ask_one(c, "1. What is this gateway called", host,
				  i->answer[0]);
	if (can_ask && i->peer == NULL)
		i->peer = ask_one(c, "2. What is the other end called", "",
				  i->answer[1]);
	if (can_ask && i->at == NULL)
		i->at = ask_one(c, "3. At which address is it (none: it dials "
				"us)", "", i->answer[2]);
	if (can_ask && i->lan == NULL)
		i->lan = ask_one(c, "4. Which bridge joins the tunnel, or which "
				 "address has it, like 10.99.0.1/24", "br-lan",
				 i->answer[3]);
	if (i->name == NULL || i->peer == NULL || *i->name == '\0' ||
	    *i->peer == '\0')
		return cli_fail(c, CLI_FAILED, "usage", NULL, "both ends need a "
				"name");
	if (i->at == NULL)
		i->at = "";
	if (i->lan == NULL)
		i->lan = "br-lan";
	return CLI_OK;
}

/* ---- texts ---------------------------------------------------------------------- */

static void
add_value(char *out, const char *v)
{
	for (; *v != '\0'; v++) {
		if (*v == '&' || *v == '<' || *v == '"')
			str_add(out, TEXT_MAX, "&#%d;", *v);
		else
			str_add(out, TEXT_MAX, "%c", *v);
	}
}

static void
add_attr(char *out, const char *name, const char *value)
{
	str_add(out, TEXT_MAX, " %s=\"", name);
	add_value(out, value);
	str_add(out, TEXT_MAX, "\"");
}

static void
conf_text(const struct init *i, char *out)
{
	bool is_net = strchr(i->lan, '/') != NULL;
	char psk[ANSWER_MAX] = "";

	str_add(psk, sizeof(psk), "%s.psk", i->realm);
	out[0] = '\0';
	str_add(out, TEXT_MAX, "<!-- tapir.xml(5) has every option; tapir check "
		"says what is wrong -->\n<vpn version=\"%u\">\n  <realm",
		CONF_VERSION);
	add_attr(out, "name", i->realm);
	add_attr(out, is_net ? "address" : "bridge", i->lan);
	str_add(out, TEXT_MAX, ">\n    <me");
	add_attr(out, "id", i->name);
	add_attr(out, "psk", psk);
	str_add(out, TEXT_MAX, "/>\n    <peer");
	add_attr(out, "id", i->peer);
	if (*i->at != '\0')
		add_attr(out, "at", i->at);
	str_add(out, TEXT_MAX, "/>\n  </realm>\n</vpn>\n");
}

/* A new key in base64, unless there is one: it may be the other end's. */
static int
key_write(const char *keys, const char *realm, char *path, bool *is_new)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
	    "qrstuvwxyz0123456789+/";
	uint8_t key[KEY_BYTES + 1] = { 0 };
	char text[64] = "";
	int fd, err;
	ssize_t n;

	snprintf(path, PATH_MAX, "%.3500s/%.100s.psk", keys, realm);
	if (mkdir(keys, 0700) != 0 && errno != EEXIST)
		return ERR_SYS;
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		  0600);
	*is_new = fd >= 0;
	if (fd < 0)
		return errno == EEXIST ? 0 : ERR_SYS;
	if ((err = rng_bytes(key, KEY_BYTES)) == 0) {
		for (unsigned b = 0; b < KEY_BYTES * 8; b += 6) {
			unsigned two = (unsigned)key[b / 8] << 8 | key[b / 8 + 1];

			str_add(text, sizeof(text), "%c",
				digit[two >> (10 - b % 8) & 63]);
		}
		str_add(text, sizeof(text), "\n");
		n = write(fd, text, strlen(text));
		err = n == (ssize_t)strlen(text) ? 0 : ERR_SYS;
	}
	wipe(key, sizeof(key));
	wipe(text, sizeof(text));
	if (close(fd) != 0 && err == 0)
		err = ERR_SYS;
	return err;
}

/* ---- the command -------------------------------------------------------------- */

static int
done(struct cli *c, const struct init *i, const char *key, bool is_new)
{
	struct json j;

	if (c->is_json) {
		json_init(&j, c->out);
		json_obj(&j, NULL);
		json_bool(&j, "ok", true);
		json_str(&j, "file", i->config);
		json_str(&j, "key", key);
		json_bool(&j, "is_new_key", is_new);
		json_obj_end(&j);
		json_end(&j);
		return CLI_OK;
	}
	fprintf(c->out, "wrote %s\n%s %s\n", i->config, is_new ?
		"wrote the pre-shared key" : "the key was there already:", key);
	fprintf(c->out, "\nNext: bring the key to %s by a safe way, as keys/%s.psk "
		"there.\nThen tapir check, and start the daemon:\n"
		"  tapir check %s\n  systemctl start tapir\n", i->peer, i->realm,
		i->config);
	return CLI_OK;
}

static int
write_all(struct cli *c, const struct init *i)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	char text[TEXT_MAX], keys[PATH_MAX], key[PATH_MAX] = "";
	struct conf *conf = NULL;
	bool is_new = false;
	int status, err;

	conf_text(i, text);
	if (errs == NULL)
		return cli_fail(c, CLI_FAILED, "memory", NULL, "out of memory");
	err = conf_parse(text, strlen(text), i->config, NULL, &conf, errs);
	conf_free(conf);
	conf_key_dir(i->config, keys, sizeof(keys));
	if (err != 0)
		status = cli_fail(c, CLI_FAILED, errs->n > 0 ?
				  conf_code_name(errs->e[0].code) : "check",
				  "nothing was written", "%s", errs->n > 0 ?
				  errs->e[0].text : err_text(err));
	else if ((err = key_write(keys, i->realm, key, &is_new)) != 0)
		status = cli_fail(c, CLI_FAILED, "write", "run the command as "
				  "root", "cannot write %s: %s",
				  *key != '\0' ? key : keys, strerror(errno));
	else if (conf_file_replace(i->config, text, strlen(text), 0644) != 0)
		status = cli_fail(c, CLI_FAILED, "write", "run the command as "
				  "root", "cannot write %s: %s", i->config,
				  strerror(errno));
	else
		status = done(c, i, key, is_new);
	free(errs);
	return status;
}

int
cmd_init(struct cli *c, int argc, char **argv)
{
	struct init i = { .config = CLI_CONF, .realm = "branches" };
	struct cli_opt opt[] = {
		{ 'c', "config", NULL, &i.config },
		{ 0, "name", NULL, &i.name }, { 0, "peer", NULL, &i.peer },
		{ 0, "at", NULL, &i.at }, { 0, "lan", NULL, &i.lan },
		{ 0, "realm", NULL, &i.realm },
		{ 0, "force", &i.is_forced, NULL },
	};
	struct stat st;
	int status;

	if (cli_opts(c, opt, N_OF(opt), argc, argv, 0) < 0)
		return CLI_USAGE;
	if (!i.is_forced && lstat(i.config, &st) == 0)
		return cli_fail(c, CLI_FAILED, "exists", "change it with tapir "
				"set, or write it anew with --force",
				"%s is there already", i.config);
	if ((status = ask_all(c, &i)) != CLI_OK)
		return status;
	return write_all(c, &i);
}
