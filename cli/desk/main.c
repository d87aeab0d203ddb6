/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/desk/main.c - tapir-desk: accounts, users, certificates and invitations for
 * the browser.
 *
 *   supervisor -> fork, exec -> one question on its channel -> one answer -> end
 *
 * It may write the directory of the configuration, with keys/ in it, and nothing
 * else; it opens no connection.  tapir-web, where the question comes from, sees
 * neither keys nor what is made of passwords.  A process answers one question: what
 * it knew is gone with it.
 */
#include <getopt.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/desk/desk.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/secret.h"
#include "daemon/bus/doc_wire.h"
#include "daemon/ipc/confine.h"

#define WHO "desk"
#define BIT(cap) (UINT64_C(1) << (cap))

struct opts {
	int channel;
	bool is_rootless;
	struct desk_place at;
};

static bool
opts_read(int argc, char **argv, struct opts *o)
{
	static const struct option known[] = {
		{ "channel", required_argument, NULL, 'c' },
		{ "config", required_argument, NULL, 'f' },
		{ "keys", required_argument, NULL, 'k' },
		{ "closed", no_argument, NULL, 'n' },
		{ "rootless", no_argument, NULL, 'r' },
		{ NULL, 0, NULL, 0 },
	};
	int which;

	*o = (struct opts){ .channel = -1 };
	while ((which = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (which) {
		case 'c':
			o->channel = (int)strtol(optarg, NULL, 10);
			break;
		case 'f':
			o->at.config = optarg;
			break;
		case 'k':
			o->at.keys = optarg;
			break;
		case 'n':
			o->at.is_closed = true;
			break;
		case 'r':
			o->is_rootless = true;
			break;
		default:
			return false;
		}
	}
	return o->channel > STDERR_FILENO && o->at.config != NULL &&
	    o->at.keys != NULL;
}

/* The directory that holds the configuration. */
static void
dir_of(const char *config, char *out, size_t cap)
{
	char *slash;

	snprintf(out, cap, "%s", config);
	slash = strrchr(out, '/');
	if (slash == NULL)
		snprintf(out, cap, ".");
	else
		slash[slash == out] = '\0';
}

/* The owner of a file that takes another's place is to be the same: that, and to
 * read what belongs to tapir-sec, is all it may more than anybody. */
static int
confine(const struct opts *o)
{
	const struct confine_user user = {
		.uid = geteuid(), .gid = getegid(), .is_rootless = o->is_rootless,
		.keep_caps = BIT(CAP_CHOWN) | BIT(CAP_DAC_READ_SEARCH),
	};
	char dir[PATH_MAX];
	const struct confine_path keep[] = {
		{ dir, true }, { o->at.keys, true },
		{ "/etc", false }, { "/usr", false }, { "/lib", false },
		{ "/lib64", false }, { "/proc/self", false },
	};
	uint32_t feat = 0;
	int err;

	dir_of(o->at.config, dir, sizeof(dir));
	if ((err = confine_common(&feat)) != 0 ||
	    (err = confine_fds(&o->channel, 1)) != 0 ||
	    (err = confine_drop(&user, &feat)) != 0)
		return err;
	return confine_landlock(keep, N_OF(keep), &feat);
}

static int
answer(const struct opts *o, const struct bus_rec *cmd)
{
	static uint8_t b[DOC_WIRE_MAX];
	struct desk_answer a;
	int n, err = desk_run(cmd, &o->at, &a);

	if (err == 0) {
		a.rec.tag = cmd->tag;
		n = doc_enc(&a.rec, (struct view){ a.doc, a.len }, b, sizeof(b));
		err = n < 0 ? n : send(o->channel, b, (size_t)n, MSG_NOSIGNAL) ==
		    n ? 0 : ERR_SYS;
	}
	desk_answer_free(&a);
	wipe(b, sizeof(b));
	return err;
}

int
main(int argc, char **argv)
{
	static uint8_t b[DOC_WIRE_MAX];
	struct view none;
	struct bus_rec cmd;
	struct opts o;
	ssize_t n;
	int err;

	if (!opts_read(argc, argv, &o)) {
		log_error(WHO, "tapird starts this program; tapir does the same "
			  "from a shell");
		return 2;
	}
	if ((err = confine(&o)) != 0) {
		log_error(WHO, "cannot give up rights: %s", err_text(err));
		return 1;
	}
	n = recv(o.channel, b, sizeof(b), 0);
	err = n > 0 ? doc_dec(b, (size_t)n, &cmd, &none) : ERR_CLOSED;
	wipe(b, sizeof(b));
	if (err == 0 && cmd.desc->row != BUS_CMD_DESK)
		err = ERR_UNSUP;
	if (err == 0)
		err = answer(&o, &cmd);
	wipe(&cmd, sizeof(cmd));
	if (err != 0)
		log_warn(WHO, "%s", err_text(err));
	return err == 0 ? 0 : 1;
}
