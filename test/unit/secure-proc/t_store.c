/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/secure-proc/t_store.c - which key files are taken, and what their
 * text means.
 */
#include "secure-proc/keys/store.h"
#include "daemon/base/err.h"
#include "daemon/base/secret.h"
#include "test/unit/secure-proc/kit.h"

static char why[200];

/* Read NAME; the key as text in out (may hold NUL). */
static int
take(const char *name, char *out, size_t *n)
{
	uint8_t *key = NULL;
	int dir = open(kit_dir, O_RDONLY | O_DIRECTORY), err;

	why[0] = '\0';
	err = sec_key_read(dir, name, geteuid(), &key, n, why, sizeof(why));
	if (err == 0) {
		memcpy(out, key, *n);
		secret_free(key);
	}
	close(dir);
	return err;
}

TEST(text_is_the_key_and_one_newline_is_ignored)
{
	char k[128];
	size_t n;

	kit_begin();
	kit_key("a", "secret");
	assert_int_equal(take("a", k, &n), 0);
	assert_int_equal(n, 6);
	assert_memory_equal(k, "secret", 6);
	kit_key("b", "secret\n");
	assert_int_equal(take("b", k, &n), 0);
	assert_int_equal(n, 6);
	kit_key("c", "secret\n\n");
	assert_int_equal(take("c", k, &n), 0);
	assert_int_equal(n, 7);
	kit_file("d", "se\0cret", 7, 0600);
	assert_int_equal(take("d", k, &n), 0);
	assert_int_equal(n, 7);
	assert_memory_equal(k, "se\0cret", 7);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

TEST(hexadecimal_is_decoded)
{
	char k[128];
	size_t n;

	kit_begin();
	kit_key("a", "0x00ff10\n");
	assert_int_equal(take("a", k, &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(k, "\x00\xff\x10", 3);
	kit_key("b", "0xzz");
	assert_int_equal(take("b", k, &n), ERR_KEYFILE);
	assert_non_null(strstr(why, "hexadecimal"));
	kit_key("c", "0x0");
	assert_int_equal(take("c", k, &n), ERR_KEYFILE);
	kit_key("d", "0x");
	assert_int_equal(take("d", k, &n), ERR_KEYFILE);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

TEST(open_empty_long_and_strange_files_are_refused)
{
	static char big[SEC_KEY_FILE_MAX + 1];
	char k[SEC_KEY_FILE_MAX], path[256], path2[256];
	size_t n;

	kit_begin();
	kit_file("group", "secret", 6, 0640);
	assert_int_equal(take("group", k, &n), ERR_KEYFILE);
	assert_non_null(strstr(why, "chmod 600"));
	kit_file("world", "secret", 6, 0604);
	assert_int_equal(take("world", k, &n), ERR_KEYFILE);
	kit_key("empty", "");
	assert_int_equal(take("empty", k, &n), ERR_KEYFILE);
	kit_key("newline", "\n");
	assert_int_equal(take("newline", k, &n), ERR_KEYFILE);
	memset(big, 'k', sizeof(big));
	kit_file("max", big, SEC_KEY_FILE_MAX, 0600);
	assert_int_equal(take("max", k, &n), 0);
	assert_int_equal(n, SEC_KEY_FILE_MAX);
	kit_file("long", big, sizeof(big), 0600);
	assert_int_equal(take("long", k, &n), ERR_KEYFILE);
	snprintf(path, sizeof(path), "%s/fifo", kit_dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(take("fifo", k, &n), ERR_KEYFILE);
	snprintf(path, sizeof(path), "%s/dir", kit_dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(take("dir", k, &n), ERR_KEYFILE);
	kit_key("real", "secret");
	snprintf(path, sizeof(path), "%s/real", kit_dir);
	snprintf(path2, sizeof(path2), "%s/link", kit_dir);
	assert_int_equal(symlink(path, path2), 0);
	assert_int_equal(take("link", k, &n), ERR_KEYFILE);
	assert_int_equal(take("missing", k, &n), ERR_KEYFILE);
	assert_int_equal(take("../x", k, &n), ERR_KEYFILE);
	assert_int_equal(take(path, k, &n), ERR_KEYFILE);
	assert_int_equal(take(".", k, &n), ERR_KEYFILE);
	assert_int_equal(take("", k, &n), ERR_KEYFILE);
	assert_int_equal(secret_used(), 0);
	kit_end();
}

TEST(a_file_of_another_user_is_refused)
{
	char k[64], path[256];
	size_t n;

	if (geteuid() != 0)
		skip();
	kit_begin();
	kit_key("a", "secret");
	snprintf(path, sizeof(path), "%s/a", kit_dir);
	assert_int_equal(chown(path, 1234, 0), 0);
	assert_int_equal(take("a", k, &n), ERR_KEYFILE);
	assert_non_null(strstr(why, "1234"));
	kit_end();
}

TEST(each_peer_gets_its_own_key_and_files_are_read_once)
{
	struct conf *c = kit_conf("<vpn><realm name='r'>"
	    "<me id='a' psk='one'/><peer id='b'/><peer id='c' psk='two'/>"
	    "</realm><realm name='s'><me id='a2' psk='one'/><peer id='d'/>"
	    "</realm></vpn>");
	struct sec_store *s;
	struct view v, w;

	kit_begin();
	kit_key("one", "first");
	kit_key("two", "second");
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()), 0);
	v = sec_store_psk(s, 0, 0);
	assert_int_equal(v.len, 5);
	assert_memory_equal(v.p, "first", 5);
	v = sec_store_psk(s, 0, 1);
	assert_memory_equal(v.p, "second", 6);
	w = sec_store_psk(s, 1, 0);
	assert_ptr_equal(w.p, sec_store_psk(s, 0, 0).p);
	assert_int_equal(sec_store_psk(s, 0, 2).len, 0);
	assert_int_equal(sec_store_psk(s, 2, 0).len, 0);
	assert_int_equal(sec_store_psk(s, UINT32_MAX, UINT32_MAX).len, 0);
	sec_store_free(s);
	assert_int_equal(secret_used(), 0);
	conf_free(c);
	kit_end();
}

/* A keystore of its own: one name, two keys, and no way from one to the other. */
TEST(files_of_a_realm_are_in_its_own_directory)
{
	struct conf *c = kit_conf("<vpn><realm name='r' keys='x'>"
	    "<me id='a' psk='k'/><peer id='b'/></realm>"
	    "<realm name='s' keys='y'><me id='a2' psk='k'/><peer id='c'/></realm>"
	    "<realm name='t'><me id='a3' psk='k'/><peer id='d'/></realm></vpn>");
	static const char *const want[] = { "of x", "of y", "of all" };
	struct sec_store *s;
	char path[128];
	struct view v;

	kit_begin();
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%c", kit_dir, "xy"[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	kit_key("x/k", "of x");
	kit_key("k", "of all");
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()),
	    ERR_KEYFILE);	/* y/k is not looked for elsewhere */
	kit_key("y/k", "of y");
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()), 0);
	for (unsigned i = 0; i < N_OF(want); i++) {
		v = sec_store_psk(s, i, 0);
		assert_int_equal(v.len, strlen(want[i]));
		assert_memory_equal(v.p, want[i], v.len);
	}
	sec_store_free(s);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()),
	    ERR_KEYFILE);
	conf_free(c);
	kit_end();
}

TEST(one_bad_file_refuses_the_store)
{
	struct conf *c = kit_conf("<vpn><realm name='r'>"
	    "<me id='a' psk='one'/><peer id='b'/><peer id='c' psk='two'/>"
	    "</realm></vpn>");
	struct sec_store *s = NULL;

	kit_begin();
	kit_key("one", "first");
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()),
	    ERR_KEYFILE);
	assert_null(s);
	assert_int_equal(secret_used(), 0);
	conf_free(c);
	kit_end();
}

TEST(a_directory_others_may_write_is_refused)
{
	struct conf *c = kit_conf("<vpn><realm name='r'>"
	    "<me id='a' psk='one'/><peer id='b'/></realm></vpn>");
	struct sec_store *s = NULL;

	kit_begin();
	kit_key("one", "first");
	assert_int_equal(chmod(kit_dir, 0777), 0);
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()),
	    ERR_KEYFILE);
	assert_int_equal(chmod(kit_dir, 0770), 0);
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()),
	    ERR_KEYFILE);
	assert_int_equal(chmod(kit_dir, 0755), 0);
	assert_int_equal(sec_store_load(&s, c, kit_dir, geteuid()), 0);
	sec_store_free(s);
	assert_int_equal(sec_store_load(&s, c, "/no/such/dir", geteuid()),
	    ERR_KEYFILE);
	conf_free(c);
	kit_end();
}
