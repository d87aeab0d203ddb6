/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/ipc/confine.c - limits, descriptors, user and capabilities.
 *
 * Thread: the only thread of a process that starts.
 */
#include "daemon/ipc/confine.h"
#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/str.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65			/* Linux 6.3 */
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
#define WHO "confine"

static int
fail(const char *what)
{
	log_error(WHO, "%s: %s", what, strerror(errno));
	return ERR_SYS;
}

/* ---- limits ------------------------------------------------------------------ */

int
confine_common(uint32_t *feat)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return fail("core dumps cannot be switched off");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail("the process stays dumpable");
	umask(077);
	*feat |= CONFINE_F_NODUMP;
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
		*feat |= CONFINE_F_MDWE;
	/* The C library reads the time zone at first use; later it may not. */
	tzset();
	return 0;
}

/* ---- descriptors ------------------------------------------------------------- */

static int
int_compare(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int
confine_fds(const int *keep, unsigned n)
{
	int *sorted = calloc(n + 1u, sizeof(*sorted));
	unsigned from = 3;
	int err = 0;

	if (sorted == NULL)
		return ERR_NOMEM;
	if (n > 0)
		memcpy(sorted, keep, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), int_compare);
	for (unsigned i = 0; i < n && err == 0; i++) {
		if (sorted[i] < (int)from)
			continue;
		if ((unsigned)sorted[i] > from &&
		    close_range(from, (unsigned)sorted[i] - 1, 0) != 0)
			err = fail("descriptors cannot be closed");
		from = (unsigned)sorted[i] + 1;
	}
	if (err == 0 && close_range(from, ~0u, 0) != 0)
		err = fail("descriptors cannot be closed");
	free(sorted);
	return err;
}

/* ---- user and capabilities --------------------------------------------------- */

/* Exactly these in permitted and effective, nothing inheritable. */
static int
caps_set(uint64_t mask)
{
	cap_t c = cap_init();
	int rc = c != NULL ? 0 : -1;

	for (int i = 0; rc == 0 && i < 64; i++) {
		cap_value_t v = i;

		if ((mask >> i & 1) == 0)
			continue;
		rc = cap_set_flag(c, CAP_PERMITTED, 1, &v, CAP_SET);
		if (rc == 0)
			rc = cap_set_flag(c, CAP_EFFECTIVE, 1, &v, CAP_SET);
	}
	if (rc == 0)
		rc = cap_set_proc(c);
	cap_free(c);
	return rc;
}

static uint64_t
caps_permitted(void)
{
	cap_t c = cap_get_proc();
	uint64_t mask = 0;

	for (int i = 0; c != NULL && i <= CAP_LAST_CAP; i++) {
		cap_flag_value_t v = CAP_CLEAR;

		if (cap_get_flag(c, i, CAP_PERMITTED, &v) == 0 && v == CAP_SET)
			mask |= UINT64_C(1) << i;
	}
	cap_free(c);
	return mask;
}

/* Capabilities no process started from here can ever get again. */
static bool
bounding_empty(void)
{
	for (unsigned long i = 0; i < 64; i++) {
		int has = prctl(PR_CAPBSET_READ, i, 0, 0, 0);

		if (has < 0)
			return i > 0;	/* past the last one of this kernel */
		if (has > 0 && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
			return false;
	}
	return true;
}

static int
user_set(const struct confine_user *u)
{
	if (u->is_rootless)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
		return fail("capabilities cannot be kept");
	if (setgroups(u->also_gid != 0, &u->also_gid) != 0)
		return fail("supplementary groups cannot be dropped");
	if (setresgid(u->gid, u->gid, u->gid) != 0)
		return fail("the group cannot be changed");
	if (setresuid(u->uid, u->uid, u->uid) != 0)
		return fail("the user cannot be changed");
	if (getuid() != u->uid || geteuid() != u->uid ||
	    getgid() != u->gid || getegid() != u->gid)
		return ERR_PERM;
	return 0;
}

int
confine_drop(const struct confine_user *u, uint32_t *feat)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	    SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
	    SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
	    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	const uint64_t setpcap = UINT64_C(1) << CAP_SETPCAP;
	uint64_t have;
	bool is_bounded, is_locked;
	int err;

	is_bounded = bounding_empty();
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if ((err = user_set(u)) != 0)
		return err;
	have = caps_permitted();
	if ((u->keep_caps & ~have) != 0)
		log_warn(WHO, "some capabilities this process needs are "
		    "missing: start it as root, or inside a user namespace");
	if (caps_set((u->keep_caps | setpcap) & have) != 0)
		return fail("capabilities cannot be set");
	is_locked = prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0;
	if (caps_set(u->keep_caps & have) != 0)
		return fail("capabilities cannot be dropped");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail("no_new_privs cannot be set");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return fail("the process stays dumpable");
	if ((caps_permitted() & ~u->keep_caps) != 0)
		return ERR_PERM;
	*feat |= CONFINE_F_NNP;
	if (!u->is_rootless)
		*feat |= CONFINE_F_UID;
	if (is_bounded && is_locked)
		*feat |= CONFINE_F_CAPS;
	return 0;
}

int
confine_no_caps(void)
{
	if (caps_set(0) != 0)
		return fail("the last capabilities cannot be dropped");
	return caps_permitted() == 0 ? 0 : ERR_SYS;
}

int
confine_shut(const struct confine_filter *f, uint32_t *feat)
{
	int err = confine_landlock_none(feat);

	return err != 0 ? err : confine_seccomp(f, confine_probe_all,
						CONFINE_P_END, feat);
}

/* ---- report ------------------------------------------------------------------ */

const char *
confine_text(uint32_t feat, char *out, size_t cap)
{
	static const char *const names[] = {
		"own-user", "capabilities-locked", "no-new-privileges",
		"seccomp", "landlock", "landlock-signals", "locked-memory",
		"write-xor-execute", "no-dump", "self-test"
	};

	if (cap > 0)
		out[0] = '\0';
	for (unsigned i = 0; i < N_OF(names); i++)
		if ((feat >> i & 1) != 0)
			str_add(out, cap, "%s%s", out[0] != '\0' ? " " : "",
			    names[i]);
	return out;
}

void
confine_report(const char *who, uint32_t feat)
{
	char text[256];
	uint32_t lost = CONFINE_F_ALL & ~feat;

	if (lost == 0) {
		log_info(who, "confined: %s",
		    confine_text(feat, text, sizeof(text)));
		return;
	}
	log_notice(who, "confined, but this machine or way of starting does "
	    "not offer: %s", confine_text(lost, text, sizeof(text)));
}
