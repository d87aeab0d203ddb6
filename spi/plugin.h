/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spi/plugin.h - providers from shared objects.
 *
 * Provider NAME of kind ESP is the file esp-NAME.so of one directory that is
 * compiled in.  It is loaded when the configuration names it, before the
 * process confines itself, and stays to the end.  Directory and file belong to
 * root, nobody else can write to them or to what leads there, and no link is
 * followed: whoever could plant a plug-in could change the program as well.
 *
 * Thread: the loop, at start-up.
 */
#ifndef TAPIR_SPI_PLUGIN_H
#define TAPIR_SPI_PLUGIN_H

#include <sys/types.h>
#include "daemon/base/base.h"
#include "spi/spi_esp.h"

#define SPI_PLUGIN_MAX 8 /* loaded in one process; ours */

/* Where plug-ins lie. */
struct spi_place {
	const char *dir;	/* absolute */
	uid_t owner;		/* of the directory and the files; 0 = root */
};

/**
 * Load an ESP provider and check it; says in the log, in one line, why not.
 * One that is loaded already is given again.
 *
 * @param name letters, digits, . _ -, the first a letter or digit.
 * @param out  the provider; stays valid.
 * @return 0, ERR_RANGE (no such name is possible), ERR_NOTFOUND (no such
 *         file), ERR_PERM (others could have written it, or it is no regular
 *         file), ERR_SYS (not a shared object, or one that lacks something),
 *         ERR_VERSION (not built for this version), ERR_UNSUP (not on this
 *         machine), ERR_CRYPTO (failed its self-test) or ERR_FULL.
 */
MUST_USE int spi_plugin_load(const struct spi_place *at, const char *name,
			     const struct spi_esp **out);
/** One that was loaded, or NULL. */
const struct spi_esp *spi_plugin_find(const char *name);

#endif
