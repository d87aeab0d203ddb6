/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test/unit/core/t_gsotest.c - the start-up test of trains.
 */
#include "daemon/core/gsotest.h"
#include <sys/resource.h>
#include <unistd.h>
#include "daemon/base/err.h"
#include "test/lib/test.h"

TEST(a_changed_byte_is_noticed)
{
	int err = gsotest_run(false);

	if (err != 0) { /* this kernel is for people to look at */
		print_message("trains: %s\n", err_text(err));
		skip();
	}
	assert_int_equal(gsotest_run(true), ERR_ICV);
}

TEST(without_sockets_it_could_not_be_tried)
{
	struct rlimit none, was;
	int fd = dup(0);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)fd;
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(gsotest_run(false), ERR_SYS);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
}
