/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_names.c - resolv.conf there and back.
 */
#include "secure-proc/names/names.h"
#include <fcntl.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "test/unit/secure-proc/kit.h"

#define BEFORE "# by hand\nnameserver 192.0.2.53\noptions edns0\n"

static char path[300], journal[300];
static const struct names_file file = { path, journal };
static char why[256];

static void
begin(void)
{
	kit_begin();
	log_set_sink(kit_sink, NULL);
	snprintf(path, sizeof(path), "%s/resolv.conf", kit_dir);
	snprintf(journal, sizeof(journal), "%s/journal", kit_dir);
}

static void
put(const char *at, const char *text)
{
	FILE *f = fopen(at, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
}

static const char *
get(const char *at)
{
	static char text[8192];
	FILE *f = fopen(at, "r");

	if (f == NULL)
		return "";
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static struct vpn_cfg
servers(const char *words)
{
	struct vpn_cfg c;

	assert_int_equal(vpn_names_read(words, &c), 0);
	return c;
}

TEST(what_was_there_comes_back)
{
	struct vpn_cfg c = servers("dns=10.20.0.53 dns=fd00::53");
	char tap[IFNAMSIZ];
	struct stat st;
	ino_t before;

	begin();
	put(path, BEFORE);
	assert_int_equal(stat(path, &st), 0);
	before = st.st_ino;
	assert_int_equal(names_file_set(&file, "tap-a", &c, why, sizeof(why)), 0);
	assert_non_null(strstr(get(path), "nameserver 10.20.0.53\n"
			       "nameserver fd00::53\n"));
	assert_null(strstr(get(path), "192.0.2.53"));
	assert_true(names_file_owner(&file, tap));
	assert_string_equal(tap, "tap-a");
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_ino == before);	/* it may be a mount */
	names_file_restore(&file, "tap-b");	/* not that one's */
	assert_null(strstr(get(path), "192.0.2.53"));
	names_file_restore(&file, NULL);	/* the next start */
	assert_string_equal(get(path), BEFORE);
	assert_int_equal(access(journal, F_OK), -1);
	names_file_restore(&file, NULL);
	assert_string_equal(get(path), BEFORE);
	kit_end();
}

TEST(a_second_change_does_not_take_the_first_for_what_was)
{
	struct vpn_cfg a = servers("dns=10.20.0.53"), b = servers("dns=10.9.9.9");

	begin();
	put(path, BEFORE);
	assert_int_equal(names_file_set(&file, "tap-a", &a, why, sizeof(why)), 0);
	assert_int_equal(names_file_set(&file, "tap-a", &b, why, sizeof(why)), 0);
	assert_non_null(strstr(get(path), "10.9.9.9"));
	names_file_restore(&file, "tap-a");
	assert_string_equal(get(path), BEFORE);
	kit_end();
}

TEST(what_somebody_else_wrote_meanwhile_stays)
{
	struct vpn_cfg a = servers("dns=10.20.0.53");

	begin();
	put(path, BEFORE);
	assert_int_equal(names_file_set(&file, "tap-a", &a, why, sizeof(why)), 0);
	put(path, "nameserver 198.51.100.1\n");
	names_file_restore(&file, NULL);
	assert_string_equal(get(path), "nameserver 198.51.100.1\n");
	assert_int_equal(access(journal, F_OK), -1);
	/* and then that is what was */
	assert_int_equal(names_file_set(&file, "tap-a", &a, why, sizeof(why)), 0);
	names_file_restore(&file, NULL);
	assert_string_equal(get(path), "nameserver 198.51.100.1\n");
	kit_end();
}

TEST(without_a_way_back_nothing_is_changed)
{
	const struct names_file nowhere = { path, "/proc/none/journal" };
	struct vpn_cfg a = servers("dns=10.20.0.53");

	begin();
	put(path, BEFORE);
	assert_int_equal(names_file_set(&nowhere, "tap-a", &a, why,
					sizeof(why)), ERR_SYS);
	assert_non_null(strstr(why, "cannot be kept"));
	assert_string_equal(get(path), BEFORE);
	kit_end();
}

TEST(a_broken_journal_is_none)
{
	static const char *const text[] = { "", "tapir-names 1 tap-a\n",
		"tapir-names 2 tap-a 0000000000000000\nx", "\n\n", "tapir-names" };

	begin();
	for (size_t i = 0; i < N_OF(text); i++) {
		char tap[IFNAMSIZ];

		put(path, BEFORE);
		put(journal, text[i]);
		assert_false(names_file_owner(&file, tap));
		names_file_restore(&file, NULL);
		assert_string_equal(get(path), BEFORE);
	}
	kit_end();
}

TEST(what_a_client_does_is_what_was_permitted_word_by_word)
{
	static const char *const bad[] = { "dns=127.0.0.1", "dns=10.0.0.1;id",
		"domain=-x", "domain=a b", "domain=$(id)", "tls=10.0.0.1,853",
		"tls=10.0.0.1,0,x.example", "tls=10.0.0.1,853,x/y", "x=1", "dns",
		" dns=10.0.0.1", "dns=10.0.0.1  dns=10.0.0.2", "=", "dns=" };
	const char *good = "dns=10.0.0.1 dns=fd00::1 domain=example.com "
	    "tls=10.0.0.1,853,dns.example tls=10.0.0.2,853,dns.example";
	char text[VPN_NAMES_TEXT];
	struct vpn_cfg c;

	for (size_t i = 0; i < N_OF(bad); i++)
		if (vpn_names_read(bad[i], &c) == 0)
			fail_msg("taken: %s", bad[i]);
	assert_int_equal(vpn_names_read(good, &c), 0);
	assert_int_equal(c.n_enc, 1);
	assert_int_equal(c.enc[0].n_ip, 2);
	assert_string_equal(vpn_names_write(&c, text, sizeof(text)), good);
	assert_int_equal(vpn_names_read("", &c), 0);
	assert_int_equal(c.n_dns, 0);
	assert_int_equal(vpn_names_read("dns=10.0.0.1 dns=10.0.0.1 dns=10.0.0.1 "
	    "dns=10.0.0.1 dns=10.0.0.1 dns=10.0.0.1 dns=10.0.0.1 dns=10.0.0.1 "
	    "dns=10.0.0.1", &c), ERR_LIMIT);
}
