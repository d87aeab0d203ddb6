/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conf/replace.c - one file takes the place of another.
 *
 * Thread: any; system calls.
 */
#include "conf/replace.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "daemon/base/err.h"

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ERR_SYS;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0 ? 0 : ERR_SYS;
}

/* So that the new name is on the disk, too. */
static void
sync_dir(char *path)
{
	char *slash = strrchr(path, '/');
	int fd;

	if (slash != NULL)
		slash[slash == path] = '\0';
	fd = open(slash != NULL ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

int
conf_file_replace(const char *path, const char *text, size_t len, unsigned mode)
{
	char real[PATH_MAX], temp[PATH_MAX + 16];
	struct stat st;
	int fd, err = 0, was;
	bool is_there;

	/* a link stays a link */
	if (realpath(path, real) == NULL)
		snprintf(real, sizeof(real), "%s", path);
	is_there = stat(real, &st) == 0;
	snprintf(temp, sizeof(temp), "%s.XXXXXX", real);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return ERR_SYS;
	if (is_there && (st.st_uid != geteuid() || st.st_gid != getegid()) &&
	    fchown(fd, st.st_uid, st.st_gid) != 0)
		err = ERR_SYS;
	if (err == 0 &&
	    fchmod(fd, is_there ? st.st_mode & 07777 : (mode_t)mode) != 0)
		err = ERR_SYS;
	if (err == 0)
		err = write_all(fd, text, len);
	if (close(fd) != 0 && err == 0)
		err = ERR_SYS;
	if (err == 0 && rename(temp, real) != 0)
		err = ERR_SYS;
	if (err != 0) {
		was = errno;
		(void)unlink(temp);
		errno = was;
		return err;
	}
	sync_dir(real);
	return 0;
}
