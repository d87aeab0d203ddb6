/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secure-proc/main.c - tapir-secure: read what needs rights, give up the
 * rights, answer questions.  Started by tapird only.
 *
 *   options -> configuration (from a descriptor) -> whom we believe -> the
 *   verify and RADIUS children -> keys into secret memory -> rtnetlink socket -> Ethernet
 *   addresses -> confinement -> serve
 *
 * Exit status: 0 the other end is gone, 1 failure, 2 configuration or usage.
 *
 * Thread: one.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "conf/conf.h"
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"
#include "daemon/ipc/chan.h"
#include "daemon/ipc/msg.h"
#include "secure-proc/eap/realms.h"
#include "secure-proc/files/redact.h"
#include "secure-proc/keys/signer.h"
#include "secure-proc/keys/store.h"
#include "secure-proc/keys/token.h"
#include "secure-proc/login/serve.h"
#include "secure-proc/names/names.h"
#include "secure-proc/net/net.h"
#include "secure-proc/radius/child.h"
#include "secure-proc/radius/link.h"
#include "secure-proc/sandbox.h"
#include "secure-proc/serve.h"
#include "secure-proc/verify/link.h"
#include "spi/spi_cert.h"
#include "spi/spi_crypto.h"

#define WHO "secure"

#define RELEASE_ALL   "all"	/* words of --release */
#define RELEASE_RULES "rules"
/* Value of --login= without accounts. */
#define LOGIN_NONE    "none"

enum { EXIT_FAILED = 1, EXIT_CONF = 2 };

struct options {
	int channel_fd, config_fd;
	const char *config_name, *keys;
	struct confine_user user;
	uid_t peer_uid;
	int word_fd;		/* password.sock or login.sock, listening; -1 = none */
	uid_t owner;		/* who besides root may type passwords, make links */
	bool is_login;		/* decide about passwords only */
	int login_dir;		/* the accounts; -1 = there are none */
	int prove_fd;		/* of the supervisor, then */
	const char *run_dir;	/* NULL = not said */
	const char *state_dir;	/* NULL = there is none */
	const char *release;	/* only take away what may be left; NULL = no */
	const char *check;	/* only look at the files of this configuration */
	const char *redact;	/* only take its keys out of a text */
	unsigned seen;		/* bit per option that must be there */
};

/* What was loaded. */
struct loaded {
	struct conf *conf;
	struct sec_store *store;
	struct sec_netlink *nl;
	struct sec_net net;
	struct mac *mac;
	struct sec_trust *trust;	/* NULL: not needed */
	struct sec_link *link;
	struct sec_child child;
	struct sec_token *token;	/* NULL: it cannot be kept */
	int names_fd;			/* to tapir-names; -1 = it is not there */
	struct sec_eaps *eap;		/* NULL: nobody comes by EAP */
	struct sec_radius_link *radius;	/* NULL: no RADIUS */
};

enum {
	OPT_CHANNEL, OPT_CONFIG_FD, OPT_CONFIG_NAME, OPT_KEYS, OPT_UID, OPT_GID, OPT_PEER_UID,
	OPT_N_NEEDED, OPT_ROOTLESS = OPT_N_NEEDED, OPT_LOG_LEVEL, OPT_CHECK, OPT_LOGIN,
	OPT_REDACT, OPT_RUN_DIR, OPT_RELEASE,
	OPT_STATE_DIR, OPT_WORDS, OPT_OWNER, OPT_PROVE
};
/* Of them, for --release and for --login. */
#define RELEASE_NEEDS (1u << OPT_CONFIG_FD | 1u << OPT_CONFIG_NAME)
#define LOGIN_NEEDS (1u << OPT_CHANNEL | 1u << OPT_UID | 1u << OPT_GID)
static const struct option long_options[] = {
	{ "channel", required_argument, NULL, OPT_CHANNEL },
	{ "config-fd", required_argument, NULL, OPT_CONFIG_FD },
	{ "config-name", required_argument, NULL, OPT_CONFIG_NAME },
	{ "keys", required_argument, NULL, OPT_KEYS },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "gid", required_argument, NULL, OPT_GID },
	{ "peer-uid", required_argument, NULL, OPT_PEER_UID },
	{ "rootless", no_argument, NULL, OPT_ROOTLESS },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "check", required_argument, NULL, OPT_CHECK },
	{ "login", required_argument, NULL, OPT_LOGIN },
	{ "redact", required_argument, NULL, OPT_REDACT },
	{ "run-dir", required_argument, NULL, OPT_RUN_DIR },
	{ "release", required_argument, NULL, OPT_RELEASE },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "words", required_argument, NULL, OPT_WORDS },
	{ "owner", required_argument, NULL, OPT_OWNER },
	{ "prove", required_argument, NULL, OPT_PROVE },
	{ NULL, 0, NULL, 0 }
};

/* ---- options ----------------------------------------------------------------- */

static int
number(const char *text, uint64_t max, uint64_t *out)
{
	if (str_u64(text, max, out) == 0)
		return 0;
	fprintf(stderr, "tapir-secure: \"%s\" is not a number up to %llu\n",
	    text, (unsigned long long)max);
	return ERR_SYNTAX;
}

static int
option_set(struct options *o, int which, const char *arg)
{
	const uint64_t id_max = UINT32_MAX - 1u;
	enum log_level lv;
	uint64_t n = 0;
	int err = 0;

	switch (which) {
	case OPT_CHANNEL:
		err = number(arg, INT32_MAX, &n);
		o->channel_fd = (int)n;
		break;
	case OPT_CONFIG_FD:
		err = number(arg, INT32_MAX, &n);
		o->config_fd = (int)n;
		break;
	case OPT_CONFIG_NAME:
		o->config_name = arg;
		break;
	case OPT_KEYS:
		o->keys = arg;
		break;
	case OPT_UID:
		err = number(arg, id_max, &n);
		o->user.uid = (uid_t)n;
		break;
	case OPT_GID:
		err = number(arg, id_max, &n);
		o->user.gid = (gid_t)n;
		break;
	case OPT_PEER_UID:
		err = number(arg, id_max, &n);
		o->peer_uid = (uid_t)n;
		break;
	case OPT_ROOTLESS:
		o->user.is_rootless = true;
		break;
	case OPT_LOG_LEVEL:
		if ((err = log_parse_level(arg, &lv)) == 0)
			log_set_level(lv);
		break;
	case OPT_LOGIN:
		o->is_login = true;
		if (strcmp(arg, LOGIN_NONE) == 0)
			break;
		err = number(arg, INT32_MAX, &n);
		o->login_dir = (int)n;
		break;
	case OPT_PROVE:
		err = number(arg, INT32_MAX, &n);
		o->prove_fd = (int)n;
		break;
	case OPT_WORDS:
		err = number(arg, INT32_MAX, &n);
		o->word_fd = (int)n;
		break;
	case OPT_OWNER:
		err = number(arg, id_max, &n);
		o->owner = (uid_t)n;
		break;
	case OPT_CHECK:
		o->check = arg;
		break;
	case OPT_REDACT:
		o->redact = arg;
		break;
	case OPT_RUN_DIR:
		o->run_dir = arg;
		break;
	case OPT_STATE_DIR:
		o->state_dir = arg;
		break;
	case OPT_RELEASE:
		if (strcmp(arg, RELEASE_ALL) != 0 &&
		    strcmp(arg, RELEASE_RULES) != 0)
			err = ERR_SYNTAX;
		o->release = arg;
		break;
	default:
		return ERR_SYNTAX;
	}
	if (which < OPT_N_NEEDED)
		o->seen |= 1u << which;
	return err;
}

static int
options_read(struct options *o, int argc, char **argv)
{
	int which;

	memset(o, 0, sizeof(*o));
	o->login_dir = o->word_fd = o->prove_fd = -1;
	while ((which = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (option_set(o, which, optarg) != 0)
			return ERR_SYNTAX;
	if (optind == argc && o->is_login && o->seen == LOGIN_NEEDS)
		return 0;
	if (optind == argc && o->release != NULL && o->seen == RELEASE_NEEDS &&
	    o->run_dir != NULL)
		return 0;
	if (optind == argc && (o->check != NULL || o->redact != NULL ?
	    o->seen == 0 :
	    o->seen == (1u << OPT_N_NEEDED) - 1))
		return 0;
	fprintf(stderr, "tapir-secure is started by tapird, not by hand; "
	    "see tapir-secure(8)\n");
	return ERR_SYNTAX;
}

/* ---- loading, with rights ---------------------------------------------------- */

/* @return malloc()ed text of *len bytes, or NULL (logged). */
static char *
text_read(int fd, size_t *len)
{
	struct stat st;
	size_t n = 0;
	ssize_t got;
	char *text;

	if (fstat(fd, &st) != 0 || st.st_size < 0 ||
	    st.st_size > (off_t)CONF_BYTES_MAX ||
	    (text = malloc((size_t)st.st_size + 1)) == NULL) {
		log_error(WHO, "the configuration cannot be read");
		return NULL;
	}
	while (n < (size_t)st.st_size) {
		got = pread(fd, text + n, (size_t)st.st_size - n, (off_t)n);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	*len = n;
	return text;
}

static int
conf_load_fd(const struct options *o, struct conf **out)
{
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	size_t len = 0;
	char *text = text_read(o->config_fd, &len);
	int err = ERR_NOMEM;

	if (errs != NULL && text != NULL) {
		err = conf_parse(text, len, o->config_name, o->keys, out, errs);
		if (err != 0)
			conf_errs_print(errs, stderr);
	}
	free(text);
	free(errs);
	close(o->config_fd);
	return err;
}

static int
macs_load(const struct options *o, struct loaded *l)
{
	int err;

	l->mac = calloc(l->conf->n_realm + 1u, sizeof(*l->mac));
	if (l->mac == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < l->conf->n_realm; i++) {
		err = sec_mac_get(o->keys, o->config_name,
		    l->conf->realm[i].name, &l->mac[i]);
		if (err != 0)
			return err;
	}
	return 0;
}

/* Whom we believe, and the child that looks at strangers' certificates: before
 * anything secret is read. */
static int
verify_start(const struct options *o, struct loaded *l)
{
	int err;

	if ((err = spi_certs()->self_test()) != 0) {
		log_error(WHO, "self-test of certificates: %s", err_text(err));
		return err;
	}
	spi_certs()->lock_keys();
	sec_signer_user(&o->user);
	if (!sec_trust_is_needed(l->conf))
		return 0;
	if ((err = sec_trust_load(&l->trust, l->conf, o->keys,
	    o->user.uid)) != 0 ||
	    (err = sec_child_start(l->trust, &o->user, &l->child)) != 0)
		return err;
	return sec_link_new(&l->link, &l->child);
}

/* The child that speaks to RADIUS servers: behind the verify child, which must
 * not have their secrets, and before any other key is read. */
static int
radius_start(const struct options *o, struct loaded *l)
{
	struct sec_radius_set *set = NULL;
	int fd = -1, err;

	if (!sec_radius_is_needed(l->conf))
		return 0;
	if ((err = sec_radius_set_load(&set, l->conf, o->keys,
	    o->user.uid)) != 0)
		return err;
	err = sec_radius_child_start(set, &o->user, &fd);
	sec_radius_set_free(set);
	if (err == 0 && (err = sec_radius_link_new(&l->radius, fd)) != 0)
		close(fd);
	return err;
}

static int
load(const struct options *o, struct loaded *l)
{
	int err;

	if ((err = spi_crypto()->self_test()) != 0) {
		log_error(WHO, "cryptographic self-test: %s", err_text(err));
		return err;
	}
	if ((err = conf_load_fd(o, &l->conf)) != 0 ||
	    (err = names_start(l->conf, o->state_dir, &l->names_fd)) != 0 ||
	    (err = verify_start(o, l)) != 0 ||
	    (err = radius_start(o, l)) != 0 ||
	    (err = sec_store_load(&l->store, l->conf, o->keys,
	    o->user.uid)) != 0 ||
	    (err = sec_store_name(l->store, l->conf)) != 0 ||
	    (err = sec_net_open(&l->nl, &l->net)) != 0)
		return err;
	if ((err = sec_token_load(&l->token, o->keys, o->user.uid)) != 0)
		return err;
	if (sec_eaps_is_needed(l->conf) && (err = sec_eaps_load(&l->eap,
	    l->conf, o->keys, o->user.uid)) != 0)
		return err;
	return macs_load(o, l);
}

static void
unload(struct loaded *l)
{
	sec_store_free(l->store);	/* first: it wipes */
	sec_eaps_free(l->eap);
	sec_token_free(l->token);
	sec_link_free(l->link);
	sec_radius_link_free(l->radius);
	sec_trust_free(l->trust);
	sec_net_close(l->nl);
	if (l->names_fd >= 0)
		close(l->names_fd);
	free(l->mac);
	conf_free(l->conf);
}

/* Ctrl-C and hang-up are for tapird, which says goodbye to its peers first and
 * then closes the channel; only SIGTERM ends this process by itself. */
static int
signals_prepare(int *fd)
{
	sigset_t set;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return ERR_SYS;
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd >= 0 ? 0 : ERR_SYS;
}

/* ---- start ------------------------------------------------------------------- */

static int
run(const struct options *o, struct loaded *l)
{
	uint8_t digest[IPC_DIGEST_LEN];
	struct sec_serve_conf c = {
		.conf = l->conf, .store = l->store, .net = &l->net,
		.mac = l->mac, .trust = l->trust, .link = l->link,
		.token = l->conf->qcd ? l->token : NULL, .marks = l->token,
		.eap = l->eap, .radius = l->radius,
		.word_fd = o->word_fd, .owner = o->owner, .super = getppid(),
		.names_fd = l->names_fd,
		.instance = sec_net_instance(o->run_dir != NULL ?
					     o->run_dir : ""),
		.resolver = o->user.is_rootless ? 0 : o->peer_uid,
	};
	const struct ipc_peer peer = { .uid = o->peer_uid };
	int keep[7 + SEC_NET_FDS + CONF_REALM_MAX] = { o->channel_fd, -1 };
	unsigned n_keep = 2 + sec_net_fds(l->nl, keep + 2);
	struct ipc_chan *chan = NULL;
	int err;

	/* libcrypto sets itself up here, while files can still be opened. */
	if ((err = ipc_digest(digest)) != 0 ||
	    (err = signals_prepare(&keep[1])) != 0 ||
	    (err = ipc_chan_new(&chan, o->channel_fd, &peer)) != 0)
		return err;
	if (l->link != NULL) {
		keep[n_keep++] = l->child.fd;
		keep[n_keep++] = l->child.ctl_fd;
	}
	if (l->radius != NULL)
		keep[n_keep++] = sec_radius_link_fd(l->radius);
	if (l->names_fd >= 0)
		keep[n_keep++] = l->names_fd;
	if (o->word_fd >= 0)
		keep[n_keep++] = o->word_fd;
	n_keep += sec_store_fds(l->store, keep + n_keep, CONF_REALM_MAX);
	err = sec_confine(&o->user, keep, n_keep, &c.features);
	if (err == 0)
		return sec_serve(&c, chan, keep[1]);
	ipc_chan_free(chan);
	return err;
}

/* ---- tapir check ------------------------------------------------------------- */

/* One line for each thing that is wrong, without time: for tapir check. */
static void
check_line(void *ctx UNUSED, enum log_level lv, const char *who UNUSED,
	   const char *line)
{
	if (lv <= LOG_WARN)
		printf("%s: %s\n", lv == LOG_ERROR ? "error" : "warning", line);
}

/* Read what the configuration names as at a start, then forget it. */
static int
check(const char *file)
{
	const struct passwd *pw = getpwnam("tapir-sec");
	uid_t uid = pw != NULL ? pw->pw_uid : geteuid();
	struct conf_errs *errs = calloc(1, sizeof(*errs));
	struct sec_radius_set *set = NULL;
	struct loaded l = { 0 };
	char keys[PATH_MAX];
	int err = ERR_NOMEM, own;

	log_set_sink(check_line, NULL);
	conf_key_dir(file, keys, sizeof(keys));
	if (errs != NULL && (err = conf_load(file, &l.conf, errs)) != 0)
		conf_errs_print(errs, stdout);
	free(errs);
	if (err == 0 && (err = spi_certs()->self_test()) == 0) {
		spi_certs()->lock_keys();
		if (sec_trust_is_needed(l.conf))
			err = sec_trust_load(&l.trust, l.conf, keys, uid);
		if ((own = sec_store_load(&l.store, l.conf, keys, uid)) == 0)
			own = sec_store_name(l.store, l.conf);
		if (own == 0 && sec_eaps_is_needed(l.conf))
			own = sec_eaps_load(&l.eap, l.conf, keys, uid);
		if (own == 0 && sec_radius_is_needed(l.conf) &&
		    (own = sec_radius_set_load(&set, l.conf, keys, uid)) == 0)
			sec_radius_set_free(set);
		err = err != 0 ? err : own;
	}
	sec_store_free(l.store);
	sec_eaps_free(l.eap);
	sec_trust_free(l.trust);
	conf_free(l.conf);
	return err == 0 ? 0 : EXIT_CONF;
}

/* The keys of a configuration out of standard input: for tapir bugreport. */
static int
redact(const char *file)
{
	char keys[PATH_MAX];
	int err;

	conf_key_dir(file, keys, sizeof(keys));
	err = sec_redact(keys);
	if (err != 0)
		fprintf(stderr, "the secrets in %s were not found: %s\n", keys,
		    err_text(err));
	return err == 0 ? 0 : EXIT_FAILED;
}

/* ---- the end of tapird -------------------------------------------------------- */

/* Take away what may be left: rules of routes that are gone, and the lock, where
 * the end was a clean one. */
static int
release(const struct options *o)
{
	const struct sec_lock none = {
		.instance = sec_net_instance(o->run_dir) };
	struct loaded l = { 0 };
	char why[IPC_WHY_MAX] = "";
	int err = conf_load_fd(o, &l.conf);

	if (err == 0)
		err = sec_net_open(&l.nl, &l.net);
	names_recover(o->state_dir);
	for (unsigned i = 0; err == 0 && i < l.conf->n_realm; i++)
		sec_net_forget(l.nl, &l.conf->realm[i]);
	if (err == 0 && strcmp(o->release, RELEASE_ALL) == 0)
		err = l.net.lock(l.net.ctx, &none, why, sizeof(why));
	sec_net_close(l.nl);
	conf_free(l.conf);
	return err == 0 ? 0 : EXIT_FAILED;
}

static int
login(const struct options *o)
{
	const struct login_fds fd = {
		.web = o->channel_fd, .super = o->prove_fd,
		.listen = o->word_fd, .dir = o->login_dir,
	};

	return login_serve(&o->user, o->owner, &fd) == 0 ? 0 : EXIT_FAILED;
}

int
main(int argc, char **argv)
{
	struct loaded l = { .names_fd = -1 };
	struct options o;
	int err;

	if (options_read(&o, argc, argv) != 0)
		return EXIT_CONF;
	if (o.check != NULL)
		return check(o.check);
	if (o.redact != NULL)
		return redact(o.redact);
	if (o.release != NULL)
		return release(&o);
	if (o.is_login)
		return login(&o);
	if ((err = load(&o, &l)) == 0)
		err = run(&o, &l);
	unload(&l);
	if (err == 0)
		return 0;
	log_debug(WHO, "ends: %s", err_text(err));
	return err == ERR_CONF || err == ERR_KEYFILE ? EXIT_CONF : EXIT_FAILED;
}
