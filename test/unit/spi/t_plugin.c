/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/spi/t_plugin.c - plug-ins: what is loaded, and what is refused.
 *
 * The shared objects are built beside this program (Makefile) and copied into
 * a directory of the test's own.  That one is new for each test: the loader of
 * the C library knows files by their path.
 */
#include "test/lib/test.h"
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "daemon/base/log.h"
#include "daemon/base/rng.h"
#include "spi/plugin.h"

#define EXAMPLE TEST_B "/plugins/esp-example.so"
#define BAD(way_) TEST_B "/test/unit/spi/bad/" way_ ".so"
#define LEN_MAX 1500
#define BATCH	32

static char dir[PATH_MAX];
static struct spi_place place;
static unsigned n_line;			/* lines of level error */
static char line_said[LOG_LINE_MAX];

static void
sink(void *ctx UNUSED, enum log_level lv, const char *who, const char *line)
{
	assert_string_equal(who, "spi");
	if (lv != LOG_ERROR)
		return;
	n_line++;
	snprintf(line_said, sizeof(line_said), "%s", line);
}

static void
begin(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/tapir-plugin-XXXXXX",
		 tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	place = (struct spi_place){ dir, geteuid() };
	n_line = 0;
	line_said[0] = '\0';
	log_set_sink(sink, NULL);
}

static void
end(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			assert_int_equal(unlinkat(dirfd(d), e->d_name, 0), 0);
	closedir(d);
	assert_int_equal(rmdir(dir), 0);
	log_set_sink(NULL, NULL);
}

static const char *
path_of(const char *file)
{
	static char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static void
put(const char *file, const void *p, size_t len)
{
	int fd = open(path_of(file), O_WRONLY | O_CREAT | O_EXCL, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
}

static void
copy(const char *from, const char *file)
{
	FILE *f = fopen(from, "r");
	struct stat st;
	char *p;

	if (f == NULL)
		fail_msg("%s: cannot be read", from);
	assert_int_equal(fstat(fileno(f), &st), 0);
	p = malloc((size_t)st.st_size);
	assert_non_null(p);
	assert_int_equal(fread(p, 1, (size_t)st.st_size, f), st.st_size);
	fclose(f);
	put(file, p, (size_t)st.st_size);
	free(p);
}

/* Refused with that error, and one line that has these words in it. */
static void
assert_refused(const char *name, int err, const char *words)
{
	const struct spi_esp *p = NULL;
	unsigned before = n_line;

	assert_int_equal(spi_plugin_load(&place, name, &p), err);
	assert_null(p);
	assert_null(spi_plugin_find(name));
	assert_int_equal(n_line, before + 1);
	if (strstr(line_said, words) == NULL ||
	    strstr(line_said, "not used") == NULL)
		fail_msg("\"%s\" does not say \"%s\"", line_said, words);
}

/* ---- files and places ------------------------------------------------- */

TEST(file_that_others_can_write_is_refused)
{
	static const mode_t mode[] = { 0646, 0664, 0666, 0777 };

	begin();
	copy(EXAMPLE, "esp-example.so");
	for (size_t i = 0; i < N_OF(mode); i++) {
		assert_int_equal(chmod(path_of("esp-example.so"), mode[i]), 0);
		assert_refused("example", ERR_PERM, "alone to write");
	}
	end();
}

TEST(file_of_another_user_is_refused)
{
	begin();
	copy(EXAMPLE, "esp-example.so");
	if (geteuid() == 0) {
		assert_int_equal(chown(path_of("esp-example.so"), 1, 0), 0);
		assert_refused("example", ERR_PERM, "belongs to user 1 ");
	}
	place.owner = geteuid() + 1;
	assert_refused("example", ERR_PERM, "only its owner");
	end();
}

TEST(directory_that_others_can_write_is_refused)
{
	static const mode_t mode[] = { 0777, 0775, 0757, 01777 };

	begin();
	copy(EXAMPLE, "esp-example.so");
	for (size_t i = 0; i < N_OF(mode); i++) {
		assert_int_equal(chmod(dir, mode[i]), 0);
		assert_refused("example", ERR_PERM, "only its owner");
	}
	end();
}

TEST(way_to_the_directory_that_others_can_change_is_refused)
{
	char top[PATH_MAX];

	begin();
	snprintf(top, sizeof(top), "%s", dir);
	snprintf(dir, sizeof(dir), "%.*s/below", PATH_MAX - 10, top);
	assert_int_equal(mkdir(dir, 0755), 0);
	copy(EXAMPLE, "esp-example.so");
	assert_int_equal(chmod(top, 0777), 0);
	assert_refused("example", ERR_PERM, top);
	assert_int_equal(chmod(top, 0755), 0);
	if (geteuid() == 0) { /* who owns it may rename in it */
		assert_int_equal(chown(top, 1, 0), 0);
		assert_refused("example", ERR_PERM, top);
		assert_int_equal(chown(top, 0, 0), 0);
	}
	assert_int_equal(unlink(path_of("esp-example.so")), 0);
	assert_int_equal(rmdir(dir), 0);
	snprintf(dir, sizeof(dir), "%s", top);
	end();
}

TEST(links_are_not_followed)
{
	char link[PATH_MAX], real[PATH_MAX + 16];

	begin();
	snprintf(real, sizeof(real), "%s/real.so", dir);
	copy(EXAMPLE, "real.so");
	assert_int_equal(symlink("real.so", path_of("esp-example.so")), 0);
	assert_refused("example", ERR_PERM, "as a regular file");
	assert_int_equal(unlink(path_of("esp-example.so")), 0);
	assert_int_equal(rename(real, path_of("esp-example.so")), 0);
	snprintf(link, sizeof(link), "%.*s-link", PATH_MAX - 10, dir);
	assert_int_equal(symlink(dir, link), 0);
	place.dir = link;
	assert_refused("example", ERR_PERM, "reached by a link");
	assert_int_equal(unlink(link), 0);
	end();
}

TEST(pipes_and_directories_are_refused_without_waiting)
{
	begin();
	assert_int_equal(mkfifo(path_of("esp-pipe.so"), 0644), 0);
	assert_refused("pipe", ERR_PERM, "not a regular file");
	assert_int_equal(mkdir(path_of("esp-dir.so"), 0755), 0);
	assert_refused("dir", ERR_PERM, "not a regular file");
	assert_int_equal(rmdir(path_of("esp-dir.so")), 0);
	end();
}

TEST(names_that_could_leave_the_directory_are_refused)
{
	static const char *const bad[] = {
		"", ".", "..", "../x", "a/b", "/etc/passwd", "-x", "_x", ".x",
		"a b", "a\nb", "a%n", "caf\xc3\xa9",
		"a123456789b123456789c123456789d123456789e123456789f123456789abcd",
	};

	begin();
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_refused(bad[i], ERR_RANGE, "name has 1 to 63");
	end();
}

TEST(missing_file_directory_or_absolute_path_is_said)
{
	begin();
	assert_refused("example", ERR_NOTFOUND, "neither built in nor a file");
	place.dir = "/nonexistent/plugins";
	assert_refused("example", ERR_NOTFOUND, "neither built in nor a file");
	place.dir = "tmp";
	assert_refused("example", ERR_PERM, "not a directory");
	place.dir = "";
	assert_refused("example", ERR_PERM, "not a directory");
	end();
}

/* ---- contents --------------------------------------------------------- */

TEST(what_is_no_shared_object_is_refused)
{
	static const char text[] = "#!/bin/sh\nexit 0\n";
	static const uint8_t half[64] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };

	begin();
	put("esp-text.so", text, sizeof(text) - 1);
	assert_refused("text", ERR_SYS, "esp-text.so");
	put("esp-empty.so", "", 0);
	assert_refused("empty", ERR_SYS, "esp-empty.so");
	put("esp-half.so", half, sizeof(half));
	assert_refused("half", ERR_SYS, "esp-half.so");
	end();
}

TEST(plug_in_that_is_wrong_in_one_way_is_refused)
{
	static const struct {
		const char *file;
		int err;
		const char *words;
	} row[] = {
		{ BAD("MAGIC"), ERR_VERSION, "no magic number" },
		{ BAD("VERSION"), ERR_VERSION, "built for version 2" },
		{ BAD("KIND"), ERR_VERSION, "no ESP provider of this version" },
		{ BAD("SIZE"), ERR_VERSION, "no ESP provider of this version" },
		{ BAD("TABLE"), ERR_VERSION, "no ESP provider of this version" },
		{ BAD("HEAD"), ERR_VERSION, "no ESP provider of this version" },
		{ BAD("NAME"), ERR_VERSION, "does not call itself \"bad\"" },
		{ BAD("HOLE"), ERR_VERSION, "a function is missing" },
		{ BAD("SYMBOL"), ERR_SYS, "no symbol tapir_plugin" },
		{ BAD("LINK"), ERR_SYS, "of_nobody" },
		{ BAD("UNSUP"), ERR_UNSUP, "not supported here" },
		{ BAD("SEAL"), ERR_CRYPTO, "self-test" },
	};

	for (size_t i = 0; i < N_OF(row); i++) {
		begin();
		copy(row[i].file, "esp-bad.so");
		assert_refused("bad", row[i].err, row[i].words);
		end();
	}
}

TEST(file_under_another_name_is_refused)
{
	begin();
	copy(EXAMPLE, "esp-other.so");
	assert_refused("other", ERR_VERSION, "does not call itself \"other\"");
	end();
}

/* ---- what is good ----------------------------------------------------- */

TEST(built_in_names_need_no_file)
{
	begin();
	assert_int_equal(spi_esp_load(NULL), 0);
	for (unsigned i = 0; spi_esp_at(i) != NULL; i++)
		assert_int_equal(spi_esp_load(spi_esp_at(i)->head.name), 0);
	assert_int_equal(n_line, 0);
	assert_int_equal(spi_esp_load("no-such-provider"), ERR_NOTFOUND);
	assert_int_equal(n_line, 1);
	assert_non_null(strstr(line_said, TAPIR_PLUGINS
			       "/esp-no-such-provider.so"));
	end();
}

struct pkt {
	uint8_t iv[8];
	uint8_t text[LEN_MAX];
	uint8_t out[2][LEN_MAX + 16];	/* of the two providers */
	uint8_t back[LEN_MAX];
	size_t len;
};

static void
ops_of(struct spi_esp_op *op, struct pkt *k, unsigned who, uint8_t aad_len)
{
	for (unsigned i = 0; i < BATCH; i++) {
		size_t cut = k[i].len / 3;

		op[i] = (struct spi_esp_op){
			.part = { { k[i].text, cut },
				  { k[i].text + cut, k[i].len - cut } },
			.n_part = 2,
			.out = k[i].out[who],
			.iv = k[i].iv,
			.icv = k[i].out[who] + k[i].len,
			.aad = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
			.aad_len = aad_len,
			.err = ERR_INTERNAL,
		};
	}
}

/* Seal with both, compare, and let each open what the other sealed. */
static void
same_as(const struct spi_esp *a, const struct spi_esp *b, enum vpn_alg alg,
	struct pkt *k)
{
	const struct spi_esp *p[2] = { a, b };
	struct spi_esp_op op[BATCH];
	struct spi_esp_ctx *c;
	struct vpn_keys keys;

	assert_int_equal(rng_bytes(&keys, sizeof(keys)), 0);
	for (unsigned who = 0; who < 2; who++) {
		assert_int_equal(p[who]->ctx_new(&c, alg, &keys, true), 0);
		ops_of(op, k, who, 8);
		assert_int_equal(p[who]->seal(c, op, BATCH), BATCH);
		for (unsigned i = 0; i < BATCH; i++)
			assert_int_equal(op[i].err, 0);
		p[who]->ctx_free(c);
	}
	for (unsigned who = 0; who < 2; who++) {
		assert_int_equal(p[who]->ctx_new(&c, alg, &keys, false), 0);
		ops_of(op, k, !who, 8);
		for (unsigned i = 0; i < BATCH; i++) {
			assert_memory_equal(k[i].out[0], k[i].out[1],
					    k[i].len + 16);
			op[i].n_part = 1;
			op[i].part[0] = (struct view){ k[i].out[!who],
						       k[i].len };
			op[i].out = k[i].back;
			op[i].aad[0] ^= i == 7; /* one is forged */
		}
		assert_int_equal(p[who]->open(c, op, BATCH), BATCH);
		for (unsigned i = 0; i < BATCH; i++) {
			assert_int_equal(op[i].err, i == 7 ? ERR_ICV : 0);
			if (i != 7)
				assert_memory_equal(k[i].back, k[i].text,
						    k[i].len);
		}
		p[who]->ctx_free(c);
	}
}

TEST(example_is_loaded_found_by_name_and_gives_what_openssl_gives)
{
	const struct spi_esp *p = NULL, *again = NULL, *ossl = NULL;
	struct pkt *k = calloc(BATCH, sizeof(*k));
	unsigned n_alg = 0;

	assert_non_null(k);
	for (unsigned i = 0; i < BATCH; i++) {
		k[i].len = i * 48; /* 0, too */
		assert_int_equal(rng_bytes(k[i].iv, sizeof(k[i].iv)), 0);
		assert_int_equal(rng_bytes(k[i].text, LEN_MAX), 0);
	}
	begin();
	assert_int_equal(spi_esp_get("example", &p), ERR_NOTFOUND);
	copy(EXAMPLE, "esp-example.so");
	assert_int_equal(spi_plugin_load(&place, "example", &p), 0);
	assert_string_equal(p->head.name, "example");
	/* By name from now on, even when the file has gone. */
	assert_int_equal(unlink(path_of("esp-example.so")), 0);
	assert_int_equal(spi_plugin_load(&place, "example", &again), 0);
	assert_ptr_equal(again, p);
	again = NULL;
	assert_int_equal(spi_esp_get("example", &again), 0);
	assert_ptr_equal(again, p);
	assert_int_equal(spi_esp_load("example"), 0);
	/* Never by itself. */
	assert_int_equal(spi_esp_get(NULL, &again), 0);
	assert_ptr_not_equal(again, p);
	assert_int_equal(n_line, 0);
	assert_int_equal(spi_esp_get("openssl", &ossl), 0);
	for (int alg = VPN_ALG_NONE; alg <= VPN_ALG_END; alg++)
		if (p->has_alg((enum vpn_alg)alg)) {
			same_as(p, ossl, (enum vpn_alg)alg, k);
			n_alg++;
		}
	assert_int_equal(n_alg, 3);
	free(k);
	end();
}
